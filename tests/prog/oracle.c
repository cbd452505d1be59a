/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/oracle.h"

#include <arpa/inet.h>
#include <string.h>

#define ETH 14u

enum part { WHOLE, FIRST, LATER };

struct view {
	const uint8_t *frame;
	uint32_t len;
	uint32_t l3, l4;   /* offsets of the network and transport header */
	uint32_t l4_says;  /* bytes from l4 on, by the network header's account; may wrap */
	uint32_t from, to; /* offsets of the addresses */
	uint32_t width;	   /* bytes of an address */
	bool is_v6;
	enum part part;
	uint8_t proto;
};

static uint32_t word(const struct view *v, uint32_t at)
{
	return (uint32_t)v->frame[at] << 8 | v->frame[at + 1];
}

/* ---- section 1 ---------------------------------------------------------------------------- */

static enum sl_reason read_eth(struct view *v)
{
	uint32_t at = 12, tags = 0;

	if (v->len < ETH)
		return SL_R_ETH_SHORT;
	while ((word(v, at) == 0x8100 || word(v, at) == 0x88a8) && tags++ < 2) {
		at += 4;
		if (v->len < at + 2)
			return SL_R_ETH_SHORT;
	}
	v->l3 = at + 2;
	v->is_v6 = word(v, at) == 0x86dd;
	return v->is_v6 || word(v, at) == 0x0800 ? SL_R_NEXT : SL_R_NOT_IP;
}

/* ---- sections 2 and 3 ---------------------------------------------------------------------- */

static enum sl_reason read_ipv4(struct view *v)
{
	uint32_t header;

	if (v->len < v->l3 + 20)
		return SL_R_IP4_SHORT;
	header = (v->frame[v->l3] & 0x0fu) * 4;
	if (v->frame[v->l3] >> 4 != 4 || header < 20)
		return SL_R_IP4_BAD;
	if (v->len < v->l3 + header)
		return SL_R_IP4_SHORT;
	v->part = WHOLE;
	if (word(v, v->l3 + 6) & 0x2000)
		v->part = FIRST;
	if (word(v, v->l3 + 6) & 0x1fff)
		v->part = LATER;
	v->proto = v->frame[v->l3 + 9];
	v->from = v->l3 + 12;
	v->to = v->l3 + 16;
	v->width = 4;
	v->l4 = v->l3 + header;
	v->l4_says = word(v, v->l3 + 2) - header;
	return SL_R_NEXT;
}

/* One extension header at v->l4, of the kind v->proto. */
static enum sl_reason walk_header(struct view *v)
{
	uint32_t bytes = 8;

	if (v->len < v->l4 + 8)
		return SL_R_IP6_SHORT;
	if (v->proto != 44)
		bytes += 8u * v->frame[v->l4 + 1];
	if (v->len < v->l4 + bytes)
		return SL_R_IP6_SHORT;
	if (v->proto == 43 && v->frame[v->l4 + 3])
		return SL_R_IP6_EXT;
	if (v->proto == 44) {
		uint32_t fragment = word(v, v->l4 + 2);

		if (fragment >> 3)
			v->part = LATER;
		else if (fragment & 1)
			v->part = FIRST;
	}
	v->proto = v->frame[v->l4];
	v->l4 += bytes;
	v->l4_says -= bytes;
	return SL_R_NEXT;
}

static enum sl_reason read_ipv6(struct view *v)
{
	if (v->len < v->l3 + 40)
		return SL_R_IP6_SHORT;
	if (v->frame[v->l3] >> 4 != 6)
		return SL_R_IP6_BAD;
	v->part = WHOLE;
	v->proto = v->frame[v->l3 + 6];
	v->from = v->l3 + 8;
	v->to = v->l3 + 24;
	v->width = 16;
	v->l4 = v->l3 + 40;
	v->l4_says = word(v, v->l3 + 4);
	for (unsigned walked = 0; v->part != LATER && memchr("\0\x2b\x3c\x2c", v->proto, 4);
	     walked++) {
		enum sl_reason why = walked < 4 ? walk_header(v) : SL_R_IP6_EXT;

		if (why != SL_R_NEXT)
			return why;
	}
	return SL_R_NEXT;
}

static enum sl_reason read_ip(struct view *v)
{
	return v->is_v6 ? read_ipv6(v) : read_ipv4(v);
}

/* ---- section 5 ---------------------------------------------------------------------------- */

/* The service of {the address at @at, @port, @proto}. */
static enum sl_fix service_at(const struct view *v, uint32_t at, uint32_t port, uint8_t proto)
{
	for (enum sl_fix id = SL_FIX_TCP4; id < SL_FIX_END; id++) {
		struct sl_packet_spec spec = sl_fix_spec(id, 0);
		uint8_t addr[16] = {};

		if (!!strchr(spec.to, ':') != v->is_v6 || spec.proto != proto || spec.dport != port)
			continue;
		inet_pton(v->is_v6 ? AF_INET6 : AF_INET, spec.to, addr);
		if (!memcmp(v->frame + at, addr, v->width))
			return id;
	}
	return 0;
}

/* An address that has services; @ret_hash3: the one with hash3 among them, or 0. */
static bool owned(const struct view *v, enum sl_fix *ret_hash3)
{
	*ret_hash3 = service_at(v, v->to, 53, 17);
	if (*ret_hash3 != SL_FIX_HASH4 && *ret_hash3 != SL_FIX_HASH6) {
		bool ours = *ret_hash3;

		*ret_hash3 = 0;
		return ours; /* every address of the fixture has a UDP service there */
	}
	return true;
}

static enum sl_reason judge_length(const struct view *v)
{
	if (v->l4_says <= v->len - v->l4)
		return SL_R_NEXT;
	return v->is_v6 ? SL_R_IP6_LENGTH : SL_R_IP4_LENGTH;
}

static bool to_itself(const struct view *v)
{
	return !memcmp(v->frame + v->from, v->frame + v->to, v->width);
}

static enum sl_reason judge_tcp(const struct view *v)
{
	uint32_t header;
	uint8_t flags;

	if (v->l4_says < 20 || v->len - v->l4 < 20)
		return SL_R_TCP_BAD;
	header = (v->frame[v->l4 + 12] >> 4) * 4u;
	flags = v->frame[v->l4 + 13];
	if (header < 20 || header > v->l4_says)
		return SL_R_TCP_BAD;
	if (!(flags & 0x17)) /* neither FIN, SYN, RST nor ACK */
		return SL_R_TCP_BAD;
	if ((flags & 0x02) && (flags & 0x05)) /* SYN with FIN or RST */
		return SL_R_TCP_BAD;
	return SL_R_SENT;
}

static enum sl_reason judge_udp(const struct view *v)
{
	if (v->l4_says < 8 || v->len - v->l4 < 8 || word(v, v->l4 + 4) < 8)
		return SL_R_UDP_BAD;
	/* a first fragment holds less than the datagram it is part of */
	if (word(v, v->l4 + 4) > v->l4_says && v->part != FIRST)
		return SL_R_UDP_BAD;
	return SL_R_SENT;
}

/* ---- sections 6 and 7 ----------------------------------------------------------------------- */

static enum sl_reason judge_later(const struct view *v, enum sl_fix *ret_service)
{
	enum sl_fix hash3;
	enum sl_reason why;

	if (!owned(v, &hash3))
		return SL_R_FRAGMENT;
	if (v->proto != 17 || !hash3)
		return SL_R_FRAGMENT_DROPPED;
	*ret_service = hash3;
	why = judge_length(v);
	if (why != SL_R_NEXT)
		return why;
	return to_itself(v) ? SL_R_SOURCE_BAD : SL_R_SENT;
}

static enum sl_reason judge_error(const struct view *v, enum sl_fix *ret_service)
{
	struct view q = *v;
	enum sl_reason why;

	q.l3 = v->l4 + 8;
	if (read_ip(&q) != SL_R_NEXT)
		return SL_R_ICMP_OTHER;
	if ((q.proto != 6 && q.proto != 17) || q.part == LATER || q.len < q.l4 + 8)
		return SL_R_ICMP_OTHER;
	if (memcmp(v->frame + q.from, v->frame + v->to, v->width))
		return SL_R_ICMP_OTHER;
	*ret_service = service_at(&q, q.from, word(&q, q.l4), q.proto);
	if (!*ret_service)
		return SL_R_NO_SERVICE;
	why = judge_length(v);
	return why == SL_R_NEXT ? SL_R_SENT : why;
}

static bool echo_refused(const struct view *v)
{
	static const uint8_t zeros[16], ones[4] = { 255, 255, 255, 255 };
	const uint8_t *from = v->frame + v->from;

	if (to_itself(v) || (v->frame[0] & 1) || !memcmp(from, zeros, v->width))
		return true;
	if (v->is_v6)
		return from[0] == 255;
	return (from[0] >= 224 && from[0] <= 239) || !memcmp(from, ones, 4);
}

static enum sl_reason judge_icmp(const struct view *v, enum sl_fix *ret_service)
{
	uint8_t type, code;
	enum sl_fix hash3;
	enum sl_reason why;

	if (v->part != WHOLE)
		return SL_R_FRAGMENT;
	if (v->len < v->l4 + 8)
		return SL_R_L4_SHORT;
	type = v->frame[v->l4];
	code = v->frame[v->l4 + 1];
	if (v->is_v6 ? type >= 1 && type <= 4 : type == 3 || type == 11 || type == 12)
		return judge_error(v, ret_service);
	if (type != (v->is_v6 ? 128 : 8) || code || !owned(v, &hash3))
		return SL_R_ICMP_OTHER;
	why = judge_length(v);
	if (why != SL_R_NEXT)
		return why;
	return echo_refused(v) ? SL_R_SOURCE_BAD : SL_R_ECHOED;
}

enum sl_reason sl_oracle_reason(const uint8_t *frame, uint32_t len, enum sl_fix *ret_service)
{
	struct view v = { .frame = frame, .len = len };
	enum sl_reason why = read_eth(&v);

	*ret_service = 0;
	if (why == SL_R_NEXT)
		why = read_ip(&v);
	if (why != SL_R_NEXT)
		return why;
	if (v.proto == (v.is_v6 ? 58 : 1))
		return judge_icmp(&v, ret_service);
	if (v.proto != 6 && v.proto != 17)
		return SL_R_L4_OTHER;
	if (v.part == LATER)
		return judge_later(&v, ret_service);
	if (len < v.l4 + 4)
		return SL_R_L4_SHORT;
	*ret_service = service_at(&v, v.to, word(&v, v.l4 + 2), v.proto);
	if (!*ret_service)
		return SL_R_NO_SERVICE;
	why = judge_length(&v);
	if (why != SL_R_NEXT)
		return why;
	if (to_itself(&v))
		return SL_R_SOURCE_BAD;
	if (!word(&v, v.l4))
		return SL_R_PORT_ZERO;
	return v.proto == 6 ? judge_tcp(&v) : judge_udp(&v);
}

/* ---- what leaves ---------------------------------------------------------------------------- */

static void exchange(uint8_t *a, uint8_t *b, uint32_t n)
{
	uint8_t was[16];

	memcpy(was, a, n);
	memcpy(a, b, n);
	memcpy(b, was, n);
}

/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m'), in one's complement. */
static void adjust(uint8_t *sum, uint32_t was, uint32_t is)
{
	uint32_t old = (uint32_t)sum[0] << 8 | sum[1], n = 0xffff - old + (0xffff - was) + is;

	while (n > 0xffff)
		n = n - 0x10000 + 1;
	n = 0xffff - n;
	sum[0] = (uint8_t)(n / 256);
	sum[1] = (uint8_t)(n % 256);
}

void sl_oracle_leaves(uint8_t *frame, enum sl_reason reason, enum sl_fix service)
{
	struct view v = { .frame = frame, .len = SL_PACKET_MAX };
	uint8_t *ip, *icmp;

	if (reason == SL_R_SENT)
		sl_rig_macs(sl_fix_backend(service), frame);
	if (reason != SL_R_ECHOED || read_eth(&v) != SL_R_NEXT || read_ip(&v) != SL_R_NEXT)
		return;
	ip = frame + v.l3;
	icmp = frame + v.l4;
	exchange(frame, frame + 6, 6);
	exchange(frame + v.from, frame + v.to, v.width);
	if (v.is_v6) {
		ip[7] = 64;
		icmp[0] = 129;
		adjust(icmp + 2, 128 * 256, 129 * 256);
	} else {
		adjust(ip + 10, ip[8] * 256u + ip[9], 64 * 256u + ip[9]);
		ip[8] = 64;
		icmp[0] = 0;
		adjust(icmp + 2, 8 * 256, 0);
	}
}
