/* SPDX-License-Identifier: BSD-2-Clause */
/* sim_history: one random life of two services, all of it from one seed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/kern_host/sim.h"

static void count_exc(struct sl_exc_cnt *to, const struct sl_exc_cnt *from)
{
	to->lookups += from->lookups;
	to->hits += from->hits;
	to->inserts += from->inserts;
	to->evicted_expired += from->evicted_expired;
	to->evicted_unconfirmed += from->evicted_unconfirmed;
	to->failed += from->failed;
	to->rescheduled += from->rescheduled;
}

void sim_stats_add(struct sim_stats *to, const struct sim_stats *from)
{
	to->packets += from->packets;
	to->new_flows += from->new_flows;
	to->reused += from->reused;
	to->checked += from->checked;
	to->between += from->between;
	to->mid += from->mid;
	to->changes += from->changes;
	to->tables += from->tables;
	to->restarts += from->restarts;
	to->quoted += from->quoted;
	to->quoted_wrote += from->quoted_wrote;
	to->quiet += from->quiet;
	to->misrouted += from->misrouted;
	to->foreign += from->foreign;
	to->undrained += from->undrained;
	to->refused += from->refused;
	to->quiet_touched += from->quiet_touched;
	to->held += from->held;
	to->disagreed += from->disagreed;
	to->unspread += from->unspread;
	to->not_neutral += from->not_neutral;
	count_exc(&to->exc, &from->exc);
}

/* As sl_dp_clock_shift() would choose it. */
static void set_clock(void)
{
	static const uint32_t hz[] = { 100, 250, 250, 300, 1000 };
	uint64_t jiffy_ns, tick;

	do {
		sim.hz = hz[sim_below(5)];
		jiffy_ns = 1000000000ull / sim.hz;
		sl_tick_shift = 2;
		while (jiffy_ns << sl_tick_shift < 3750000000ull)
			sl_tick_shift++;
	} while (sim_tick_shift_only && sl_tick_shift != sim_tick_shift_only);
	sim.tick_ms = (uint32_t)((jiffy_ns << sl_tick_shift) / 1000000);
	/* anywhere, also just before the 16-bit clock of slots wraps */
	tick = sim_chance(30) ? 65536 - sim_below(200) : 1 + sim_random() % (1 << 24);
	platform_jiffies = tick << sl_tick_shift;
}

uint32_t sim_some_idle_s(void)
{
	static const uint32_t idle_s[] = { 5, 5, 7, 12, 20, 30, 60, 120, 300, 900 };
	uint32_t s = idle_s[sim_below(10)];

	/* where it shows itself */
	if (sim.fault == SIM_NO_SWEEP)
		s = 900;
	return s;
}

static void set_service(uint32_t i, uint32_t *base)
{
	static const uint32_t sizes[] = { 251, 251, 509, 1021, 2039, 4093, 16381 };
	struct sim_service *s = &sim.service[i];
	uint32_t size = sizes[sim_below(sim_chance(90) ? 6 : 7)];

	s->id = (uint16_t)(1 + i + (sim_chance(20) ? SL_SERVICES_MAX - 4 : 0));
	s->kind = i == 0 || sim_chance(40) ? SIM_TCP : sim_chance(70) ? SIM_UDP_FLOW : SIM_UDP_NONE;
	s->down_drop = sim_chance(20);
	s->idle_s = sim_some_idle_s();
	s->idle_jiffies = s->idle_low = (uint64_t)s->idle_s * sim.hz;
	s->slots = (struct sl_slots){ sl_slots + *base, sl_seen + *base, size };
	s->owners = calloc(size, sizeof(*s->owners));
	s->seen_copy = calloc(size, sizeof(*s->seen_copy));
	if (!s->owners || !s->seen_copy)
		abort();
	sl_services[s->id].slot_base = *base;
	sl_services[s->id].salt = sim_random();
	*base += (size + 63) / 64 * 64;
	sim_first_backends(s);
}

/* How long @packets take: a flow's are about 0.35 idle timeouts apart. */
static uint64_t duration(double packets)
{
	double rate = 0;

	for (uint32_t i = 0; i < SIM_SERVICES; i++)
		rate += sim.n_flows / (double)SIM_SERVICES / (0.6 + 0.35 * sim.service[i].idle_s);
	return 1 + sim_jiffies(packets / rate);
}

static void set_up(uint32_t modes)
{
	uint32_t base = sim_chance(20) ? SL_SLOTS_TOTAL - 2 * 16384 : 64 * sim_below(1000);
	uint32_t first_id = sim_chance(20) ? SL_BACKENDS_MAX - 2000 : 1;

	set_clock();
	if (sl_idpool_new(SL_BACKENDS_MAX, &sim.ids) < 0)
		abort();
	for (uint32_t id = 1; id < first_id; id++)
		(void)sl_idpool_claim(sim.ids, id); /* nobody has it yet */
	for (uint32_t i = 0; i < SIM_SERVICES; i++) {
		set_service(i, &base);
		sim_agent_start(&sim.service[i]);
	}
	sim_flows_init(modes & SIM_AWAY ? 100 + sim_below(400) : 300 + sim_below(2700));
	sim.end_permille = 10 + sim_below(200);
	sim.again_percent = sim_chance(30) ? 5 : 60;
	/* some kinds of event are rare or absent in this history */
	for (uint32_t i = 0; i < 13; i++)
		sim.event_weight[i] = sim_chance(40) ? 0 : 1 + sim_below(20);
	sim.event_weight[5] += 1;
	sim.event_weight[13] = sim_chance(30);
	sim.event_weight[14] = sim_chance(30);
	sim.event_weight[15] = sim_chance(30);
	sim.event_packets = 60 << sim_below(7);
	sim.event_packets += sim_below(sim.event_packets);
	if (modes & SIM_AWAY) {
		sim.event_weight[13] = 10;
		sim.event_weight[15] = 0;
		sim.event_packets = 60 + sim_below(400);
	}
	sim.next_settle = sim.next_sweep = sim.swept = platform_jiffies;
	sim.next_event = platform_jiffies + duration(sim.event_packets);
}

static void clean_up(void)
{
	sim_flows_done();
	sl_idpool_free(sim.ids);
	for (uint32_t i = 0; i < SIM_SERVICES; i++) {
		struct sim_service *s = &sim.service[i];

		memset(s->slots.word, 0, s->slots.count * sizeof(*s->slots.word));
		memset(s->slots.seen, 0, s->slots.count * sizeof(*s->slots.seen));
		free(s->owners);
		free(s->seen_copy);
	}
}

/* Now and then two in a row; a few while everybody is silent. */
static uint64_t until_event(void)
{
	uint64_t n = sim_chance(15) ? 1 : sim_random() % duration(2 * sim.event_packets);
	uint64_t flow = sim_flows_next();

	if (flow > platform_jiffies + 10 * sim.hz)
		n += (flow - platform_jiffies) / 4;
	return n;
}

/* What is due of the agent. Away, it does nothing; back, it finds all as it was. */
static void agent_turn(void)
{
	if (sim.dead_until) {
		if (platform_jiffies < sim.dead_until)
			return;
		sim.dead_until = 0;
		sim_agent_restart();
		sim.next_settle = sim.next_sweep = platform_jiffies;
	}
	if (sim.n_resting)
		sim_agent_wake();
	if (platform_jiffies >= sim.next_settle) {
		sim_agent_settle();
		sim.next_settle = platform_jiffies + sim.hz;
	}
	if (platform_jiffies >= sim.next_sweep) {
		sim_agent_sweep();
		/* where an expired entry is to be found, it must be there for a while */
		sim.next_sweep =
			platform_jiffies + (sim.fault == SIM_EXPIRED_HONOURED ? 300 : 30) * sim.hz;
	}
	if (platform_jiffies >= sim.next_event) {
		if (sim.modes & SIM_MID && sim_chance(60))
			sim.mid_wanted = true;
		else
			sim_event();
		sim.next_event = platform_jiffies + until_event();
	}
}

static uint64_t agent_next(void)
{
	uint64_t at = sim.next_settle;

	if (sim.dead_until)
		return sim.dead_until;
	if (sim.next_sweep < at)
		at = sim.next_sweep;
	return sim.next_event < at ? sim.next_event : at;
}

bool sim_history(uint64_t seed, uint32_t modes, enum sim_fault fault, uint64_t packets)
{
	bool trace = sim.trace;
	uint32_t watch = sim.watch;

	memset(&sim, 0, sizeof(sim));
	sim.seed = seed;
	sim.random = seed;
	sim.fault = fault;
	sim.trace = trace;
	sim.watch = watch;
	sim_memory_clear();
	set_up(modes);
	sim.modes = modes;
	while (sim.stats.packets < packets) {
		uint64_t agent = agent_next(), flow = sim_flows_next();
		uint64_t next = agent <= flow ? agent : flow;

		if (next > platform_jiffies) /* what ran between stores may have moved the clock */
			platform_jiffies = next;
		if (agent <= flow)
			agent_turn();
		else
			sim_flows_turn();
	}
	clean_up();
	sim.stats.exc = *sl_cnt_exc;
	return sim_stats_good(&sim.stats);
}
