/* SPDX-License-Identifier: BSD-2-Clause */
/* gen_ip: the network headers of a frame: options, extension headers, fragments. */
#include <string.h>

#include "tests/oracle/gen.h"
#include "tests/oracle/sum.h"

enum part { WHOLE, FIRST, MIDDLE, LAST };

static enum part any_part(struct sl_gen *g)
{
	return sl_gen_one_in(g, 8) ? (enum part)(1 + sl_gen_below(g, 3)) : WHOLE;
}

/* In units of 8 bytes, never 0. */
static uint32_t any_offset(struct sl_gen *g)
{
	switch (sl_gen_below(g, 4)) {
	case 0:
		return 1;
	case 1:
		return 0x1fff;
	default:
		return 1 + sl_gen_below(g, 0x1fff);
	}
}

static enum sl_gen_l4 any_l4(struct sl_gen *g, bool quoted)
{
	uint32_t n = sl_gen_below(g, 64);

	if (quoted)
		return n < 58 ? SL_GEN_TRANSPORT : n < 60 ? SL_GEN_ECHO : SL_GEN_OTHER;
	if (n < 44)
		return SL_GEN_TRANSPORT;
	if (n < 48)
		return SL_GEN_ECHO;
	if (n < 60)
		return SL_GEN_ERROR;
	return n < 62 ? SL_GEN_ICMP : SL_GEN_OTHER;
}

static void put_ip4(struct sl_gen *g, const struct sl_gen_flow *f, bool quoted)
{
	static const uint16_t flag_bits[] = { 0, 0x4000, 0x8000, 0xc000 };
	uint32_t header = 20 + (sl_gen_one_in(g, 4) ? 4 * sl_gen_below(g, 11) : 0);
	uint32_t at = sl_gen_room(g, header), word = flag_bits[sl_gen_below(g, 4)];
	enum part part = any_part(g);
	enum sl_gen_l4 l4 = any_l4(g, quoted);

	if (part == FIRST || part == MIDDLE)
		word |= 0x2000;
	if (part == MIDDLE || part == LAST)
		word |= any_offset(g);
	sl_gen_put(g, at, 1, 0x40 | header / 4);
	g->byte[at + 1] = (uint8_t)sl_gen_next(g);
	g->byte[at + 4] = (uint8_t)sl_gen_next(g);
	g->byte[at + 5] = (uint8_t)sl_gen_next(g);
	sl_gen_put(g, at + 6, 2, word);
	sl_gen_put(g, at + 8, 1, sl_gen_one_in(g, 4) ? 64 : (uint8_t)sl_gen_next(g));
	sl_gen_put(g, at + 9, 1, sl_gen_l4_proto(g, f, l4));
	memcpy(g->byte + at + 12, quoted ? f->target : f->client, 4);
	memcpy(g->byte + at + 16, quoted ? f->client : f->target, 4);
	sl_gen_note(g, at + 12, 4);
	sl_gen_note(g, at + 16, 4);
	for (uint32_t i = 20; i < header; i++)
		g->byte[at + i] = (uint8_t)(sl_gen_one_in(g, 2) ? 1 : sl_gen_next(g));
	g->is_first = part == FIRST;
	sl_gen_l4_put(g, f, l4, quoted, at);
	sl_gen_put(g, at + 2, 2, g->n - at);
	sl_gen_put(g, at + 10, 2, sl_sum_field(sl_sum_add(0, g->byte + at, header)));
}

/* One extension header of kind @kind. */
static void put_ext(struct sl_gen *g, uint8_t kind, uint8_t next, enum part *part)
{
	uint32_t more = kind != 44 && sl_gen_one_in(g, 4) ? sl_gen_below(g, 4) : 0, word = 0;
	uint32_t at = sl_gen_room(g, 8 + 8 * more);

	sl_gen_put(g, at, 1, next);
	sl_gen_put(g, at + 1, 1, more);
	if (kind == 44) {
		g->byte[at + 1] = (uint8_t)sl_gen_next(g); /* reserved, means nothing */
		if (*part == MIDDLE || *part == LAST)
			word = any_offset(g) << 3;
		if (*part == FIRST || *part == MIDDLE)
			word |= 1;
		if (sl_gen_one_in(g, 8))
			word |= 6; /* reserved bits */
		sl_gen_put(g, at + 2, 2, word);
		*part = any_part(g); /* of a second one */
	} else if (kind == 43) {
		g->byte[at + 2] = (uint8_t)sl_gen_below(g, 5);
		sl_gen_put(g, at + 3, 1, sl_gen_one_in(g, 6) ? sl_gen_below(g, 3) : 0);
	} else {
		g->byte[at + 2] = (uint8_t)sl_gen_next(g);
		g->byte[at + 3] = (uint8_t)sl_gen_next(g);
	}
}

static uint8_t any_ext(struct sl_gen *g)
{
	static const uint8_t walked[] = { 0, 43, 60, 44 }, others[] = { 50, 51, 59, 135, 139 };

	return sl_gen_one_in(g, 40) ? others[sl_gen_below(g, 5)] : walked[sl_gen_below(g, 4)];
}

static void put_ip6(struct sl_gen *g, const struct sl_gen_flow *f, bool quoted)
{
	uint32_t at = sl_gen_room(g, 40), n = sl_gen_one_in(g, 3) ? sl_gen_below(g, 6) : 0;
	enum sl_gen_l4 l4 = any_l4(g, quoted);
	enum part part = any_part(g);
	uint8_t kind[8], proto = sl_gen_l4_proto(g, f, l4);

	for (uint32_t i = 0; i < n; i++)
		kind[i] = any_ext(g);
	if (!n && part != WHOLE)
		kind[n++] = 44;
	sl_gen_put(g, at, 1, 0x60 | sl_gen_below(g, 16));
	for (uint32_t i = 1; i < 4; i++) /* the rest of the traffic class, the flow label */
		g->byte[at + i] = (uint8_t)sl_gen_next(g);
	sl_gen_put(g, at + 6, 1, n ? kind[0] : proto);
	sl_gen_put(g, at + 7, 1, (uint8_t)sl_gen_next(g));
	memcpy(g->byte + at + 8, quoted ? f->target : f->client, 16);
	memcpy(g->byte + at + 24, quoted ? f->client : f->target, 16);
	for (uint32_t i = 8; i < 40; i += 8)
		sl_gen_note(g, at + i, 1);
	g->is_first = part == FIRST;
	for (uint32_t i = 0; i < n; i++)
		put_ext(g, kind[i], i + 1 < n ? kind[i + 1] : proto, &part);
	sl_gen_l4_put(g, f, l4, quoted, at);
	sl_gen_put(g, at + 4, 2, g->n - at - 40);
}

void sl_gen_ip(struct sl_gen *g, const struct sl_gen_flow *f, bool quoted)
{
	if (f->v6)
		put_ip6(g, f, quoted);
	else
		put_ip4(g, f, quoted);
}
