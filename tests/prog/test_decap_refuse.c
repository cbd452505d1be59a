/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_decap_refuse: what the backend's program refuses, row by row, and what
 * it leaves alone. Each row breaks one thing of a packet that is accepted
 * otherwise, which is run as well; each refusal of a stranger has its control.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/prog/decap_rig.h"
#include "tests/prog/tap.h"

static struct sl_decap_rig rig;

enum { V4 = 1, V6 = 2, BOTH = 3 };
enum { IPIP = 1, GUE = 2, ANY = 3 };

/* One thing that is broken; a byte of the frame, or what is asked of the builder. */
enum at { NOWHERE, OUTER_IP, UDP_HEADER, GUE_HEADER, INNER_IP };

struct row {
	const char *name;
	unsigned outer, inner, kind; /* for which it is tried */
	enum sl_decap_reason want;
	struct sl_decap_outer change; /* from, to, frag, ip_options, ext, ecn: where set */
	enum at at;
	uint8_t offset, value; /* of the byte; value is XORed */
};

#define R(reason) SL_DECAP_R_##reason

static const struct row rows[] = {
	{ "a stranger", V4, BOTH, ANY, R(STRANGER), .change.from = SL_DECAP_STRANGER4 },
	{ "a stranger", V6, BOTH, ANY, R(STRANGER), .change.from = SL_DECAP_STRANGER6 },
	{ "one bit beyond the prefix told", V4, BOTH, ANY, R(STRANGER), .change.from = "10.0.1.7" },
	{ "beside the address told", V6, BOTH, ANY, R(STRANGER), .change.from = "2001:db8:1::6" },
	{ "a stranger's fragment", V4, BOTH, ANY, R(STRANGER),
	  .change = { .from = SL_DECAP_STRANGER4, .frag = 0x2000 } },
	{ "a stranger's options", V4, BOTH, ANY, R(STRANGER),
	  .change = { .from = SL_DECAP_STRANGER4, .ip_options = 8 } },
	{ "a stranger's extension header", V6, BOTH, ANY, R(STRANGER),
	  .change = { .from = SL_DECAP_STRANGER6, .ext = 60 } },
	{ "to another address", V4, BOTH, ANY, R(NOT_TO_US), .change.to = "10.0.1.2" },
	{ "to another address", V6, BOTH, ANY, R(NOT_TO_US), .change.to = "2001:db8:2::2" },
	{ "a first fragment", V4, BOTH, ANY, R(FRAGMENT), .change.frag = 0x2000 },
	{ "a later fragment", V4, BOTH, IPIP, R(FRAGMENT), .change.frag = 0x0010 },
	{ "a first fragment", V6, BOTH, ANY, R(FRAGMENT), .change = { .ext = 44, .frag = 1 } },
	{ "a later fragment", V6, BOTH, IPIP, R(FRAGMENT), .change = { .ext = 44, .frag = 0x80 } },
	{ "options", V4, BOTH, ANY, R(IP4_OPTIONS), .change.ip_options = 4 },
	{ "options, the most there can be", V4, BOTH, ANY, R(IP4_OPTIONS),
	  .change.ip_options = 40 },
	{ "a destination header", V6, BOTH, ANY, R(IP6_EXT), .change.ext = 60 },
	{ "a routing header", V6, BOTH, ANY, R(IP6_EXT), .change.ext = 43 },
	{ "a fragment header around the whole", V6, BOTH, ANY, R(IP6_EXT), .change.ext = 44 },
	{ "the outer checksum", V4, BOTH, ANY, R(IP4_CHECKSUM), .at = OUTER_IP, 10, 0x01 },
	{ "an outer address damaged", V4, BOTH, ANY, R(IP4_CHECKSUM), .at = OUTER_IP, 15, 0x02 },
	{ "UDP length one short", BOTH, BOTH, GUE, R(UDP_LENGTH), .at = UDP_HEADER, 5, 0x01 },
	{ "UDP length far too long", BOTH, BOTH, GUE, R(UDP_LENGTH), .at = UDP_HEADER, 4, 0x80 },
	{ "variant 1", BOTH, BOTH, GUE, R(GUE_VARIANT), .at = GUE_HEADER, 0, 0x40 },
	{ "variant 2", BOTH, BOTH, GUE, R(GUE_VARIANT), .at = GUE_HEADER, 0, 0x80 },
	{ "variant 1, as IPv4 would follow directly", BOTH, BOTH, GUE, R(GUE_VARIANT),
	  .at = GUE_HEADER, 0, 0x45 },
	{ "a control message", BOTH, BOTH, GUE, R(GUE_CONTROL), .at = GUE_HEADER, 0, 0x20 },
	{ "hlen 1", BOTH, BOTH, GUE, R(GUE_OPTIONS), .at = GUE_HEADER, 0, 0x01 },
	{ "hlen 31", BOTH, BOTH, GUE, R(GUE_OPTIONS), .at = GUE_HEADER, 0, 0x1f },
	{ "a flag", BOTH, BOTH, GUE, R(GUE_OPTIONS), .at = GUE_HEADER, 2, 0x80 },
	{ "another flag", BOTH, BOTH, GUE, R(GUE_OPTIONS), .at = GUE_HEADER, 3, 0x01 },
	{ "protocol 59", BOTH, V4, GUE, R(GUE_PROTO), .at = GUE_HEADER, 1, 4 ^ 59 },
	{ "protocol 0", BOTH, V6, GUE, R(GUE_PROTO), .at = GUE_HEADER, 1, 41 },
	{ "protocol 41 before IPv4", BOTH, V4, GUE, R(INNER_BAD), .at = GUE_HEADER, 1, 4 ^ 41 },
	{ "protocol 4 before IPv6", BOTH, V6, GUE, R(INNER_BAD), .at = GUE_HEADER, 1, 4 ^ 41 },
	{ "inner version 6 after 4", BOTH, V4, ANY, R(INNER_BAD), .at = INNER_IP, 0, 0x20 },
	{ "inner version 4 after 41", BOTH, V6, ANY, R(INNER_BAD), .at = INNER_IP, 0, 0x20 },
	{ "inner header length 4", BOTH, V4, ANY, R(INNER_BAD), .at = INNER_IP, 0, 0x01 },
	{ "inner length below its header", BOTH, V4, ANY, R(INNER_LENGTH), .at = INNER_IP, 3,
	  139 ^ 19 },
	{ "inner length one too long", BOTH, V4, ANY, R(INNER_LENGTH), .at = INNER_IP, 3,
	  139 ^ 140 },
	{ "inner length one too long", BOTH, V6, ANY, R(INNER_LENGTH), .at = INNER_IP, 5,
	  119 ^ 120 },
	{ "inner length far too long", BOTH, BOTH, ANY, R(INNER_LENGTH), .at = INNER_IP, 2, 0x80 },
	{ "congestion that it cannot tell", BOTH, BOTH, ANY, R(ECN), .change.ecn = 3 },
};

/* The frame of a row; false: this row is not for these. */
static bool build(const struct row *row, bool outer6, bool inner6, bool gue, uint8_t tags)
{
	struct sl_decap_outer o = sl_decap_outer_of(outer6, gue);
	struct sl_packet in = sl_decap_inner_tcp(inner6, tags);
	uint32_t at[] = { 0, 0, 0, 0, 0 };

	if (!(row->outer & (outer6 ? V6 : V4)) || !(row->inner & (inner6 ? V6 : V4)) ||
	    !(row->kind & (gue ? GUE : IPIP)))
		return false;
	if (row->change.from)
		o.from = row->change.from;
	if (row->change.to)
		o.to = row->change.to;
	o.frag = row->change.frag;
	o.ip_options = row->change.ip_options;
	o.ext = row->change.ext;
	o.ecn = row->change.ecn;
	sl_decap_frame_wrap(&in, &o, &rig.frame);
	at[OUTER_IP] = rig.frame.ip;
	at[UDP_HEADER] = rig.frame.udp;
	at[GUE_HEADER] = rig.frame.gue;
	at[INNER_IP] = rig.frame.inner;
	if (row->at == INNER_IP && row->offset == 2 && inner6)
		rig.frame.byte[at[INNER_IP] + 4] ^= row->value; /* where IPv6 has its length */
	else if (row->at)
		rig.frame.byte[at[row->at] + row->offset] ^= row->value;
	return true;
}

static void refused(const struct row *row)
{
	static const struct row nothing = { .outer = BOTH, .inner = BOTH, .kind = ANY };
	const char *why = NULL;
	unsigned tried = 0;
	char name[160];

	for (unsigned n = 0; n < 24 && !why; n++) {
		bool outer6 = n & 1, inner6 = n & 2, gue = n & 4;

		if (!build(row, outer6, inner6, gue, (uint8_t)(n / 8)))
			continue;
		tried++;
		why = sl_decap_untouched(&rig, row->want);
		/* unbroken, the same combination goes through */
		build(&nothing, outer6, inner6, gue, (uint8_t)(n / 8));
		why = why ? why : sl_decap_taken(&rig);
	}
	snprintf(name, sizeof(name), "%s: %s (%u combinations)", sl_decap_label(row->want),
		 row->name, tried);
	sl_tap(!why && tried, name, "%s", why ? why : "never tried");
}

/* What the strict program refuses for its addresses alone, the one that was told them takes. */
static void control(const struct row *row)
{
	const char *why = NULL;
	unsigned tried = 0;
	char name[160];

	rig.use_open = true;
	for (unsigned n = 0; n < 8 && !why; n++) {
		if (!build(row, n & 1, n & 2, n & 4, 1))
			continue;
		tried++;
		why = sl_decap_taken(&rig);
	}
	rig.use_open = false;
	snprintf(name, sizeof(name), "control: %s (%s) is taken where it is told (%u combinations)",
		 row->name, row->change.from ? row->change.from : row->change.to, tried);
	sl_tap(!why && tried, name, "%s", why ? why : "never tried");
}

/* ---- what is no tunnel packet of these kinds ----------------------------------------- */

static const struct sl_packet_spec others4[] = {
	{ .proto = IPPROTO_TCP, .sport = 1, .dport = 6080, .tcp_flags = SL_TCP_SYN },
	{ .proto = IPPROTO_UDP, .sport = 6080, .dport = 6081, .payload = 40 },
	{ .proto = IPPROTO_UDP, .sport = 1, .dport = 6080, .payload = 40, .frag = 0x0004 },
	{ .proto = IPPROTO_ICMP, .icmp_type = 8, .payload = 40 },
	{ .proto = 47, .payload = 60 },			     /* GRE */
	{ .proto = 50, .payload = 60 },			     /* ESP */
	{ .proto = 4, .payload = 60, .vlans = 3 },	     /* a third tag is not looked behind */
	{ .proto = 4, .payload = 60, .ethertype = 0x0806 },  /* ARP */
	{ .proto = 41, .payload = 60, .ethertype = 0x8847 }, /* MPLS */
}, others6[] = {
	{ .proto = IPPROTO_TCP, .sport = 1, .dport = 6080, .tcp_flags = SL_TCP_SYN },
	{ .proto = IPPROTO_UDP, .sport = 6080, .dport = 6081, .payload = 40, .ext = { 60 }, .n_ext = 1 },
	{ .proto = IPPROTO_UDP, .sport = 1, .dport = 6080, .payload = 40, .ext = { 44 }, .n_ext = 1,
	  .frag = 0x20 },
	{ .proto = IPPROTO_ICMPV6, .icmp_type = 135, .payload = 24 },
	{ .proto = 47, .payload = 60 },
	{ .proto = 59 },
	{ .proto = 41, .payload = 60, .ext = { 60, 60, 60, 60, 60 }, .n_ext = 5 },
};

static const char *passes(struct sl_packet_spec s, bool is_v6)
{
	struct sl_packet p = sl_decap_inner_of(s, is_v6);

	memcpy(rig.frame.byte, p.byte, p.len);
	rig.frame.len = p.len;
	return sl_decap_untouched(&rig, R(OTHER));
}

static void others(void)
{
	char name[80];

	for (unsigned i = 0; i < sizeof(others4) / sizeof(others4[0]); i++) {
		snprintf(name, sizeof(name), "passes untouched: IPv4, row %u, protocol %u", i,
			 others4[i].proto);
		sl_decap_expect(name, passes(others4[i], false));
	}
	for (unsigned i = 0; i < sizeof(others6) / sizeof(others6[0]); i++) {
		snprintf(name, sizeof(name), "passes untouched: IPv6, row %u, protocol %u", i,
			 others6[i].proto);
		sl_decap_expect(name, passes(others6[i], true));
	}
}

/* GUE to a port that was not told is somebody's datagram. */
static void other_port(void)
{
	struct sl_packet in = sl_decap_inner_tcp(false, 0);
	struct sl_decap_outer o = sl_decap_outer_of(false, true);

	o.dport = 6081;
	o.from = SL_DECAP_STRANGER4;
	sl_decap_frame_wrap(&in, &o, &rig.frame);
	sl_decap_expect("GUE to another port passes untouched, a stranger's too",
			sl_decap_untouched(&rig, R(OTHER)));
}

/* A row for each reason but the one that only a broken kernel gives. */
static void all_reached(void)
{
	char name[80];

	for (unsigned i = R(NEXT) + 1; i < SL_DECAP_REASONS_MAX; i++) {
		if (!strcmp(sl_decap_label(i), "none") || i == R(BUG_HEAD))
			continue;
		/* these two need frames that end early: test_decap.c */
		if (i == R(GUE_SHORT) || i == R(INNER_SHORT) || i == R(OUTER_LENGTH))
			continue;
		snprintf(name, sizeof(name), "reason %s is reached", sl_decap_label(i));
		sl_decap_expect(name, rig.reached[i] ? NULL : "by no row");
	}
}

int main(void)
{
	sl_decap_rig_open(&rig);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(&rows[i]);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		bool source = row->change.from && strstr(row->name, "a stranger");

		if ((source && !strstr(row->name, "'")) || row->want == R(NOT_TO_US))
			control(row);
	}
	others();
	other_port();
	all_reached();
	sl_decap_rig_close(&rig);
	return sl_tap_done();
}
