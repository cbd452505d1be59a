/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracle/parse.h"

#define EXT_MAX 4

uint32_t sl_parse_be16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

/* Whether @n bytes from offset @at lie in a frame of @len. */
static bool within(uint32_t len, uint32_t at, uint32_t n)
{
	return (uint64_t)at + n <= len;
}

enum sl_oracle_why sl_parse_eth(const uint8_t *frame, uint32_t len, uint32_t *ret_at, bool *ret_v6)
{
	uint32_t at = 14, type;

	if (!within(len, 0, 14))
		return SL_WHY_ETH_SHORT;
	type = sl_parse_be16(frame + 12);
	for (int tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8); tags++) {
		if (!within(len, at, 4))
			return SL_WHY_ETH_SHORT;
		type = sl_parse_be16(frame + at + 2);
		at += 4;
	}
	if (type != 0x0800 && type != 0x86dd)
		return SL_WHY_NOT_IP;
	*ret_at = at;
	*ret_v6 = type == 0x86dd;
	return SL_WHY_NONE;
}

static enum sl_oracle_why parse_ip4(const uint8_t *frame, uint32_t len, uint32_t at,
				    struct sl_oracle_ip *ret)
{
	const uint8_t *h = frame + at;
	uint32_t header, word;

	if (!within(len, at, 20))
		return SL_WHY_IP4_SHORT;
	header = (h[0] & 15) * 4u;
	if (h[0] >> 4 != 4 || header < 20)
		return SL_WHY_IP4_BAD;
	if (!within(len, at, header))
		return SL_WHY_IP4_SHORT;
	word = sl_parse_be16(h + 6);
	ret->source = h + 12;
	ret->target = h + 16;
	ret->proto = h[9];
	ret->l4 = at + header;
	ret->l4_len = sl_parse_be16(h + 2) - header;
	if (word & 0x1fff)
		ret->frag = SL_FRAG_LATER;
	else if (word & 0x2000)
		ret->frag = SL_FRAG_FIRST;
	return SL_WHY_NONE;
}

static bool is_ext(uint8_t next)
{
	return next == 0 || next == 43 || next == 60 || next == 44;
}

/* One extension header of kind @ret->proto at @ret->l4: steps over it. */
static enum sl_oracle_why step_ext(const uint8_t *frame, uint32_t len, struct sl_oracle_ip *ret)
{
	const uint8_t *h = frame + ret->l4;
	uint8_t kind = ret->proto;
	uint32_t size, word;

	if (!within(len, ret->l4, 8))
		return SL_WHY_IP6_SHORT;
	size = kind == 44 ? 8 : 8 + 8u * h[1];
	if (!within(len, ret->l4, size))
		return SL_WHY_IP6_SHORT;
	if (kind == 43 && h[3])
		return SL_WHY_IP6_EXT;
	if (kind == 44) {
		word = sl_parse_be16(h + 2);
		if (word >> 3)
			ret->frag = SL_FRAG_LATER;
		else if (word & 1)
			ret->frag = SL_FRAG_FIRST;
	}
	ret->proto = h[0];
	ret->l4 += size;
	ret->l4_len -= size;
	return SL_WHY_NONE;
}

static enum sl_oracle_why parse_ip6(const uint8_t *frame, uint32_t len, uint32_t at,
				    struct sl_oracle_ip *ret)
{
	const uint8_t *h = frame + at;
	enum sl_oracle_why why;
	int walked = 0;

	if (!within(len, at, 40))
		return SL_WHY_IP6_SHORT;
	if (h[0] >> 4 != 6)
		return SL_WHY_IP6_BAD;
	ret->source = h + 8;
	ret->target = h + 24;
	ret->proto = h[6];
	ret->l4 = at + 40;
	ret->l4_len = sl_parse_be16(h + 4);
	while (is_ext(ret->proto) && ret->frag != SL_FRAG_LATER) {
		if (walked++ == EXT_MAX)
			return SL_WHY_IP6_EXT;
		why = step_ext(frame, len, ret);
		if (why)
			return why;
	}
	return SL_WHY_NONE;
}

enum sl_oracle_why sl_parse_ip(const uint8_t *frame, uint32_t len, uint32_t at, bool v6,
			       struct sl_oracle_ip *ret)
{
	*ret = (struct sl_oracle_ip){ .v6 = v6, .at = at };
	return v6 ? parse_ip6(frame, len, at, ret) : parse_ip4(frame, len, at, ret);
}
