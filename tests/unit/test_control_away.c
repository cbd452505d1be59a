/* SPDX-License-Identifier: BSD-2-Clause */
/* An agent comes back, after a while and after longer than ages of flow memory can tell. */
#include "tests/unit/control_rig.h"

TestSuite(control_away, .init = start, .fini = stop, .timeout = 60);

static uint64_t away_ticks;

static void leave(void)
{
	const struct sl_service_rec *rec = &fake->dp.mem.services[1];
	uint16_t now = (uint16_t)(fake->jiffies >> 10);

	fake->dp.mem.info->swept_jiffies = fake->jiffies;
	for (uint32_t i = 0; i < SLOTS; i++) {
		fake->dp.mem.slots[rec->slot_base + i] |= SL_SLOT_T;
		fake->dp.mem.seen[rec->slot_base + i] = now;
	}
	fake->jiffies += away_ticks << 10;
}

static uint32_t in_transition(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SLOTS; i++)
		n += (table()[i] & SL_SLOT_T) != 0;
	return n;
}

static void come_back(uint64_t ticks)
{
	declare(SL_FORWARD_L2DSR, "10.1.0.2");
	UNTIL(REC->state == SL_DP_UP, 3000);
	away_ticks = ticks;
	agent_restart(leave);
	UNTIL(control->next_settle_ms && control->next_sweep_ms, 3000);
}

/* 300 s are 74 ticks. */
Test(control_away, after_a_while_what_is_due_settles)
{
	come_back(100);
	cr_assert_eq(in_transition(), 0);
}

Test(control_away, after_too_long_nothing_settles_before_an_idle_timeout)
{
	uint16_t now;

	come_back(300);
	cr_assert_eq(in_transition(), SLOTS);
	now = (uint16_t)(fake->jiffies >> 10);
	for (uint32_t i = 0; i < SLOTS; i++)
		cr_assert_eq(fake->dp.mem.seen[control->service[0]->slot_base + i], now + 1);
	cr_assert_eq(fake->dp.mem.info->swept_jiffies, fake->jiffies);
	fake->jiffies += (74 + 4) << 10; /* seen is a tick ahead, and three are slack */
	turns(1);
	control->next_settle_ms = 0;
	UNTIL(control->next_settle_ms, 1000);
	cr_assert_eq(in_transition(), SLOTS);
	fake->jiffies += 1 << 10;
	control->next_settle_ms = 0;
	UNTIL(control->next_settle_ms, 1000);
	cr_assert_eq(in_transition(), 0);
}
