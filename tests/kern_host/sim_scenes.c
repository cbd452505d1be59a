/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_scenes: one thing at a time. What random histories meet once in a million
 * packets, here each time; and what only many packets at once can show.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/kern_host/sim.h"
#include "tests/prog/tap.h"

#define FLOOD 2000000

static struct sim_service *const svc = &sim.service[0];

/* ---- a small world --------------------------------------------------------- */

static void open_world(uint64_t seed, uint32_t n, uint32_t slots, uint32_t idle_s)
{
	memset(&sim, 0, sizeof(sim));
	sim_memory_clear();
	sim.random = seed;
	sl_tick_shift = sim_tick_shift_only ? sim_tick_shift_only : 10;
	sim.hz = sl_tick_shift == 9    ? 100
		 : sl_tick_shift == 10 ? 250
		 : sl_tick_shift == 11 ? 300
				       : 1000;
	sim.tick_ms = (1000u << sl_tick_shift) / sim.hz;
	platform_jiffies = 1ull << 32;
	if (sl_idpool_new(SL_BACKENDS_MAX, &sim.ids) < 0)
		abort();
	svc->id = 1;
	svc->idle_s = idle_s;
	svc->idle_jiffies = (uint64_t)idle_s * sim.hz;
	svc->slots = (struct sl_slots){ sl_slots, sl_seen, slots };
	svc->owners = calloc(slots, sizeof(*svc->owners));
	if (!svc->owners)
		abort();
	for (svc->n = 0; svc->n < n; svc->n++) {
		struct sim_backend *b = &svc->backend[svc->n];

		snprintf(b->name, sizeof(b->name), "b%u", svc->n);
		b->weight = 100;
		b->health = SL_HEALTH_UP;
	}
	sim_agent_start(svc);
}

static void close_world(void)
{
	memset(svc->slots.word, 0, svc->slots.count * sizeof(*svc->slots.word));
	memset(svc->slots.seen, 0, svc->slots.count * sizeof(*svc->slots.seen));
	free(svc->owners);
	sl_idpool_free(sim.ids);
}

/* Where the packet goes; 0: nowhere. */
static uint32_t deliver(uint64_t hash, uint8_t flags)
{
	struct pkt p = { .hash = hash, .service = 1, .tcp_flags = flags, .proto = IPPROTO_TCP };
	uint64_t entry = sim_entry_of(hash);
	bool sent = sim_pick(&p, 1) == SL_R_NEXT;

	sim_fault_after_packet(&p, entry);
	return sent ? p.backend : 0;
}

static uint32_t word_of(uint64_t hash)
{
	return svc->slots.word[sl_hash_range(hash, svc->slots.count)];
}

static uint32_t cur_of(uint64_t hash)
{
	return SL_SLOT_CUR(word_of(hash));
}

static struct sim_backend *backend_of(uint64_t hash)
{
	for (uint32_t i = 0; i < svc->n; i++)
		if (svc->backend[i].id == cur_of(hash))
			return &svc->backend[i];
	abort();
}

static void set_health(struct sim_backend *b, enum sl_health health)
{
	b->health = health;
	sim_agent_publish(svc, b);
}

static void set_weight(struct sim_backend *b, uint16_t weight)
{
	b->weight = weight;
	sim_agent_change(svc, svc->backend, svc->n);
}

static void pass_s(uint32_t seconds)
{
	while (seconds--) {
		platform_jiffies += sim.hz;
		sim_agent_settle();
	}
}

static bool is_memory_empty(void)
{
	for (uint32_t i = 0; i < SL_EXC_SETS; i++)
		for (uint32_t k = 0; k < SL_EXC_WAYS; k++)
			if (sl_exceptions[i].entry[k])
				return false;
	return true;
}

/* ---- floods ------------------------------------------------------------------ */

static void flood_settled(uint64_t seed)
{
	static const struct sl_exc_cnt none;
	char line[200];

	open_world(seed, 8, 4093, 300);
	pass_s(320); /* coming UP had raised T */
	for (uint32_t i = 0; i < FLOOD; i++)
		deliver(sim_random(), i % 8 ? PKT_TCP_SYN : PKT_TCP_ACK);
	snprintf(line, sizeof(line), "a flood of %u packets on a settled service writes no memory",
		 FLOOD);
	sl_tap(is_memory_empty() && !memcmp(sl_cnt_exc, &none, sizeof(none)), line,
	       "%llu lookups, %llu inserts", (unsigned long long)sl_cnt_exc->lookups,
	       (unsigned long long)sl_cnt_exc->inserts);
	close_world();
}

static void flood_transition(uint64_t seed)
{
	enum { FLOWS = 20000 };
	static uint64_t hash[FLOWS];
	static uint32_t to[FLOWS];
	uint32_t lost = 0;
	char line[200];

	open_world(seed, 8, 4093, 300);
	for (uint32_t i = 0; i < FLOWS; i++) {
		hash[i] = sim_random();
		to[i] = deliver(hash[i], PKT_TCP_SYN);
		deliver(hash[i], PKT_TCP_ACK);
	}
	set_weight(&svc->backend[0], 256);
	for (uint32_t i = 0; i < 2 * FLOOD; i++)
		deliver(sim_random(), PKT_TCP_SYN);
	for (uint32_t i = 0; i < FLOWS; i++)
		lost += deliver(hash[i], PKT_TCP_ACK) != to[i];
	snprintf(line, sizeof(line),
		 "a flood of %u SYNs on slots in transition: %u of %u flows lost (%llu first "
		 "packets forgotten)",
		 2 * FLOOD, lost, (uint32_t)FLOWS,
		 (unsigned long long)sl_cnt_exc->evicted_unconfirmed);
	sl_tap(!lost && sl_cnt_exc->evicted_unconfirmed > FLOOD / 2, line,
	       "a live flow was evicted, or the flood was too small");
	close_world();
}

/* ---- probing ------------------------------------------------------------------ */

static void probe_spreads(uint64_t seed)
{
	static uint32_t got[SL_BACKENDS_MAX];
	uint32_t down, n = 0, weights = 0;
	double chi = 0;
	char line[200];

	open_world(seed, 10, 16381, 300);
	for (uint32_t i = 0; i < svc->n; i++)
		svc->backend[i].weight = (uint16_t)(50 + 20 * i);
	set_weight(&svc->backend[9], 200);
	down = svc->backend[9].id;
	set_health(&svc->backend[9], SL_HEALTH_DOWN);
	memset(got, 0, sizeof(got));
	for (uint32_t i = 0; i < FLOOD; i++) {
		uint64_t hash = sim_random();

		if (cur_of(hash) != down)
			continue;
		got[deliver(hash, PKT_TCP_SYN)]++;
		n++;
	}
	for (uint32_t i = 0; i < 9; i++)
		weights += svc->backend[i].weight;
	for (uint32_t i = 0; i < 9; i++) {
		double fair = (double)n * svc->backend[i].weight / weights;

		chi += (got[svc->backend[i].id] - fair) * (got[svc->backend[i].id] - fair) / fair;
	}
	snprintf(
		line, sizeof(line),
		"%u flows of a DOWN backend spread over the others by weight: chi square %.1f of 8",
		n, chi);
	sl_tap(chi < 40 && !got[down] && !got[0], line, "refused %u, to the dead one %u", got[0],
	       got[down]);
	close_world();
}

static void probe_finds_the_last(uint64_t seed)
{
	uint32_t refused = 0, stale = 0;

	open_world(seed, 40, 4093, 300);
	set_weight(&svc->backend[7], 0);
	for (uint32_t i = 0; i < svc->n; i++)
		if (i != 7 && i != 8)
			set_health(&svc->backend[i], SL_HEALTH_DOWN);
	for (uint32_t i = 0; i < 100000; i++)
		refused += deliver(sim_random(), PKT_TCP_SYN) != svc->backend[8].id;
	sl_tap(!refused, "40 backends, one UP: each of 100000 new flows finds it", "%u did not",
	       refused);
	set_health(&svc->backend[8], SL_HEALTH_DOWN);
	set_weight(&svc->backend[7], 1);
	for (uint32_t i = 0; i < 100000; i++)
		stale += deliver(sim_random(), PKT_TCP_SYN) != svc->backend[7].id;
	sl_tap(!stale, "the only one UP gets a weight: each of 100000 new flows finds it",
	       "%u did not: spares follow states, but not weights", stale);
	close_world();
}

/* ---- races ---------------------------------------------------------------------- */

static struct sim_backend *returning;

static void come_up(void)
{
	returning->admin = SL_ADMIN_READY;
	set_health(returning, SL_HEALTH_UP);
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

	open_world(seed, 5, 251, 30);
	pass_s(60);
	returning = backend_of(hash);
	if (drained)
		returning->admin = SL_ADMIN_DRAIN;
	else
		returning->health = SL_HEALTH_DOWN;
	sim_agent_publish(svc, returning);
	first = deliver(hash, PKT_TCP_SYN);
	deliver(hash, PKT_TCP_ACK);
	sim.fault = fault;
	sim.on_access = come_up;
	sim_mid_arm(k);
	then = deliver(hash, flags);
	fired = returning->health == SL_HEALTH_UP && returning->admin == SL_ADMIN_READY;
	sim_mid_arm(0);
	if (flags != PKT_TCP_SYN)
		*wrong += then != first;
	*wrong += deliver(hash, PKT_TCP_ACK) != then;
	close_world();
	return fired;
}

static uint32_t count_races(uint64_t seed, enum sim_fault fault, uint8_t tcp_flags,
			    uint32_t *ret_times)
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
	uint32_t times, wrong = count_races(seed, SIM_OK, tcp_flags, &times);
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

	open_world(seed, 5, 251, 30);
	returning = backend_of(hash); /* all were raised by coming UP */
	set_health(returning, SL_HEALTH_DOWN);
	platform_jiffies += sim_jiffies(120);
	sim.on_access = come_up_and_settle;
	sim_mid_arm(k);
	first = deliver(hash, PKT_TCP_SYN);
	fired = returning->health == SL_HEALTH_UP;
	sim_mid_arm(0);
	*wrong += deliver(hash, PKT_TCP_ACK) != first;
	close_world();
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
	racing_to = deliver(racing_hash, PKT_TCP_ACK);
}

static void end_of_tick(void)
{
	platform_jiffies |= (1ull << sl_tick_shift) - 1;
}

/* The clock that the agent read ticks, and only then a packet comes. */
static void step_while_ticking(void (*step)(void))
{
	end_of_tick();
	sim.on_store = tick_and_ack;
	sim_stores_left = 1;
	step();
	sim.on_store = NULL;
}

static void settle_while_ticking(uint64_t seed)
{
	uint32_t first;

	open_world(seed, 5, 251, 30);
	pass_s(60);
	racing_hash = sim_random();
	first = deliver(racing_hash, PKT_TCP_SYN);
	set_weight(backend_of(racing_hash), 0);
	step_while_ticking(sim_agent_settle);
	sl_tap(racing_to == first && deliver(racing_hash, PKT_TCP_ACK) == first,
	       "a tick begins while slots settle: the flow stays",
	       "a slot seen a tick after the agent's clock was settled");
	close_world();
}

static void sweep_while_ticking(uint64_t seed)
{
	uint32_t first;

	open_world(seed, 5, 251, 30);
	pass_s(60);
	racing_hash = sim_random();
	set_health(backend_of(racing_hash), SL_HEALTH_DOWN);
	first = deliver(racing_hash, PKT_TCP_SYN);
	set_health(backend_of(racing_hash), SL_HEALTH_UP);
	step_while_ticking(sim_agent_sweep);
	sl_tap(racing_to == first && deliver(racing_hash, PKT_TCP_ACK) == first,
	       "a tick begins while flow memory is swept: the flow stays",
	       "an entry used a tick after the agent's clock was swept");
	close_world();
}

static void ticks_and_ack(void)
{
	platform_jiffies += 3; /* as long as the agent needs for a large table */
	racing_to = deliver(racing_hash, PKT_TCP_ACK);
}

/*
 * The idle timeout is a whole number of ticks, so nothing was rounded up. The
 * agent reads the clock, a tick begins, a packet comes, and only then is the
 * flow's slot moved: its transition must last the flow's whole silence.
 */
static void move_while_ticking(uint64_t seed)
{
	uint32_t first;

	open_world(seed, 5, 251, 512); /* 125 ticks */
	pass_s(600);
	racing_hash = sim_random();
	first = deliver(racing_hash, PKT_TCP_SYN);
	end_of_tick();
	sim.on_store = ticks_and_ack;
	sim_stores_left = 1;
	set_weight(backend_of(racing_hash), 0);
	sim.on_store = NULL;
	platform_jiffies += svc->idle_jiffies - 1;
	sim_agent_settle();
	sl_tap(racing_to == first && deliver(racing_hash, PKT_TCP_ACK) == first,
	       "a tick begins while slots move: a flow silent for almost its timeout stays",
	       "the slot was settled a tick too early");
	close_world();
}

static void longer_timeout(uint64_t seed)
{
	uint32_t first;
	uint64_t hash;

	open_world(seed, 5, 251, 5);
	pass_s(30);
	hash = sim_random();
	set_health(backend_of(hash), SL_HEALTH_DOWN);
	deliver(hash, PKT_TCP_SYN);
	set_health(backend_of(hash), SL_HEALTH_UP);
	pass_s(15);
	svc->idle_s = 300;
	sim_agent_change(svc, svc->backend, svc->n);
	first = deliver(hash, PKT_TCP_SYN);
	set_weight(backend_of(hash), 0);
	sl_tap(deliver(hash, PKT_TCP_ACK) == first,
	       "a longer idle timeout wakes no forgotten memory",
	       "an entry that had expired under the shorter timeout was found");
	close_world();
}

static void one_look(uint64_t seed)
{
	uint32_t times, wrong = count_races(seed, SIM_ONE_LOOK, PKT_TCP_ACK, &times);
	char line[160];

	snprintf(line, sizeof(line),
		 "control: the slot not read again after the state: %u of %u packets misrouted",
		 wrong, times);
	sl_tap(wrong > 0, line, "the simulator does not see this fault");
}

/* ---- memory of who is gone ------------------------------------------------------ */

/*
 * A remembered flow's backend goes DOWN, its packets go to cur, its slot
 * settles; it begins anew there, and its first backend comes back. Nothing may
 * remember that one. Returns whether the flow stays.
 */
static bool forgets_down(uint64_t seed, enum sim_fault fault)
{
	uint64_t hash = seed * 0x9e3779b97f4a7c15ull;
	struct sim_backend *first, *second;
	bool stays;

	open_world(seed, 2, 251, 30);
	sim.fault = fault;
	first = backend_of(hash);
	second = &svc->backend[first == &svc->backend[0]];
	deliver(hash, PKT_TCP_SYN); /* T is up since the start */
	set_weight(first, 0);
	set_health(first, SL_HEALTH_DOWN);
	for (uint32_t i = 0; i < 120 && (word_of(hash) & SL_SLOT_T); i++) {
		deliver(hash, PKT_TCP_ACK);
		pass_s(1);
	}
	deliver(hash, PKT_TCP_SYN);
	set_health(first, SL_HEALTH_UP);
	first->weight = 100;
	set_weight(second, 0);
	stays = deliver(hash, PKT_TCP_ACK) == second->id;
	close_world();
	return stays;
}

static void memory_of_down(uint64_t seed)
{
	sl_tap(forgets_down(seed, SIM_OK), "a flow whose backend went DOWN begins anew elsewhere",
	       "the first backend was remembered");
	sl_tap(!forgets_down(seed, SIM_DOWN_KEPT),
	       "control: the entry of a DOWN owner kept: the flow is misrouted",
	       "the scene does not see this fault");
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
	one_look(seed);
}

void sim_scenes(uint64_t seed, bool is_kernel)
{
	if (!is_kernel)
		scenes_of_packets(seed);
	move_while_ticking(seed);
	settle_while_ticking(seed);
	sweep_while_ticking(seed);
	longer_timeout(seed);
	memory_of_down(seed);
}
