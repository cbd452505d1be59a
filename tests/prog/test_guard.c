/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_guard: limits and listed prefixes in the loaded program: what is let
 * through, what is charged, and that nothing else is written. Time is the
 * kernel's: bursts are counted exactly, what comes back within bounds. A case
 * that failed while half a second went by has shown nothing, and is run again.
 */
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lb_user/domain/guard.h"
#include "tests/prog/fixture.h"
#include "tests/prog/tap.h"

#define N(a)  (sizeof(a) / sizeof((a)[0]))
#define TRIES 5

static struct sl_rig rig;
static char why[200];

#define WRONG(...) (snprintf(why, sizeof(why), __VA_ARGS__), why)

static uint64_t jiffies(void)
{
	uint64_t now;

	if (rig.dp->ops->jiffies(rig.dp, &now))
		sl_tap_bail("read the clock", "the clock program does not run");
	return now;
}

static struct sl_guard_machine machine(void)
{
	const struct sl_info *info = rig.mem->info;

	return sl_guard_machine_of(info->tick_shift, info->tick_ms, info->cpus);
}

/* All as if nobody had been limited yet. */
static void anew(void)
{
	struct sl_dp_mem *m = rig.mem;
	struct sl_err err = {};

	memset(m->guards, 0, sizeof(*m->guards) * SL_SERVICES_MAX);
	memset(m->guard_sets, 0, sizeof(*m->guard_sets) * SL_GUARD_SETS);
	memset(m->guard_pools, 0, sizeof(*m->guard_pools) * SL_SERVICES_MAX);
	memset(m->guard_credits, 0, sizeof(*m->guard_credits) * SL_SERVICES_MAX * m->info->cpus);
	memset(m->guard_index, 0, sizeof(*m->guard_index) * SL_GUARD_INDEX_WORDS);
	memset(m->exceptions, 0, sizeof(*m->exceptions) * SL_EXC_SETS);
	for (enum sl_fix id = SL_FIX_TCP4; id < SL_FIX_END; id++)
		m->services[id].flags &= (uint16_t) ~(SL_SF_GUARD | SL_SF_GUARD_DRY);
	if (rig.dp->ops->prefixes(rig.dp, NULL, 0, true, &err))
		sl_tap_bail("empty the lists", "%s", err.detail);
}

static void limit(enum sl_fix id, const struct sl_service_guard *g)
{
	struct sl_guard_machine m = machine();

	sl_guard_fill(g, &m, &rig.mem->guards[id]);
	rig.mem->services[id].flags |= SL_SF_GUARD | (g->dry_run ? SL_SF_GUARD_DRY : 0);
}

static void list(const char *const *allow, size_t n_allow, const char *const *deny, size_t n_deny)
{
	struct sl_guard_prefix entry[16];
	struct sl_prefix prefix[16];
	struct sl_guard_lists l = {
		.allow = prefix, .deny = prefix + n_allow, .n_allow = n_allow, .n_deny = n_deny
	};
	struct sl_err err = {};

	for (size_t i = 0; i < n_allow + n_deny; i++)
		if (sl_prefix_parse(i < n_allow ? allow[i] : deny[i - n_allow], &prefix[i]))
			sl_tap_bail("list a prefix", "number %zu is none", i);
	sl_guard_entries(&l, entry);
	sl_guard_fill_index(&l, rig.mem->guard_index);
	if (rig.dp->ops->prefixes(rig.dp, entry, n_allow + n_deny, true, &err))
		sl_tap_bail("list prefixes", "%s", err.detail);
}

/* The reason it leaves with. */
static enum sl_reason run(const struct sl_packet *p)
{
	struct sl_reason_cnt was = rig.mem->cnt_reason[rig.row];
	static struct sl_rig_out out;
	int found = -1;

	sl_rig_run(&rig, p->byte, p->len, &out);
	for (int i = 0; i < SL_REASONS_MAX; i++)
		if (rig.mem->cnt_reason[rig.row].packets[i] != was.packets[i]) {
			if (found >= 0)
				sl_tap_bail("count a packet once", "reasons %d and %d", found, i);
			found = i;
		}
	if (found < 0 ||
	    (out.verdict == XDP_DROP) != (sl_rig_action((enum sl_reason)found) == SL_A_DROP))
		sl_tap_bail("count a packet", "verdict %d, reason %d", out.verdict, found);
	return (enum sl_reason)found;
}

static struct sl_packet packet(enum sl_fix id, uint8_t flags, const char *from, uint16_t sport)
{
	struct sl_packet_spec spec = sl_fix_spec(id, flags);

	if (from)
		spec.from = from;
	spec.sport = sport;
	return sl_fix_build(&spec);
}

static enum sl_reason ask(enum sl_fix id, uint8_t flags, const char *from, uint16_t sport)
{
	struct sl_packet p = packet(id, flags, from, sport);

	return run(&p);
}

/* How many of @n packets are sent, each from a port of its own; the others must leave as @else_as.
 */
static int sent(enum sl_fix id, uint8_t flags, const char *from, int n, enum sl_reason else_as)
{
	int good = 0;

	for (int i = 0; i < n; i++) {
		enum sl_reason r = ask(id, flags, from, (uint16_t)(1000 + i));

		if (r != SL_R_SENT && r != else_as)
			sl_tap_bail("send", "packet %d left as %s", i, sl_rig_label(r));
		good += r == SL_R_SENT;
	}
	return good;
}

/* ---- limits ------------------------------------------------------------------------- */

#define RATE(n)                          \
	{                                \
		.per_s = 1, .burst = (n) \
	}

struct limit_row {
	const char *name;
	struct sl_service_guard guard;
	enum sl_reason reason;
	uint8_t flags;	     /* of TCP packets */
	bool flows;	     /* not for UDP without flows */
	bool narrow, shared; /* another host of the network is limited too; or all are */
};

static const struct limit_row limit_rows[] = {
	{ "a source's packets",
	  { .source.packets = RATE(5) },
	  SL_R_GUARD_SOURCE,
	  SL_TCP_ACK,
	  false,
	  true,
	  false },
	{ "a source's syns count as packets",
	  { .source.packets = RATE(5) },
	  SL_R_GUARD_SOURCE,
	  SL_TCP_SYN,
	  false,
	  true,
	  false },
	{ "a source's flows",
	  { .source.flows = RATE(5) },
	  SL_R_GUARD_SOURCE,
	  SL_TCP_SYN,
	  true,
	  true,
	  false },
	{ "a network's packets",
	  { .network.packets = RATE(5) },
	  SL_R_GUARD_SOURCE,
	  SL_TCP_ACK,
	  false,
	  false,
	  false },
	{ "a network's flows",
	  { .network.flows = RATE(5) },
	  SL_R_GUARD_SOURCE,
	  SL_TCP_SYN,
	  true,
	  false,
	  false },
	{ "a service's packets",
	  { .service.packets = RATE(5) },
	  SL_R_GUARD_SERVICE,
	  SL_TCP_ACK,
	  false,
	  false,
	  true },
	{ "a service's packets, in batches",
	  { .service.packets = RATE(640) },
	  SL_R_GUARD_SERVICE,
	  SL_TCP_ACK,
	  false,
	  false,
	  true },
	{ "a service's flows",
	  { .service.flows = RATE(5) },
	  SL_R_GUARD_SERVICE,
	  SL_TCP_SYN,
	  true,
	  false,
	  true },
	{ "the smallest of all limits",
	  { .source = { RATE(9), RATE(30) },
	    .network = { RATE(5), RATE(30) },
	    .service = { RATE(20), RATE(30) } },
	  SL_R_GUARD_SOURCE,
	  SL_TCP_SYN,
	  true,
	  false,
	  false },
};

/* Neighbours in the same /24 or /48, and one outside. */
static const char *const hosts[2][3] = {
	{ "198.51.100.1", "198.51.100.255", "198.51.101.1" },
	{ "2001:db8:ffff:1::1", "2001:db8:ffff:2::1", "2001:db9::1" },
};

static uint32_t burst_of(const struct limit_row *row)
{
	return strstr(row->name, "batches") ? 640 : 5;
}

static const char *try_limit(const struct limit_row *row, enum sl_fix id)
{
	const char *const *host = hosts[!(id & 1)];
	int burst = (int)burst_of(row), n;

	anew();
	limit(id, &row->guard);
	n = sent(id, row->flags, host[0], burst + 5, row->reason);
	if (n != burst)
		return WRONG("%d of %d were sent, should be %d", n, burst + 5, burst);
	n = sent(id, row->flags, host[1], 3, row->reason);
	if (n != (row->narrow ? 3 : 0))
		return WRONG("%d of 3 of the network's other host were sent", n);
	n = sent(id, row->flags, host[2], 3, row->reason);
	if (n != (row->shared ? 0 : 3))
		return WRONG("%d of 3 of another network were sent", n);
	if (row->flows && id < SL_FIX_UDP4 && sent(id, SL_TCP_ACK, host[0], 2, row->reason) != 2 &&
	    !row->guard.source.packets.per_s)
		return "packets of flows that go on were dropped";
	anew(); /* the control: without a limit all are sent */
	n = sent(id, row->flags, host[0], burst + 5, row->reason);
	return n == burst + 5 ? NULL : WRONG("%d of %d were sent without a limit", n, burst + 5);
}

/* The address and port of a flow are its own: refused, it leaves no memory; remembered, it goes on.
 */
static const char *try_udp_flows(enum sl_fix id)
{
	const struct sl_service_guard g = { .source.flows = RATE(3) };
	const char *from = hosts[!(id & 1)][0];

	anew();
	limit(id, &g);
	if (sent(id, 0, from, 5, SL_R_GUARD_SOURCE) != 3)
		return "not just 3 flows began";
	sl_rig_mark(&rig);
	if (ask(id, 0, from, 1003) != SL_R_GUARD_SOURCE)
		return "a fourth flow began";
	for (uint32_t s = 0; s < SL_EXC_SETS; s++)
		if (memcmp(&rig.mem->exceptions[s], &sl_rig_marked(&rig)->exceptions[s],
			   sizeof(struct sl_exc_set)) != 0)
			return "a refused flow was remembered";
	for (uint16_t i = 0; i < 20; i++)
		if (ask(id, 0, from, (uint16_t)(1000 + i % 3)) != SL_R_SENT)
			return "a remembered flow was refused";
	return NULL;
}

/* A backend that is DOWN moves its flows; that is not the client's doing. */
static const char *try_moved(enum sl_fix id)
{
	const struct sl_service_guard g = { .source.flows = RATE(3) };
	const char *from = hosts[!(id & 1)][0], *wrong = NULL;
	uint16_t spare = (uint16_t)(sl_fix_backend(id) + 1);

	anew();
	limit(id, &g);
	if (sent(id, 0, from, 3, SL_R_GUARD_SOURCE) != 3)
		return "not 3 flows began";
	sl_rig_backend(&rig, spare, SL_DP_UP, SL_RIG_LO, 0);
	rig.mem->services[id].spare[0] = spare;
	rig.mem->backends[sl_fix_backend(id)].state = SL_DP_DOWN;
	if (sent(id, 0, from, 3, SL_R_GUARD_SOURCE) != 3)
		wrong = "a flow that had to move was refused";
	rig.mem->services[id].spare[0] = 0;
	sl_fix_backends(&rig, SL_RIG_LO, 0);
	return wrong;
}

/* What one refuses the next is not asked; what was charged before stays charged. */
static const char *try_order(enum sl_fix id)
{
	const struct sl_service_guard source_first = { .source.packets = RATE(2),
						       .service.packets = RATE(5) };
	const struct sl_service_guard service_first = { .source.packets = RATE(9),
							.service.packets = RATE(2) };
	const char *const *host = hosts[!(id & 1)];

	anew();
	limit(id, &source_first);
	if (sent(id, SL_TCP_ACK, host[0], 9, SL_R_GUARD_SOURCE) != 2)
		return "the source's limit did not hold";
	for (int i = 0; i < 4; i++) /* 3 of the service's 5 are left */
		if (ask(id, SL_TCP_ACK, host[1 + i % 2], 7) !=
		    (i < 3 ? SL_R_SENT : SL_R_GUARD_SERVICE))
			return WRONG("packet %d: what the source was refused was charged to the "
				     "service",
				     i);
	anew();
	limit(id, &service_first);
	if (sent(id, SL_TCP_ACK, host[0], 9, SL_R_GUARD_SERVICE) != 2)
		return "the service's limit did not hold";
	if (ask(id, SL_TCP_ACK, host[0], 7) != SL_R_GUARD_SOURCE)
		return "what the service refused was not charged to the source";
	return NULL;
}

/* At @rate a second so many come back, as the packet path's clock says. */
static const char *try_refill(enum sl_fix id)
{
	const struct sl_service_guard rows[] = {
		{ .source.packets = { 2000, 400 } },
		{ .network.packets = { 2000, 400 } },
		{ .service.packets = { 2000, 400 } },
	};
	uint32_t hz = machine().hz;

	for (size_t i = 0; i < N(rows); i++) {
		enum sl_reason no = i < 2 ? SL_R_GUARD_SOURCE : SL_R_GUARD_SERVICE;
		uint64_t start, end;
		int n = 0;

		anew();
		limit(id, &rows[i]);
		start = jiffies();
		while (n < 5000 && ask(id, SL_TCP_ACK, NULL, 7) == SL_R_SENT)
			n++;
		usleep(100000);
		n += sent(id, SL_TCP_ACK, NULL, 700, no);
		end = jiffies();
		/* all that came, but for one jiffy at each end; batches may hold back their part */
		if ((uint64_t)n > 400 + (end - start + 1) * 2000 / hz + 1)
			return WRONG("limit %zu: %d in %llu jiffies", i, n,
				     (unsigned long long)(end - start));
		if (n < 400 + 150)
			return WRONG("limit %zu: only %d came, 400 and 200 after 100 ms", i, n);
	}
	return NULL;
}

/* ---- the table -------------------------------------------------------------------------- */

static struct sl_guard_set *set_of(enum sl_fix id, const struct sl_packet *p, uint64_t *ret_tag)
{
	uint64_t addr = 0, hash;
	uint32_t v4;

	if (p->is_v6) {
		memcpy(&addr, p->byte + p->l3 + 8, 8);
	} else {
		memcpy(&v4, p->byte + p->l3 + 12, 4);
		addr = v4;
	}
	hash = sl_guard_hash(addr, SL_GUARD_NARROW, rig.mem->services[id].salt, rig.mem->info->key);
	*ret_tag = SL_GUARD_TAG(hash, SL_GUARD_PACKETS);
	return &rig.mem->guard_sets[hash & (SL_GUARD_SETS - 1)];
}

/* Live words of others fill the set: all goes through, nobody is displaced. */
static const char *try_full(enum sl_fix id)
{
	const struct sl_service_guard g = { .source.packets = RATE(2) };
	struct sl_packet p = packet(id, SL_TCP_ACK, NULL, 7);
	struct sl_guard_set *set, full;
	uint64_t tag, now;
	const uint64_t live_most = (1ull << SL_GUARD_LIVE_BITS) - 1;
	uint64_t was;

	anew();
	limit(id, &g);
	set = set_of(id, &p, &tag);
	now = jiffies() << SL_GUARD_SHIFT;
	for (unsigned i = 0; i < SL_GUARD_WAYS; i++)
		set->word[i] = (tag ^ (uint64_t)(i + 1) << SL_GUARD_TIME_BITS) |
			       ((now + (i & 1 ? live_most - (500ull << SL_GUARD_SHIFT)
					      : 500ull << SL_GUARD_SHIFT)) &
				SL_GUARD_TIME_MASK);
	full = *set;
	was = rig.mem->cnt_guard[rig.row].table_full;
	for (int i = 0; i < 9; i++)
		if (run(&p) != SL_R_SENT)
			return "a source without a place was refused";
	if (memcmp(set, &full, sizeof(full)) != 0)
		return "a live word was displaced";
	if (rig.mem->cnt_guard[rig.row].table_full - was != 9)
		return "it was not counted";
	/* the control: one whose time has come, or never will (the clock has wrapped), makes room
	 */
	for (int i = 0; i < 2; i++) {
		int n = 0;

		*set = full;
		set->word[3] = (full.word[3] & SL_GUARD_TAG_MASK) |
			       ((now + (i ? live_most + 2 + (500ull << SL_GUARD_SHIFT) : -1ull)) &
				SL_GUARD_TIME_MASK);
		for (int k = 0; k < 9; k++)
			n += run(&p) == SL_R_SENT;
		if (n != 2 || (set->word[3] & SL_GUARD_TAG_MASK) != tag)
			return WRONG("with a place that is past, %d were sent, not 2", n);
	}
	return NULL;
}

/* Each way of the set, found by the hot walk or by the rare one. */
static const char *try_ways(enum sl_fix id)
{
	const struct sl_service_guard g = { .source.packets = RATE(4) };
	struct sl_packet p = packet(id, SL_TCP_ACK, NULL, 7);

	for (unsigned i = 0; i < SL_GUARD_WAYS; i++) {
		struct sl_guard_machine m = machine();
		struct sl_guard_set *set;
		uint64_t tag, cost = (uint64_t)m.hz << SL_GUARD_SHIFT;
		int n = 0;

		anew();
		limit(id, &g);
		set = set_of(id, &p, &tag);
		/* three of four are used up */
		set->word[i] =
			tag | (((jiffies() << SL_GUARD_SHIFT) + 3 * cost) & SL_GUARD_TIME_MASK);
		for (int k = 0; k < 4; k++)
			n += run(&p) == SL_R_SENT;
		if (n != 1)
			return WRONG("way %u: %d were sent, not 1", i, n);
	}
	return NULL;
}

/* Nothing of the guard is read or written for a service without limits. */
static const char *try_off(enum sl_fix id)
{
	const struct sl_service_guard g = { .source = { RATE(1), RATE(1) },
					    .network = { RATE(1), RATE(1) },
					    .service = { RATE(1), RATE(1) } };
	struct sl_rig_want want = { .reason = SL_R_SENT,
				    .service = (uint16_t)id,
				    .backend = sl_fix_backend(id) };
	struct sl_packet p = packet(id, SL_TCP_SYN, NULL, 7);
	const char *wrong;

	anew();
	limit(id, &g);
	rig.mem->services[id].flags &= (uint16_t)~SL_SF_GUARD;
	sl_rig_mark(&rig);
	for (int i = 0; i < 5; i++)
		if (run(&p) != SL_R_SENT)
			return "a packet was refused";
	want.packets = 5;
	want.sent = (struct sl_cnt){ .packets = 5,
				     .bytes = 5 * p.len,
				     .flows = p.proto == IPPROTO_TCP ? 5 : 0 };
	wrong = sl_rig_counted(&rig, &want) ?: sl_rig_untouched(&rig);
	if (wrong)
		return wrong;
	rig.mem->services[id].flags |= SL_SF_GUARD; /* the control */
	run(&p);
	return run(&p) == SL_R_GUARD_SOURCE ? NULL : "switched on it did not hold";
}

/* ---- lists ------------------------------------------------------------------------------- */

static const struct list_row {
	const char *from;
	enum sl_reason reason;
} list_rows[] = {
	/* deny 203.0.113.0/24 198.18.0.0/15 192.88.0.1/32, allow 203.0.113.64/26, deny
	   203.0.113.70/32 */
	{ "203.0.112.255", SL_R_SENT },
	{ "203.0.113.0", SL_R_GUARD_DENIED },
	{ "203.0.113.63", SL_R_GUARD_DENIED },
	{ "203.0.113.64", SL_R_SENT },
	{ "203.0.113.70", SL_R_GUARD_DENIED },
	{ "203.0.113.127", SL_R_SENT },
	{ "203.0.113.128", SL_R_GUARD_DENIED },
	{ "203.0.113.255", SL_R_GUARD_DENIED },
	{ "203.0.114.0", SL_R_SENT },
	{ "198.17.255.255", SL_R_SENT },
	{ "198.18.0.0", SL_R_GUARD_DENIED },
	{ "198.19.255.255", SL_R_GUARD_DENIED },
	{ "198.20.0.0", SL_R_SENT },
	{ "192.88.0.0", SL_R_SENT },
	{ "192.88.0.1", SL_R_GUARD_DENIED },
	{ "192.88.0.2", SL_R_SENT },
	/* deny 2001:db8:bad::/48 2400::/12 2001:db8:1::1/128, allow 2001:db8:bad:8000::/49 */
	{ "2001:db8:bac:ffff::", SL_R_SENT },
	{ "2001:db8:bad::", SL_R_GUARD_DENIED },
	{ "2001:db8:bad:7fff::1", SL_R_GUARD_DENIED },
	{ "2001:db8:bad:8000::", SL_R_SENT },
	{ "2001:db8:bae::", SL_R_SENT },
	{ "23ff:ffff::1", SL_R_SENT },
	{ "2400::1", SL_R_GUARD_DENIED },
	{ "240f:ffff:ffff::1", SL_R_GUARD_DENIED },
	{ "2410::1", SL_R_SENT },
	{ "2001:db8:1::", SL_R_SENT },
	{ "2001:db8:1::1", SL_R_GUARD_DENIED },
	{ "2001:db8:1::2", SL_R_SENT },
};

static void lists(void)
{
	static const char *const allow[] = { "203.0.113.64/26", "2001:db8:bad:8000::/49" };
	static const char *const deny[] = { "203.0.113.0/24",	 "198.18.0.0/15",
					    "192.88.0.1/32",	 "203.0.113.70/32",
					    "2001:db8:bad::/48", "2400::/12",
					    "2001:db8:1::1/128" };
	char name[120];

	for (size_t i = 0; i < N(list_rows); i++) {
		bool v6 = strchr(list_rows[i].from, ':');
		enum sl_fix to[] = { v6 ? SL_FIX_TCP6 : SL_FIX_TCP4, v6 ? SL_FIX_UDP6 : SL_FIX_UDP4,
				     v6 ? SL_FIX_FLOW6 : SL_FIX_FLOW4 };
		uint8_t flags[] = { SL_TCP_ACK, 0, 0 };

		for (size_t k = 0; k < N(to); k++) {
			enum sl_reason before, after;

			anew();
			before = ask(to[k], flags[k], list_rows[i].from, 7); /* the flow is there */
			list(allow, N(allow), deny, N(deny));
			after = ask(to[k], flags[k], list_rows[i].from, 7);
			snprintf(name, sizeof(name), "listed: %s to service %d: %s",
				 list_rows[i].from, (int)to[k], sl_rig_label(list_rows[i].reason));
			sl_tap(before == SL_R_SENT && after == list_rows[i].reason, name,
			       "it was %s, and with the lists %s", sl_rig_label(before),
			       sl_rig_label(after));
		}
	}
}

/* An allowed source has no limit and leaves no trace in the table; its neighbour has. */
static const char *try_allowed(enum sl_fix id)
{
	const struct sl_service_guard g = { .source = { RATE(2), RATE(2) },
					    .network = { RATE(4), RATE(4) },
					    .service = { RATE(6), RATE(6) } };
	const char *allow[] = { id & 1 ? "198.51.100.1/32" : "2001:db8:ffff:1::/64" };
	const char *const *host = hosts[!(id & 1)];

	anew();
	limit(id, &g);
	list(allow, 1, NULL, 0);
	sl_rig_mark(&rig);
	for (int i = 0; i < 40; i++)
		if (ask(id, SL_TCP_SYN, host[0], (uint16_t)(100 + i)) != SL_R_SENT)
			return "an allowed source was refused";
	if (memcmp(rig.mem->guard_sets, sl_rig_marked(&rig)->guard_sets,
		   sizeof(struct sl_guard_set) * SL_GUARD_SETS) != 0)
		return "an allowed source was charged";
	return sent(id, SL_TCP_SYN, host[1], 5, SL_R_GUARD_SOURCE) == 2
		       ? NULL
		       : "its neighbour was not limited";
}

static void everyone(void)
{
	static const char *const deny[] = { "0.0.0.0/0", "::/0" };
	static const char *const allow[] = { "198.51.100.7/32", "2001:db8:ffff::7/128" };

	anew();
	list(allow, 2, deny, 2);
	sl_tap(ask(SL_FIX_TCP4, SL_TCP_ACK, "1.0.0.1", 7) == SL_R_GUARD_DENIED &&
		       ask(SL_FIX_TCP4, SL_TCP_ACK, "223.255.255.255", 7) == SL_R_GUARD_DENIED &&
		       ask(SL_FIX_TCP6, SL_TCP_ACK, "2a00::1", 7) == SL_R_GUARD_DENIED,
	       "listed: all of 0.0.0.0/0 and ::/0 is denied", "one got through");
	sl_tap(ask(SL_FIX_TCP4, SL_TCP_ACK, NULL, 7) == SL_R_SENT &&
		       ask(SL_FIX_TCP6, SL_TCP_ACK, NULL, 7) == SL_R_SENT,
	       "listed: but one address of each, which is allowed", "it was refused");
	sl_tap(ask(SL_FIX_TCP4, SL_TCP_SYN | SL_TCP_FIN, "1.0.0.1", 7) == SL_R_TCP_BAD,
	       "listed: what is malformed is so first", "it is not");
	anew();
	sl_tap(ask(SL_FIX_TCP4, SL_TCP_ACK, "1.0.0.1", 7) == SL_R_SENT,
	       "listed: emptied, the lists hold nothing", "still refused");
}

/* Changing a list never leaves out what stays: seen by the map itself after each step. */
static void replaced(void)
{
	static const char *const first[] = { "203.0.113.0/24", "198.51.100.0/24" };
	static const char *const second[] = { "203.0.113.0/24", "192.0.2.128/25" };
	struct sl_packet p = packet(SL_FIX_TCP4, SL_TCP_ACK, "203.0.113.9", 7);

	anew();
	list(NULL, 0, first, 2);
	sl_tap(run(&p) == SL_R_GUARD_DENIED, "listed: before a change", "sent");
	list(NULL, 0, second, 2);
	sl_tap(run(&p) == SL_R_GUARD_DENIED, "listed: what stays, after it", "sent");
	sl_tap(ask(SL_FIX_TCP4, SL_TCP_ACK, "192.0.2.130", 7) == SL_R_GUARD_DENIED,
	       "listed: what came", "sent");
	sl_tap(ask(SL_FIX_TCP4, SL_TCP_ACK, "198.51.100.9", 7) == SL_R_SENT, "listed: what left",
	       "refused");
}

/* ---- dry run ------------------------------------------------------------------------------ */

static const char *try_dry(enum sl_fix id)
{
	const struct sl_service_guard g = { .dry_run = true,
					    .source.packets = RATE(2),
					    .service.packets = RATE(3) };
	const char *deny[] = { id & 1 ? "192.88.0.1/32" : "2400::/64" };
	const char *const *host = hosts[!(id & 1)];
	struct sl_guard_cnt was = rig.mem->cnt_guard[rig.row], is;
	struct sl_guard_set *sets = rig.mem->guard_sets;

	anew();
	limit(id, &g);
	list(NULL, 0, deny, 1);
	if (sent(id, SL_TCP_ACK, host[0], 7, SL_R_SENT) != 7)
		return "a dry run dropped";
	/* 1 of the service's is left: five were refused before it was asked */
	if (sent(id, SL_TCP_ACK, host[1], 2, SL_R_SENT) != 2)
		return "a dry run dropped";
	sl_rig_mark(&rig);
	if (ask(id, SL_TCP_ACK, id & 1 ? "192.88.0.1" : "2400::1", 7) != SL_R_SENT)
		return "a dry run dropped what is denied";
	if (memcmp(sets, sl_rig_marked(&rig)->guard_sets, sizeof(*sets) * SL_GUARD_SETS) != 0)
		return "what would have been denied was charged";
	is = rig.mem->cnt_guard[rig.row];
	if (is.would_source - was.would_source != 5 || is.would_service - was.would_service != 1 ||
	    is.would_deny - was.would_deny != 1)
		return WRONG("counted %llu %llu %llu, should be 5 1 1",
			     (unsigned long long)(is.would_source - was.would_source),
			     (unsigned long long)(is.would_service - was.would_service),
			     (unsigned long long)(is.would_deny - was.would_deny));
	return NULL;
}

/* A new flow that would be dropped as a packet is not asked as a flow too. */
static const char *try_dry_once(enum sl_fix id)
{
	const struct sl_service_guard g = { .dry_run = true, .source = { RATE(1), RATE(2) } };
	struct sl_guard_cnt was = rig.mem->cnt_guard[rig.row], is;

	anew();
	limit(id, &g);
	if (sent(id, SL_TCP_SYN, NULL, 6, SL_R_SENT) != 6)
		return "a dry run dropped";
	is = rig.mem->cnt_guard[rig.row];
	/* the second is one flow too many, the other four are packets too many */
	return is.would_source - was.would_source == 5 ? NULL : "packets were counted twice";
}

/* ---- errors and fragments ---------------------------------------------------------------------
 */

static struct sl_packet icmp_error(enum sl_fix id, const char *router)
{
	struct sl_packet quoted = packet(id, SL_TCP_ACK, NULL, 7);
	struct sl_packet_spec spec = { .from = router,
				       .to = sl_fix_address(id),
				       .proto = id & 1 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
				       .icmp_type = id & 1 ? 3 : 2,
				       .icmp_code = id & 1 ? 4 : 0,
				       .icmp_rest = 1400 };

	sl_packet_turn(&quoted);
	spec.quoted = &quoted;
	return sl_fix_build(&spec);
}

static const char *try_errors(enum sl_fix id)
{
	const struct sl_service_guard source = { .source = { RATE(1), RATE(1) },
						 .network = { RATE(1), RATE(1) } };
	const struct sl_service_guard all = { .service.packets = RATE(4) };
	const char *router = id & 1 ? "192.88.0.1" : "2400::1";
	const char *deny_router[] = { id & 1 ? "192.88.0.1/32" : "2400::/64" };
	const char *deny_client[] = { id & 1 ? SL_FIX_CLIENT_V4 "/32" : SL_FIX_CLIENT_V6 "/128" };
	struct sl_packet p = icmp_error(id, router);
	int n = 0;

	anew();
	limit(id, &source);
	for (int i = 0; i < 9; i++)
		if (run(&p) != SL_R_SENT)
			return "an error was charged to a source";
	if (ask(id, SL_TCP_ACK, NULL, 7) != SL_R_SENT)
		return "errors used up what the client may send";
	anew();
	limit(id, &all);
	for (int i = 0; i < 9; i++)
		n += run(&p) == SL_R_SENT;
	if (n != 4)
		return WRONG("%d errors were sent, the service takes 4 packets", n);
	anew();
	list(NULL, 0, deny_router, 1);
	if (run(&p) != SL_R_GUARD_DENIED)
		return "an error from a denied source was sent";
	list(NULL, 0, deny_client, 1);
	return run(&p) == SL_R_SENT ? NULL : "an error about a denied client was dropped";
}

static const char *try_fragments(enum sl_fix id)
{
	const struct sl_service_guard g = { .source.packets = RATE(3) };
	struct sl_packet_spec spec = sl_fix_spec(id, 0);
	struct sl_packet p;
	int n = 0;

	spec.frag = id & 1 ? 3 : 3 << 3;
	if (!(id & 1)) {
		spec.ext[0] = 44;
		spec.n_ext = 1;
	}
	p = sl_fix_build(&spec);
	anew();
	limit(id, &g);
	for (int i = 0; i < 9; i++)
		n += run(&p) == SL_R_SENT;
	return n == 3 ? NULL : WRONG("%d later fragments were sent, not 3", n);
}

/* ---- all ----------------------------------------------------------------------------------------
 */

static void check(const char *name, const char *(*fn)(enum sl_fix), const enum sl_fix *ids,
		  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int tries = TRIES;
		const char *wrong;
		char what[160];
		uint64_t start;

		do {
			start = jiffies();
			wrong = fn(ids[i]);
		} while (wrong && jiffies() - start > machine().hz / 2 && --tries);
		snprintf(what, sizeof(what), "%s, service %d", name, (int)ids[i]);
		sl_tap(!wrong, what, "%s", wrong);
	}
}

static const struct limit_row *now_row;

static const char *try_row(enum sl_fix id)
{
	return try_limit(now_row, id);
}

int main(void)
{
	static const enum sl_fix all[] = { SL_FIX_TCP4, SL_FIX_TCP6,  SL_FIX_UDP4,
					   SL_FIX_UDP6, SL_FIX_FLOW4, SL_FIX_FLOW6 };
	static const enum sl_fix with_flows[] = { SL_FIX_TCP4, SL_FIX_TCP6, SL_FIX_FLOW4,
						  SL_FIX_FLOW6 };
	static const enum sl_fix flows[] = { SL_FIX_FLOW4, SL_FIX_FLOW6 };
	static const enum sl_fix settled[] = { SL_FIX_TCP4, SL_FIX_TCP6, SL_FIX_UDP4, SL_FIX_UDP6 };
	static const enum sl_fix hash3[] = { SL_FIX_HASH4, SL_FIX_HASH6 };
	static const enum sl_fix tcp[] = { SL_FIX_TCP4, SL_FIX_TCP6 };

	sl_rig_open(&rig);
	sl_fix_services(&rig);
	sl_fix_backends(&rig, SL_RIG_LO, 0);
	for (size_t i = 0; i < N(limit_rows); i++) {
		now_row = &limit_rows[i];
		if (now_row->flows)
			check(now_row->name, try_row, with_flows, N(with_flows));
		else
			check(now_row->name, try_row, all, N(all));
	}
	check("udp: a refused flow leaves nothing", try_udp_flows, flows, N(flows));
	check("udp: a flow that moves is not charged", try_moved, flows, N(flows));
	check("who is asked first, and who is charged", try_order, all, N(all));
	check("what comes back in time", try_refill, all, 2);
	check("a full set", try_full, all, N(all));
	check("any way of a set", try_ways, all, N(all));
	check("off: nothing is touched", try_off, settled, N(settled));
	lists();
	everyone();
	replaced();
	check("an allowed source", try_allowed, with_flows, N(with_flows));
	check("dry run: counted and sent", try_dry, all, N(all));
	check("dry run: once a packet", try_dry_once, with_flows, N(with_flows));
	check("icmp errors", try_errors, tcp, N(tcp));
	check("later fragments", try_fragments, hash3, N(hash3));
	sl_rig_close(&rig);
	return sl_tap_done();
}
