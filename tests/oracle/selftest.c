/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * selftest: the oracle against frames that were put together by hand from the
 * RFCs (791, 1071, 2003, 2473, 4443, 6040, 8200; GUE: draft-ietf-intarea-gue-09),
 * checksums by summing all bytes: oracle and program cannot be wrong together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/fuzz.h"
#include "tests/oracle/walk.h"
#include "tests/prog/tap.h"

/* Gives the port e789, the label 12345, the entropy cd ab 89 67, the id bits ab 89. */
#define HASH 0x0123456789abcdefull

#define CAME  "02000000000a 02000000000b "
#define LEFT  "02aabbccdd01 02aabbccdd02 "
#define REPLY "02000000000b 02000000000a "
#define IP4   "0800 "
#define IP6   "86dd "

/* TCP "ping" from 198.51.100.1:40000 to 192.0.2.10:80, DSCP EF, ECN 1, TTL 63, id 1c46. */
#define TCP                                             \
	"c6336401 c000020a 9c400050 00000001 00000002 " \
	"5010ffff 482d0000 70696e67"
#define IN4	 "45b9002c 1c464000 3f06328e " TCP
#define IN4_NODF "45b9002c 1c460000 3f06728e " TCP /* without DF */

/* UDP "abc" from [2001:db8:ffff::1]:40000 to [2001:db8::10]:4433, the same class. */
#define IN6                                                                        \
	"6b987654 000b1140 20010db8 ffff0000 00000000 00000001 20010db8 00000000 " \
	"00000000 00000010 9c401151 000b3261 616263"

/* 10.1.2.103 (its last byte entropy) to 10.9.8.7; fd00::1:2:3:8967 to fd00::9:8:7:6 */
#define ADDR4 "0a010267 0a090807 "
#define ADDR6 "fd000000 00000000 00010002 00038967 fd000000 00000000 00090008 00070006 "

/* 1,500 bytes, DF, of which 68 are quoted; the rest is zeros */
#define BIG4                                                                       \
	"450005dc 00014000 400648dc c6336401 c000020a 9c400050 00000001 00000002 " \
	"5010ffff 00000000"
#define BIG6                                                                       \
	"60000000 05b41140 20010db8 ffff0000 00000000 00000001 20010db8 00000000 " \
	"00000000 00000010 9c401151 05b40000"

struct row {
	const char *what, *came, *left;
	uint32_t came_len, left_len; /* with the zeros that follow */
	uint8_t fwd;
	bool outer6, retags;
	uint16_t vlan;
};

static const struct row rows[] = {
	{ "ipip 4 in 4", CAME IP4 IN4, LEFT IP4 "45b90040 00004000 40041b8a " ADDR4 IN4, 58, 78,
	  .fwd = SL_FWD_IPIP },
	{ "ipip 4 in 4, without DF", CAME IP4 IN4_NODF,
	  LEFT IP4 "45b90040 b7cf0000 4004a3ba " ADDR4 IN4_NODF, 58, 78, .fwd = SL_FWD_IPIP },
	{ "ipip 6 in 4", CAME IP6 IN6, LEFT IP4 "45b90047 00004000 40291b5e " ADDR4 IN6, 65, 85,
	  .fwd = SL_FWD_IPIP },
	{ "ipip 4 in 6", CAME IP4 IN4, LEFT IP6 "6b912345 002c0440 " ADDR6 IN4, 58, 98,
	  .fwd = SL_FWD_IPIP, .outer6 = true },
	{ "ipip 6 in 6", CAME IP6 IN6, LEFT IP6 "6b912345 00332940 " ADDR6 IN6, 65, 105,
	  .fwd = SL_FWD_IPIP, .outer6 = true },
	{ "gue 4 in 4", CAME IP4 IN4,
	  LEFT IP4 "45b9004c 00004000 40111b71 " ADDR4 "e78917c0 00380000 00040000" IN4, 58, 90,
	  .fwd = SL_FWD_GUE },
	{ "gue 6 in 4", CAME IP6 IN6,
	  LEFT IP4 "45b90053 00004000 40111b6a " ADDR4 "e78917c0 003f0000 00290000" IN6, 65, 97,
	  .fwd = SL_FWD_GUE },
	{ "gue 4 in 6, checksum summed by hand", CAME IP4 IN4,
	  LEFT IP6 "6b912345 00381140 " ADDR6 "e78917c0 00386901 00040000" IN4, 58, 110,
	  .fwd = SL_FWD_GUE, .outer6 = true },
	{ "gue 6 in 6, checksum summed by hand", CAME IP6 IN6,
	  LEFT IP6 "6b912345 003f1140 " ADDR6 "e78917c0 003f8954 00290000" IN6, 65, 117,
	  .fwd = SL_FWD_GUE, .outer6 = true },
	{ "l2dsr keeps tags", CAME "88a8a123 81000456" IP4 IN4, LEFT "88a8a123 81000456" IP4 IN4,
	  66, 66, .fwd = SL_FWD_L2 },
	{ "a VLAN takes the first tag's priority and DEI", CAME "88a8b123 81000456" IP4 IN4,
	  LEFT "8100b064" IP4 IN4, 66, 62, .retags = true, .vlan = 100 },
	{ "a VLAN where no tag was", CAME IP4 IN4, LEFT "81000064" IP4 IN4, 58, 62, .retags = true,
	  .vlan = 100 },
	{ "VLAN 0 takes tags away", CAME "81002123" IP4 IN4, LEFT IP4 IN4, 62, 58, .retags = true },
	{ "a tag before a tunnel", CAME IP4 IN4, LEFT "81000064" IP6 "6b912345 002c0440 " ADDR6 IN4,
	  58, 102, .fwd = SL_FWD_IPIP, .outer6 = true, .retags = true, .vlan = 100 },
	{ "padding goes along and is in no length", CAME IP4 IN4 "a5a5",
	  LEFT IP4 "45b90040 00004000 40041b8a " ADDR4 IN4 "a5a5", 60, 80, .fwd = SL_FWD_IPIP },
	{ "too big, told in IPv4", CAME IP4 BIG4,
	  REPLY IP4 "45c00060 00004000 40014d9e c000020a c6336401 03040ae0 00000578" BIG4, 1514,
	  110, .fwd = SL_FWD_IPIP },
	{ "too big, told in IPv6", CAME IP6 BIG6,
	  REPLY IP6 "60000000 00883a40 20010db8 00000000 00000000 00000010 20010db8 ffff0000 "
		    "00000000 00000001 02001685 00000578" BIG6,
	  1514, 190, .fwd = SL_FWD_GUE },
	{ "too big behind a tag, which stays", CAME "81002123" IP4 BIG4,
	  REPLY "81002123" IP4 "45c00060 00004000 40014d9e c000020a c6336401 03040ae0 "
		"00000578" BIG4,
	  1518, 114, .retags = true, .vlan = 7 },
};

/* Hexadecimal digits to bytes, zeros behind. Returns how many the text holds. */
static uint32_t parse(const char *hex, uint8_t *ret, uint32_t len)
{
	uint32_t digits = 0;

	memset(ret, 0, len);
	for (; *hex && digits < 2 * len; hex++) {
		if (*hex == ' ')
			continue;
		ret[digits / 2] = (uint8_t)(ret[digits / 2] << 4 |
					    (*hex <= '9' ? *hex - '0' : *hex - 'a' + 10));
		digits++;
	}
	return *hex ? UINT32_MAX : digits / 2;
}

static void make_backend(const struct row *row, struct sl_oracle_backend *ret)
{
	*ret = (struct sl_oracle_backend){ .ifindex = 1,
					   .state = SL_DP_UP,
					   .fwd = row->fwd,
					   .outer6 = row->outer6,
					   .retags = row->retags,
					   .vlan = row->vlan,
					   .mtu = 1400,
					   .mtu_link = 1400,
					   .dport = 6080 };
	parse(LEFT, ret->macs, 12);
	if (row->outer6) {
		parse("fd000000 00000000 00010002 00030000", ret->saddr, 16);
		parse("fd000000 00000000 00090008 00070006", ret->daddr, 16);
		parse("0000ffff", ret->entropy, 4);
	} else {
		parse("0a010200", ret->saddr, 4);
		parse("0a090807", ret->daddr, 4);
		parse("000000ff", ret->entropy, 4);
	}
}

static void check_row(struct sl_oracle *o, const struct row *row, struct sl_oracle_out *out)
{
	static uint8_t frame[SL_ORACLE_FRAME], want[SL_ORACLE_LEFT];
	struct sl_oracle_packet p = { .o = o,
				      .frame = frame,
				      .len = row->came_len,
				      .first = row->came_len,
				      .ingress = 1,
				      .out = out };
	uint32_t at, i = 0;
	bool v6, ok;

	ok = parse(row->came, frame, row->came_len) <= row->came_len &&
	     parse(row->left, want, row->left_len) <= row->left_len;
	memset(out, 0, sizeof(*out));
	out->backend = 1;
	out->hash = HASH;
	make_backend(row, &o->backend[1]);
	ok = ok && !sl_parse_eth(frame, p.len, &at, &v6) &&
	     !sl_parse_ip(frame, p.len, at, v6, &p.ip);
	if (ok)
		(void)sl_send(&p);
	while (ok && i < row->left_len && i < out->len && out->byte[i] == want[i])
		i++;
	sl_tap(ok && out->len == row->left_len && i == out->len && out->verdict == SL_ORACLE_TX &&
		       !out->sum_wrong,
	       row->what, "%u bytes, should be %u; byte %u is %#x, should be %#x", out->len,
	       row->left_len, i, out->byte[i], want[i]);
}

/* The first bytes of what RFC 9001 and RFC 9369 print, and what lies next to them. */
static void check_quic(struct sl_oracle *o, struct sl_oracle_out *out)
{
	static const struct {
		const char *what, *payload;
		bool initial;
	} quic[] = {
		{ "RFC 9001, A.2: a client's Initial", "c000000001088394c8f03e515708", true },
		{ "RFC 9369, A.2: the same in version 2", "d76b3343cf088394c8f03e515708", true },
		{ "version 2's type for 0-RTT is not one", "e76b3343cf088394c8f03e515708", false },
		{ "version 1's type in version 2 is not one", "c06b3343cf08", false },
		{ "version 2's type in version 1 is not one", "d00000000108", false },
		{ "a short header is not one", "4000000001088394c8f0", false },
		{ "another version is not one", "c000000002088394c8f0", false },
		{ "four bytes are not enough", "c0000000", false },
		{ "five are", "c000000001", true },
	};
	uint8_t udp[64];
	char name[100];

	for (size_t i = 0; i < sizeof(quic) / sizeof(quic[0]); i++) {
		struct sl_oracle_packet p = { .o = o, .frame = udp, .out = out };
		uint32_t n;

		memset(udp, 0, sizeof(udp));
		n = parse(quic[i].payload, udp + 8, sizeof(udp) - 8);
		memset(udp + 8 + n, 1, sizeof(udp) - 8 - n); /* padding, which is no payload */
		udp[5] = (uint8_t)(8 + n);
		p.ip.l4_len = 8 + n;
		p.len = p.first = sizeof(udp);
		snprintf(name, sizeof(name), "quic: %s", quic[i].what);
		sl_tap(sl_quic_is_initial(&p) == quic[i].initial, name, "it is taken for %s",
		       quic[i].initial ? "another" : "one");
	}
}

void sl_selftest_all(void)
{
	struct sl_oracle *o = calloc(1, sizeof(*o));
	struct sl_oracle_out *out = calloc(1, sizeof(*out));
	char name[100];

	if (!o || !out)
		sl_tap_bail("the oracle by itself", "no memory");
	o->n_services = 1;
	o->tick_shift = 10;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct row row = rows[i];

		snprintf(name, sizeof(name), "by hand: %s", row.what);
		row.what = name;
		check_row(o, &row, out);
	}
	check_quic(o, out);
	free(out);
	free(o);
}
