/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_icmp: an error goes where the slot rules send a packet of the flow that
 * it quotes, and leaves no trace in flow memory; an echo's answer is right for
 * each value of the checksum, and there are not too many of them.
 */
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/prog/fixture.h"
#include "tests/prog/oracle.h"
#include "tests/prog/slot_rows.h"
#include "tests/prog/tap.h"

#define FLOW 12345u /* any */

static struct sl_rig rig;
static struct sl_pool pool;

/* ---- errors ------------------------------------------------------------------------------ */

/* The pool's packet becomes an error about the answer to it, with 8 bytes of its TCP or UDP. */
static void turn_into_error(void)
{
	bool is_v6 = pool.packet.is_v6;
	struct sl_packet quoted = pool.packet;
	struct sl_packet_spec spec = {
		.from = is_v6 ? "2001:db8:eeee::9" : "203.0.113.9",
		.to = is_v6 ? "2001:db8::5" : "192.0.2.5",
		.proto = is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		.icmp_type = is_v6 ? 2 : 3,
		.icmp_code = is_v6 ? 0 : 4,
		.icmp_rest = 1400,
		.payload = is_v6 ? 48 : 28,
		.quoted = &quoted,
	};

	sl_packet_turn(&quoted);
	pool.packet = sl_fix_build(&spec);
}

/* Sends the error and compares with what the row says of the flow's own packet. */
static const char *after_error(const struct sl_slot_row *row, uint16_t probe)
{
	struct sl_rig_want want = {
		.reason = row->reason ? row->reason : SL_R_SENT,
		.service = pool.service,
		.backend = row->to == SL_ROW_PROBE ? probe : row->to,
		.exc = row->exc,
	};
	struct sl_pool_sent sent;
	static char why[80];

	want.exc.inserts = 0;
	if (want.backend)
		want.sent = (struct sl_cnt){ .packets = 1, .bytes = sl_packet_bytes(&pool.packet) };
	else
		want.sent.dropped = 1;
	sl_rig_mark(&rig);
	sent = sl_pool_send(&pool);
	if (sent.reason != want.reason || sent.backend != want.backend) {
		snprintf(why, sizeof(why), "%s to %u, should be %s to %u",
			 sl_rig_label(sent.reason), sent.backend, sl_rig_label(want.reason),
			 want.backend);
		return why;
	}
	/* seen, too, is as it was: forged errors must not keep a slot in transition */
	return sl_rig_counted(&rig, &want) ?: sl_rig_untouched(&rig);
}

static const char *try_error_of(const struct sl_slot_row *row, bool is_v6)
{
	uint64_t hash;
	uint16_t probe;

	sl_pool_reset(&pool, row->kind, is_v6);
	hash = sl_pool_flow(&pool, FLOW);
	sl_slot_arrange(&pool, row, hash);
	probe = sl_pool_probe(&pool, hash);
	turn_into_error();
	return after_error(row, probe);
}

static void error_of(const struct sl_slot_row *row, bool is_v6)
{
	int tries = SL_POOL_TRIES;
	const char *wrong;
	char name[120];

	if ((row->flags & (SL_TCP_SYN | SL_TCP_ACK)) == SL_TCP_SYN)
		return; /* an error is never taken for the beginning of a flow */
	do
		wrong = try_error_of(row, is_v6);
	while (wrong && !sl_pool_steady(&pool) && --tries);
	snprintf(name, sizeof(name), "ipv%d error: %s", is_v6 ? 6 : 4, row->name);
	sl_tap(!wrong, name, "%s", wrong);
}

/* A draining backend's cell of the flow stays, whatever bits stand where TCP has its flags. */
static void error_marks_no_cell(bool is_v6)
{
	struct sl_slot_row row = { .slot = { SL_POOL_B, false, SL_POOL_B },
				   .draining = 1 << SL_POOL_B,
				   .to = SL_POOL_B,
				   .exc = { .lookups = 1 } };
	const char *wrong;
	uint64_t hash;
	char name[80];

	sl_pool_reset(&pool, SL_POOL_TCP, is_v6);
	hash = sl_pool_flow(&pool, FLOW);
	sl_slot_arrange(&pool, &row, hash);
	rig.mem->backends[SL_POOL_B].drain_track = 3;
	rig.mem->drains[3 * SL_DRAIN_CELLS + (hash >> 24) % SL_DRAIN_CELLS] =
		SL_DRAIN_VALID | SL_DRAIN_CLOSING | 5;
	turn_into_error();
	wrong = after_error(&row, 0);
	snprintf(name, sizeof(name), "ipv%d error: a drain's cell stays as it is", is_v6 ? 6 : 4);
	sl_tap(!wrong, name, "%s", wrong);
}

/* The error takes the way of the flow, for many flows over all backends. */
static void errors_follow(enum sl_pool_kind kind, bool is_v6)
{
	unsigned astray = 0, to[SL_POOL_LAST + 1] = {}, used = 0, n = 2000;
	char name[100];

	for (uint64_t f = 0; f < n; f++) {
		struct sl_packet own;
		uint16_t owner;

		if (!f)
			sl_pool_reset(&pool, kind, is_v6);
		sl_pool_flow(&pool, f * 7919);
		sl_pool_flags(&pool, SL_TCP_ACK);
		owner = sl_pool_send(&pool).backend;
		own = pool.packet;
		turn_into_error();
		astray += sl_pool_send(&pool).backend != owner;
		to[owner <= SL_POOL_LAST ? owner : 0]++;
		pool.packet = own;
	}
	for (unsigned id = SL_POOL_REST; id <= SL_POOL_LAST; id++)
		used += to[id] > n / 10;
	snprintf(name, sizeof(name), "ipv%d error: goes where its flow goes, 2,000 flows, kind %d",
		 is_v6 ? 6 : 4, kind);
	sl_tap(!astray && used == 5, name, "%u went elsewhere, %u backends used", astray, used);
}

/* ---- echo --------------------------------------------------------------------------------- */

static struct sl_packet echo(bool is_v6, uint16_t payload)
{
	struct sl_packet_spec spec = sl_fix_spec(is_v6 ? SL_FIX_TCP6 : SL_FIX_TCP4, 0);

	spec.proto = is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	spec.icmp_type = is_v6 ? 128 : 8;
	spec.icmp_rest = 0xbeef0001;
	spec.payload = payload;
	return sl_fix_build(&spec);
}

/* Whether the answer is, to the byte, what the reader says; @ret: the answer. */
static bool answered(const struct sl_packet *p, struct sl_packet *ret)
{
	uint8_t expected[SL_PACKET_MAX];
	static struct sl_rig_out out;

	memcpy(expected, p->byte, p->len);
	sl_oracle_leaves(expected, SL_R_ECHOED, 0);
	sl_rig_echo_anew(&rig);
	sl_rig_run(&rig, p->byte, p->len, &out);
	*ret = *p;
	memcpy(ret->byte, out.byte, p->len);
	return out.verdict == XDP_TX && out.len == p->len && !memcmp(out.byte, expected, p->len);
}

/* Every value of the 16 bits at @at as they are: the answer's checksum is RFC 1624's. */
static void echo_any_word(bool is_v6, bool of_ip, const char *what)
{
	struct sl_packet p = echo(is_v6, 8), back;
	unsigned wrong = 0;
	char name[100];

	for (uint32_t v = 0; v < 65536; v++) {
		sl_packet_put16(p.byte + (of_ip ? p.l3 + 10 : p.l4 + 2), (uint16_t)v);
		wrong += !answered(&p, &back);
	}
	snprintf(name, sizeof(name), "ipv%d echo: 65,536 values of %s", is_v6 ? 6 : 4, what);
	sl_tap(!wrong, name, "%u wrong", wrong);
}

/* Every payload word, all checksums right: so are the answers', summed up anew. */
static void echo_right(bool is_v6)
{
	struct sl_packet p = echo(is_v6, 9), back;
	static bool seen[65536];
	unsigned wrong = 0, sums = 0;
	char name[100];

	memset(seen, 0, sizeof(seen));
	for (uint32_t v = 0; v < 65536; v++) {
		sl_packet_put16(p.byte + p.l4 + 8, (uint16_t)v);
		p.byte[p.l3 + (is_v6 ? 7 : 8)] = (uint8_t)v; /* TTL or hop limit, 0 too */
		sl_packet_seal(&p);
		wrong += !answered(&p, &back) || !sl_packet_sums_fit(&back) ||
			 back.byte[p.l3 + (is_v6 ? 7 : 8)] != 64 ||
			 back.byte[p.l4] != (is_v6 ? 129 : 0);
		seen[sl_packet_get16(p.byte + p.l4 + 2)] = true;
	}
	for (uint32_t v = 0; v < 65536; v++)
		sums += seen[v];
	snprintf(name, sizeof(name), "ipv%d echo: 65,536 payloads, the answer's checksums fit",
		 is_v6 ? 6 : 4);
	/* right checksums of such packets never are 0xffff */
	sl_tap(!wrong && sums == 65535, name, "%u wrong, %u checksums seen", wrong, sums);
}

/* All at once, within one window: 1,000 answers and no more, each counted. */
static void echo_limit(bool is_v6)
{
	struct sl_packet p = echo(is_v6, 8);
	static struct sl_rig_out out;
	unsigned answers = 0, drops = 0, others = 0;
	char name[100];

	sl_rig_tick(&rig, NULL);
	sl_rig_echo_anew(&rig);
	sl_rig_mark(&rig);
	sl_rig_tick(&rig, NULL); /* the copy took its time */
	for (unsigned i = 0; i < 1500; i++) {
		sl_rig_run(&rig, p.byte, p.len, &out);
		answers += out.verdict == XDP_TX && i < 1000;
		drops += out.verdict == XDP_DROP && i >= 1000;
	}
	for (unsigned cpu = 0; cpu < rig.mem->info->cpus; cpu++)
		others += cpu != rig.row && rig.mem->limits[cpu].echo_count;
	snprintf(name, sizeof(name), "ipv%d echo: of 1,500 the first 1,000 are answered",
		 is_v6 ? 6 : 4);
	sl_tap(answers == 1000 && drops == 500 && sl_rig_reason(&rig, SL_R_ECHOED) == 1000 &&
		       sl_rig_reason(&rig, SL_R_ECHO_LIMITED) == 500 && !others,
	       name, "%u answered, %u dropped, other CPUs' counts touched: %u", answers, drops,
	       others);
	rig.mem->limits[rig.row].window--; /* as if a second had gone by */
	sl_rig_run(&rig, p.byte, p.len, &out);
	snprintf(name, sizeof(name), "ipv%d echo: and again in the next window", is_v6 ? 6 : 4);
	sl_tap(out.verdict == XDP_TX, name, "verdict %d", out.verdict);
	sl_rig_echo_anew(&rig);
}

/* One entry without a port is enough: an address may have TCP services alone, or UDP. */
static void echo_owner(const char *addr, uint8_t proto, uint16_t id, bool answer)
{
	struct sl_packet_spec spec = sl_fix_spec(strchr(addr, ':') ? SL_FIX_TCP6 : SL_FIX_TCP4, 0);
	static struct sl_rig_out out;
	struct sl_packet p;
	char name[100];

	spec.to = addr;
	spec.proto = strchr(addr, ':') ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	spec.icmp_type = strchr(addr, ':') ? 128 : 8;
	if (proto)
		sl_rig_portless(&rig, addr, proto, id);
	p = sl_fix_build(&spec);
	sl_rig_run(&rig, p.byte, p.len, &out);
	snprintf(name, sizeof(name), "echo to %s, whose entry is of %s: %s", addr,
		 proto == IPPROTO_TCP ? "tcp"
		 : proto	      ? "udp"
				      : "none",
		 answer ? "answered" : "passed");
	sl_tap(out.verdict == (answer ? XDP_TX : XDP_PASS), name, "verdict %d", out.verdict);
}

int main(void)
{
	sl_rig_open(&rig);
	sl_pool_open(&pool, &rig);
	for (size_t i = 0; i < 2 * sl_slot_n_rows; i++)
		error_of(&sl_slot_rows[i / 2], i & 1);
	for (int v6 = 0; v6 < 2; v6++) {
		error_marks_no_cell(v6);
		for (enum sl_pool_kind kind = SL_POOL_TCP; kind < SL_POOL_KINDS; kind++)
			errors_follow(kind, v6);
	}
	sl_rig_address(&rig, SL_FIX_V4, SL_SERVICE_ADDRESS);
	sl_rig_address(&rig, SL_FIX_V6, SL_SERVICE_ADDRESS);
	for (int v6 = 0; v6 < 2; v6++) {
		echo_any_word(v6, false, "the ICMP checksum");
		echo_right(v6);
		echo_limit(v6);
	}
	echo_any_word(false, true, "the header checksum");
	echo_owner("192.0.2.31", IPPROTO_TCP, SL_SERVICE_ADDRESS, true);
	echo_owner("192.0.2.32", IPPROTO_UDP, SL_SERVICE_ADDRESS, true);
	echo_owner("192.0.2.33", IPPROTO_UDP, 77, true);
	echo_owner("192.0.2.34", 0, 0, false);
	echo_owner("2001:db8::31", IPPROTO_TCP, SL_SERVICE_ADDRESS, true);
	echo_owner("2001:db8::32", IPPROTO_UDP, 77, true);
	echo_owner("2001:db8::34", 0, 0, false);
	sl_rig_close(&rig);
	return sl_tap_done();
}
