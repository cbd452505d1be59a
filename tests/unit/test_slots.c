/* SPDX-License-Identifier: BSD-2-Clause */
/* Each rule of DESIGN section 5 by itself; histories of them are in tests/kern_host. */
#include <criterion/criterion.h>
#include <string.h>

#include "lb_user/domain/slots.h"

#include <sluice/types.h>

enum { A = 1, B = 2, C = 3, NOW = 500 };

static uint32_t word;
static uint16_t seen;

static struct sl_slots one(uint32_t w)
{
	word = w;
	seen = 7;
	return (struct sl_slots){ &word, &seen, 1 };
}

Test(slots, a_settled_slot_that_changes_owner_goes_into_transition)
{
	struct sl_slots s = one(SL_SLOT(A, false, A));
	uint16_t to = B;

	cr_assert_eq(sl_slots_retarget(&s, &to, NOW), 1);
	cr_assert_eq(word, SL_SLOT(B, true, A));
	cr_assert_eq(seen, NOW);
	cr_assert_eq(sl_slots_retarget(&s, &to, NOW + 1), 0, "nothing is left to do");
	cr_assert_eq(seen, NOW);
}

Test(slots, in_transition_only_the_owner_changes)
{
	struct sl_slots s = one(SL_SLOT(B, true, A));
	uint16_t to = C;

	sl_slots_retarget(&s, &to, NOW);
	cr_assert_eq(word, SL_SLOT(C, true, A));
	cr_assert_eq(seen, NOW);
}

Test(slots, a_return_raises_t_on_settled_slots_of_its_own)
{
	struct sl_slots s = one(SL_SLOT(A, false, C));

	sl_slots_raise(&s, A, NOW);
	cr_assert_eq(word, SL_SLOT(A, true, A));
	cr_assert_eq(seen, NOW);

	s = one(SL_SLOT(A, true, C));
	sl_slots_raise(&s, A, NOW);
	cr_assert_eq(word, SL_SLOT(A, true, C), "a transition that runs keeps its old owner");
	cr_assert_eq(seen, NOW, "and lasts: a SYN may be about to be remembered elsewhere");

	s = one(SL_SLOT(B, false, B));
	sl_slots_raise(&s, A, NOW);
	cr_assert_eq(word, SL_SLOT(B, false, B));
}

Test(slots, a_removed_owner_is_named_nowhere)
{
	static const struct {
		uint32_t was, is;
	} rows[] = {
		{ SL_SLOT(A, false, A), SL_SLOT(C, true, C) },
		{ SL_SLOT(A, true, A), SL_SLOT(C, true, C) },
		{ SL_SLOT(A, true, B), SL_SLOT(C, true, B) },
		{ SL_SLOT(C, true, A), SL_SLOT(C, true, C) },
		{ SL_SLOT(C, false, A), SL_SLOT(C, false, C) },
		{ SL_SLOT(C, true, B), SL_SLOT(C, true, B) },
	};
	uint16_t to = C;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sl_slots s = one(rows[i].was);

		sl_slots_remove(&s, A, &to, NOW);
		cr_assert_eq(word, rows[i].is, "row %zu: %08x", i, word);
		cr_assert_eq(seen, SL_SLOT_CUR(rows[i].was) == A ? NOW : 7, "row %zu", i);
	}
}

Test(slots, a_slot_settles_when_nobody_was_seen_for_longer_than_idle)
{
	struct sl_slots s = one(SL_SLOT(B, true, A));

	seen = NOW;
	cr_assert_eq(sl_slots_settle(&s, NOW + 13, 10), 1);
	cr_assert_eq(word, SL_SLOT(B, true, A));
	cr_assert_eq(sl_slots_settle(&s, NOW + 14, 10), 0);
	cr_assert_eq(word, SL_SLOT(B, false, B));

	s = one(SL_SLOT(B, true, A));
	seen = 65530; /* the clock wraps */
	cr_assert_eq(sl_slots_settle(&s, 7, 10), 1);
	cr_assert_eq(sl_slots_settle(&s, 8, 10), 0);
}

Test(slots, a_packet_that_saw_the_clock_turn_first_is_not_long_ago)
{
	struct sl_slots s = one(SL_SLOT(2, true, 1));

	seen = 1001;
	cr_assert_eq(sl_slots_settle(&s, 1000, 73), 1);
	cr_assert_eq(word, SL_SLOT(2, true, 1));
	seen = 3;
	cr_assert_eq(sl_slots_settle(&s, 65535, 73), 1);
	cr_assert_eq(sl_slots_settle(&s, 3 + 77, 73), 0);
}

Test(slots, due_tells_without_a_store_and_hold_begins_anew)
{
	uint32_t table[4] = { SL_SLOT(1, true, 2), SL_SLOT(1, false, 1), SL_SLOT(2, true, 2),
			      SL_SLOT(3, true, 1) };
	uint32_t before[4];
	uint16_t last[4] = { 100, 0, 105, 65535 };
	struct sl_slots t = { table, last, 4 };
	bool due = false;

	memcpy(before, table, sizeof(table));
	cr_assert_eq(sl_slots_due(&t, 110, 200, &due), 3);
	cr_assert_not(due);
	cr_assert_eq(sl_slots_due(&t, 113, 110, &due), 3);
	cr_assert(due, "the last one is silent for 114 ticks");
	sl_slots_hold(&t, 114);
	cr_assert(last[0] == 114 && last[1] == 0 && last[2] == 114 && last[3] == 114);
	due = false;
	cr_assert_eq(sl_slots_due(&t, 114 + 113, 110, &due), 3);
	cr_assert_not(due);
	cr_assert_eq(sl_slots_settle(&t, 114 + 113, 110), 3);
	cr_assert_arr_eq(table, before, sizeof(table));
	cr_assert_eq(sl_slots_settle(&t, 114 + 114, 110), 0);
}
