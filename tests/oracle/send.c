/* SPDX-License-Identifier: BSD-2-Clause */
/* send: WALK.md 8: a packet on its way to the backend that was chosen. */
#include <string.h>

#include "tests/oracle/sum.h"
#include "tests/oracle/walk.h"

static unsigned tags_of(const struct sl_oracle_packet *p)
{
	return (p->ip.at - 14) / 4;
}

/* 8.3. Returns where the type of what follows goes. */
static uint32_t put_tags(struct sl_oracle_packet *p, const struct sl_oracle_backend *b)
{
	uint8_t *byte = p->out->byte;
	unsigned tags = tags_of(p);
	uint32_t priority = 0;

	if (!b->retags) {
		memcpy(byte + 12, p->frame + 12, 4 * tags);
		if (tags)
			sl_packet_reach(p, SL_BRANCH_TAGS_KEPT);
		return 12 + 4 * tags;
	}
	if (!b->vlan) {
		if (tags)
			sl_packet_reach(p, SL_BRANCH_TAGS_OFF);
		return 12;
	}
	if (tags && !sl_packet_is_wrong(p, SL_WRONG_PRIORITY))
		priority = p->frame[14] & 0xf0;
	sl_put16(byte + 12, 0x8100);
	sl_put16(byte + 14, priority << 8 | b->vlan);
	sl_packet_reach(p, SL_BRANCH_TAG_FOR_0 + tags);
	if (tags == 2 && sl_packet_is_wrong(p, SL_WRONG_TAGS)) {
		memcpy(byte + 16, p->frame + 16, 4);
		return 20;
	}
	return 16;
}

static uint32_t put_frame(struct sl_oracle_packet *p, const struct sl_oracle_backend *b)
{
	uint32_t at = put_tags(p, b), rest = p->len - p->ip.at;
	bool v6 = b->fwd == SL_FWD_L2 ? p->ip.v6 : b->outer6;

	memcpy(p->out->byte, b->macs, 12);
	sl_put16(p->out->byte + at, v6 ? 0x86dd : 0x0800);
	at += 2;
	if (b->fwd != SL_FWD_L2) {
		if (at > 14)
			sl_packet_reach(p,
					b->retags ? SL_BRANCH_OUTER_VLAN : SL_BRANCH_OUTER_TAGGED);
		return sl_outer_put(p, b, at);
	}
	memcpy(p->out->byte + at, p->frame + p->ip.at, rest);
	return at + rest;
}

/* 8.6 */
static enum sl_oracle_why leave(struct sl_oracle_packet *p, const struct sl_oracle_backend *b)
{
	struct sl_oracle_out *out = p->out;
	bool tunnel = b->fwd != SL_FWD_L2;

	if (p->first < p->len)
		sl_packet_reach(p, SL_BRANCH_BUFFERS);
	if (b->ifindex == p->ingress) {
		out->verdict = SL_ORACLE_TX;
		out->reach[SL_BRANCH_LEAVES_TX] = tunnel;
		return SL_WHY_SENT;
	}
	if (b->port >= SL_PORTS_MAX || !p->o->egress[b->port]) {
		out->may_be_written = true;
		out->reach[SL_BRANCH_LEAVES_NOT] = tunnel;
		return SL_WHY_NO_PORT;
	}
	out->verdict = SL_ORACLE_REDIRECT;
	out->port = b->port;
	out->reach[SL_BRANCH_LEAVES_REDIRECT] = tunnel;
	return SL_WHY_SENT;
}

enum sl_oracle_why sl_send(struct sl_oracle_packet *p)
{
	const struct sl_oracle_backend *b = &p->o->backend[p->out->backend];
	const uint8_t *ip = p->frame + p->ip.at;
	enum sl_oracle_why why;

	p->out->l3 = p->ip.v6 ? 40 + sl_parse_be16(ip + 4) : sl_parse_be16(ip + 2);
	if (!b->ifindex && !sl_packet_is_wrong(p, SL_WRONG_NEXT_HOP)) {
		p->out->may_be_written = true;
		p->out->len = put_frame(p, b);
		return SL_WHY_NO_NEXT_HOP;
	}
	why = sl_too_big(p, b);
	if (why)
		return why;
	p->out->len = put_frame(p, b);
	return leave(p, b);
}
