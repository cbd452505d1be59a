/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How few slots a change moves. The algorithm's authors report about 0.3 % moved
 * without need at 65,537 slots. With more backends there are more turns to get
 * out of step; a larger table helps.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/maglev.h"
#include "tests/unit/maglev_members.h"

/* ---- disruption ---------------------------------------------------------- */

/*
 * Takes member @i out of @n. Returns the slots that moved although the backend
 * that left never owned them; the other way round it is what an addition moves
 * between those that were there before.
 */
static uint32_t needless(uint32_t n, uint32_t i, uint32_t slots)
{
	uint16_t *a = fill(n, key0, slots), *b, gone = members[i].id;
	struct sl_maglev_member last = members[n - 1], out = members[i];
	uint32_t moved = 0;

	members[i] = last;
	b = fill(n - 1, key0, slots);
	members[i] = out;
	members[n - 1] = last;
	for (uint32_t s = 0; s < slots; s++)
		moved += a[s] != gone && a[s] != b[s];
	free(a);
	free(b);
	return moved;
}

static void check_removals(uint32_t n, uint32_t step, uint32_t slots, uint32_t mean_max,
			   uint32_t worst_max)
{
	uint32_t sum = 0, worst = 0, times = 0;

	for (uint32_t i = 0; i < n; i += step, times++) {
		uint32_t moved = needless(n, i, slots);

		sum += moved;
		if (moved > worst)
			worst = moved;
	}
	cr_assert_leq(sum / times, mean_max, "%u of %u slots moved on average", sum / times, slots);
	cr_assert_leq(worst, worst_max, "%u of %u slots moved", worst, slots);
}

Test(maglev, removal_of_one_of_equals_moves_few_others)
{
	members_plain(10, 100);
	check_removals(10, 1, 65537, 200, 250);
	check_removals(10, 1, 16381, 110, 140);
	members_plain(100, 100);
	check_removals(100, 7, 65537, 400, 450);
	check_removals(100, 7, 16381, 260, 300);
}

Test(maglev, removal_of_one_of_unequals_moves_few_others)
{
	random_state = 11;
	members_plain(10, 1);
	for (uint32_t i = 0; i < 10; i++)
		members[i].weight = (uint16_t)(1 + below(SL_WEIGHT_MAX));
	check_removals(10, 1, 65537, 200, 250);
	members_plain(100, 1);
	for (uint32_t i = 0; i < 100; i++)
		members[i].weight = (uint16_t)(1 + below(SL_WEIGHT_MAX));
	check_removals(100, 7, 65537, 400, 550);
}

/* What must move is what others gain or lose by their quotas. */
Test(maglev, a_change_of_weight_moves_its_share_and_little_more)
{
	static const uint16_t to[] = { 99, 90, 50, 110, 200 };

	members_plain(10, 100);
	for (uint32_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		uint16_t *a = fill(10, key0, 65537), *b;
		uint32_t moved, must = 0;
		static uint32_t before[SL_BACKENDS_MAX], after[SL_BACKENDS_MAX];

		members[4].weight = to[i];
		b = fill(10, key0, 65537);
		members[4].weight = 100;
		moved = differing(a, b, 65537);
		count_owners(a, 65537, before);
		count_owners(b, 65537, after);
		for (uint32_t id = 1; id <= 10; id++)
			must += after[id] > before[id] ? after[id] - before[id] : 0;
		cr_assert_leq(moved, must + 150, "weight 100 -> %u: %u moved, %u had to", to[i],
			      moved, must);
		cr_assert_geq(moved, must);
		free(a);
		free(b);
	}
}
