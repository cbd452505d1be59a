/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "lb_user/base/clock.h"

Test(clock, known_instants)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1000, "1969-12-31T23:59:59.000Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 1795448908123, "2026-11-23T15:48:28.123Z" },
		{ 4102444799999, "2099-12-31T23:59:59.999Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
		{ -62167219200000, "0000-01-01T00:00:00.000Z" },
	};
	char buf[SL_CLOCK_STRLEN];
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_str_eq(sl_clock_format(rows[i].ms, buf), rows[i].text);
		cr_assert_eq(sl_clock_parse(rows[i].text, &ms), 0, "%s", rows[i].text);
		cr_assert_eq(ms, rows[i].ms, "%s: %lld", rows[i].text, (long long)ms);
	}
}

Test(clock, what_four_digit_years_cannot_say_is_clamped)
{
	char buf[SL_CLOCK_STRLEN];

	cr_assert_str_eq(sl_clock_format(INT64_MAX, buf), "9999-12-31T23:59:59.999Z");
	cr_assert_str_eq(sl_clock_format(INT64_MIN, buf), "0000-01-01T00:00:00.000Z");
}

Test(clock, fractions)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "1970-01-01T00:00:02Z", 2000 },	    { "1970-01-01T00:00:02.5Z", 2500 },
		{ "1970-01-01T00:00:02.05Z", 2050 },	    { "1970-01-01T00:00:02.9999Z", 2999 },
		{ "1970-01-01T00:00:02.000999999Z", 2000 },
	};
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(sl_clock_parse(rows[i].text, &ms), 0, "%s", rows[i].text);
		cr_assert_eq(ms, rows[i].ms, "%s: %lld", rows[i].text, (long long)ms);
	}
}

Test(clock, refused)
{
	static const char *const rows[] = {
		"",
		"2026",
		"2026-11-23",
		"2026-11-23T15:48:28",
		"2026-11-23T15:48:28.Z",
		"2026-11-23T15:48:28.123",
		"2026-11-23 15:48:28Z",
		"2026-11-23T15:48:28z",
		"2026-11-23T15:48:28+00:00",
		"2026-11-23T15:48:28ZZ",
		"2026-11-23T15:48:28Z ",
		" 2026-11-23T15:48:28Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-01-32T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2025-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z",
		"2026-1-01T00:00:00Z",
		"+026-01-01T00:00:00Z",
		"2026-01-01T00:00:00.-1Z",
		"2026-01-01T-1:00:00Z",
	};
	int64_t ms = 42;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(sl_clock_parse(rows[i], &ms), -EINVAL, "\"%s\"", rows[i]);
		cr_assert_eq(ms, 42);
	}
	cr_assert_eq(sl_clock_parse(NULL, &ms), -EINVAL);
}

Test(clock, time_zone_of_the_process_does_not_matter)
{
	char buf[SL_CLOCK_STRLEN];
	int64_t ms = 0;

	cr_assert_eq(setenv("TZ", "UTC+9", 1), 0);
	tzset();
	cr_assert_str_eq(sl_clock_format(0, buf), "1970-01-01T00:00:00.000Z");
	cr_assert_eq(sl_clock_parse("1970-01-02T00:00:00Z", &ms), 0);
	cr_assert_eq(ms, 86400000);
}

Test(clock, every_instant_comes_back)
{
	uint64_t x = 88172645463325252ull;
	char buf[SL_CLOCK_STRLEN];
	int64_t ms, back;
	int i;

	for (i = 0; i < 50000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		ms = (int64_t)(x % 315569520000000ull) - 62167219200000;
		if (ms > 253402300799999)
			continue;
		back = ms + 1;
		cr_assert_eq(sl_clock_parse(sl_clock_format(ms, buf), &back), 0, "%s", buf);
		cr_assert_eq(back, ms, "%s", buf);
	}
}

Test(clock, they_run)
{
	int64_t a = sl_clock_ms(), b = sl_clock_ms(), wall = sl_clock_wall_ms();

	cr_assert(a > 0);
	cr_assert(b >= a && b < a + 10000);
	cr_assert(llabs(wall / 1000 - (int64_t)time(NULL)) <= 2);
}
