/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracle/gen.h"

#include <string.h>

void sl_gen_seed(struct sl_gen *g, uint64_t seed)
{
	g->x = (seed + 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull;
	g->x ^= g->x >> 31;
	if (!g->x)
		g->x = 1;
}

uint64_t sl_gen_next(struct sl_gen *g)
{
	g->x ^= g->x << 13;
	g->x ^= g->x >> 7;
	g->x ^= g->x << 17;
	return g->x * 0x2545f4914f6cdd1dull;
}

uint32_t sl_gen_below(struct sl_gen *g, uint32_t n)
{
	return (uint32_t)(((sl_gen_next(g) >> 32) * n) >> 32);
}

bool sl_gen_one_in(struct sl_gen *g, uint32_t n)
{
	return !sl_gen_below(g, n);
}

uint32_t sl_gen_room(struct sl_gen *g, uint32_t n)
{
	uint32_t at = g->n;

	if (at + n > SL_ORACLE_FRAME)
		at = SL_ORACLE_FRAME - n; /* over what is there: as good as any other bytes */
	memset(g->byte + at, 0, n);
	g->n = at + n;
	return at;
}

void sl_gen_note(struct sl_gen *g, uint32_t at, unsigned bytes)
{
	if (g->n_fields == SL_GEN_FIELDS)
		return;
	g->field[g->n_fields].at = (uint16_t)at;
	g->field[g->n_fields++].bytes = (uint8_t)bytes;
}

void sl_gen_put(struct sl_gen *g, uint32_t at, unsigned bytes, uint32_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		g->byte[at + i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
	sl_gen_note(g, at, bytes);
}

void sl_gen_client(struct sl_gen *g, bool v6, uint8_t ret[16])
{
	static const uint8_t odd4[][4] = {
		{ 0, 0, 0, 0 }, { 255, 255, 255, 255 }, { 224, 0, 0, 1 },   { 239, 255, 255, 255 },
		{ 0, 0, 0, 1 }, { 127, 0, 0, 1 },	{ 223, 1, 1, 255 }, { 240, 0, 0, 1 },
	};
	uint32_t n = sl_gen_below(g, 24);

	memset(ret, 0, 16);
	if (sl_gen_one_in(g, 24)) {
		if (!v6) {
			memcpy(ret, odd4[sl_gen_below(g, 8)], 4);
		} else if (!sl_gen_one_in(g, 3)) { /* else :: */
			ret[0] = sl_gen_one_in(g, 2) ? 0xff : 0xfe;
			ret[15] = (uint8_t)n;
		}
		return;
	}
	if (v6) {
		memcpy(ret, "\x20\x01\x0d\xb8\xff\xff", 6);
		ret[7] = (uint8_t)(n >> 2);
		ret[15] = (uint8_t)(n & 3);
	} else {
		memcpy(ret, "\xc6\x33\x64", 3);
		ret[3] = (uint8_t)(n + 1);
	}
}

static uint16_t any_port(struct sl_gen *g)
{
	static const uint16_t edge[] = { 0, 1, 53, 80, 443, 0x8000, 65535 };

	return edge[sl_gen_below(g, sizeof(edge) / sizeof(edge[0]))];
}

/* A flow, mostly of one of the model's services. */
void sl_gen_flow(struct sl_gen *g, struct sl_gen_flow *ret)
{
	const struct sl_oracle_service *s = &g->o->service[sl_gen_below(g, g->o->n_services)];

	*ret = (struct sl_gen_flow){ .v6 = s->v6, .udp = s->udp, .tport = s->port };
	memcpy(ret->target, s->addr, 16);
	ret->cport = (uint16_t)(40000 + sl_gen_below(g, 64));
	sl_gen_client(g, s->v6, ret->client);
	if (sl_gen_one_in(g, 12)) {
		const struct sl_oracle_address *a =
			&g->o->address[sl_gen_below(g, g->o->n_addresses)];

		ret->v6 = a->v6;
		memcpy(ret->target, a->addr, 16);
		sl_gen_client(g, ret->v6, ret->client);
	}
	if (sl_gen_one_in(g, 20))
		ret->udp = !ret->udp;
	if (sl_gen_one_in(g, 16))
		ret->tport = any_port(g);
	if (sl_gen_one_in(g, 32))
		ret->cport = any_port(g);
	if (sl_gen_one_in(g, 32))
		sl_gen_client(g, ret->v6, ret->target);
	if (sl_gen_one_in(g, 48))
		memcpy(ret->client, ret->target, 16);
}

static void put_eth(struct sl_gen *g, bool v6)
{
	uint32_t tags = sl_gen_one_in(g, 3) ? sl_gen_below(g, 4) : 0, at = sl_gen_room(g, 12);

	for (unsigned i = 0; i < 12; i++)
		g->byte[at + i] = (uint8_t)sl_gen_next(g);
	if (!sl_gen_one_in(g, 16))
		g->byte[at] &= 0xfe;
	while (tags--) {
		at = sl_gen_room(g, 4);
		sl_gen_put(g, at, 2, sl_gen_one_in(g, 2) ? 0x8100 : 0x88a8);
		sl_gen_put(g, at + 2, 2, (uint16_t)sl_gen_next(g));
	}
	at = sl_gen_room(g, 2);
	sl_gen_put(g, at, 2, v6 ? 0x86dd : 0x0800);
	if (sl_gen_one_in(g, 100))
		sl_gen_put(g, at, 2, sl_gen_one_in(g, 2) ? 0x0806 : (uint16_t)sl_gen_next(g));
}

/* One noted field gets a value at an edge. */
static void spoil_field(struct sl_gen *g)
{
	uint32_t i = sl_gen_below(g, g->n_fields), value = 0, at = g->field[i].at;
	unsigned bytes = g->field[i].bytes;

	for (unsigned k = 0; k < bytes; k++)
		value = value << 8 | g->byte[at + k];
	switch (sl_gen_below(g, 8)) {
	case 0:
		value = 0;
		break;
	case 1:
		value = ~0u;
		break;
	case 2:
		value++;
		break;
	case 3:
		value--;
		break;
	case 4:
		value ^= 1u << sl_gen_below(g, 8 * bytes);
		break;
	case 5:
		value += sl_gen_below(g, 32) - 16;
		break;
	case 6:
		value = sl_gen_below(g, 64);
		break;
	default:
		value = (uint32_t)sl_gen_next(g);
	}
	for (unsigned k = 0; k < bytes; k++)
		g->byte[at + k] = (uint8_t)(value >> 8 * (bytes - 1 - k));
}

/* Bytes behind the packet that are not part of it. */
static void pad(struct sl_gen *g, uint32_t n)
{
	uint32_t at;

	if (g->n + n > SL_ORACLE_FRAME)
		return;
	at = sl_gen_room(g, n);
	while (at < g->n)
		g->byte[at++] = (uint8_t)sl_gen_next(g);
}

static void spoil(struct sl_gen *g)
{

	while (g->n_fields && sl_gen_one_in(g, 5))
		spoil_field(g);
	if (sl_gen_one_in(g, 24))
		for (uint32_t i = sl_gen_below(g, 4) + 1; i; i--)
			g->byte[sl_gen_below(g, g->n)] ^= (uint8_t)(1u << sl_gen_below(g, 8));
	if (sl_gen_one_in(g, 8))
		g->n = 14 + sl_gen_below(g, g->n - 13);
	else if (g->n < 60 && sl_gen_one_in(g, 4))
		pad(g, 60 - g->n); /* as Ethernet does */
	else if (sl_gen_one_in(g, 16))
		pad(g, sl_gen_below(g, 64));
}

uint32_t sl_gen_first(struct sl_gen *g)
{
	uint32_t more = g->n - 14;

	if (!sl_gen_one_in(g, 10))
		return g->n;
	if (more > 200 && !sl_gen_one_in(g, 3))
		more = 200; /* where the headers are */
	return 14 + sl_gen_below(g, more + 1);
}

uint32_t sl_gen_frame(struct sl_gen *g, uint8_t ret[SL_ORACLE_FRAME])
{
	struct sl_gen_flow flow;

	g->byte = ret;
	g->n = 0;
	g->n_fields = 0;
	g->is_first = false;
	sl_gen_flow(g, &flow);
	put_eth(g, flow.v6);
	if (sl_gen_one_in(g, 256))
		for (uint32_t i = sl_gen_room(g, sl_gen_below(g, 128)); i < g->n; i++)
			g->byte[i] = (uint8_t)sl_gen_next(g);
	else
		sl_gen_ip(g, &flow, false);
	spoil(g);
	return g->n;
}
