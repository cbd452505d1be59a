/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outer_sum: WALK.md 8a: the UDP checksum of GUE over IPv6, derived from the
 * one that the packet inside carries. Where that one is right, so must be the
 * sum of all bytes (RFC 768, RFC 8200 8.1): each such packet proves it.
 */
#include "tests/oracle/sum.h"
#include "tests/oracle/walk.h"

#define ICMP6 58

/* "The complement of": what a checksum that fits makes of the words under it. */
static uint32_t complement(uint32_t sum)
{
	return ~sl_sum_fold(sum) & 0xffff;
}

/* Why the field is 0; SL_BRANCH_END: it is not. */
static enum sl_oracle_branch obstacle(const struct sl_oracle_packet *p)
{
	const uint8_t *l4 = p->frame + p->ip.l4;

	if (p->ip.frag)
		return SL_BRANCH_SUM_FRAGMENT;
	if (p->ip.v6 && p->ip.l4 != p->ip.at + 40)
		return SL_BRANCH_SUM_EXT;
	if (p->is_error || p->ip.proto == SL_TCP)
		return SL_BRANCH_END;
	if (!sl_parse_be16(l4 + 6) && !sl_packet_is_wrong(p, SL_WRONG_SUM_UDP0))
		return SL_BRANCH_SUM_UDP0;
	if (sl_parse_be16(l4 + 4) != p->ip.l4_len)
		return SL_BRANCH_SUM_LENGTH;
	return SL_BRANCH_END;
}

/* The packet inside, as 8a has it. */
static uint32_t derived4(const struct sl_oracle_packet *p)
{
	uint32_t sum;

	if (p->is_error)
		return 0;
	sum = sl_sum_add(0, p->ip.source, 4);
	sum = sl_sum_add(sum, p->ip.target, 4);
	return complement(sum + p->ip.proto + p->ip.l4_len);
}

static uint32_t derived6(const struct sl_oracle_packet *p)
{
	const uint8_t *ip = p->frame + p->ip.at;

	return sl_sum_add(0, ip, 4) + sl_parse_be16(ip + 6) + complement(ip[6]);
}

/* Whether the packet inside carries checksums that fit, byte by byte. */
static bool inner_fits(const struct sl_oracle_packet *p)
{
	uint32_t sum = sl_sum_add(0, p->frame + p->ip.l4, p->ip.l4_len);

	if (!p->ip.v6 &&
	    sl_sum_fold(sl_sum_add(0, p->frame + p->ip.at, p->ip.l4 - p->ip.at)) != 0xffff)
		return false;
	if (p->ip.v6 || !p->is_error) {
		sum = sl_sum_add(sum, p->ip.source, sl_addr_len(p->ip.v6));
		sum = sl_sum_add(sum, p->ip.target, sl_addr_len(p->ip.v6));
		sum += p->ip.proto + p->ip.l4_len;
	}
	return sl_sum_fold(sum) == 0xffff;
}

static void prove(struct sl_oracle_packet *p, const uint8_t *outer, uint32_t field)
{
	const uint8_t *udp = outer + 40;
	uint32_t length = sl_parse_be16(udp + 4), sum;

	if (!inner_fits(p))
		return;
	sl_packet_reach(p, SL_BRANCH_SUM_PROVED);
	sum = sl_sum_add(length + SL_UDP, outer + 8, 32);
	sum = sl_sum_field(sl_sum_add(sum, udp, length));
	p->out->sum_wrong = field != (sum ? sum : 0xffff);
}

static void note(struct sl_oracle_packet *p)
{
	enum sl_oracle_branch first = p->ip.v6 ? SL_BRANCH_SUM_TCP6 : SL_BRANCH_SUM_TCP4;

	sl_packet_reach(p, first + (p->is_error ? 2 : p->ip.proto == SL_UDP));
}

uint32_t sl_outer_sum(struct sl_oracle_packet *p, uint32_t outer)
{
	const uint8_t *h = p->out->byte + outer, *udp = h + 40;
	enum sl_oracle_branch zero = obstacle(p);
	uint32_t sum, field;

	if (zero != SL_BRANCH_END) {
		sl_packet_reach(p, zero);
		return 0;
	}
	sum = sl_sum_add(0, h + 8, 32);		    /* outer addresses */
	sum += 2 * sl_parse_be16(udp + 4) + SL_UDP; /* UDP length, twice */
	sum = sl_sum_add(sum, udp, 4);		    /* ports */
	sum = sl_sum_add(sum, udp + 8, 4);	    /* GUE header */
	sum += p->ip.v6 ? derived6(p) : derived4(p);
	field = sl_sum_field(sum);
	if (!field)
		field = 0xffff;
	note(p);
	prove(p, h, field);
	return field + sl_packet_is_wrong(p, SL_WRONG_SUM6);
}
