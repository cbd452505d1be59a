/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_slots: the slot rules, packet by packet. After each packet all of
 * memory is compared: what the rule says was written, and nothing else was.
 * test_memory.c has what needs many flows or a full set.
 */
#include <stdio.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/prog/slot_rows.h"
#include "tests/prog/tap.h"

#define FLOW 12345u /* any */

static struct sl_rig rig;
static struct sl_pool pool;
static char why[200];

/* The set may differ from the mark in this flow's entry alone. */
static bool set_as_wanted(uint64_t hash, uint64_t want)
{
	uint32_t s = sl_hash_exc_set(hash, SL_EXC_SETS);
	struct sl_exc_set *is = &rig.mem->exceptions[s], *was = &sl_rig_marked(&rig)->exceptions[s];
	uint64_t *entry = sl_pool_entry(&pool, hash), has = entry ? *entry : 0;

	if (has != want) {
		snprintf(why, sizeof(why), "the flow's entry is %#llx, should be %#llx",
			 (unsigned long long)has, (unsigned long long)want);
		return false;
	}
	for (unsigned i = 0; i < SL_EXC_WAYS; i++) {
		bool own = (was->entry[i] & SL_EXC_TAG_MASK) == sl_hash_exc_tag(hash);
		uint64_t *place = (uint64_t *)&is->entry[i];

		if (place != entry && *place != (own ? 0 : was->entry[i])) {
			snprintf(why, sizeof(why), "entry %u of the set is %#llx", i,
				 (unsigned long long)*place);
			return false;
		}
	}
	*was = *is;
	return true;
}

/* Compares all that the packet left with what the row says. */
static const char *after(const struct sl_slot_row *row, uint64_t hash, uint16_t probe)
{
	struct sl_pool_sent sent = sl_pool_send(&pool);
	uint16_t to = row->to == SL_ROW_PROBE ? probe : row->to;
	uint16_t owner = row->then.backend == SL_ROW_PROBE ? probe : row->then.backend;
	struct sl_rig_want want = {
		.reason = row->reason ? row->reason : SL_R_SENT,
		.service = pool.service,
		.backend = to,
		.exc = row->exc,
	};

	if (to)
		want.sent = (struct sl_cnt){ .packets = 1,
					     .bytes = pool.packet.len,
					     .flows = row->flows };
	else
		want.sent.dropped = 1;
	if (sent.reason != want.reason || sent.backend != to) {
		snprintf(why, sizeof(why), "%s to %u, should be %s to %u",
			 sl_rig_label(sent.reason), sent.backend, sl_rig_label(want.reason), to);
		return why;
	}
	if (!set_as_wanted(hash, owner ? SL_EXC(sl_hash_exc_tag(hash), owner, row->then.confirmed,
						pool.tick - row->then.ago)
				       : 0))
		return why;
	if (row->seen)
		sl_rig_marked(&rig)->seen[sl_rig_slot(&rig, pool.service, hash)] =
			(uint16_t)pool.tick;
	return sl_rig_counted(&rig, &want) ?: sl_rig_untouched(&rig);
}

static const char *try_rules(const struct sl_slot_row *row, bool is_v6)
{
	uint64_t hash;
	uint16_t probe;

	sl_pool_reset(&pool, row->kind, is_v6);
	hash = sl_pool_flow(&pool, FLOW);
	sl_pool_flags(&pool, row->flags);
	sl_slot_arrange(&pool, row, hash);
	probe = sl_pool_probe(&pool, hash);
	sl_rig_mark(&rig);
	return after(row, hash, probe);
}

static void rules(const struct sl_slot_row *row, bool is_v6)
{
	const char *wrong;
	char name[120];
	int tries = SL_POOL_TRIES;

	do
		wrong = try_rules(row, is_v6);
	while (wrong && !sl_pool_steady(&pool) && --tries);
	snprintf(name, sizeof(name), "ipv%d %s", is_v6 ? 6 : 4, row->name);
	sl_tap(!wrong, name, "%s", wrong);
}

/* ---- cells of a drain ----------------------------------------------------------------- */

struct drain_step {
	uint8_t flags;
	uint16_t cell; /* after the packet; the tick is added when it is valid */
};

struct drain_row {
	const char *name;
	uint8_t state, track;
	struct drain_step step[4]; /* ends with flags 0 */
};

static const struct drain_row drain_rows[] = {
	{ "a packet marks the flow", SL_DP_DRAINING, 3, { { SL_TCP_ACK, SL_DRAIN_VALID } } },
	{ "the last track",
	  SL_DP_DRAINING,
	  SL_DRAIN_TRACKS - 1,
	  { { SL_TCP_ACK, SL_DRAIN_VALID } } },
	{ "a fin makes it closing, what follows keeps it so",
	  SL_DP_DRAINING,
	  3,
	  { { SL_TCP_ACK, SL_DRAIN_VALID },
	    { SL_TCP_FIN | SL_TCP_ACK, SL_DRAIN_VALID | SL_DRAIN_CLOSING },
	    { SL_TCP_ACK, SL_DRAIN_VALID | SL_DRAIN_CLOSING } } },
	{ "a rst ends it",
	  SL_DP_DRAINING,
	  3,
	  { { SL_TCP_ACK, SL_DRAIN_VALID }, { SL_TCP_RST, 0 } } },
	{ "a rst ends one that is closing",
	  SL_DP_DRAINING,
	  3,
	  { { SL_TCP_FIN, SL_DRAIN_VALID | SL_DRAIN_CLOSING }, { SL_TCP_RST | SL_TCP_ACK, 0 } } },
	{ "without a track nothing is marked", SL_DP_DRAINING, 0, { { SL_TCP_ACK, 0 } } },
	{ "a backend that is up marks nothing", SL_DP_UP, 3, { { SL_TCP_ACK, 0 } } },
};

static const char *try_drain_cells(const struct drain_row *row, bool is_v6)
{
	const char *wrong = NULL;
	uint16_t *cell, *want;
	uint64_t hash;

	sl_pool_reset(&pool, SL_POOL_TCP, is_v6);
	hash = sl_pool_flow(&pool, FLOW);
	*sl_pool_slot(&pool, hash) = SL_SLOT(SL_POOL_B, false, SL_POOL_B);
	sl_pool_state(&pool, SL_POOL_B, row->state);
	rig.mem->backends[SL_POOL_B].drain_track = row->track;
	sl_rig_mark(&rig);
	cell = &rig.mem->drains[row->track * SL_DRAIN_CELLS + (hash >> 24) % SL_DRAIN_CELLS];
	want = &sl_rig_marked(&rig)->drains[cell - rig.mem->drains];
	for (unsigned i = 0; i < 4 && row->step[i].flags && !wrong; i++) {
		sl_pool_flags(&pool, row->step[i].flags);
		if (sl_pool_send(&pool).backend != SL_POOL_B)
			wrong = "the packet went elsewhere";
		*want = row->step[i].cell;
		if (*want & SL_DRAIN_VALID)
			*want |= pool.drain_tick;
		if (!wrong)
			wrong = sl_rig_untouched(&rig);
	}
	return wrong;
}

static void drain_cells(const struct drain_row *row, bool is_v6)
{
	const char *wrong;
	char name[120];
	int tries = SL_POOL_TRIES;

	do
		wrong = try_drain_cells(row, is_v6);
	while (wrong && !sl_pool_steady(&pool) && --tries);
	snprintf(name, sizeof(name), "ipv%d drain: %s", is_v6 ? 6 : 4, row->name);
	sl_tap(!wrong, name, "%s", wrong);
}

int main(void)
{
	sl_rig_open(&rig);
	sl_pool_open(&pool, &rig);
	for (size_t i = 0; i < 2 * sl_slot_n_rows; i++)
		rules(&sl_slot_rows[i / 2], i & 1);
	for (size_t i = 0; i < 2 * sizeof(drain_rows) / sizeof(drain_rows[0]); i++)
		drain_cells(&drain_rows[i / 2], i & 1);
	sl_rig_close(&rig);
	return sl_tap_done();
}
