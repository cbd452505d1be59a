/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_events: what operators and probes do, drawn at random. Each event is small;
 * histories differ in how often each comes (sim.event_weight).
 */
#include <stdio.h>
#include <string.h>

#include "tests/kern_host/sim.h"

static struct sim_backend *some_backend(struct sim_service *s)
{
	if (!s->n)
		return NULL;
	if (sim.focus && sim_chance(75))
		for (uint32_t i = 0; i < s->n; i++)
			if (s->backend[i].id == sim.focus)
				return &s->backend[i];
	return &s->backend[sim_below(s->n)];
}

static uint16_t some_weight(void)
{
	switch (sim_below(8)) {
	case 0:
		return 0;
	case 1:
		return 1;
	case 2:
		return SL_WEIGHT_MAX;
	case 3:
	case 4:
		return (uint16_t)(1 + sim_below(SL_WEIGHT_MAX));
	default:
		return 100;
	}
}

static void append(struct sim_service *s, struct sim_backend *next, uint32_t *n)
{
	struct sim_backend *b;

	if (*n == SIM_BACKENDS_MAX)
		return;
	b = &next[(*n)++];
	memset(b, 0, sizeof(*b));
	snprintf(b->name, sizeof(b->name), "b%u", s->names++);
	b->weight = some_weight();
	b->health = sim_chance(60) ? SL_HEALTH_UP : SL_HEALTH_UNKNOWN;
}

static void weight(struct sim_service *s, bool several)
{
	struct sim_backend next[SIM_BACKENDS_MAX];
	uint32_t times = several ? 2 + sim_below(4) : 1;

	if (!s->n)
		return;
	memcpy(next, s->backend, sizeof(next));
	while (times--) {
		uint32_t at = (uint32_t)(some_backend(s) - s->backend);

		next[at].weight = some_weight();
	}
	sim_agent_change(s, next, s->n);
}

static void add(struct sim_service *s)
{
	struct sim_backend next[SIM_BACKENDS_MAX];
	uint32_t n = s->n, times = 1 + sim_below(3);

	memcpy(next, s->backend, sizeof(next));
	while (times--)
		append(s, next, &n);
	sim_agent_change(s, next, n);
}

static void take_out(struct sim_backend *next, uint32_t *n, uint32_t at)
{
	memmove(&next[at], &next[at + 1], (*n - at - 1) * sizeof(*next));
	(*n)--;
}

/* Drained ones, or anybody (forced); with others coming at the same time now and then. */
static void removal(struct sim_service *s, bool forced)
{
	struct sim_backend next[SIM_BACKENDS_MAX];
	uint32_t n = s->n;

	memcpy(next, s->backend, sizeof(next));
	for (uint32_t i = n; i-- > 0 && n > 1;)
		if (!forced && next[i].admin == SL_ADMIN_DRAIN && sim_chance(70))
			take_out(next, &n, i);
	if (forced && n > 1)
		take_out(next, &n, (uint32_t)(some_backend(s) - s->backend));
	if (forced && n > 1 && sim_chance(30))
		take_out(next, &n, sim_below(n));
	if (sim_chance(40))
		append(s, next, &n);
	if (sim_chance(20)) {
		uint32_t at = sim_below(n);

		next[at].weight = some_weight();
	}
	sim_agent_change(s, next, n);
}

static void health(struct sim_service *s, struct sim_backend *b)
{
	b->health = b->health == SL_HEALTH_UP ? SL_HEALTH_DOWN : SL_HEALTH_UP;
	sim_agent_publish(s, b);
}

static void admin(struct sim_service *s, enum sl_admin to)
{
	struct sim_backend next[SIM_BACKENDS_MAX];
	struct sim_backend *b = some_backend(s);

	if (!b)
		return;
	memcpy(next, s->backend, sizeof(next));
	next[b - s->backend].admin = b->admin == to ? SL_ADMIN_READY : to;
	sim_agent_change(s, next, s->n);
}

static void everybody(struct sim_service *s, uint32_t percent, enum sl_health to)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (sim_chance(percent)) {
			s->backend[i].health = to;
			sim_agent_publish(s, &s->backend[i]);
		}
}

/* Longer than ages can tell; often nobody says a word for most of it, and tuples are used again. */
static void long_outage(void)
{
	uint64_t ticks = 150 + sim_below(400);

	sim.dead_until = platform_jiffies + (ticks << sl_tick_shift);
	sim_note("the agent dies, for %llu ticks", (unsigned long long)ticks);
	if (sim_chance(70))
		sim_flows_silence((ticks << sl_tick_shift) * (60 + sim_below(40)) / 100);
}

static void outage(void)
{
	if (sim.modes & SIM_AWAY)
		return long_outage();
	/* the clock of flow memory wraps: an agent that is away for longer cannot sweep in time */
	uint32_t most = 255, idle;

	for (uint32_t i = 0; i < SIM_SERVICES; i++) {
		idle = sim_idle_ticks(sim.service[i].idle_s);
		if (255 - idle < most)
			most = 255 - idle;
	}
	most = most > 40 ? 40 : most;
	if (most < 12)
		return;
	sim.dead_until = platform_jiffies + ((uint64_t)sim_below(most - 10) << sl_tick_shift);
	sim_note("the agent dies");
}

/* Another idle timeout. What was promised to a flow is the shortest of late. */
static void retime(struct sim_service *s)
{
	uint64_t was = s->idle_jiffies, longest = SL_IDLE_TIMEOUT_MAX_S * sim.hz;

	if (platform_jiffies - s->idle_changed > longest)
		s->idle_low = was;
	s->idle_s = sim_some_idle_s();
	s->idle_jiffies = (uint64_t)s->idle_s * sim.hz;
	if (s->idle_jiffies < s->idle_low)
		s->idle_low = s->idle_jiffies;
	if (was < s->idle_low)
		s->idle_low = was;
	s->idle_changed = platform_jiffies;
	sim_note("service %u: idle timeout %u s", s->id, s->idle_s);
	sim_agent_change(s, s->backend, s->n);
}

/* A backend's whole life in one breath. */
static void churn(struct sim_service *s)
{
	struct sim_backend *b = some_backend(s);

	for (uint32_t i = 0; b && i < 2 + sim_below(4); i++) {
		health(s, b);
		if (sim_chance(50))
			sim_flows_any(20);
	}
}

void sim_first_backends(struct sim_service *s)
{
	uint32_t n = sim_chance(30) ? 2 + sim_below(4) : 2 + sim_below(39);
	bool equal = sim_chance(40);

	s->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		append(s, s->backend, &s->n);
		s->backend[i].health = SL_HEALTH_UP;
		if (equal)
			s->backend[i].weight = 100;
	}
}

static void run(struct sim_service *s, uint32_t what)
{
	struct sim_backend *b = some_backend(s);

	switch (what) {
	case 0:
	case 1:
		return weight(s, what == 1);
	case 2:
		return add(s);
	case 3:
	case 4:
		return removal(s, what == 4);
	case 5:
	case 6:
		return b ? health(s, b) : add(s);
	case 7:
	case 8:
		return admin(s, SL_ADMIN_DRAIN);
	case 9:
		return admin(s, SL_ADMIN_MAINT);
	case 10:
		return everybody(s, 50 + sim_below(51), SL_HEALTH_DOWN);
	case 11:
		return everybody(s, 100, SL_HEALTH_UP);
	case 12:
		return churn(s);
	case 13:
		return outage();
	case 14:
		return retime(s);
	case 15:
		return sim_flows_silence(sim_jiffies(s->idle_s * (0.5 + sim_below(40) / 10.0)));
	}
}

void sim_event(void)
{
	struct sim_service *s = &sim.service[sim_below(SIM_SERVICES)];
	uint32_t sum = 0, at, i;

	if (sim.focus)
		for (i = 0; i < SIM_SERVICES; i++)
			if (sim.owner[sim.focus] == i + 1)
				s = &sim.service[i];
	for (i = 0; i < SIM_EVENTS; i++)
		sum += sim.event_weight[i];
	at = sim_below(sum);
	for (i = 0; at >= sim.event_weight[i]; i++)
		at -= sim.event_weight[i];
	sim.in_event = true;
	run(s, i);
	sim.in_event = false;
}
