/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_guard: limits in the loaded program: what is let through, what is
 * charged, and that nothing else is written.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/prog/guard_rig.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* ---- limits ------------------------------------------------------------------------- */

struct limit_row {
	const char *name;
	struct sl_service_guard guard;
	enum sl_reason reason;
	uint8_t flags;	     /* of TCP packets */
	bool flows;	     /* not for UDP without flows */
	bool narrow, shared; /* another host of the network is limited too; or all are */
};

#define FIVE	SL_GUARD_ONCE(5)
#define PLENTY	SL_GUARD_ONCE(20)
#define MANY	SL_GUARD_ONCE(30)
#define BATCHES SL_GUARD_ONCE(640)

#define SOURCE	SL_R_GUARD_SOURCE
#define SERVICE SL_R_GUARD_SERVICE

/* name, guard, reason, flags, flows, narrow, shared */
static const struct limit_row limit_rows[] = {
	{ "a source's packets", { .source.packets = FIVE }, SOURCE, SL_TCP_ACK, 0, 1, 0 },
	{ "a source's syns", { .source.packets = FIVE }, SOURCE, SL_TCP_SYN, 0, 1, 0 },
	{ "a source's flows", { .source.flows = FIVE }, SOURCE, SL_TCP_SYN, 1, 1, 0 },
	{ "a network's packets", { .network.packets = FIVE }, SOURCE, SL_TCP_ACK, 0, 0, 0 },
	{ "a network's flows", { .network.flows = FIVE }, SOURCE, SL_TCP_SYN, 1, 0, 0 },
	{ "a service's packets", { .service.packets = FIVE }, SERVICE, SL_TCP_ACK, 0, 0, 1 },
	{ "packets in batches", { .service.packets = BATCHES }, SERVICE, SL_TCP_ACK, 0, 0, 1 },
	{ "a service's flows", { .service.flows = FIVE }, SERVICE, SL_TCP_SYN, 1, 0, 1 },
	{ "the smallest of all",
	  { .source = { PLENTY, MANY }, .network = { FIVE, MANY }, .service = { PLENTY, MANY } },
	  SOURCE,
	  SL_TCP_SYN,
	  1,
	  0,
	  0 },
};

static uint32_t burst_of(const struct limit_row *row)
{
	return strstr(row->name, "batches") ? 640 : 5;
}

static const char *try_limit(const struct limit_row *row, enum sl_fix id)
{
	const char *const *host = sl_guard_hosts[!(id & 1)];
	int burst = (int)burst_of(row), n;

	sl_guard_anew();
	sl_guard_limit(id, &row->guard);
	n = sl_guard_sent(id, row->flags, host[0], burst + 5, row->reason);
	if (n != burst)
		return sl_guard_wrong("%d of %d were sent, should be %d", n, burst + 5, burst);
	n = sl_guard_sent(id, row->flags, host[1], 3, row->reason);
	if (n != (row->narrow ? 3 : 0))
		return sl_guard_wrong("%d of 3 of the network's other host were sent", n);
	n = sl_guard_sent(id, row->flags, host[2], 3, row->reason);
	if (n != (row->shared ? 0 : 3))
		return sl_guard_wrong("%d of 3 of another network were sent", n);
	if (row->flows && id < SL_FIX_UDP4 &&
	    sl_guard_sent(id, SL_TCP_ACK, host[0], 2, row->reason) != 2 &&
	    !row->guard.source.packets.per_s)
		return "packets of flows that go on were dropped";
	sl_guard_anew(); /* the control: without a limit all are sent */
	n = sl_guard_sent(id, row->flags, host[0], burst + 5, row->reason);
	return n == burst + 5 ? NULL
			      : sl_guard_wrong("%d of %d were sent without a limit", n, burst + 5);
}

/* The address and port of a flow are its own: refused, it leaves no memory; remembered, it goes on.
 */
static const char *try_udp_flows(enum sl_fix id)
{
	const struct sl_service_guard g = { .source.flows = SL_GUARD_ONCE(3) };
	const char *from = sl_guard_hosts[!(id & 1)][0];

	sl_guard_anew();
	sl_guard_limit(id, &g);
	if (sl_guard_sent(id, 0, from, 5, SL_R_GUARD_SOURCE) != 3)
		return "not just 3 flows began";
	sl_rig_mark(&sl_guard_rig);
	if (sl_guard_ask(id, 0, from, 1003) != SL_R_GUARD_SOURCE)
		return "a fourth flow began";
	for (uint32_t s = 0; s < SL_EXC_SETS; s++)
		if (memcmp(&sl_guard_rig.mem->exceptions[s],
			   &sl_rig_marked(&sl_guard_rig)->exceptions[s],
			   sizeof(struct sl_exc_set)) != 0)
			return "a refused flow was remembered";
	for (uint16_t i = 0; i < 20; i++)
		if (sl_guard_ask(id, 0, from, (uint16_t)(1000 + i % 3)) != SL_R_SENT)
			return "a remembered flow was refused";
	return NULL;
}

/* A backend that is DOWN moves its flows; that is not the client's doing. */
static const char *try_moved(enum sl_fix id)
{
	const struct sl_service_guard g = { .source.flows = SL_GUARD_ONCE(3) };
	const char *from = sl_guard_hosts[!(id & 1)][0], *wrong = NULL;
	uint16_t spare = (uint16_t)(sl_fix_backend(id) + 1);

	sl_guard_anew();
	sl_guard_limit(id, &g);
	if (sl_guard_sent(id, 0, from, 3, SL_R_GUARD_SOURCE) != 3)
		return "not 3 flows began";
	sl_rig_backend(&sl_guard_rig, spare, SL_DP_UP, SL_RIG_LO, 0);
	sl_guard_rig.mem->services[id].spare[0] = spare;
	sl_guard_rig.mem->backends[sl_fix_backend(id)].state = SL_DP_DOWN;
	if (sl_guard_sent(id, 0, from, 3, SL_R_GUARD_SOURCE) != 3)
		wrong = "a flow that had to move was refused";
	sl_guard_rig.mem->services[id].spare[0] = 0;
	sl_fix_backends(&sl_guard_rig, SL_RIG_LO, 0);
	return wrong;
}

/* What one refuses the next is not asked; what was charged before stays charged. */
static const char *try_order(enum sl_fix id)
{
	const struct sl_service_guard source_first = { .source.packets = SL_GUARD_ONCE(2),
						       .service.packets = SL_GUARD_ONCE(5) };
	const struct sl_service_guard service_first = { .source.packets = SL_GUARD_ONCE(9),
							.service.packets = SL_GUARD_ONCE(2) };
	const char *const *host = sl_guard_hosts[!(id & 1)];

	sl_guard_anew();
	sl_guard_limit(id, &source_first);
	if (sl_guard_sent(id, SL_TCP_ACK, host[0], 9, SL_R_GUARD_SOURCE) != 2)
		return "the source's limit did not hold";
	for (int i = 0; i < 4; i++) /* 3 of the service's 5 are left */
		if (sl_guard_ask(id, SL_TCP_ACK, host[1 + i % 2], 7) !=
		    (i < 3 ? SL_R_SENT : SL_R_GUARD_SERVICE))
			return sl_guard_wrong(
				"packet %d: what the source was refused was charged to the "
				"service",
				i);
	sl_guard_anew();
	sl_guard_limit(id, &service_first);
	if (sl_guard_sent(id, SL_TCP_ACK, host[0], 9, SL_R_GUARD_SERVICE) != 2)
		return "the service's limit did not hold";
	if (sl_guard_ask(id, SL_TCP_ACK, host[0], 7) != SL_R_GUARD_SOURCE)
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
	uint32_t hz = sl_guard_here().hz;

	for (size_t i = 0; i < N(rows); i++) {
		enum sl_reason no = i < 2 ? SL_R_GUARD_SOURCE : SL_R_GUARD_SERVICE;
		uint64_t start, end;
		int n = 0;

		sl_guard_anew();
		sl_guard_limit(id, &rows[i]);
		start = sl_guard_jiffies();
		while (n < 5000 && sl_guard_ask(id, SL_TCP_ACK, NULL, 7) == SL_R_SENT)
			n++;
		usleep(100000);
		n += sl_guard_sent(id, SL_TCP_ACK, NULL, 700, no);
		end = sl_guard_jiffies();
		/* all that came, but for one jiffy at each end; batches may hold back their part */
		if ((uint64_t)n > 400 + (end - start + 1) * 2000 / hz + 1)
			return sl_guard_wrong("limit %zu: %d in %llu jiffies", i, n,
					      (unsigned long long)(end - start));
		if (n < 400 + 150)
			return sl_guard_wrong("limit %zu: only %d came, 400 and 200 after 100 ms",
					      i, n);
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
	hash = sl_guard_hash(addr, SL_GUARD_NARROW, sl_guard_rig.mem->services[id].salt,
			     sl_guard_rig.mem->info->key);
	*ret_tag = SL_GUARD_TAG(hash, SL_GUARD_PACKETS);
	return &sl_guard_rig.mem->guard_sets[hash & (SL_GUARD_SETS - 1)];
}

/* Live words of others fill the set: all goes through, nobody is displaced. */
static const char *try_full(enum sl_fix id)
{
	const struct sl_service_guard g = { .source.packets = SL_GUARD_ONCE(2) };
	struct sl_packet p = sl_guard_packet(id, SL_TCP_ACK, NULL, 7);
	struct sl_guard_set *set, full;
	uint64_t tag, now;
	const uint64_t live_most = (1ull << SL_GUARD_LIVE_BITS) - 1;
	uint64_t was;

	sl_guard_anew();
	sl_guard_limit(id, &g);
	set = set_of(id, &p, &tag);
	now = sl_guard_jiffies() << SL_GUARD_SHIFT;
	for (unsigned i = 0; i < SL_GUARD_WAYS; i++)
		set->word[i] = (tag ^ (uint64_t)(i + 1) << SL_GUARD_TIME_BITS) |
			       ((now + (i & 1 ? live_most - (500ull << SL_GUARD_SHIFT)
					      : 500ull << SL_GUARD_SHIFT)) &
				SL_GUARD_TIME_MASK);
	full = *set;
	was = sl_guard_rig.mem->cnt_guard[sl_guard_rig.row].table_full;
	for (int i = 0; i < 9; i++)
		if (sl_guard_run(&p) != SL_R_SENT)
			return "a source without a place was refused";
	if (memcmp(set, &full, sizeof(full)) != 0)
		return "a live word was displaced";
	if (sl_guard_rig.mem->cnt_guard[sl_guard_rig.row].table_full - was != 9)
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
			n += sl_guard_run(&p) == SL_R_SENT;
		if (n != 2 || (set->word[3] & SL_GUARD_TAG_MASK) != tag)
			return sl_guard_wrong("with a place that is past, %d were sent, not 2", n);
	}
	return NULL;
}

/* Each way of the set, found by the hot walk or by the rare one. */
static const char *try_ways(enum sl_fix id)
{
	const struct sl_service_guard g = { .source.packets = SL_GUARD_ONCE(4) };
	struct sl_packet p = sl_guard_packet(id, SL_TCP_ACK, NULL, 7);

	for (unsigned i = 0; i < SL_GUARD_WAYS; i++) {
		struct sl_guard_machine m = sl_guard_here();
		struct sl_guard_set *set;
		uint64_t tag, cost = (uint64_t)m.hz << SL_GUARD_SHIFT;
		int n = 0;

		sl_guard_anew();
		sl_guard_limit(id, &g);
		set = set_of(id, &p, &tag);
		/* three of four are used up */
		set->word[i] = tag | (((sl_guard_jiffies() << SL_GUARD_SHIFT) + 3 * cost) &
				      SL_GUARD_TIME_MASK);
		for (int k = 0; k < 4; k++)
			n += sl_guard_run(&p) == SL_R_SENT;
		if (n != 1)
			return sl_guard_wrong("way %u: %d were sent, not 1", i, n);
	}
	return NULL;
}

/* Nothing of the guard is read or written for a service without limits. */
static const char *try_off(enum sl_fix id)
{
	const struct sl_service_guard g = { .source = { SL_GUARD_ONCE(1), SL_GUARD_ONCE(1) },
					    .network = { SL_GUARD_ONCE(1), SL_GUARD_ONCE(1) },
					    .service = { SL_GUARD_ONCE(1), SL_GUARD_ONCE(1) } };
	struct sl_rig_want want = { .reason = SL_R_SENT,
				    .service = (uint16_t)id,
				    .backend = sl_fix_backend(id) };
	struct sl_packet p = sl_guard_packet(id, SL_TCP_SYN, NULL, 7);
	const char *wrong;

	sl_guard_anew();
	sl_guard_limit(id, &g);
	sl_guard_rig.mem->services[id].flags &= (uint16_t)~SL_SF_GUARD;
	sl_rig_mark(&sl_guard_rig);
	for (int i = 0; i < 5; i++)
		if (sl_guard_run(&p) != SL_R_SENT)
			return "a packet was refused";
	want.packets = 5;
	want.sent = (struct sl_cnt){ .packets = 5,
				     .bytes = 5 * p.len,
				     .flows = p.proto == IPPROTO_TCP ? 5 : 0 };
	wrong = sl_rig_counted(&sl_guard_rig, &want) ?: sl_rig_untouched(&sl_guard_rig);
	if (wrong)
		return wrong;
	sl_guard_rig.mem->services[id].flags |= SL_SF_GUARD; /* the control */
	sl_guard_run(&p);
	return sl_guard_run(&p) == SL_R_GUARD_SOURCE ? NULL : "switched on it did not hold";
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

	sl_guard_open();
	for (size_t i = 0; i < N(limit_rows); i++) {
		now_row = &limit_rows[i];
		if (now_row->flows)
			sl_guard_check(now_row->name, try_row, with_flows, N(with_flows));
		else
			sl_guard_check(now_row->name, try_row, all, N(all));
	}
	sl_guard_check("udp: a refused flow leaves nothing", try_udp_flows, flows, N(flows));
	sl_guard_check("udp: a flow that moves is not charged", try_moved, flows, N(flows));
	sl_guard_check("who is asked first, and who is charged", try_order, all, N(all));
	sl_guard_check("what comes back in time", try_refill, all, 2);
	sl_guard_check("a full set", try_full, all, N(all));
	sl_guard_check("any way of a set", try_ways, all, N(all));
	sl_guard_check("off: nothing is touched", try_off, settled, N(settled));
	sl_rig_close(&sl_guard_rig);
	return sl_tap_done();
}
