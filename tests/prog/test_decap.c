/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_decap: what the backend's program accepts: every combination of
 * tunnels, RFC 6040's table, and frames that end anywhere. What it refuses is
 * in test_decap_refuse.c.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/prog/decap_rig.h"
#include "tests/prog/tap.h"

static struct sl_decap_rig rig;

/* ---- what is accepted --------------------------------------------------------- */

#define COMBINATIONS 24u

/* Number @n of them: tags, then the outer and inner family, then the kind. */
static void combination(unsigned n, unsigned *ret_tags, bool *ret_outer6, bool *ret_inner6,
			bool *ret_gue)
{
	*ret_tags = n % 3;
	*ret_outer6 = n / 3 & 1;
	*ret_inner6 = n / 6 & 1;
	*ret_gue = n / 12 & 1;
}

static const struct sl_packet_spec kinds4[] = {
	{ .proto = IPPROTO_TCP, .sport = 1, .dport = 2, .tcp_flags = SL_TCP_SYN },
	{ .proto = IPPROTO_TCP, .sport = 1, .dport = 2, .tcp_flags = SL_TCP_ACK, .payload = 1400,
	  .ip_options = 40 },
	{ .proto = IPPROTO_UDP, .sport = 1, .dport = 2, .payload = 1 },
	{ .proto = IPPROTO_UDP, .sport = 1, .dport = 2, .payload = 64, .frag = 0x2000 },
	{ .proto = IPPROTO_ICMP, .icmp_type = 3, .icmp_code = 4, .payload = 28 },
	{ .proto = 200, .payload = 0 },
}, kinds6[] = {
	{ .proto = IPPROTO_TCP, .sport = 1, .dport = 2, .tcp_flags = SL_TCP_SYN },
	{ .proto = IPPROTO_TCP, .sport = 1, .dport = 2, .payload = 1400, .ext = { 0, 60 },
	  .n_ext = 2 },
	{ .proto = IPPROTO_UDP, .sport = 1, .dport = 2, .payload = 1 },
	{ .proto = IPPROTO_UDP, .sport = 1, .dport = 2, .payload = 64, .ext = { 44 }, .n_ext = 1,
	  .frag = 1 },
	{ .proto = IPPROTO_ICMPV6, .icmp_type = 2, .payload = 48 },
	{ .proto = 59, .payload = 0 },
};

static void accepted(void)
{
	for (unsigned n = 0; n < COMBINATIONS; n++) {
		const char *why = NULL;
		bool outer6, inner6, gue;
		unsigned tags, kind;
		char name[100];

		combination(n, &tags, &outer6, &inner6, &gue);
		for (kind = 0; kind < 6 && !why; kind++) {
			struct sl_packet_spec s = inner6 ? kinds6[kind] : kinds4[kind];
			struct sl_decap_outer o = sl_decap_outer_of(outer6, gue);
			struct sl_packet in;

			s.vlans = (uint8_t)tags;
			s.tag_type = tags == 2 ? 0x88a8 : 0;
			o.udp_check = gue && kind % 2 ? 0xbad0 : 0; /* not verified */
			in = sl_decap_inner_of(s, inner6);
			sl_decap_frame_wrap(&in, &o, &rig.frame);
			why = sl_decap_becomes(&rig, gue ? SL_DECAP_R_GUE : SL_DECAP_R_IPIP,
					       in.byte, in.len);
		}
		snprintf(name, sizeof(name), "%s in %s by %s, %u tags: 6 inner packets",
			 sl_decap_family(inner6), sl_decap_family(outer6), gue ? "GUE" : "IPIP",
			 tags);
		sl_decap_expect(name, why);
	}
}

/* Behind the datagram: padding of the cable, or of the tunnel; it stays. */
static void trailers(void)
{
	struct sl_packet in = sl_decap_inner_tcp(false, 0);
	struct sl_decap_outer o = sl_decap_outer_of(false, true);
	uint8_t want[SL_PACKET_MAX];

	memcpy(want, in.byte, in.len);
	memset(want + in.len, 0xee, 30);
	sl_decap_frame_wrap(&in, &o, &rig.frame);
	memset(rig.frame.byte + rig.frame.len, 0xee, 30);
	rig.frame.len += 30;
	sl_decap_expect("padding of the cable stays behind the datagram",
			sl_decap_becomes(&rig, SL_DECAP_R_GUE, want, in.len + 30));
	sl_decap_frame_cut(&rig.frame, rig.frame.len, true);
	sl_decap_expect("padding within the tunnel stays as well",
			sl_decap_becomes(&rig, SL_DECAP_R_GUE, want, in.len + 30));
}

/* More than one buffer (xdp.frags): the headers are in the first. */
static void large(void)
{
	static uint8_t want[SL_DECAP_FRAME_MAX];
	const uint32_t n = 8000;

	for (unsigned i = 0; i < 4; i++) {
		struct sl_packet in = sl_decap_inner_tcp(i & 1, 1);
		struct sl_decap_outer o = sl_decap_outer_of(i & 2, i & 1);
		char name[80];

		if (in.is_v6)
			sl_packet_put16(in.byte + in.l3 + 4, (uint16_t)(n - 40));
		else
			sl_packet_put16(in.byte + in.l3 + 2, (uint16_t)n);
		memset(want, 0x5a, sizeof(want));
		memcpy(want, in.byte, in.len);
		in.len = in.l3 + 120; /* of the header's length, only these are copied */
		sl_packet_put16(in.byte + in.l3 + (in.is_v6 ? 4 : 2),
				(uint16_t)(in.is_v6 ? 80 : 120));
		sl_decap_frame_wrap(&in, &o, &rig.frame);
		memcpy(rig.frame.byte + rig.frame.inner, want + in.l3, n);
		sl_decap_frame_cut(&rig.frame, rig.frame.inner + n, true);
		snprintf(name, sizeof(name), "a datagram of 8,000 bytes, %s in %s",
			 sl_decap_family(in.is_v6), sl_decap_family(i & 2));
		sl_decap_expect(name,
				sl_decap_becomes(&rig, i & 1 ? SL_DECAP_R_GUE : SL_DECAP_R_IPIP,
						 want, in.l3 + n));
		rig.frame.len--;
		snprintf(name, sizeof(name), "the same, one byte lost, %s in %s",
			 sl_decap_family(in.is_v6), sl_decap_family(i & 2));
		sl_decap_expect(name, sl_decap_untouched(&rig, SL_DECAP_R_OUTER_LENGTH));
	}
}

/* ---- RFC 6040, section 4.2, figure 4 -------------------------------------------- */

enum { NOT, ECT1, ECT0, CE, LOST };

static const uint8_t congestion[4][4] = {
	/* [inner][outer] */
	[NOT] = { [NOT] = NOT, [ECT0] = NOT, [ECT1] = NOT, [CE] = LOST },
	[ECT0] = { [NOT] = ECT0, [ECT0] = ECT0, [ECT1] = ECT1, [CE] = CE },
	[ECT1] = { [NOT] = ECT1, [ECT0] = ECT1, [ECT1] = ECT1, [CE] = CE },
	[CE] = { [NOT] = CE, [ECT0] = CE, [ECT1] = CE, [CE] = CE },
};

static void set_ecn(struct sl_packet *p, uint8_t ecn)
{
	uint8_t *ip = p->byte + p->l3;

	if (p->is_v6)
		sl_packet_put16(ip, (uint16_t)(0x6b85 | ecn << 4)); /* a class and a flow label */
	else
		ip[1] = (uint8_t)(0xb8 | ecn);
	sl_packet_seal(p);
}

static const char *ecn_row(bool outer6, bool inner6, bool gue, uint8_t inner, uint8_t outer)
{
	struct sl_decap_outer o = sl_decap_outer_of(outer6, gue);
	struct sl_packet in = sl_decap_inner_tcp(inner6, 1);

	o.ecn = outer;
	set_ecn(&in, inner);
	sl_decap_frame_wrap(&in, &o, &rig.frame);
	if (congestion[inner][outer] == LOST)
		return sl_decap_untouched(&rig, SL_DECAP_R_ECN);
	set_ecn(&in, congestion[inner][outer]);
	return sl_decap_becomes(&rig, gue ? SL_DECAP_R_GUE : SL_DECAP_R_IPIP, in.byte, in.len);
}

static void ecn(void)
{
	static const char *const words[] = { "not-ECT", "ECT(1)", "ECT(0)", "CE", "dropped" };

	for (uint8_t i = 0; i < 4; i++) {
		for (uint8_t o = 0; o < 4; o++) {
			const char *why = NULL;
			char name[100];

			for (unsigned n = 0; n < 8 && !why; n++)
				why = ecn_row(n & 1, n & 2, n & 4, i, o);
			snprintf(name, sizeof(name), "ECN: inner %s, outer %s: %s", words[i],
				 words[o], words[congestion[i][o]]);
			sl_decap_expect(name, why);
		}
	}
}

/* ---- frames that end anywhere ------------------------------------------------------ */

/* Where the outer headers still say the whole length. */
static enum sl_decap_reason cut_untold(uint32_t len, uint32_t whole)
{
	uint32_t read = rig.frame.ip + (rig.frame.is_v6 ? 40 : 20) + (rig.frame.udp ? 8 : 0);

	if (len < read)
		return SL_DECAP_R_OTHER;
	if (len < whole)
		return SL_DECAP_R_OUTER_LENGTH;
	return rig.frame.udp ? SL_DECAP_R_GUE : SL_DECAP_R_IPIP;
}

/* Where the outer headers say the length that is left; from the inner header's start on. */
static enum sl_decap_reason cut_told(uint32_t len, uint32_t whole, bool inner6)
{
	if (rig.frame.udp && len < rig.frame.inner)
		return SL_DECAP_R_GUE_SHORT;
	if (len < rig.frame.inner + (inner6 ? 40 : 20))
		return SL_DECAP_R_INNER_SHORT;
	if (len < whole)
		return SL_DECAP_R_INNER_LENGTH;
	return rig.frame.udp ? SL_DECAP_R_GUE : SL_DECAP_R_IPIP;
}

static void truncated(void)
{
	for (unsigned n = 0; n < COMBINATIONS; n++) {
		const char *why = NULL;
		bool outer6, inner6, gue;
		struct sl_decap_outer o;
		struct sl_packet in;
		uint32_t whole, len;
		unsigned tags;
		char name[100];

		combination(n, &tags, &outer6, &inner6, &gue);
		o = sl_decap_outer_of(outer6, gue);
		in = sl_decap_inner_tcp(inner6, (uint8_t)tags);
		sl_decap_frame_wrap(&in, &o, &rig.frame);
		whole = rig.frame.len;
		for (len = 14; len < whole && !why; len++) {
			sl_decap_frame_cut(&rig.frame, len, false);
			why = sl_decap_untouched(&rig, cut_untold(len, whole));
		}
		len = rig.frame.udp ? rig.frame.gue : rig.frame.inner;
		for (; len < whole && !why; len++) {
			sl_decap_frame_cut(&rig.frame, len, true);
			why = sl_decap_untouched(&rig, cut_told(len, whole, inner6));
		}
		snprintf(name, sizeof(name), "cut at each of %u lengths, %s in %s by %s, %u tags",
			 whole - 14, sl_decap_family(inner6), sl_decap_family(outer6),
			 gue ? "GUE" : "IPIP", tags);
		sl_decap_expect(name, why);
	}
}

int main(void)
{
	sl_decap_rig_open(&rig);
	accepted();
	trailers();
	large();
	ecn();
	truncated();
	sl_decap_rig_close(&rig);
	return sl_tap_done();
}
