/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/oracle.h"

#include <arpa/inet.h>
#include <string.h>

#define ETH 14u

struct view {
	const uint8_t *frame;
	uint32_t len;
	uint32_t l4;  /* offset of the transport header */
	uint32_t end; /* where the datagram ends, by its own account */
	bool is_v6;
	bool first_fragment;
	uint8_t proto;
};

static uint32_t word(const struct view *v, uint32_t at)
{
	return (uint32_t)v->frame[at] << 8 | v->frame[at + 1];
}

static enum sl_fix service_of(const struct view *v)
{
	const uint8_t *to = v->frame + ETH + (v->is_v6 ? 24 : 16);
	uint8_t ours[16] = {};

	inet_pton(v->is_v6 ? AF_INET6 : AF_INET, v->is_v6 ? SL_FIX_V6 : SL_FIX_V4, ours);
	if (memcmp(to, ours, v->is_v6 ? 16 : 4))
		return 0;
	for (enum sl_fix id = SL_FIX_TCP4; id < SL_FIX_END; id++) {
		struct sl_packet_spec spec = sl_fix_spec(id, 0);

		if (!!strchr(spec.to, ':') == v->is_v6 && spec.proto == v->proto &&
		    spec.dport == word(v, v->l4 + 2))
			return id;
	}
	return 0;
}

static enum sl_reason read_ipv4(struct view *v)
{
	uint32_t header;

	if (v->len < ETH + 20)
		return SL_R_IP4_SHORT;
	header = (v->frame[ETH] & 0x0fu) * 4;
	if (v->frame[ETH] >> 4 != 4 || header < 20)
		return SL_R_IP4_BAD;
	if (word(v, ETH + 6) & 0x1fff)
		return SL_R_IP4_FRAGMENT;
	v->first_fragment = word(v, ETH + 6) & 0x2000;
	v->proto = v->frame[ETH + 9];
	v->l4 = ETH + header;
	v->end = ETH + word(v, ETH + 2);
	return SL_R_NEXT;
}

static enum sl_reason read_ipv6(struct view *v)
{
	if (v->len < ETH + 40)
		return SL_R_IP6_SHORT;
	if (v->frame[ETH] >> 4 != 6)
		return SL_R_IP6_BAD;
	v->proto = v->frame[ETH + 6];
	v->l4 = ETH + 40;
	v->end = v->l4 + word(v, ETH + 4);
	return SL_R_NEXT;
}

static enum sl_reason judge_tcp(const struct view *v)
{
	uint32_t has = v->end - v->l4, header;
	uint8_t flags;

	if (has < 20)
		return SL_R_TCP_BAD;
	header = (v->frame[v->l4 + 12] >> 4) * 4u;
	flags = v->frame[v->l4 + 13];
	if (header < 20 || header > has)
		return SL_R_TCP_BAD;
	if (!(flags & 0x17)) /* neither FIN, SYN, RST nor ACK */
		return SL_R_TCP_BAD;
	if ((flags & 0x02) && (flags & 0x05)) /* SYN with FIN or RST */
		return SL_R_TCP_BAD;
	return SL_R_SENT;
}

static enum sl_reason judge_udp(const struct view *v)
{
	uint32_t has = v->end - v->l4;

	if (has < 8 || word(v, v->l4 + 4) < 8)
		return SL_R_UDP_BAD;
	/* a first fragment holds less than the datagram it is part of */
	if (word(v, v->l4 + 4) > has && !v->first_fragment)
		return SL_R_UDP_BAD;
	return SL_R_SENT;
}

enum sl_reason sl_oracle_reason(const uint8_t *frame, uint32_t len, enum sl_fix *ret_service)
{
	struct view v = { .frame = frame, .len = len };
	enum sl_reason why;

	*ret_service = 0;
	if (len < ETH)
		return SL_R_ETH_SHORT;
	v.is_v6 = word(&v, 12) == 0x86dd;
	if (!v.is_v6 && word(&v, 12) != 0x0800)
		return SL_R_NOT_IP;
	why = v.is_v6 ? read_ipv6(&v) : read_ipv4(&v);
	if (why != SL_R_NEXT)
		return why;
	if (v.proto != 6 && v.proto != 17)
		return SL_R_L4_OTHER;
	if (len < v.l4 + 4)
		return SL_R_L4_SHORT;
	*ret_service = service_of(&v);
	if (!*ret_service)
		return SL_R_NO_SERVICE;
	if (v.end < v.l4 || v.end > len)
		return v.is_v6 ? SL_R_IP6_LENGTH : SL_R_IP4_LENGTH;
	if (!word(&v, v.l4))
		return SL_R_PORT_ZERO;
	return v.proto == 6 ? judge_tcp(&v) : judge_udp(&v);
}
