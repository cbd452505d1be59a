/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include <sluice/types.h>

#include "lb_user/domain/drain.h"

#define VALID	SL_DRAIN_VALID
#define CLOSING (SL_DRAIN_VALID | SL_DRAIN_CLOSING)

static uint64_t random_state;

static uint64_t random64(void) /* splitmix64 */
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* One cell last marked @age ticks before @now. Whether it counted; it must be cleared if not. */
static bool counts(uint16_t flags, uint32_t age, uint16_t now, uint32_t idle_ticks)
{
	uint16_t cells[64] = { 0 };
	uint16_t cell = (uint16_t)(flags | ((now - age) & SL_DRAIN_TICK_MASK));
	uint32_t n;

	cells[17] = cell;
	n = sl_drain_count(cells, 64, now, idle_ticks);
	cr_assert(n <= 1);
	cr_assert_eq(cells[17], n ? cell : 0,
		     "a cell that counts stays as it is, others are cleared");
	return n;
}

Test(drain, silence_ends_a_flow)
{
	static const uint16_t nows[] = { 0, 1, 50, 99, 100, 101, 8191, 8192, 16382, 16383 };
	unsigned i;

	for (i = 0; i < sizeof(nows) / sizeof(nows[0]); i++) {
		uint16_t now =
			nows[i]; /* most of these cells were marked before the tick wrapped */

		cr_assert(counts(VALID, 0, now, 100), "now %u", now);
		cr_assert(counts(VALID, 1, now, 100), "now %u", now);
		cr_assert(counts(VALID, 99, now, 100), "now %u", now);
		cr_assert(counts(VALID, 100, now, 100), "now %u: not silent for longer yet", now);
		cr_assert_not(counts(VALID, 101, now, 100), "now %u", now);
		cr_assert_not(counts(VALID, 5000, now, 100), "now %u", now);
	}
}

Test(drain, fin_lingers)
{
	static const uint16_t nows[] = { 0, 2, 3, 4, 700, 16383 };
	unsigned i;

	for (i = 0; i < sizeof(nows) / sizeof(nows[0]); i++) {
		cr_assert(counts(CLOSING, 0, nows[i], 100));
		cr_assert(counts(CLOSING, SL_DRAIN_LINGER_TICKS, nows[i], 100));
		cr_assert_not(counts(CLOSING, SL_DRAIN_LINGER_TICKS + 1, nows[i], 100));
	}
	/* an idle timeout below the linger is still the limit */
	cr_assert(counts(CLOSING, 1, 500, 1));
	cr_assert_not(counts(CLOSING, 2, 500, 1));
}

/* The tick given may have bits above the 14 that a cell holds. */
Test(drain, now_is_taken_modulo_the_cells_tick)
{
	cr_assert(counts(VALID, 10, 0xffff, 10));
	cr_assert_not(counts(VALID, 11, 0xffff, 10));
	cr_assert(counts(VALID, 10, 0x4005, 10));
	cr_assert_not(counts(VALID, 11, 0x8005, 10));
}

/* A packet that came while the count was already running carries the next tick. */
Test(drain, a_mark_from_just_after_now_is_fresh)
{
	static const uint16_t nows[] = { 0, 5, 9000, 16383 };
	unsigned i;

	for (i = 0; i < sizeof(nows) / sizeof(nows[0]); i++) {
		cr_assert(counts(VALID, (uint32_t)-1, nows[i], 5));
		cr_assert(counts(VALID, (uint32_t)-3, nows[i], 5));
		cr_assert(counts(CLOSING, (uint32_t)-1, nows[i], 5));
	}
}

Test(drain, an_idle_timeout_beyond_the_wrap_still_ends)
{
	cr_assert(counts(VALID, 15000, 3, 1u << 20));
	cr_assert(counts(VALID, 15358, 3, UINT32_MAX));
	cr_assert_not(counts(VALID, 15359, 3, UINT32_MAX));
	cr_assert_not(counts(VALID, 1, 3, 0));
	cr_assert(counts(VALID, 0, 3, 0));
}

Test(drain, an_invalid_cell_is_nothing)
{
	cr_assert_not(counts(0, 0, 77, 100), "a tick without the valid bit");
	cr_assert_not(counts(SL_DRAIN_CLOSING, 0, 77, 100));
}

Test(drain, nothing_and_no_cells)
{
	uint16_t cells[8] = { 0 };

	cr_assert_eq(sl_drain_count(cells, 8, 123, 10), 0);
	cr_assert_eq(sl_drain_count(cells, 0, 123, 10), 0);
}

/* A cell of the highest tick is marked with all bits set; 0 is the only free one. */
Test(drain, tick_zero_is_not_free)
{
	uint16_t cells[4] = { VALID, 0, 0, 0 };

	cr_assert_eq(sl_drain_count(cells, 4, 0, 10), 1);
	cr_assert_eq(cells[0], VALID);
}

Test(drain, full_cells_tell_their_most)
{
	static uint16_t cells[SL_DRAIN_CELLS];
	uint16_t one = VALID;
	uint32_t i;

	for (i = 0; i < SL_DRAIN_CELLS; i++)
		cells[i] = VALID;
	/* 32768 ln 32768 */
	cr_assert_eq(sl_drain_count(cells, SL_DRAIN_CELLS, 0, 10), 340696);
	cr_assert_eq(sl_drain_count(&one, 1, 0, 10), 1, "never less than what is marked");
}

/* Marks @n random flows; the estimate must be within 5 %. */
static void check_estimate(uint32_t n, uint64_t seed)
{
	static uint16_t cells[SL_DRAIN_CELLS];
	uint32_t i, got, again, slack = n / 20;

	memset(cells, 0, sizeof(cells));
	random_state = seed;
	for (i = 0; i < n; i++)
		cells[random64() % SL_DRAIN_CELLS] = VALID | 16380;
	got = sl_drain_count(cells, SL_DRAIN_CELLS, 4, 75); /* eight ticks later, wrapped */
	cr_assert(got >= n - slack && got <= n + slack, "%u flows, seed %lu: estimated %u", n,
		  (unsigned long)seed, got);
	again = sl_drain_count(cells, SL_DRAIN_CELLS, 4, 75);
	cr_assert_eq(got, again, "counting changes nothing that counts");
	cr_assert_eq(sl_drain_count(cells, SL_DRAIN_CELLS, 100, 75), 0, "all silent");
	for (i = 0; i < SL_DRAIN_CELLS; i++)
		cr_assert_eq(cells[i], 0, "cell %u is not cleared", i);
}

Test(drain, estimate_within_5_percent)
{
	static const uint32_t sizes[] = { 1, 2, 3, 10, 100, 1000, 5000, 20000, 50000 };
	uint64_t seed;
	unsigned i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (seed = 1; seed <= 20; seed++)
			check_estimate(sizes[i], seed * 7919);
}

/* A pool that empties: the count falls to 0 and nothing is left over. */
Test(drain, a_mixed_pool_empties)
{
	uint16_t cells[1024] = { 0 };
	unsigned i;

	for (i = 0; i < 10; i++)
		cells[i * 50] = (uint16_t)(VALID | 100);
	for (i = 0; i < 5; i++)
		cells[i * 50 + 1] = (uint16_t)(CLOSING | 100);
	cr_assert_eq(sl_drain_count(cells, 1024, 100, 20), 15);
	cr_assert_eq(sl_drain_count(cells, 1024, 103, 20), 15);
	cr_assert_eq(sl_drain_count(cells, 1024, 104, 20), 10);
	cells[0] = VALID | 110;
	cr_assert_eq(sl_drain_count(cells, 1024, 120, 20), 10);
	cr_assert_eq(sl_drain_count(cells, 1024, 121, 20), 1);
	cr_assert_eq(sl_drain_count(cells, 1024, 131, 20), 0);
	for (i = 0; i < 1024; i++)
		cr_assert_eq(cells[i], 0);
}

/* ---- is it over ---------------------------------------------------------- */

#define SINCE  1000000
#define IDLE   300000
#define DEADLN 1600000

struct row {
	const char *what;
	bool counted;
	uint32_t active;
	bool ever_used;
	int64_t now_ms, deadline_ms;
	bool over, by_deadline;
};

static const struct row rows[] = {
	{ "flows left", true, 3, true, SINCE + IDLE, 0, false, false },
	{ "none left, silent ones may be", true, 0, true, SINCE + IDLE - 1, 0, false, false },
	{ "none left for the idle timeout", true, 0, true, SINCE + IDLE, 0, true, false },
	{ "just begun", true, 0, true, SINCE, 0, false, false },
	{ "flows left just before the deadline", true, 1, true, DEADLN - 1, DEADLN, false, false },
	{ "flows left at the deadline", true, 1, true, DEADLN, DEADLN, true, true },
	{ "flows left after the deadline", true, 900, true, DEADLN + 9, DEADLN, true, true },
	{ "none left at the deadline", true, 0, true, DEADLN, DEADLN, true, false },
	{ "deadline before the idle timeout", true, 0, true, SINCE + 10, SINCE + 10, true, true },
	{ "not counted, no deadline", false, 0, true, SINCE + 100 * IDLE, 0, false, false },
	{ "not counted, before the deadline", false, 0, true, DEADLN - 1, DEADLN, false, false },
	{ "not counted, at the deadline", false, 0, true, DEADLN, DEADLN, true, true },
	{ "never used", true, 0, false, SINCE, 0, true, false },
	{ "never used, not counted", false, 0, false, SINCE, DEADLN, true, false },
	{ "never used, deadline long gone", true, 0, false, DEADLN * 2, DEADLN, true, false },
	{ "never used, not counted, at the deadline", false, 0, false, DEADLN, DEADLN, true,
	  false },
	{ "the clock stepped back", true, 0, true, SINCE - 5, 0, false, false },
	{ "far in the future", true, 0, true, INT64_MAX / 2, 0, true, false },
};

Test(drain, over)
{
	unsigned i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct sl_drain_facts f = {
			.counted = r->counted,
			.active = r->active,
			.ever_used = r->ever_used,
			.now_ms = r->now_ms,
			.since_ms = SINCE,
			.deadline_ms = r->deadline_ms,
			.idle_timeout_ms = IDLE,
		};
		bool by_deadline = !r->by_deadline;

		cr_assert_eq(sl_drain_over(&f, &by_deadline), r->over, "%s", r->what);
		cr_assert_eq(by_deadline, r->by_deadline, "%s", r->what);
	}
}
