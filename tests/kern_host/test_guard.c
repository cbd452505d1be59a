/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_guard: the packet path's own limits on a clock of the test: hours in a
 * moment, every wrap, rates to the last packet. A reference counts in exact
 * arithmetic what a bucket lets through; the controls break one thing each and
 * must be told apart from it.
 */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/guard.h"

#include "lb_kern/guard.h"
#include "tests/prog/tap.h"

__u64 platform_jiffies;
__u32 platform_cpu, sl_cpu_mask, sl_tick_shift, sl_features = SL_FEAT_GUARD;

#define SERVICE	 7u
#define CPUS	 4u
#define PACKETS	 300000u
#define SALT	 0x1234567890abcdefull
#define NOT_LESS 1 /* faults of the controls */

static struct sl_info info = { .key = { 3, 5 } };
struct sl_info *sl_info = &info;
struct sl_service_rec *sl_services;
struct sl_guard_rec *sl_guards;
struct sl_guard_set *sl_guard_sets;
struct sl_guard_pool *sl_guard_pools;
struct sl_guard_credit *sl_guard_credit;
struct sl_guard_cnt *sl_cnt_guard;

static const struct sl_service_rec service = { .salt = SALT, .flags = SL_SF_GUARD };

static uint64_t seed = 88172645463325252ull;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 32) * n >> 32);
}

static void *zeroed(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		sl_tap_bail("memory", "there is none");
	return p;
}

static void anew(void)
{
	memset(sl_guards, 0, SL_SERVICES_MAX * sizeof(*sl_guards));
	memset(sl_guard_sets, 0, SL_GUARD_SETS * sizeof(*sl_guard_sets));
	memset(sl_guard_pools, 0, SL_SERVICES_MAX * sizeof(*sl_guard_pools));
	memset(sl_guard_credit, 0, CPUS * SL_SERVICES_MAX * sizeof(*sl_guard_credit));
	memset(sl_cnt_guard, 0, CPUS * sizeof(*sl_cnt_guard));
}

/* One packet of source @addr: whether it is let through. */
static bool packet(uint32_t addr)
{
	struct pkt p = { .saddr_be = { addr }, .proto = 6, .service = SERVICE };

	return guard_packet(&p, &service) == SL_R_NEXT;
}

/* ---- against exact arithmetic ---------------------------------------------------- */

/*
 * What may pass, in whole units: @level is what has been let through and is
 * not paid for yet. Wide enough that nothing wraps.
 */
struct reference {
	uint64_t cost, burst, level, at;
};

static bool reference_takes(struct reference *r, uint64_t now_units)
{
	uint64_t passed = now_units - r->at;

	r->level = r->level > passed ? r->level - passed : 0;
	r->at = now_units;
	if (r->level + r->cost > r->burst)
		return false;
	r->level += r->cost;
	return true;
}

struct history {
	const char *name;
	struct sl_rate rate;
	uint32_t hz;
	bool whole;	/* the service's limit */
	uint64_t start; /* jiffies */
	bool sweeps;
};

/* Twice what the rate allows, in jiffies between packets; now and then minutes, or hours. */
static uint64_t gap(const struct history *h)
{
	uint32_t kind = below(10000), per_s = h->rate.per_s;

	if (!kind)
		return (uint64_t)below(6 * 3600) * h->hz;
	if (kind < 3)
		return below(120 * h->hz);
	if (per_s < h->hz)
		return below(h->hz / per_s + 1);
	return !below(2 * per_s / h->hz);
}

/* Lets @step pass; the agent sweeps meanwhile, if seldom: a turn of the clock is longer. */
static void pass(const struct history *h, uint64_t step)
{
	const uint64_t hour = 3600ull * h->hz;

	for (; h->sweeps && step > hour; step -= hour) {
		platform_jiffies += hour;
		sl_guard_sweep(sl_guard_sets, SL_GUARD_SETS, platform_jiffies);
	}
	platform_jiffies += step;
}

/* How many decisions differed from the reference's in @n packets. @fault: a control. */
static unsigned differences(const struct history *h, unsigned n, int fault, uint64_t *ret_passed,
			    uint64_t *ret_hours)
{
	struct sl_service_guard g = {};
	struct sl_guard_machine m = { .hz = h->hz, .cpus = CPUS };
	struct reference ref = {};
	uint32_t shift = h->whole ? SL_GUARD_FINE_SHIFT : SL_GUARD_SHIFT;
	uint64_t passed = 0;
	unsigned wrong = 0;

	anew();
	if (h->whole)
		g.service.packets = h->rate;
	else
		g.source.packets = h->rate;
	sl_guard_fill(&g, &m, &sl_guards[SERVICE]);
	if (h->whole) /* one at a time: exact */
		sl_guards[SERVICE].share[SL_GUARD_PACKETS] = SL_GUARD_SHARE(
			SL_GUARD_SHARE_COST(sl_guards[SERVICE].share[SL_GUARD_PACKETS]), 1);
	ref.cost = h->whole ? SL_GUARD_SHARE_COST(sl_guards[SERVICE].share[SL_GUARD_PACKETS])
			    : SL_GUARD_COST(sl_guards[SERVICE].source[0][SL_GUARD_PACKETS]);
	ref.burst = ref.cost * h->rate.burst;
	if (fault == NOT_LESS)
		ref.burst += ref.cost; /* the reference lets one more through */
	platform_jiffies = h->start;
	for (unsigned i = 0; i < n; i++) {
		bool is, want;

		pass(h, gap(h));
		platform_cpu = below(CPUS);
		is = packet(0x0100007f);
		want = reference_takes(&ref, (platform_jiffies - h->start) << shift);
		wrong += is != want;
		passed += is;
	}
	*ret_passed = passed;
	*ret_hours = (platform_jiffies - h->start) / h->hz / 3600;
	return wrong;
}

static void exactness(void)
{
	static const struct history rows[] = {
		{ "1 a second, burst 1, HZ 1000", { 1, 1 }, 1000, false, 1ull << 32, true },
		{ "1 a second, burst 60, HZ 1000", { 1, 60 }, 1000, false, 1ull << 32, true },
		{ "1000 a second, burst 20, HZ 250", { 1000, 20 }, 250, false, 1, true },
		{ "1000 a second, burst 2000, HZ 100", { 1000, 2000 }, 100, false, 99, true },
		{ "200000 a second, burst 2000, HZ 100", { 200000, 2000 }, 100, false, 1, true },
		{ "service, 1 a second, burst 1, HZ 1000", { 1, 1 }, 1000, true, 1, false },
		{ "service, 1000 a second, HZ 250", { 1000, 20 }, 250, true, 1ull << 36, false },
		{ "service, 1 million a second, HZ 100", { 1000000, 10000 }, 100, true, 1, false },
	};
	uint64_t passed, hours;
	char name[200];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned n = PACKETS, wrong = differences(&rows[i], n, 0, &passed, &hours);

		snprintf(name, sizeof(name),
			 "exact: %s: %u packets in %" PRIu64 " hours, %" PRIu64 " let through",
			 rows[i].name, n, hours, passed);
		sl_tap(!wrong && passed && passed < n && hours > 10, name, "%u decisions are wrong",
		       wrong);
	}
	for (size_t i = 2; i < 7; i += 4) {
		unsigned wrong = differences(&rows[i], PACKETS, NOT_LESS, &passed, &hours);

		snprintf(name, sizeof(name), "control: one more in a burst is told apart: %u times",
			 wrong);
		sl_tap(wrong > 0, name, "it is not");
	}
}

/* ---- the wrap -------------------------------------------------------------------------- */

/* A source uses up its burst, and comes back after @silent jiffies: how many of 10 pass? */
static int come_back(uint64_t start, uint64_t silent, bool sweeps)
{
	struct sl_service_guard g = { .source.packets = { 1, 10 } };
	struct sl_guard_machine m = { .hz = 1000, .cpus = CPUS };
	int n = 0;

	anew();
	sl_guard_fill(&g, &m, &sl_guards[SERVICE]);
	platform_jiffies = start;
	for (int i = 0; i < 20; i++)
		n += packet(1);
	if (n != 10)
		return -1;
	for (uint64_t at = 0; sweeps && at < silent; at += 3600000)
		sl_guard_sweep(sl_guard_sets, SL_GUARD_SETS, start + at);
	platform_jiffies = start + silent;
	n = 0;
	for (int i = 0; i < 10; i++)
		n += packet(1);
	return n;
}

static void wraps(void)
{
	const uint64_t wrap = 1ull << (SL_GUARD_TIME_BITS - SL_GUARD_SHIFT);
	int bad = 0, all = 0, unswept = 0;

	/* times whose 40 bits wrap at each moment of it */
	for (uint64_t before = 0; before < 30000; before += 500) {
		all++;
		bad += come_back(wrap * 5 - before, 10000, false) != 10;
	}
	sl_tap(!bad, "wrap: whenever the clock wraps, all is paid for after 10 s", "%d of %d not",
	       bad, all);
	bad = 0;
	for (uint64_t before = 0; before < 30000; before += 500)
		bad += come_back(wrap * 5 - before, 5000, false) != 5;
	sl_tap(!bad, "wrap: and half of it after 5 s", "%d of %d not", bad, all);
	bad = 0;
	for (uint64_t late = 0; late < 70000; late += 5000) {
		bad += come_back(1000, wrap - 5000 + late, true) != 10;
		unswept += come_back(1000, wrap - 5000 + late, false) != 10;
	}
	sl_tap(!bad, "wrap: silent for just one turn of the clock, swept: nothing is owed", "%d",
	       bad);
	sl_tap(unswept > 0, "control: not swept, an old debt is seen again", "it is not");
}

/* ---- what CPUs keep ---------------------------------------------------------------------- */

/* In any span of time a service lets through burst + rate x time + CPUs x (batch - 1). */
static void credits(void)
{
	struct sl_service_guard g = { .service.packets = { 100000, 20000 } };
	struct sl_guard_machine m = { .hz = 250, .cpus = CPUS };
	uint64_t n = 0, refused = 0, limit;
	uint32_t batch;
	char name[160];

	anew();
	sl_guard_fill(&g, &m, &sl_guards[SERVICE]);
	batch = SL_GUARD_SHARE_BATCH(sl_guards[SERVICE].share[SL_GUARD_PACKETS]);
	platform_jiffies = 12345;
	for (unsigned ms = 0; ms < 4000; ms += 4, platform_jiffies++)
		for (int i = 0; i < 1000; i++) { /* 250,000 a second */
			platform_cpu = below(CPUS);
			if (packet(below(1u << 30)))
				n++;
			else
				refused++;
		}
	limit = 20000 + 100000ull * 4 + CPUS * (batch - 1);
	snprintf(name, sizeof(name),
		 "a service's 100,000 a second, %u CPUs, batches of %u: %" PRIu64
		 " in 4 s, at most %" PRIu64,
		 CPUS, batch, n, limit);
	sl_tap(batch == SL_GUARD_BATCH_MAX && refused && n <= limit &&
		       n >= limit - 400 - CPUS * batch,
	       name, "%" PRIu64 " were refused", refused);
}

/* ---- floods -------------------------------------------------------------------------------- */

/* Forged sources fill the table: who was limited stays so, who is new goes through, counted. */
static void flood(void)
{
	struct sl_service_guard g = { .source.packets = { 1, 20 } };
	struct sl_guard_machine m = { .hz = 250, .cpus = CPUS };
	unsigned displaced = 0, again = 0;
	char name[160];

	anew();
	sl_guard_fill(&g, &m, &sl_guards[SERVICE]);
	platform_cpu = 0;
	platform_jiffies = 777;
	for (uint32_t k = 1; k <= 100; k++)
		for (int i = 0; i < 30; i++)
			packet(k);
	for (uint32_t i = 0; i < 3000000; i++)
		if (!packet(0x80000000u | i))
			displaced++; /* a forged one: seen once, so never too many */
	for (uint32_t k = 1; k <= 100; k++)
		again += packet(k);
	snprintf(name, sizeof(name),
		 "flood: 3,000,000 forged sources: %u of 100 limited ones got through, %" PRIu64
		 " had no place",
		 again, (uint64_t)sl_cnt_guard[0].table_full);
	sl_tap(!again && !displaced && sl_cnt_guard[0].table_full > 2000000, name,
	       "%u of the forged were refused", displaced);
	platform_jiffies += 61 * 250; /* the control: all is past, so places are free again */
	sl_cnt_guard[0].table_full = 0;
	for (uint32_t i = 0; i < 1000; i++)
		packet(0x40000000u | i);
	snprintf(name, sizeof(name), "flood: a minute later all find a place");
	sl_tap(!sl_cnt_guard[0].table_full, name, "%" PRIu64 " of 1000 do not",
	       (uint64_t)sl_cnt_guard[0].table_full);
}

int main(void)
{
	sl_cpu_mask = CPUS - 1;
	sl_guards = zeroed(SL_SERVICES_MAX, sizeof(*sl_guards));
	sl_guard_sets = zeroed(SL_GUARD_SETS, sizeof(*sl_guard_sets));
	sl_guard_pools = zeroed(SL_SERVICES_MAX, sizeof(*sl_guard_pools));
	sl_guard_credit = zeroed((size_t)CPUS * SL_SERVICES_MAX, sizeof(*sl_guard_credit));
	sl_cnt_guard = zeroed(CPUS, sizeof(*sl_cnt_guard));
	exactness();
	wraps();
	credits();
	flood();
	free(sl_guards);
	free(sl_guard_sets);
	free(sl_guard_pools);
	free(sl_guard_credit);
	free(sl_cnt_guard);
	return sl_tap_done();
}
