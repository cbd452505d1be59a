/* SPDX-License-Identifier: BSD-2-Clause */
/* gen_l4: what follows the network headers: TCP, UDP, ICMP with what it quotes. */
#include <string.h>

#include "tests/oracle/gen.h"
#include "tests/oracle/sum.h"

uint8_t sl_gen_l4_proto(struct sl_gen *g, const struct sl_gen_flow *f, enum sl_gen_l4 kind)
{
	static const uint8_t others[] = { 2, 4, 41, 47, 50, 51, 59, 89, 132, 136, 255 };

	switch (kind) {
	case SL_GEN_TRANSPORT:
		return f->udp ? 17 : 6;
	case SL_GEN_ECHO:
	case SL_GEN_ERROR:
	case SL_GEN_ICMP:
		if (sl_gen_one_in(g, 64))
			return f->v6 ? 1 : 58; /* the other family's */
		return f->v6 ? 58 : 1;
	default:
		return others[sl_gen_below(g, sizeof(others))];
	}
}

static void payload(struct sl_gen *g, uint32_t most)
{
	uint32_t n = sl_gen_one_in(g, 12) ? sl_gen_below(g, 2900) : sl_gen_below(g, most);
	uint32_t at;

	if (g->n + n > SL_ORACLE_FRAME - 64)
		return;
	at = sl_gen_room(g, n);
	for (uint32_t i = 0; i < n; i += 8)
		g->byte[at + i] = (uint8_t)sl_gen_next(g);
}

static uint8_t any_flags(struct sl_gen *g)
{
	static const uint8_t usual[] = { 0x02, 0x02, 0x02, 0x10, 0x10, 0x10, 0x18,
					 0x11, 0x04, 0x14, 0x12, 0xc2, 0x01, 0x28 };

	if (sl_gen_one_in(g, 8))
		return (uint8_t)sl_gen_next(g);
	return usual[sl_gen_below(g, sizeof(usual))];
}

/* The checksum at @field over L4 from @at on and, unless it is ICMP's, the addresses at @ip. */
static void sum_l4(struct sl_gen *g, uint32_t at, uint32_t field, uint32_t ip, bool v6,
		   uint32_t proto)
{
	uint32_t sum = sl_sum_add(0, g->byte + at, g->n - at);

	if (v6)
		sum = sl_sum_add(sum, g->byte + ip + 8, 32);
	else if (proto != 1)
		sum = sl_sum_add(sum, g->byte + ip + 12, 8);
	if (proto != 1)
		sum += g->n - at + proto;
	sl_gen_put(g, field, 2, sl_sum_field(sum));
}

static void put_tcp(struct sl_gen *g, uint16_t from, uint16_t to, uint32_t ip, bool v6)
{
	uint32_t words = 5 + (sl_gen_one_in(g, 4) ? sl_gen_below(g, 11) : 0);
	uint32_t at = sl_gen_room(g, 4 * words);

	sl_gen_put(g, at, 2, from);
	sl_gen_put(g, at + 2, 2, to);
	sl_gen_put(g, at + 12, 1, words << 4 | sl_gen_below(g, 16));
	sl_gen_put(g, at + 13, 1, any_flags(g));
	payload(g, 32);
	if (!sl_gen_one_in(g, 5))
		sum_l4(g, at, at + 16, ip, v6, 6);
	else
		sl_gen_put(g, at + 16, 2, (uint16_t)sl_gen_next(g));
}

/* The start of a QUIC packet, of versions 1, 2 and others, or less of it. Returns bytes that follow
 * it. */
static uint32_t put_quic(struct sl_gen *g)
{
	static const uint32_t version[] = { 1, 1,	   0x6b3343cf, 0x6b3343cf, 0,
					    2, 0xff00001d, 0x6b3343ce, 0x01000000 };
	uint32_t at = sl_gen_room(g, 5), head = 0xc0 | sl_gen_below(g, 64), n = sl_gen_below(g, 9);

	if (sl_gen_one_in(g, 6))
		head = (uint8_t)sl_gen_next(g);
	else if (n < 4 && !sl_gen_one_in(g, 3)) /* an Initial */
		head = (head & 0xcf) | (n < 2 ? 0 : 0x10);
	sl_gen_put(g, at, 1, head);
	sl_gen_put(g, at + 1, 4, version[n]);
	if (!sl_gen_one_in(g, 8)) {
		payload(g, 32);
		return 0;
	}
	if (sl_gen_one_in(g, 2)) /* all of it is there, but not in the datagram */
		return 1 + sl_gen_below(g, 4);
	g->n = at + sl_gen_below(g, 6);
	return 0;
}

static void put_udp(struct sl_gen *g, uint16_t from, uint16_t to, uint32_t ip, bool v6)
{
	uint32_t at = sl_gen_room(g, 8), behind = 0;

	sl_gen_put(g, at, 2, from);
	sl_gen_put(g, at + 2, 2, to);
	if (sl_gen_one_in(g, 2))
		behind = put_quic(g);
	else
		payload(g, 32);
	if (g->is_first) /* the rest comes in others */
		behind = 0u - 8 * sl_gen_below(g, 150);
	sl_gen_put(g, at + 4, 2, g->n - at - behind);
	if (sl_gen_one_in(g, 12))
		payload(g, 16); /* bytes of the packet that are none of the datagram's */
	if (sl_gen_one_in(g, 8))
		return;
	sum_l4(g, at, at + 6, ip, v6, 17);
	if (!g->byte[at + 6] && !g->byte[at + 7]) /* 0 is none (RFC 768) */
		sl_gen_put(g, at + 6, 2, 0xffff);
}

static void put_error(struct sl_gen *g, const struct sl_gen_flow *f, uint32_t at)
{
	static const uint8_t type4[] = { 3, 11, 12 };
	struct sl_gen_flow other = *f;
	uint32_t quote = g->n;

	sl_gen_put(g, at, 1, f->v6 ? 1 + sl_gen_below(g, 4) : type4[sl_gen_below(g, 3)]);
	sl_gen_put(g, at + 1, 1, sl_gen_below(g, 5));
	/* who reports it is a router, not the client */
	if (sl_gen_one_in(g, 2))
		sl_gen_client(g, f->v6, other.client);
	if (sl_gen_one_in(g, 12))
		sl_gen_flow(g, &other);
	if (sl_gen_one_in(g, 64))
		other.v6 = !other.v6;
	sl_gen_ip(g, &other, true);
	if (sl_gen_one_in(g, 3)) /* as routers that quote little do */
		g->n = quote + sl_gen_below(g, g->n - quote + 1);
}

static void put_icmp(struct sl_gen *g, const struct sl_gen_flow *f, enum sl_gen_l4 kind,
		     uint32_t ip)
{
	uint32_t at = sl_gen_room(g, 8);

	sl_gen_put(g, at + 4, 4, (uint32_t)sl_gen_next(g));
	switch (kind) {
	case SL_GEN_ECHO:
		sl_gen_put(g, at, 1, f->v6 ? 128 : 8);
		sl_gen_put(g, at + 1, 1, sl_gen_one_in(g, 32));
		payload(g, 64);
		break;
	case SL_GEN_ERROR:
		put_error(g, f, at);
		break;
	default:
		sl_gen_put(g, at, 1,
			   sl_gen_one_in(g, 2) ? sl_gen_below(g, 20) : 120 + sl_gen_below(g, 40));
		payload(g, 64);
	}
	if (!sl_gen_one_in(g, 8))
		sum_l4(g, at, at + 2, ip, f->v6, f->v6 ? 58 : 1);
	else
		sl_gen_put(g, at + 2, 2, (uint16_t)sl_gen_next(g));
}

void sl_gen_l4_put(struct sl_gen *g, const struct sl_gen_flow *f, enum sl_gen_l4 kind, bool quoted,
		   uint32_t ip)
{
	uint16_t from = quoted ? f->tport : f->cport, to = quoted ? f->cport : f->tport;

	switch (kind) {
	case SL_GEN_TRANSPORT:
		if (f->udp)
			put_udp(g, from, to, ip, f->v6);
		else
			put_tcp(g, from, to, ip, f->v6);
		break;
	case SL_GEN_OTHER:
		payload(g, 64);
		break;
	default:
		put_icmp(g, f, kind, ip);
	}
}
