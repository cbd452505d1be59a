/* SPDX-License-Identifier: BSD-2-Clause */
/* icmp: WALK.md 7: errors that quote our flows, echo. */
#include <string.h>

#include "tests/oracle/sum.h"
#include "tests/oracle/walk.h"

/* Section 7.2. */
static enum sl_oracle_why walk_error(struct sl_oracle_packet *p)
{
	struct sl_oracle_ip in;
	enum sl_oracle_why why;
	const uint8_t *l4;

	if (sl_parse_ip(p->frame, p->first, p->ip.l4 + 8, p->ip.v6, &in) ||
	    (in.proto != SL_TCP && in.proto != SL_UDP) || in.frag == SL_FRAG_LATER ||
	    p->first - in.l4 < 8 || memcmp(in.source, p->ip.target, sl_addr_len(in.v6)))
		return SL_WHY_ICMP_OTHER;
	l4 = p->frame + in.l4;
	p->out->service =
		sl_walk_service(p->o, in.v6, in.source, sl_parse_be16(l4), in.proto == SL_UDP);
	if (p->out->service < 0)
		return SL_WHY_NO_SERVICE;
	why = sl_walk_length(p);
	if (why)
		return why;
	p->out->by = SL_BY_ERROR;
	return sl_walk_error(p, in.target, sl_parse_be16(l4 + 2));
}

/* RFC 1624, equation 3: a checksum at @at after a word became another. */
static void resum(uint8_t *at, uint32_t was, uint32_t is)
{
	uint32_t sum = (sl_parse_be16(at) ^ 0xffff) + (was ^ 0xffff) + is;

	sl_put16(at, sl_sum_field(sum));
}

static void swap(uint8_t *a, uint8_t *b, uint32_t n)
{
	uint8_t keep[16];

	memcpy(keep, a, n);
	memcpy(a, b, n);
	memcpy(b, keep, n);
}

static void answer_echo(struct sl_oracle_packet *p)
{
	uint8_t *ip = p->out->byte + p->ip.at, *icmp = p->out->byte + p->ip.l4;
	uint32_t was;

	memcpy(p->out->byte, p->frame, p->len);
	swap(p->out->byte, p->out->byte + 6, 6);
	was = sl_parse_be16(icmp);
	icmp[0] = p->ip.v6 ? 129 : 0;
	resum(icmp + 2, was, sl_parse_be16(icmp));
	if (p->ip.v6) {
		swap(ip + 8, ip + 24, 16);
		ip[7] = 64;
		return;
	}
	swap(ip + 12, ip + 16, 4);
	was = sl_parse_be16(ip + 8);
	ip[8] = 64;
	resum(ip + 10, was, sl_parse_be16(ip + 8));
}

bool sl_icmp_is_refused(const struct sl_oracle_packet *p, bool *ret_group)
{
	static const uint8_t zero[16], ones[4] = { 255, 255, 255, 255 };
	const uint8_t *a = p->ip.source;

	*ret_group = false;
	if (sl_walk_is_reflected(p) || !memcmp(a, zero, sl_addr_len(p->ip.v6)) ||
	    (p->ip.v6 ? a[0] == 0xff : a[0] >> 4 == 14 || !memcmp(a, ones, 4)))
		return true;
	*ret_group = p->frame[0] & 1;
	return *ret_group;
}

/* Section 7.3. */
static enum sl_oracle_why walk_echo(struct sl_oracle_packet *p)
{
	const struct sl_oracle_address *a = sl_walk_address(p->o, p->ip.v6, p->ip.target);
	enum sl_oracle_why why;
	bool group;

	if (!a || (a->port0[0] == SL_PORT0_NOTHING && a->port0[1] == SL_PORT0_NOTHING))
		return SL_WHY_ICMP_OTHER;
	why = sl_walk_length(p);
	if (why)
		return why;
	if (sl_icmp_is_refused(p, &group))
		return SL_WHY_SOURCE_BAD;
	if (!sl_limit_echo(p))
		return SL_WHY_ECHO_LIMITED;
	p->out->verdict = SL_ORACLE_TX;
	answer_echo(p);
	return SL_WHY_ECHOED;
}

/* Section 7. */
enum sl_oracle_why sl_icmp_walk(struct sl_oracle_packet *p)
{
	const uint8_t *icmp = p->frame + p->ip.l4;

	if (p->ip.frag)
		return SL_WHY_FRAGMENT;
	if (sl_packet_l4(p) < 8)
		return SL_WHY_L4_SHORT;
	if (p->ip.v6 ? icmp[0] >= 1 && icmp[0] <= 4
		     : icmp[0] == 3 || icmp[0] == 11 || icmp[0] == 12)
		return walk_error(p);
	if (icmp[0] == (p->ip.v6 ? 128 : 8) && !icmp[1])
		return walk_echo(p);
	return SL_WHY_ICMP_OTHER;
}
