/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_walk: every way out of the program. What is sent differs from what came
 * in by 12 bytes, what is passed by none; each packet is counted once, and
 * nothing else is written. A reason that no row reaches is a failure.
 */
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/prog/fixture.h"
#include "tests/prog/oracle.h"
#include "tests/prog/tap.h"
#include "tests/prog/walk_rows.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static bool covered[SL_REASONS_MAX];

/* Reasons that no packet of this test can have, and why: other tests list theirs. */
static const struct {
	enum sl_reason reason;
	const char *cause;
} unreachable[] = {
	{ SL_R_NEXT, "means going on; no packet leaves with it" },
	{ SL_R_TOO_BIG, "but in test_forward" },
	{ SL_R_TOO_BIG_TOLD, "but in test_forward" },
	{ SL_R_TOO_BIG_LIMITED, "but in test_forward" },
	{ SL_R_NO_HEADROOM, "but in test_forward" },
	{ SL_R_BUG_FEATURE, "but in test_forward" },
	{ SL_R_GUARD_DENIED, "but in test_guard" },
	{ SL_R_GUARD_SOURCE, "but in test_guard" },
	{ SL_R_GUARD_SERVICE, "but in test_guard" },
};

static int verdict_of(enum sl_reason why, bool redirect)
{
	switch (sl_rig_action(why)) {
	case SL_A_SEND:
		return redirect && why == SL_R_SENT ? XDP_REDIRECT : XDP_TX;
	case SL_A_DROP:
		return XDP_DROP;
	default:
		return XDP_PASS;
	}
}

/* Runs @p and compares everything it left. NULL: as wanted; else what differs. */
static const char *run(struct sl_rig *r, const struct sl_packet *p, const struct sl_rig_want *want,
		       bool redirect, bool flow_memory)
{
	uint8_t expected[SL_PACKET_MAX];
	static struct sl_rig_out out;
	static char why[120];
	const char *wrong;

	memcpy(expected, p->byte, p->len);
	sl_oracle_leaves(expected, want->reason, (enum sl_fix)want->service);
	sl_rig_mark(r);
	sl_rig_run(r, p->byte, p->len, &out);
	for (int i = 0; i < SL_REASONS_MAX; i++)
		covered[i] |= sl_rig_reason(r, (enum sl_reason)i) > 0;
	wrong = sl_rig_counted(r, want);
	if (!wrong && !flow_memory)
		wrong = sl_rig_untouched(r);
	if (wrong)
		return wrong;
	if (out.verdict != verdict_of(want->reason, redirect)) {
		snprintf(why, sizeof(why), "verdict %d", out.verdict);
		return why;
	}
	/* a dropped frame is nobody's: its bytes do not matter */
	if (out.verdict != XDP_DROP && (out.len != p->len || memcmp(out.byte, expected, p->len)))
		return "the frame differs from what was expected";
	return NULL;
}

static void sent(struct sl_rig *r)
{
	static const struct {
		const char *name;
		enum sl_fix v4, v6;
		uint8_t tcp_flags;
		bool flow, remembered;
	} row[] = {
		{ "tcp syn", SL_FIX_TCP4, SL_FIX_TCP6, SL_TCP_SYN, true, false },
		{ "tcp syn with ece, cwr", SL_FIX_TCP4, SL_FIX_TCP6, SL_TCP_SYN | 0xc0, true,
		  false },
		{ "tcp syn ack", SL_FIX_TCP4, SL_FIX_TCP6, SL_TCP_SYN | SL_TCP_ACK, false, false },
		{ "tcp ack", SL_FIX_TCP4, SL_FIX_TCP6, SL_TCP_ACK, false, false },
		{ "tcp ack psh urg", SL_FIX_TCP4, SL_FIX_TCP6, SL_TCP_ACK | SL_TCP_PSH | SL_TCP_URG,
		  false, false },
		{ "tcp fin", SL_FIX_TCP4, SL_FIX_TCP6, SL_TCP_FIN, false, false },
		{ "tcp fin ack", SL_FIX_TCP4, SL_FIX_TCP6, SL_TCP_FIN | SL_TCP_ACK, false, false },
		{ "tcp rst", SL_FIX_TCP4, SL_FIX_TCP6, SL_TCP_RST, false, false },
		{ "udp without flows", SL_FIX_UDP4, SL_FIX_UDP6, 0, false, false },
		{ "udp with flows", SL_FIX_FLOW4, SL_FIX_FLOW6, 0, true, true },
	};

	for (size_t i = 0; i < N(row) * 4; i++) {
		bool redirect = i & 1, v6 = i & 2;
		enum sl_fix id = v6 ? row[i / 4].v6 : row[i / 4].v4;
		struct sl_packet p = sl_fix_packet(id, row[i / 4].tcp_flags);
		struct sl_rig_want want = {
			.reason = SL_R_SENT,
			.service = (uint16_t)id,
			.backend = sl_fix_backend(id),
			.sent = { .packets = 1, .bytes = p.len, .flows = row[i / 4].flow },
			.exc = { .lookups = row[i / 4].remembered,
				 .inserts = row[i / 4].remembered },
		};
		const char *wrong;
		char name[80];

		sl_fix_backends(r, redirect ? SL_RIG_OTHER : SL_RIG_LO, SL_RIG_PORT);
		memset(r->mem->exceptions, 0, sizeof(*r->mem->exceptions) * SL_EXC_SETS);
		wrong = run(r, &p, &want, redirect, row[i / 4].remembered);
		snprintf(name, sizeof(name), "sent: ipv%d %s, %s", v6 ? 6 : 4, row[i / 4].name,
			 redirect ? "redirect" : "tx");
		sl_tap(!wrong, name, "%s", wrong);
	}
	sl_fix_backends(r, SL_RIG_LO, 0);
	memset(r->mem->exceptions, 0, sizeof(*r->mem->exceptions) * SL_EXC_SETS);
}

/* Each CPU counts in a row of its own. */
static void sent_elsewhere(struct sl_rig *r)
{
	struct sl_packet p = sl_fix_packet(SL_FIX_TCP4, SL_TCP_ACK);
	struct sl_rig_want want = { .reason = SL_R_SENT,
				    .service = SL_FIX_TCP4,
				    .backend = sl_fix_backend(SL_FIX_TCP4),
				    .sent = { .packets = 1, .bytes = p.len } };
	unsigned home = r->row;

	for (unsigned cpu = 0; cpu < r->mem->info->cpus; cpu++) {
		const char *wrong;
		char name[60];

		if (!sl_rig_pin(r, cpu))
			continue;
		wrong = run(r, &p, &want, false, false);
		snprintf(name, sizeof(name), "sent: counted on CPU %u alone", cpu);
		sl_tap(!wrong, name, "%s", wrong);
	}
	sl_rig_pin(r, home);
}

/* What the row's packet must leave behind. */
static struct sl_rig_want want_of(const struct sl_walk_row *row, const struct sl_packet *p)
{
	struct sl_rig_want want = { .reason = row->reason, .exc = row->exc };
	enum sl_action action = sl_rig_action(row->reason);

	if (action == SL_A_PASS || row->uncounted || row->reason == SL_R_ECHOED)
		return want;
	want.service = (uint16_t)row->base;
	if (action == SL_A_DROP) {
		want.sent.dropped = 1;
	} else {
		want.backend = sl_fix_backend(row->base);
		want.sent = (struct sl_cnt){ .packets = 1, .bytes = sl_packet_bytes(p) };
	}
	return want;
}

/* The reader must agree wherever memory is sound. */
static const char *read_again(const struct sl_walk_row *row, const struct sl_packet *p)
{
	static char why[80];
	enum sl_fix service;
	enum sl_reason reason = sl_oracle_reason(p->byte, p->len, &service);

	if (row->arrange || reason == row->reason)
		return NULL;
	snprintf(why, sizeof(why), "the reader says %s", sl_rig_label(reason));
	return why;
}

static void reasons(struct sl_rig *r, const struct sl_walk_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct sl_walk_row *row = &rows[i];
		struct sl_packet p = sl_walk_packet(row);
		struct sl_rig_want want = want_of(row, &p);
		const char *wrong;
		char name[120];

		sl_fix_backends(r, SL_RIG_LO, 0);
		sl_rig_rare(r, true);
		sl_rig_echo_anew(r);
		r->mem->services[row->base].flags &= (uint16_t)~SL_SF_DOWN_DROP;
		if (row->arrange)
			row->arrange(r);
		wrong = run(r, &p, &want, false, false);
		if (!wrong)
			wrong = read_again(row, &p);
		snprintf(name, sizeof(name), "%s: %s", sl_rig_label(row->reason), row->name);
		sl_tap(!wrong, name, "%s", wrong);
	}
	sl_fix_backends(r, SL_RIG_LO, 0);
	sl_rig_rare(r, true);
}

static const char *cause_of(enum sl_reason why)
{
	for (size_t i = 0; i < N(unreachable); i++)
		if (unreachable[i].reason == why)
			return unreachable[i].cause;
	return NULL;
}

static void coverage(void)
{
	static const enum sl_reason all[] = {
#define NUMBER(sym, num, act, label) SL_R_##sym,
		SL_REASONS(NUMBER)
#undef NUMBER
	};

	for (size_t i = 0; i < N(all); i++) {
		const char *cause = cause_of(all[i]);
		char name[160];

		snprintf(name, sizeof(name), "reached: %s%s%s", sl_rig_label(all[i]),
			 cause ? " not, " : "", cause ? cause : "");
		if (cause)
			sl_tap(!covered[all[i]], name, "it is reached: take it off the list");
		else
			sl_tap(covered[all[i]], name, "no row of this test ends with it");
	}
}

int main(void)
{
	struct sl_rig r;

	sl_rig_open(&r);
	sl_fix_services(&r);
	sent(&r);
	sent_elsewhere(&r);
	reasons(&r, sl_walk_rows, sl_walk_n_rows);
	reasons(&r, sl_walk_rare, sl_walk_n_rare);
	reasons(&r, sl_walk_icmp, sl_walk_n_icmp);
	coverage();
	sl_rig_close(&r);
	return sl_tap_done();
}
