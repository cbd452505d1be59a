/* SPDX-License-Identifier: BSD-2-Clause */
/* too_big: WALK.md 8.2: packets longer than the way to their backend takes. */
#include <string.h>

#include "tests/oracle/sum.h"
#include "tests/oracle/walk.h"

#define FLOOR6 1280u /* RFC 8200: every link takes so much */
#define QUOTE4 68u
#define QUOTE6 128u

bool sl_too_big_has_df(const struct sl_oracle_packet *p)
{
	return p->frame[p->ip.at + 6] & 0x40;
}

/* a */
static enum sl_oracle_why without_df(struct sl_oracle_packet *p, const struct sl_oracle_backend *b)
{
	if (!p->o->service[p->out->service].oversize) {
		sl_packet_reach(p, SL_BRANCH_NO_DF_REFUSED);
		return SL_WHY_TOO_BIG;
	}
	if (p->out->l3 > b->mtu_link && !sl_packet_is_wrong(p, SL_WRONG_LINK)) {
		sl_packet_reach(p, SL_BRANCH_NO_DF_LINK);
		return SL_WHY_TOO_BIG;
	}
	sl_packet_reach(p, SL_BRANCH_NO_DF_SENT);
	return SL_WHY_NONE;
}

/* b: why nobody is told; SL_BRANCH_END: somebody is. */
static enum sl_oracle_branch silence(const struct sl_oracle_packet *p, uint32_t most)
{
	bool group;

	if (p->out->l3 <= most)
		return SL_BRANCH_BIG_1280;
	if (p->is_error && !sl_packet_is_wrong(p, SL_WRONG_TELL_ERRORS))
		return SL_BRANCH_BIG_ERROR;
	if (p->ip.frag == SL_FRAG_LATER)
		return SL_BRANCH_BIG_LATER;
	if (sl_icmp_is_refused(p, &group) && !sl_packet_is_wrong(p, SL_WRONG_TELL_ANY))
		return group ? SL_BRANCH_BIG_GROUP : SL_BRANCH_BIG_SOURCE;
	if (p->first - p->ip.at < (p->ip.v6 ? QUOTE6 : QUOTE4))
		return SL_BRANCH_BIG_CUT;
	if (!p->ip.v6 && p->out->l3 < 96)
		return SL_BRANCH_BIG_96;
	return SL_BRANCH_END;
}

/* c, IPv4: RFC 792 with RFC 1191. */
static uint32_t put_answer4(const struct sl_oracle_packet *p, uint8_t *ip, uint32_t most)
{
	uint8_t *icmp = ip + 20;

	memset(ip, 0, 28);
	sl_put8(ip, 0x45);
	sl_put8(ip + 1, 0xc0);
	sl_put16(ip + 2, 20 + 8 + QUOTE4);
	sl_put16(ip + 6, 0x4000);
	sl_put8(ip + 8, 64);
	sl_put8(ip + 9, 1);
	memcpy(ip + 12, p->ip.target, 4);
	memcpy(ip + 16, p->ip.source, 4);
	sl_put16(ip + 10, sl_sum_field(sl_sum_add(0, ip, 20)));
	sl_put8(icmp, 3);
	sl_put8(icmp + 1, 4);
	sl_put16(icmp + 6, most);
	memcpy(icmp + 8, p->frame + p->ip.at - 14 * sl_packet_is_wrong(p, SL_WRONG_QUOTE), QUOTE4);
	sl_put16(icmp + 2, sl_sum_field(sl_sum_add(0, icmp, 8 + QUOTE4)));
	return 20 + 8 + QUOTE4;
}

/* c, IPv6: RFC 4443, 3.2; the checksum with the pseudo header of RFC 8200, 8.1. */
static uint32_t put_answer6(const struct sl_oracle_packet *p, uint8_t *ip, uint32_t most)
{
	uint8_t *icmp = ip + 40;
	uint32_t sum;

	memset(ip, 0, 48);
	sl_put8(ip, 0x60);
	sl_put16(ip + 4, 8 + QUOTE6);
	sl_put8(ip + 6, 58);
	sl_put8(ip + 7, 64);
	memcpy(ip + 8, p->ip.target, 16);
	memcpy(ip + 24, p->ip.source, 16);
	sl_put8(icmp, 2);
	sl_put32(icmp + 4, most);
	memcpy(icmp + 8, p->frame + p->ip.at - 14 * sl_packet_is_wrong(p, SL_WRONG_QUOTE), QUOTE6);
	sum = sl_sum_add(8 + QUOTE6 + 58, ip + 8, 32);
	sl_put16(icmp + 2, sl_sum_field(sl_sum_add(sum, icmp, 8 + QUOTE6)));
	return 40 + 8 + QUOTE6;
}

static void answer(struct sl_oracle_packet *p, uint32_t most)
{
	uint8_t *byte = p->out->byte;

	most -= sl_packet_is_wrong(p, SL_WRONG_TOLD_MTU);
	memcpy(byte, p->frame + 6, 6);
	memcpy(byte + 6, p->frame, 6);
	memcpy(byte + 12, p->frame + 12, p->ip.at - 12); /* tags and type */
	p->out->len = p->ip.at + (p->ip.v6 ? put_answer6(p, byte + p->ip.at, most)
					   : put_answer4(p, byte + p->ip.at, most));
	p->out->verdict = SL_ORACLE_TX;
	sl_packet_reach(p, p->ip.v6 ? SL_BRANCH_TOLD_6 : SL_BRANCH_TOLD_4);
	p->out->reach[SL_BRANCH_TOLD_TAG1] = p->ip.at == 18;
	p->out->reach[SL_BRANCH_TOLD_TAG2] = p->ip.at == 22;
}

/* b */
static enum sl_oracle_why refuse(struct sl_oracle_packet *p, uint32_t mtu)
{
	bool raised = p->ip.v6 && mtu < FLOOR6 && !sl_packet_is_wrong(p, SL_WRONG_FLOOR);
	uint32_t most = raised ? FLOOR6 : mtu;
	enum sl_oracle_branch silent = silence(p, most);

	if (silent != SL_BRANCH_END) {
		sl_packet_reach(p, silent);
		return SL_WHY_TOO_BIG;
	}
	if (!sl_limit_too_big(p))
		return SL_WHY_TOO_BIG_LIMITED;
	p->out->reach[SL_BRANCH_TOLD_1280] = raised;
	answer(p, most);
	return SL_WHY_TOO_BIG_TOLD;
}

enum sl_oracle_why sl_too_big(struct sl_oracle_packet *p, const struct sl_oracle_backend *b)
{
	uint32_t n = p->out->l3, mtu = b->mtu + sl_packet_is_wrong(p, SL_WRONG_MTU);

	p->out->reach[SL_BRANCH_MTU_BELOW] = n + 1 == mtu;
	p->out->reach[SL_BRANCH_MTU_EQUAL] = n == mtu;
	p->out->reach[SL_BRANCH_MTU_ABOVE] = n == mtu + 1;
	if (n <= mtu)
		return SL_WHY_NONE;
	return p->ip.v6 || sl_too_big_has_df(p) ? refuse(p, mtu) : without_df(p, b);
}
