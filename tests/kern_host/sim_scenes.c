/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_scenes: one thing at a time. What random histories meet once in a million
 * packets, here each time; and what only many packets at once can show.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/kern_host/sim_world.h"
#include "tests/prog/tap.h"

#define FLOOD 2000000

/* ---- floods ------------------------------------------------------------------ */

static void flood_settled(uint64_t seed)
{
	static const struct sl_exc_cnt none;
	char line[200];

	sim_world_open(seed, 8, 4093, 300);
	sim_world_pass_s(320); /* coming UP had raised T */
	for (uint32_t i = 0; i < FLOOD; i++)
		sim_world_deliver(sim_random(), i % 8 ? PKT_TCP_SYN : PKT_TCP_ACK);
	snprintf(line, sizeof(line), "a flood of %u packets on a settled service writes no memory",
		 FLOOD);
	sl_tap(sim_world_memory_empty() && !memcmp(sl_cnt_exc, &none, sizeof(none)), line,
	       "%llu lookups, %llu inserts", (unsigned long long)sl_cnt_exc->lookups,
	       (unsigned long long)sl_cnt_exc->inserts);
	sim_world_close();
}

static void flood_transition(uint64_t seed)
{
	enum { FLOWS = 20000 };
	static uint64_t hash[FLOWS];
	static uint32_t to[FLOWS];
	uint32_t lost = 0;
	char line[200];

	sim_world_open(seed, 8, 4093, 300);
	for (uint32_t i = 0; i < FLOWS; i++) {
		hash[i] = sim_random();
		to[i] = sim_world_deliver(hash[i], PKT_TCP_SYN);
		sim_world_deliver(hash[i], PKT_TCP_ACK);
	}
	sim_world_set_weight(&sim_world->backend[0], 256);
	for (uint32_t i = 0; i < 2 * FLOOD; i++)
		sim_world_deliver(sim_random(), PKT_TCP_SYN);
	for (uint32_t i = 0; i < FLOWS; i++)
		lost += sim_world_deliver(hash[i], PKT_TCP_ACK) != to[i];
	snprintf(line, sizeof(line),
		 "a flood of %u SYNs on slots in transition: %u of %u flows lost (%llu first "
		 "packets forgotten)",
		 2 * FLOOD, lost, (uint32_t)FLOWS,
		 (unsigned long long)sl_cnt_exc->evicted_unconfirmed);
	sl_tap(!lost && sl_cnt_exc->evicted_unconfirmed > FLOOD / 2, line,
	       "a live flow was evicted, or the flood was too small");
	sim_world_close();
}

/* ---- probing ------------------------------------------------------------------ */

static void probe_spreads(uint64_t seed)
{
	static uint32_t got[SL_BACKENDS_MAX];
	uint32_t down, n = 0, weights = 0;
	double chi = 0;
	char line[200];

	sim_world_open(seed, 10, 16381, 300);
	for (uint32_t i = 0; i < sim_world->n; i++)
		sim_world->backend[i].weight = (uint16_t)(50 + 20 * i);
	sim_world_set_weight(&sim_world->backend[9], 200);
	down = sim_world->backend[9].id;
	sim_world_set_health(&sim_world->backend[9], SL_HEALTH_DOWN);
	memset(got, 0, sizeof(got));
	for (uint32_t i = 0; i < FLOOD; i++) {
		uint64_t hash = sim_random();

		if (sim_world_cur_of(hash) != down)
			continue;
		got[sim_world_deliver(hash, PKT_TCP_SYN)]++;
		n++;
	}
	for (uint32_t i = 0; i < 9; i++)
		weights += sim_world->backend[i].weight;
	for (uint32_t i = 0; i < 9; i++) {
		double fair = (double)n * sim_world->backend[i].weight / weights;

		chi += (got[sim_world->backend[i].id] - fair) *
		       (got[sim_world->backend[i].id] - fair) / fair;
	}
	snprintf(
		line, sizeof(line),
		"%u flows of a DOWN backend spread over the others by weight: chi square %.1f of 8",
		n, chi);
	sl_tap(chi < 40 && !got[down] && !got[0], line, "refused %u, to the dead one %u", got[0],
	       got[down]);
	sim_world_close();
}

static void probe_finds_the_last(uint64_t seed)
{
	uint32_t refused = 0, stale = 0;

	sim_world_open(seed, 40, 4093, 300);
	sim_world_set_weight(&sim_world->backend[7], 0);
	for (uint32_t i = 0; i < sim_world->n; i++)
		if (i != 7 && i != 8)
			sim_world_set_health(&sim_world->backend[i], SL_HEALTH_DOWN);
	for (uint32_t i = 0; i < 100000; i++)
		refused += sim_world_deliver(sim_random(), PKT_TCP_SYN) != sim_world->backend[8].id;
	sl_tap(!refused, "40 backends, one UP: each of 100000 new flows finds it", "%u did not",
	       refused);
	sim_world_set_health(&sim_world->backend[8], SL_HEALTH_DOWN);
	sim_world_set_weight(&sim_world->backend[7], 1);
	for (uint32_t i = 0; i < 100000; i++)
		stale += sim_world_deliver(sim_random(), PKT_TCP_SYN) != sim_world->backend[7].id;
	sl_tap(!stale, "the only one UP gets a weight: each of 100000 new flows finds it",
	       "%u did not: spares follow states, but not weights", stale);
	sim_world_close();
}

/* ---- races ---------------------------------------------------------------------- */

static struct sim_backend *returning;

static void come_up(void)
{
	returning->admin = SL_ADMIN_READY;
	sim_world_set_health(returning, SL_HEALTH_UP);
}

/*
 * The slot's owner comes back at access @k of a packet, of a tuple that went to
 * another meanwhile. Returns false once the packet has fewer accesses than that.
 */
static bool race(uint64_t seed, uint32_t k, bool drained, enum sim_fault fault, uint8_t flags,
		 uint32_t *wrong)
{
	uint64_t hash = seed * 0x9e3779b97f4a7c15ull;
	uint32_t first, then;
	bool fired;

	sim_world_open(seed, 5, 251, 30);
	sim_world_pass_s(60);
	returning = sim_world_backend_of(hash);
	if (drained)
		returning->admin = SL_ADMIN_DRAIN;
	else
		returning->health = SL_HEALTH_DOWN;
	sim_agent_publish(sim_world, returning);
	first = sim_world_deliver(hash, PKT_TCP_SYN);
	sim_world_deliver(hash, PKT_TCP_ACK);
	sim.fault = fault;
	sim.on_access = come_up;
	sim_mid_arm(k);
	then = sim_world_deliver(hash, flags);
	fired = returning->health == SL_HEALTH_UP && returning->admin == SL_ADMIN_READY;
	sim_mid_arm(0);
	if (flags != PKT_TCP_SYN)
		*wrong += then != first;
	*wrong += sim_world_deliver(hash, PKT_TCP_ACK) != then;
	sim_world_close();
	return fired;
}

uint32_t sim_races(uint64_t seed, enum sim_fault fault, uint8_t tcp_flags, uint32_t *ret_times)
{
	uint32_t wrong = 0;

	*ret_times = 0;
	for (uint32_t n = 0; n < 2; n++)
		for (uint32_t k = 1; race(seed + k, k, n, fault, tcp_flags, &wrong); k++)
			++*ret_times;
	return wrong;
}

static void races(uint64_t seed, uint8_t tcp_flags, const char *what)
{
	uint32_t times, wrong = sim_races(seed, SIM_OK, tcp_flags, &times);
	char line[200];

	snprintf(line, sizeof(line), "an owner comes back within %s, at each of %u accesses", what,
		 times);
	sl_tap(times > 10 && !wrong, line, "%u of them misrouted the flow", wrong);
}

/*
 * A slot's transition is over, but it was not settled yet. Its owner, DOWN,
 * comes back within a SYN, and then slots settle. Returns as race() does.
 */
static void come_up_and_settle(void)
{
	come_up();
	sim_agent_settle();
}

static bool settle_race(uint64_t seed, uint32_t k, uint32_t *wrong)
{
	uint64_t hash = seed * 0x9e3779b97f4a7c15ull;
	uint32_t first;
	bool fired;

	sim_world_open(seed, 5, 251, 30);
	returning = sim_world_backend_of(hash); /* all were raised by coming UP */
	sim_world_set_health(returning, SL_HEALTH_DOWN);
	platform_jiffies += sim_jiffies(120);
	sim.on_access = come_up_and_settle;
	sim_mid_arm(k);
	first = sim_world_deliver(hash, PKT_TCP_SYN);
	fired = returning->health == SL_HEALTH_UP;
	sim_mid_arm(0);
	*wrong += sim_world_deliver(hash, PKT_TCP_ACK) != first;
	sim_world_close();
	return fired;
}

static void settle_races(uint64_t seed)
{
	uint32_t wrong = 0, times = 0;
	char line[200];

	for (uint32_t k = 1; settle_race(seed + k, k, &wrong); k++)
		times++;
	snprintf(line, sizeof(line),
		 "an owner comes back and slots settle within a SYN, at each of %u accesses",
		 times);
	sl_tap(times > 10 && !wrong, line, "%u of them misrouted the flow", wrong);
}

/* ---- clocks ------------------------------------------------------------------------ */

static uint64_t racing_hash;
static uint32_t racing_to;

static void tick_and_ack(void)
{
	platform_jiffies++; /* the first of a tick */
	racing_to = sim_world_deliver(racing_hash, PKT_TCP_ACK);
}

/* The clock that the agent read ticks, and only then a packet comes. */
static void step_while_ticking(void (*step)(void))
{
	sim_world_end_of_tick();
	sim.on_store = tick_and_ack;
	sim_stores_left = 1;
	step();
	sim.on_store = NULL;
}

static void settle_while_ticking(uint64_t seed)
{
	uint32_t first;

	sim_world_open(seed, 5, 251, 30);
	sim_world_pass_s(60);
	racing_hash = sim_random();
	first = sim_world_deliver(racing_hash, PKT_TCP_SYN);
	sim_world_set_weight(sim_world_backend_of(racing_hash), 0);
	step_while_ticking(sim_agent_settle);
	sl_tap(racing_to == first && sim_world_deliver(racing_hash, PKT_TCP_ACK) == first,
	       "a tick begins while slots settle: the flow stays",
	       "a slot seen a tick after the agent's clock was settled");
	sim_world_close();
}

static void sweep_while_ticking(uint64_t seed)
{
	uint32_t first;

	sim_world_open(seed, 5, 251, 30);
	sim_world_pass_s(60);
	racing_hash = sim_random();
	sim_world_set_health(sim_world_backend_of(racing_hash), SL_HEALTH_DOWN);
	first = sim_world_deliver(racing_hash, PKT_TCP_SYN);
	sim_world_set_health(sim_world_backend_of(racing_hash), SL_HEALTH_UP);
	step_while_ticking(sim_agent_sweep);
	sl_tap(racing_to == first && sim_world_deliver(racing_hash, PKT_TCP_ACK) == first,
	       "a tick begins while flow memory is swept: the flow stays",
	       "an entry used a tick after the agent's clock was swept");
	sim_world_close();
}

static void ticks_and_ack(void)
{
	platform_jiffies += 3; /* as long as the agent needs for a large table */
	racing_to = sim_world_deliver(racing_hash, PKT_TCP_ACK);
}

/*
 * The idle timeout is a whole number of ticks, so nothing was rounded up. The
 * agent reads the clock, a tick begins, a packet comes, and only then is the
 * flow's slot moved: its transition must last the flow's whole silence.
 */
static void move_while_ticking(uint64_t seed)
{
	uint32_t first;

	sim_world_open(seed, 5, 251, 512); /* 125 ticks */
	sim_world_pass_s(600);
	racing_hash = sim_random();
	first = sim_world_deliver(racing_hash, PKT_TCP_SYN);
	sim_world_end_of_tick();
	sim.on_store = ticks_and_ack;
	sim_stores_left = 1;
	sim_world_set_weight(sim_world_backend_of(racing_hash), 0);
	sim.on_store = NULL;
	platform_jiffies += sim_world->idle_jiffies - 1;
	sim_agent_settle();
	sl_tap(racing_to == first && sim_world_deliver(racing_hash, PKT_TCP_ACK) == first,
	       "a tick begins while slots move: a flow silent for almost its timeout stays",
	       "the slot was settled a tick too early");
	sim_world_close();
}

static void longer_timeout(uint64_t seed)
{
	uint32_t first;
	uint64_t hash;

	sim_world_open(seed, 5, 251, 5);
	sim_world_pass_s(30);
	hash = sim_random();
	sim_world_set_health(sim_world_backend_of(hash), SL_HEALTH_DOWN);
	sim_world_deliver(hash, PKT_TCP_SYN);
	sim_world_set_health(sim_world_backend_of(hash), SL_HEALTH_UP);
	sim_world_pass_s(15);
	sim_world->idle_s = 300;
	sim_agent_change(sim_world, sim_world->backend, sim_world->n);
	first = sim_world_deliver(hash, PKT_TCP_SYN);
	sim_world_set_weight(sim_world_backend_of(hash), 0);
	sl_tap(sim_world_deliver(hash, PKT_TCP_ACK) == first,
	       "a longer idle timeout wakes no forgotten memory",
	       "an entry that had expired under the shorter timeout was found");
	sim_world_close();
}

/* ---- memory of who is gone ------------------------------------------------------ */

/*
 * A remembered flow's backend goes DOWN, its packets go to cur, its slot
 * settles; it begins anew there, and its first backend comes back. Nothing may
 * remember that one. Returns whether the flow stays.
 */
bool sim_forgets_down(uint64_t seed, enum sim_fault fault)
{
	uint64_t hash = seed * 0x9e3779b97f4a7c15ull;
	struct sim_backend *first, *second;
	bool stays;

	sim_world_open(seed, 2, 251, 30);
	sim.fault = fault;
	first = sim_world_backend_of(hash);
	second = &sim_world->backend[first == &sim_world->backend[0]];
	sim_world_deliver(hash, PKT_TCP_SYN); /* T is up since the start */
	sim_world_set_weight(first, 0);
	sim_world_set_health(first, SL_HEALTH_DOWN);
	for (uint32_t i = 0; i < 120 && (sim_world_word_of(hash) & SL_SLOT_T); i++) {
		sim_world_deliver(hash, PKT_TCP_ACK);
		sim_world_pass_s(1);
	}
	sim_world_deliver(hash, PKT_TCP_SYN);
	sim_world_set_health(first, SL_HEALTH_UP);
	first->weight = 100;
	sim_world_set_weight(second, 0);
	stays = sim_world_deliver(hash, PKT_TCP_ACK) == second->id;
	sim_world_close();
	return stays;
}

static void scenes_of_packets(uint64_t seed)
{
	flood_settled(seed);
	flood_transition(seed);
	probe_spreads(seed);
	probe_finds_the_last(seed);
	races(seed, PKT_TCP_SYN, "a SYN");
	races(seed, PKT_TCP_ACK, "a later packet");
	settle_races(seed);
}

void sim_scenes(uint64_t seed, bool is_kernel)
{
	if (!is_kernel)
		scenes_of_packets(seed);
	move_while_ticking(seed);
	settle_while_ticking(seed);
	sweep_while_ticking(seed);
	longer_timeout(seed);
	sim_absences(seed);
	sl_tap(sim_forgets_down(seed, SIM_OK),
	       "a flow whose backend went DOWN begins anew elsewhere",
	       "the first backend was remembered");
}
