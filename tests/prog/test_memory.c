/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_memory: what needs many flows or a full set: how a probe spreads, who
 * is evicted, what a SYN flood can and cannot do, and that flows stay where
 * they are through it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/prog/pool.h"
#include "tests/prog/tap.h"

#define FLOOD 100000u

static struct sl_rig rig;
static struct sl_pool pool;

/* ---- probes ---------------------------------------------------------------------------- */

/*
 * Backend B owns a third of the slots and is down; 4..8 own the rest in shares
 * 1:2:3:4:5. The flows of B must be shared 1:2:3:4:5 too.
 */
static void probe_spreads(bool is_v6)
{
	/* chi-square, 4 degrees of freedom: 18.5 is passed by chance once in 1,000 */
	static const unsigned weights = 15, flows = 20000;
	uint32_t slots_of[SL_POOL_LAST + 1] = {}, slots = 0;
	unsigned got[SL_POOL_LAST + 1] = {}, n = 0, astray = 0;
	double chi = 0;
	char name[100];

	sl_pool_reset(&pool, SL_POOL_TCP, is_v6);
	sl_pool_state(&pool, SL_POOL_B, SL_DP_DOWN);
	for (uint32_t i = 0; i < SL_POOL_SLOTS; i++) {
		static const uint8_t pattern[] = { 4, 5, 5, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8, 8, 8 };
		uint16_t owner = i % 3 ? pattern[(i / 3 * 7 + i % 3) % weights] : SL_POOL_B;

		rig.mem->slots[rig.mem->services[pool.service].slot_base + i] =
			SL_SLOT(owner, false, owner);
		slots_of[owner]++;
		slots += owner != SL_POOL_B;
	}
	sl_pool_flags(&pool, SL_TCP_SYN);
	for (uint64_t f = 0; n < flows; f++) {
		uint64_t hash = sl_pool_flow(&pool, f);
		struct sl_pool_sent sent;

		if (SL_SLOT_CUR(*sl_pool_slot(&pool, hash)) != SL_POOL_B)
			continue;
		sent = sl_pool_send(&pool);
		astray += sent.backend != sl_pool_probe(&pool, hash) || !sent.flows;
		got[sent.backend <= SL_POOL_LAST ? sent.backend : 0]++;
		n++;
	}
	for (unsigned id = SL_POOL_REST; id <= SL_POOL_LAST; id++) {
		double want = (double)flows * slots_of[id] / slots;

		chi += (got[id] - want) * (got[id] - want) / want;
	}
	snprintf(name, sizeof(name), "ipv%d: 20,000 flows of a down backend spread by weight",
		 is_v6 ? 6 : 4);
	sl_tap(!astray && chi < 18.5, name, "chi-square %.1f, %u not where the probe says", chi,
	       astray);
}

/* 64 backends of which only @up is UP: the spare list finds it where rehashing does not. */
static void one_of_64(bool with_spares)
{
	const uint16_t first = 100, up = 137;
	struct sl_service_rec *rec;
	unsigned to_up = 0, nobody = 0, n = 5000;

	sl_pool_reset(&pool, SL_POOL_TCP, false);
	rec = &rig.mem->services[pool.service];
	for (uint16_t id = first; id < first + 64; id++)
		sl_rig_backend(&rig, id, id == up ? SL_DP_UP : SL_DP_DOWN, SL_RIG_LO, 0);
	for (uint32_t i = 0; i < SL_POOL_SLOTS; i++)
		rig.mem->slots[rec->slot_base + i] = SL_SLOT(first + i % 64, false, first + i % 64);
	if (with_spares)
		rec->spare[3] = up;
	sl_pool_flags(&pool, SL_TCP_SYN);
	for (uint64_t f = 0; f < n; f++) {
		struct sl_pool_sent sent;

		sl_pool_flow(&pool, f);
		sent = sl_pool_send(&pool);
		to_up += sent.backend == up;
		nobody += sent.reason == SL_R_NO_BACKEND;
	}
	if (with_spares)
		sl_tap(to_up == n, "1 of 64 is up and listed: all 5,000 flows go there",
		       "%u do, %u found nobody", to_up, nobody);
	else
		sl_tap(nobody > n / 2 && to_up + nobody == n,
		       "1 of 64 is up, no list: rehashing alone is not enough (the test bites)",
		       "%u went there, %u found nobody", to_up, nobody);
}

/* ---- eviction --------------------------------------------------------------------------- */

/* An entry of somebody else's flow, for each place of a set. */
struct other {
	bool present, confirmed;
	unsigned ago;
};

struct evict_row {
	const char *name;
	struct other other[SL_EXC_WAYS];
	int place;	     /* where the new entry must be; -1: nowhere */
	uint16_t other_idle; /* idle ticks of a service of their own, 0: they are of this one */
	struct sl_exc_cnt exc;
};

#define LIVE(ago)               \
	{                       \
		true, true, ago \
	}
#define NEW(ago)                 \
	{                        \
		true, false, ago \
	}
#define FREE                    \
	{                       \
		false, false, 0 \
	}
#define GONE (SL_POOL_IDLE + 1)

static const struct evict_row evict_rows[] = {
	{ "a free place before an expired or unconfirmed one",
	  { LIVE(0), NEW(5), LIVE(GONE), NEW(GONE), LIVE(1), FREE, LIVE(2), NEW(0) },
	  .place = 5,
	  .exc = { .inserts = 1 } },
	{ "the only free place, the last",
	  { LIVE(0), LIVE(0), LIVE(0), LIVE(0), LIVE(0), LIVE(0), LIVE(0), FREE },
	  .place = 7,
	  .exc = { .inserts = 1 } },
	{ "an expired one before an unconfirmed one",
	  { NEW(9), NEW(20), LIVE(3), LIVE(GONE), NEW(1), NEW(2), LIVE(0), NEW(0) },
	  .place = 3,
	  .exc = { .inserts = 1, .evicted_expired = 1 } },
	{ "an expired one, confirmed or not",
	  { LIVE(9), LIVE(20), LIVE(3), LIVE(4), LIVE(1), LIVE(2), NEW(GONE), LIVE(0) },
	  .place = 6,
	  .exc = { .inserts = 1, .evicted_expired = 1 } },
	{ "the oldest unconfirmed one",
	  { LIVE(20), NEW(3), NEW(7), NEW(6), LIVE(9), NEW(0), NEW(1), LIVE(0) },
	  .place = 2,
	  .exc = { .inserts = 1, .evicted_unconfirmed = 1 } },
	{ "an unconfirmed one of this very tick",
	  { LIVE(20), LIVE(3), LIVE(7), LIVE(6), LIVE(9), LIVE(0), LIVE(1), NEW(0) },
	  .place = 7,
	  .exc = { .inserts = 1, .evicted_unconfirmed = 1 } },
	{ "never one that is live and confirmed, however old",
	  { LIVE(20), LIVE(20), LIVE(20), LIVE(20), LIVE(20), LIVE(20), LIVE(20), LIVE(20) },
	  .place = -1,
	  .exc = { .failed = 1 } },
	{ "never one that its own service still waits for",
	  { LIVE(GONE), LIVE(GONE), LIVE(GONE), LIVE(GONE), LIVE(GONE), LIVE(GONE), LIVE(GONE),
	    LIVE(GONE) },
	  .place = -1,
	  .other_idle = GONE + 1,
	  .exc = { .failed = 1 } },
	{ "one that its own service waits for no longer",
	  { LIVE(2), LIVE(2), LIVE(2), LIVE(5), LIVE(2), LIVE(2), LIVE(2), LIVE(2) },
	  .place = 3,
	  .other_idle = 4,
	  .exc = { .inserts = 1, .evicted_expired = 1 } },
};

#define OTHER_SERVICE 4000

static uint64_t other_entry(const struct other *o, unsigned way, uint64_t hash)
{
	uint64_t tag = (sl_hash_exc_tag(hash) ^ (uint64_t)(way + 1) << 40) & SL_EXC_TAG_MASK;

	return o->present ? SL_EXC(tag, SL_POOL_C, o->confirmed, pool.tick - o->ago) : 0;
}

static const char *try_evicts(const struct evict_row *row)
{
	static char why[100];
	struct sl_exc_set *set;
	struct sl_pool_sent sent;
	struct sl_exc_cnt got;
	bool places = true;
	uint64_t hash;

	sl_pool_reset(&pool, SL_POOL_TCP, false);
	hash = sl_pool_flow(&pool, 77);
	sl_pool_flags(&pool, SL_TCP_SYN);
	*sl_pool_slot(&pool, hash) = SL_SLOT(SL_POOL_B, true, SL_POOL_A);
	if (row->other_idle) {
		rig.mem->services[OTHER_SERVICE].idle_ticks = row->other_idle;
		rig.mem->backends[SL_POOL_C].service = OTHER_SERVICE;
	}
	set = &rig.mem->exceptions[sl_hash_exc_set(hash, SL_EXC_SETS)];
	for (unsigned i = 0; i < SL_EXC_WAYS; i++)
		set->entry[i] = other_entry(&row->other[i], i, hash);
	sl_rig_mark(&rig);
	sent = sl_pool_send(&pool);
	for (unsigned i = 0; i < SL_EXC_WAYS; i++) {
		uint64_t want = (int)i == row->place
					? SL_EXC(sl_hash_exc_tag(hash), SL_POOL_B, false, pool.tick)
					: other_entry(&row->other[i], i, hash);

		places &= set->entry[i] == want;
		sl_rig_marked(&rig)->exceptions[set - rig.mem->exceptions].entry[i] = want;
	}
	got = sl_rig_exc(&rig);
	if (places && sent.backend == SL_POOL_B && !memcmp(&got, &row->exc, sizeof(got)) &&
	    !sl_rig_untouched(&rig))
		return NULL;
	snprintf(why, sizeof(why), "places %s, sent to %u, inserts %llu, failed %llu",
		 places ? "as wanted" : "wrong", sent.backend, (unsigned long long)got.inserts,
		 (unsigned long long)got.failed);
	return why;
}

static void evicts(const struct evict_row *row)
{
	int tries = SL_POOL_TRIES;
	const char *wrong;
	char name[120];

	do
		wrong = try_evicts(row);
	while (wrong && !sl_pool_steady(&pool) && --tries);
	snprintf(name, sizeof(name), "evict: %s", row->name);
	sl_tap(!wrong, name, "%s", wrong);
}

/* ---- floods ------------------------------------------------------------------------------ */

static void flood_settled(bool is_v6)
{
	struct sl_exc_cnt none = {}, got;
	const char *wrong;
	char name[100];

	sl_pool_reset(&pool, SL_POOL_TCP, is_v6);
	sl_pool_flags(&pool, SL_TCP_SYN);
	sl_rig_mark(&rig);
	for (uint64_t i = 0; i < FLOOD; i++) {
		sl_pool_flow(&pool, i * 0x9e3779b1ull);
		sl_pool_send(&pool);
	}
	got = sl_rig_exc(&rig);
	wrong = sl_rig_untouched(&rig);
	snprintf(name, sizeof(name), "ipv%d: 100,000 SYNs on a settled service write no memory",
		 is_v6 ? 6 : 4);
	sl_tap(!wrong && !memcmp(&got, &none, sizeof(got)) &&
		       sl_rig_reason(&rig, SL_R_SENT) == FLOOD,
	       name, "%s", wrong ? wrong : "flow memory was looked at");
}

#define CROWDED 2048u /* sets that the flood is aimed at, so that it has to evict */

/* The next flow from @n on whose set is among the first @sets. */
static uint64_t next_in(uint64_t n, uint32_t sets)
{
	while (sl_hash_exc_set(sl_pool_flow(&pool, n), SL_EXC_SETS) >= sets)
		n++;
	return n;
}

struct known {
	uint64_t flow;
	uint16_t backend;
};

/* All slots in transition, from A to their owners. */
static void all_moving(void)
{
	uint32_t *slot = &rig.mem->slots[rig.mem->services[pool.service].slot_base];

	for (uint32_t i = 0; i < SL_POOL_SLOTS; i++)
		slot[i] = SL_SLOT(SL_SLOT_CUR(slot[i]), true, SL_POOL_A);
}

/* Flows that began and went on: remembered and confirmed. Returns the flow after the last. */
static uint64_t begin_flows(struct known *known, unsigned n)
{
	uint64_t flow = 1;

	for (unsigned i = 0; i < n; i++, flow++) {
		flow = next_in(flow, CROWDED);
		sl_pool_flags(&pool, SL_TCP_SYN);
		known[i] = (struct known){ flow, sl_pool_send(&pool).backend };
		sl_pool_flags(&pool, SL_TCP_ACK);
		sl_pool_send(&pool);
	}
	return flow;
}

static unsigned strayed(const struct known *known, unsigned n)
{
	unsigned bad = 0;

	sl_pool_flags(&pool, SL_TCP_ACK);
	for (unsigned i = 0; i < n; i++) {
		sl_pool_flow(&pool, known[i].flow);
		bad += sl_pool_send(&pool).backend != known[i].backend;
	}
	return bad;
}

/*
 * About 49 SYNs per set on sets that hold about 3 confirmed flows each: the
 * flood evicts its own entries, and not one of theirs.
 */
static void flood_moving(bool is_v6)
{
	const unsigned n = 3 * CROWDED;
	struct known *known = calloc(n, sizeof(*known));
	unsigned confirmed = 0, bad, full;
	struct sl_exc_cnt got;
	uint64_t flow;
	char name[100];

	if (!known)
		sl_tap_bail("flood", "no memory");
	sl_pool_reset(&pool, SL_POOL_TCP, is_v6);
	all_moving();
	sl_rig_mark(&rig);
	flow = begin_flows(known, n);
	/* more than 8 of them may meet in one set; those are counted, never evict each other */
	full = (unsigned)sl_rig_exc(&rig).failed;
	for (uint32_t s = 0; s < CROWDED; s++)
		for (unsigned i = 0; i < SL_EXC_WAYS; i++)
			confirmed += !!(rig.mem->exceptions[s].entry[i] & SL_EXC_CONFIRMED);
	snprintf(name, sizeof(name),
		 "ipv%d: %u flows of moving slots are remembered, %u found no place", is_v6 ? 6 : 4,
		 confirmed, full);
	sl_tap(confirmed + full == n && full < n / 100, name, "%u are not", n - confirmed - full);

	sl_pool_flags(&pool, SL_TCP_SYN);
	sl_rig_mark(&rig);
	for (unsigned i = 0; i < FLOOD; i++, flow++) {
		flow = next_in(flow, CROWDED);
		sl_pool_send(&pool);
	}
	got = sl_rig_exc(&rig);
	bad = strayed(known, n);
	snprintf(name, sizeof(name),
		 "ipv%d: after 100,000 SYNs on %u sets they are where they were", is_v6 ? 6 : 4,
		 CROWDED);
	sl_tap(bad <= full, name, "%u of %u went elsewhere", bad, n);
	snprintf(name, sizeof(name), "ipv%d: the flood evicted unconfirmed entries alone",
		 is_v6 ? 6 : 4);
	sl_tap(got.evicted_unconfirmed > FLOOD / 2 && !got.evicted_expired &&
		       got.inserts + got.failed == FLOOD,
	       name, "%llu unconfirmed, %llu expired, %llu inserts, %llu failed",
	       (unsigned long long)got.evicted_unconfirmed, (unsigned long long)got.evicted_expired,
	       (unsigned long long)got.inserts, (unsigned long long)got.failed);
	free(known);
}

int main(void)
{
	sl_rig_open(&rig);
	sl_pool_open(&pool, &rig);
	for (size_t i = 0; i < sizeof(evict_rows) / sizeof(evict_rows[0]); i++)
		evicts(&evict_rows[i]);
	one_of_64(false);
	one_of_64(true);
	for (int v6 = 0; v6 < 2; v6++) {
		probe_spreads(v6);
		flood_settled(v6);
		flood_moving(v6);
	}
	sl_rig_close(&rig);
	return sl_tap_done();
}
