/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_forward: how a packet gets to its backend: each way of forwarding, with
 * each family inside and outside, behind each number of tags and with tags set;
 * and what becomes of one that is too long.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/prog/fixture.h"
#include "tests/prog/forward.h"
#include "tests/prog/tap.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static struct sl_rig rig;
static bool covered[SL_REASONS_MAX];

static void set_tos(struct sl_packet *p, uint8_t tos)
{
	uint8_t *ip = p->byte + p->l3;

	if (p->is_v6) {
		ip[0] = (uint8_t)(0x60 | tos >> 4);
		ip[1] = (uint8_t)(tos << 4 | (ip[1] & 0x0f));
	} else {
		ip[1] = tos;
	}
	sl_packet_seal(p);
}

/* Sends it and compares verdict, bytes and counters. NULL: as wanted. */
static const char *run(const struct sl_packet *p, enum sl_fix id, enum sl_reason reason,
		       const struct sl_packet *leaves)
{
	struct sl_rig_want want = { .reason = reason, .service = (uint16_t)id };
	static struct sl_rig_out out;
	static char why[200];
	const char *wrong;

	if (reason == SL_R_SENT) {
		want.backend = sl_fix_backend(id);
		want.sent = (struct sl_cnt){ .packets = 1, .bytes = sl_packet_bytes(p) };
	} else {
		want.sent.dropped = 1;
	}
	sl_rig_mark(&rig);
	sl_rig_run(&rig, p->byte, p->len, &out);
	for (int i = 0; i < SL_REASONS_MAX; i++)
		covered[i] |= sl_rig_reason(&rig, (enum sl_reason)i) > 0;
	wrong = sl_rig_counted(&rig, &want);
	if (!wrong)
		wrong = sl_rig_untouched(&rig);
	if (wrong)
		return wrong;
	if (out.verdict != (leaves ? XDP_TX : XDP_DROP)) {
		snprintf(why, sizeof(why), "verdict %d", out.verdict);
		return why;
	}
	if (!leaves)
		return NULL;
	for (uint32_t i = 0; i < leaves->len && out.len == leaves->len; i++)
		if (out.byte[i] != leaves->byte[i]) {
			snprintf(why, sizeof(why), "byte %u is %02x, should be %02x", i,
				 out.byte[i], leaves->byte[i]);
			return why;
		}
	if (out.len == leaves->len)
		return NULL;
	snprintf(why, sizeof(why), "%u bytes, should be %u", out.len, leaves->len);
	return why;
}

struct kind {
	const char *name;
	enum sl_fix v4, v6;
	uint16_t frag; /* of IPv4 */
	uint16_t payload;
	uint8_t tos;
};

static const struct kind kinds[] = {
	{ "tcp with DF, EF, ECT(1)", SL_FIX_TCP4, SL_FIX_TCP6, 0x4000, 101, 0xb9 },
	{ "tcp without DF, CE", SL_FIX_TCP4, SL_FIX_TCP6, 0, 0, 0x03 },
	{ "udp, ECT(0), odd length", SL_FIX_UDP4, SL_FIX_UDP6, 0, 1, 0x02 },
};

static void one_way(const struct sl_way *f, const struct kind *k, bool v6, uint8_t tags, int vlan)
{
	enum sl_fix id = v6 ? k->v6 : k->v4;
	struct sl_packet_spec spec = sl_fix_spec(id, SL_TCP_ACK);
	struct sl_packet p, leaves;
	char name[160], tag[24];
	const char *wrong;

	spec.vlans = tags;
	spec.frag = v6 ? 0 : k->frag;
	spec.payload = k->payload;
	p = sl_fix_build(&spec);
	if (tags)
		p.byte[14] |= 0xb0; /* priority 5, DEI */
	set_tos(&p, k->tos);
	sl_forward_backend(&rig, sl_fix_backend(id), f, vlan);
	leaves = sl_forward_want(&rig, &p, sl_fix_backend(id), sl_rig_hash(&rig, id, &p));
	wrong = run(&p, id, SL_R_SENT, &leaves);
	snprintf(tag, sizeof(tag), vlan == SL_WAY_KEEP ? "kept" : "vlan %d", vlan);
	snprintf(name, sizeof(name), "%s: ipv%d %s, %u tags, %s", f->name, v6 ? 6 : 4, k->name,
		 tags, tag);
	sl_tap(!wrong, name, "%s", wrong);
}

static void every_way(void)
{
	static const int vlan[] = { SL_WAY_KEEP, 0, 20, 4094 };

	for (size_t f = 0; f < SL_WAYS; f++)
		for (size_t k = 0; k < N(kinds); k++)
			for (int v6 = 0; v6 < 2; v6++)
				for (uint8_t tags = 0; tags < 3; tags++)
					for (size_t v = 0; v < N(vlan); v++)
						one_way(&sl_ways[f], &kinds[k], v6, tags, vlan[v]);
}

/* UDP over IPv6 of what its checksum cannot be derived from carries none (RFC 6935). */
static void without_sum(void)
{
	static const struct {
		const char *name;
		enum sl_fix id;
		uint8_t ext;
		bool no_sum;
		uint16_t frag;
	} row[] = {
		{ "inner udp without checksum", SL_FIX_UDP4, 0, true, 0 },
		{ "first fragment", SL_FIX_UDP4, 0, false, 0x2000 },
		{ "inner extension header", SL_FIX_UDP6, 60, false, 0 },
	};

	for (size_t i = 0; i < N(row); i++) {
		struct sl_packet_spec spec = sl_fix_spec(row[i].id, 0);
		uint16_t backend = sl_fix_backend(row[i].id);
		struct sl_packet p, leaves;
		const char *wrong;
		char name[120];

		spec.payload = 32;
		spec.frag = row[i].frag;
		if (row[i].ext) {
			spec.ext[0] = row[i].ext;
			spec.n_ext = 1;
		}
		p = sl_fix_build(&spec);
		if (row[i].no_sum)
			sl_packet_put16(p.byte + p.l4 + 6, 0);
		sl_forward_backend(&rig, backend, &sl_ways[4], SL_WAY_KEEP);
		leaves = sl_forward_want(&rig, &p, backend, sl_rig_hash(&rig, row[i].id, &p));
		sl_packet_put16(leaves.byte + 14 + 40 + 6, 0);
		wrong = run(&p, row[i].id, SL_R_SENT, &leaves);
		snprintf(name, sizeof(name), "gue in ipv6, no checksum: %s", row[i].name);
		sl_tap(!wrong, name, "%s", wrong);
	}
}

/* An ICMP error travels as the flow it quotes, with the tunnel's header by its own. */
static void quoted(void)
{
	for (size_t i = 0; i < 2 * SL_WAYS; i++) {
		const struct sl_way *f = &sl_ways[i / 2];
		bool v6 = i & 1;
		enum sl_fix id = v6 ? SL_FIX_TCP6 : SL_FIX_TCP4;
		struct sl_packet flow = sl_fix_packet(id, SL_TCP_ACK), inner = flow, p, leaves;
		struct sl_packet_spec spec = sl_fix_spec(id, 0);
		const char *wrong;
		char name[120];

		sl_packet_turn(&inner);
		spec.proto = v6 ? 58 : 1;
		spec.icmp_type = v6 ? 2 : 3;
		spec.icmp_code = v6 ? 0 : 4;
		spec.icmp_rest = 1400;
		spec.quoted = &inner;
		spec.payload = 0;
		p = sl_fix_build(&spec);
		sl_forward_backend(&rig, sl_fix_backend(id), f, SL_WAY_KEEP);
		leaves =
			sl_forward_want(&rig, &p, sl_fix_backend(id), sl_rig_hash(&rig, id, &flow));
		wrong = run(&p, id, SL_R_SENT, &leaves);
		snprintf(name, sizeof(name), "%s: icmp error over ipv%d", f->name, v6 ? 6 : 4);
		sl_tap(!wrong, name, "%s", wrong);
	}
}

struct big_row {
	const char *name;
	enum sl_fix id;
	enum sl_reason reason;
	uint16_t mtu, mtu_link; /* of the record; 0: as mtu */
	uint16_t payload, frag;
	uint32_t told;
	bool oversize, later, quoted, limited, group;
	const char *from;
};

static const struct big_row big_rows[] = {
	{ "ipv4, DF, one too long", SL_FIX_TCP4, SL_R_TOO_BIG_TOLD, .mtu = 1039, .payload = 1000,
	  .frag = 0x4000, .told = 1039 },
	{ "ipv6, one too long", SL_FIX_TCP6, SL_R_TOO_BIG_TOLD, .mtu = 1459, .payload = 1400,
	  .told = 1459 },
	{ "ipv6, told no less than 1280", SL_FIX_TCP6, SL_R_TOO_BIG_TOLD, .mtu = 1200,
	  .payload = 1400, .told = 1280 },
	{ "ipv4, DF, as long as the answer", SL_FIX_TCP4, SL_R_TOO_BIG_TOLD, .mtu = 95,
	  .payload = 56, .frag = 0x4000, .told = 95 },
	{ "ipv4 without DF, oversize send", SL_FIX_UDP4, SL_R_SENT, .mtu = 999, .mtu_link = 1028,
	  .payload = 1000, .oversize = true },
	{ "ipv4 without DF, oversize send, above the link", SL_FIX_UDP4, SL_R_TOO_BIG, .mtu = 999,
	  .mtu_link = 1027, .payload = 1000, .oversize = true },
	{ "ipv4, DF, first fragment", SL_FIX_UDP4, SL_R_TOO_BIG_TOLD, .mtu = 999, .mtu_link = 9000,
	  .payload = 1000, .frag = 0x6000, .told = 999 },
	{ "ipv4, icmp error", SL_FIX_TCP4, SL_R_TOO_BIG, .mtu = 500, .payload = 600, .frag = 0x4000,
	  .quoted = true },
	{ "ipv6, icmp error", SL_FIX_TCP6, SL_R_TOO_BIG, .mtu = 1300, .payload = 1400,
	  .quoted = true },
	{ "ipv4, multicast source", SL_FIX_UDP4, SL_R_TOO_BIG, .mtu = 999, .payload = 1000,
	  .frag = 0x4000, .from = "224.1.2.3" },
	{ "ipv6, multicast source", SL_FIX_UDP6, SL_R_TOO_BIG, .mtu = 1300, .payload = 1400,
	  .from = "ff02::1" },
	{ "ipv4, to a group", SL_FIX_UDP4, SL_R_TOO_BIG, .mtu = 999, .payload = 1000,
	  .frag = 0x4000, .group = true },
	{ "ipv4, too many", SL_FIX_UDP4, SL_R_TOO_BIG_LIMITED, .mtu = 999, .payload = 1000,
	  .frag = 0x4000, .limited = true },
	{ "ipv6, too many", SL_FIX_UDP6, SL_R_TOO_BIG_LIMITED, .mtu = 1300, .payload = 1400,
	  .limited = true },
};

static struct sl_packet big_packet(const struct big_row *row, uint8_t tags)
{
	struct sl_packet_spec spec = sl_fix_spec(row->id, SL_TCP_ACK);
	struct sl_packet inner;

	spec.vlans = tags;
	spec.payload = row->payload;
	spec.frag = row->frag;
	if (row->from)
		spec.from = row->from;
	if (row->quoted) {
		inner = sl_fix_build(&spec);
		sl_packet_turn(&inner);
		spec.quoted = &inner;
		spec.payload = 0;
		spec.icmp_type = inner.is_v6 ? 2 : 3;
		spec.proto = inner.is_v6 ? 58 : 1;
		spec.icmp_code = inner.is_v6 ? 0 : 4;
	}
	return sl_fix_build(&spec);
}

/* This CPU's second: @full: nothing may be answered in it any more. */
static void answers(bool full)
{
	struct sl_limit *limit = &rig.mem->limits[rig.row];
	uint64_t jiffies = 0;

	rig.dp->ops->jiffies(rig.dp, &jiffies);
	limit->window = (uint32_t)(jiffies >> (rig.mem->info->tick_shift - 2));
	limit->too_big_count = full ? SL_TOO_BIG_MAX : 0;
}

static void too_big(const struct big_row *row, const struct sl_way *f, uint8_t tags)
{
	uint16_t backend = sl_fix_backend(row->id), flags = rig.mem->services[row->id].flags;
	struct sl_backend_rec *b = &rig.mem->backends[backend];
	struct sl_packet p = big_packet(row, tags), leaves = {};
	const char *wrong = NULL;
	char name[160];
	uint16_t drain;

	if (row->group)
		p.byte[0] |= 1;
	sl_forward_backend(&rig, backend, f, SL_WAY_KEEP);
	b->mtu = row->mtu;
	b->mtu_link = row->mtu_link ? row->mtu_link : row->mtu;
	if (row->oversize)
		rig.mem->services[row->id].flags |= SL_SF_OVERSIZE;
	if (row->reason == SL_R_SENT)
		leaves = sl_forward_want(&rig, &p, backend, sl_rig_hash(&rig, row->id, &p));
	else if (row->reason == SL_R_TOO_BIG_TOLD)
		leaves = sl_forward_too_big(&p, row->told);
	sl_rig_tick(&rig, &drain); /* not across a second's end */
	answers(row->limited);
	wrong = run(&p, row->id, row->reason, leaves.len ? &leaves : NULL);
	rig.mem->services[row->id].flags = flags;
	snprintf(name, sizeof(name), "%s: %s, %s, %u tags", sl_rig_label(row->reason), row->name,
		 f->name, tags);
	sl_tap(!wrong, name, "%s", wrong);
}

/* Metadata in front of the frame leaves no room for an outer header. */
static void no_headroom(void)
{
	struct sl_packet p = sl_fix_packet(SL_FIX_TCP4, SL_TCP_ACK);
	const uint32_t meta = 216; /* all but what the kernel keeps of 256 bytes */
	uint8_t in[SL_PACKET_MAX] = {}, out[SL_PACKET_MAX];
	struct xdp_md ctx = { .data = meta, .data_end = meta + p.len };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = meta + p.len,
		    .data_out = out, .data_size_out = sizeof(out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1);
	int e;

	memcpy(in + meta, p.byte, p.len);
	sl_forward_backend(&rig, sl_fix_backend(SL_FIX_TCP4), &sl_ways[2], SL_WAY_KEEP);
	sl_rig_mark(&rig);
	e = bpf_prog_test_run_opts(rig.fd, &opts);
	if (e == -EINVAL) {
		sl_tap_note("this kernel's test runs take no metadata of %u bytes (6.1: 32)", meta);
		covered[SL_R_NO_HEADROOM] = true; /* cannot be asked for */
		return;
	}
	covered[SL_R_NO_HEADROOM] |= sl_rig_reason(&rig, SL_R_NO_HEADROOM) == 1;
	sl_tap(!e && opts.retval == XDP_DROP && sl_rig_reason(&rig, SL_R_NO_HEADROOM) == 1,
	       "no_headroom: metadata fills it", "%s, verdict %u", strerror(-e), opts.retval);
}

/* A program without the feature that a record asks for: never as the agent stores them. */
static void bug_feature(void)
{
	static const struct {
		const char *name;
		unsigned way;
		int vlan;
	} row[] = { { "ipip", 1, SL_WAY_KEEP }, { "gue", 3, SL_WAY_KEEP }, { "vlan", 0, 20 } };

	sl_rig_features(&rig, 0);
	for (size_t i = 0; i < N(row); i++) {
		struct sl_packet p = sl_fix_packet(SL_FIX_TCP4, SL_TCP_ACK);
		const char *wrong;
		char name[80];

		sl_forward_backend(&rig, sl_fix_backend(SL_FIX_TCP4), &sl_ways[row[i].way],
				   row[i].vlan);
		wrong = run(&p, SL_FIX_TCP4, SL_R_BUG_FEATURE, NULL);
		snprintf(name, sizeof(name), "bug_feature: %s without its code", row[i].name);
		sl_tap(!wrong, name, "%s", wrong);
	}
	sl_rig_features(&rig, SL_FEAT_ALL);
}

static void coverage(void)
{
	static const enum sl_reason mine[] = { SL_R_SENT,	  SL_R_TOO_BIG,
					       SL_R_TOO_BIG_TOLD, SL_R_TOO_BIG_LIMITED,
					       SL_R_NO_HEADROOM,  SL_R_BUG_FEATURE };

	for (size_t i = 0; i < N(mine); i++) {
		char name[80];

		snprintf(name, sizeof(name), "reached: %s", sl_rig_label(mine[i]));
		sl_tap(covered[mine[i]], name, "no row of this test ends with it");
	}
}

int main(void)
{
	sl_rig_open(&rig);
	sl_fix_services(&rig);
	sl_fix_backends(&rig, SL_RIG_LO, 0);
	every_way();
	without_sum();
	quoted();
	for (size_t i = 0; i < N(big_rows); i++)
		too_big(&big_rows[i], &sl_ways[i % SL_WAYS], i % 3);
	no_headroom();
	bug_feature();
	coverage();
	sl_rig_close(&rig);
	return sl_tap_done();
}
