/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_stores: what happens between two accesses of the agent: packets, most of
 * them on the slot that is being changed, and time.
 */
#include "tests/kern_host/sim_stores.h"

#include "tests/kern_host/sim.h"

uint32_t sim_stores_left;

static uint32_t period; /* of this step: accesses between interruptions, on average half of it */
static uint32_t left;	/* interruptions of this step */

static bool is_within(const volatile void *at, const void *base, size_t bytes)
{
	return (uintptr_t)at - (uintptr_t)base < bytes;
}

static void pass_time(void)
{
	uint64_t n = sim_chance(10) ? 1 + sim_below(4) : 0;

	if (!(sim.modes & SIM_CLOCK) || n > sim.step_budget)
		return;
	sim.step_budget -= n;
	platform_jiffies += n;
}

static void run_packets(struct sim_service *s, uint32_t slot)
{
	sim.nested++;
	sim.stats.between++;
	pass_time();
	if (s && sim_chance(70))
		sim_flows_of_slot(s, slot);
	else
		sim_flows_any(1 + sim_below(4));
	sim.nested--;
}

void sim_stores_interrupt(const volatile void *at)
{
	struct sim_service *s = NULL;
	uint32_t slot = 0;

	if (sim.on_store)
		return sim.on_store();
	for (uint32_t i = 0; i < SIM_SERVICES && !s; i++) {
		const struct sl_slots *t = &sim.service[i].slots;

		s = &sim.service[i];
		if (is_within(at, t->word, t->count * sizeof(*t->word)))
			slot = (uint32_t)((const volatile uint32_t *)at - t->word);
		else if (is_within(at, t->seen, t->count * sizeof(*t->seen)))
			slot = (uint32_t)((const volatile uint16_t *)at - t->seen);
		else
			s = NULL;
	}
	run_packets(s, slot);
	/* flow memory is scanned as a whole: a million entries */
	sim_stores_left = --left ? 1 + sim_below(s ? period : 300000) : 0;
}

/* The last of this tick, so that the next begins while a step is going on. */
void sim_last_jiffy(void)
{
	if (sim.modes & SIM_CLOCK)
		platform_jiffies |= (1ull << sl_tick_shift) - 1;
}

void sim_step_begin(void)
{
	static const uint32_t periods[] = { 3, 30, 300, 3000 };

	if (!(sim.modes & SIM_BETWEEN) || sim.nested)
		return;
	period = periods[sim_below(4)];
	left = 1 + sim_below(40);
	sim_stores_left = 1 + sim_below(period);
	if (sim.in_packet) /* its few jiffies are for all steps of the event */
		return;
	sim.step_budget = sim.hz / 10;
	if (sim_chance(25))
		sim_last_jiffy();
}

void sim_step_end(void)
{
	sim_stores_left = 0;
}

void sim_pause(void)
{
	if (sim_stores_left && sim_chance(50))
		run_packets(NULL, 0);
}
