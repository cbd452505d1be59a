/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "lb_user/domain/health.h"

/* Feeds '+' (success) and '-' (failure); the answer has one letter a result: u, U, d, D. Capitals
 * changed. */
static const char *walk(struct sl_health_machine *m, const char *results)
{
	static char out[64];
	size_t i;

	for (i = 0; results[i] && i < sizeof(out) - 1; i++) {
		bool changed = sl_health_feed(m, results[i] == '+');

		cr_assert_neq(m->health, SL_HEALTH_UNKNOWN, "a result leaves nothing unknown");
		out[i] = m->health == SL_HEALTH_UP ? 'u' : 'd';
		if (changed)
			out[i] = (char)(out[i] - 'a' + 'A');
	}
	out[i] = 0;
	return out;
}

struct row {
	enum sl_health from;
	uint16_t rise, fall;
	const char *results, *want;
};

Test(health, tables)
{
	static const struct row rows[] = {
		{ SL_HEALTH_UNKNOWN, 3, 3, "+", "U" },
		{ SL_HEALTH_UNKNOWN, 3, 3, "-", "D" },
		{ SL_HEALTH_UNKNOWN, 3, 3, "+-+--+---", "UuuuuuuuD" },
		{ SL_HEALTH_UNKNOWN, 3, 3, "-+-++-+++", "DdddddddU" },
		{ SL_HEALTH_UNKNOWN, 2, 3, "+---++---", "UuuDdUuuD" },
		{ SL_HEALTH_UP, 2, 3, "---", "uuD" },
		{ SL_HEALTH_UP, 2, 3, "--+--+---", "uuuuuuuuD" },
		{ SL_HEALTH_DOWN, 2, 3, "++", "dU" },
		{ SL_HEALTH_DOWN, 2, 3, "+-+-++", "dddddU" },
		{ SL_HEALTH_UP, 1, 1, "-+-++--", "DUDUuDd" },
		{ SL_HEALTH_DOWN, 1, 1, "+-", "UD" },
		/* the first failure of an unknown one counts towards nothing later */
		{ SL_HEALTH_UNKNOWN, 1, 2, "-+-+--", "DUuuuD" },
		/* and the first success counts as a success in a row */
		{ SL_HEALTH_UNKNOWN, 5, 2, "+--++++", "UuDdddd" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sl_health_machine m;
		const char *got;

		sl_health_init(&m, rows[i].from, rows[i].rise, rows[i].fall);
		got = walk(&m, rows[i].results);
		cr_assert_str_eq(got, rows[i].want, "row %zu (%s): got %s, want %s", i,
				 rows[i].results, got, rows[i].want);
	}
}

Test(health, init_sets_all_of_it)
{
	struct sl_health_machine m;

	memset(&m, 0xff, sizeof(m));
	sl_health_init(&m, SL_HEALTH_DOWN, 4, 7);
	cr_assert_eq(m.health, SL_HEALTH_DOWN);
	cr_assert_eq(m.rise, 4);
	cr_assert_eq(m.fall, 7);
	cr_assert_eq(m.successes, 0);
	cr_assert_eq(m.failures, 0);
}

/* A threshold of 0 makes no sense; it must not turn a success into "down". */
Test(health, threshold_zero_is_one)
{
	struct sl_health_machine m;

	sl_health_init(&m, SL_HEALTH_UP, 0, 0);
	cr_assert_str_eq(walk(&m, "++-+-"), "uuDUD");
}

Test(health, counters_saturate)
{
	struct sl_health_machine m;
	uint32_t i, changes = 0;

	sl_health_init(&m, SL_HEALTH_UP, 65535, 65535);
	for (i = 1; i <= 70000; i++) {
		bool changed = sl_health_feed(&m, false);

		cr_assert_eq(changed, i == 65535, "failure %u", i);
		changes += changed;
	}
	cr_assert_eq(changes, 1);
	cr_assert_eq(m.failures, 65535);
	for (i = 1; i <= 70000; i++)
		cr_assert_eq(sl_health_feed(&m, true), i == 65535, "success %u", i);
	cr_assert_eq(m.successes, 65535);
	cr_assert_eq(m.failures, 0);
	cr_assert_eq(m.health, SL_HEALTH_UP);
}

Test(health, names)
{
	cr_assert_str_eq(sl_health_name(SL_HEALTH_UNKNOWN), "unknown");
	cr_assert_str_eq(sl_health_name(SL_HEALTH_UP), "up");
	cr_assert_str_eq(sl_health_name(SL_HEALTH_DOWN), "down");
	cr_assert_str_eq(sl_health_name((enum sl_health)9), "unknown");
}
