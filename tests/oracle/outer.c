/* SPDX-License-Identifier: BSD-2-Clause */
/* outer: WALK.md 8.4: the headers that carry a packet through a tunnel. */
#include <string.h>

#include <sluice/hash.h>

#include "tests/oracle/sum.h"
#include "tests/oracle/walk.h"

#define IN_IP4 4u
#define IN_IP6 41u
#define GUE    12u /* its UDP header and its own */

/* TOS or traffic class, ECN included (RFC 6040, 3.1: normal mode). */
static uint32_t class_of(const struct sl_oracle_packet *p)
{
	const uint8_t *ip = p->frame + p->ip.at;
	uint32_t class = p->ip.v6 ? (ip[0] & 15u) << 4 | ip[1] >> 4 : ip[1];

	if (sl_packet_is_wrong(p, SL_WRONG_ECN))
		class &= 0xfc;
	if (sl_packet_is_wrong(p, SL_WRONG_DSCP))
		class &= 3;
	return class;
}

static uint32_t ttl_of(const struct sl_oracle_packet *p)
{
	return 64 - sl_packet_is_wrong(p, SL_WRONG_TTL);
}

/* The source's last four bytes. */
static void put_entropy(struct sl_oracle_packet *p, const struct sl_oracle_backend *b, uint8_t *at)
{
	uint32_t entropy = sl_hash_entropy(p->out->hash), bits = 0;

	for (unsigned i = 0; i < 4; i++) {
		uint8_t byte = (uint8_t)(entropy >> 8 * i), mask = b->entropy[i];

		if (sl_packet_is_wrong(p, SL_WRONG_ENTROPY))
			mask = (uint8_t)~mask;
		at[i] = (uint8_t)((at[i] & ~mask) | (byte & mask));
		bits += (uint32_t)__builtin_popcount(mask);
	}
	sl_packet_reach(p, bits == 0	? SL_BRANCH_ENTROPY_NONE
			   : bits == 32 ? SL_BRANCH_ENTROPY_ALL
					: SL_BRANCH_ENTROPY_SOME);
}

/* RFC 791; id and DF by RFC 6864: what may be fragmented needs an id of its own. */
static void put_ip4(struct sl_oracle_packet *p, const struct sl_oracle_backend *b, uint8_t *h,
		    uint32_t more, uint32_t proto)
{
	const uint8_t *ip = p->frame + p->ip.at;
	bool df = p->ip.v6 || sl_too_big_has_df(p);

	memset(h, 0, 20);
	sl_put8(h, 0x45);
	sl_put8(h + 1, class_of(p));
	sl_put16(h + 2, 20 + more + p->out->l3);
	if (df) {
		sl_put16(h + 6, sl_packet_is_wrong(p, SL_WRONG_DF) ? 0 : 0x4000);
	} else if (!sl_packet_is_wrong(p, SL_WRONG_ID)) {
		sl_put8(h + 4, ip[4] ^ (uint8_t)(p->out->hash >> 16));
		sl_put8(h + 5, ip[5] ^ (uint8_t)(p->out->hash >> 24));
	}
	sl_packet_reach(p, df ? SL_BRANCH_OUTER_DF : SL_BRANCH_OUTER_ID);
	sl_put8(h + 8, ttl_of(p));
	sl_put8(h + 9, proto);
	memcpy(h + 12, b->saddr, 4);
	put_entropy(p, b, h + 12);
	memcpy(h + 16, b->daddr, 4);
	sl_put16(h + 10, sl_sum_field(sl_sum_add(0, h, 20)));
}

/* RFC 8200, 3. */
static void put_ip6(struct sl_oracle_packet *p, const struct sl_oracle_backend *b, uint8_t *h,
		    uint32_t more, uint32_t proto)
{
	uint32_t label = sl_hash_label(p->out->hash);

	if (sl_packet_is_wrong(p, SL_WRONG_LABEL))
		label = 0;
	sl_put32(h, 6u << 28 | class_of(p) << 20 | label);
	sl_put16(h + 4, more + p->out->l3);
	sl_put8(h + 6, proto);
	sl_put8(h + 7, ttl_of(p));
	memcpy(h + 8, b->saddr, 16);
	put_entropy(p, b, h + 20);
	memcpy(h + 24, b->daddr, 16);
}

/* UDP, then GUE variant 0: no control bit, no optional words, what is inside, no flags. */
static void put_gue(const struct sl_oracle_packet *p, const struct sl_oracle_backend *b, uint8_t *h)
{
	uint32_t sport = sl_hash_sport(p->out->hash);

	sl_put16(h, sport ^ sl_packet_is_wrong(p, SL_WRONG_SPORT));
	sl_put16(h + 2, b->dport);
	sl_put16(h + 4, GUE + p->out->l3);
	sl_put16(h + 6, 0);
	sl_put8(h + 8, 0);
	sl_put8(h + 9, p->ip.v6 ? IN_IP6 : IN_IP4);
	sl_put16(h + 10, 0);
}

static void note(struct sl_oracle_packet *p, const struct sl_oracle_backend *b)
{
	unsigned kind = (b->fwd == SL_FWD_GUE ? 4 : 0) + (b->outer6 ? 2 : 0) + p->ip.v6;
	const uint8_t *ip = p->frame + p->ip.at;

	sl_packet_reach(p, SL_BRANCH_IPIP_44 + kind);
	sl_packet_reach(p, SL_BRANCH_ECN_0 + (p->ip.v6 ? ip[1] >> 4 & 3 : ip[1] & 3));
	p->out->reach[SL_BRANCH_OUTER_FIRST] = p->ip.frag == SL_FRAG_FIRST;
	p->out->reach[SL_BRANCH_OUTER_LATER] = p->ip.frag == SL_FRAG_LATER;
	p->out->reach[SL_BRANCH_OUTER_ERROR] = p->is_error;
	p->out->reach[SL_BRANCH_OUTER_PADDED] = p->len - p->ip.at > p->out->l3;
}

uint32_t sl_outer_put(struct sl_oracle_packet *p, const struct sl_oracle_backend *b, uint32_t at)
{
	bool gue = b->fwd == SL_FWD_GUE;
	uint32_t header = b->outer6 ? 40 : 20, more = gue ? GUE : 0, rest = p->len - p->ip.at;
	uint32_t proto = gue ? SL_UDP : p->ip.v6 ? IN_IP6 : IN_IP4;
	uint8_t *h = p->out->byte + at;

	if (b->outer6)
		put_ip6(p, b, h, more, proto);
	else
		put_ip4(p, b, h, more, proto);
	if (gue)
		put_gue(p, b, h + header);
	memcpy(h + header + more, p->frame + p->ip.at, rest);
	if (gue && b->outer6)
		sl_put16(h + header + 6, sl_outer_sum(p, at));
	note(p, b);
	return at + header + more + rest;
}
