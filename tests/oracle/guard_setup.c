/* SPDX-License-Identifier: BSD-2-Clause */
/* guard_setup: limits and listed prefixes by chance, and what is used of them, at its edges. */
#include <string.h>

#include "tests/oracle/setup.h"
#include "tests/oracle/walk.h"

#define MASK40 ((1ull << 40) - 1)

/* From what a jiffy pays for to what no run does. */
static void any_rate(struct sl_gen *g, struct sl_oracle_rate *ret)
{
	uint64_t cost = 1ull << (8 + sl_gen_below(g, 24)), burst;

	cost += sl_gen_below(g, (uint32_t)cost);
	burst = cost * (1 + sl_gen_below(g, 12)) + sl_gen_below(g, (uint32_t)cost);
	ret->burst = burst > UINT32_MAX ? UINT32_MAX : (uint32_t)burst;
	ret->cost = cost > ret->burst ? ret->burst : (uint32_t)cost;
}

static void any_share(struct sl_gen *g, struct sl_oracle_share *ret)
{
	uint64_t cost = 1ull << (18 + sl_gen_below(g, 30));

	ret->cost = cost + (sl_gen_next(g) & (cost - 1));
	ret->batch = (uint16_t)(sl_gen_one_in(g, 3) ? 1 : 1 + sl_gen_below(g, SL_GUARD_BATCH_MAX));
	ret->burst = ret->cost * (1 + sl_gen_below(g, 200)) + (sl_gen_next(g) & (cost - 1));
}

void sl_setup_limits(struct sl_gen *g, struct sl_oracle_service *s)
{
	memset(s->source, 0, sizeof(s->source));
	memset(s->share, 0, sizeof(s->share));
	s->guard = sl_gen_one_in(g, 2);
	s->dry = sl_gen_one_in(g, 4);
	for (unsigned kind = 0; kind < SL_GUARD_KINDS; kind++) {
		for (unsigned i = 0; i < SL_GUARD_LEVELS; i++)
			if (sl_gen_one_in(g, 3))
				any_rate(g, &s->source[i][kind]);
		if (sl_gen_one_in(g, 3))
			any_share(g, &s->share[kind]);
	}
}

static void set_bit(struct sl_oracle *o, uint32_t bit)
{
	o->index[bit / 64] |= 1ull << bit % 64;
}

/* The bits of the index that the agent would set. */
static void index_prefix(struct sl_oracle *o, const struct sl_oracle_prefix *x)
{
	unsigned free = x->v6 ? 0 : x->bits < 16 ? 16u - x->bits : 0;
	uint8_t addr[4] = { x->addr[0], x->addr[1] };

	if (x->v6 && x->bits < 32) {
		memset(o->index + SL_GUARD_INDEX_WORDS / 2, 0xff, sizeof(o->index) / 2);
		return;
	}
	if (x->v6) {
		set_bit(o, sl_list_index(true, x->addr));
		return;
	}
	for (uint32_t i = 0; i < 1u << free; i++) {
		uint32_t head = ((uint32_t)x->addr[0] << 8 | x->addr[1]) + i;

		addr[0] = (uint8_t)(head >> 8);
		addr[1] = (uint8_t)head;
		set_bit(o, sl_list_index(false, addr));
	}
}

static void cut_prefix(struct sl_oracle_prefix *x)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = x->bits <= 8 * i ? 0 : x->bits - 8 * i;

		if (kept < 8)
			x->addr[i] &= (uint8_t)(0xff00 >> kept);
	}
}

static bool is_listed(const struct sl_oracle *o, const struct sl_oracle_prefix *x)
{
	for (unsigned i = 0; i < o->n_prefixes; i++)
		if (o->prefix[i].v6 == x->v6 && o->prefix[i].bits == x->bits &&
		    !memcmp(o->prefix[i].addr, x->addr, 16))
			return true;
	return false;
}

static void any_prefix(struct sl_gen *g, const uint8_t base[2][16], struct sl_oracle_prefix *ret)
{
	static const uint8_t usual[2][4] = { { 24, 16, 31, 8 }, { 48, 64, 127, 32 } };
	unsigned v6 = sl_gen_one_in(g, 2), full = v6 ? 128 : 32;

	*ret = (struct sl_oracle_prefix){ .v6 = v6, .deny = sl_gen_one_in(g, 2) };
	memcpy(ret->addr, base[v6], 16); /* one lies in another */
	if (sl_gen_one_in(g, 2))
		sl_gen_client(g, v6, ret->addr);
	switch (sl_gen_below(g, 8)) {
	case 0:
		ret->bits = 0;
		break;
	case 1 ... 3:
		ret->bits = (uint8_t)full;
		break;
	case 4:
		ret->bits = usual[v6][sl_gen_below(g, 4)];
		break;
	default:
		ret->bits = (uint8_t)sl_gen_below(g, full + 1);
	}
	cut_prefix(ret);
}

void sl_setup_lists(struct sl_gen *g, struct sl_oracle *o)
{
	uint32_t n = sl_gen_one_in(g, 2) ? 0 : 1 + sl_gen_below(g, SL_ORACLE_PREFIXES);
	struct sl_oracle_prefix x;
	uint8_t base[2][16];

	o->n_prefixes = 0;
	memset(o->index, 0, sizeof(o->index));
	sl_gen_client(g, false, base[0]);
	sl_gen_client(g, true, base[1]);
	while (n--) {
		any_prefix(g, (const uint8_t(*)[16])base, &x);
		if (is_listed(o, &x))
			continue;
		o->prefix[o->n_prefixes++] = x;
		index_prefix(o, &x);
	}
	if (sl_gen_one_in(g, 4)) /* more are asked for than need be */
		memset(o->index, 0xff, sizeof(o->index));
	if (sl_gen_one_in(g, 4)) /* of these none is */
		for (unsigned i = 0; i < 2; i++) {
			uint32_t bit = sl_list_index(i, base[i]);

			o->index[bit / 64] &= ~(1ull << bit % 64);
		}
}

/* A time on either side of each edge that @burst and @cost make. */
static uint64_t any_time(struct sl_gen *g, uint64_t now, uint64_t burst, uint64_t cost)
{
	uint64_t off = sl_gen_below(g, 3) - 1ull;

	switch (sl_gen_below(g, 8)) {
	case 0:
		return now + off;
	case 1:
	case 2:
		return now + burst - cost + off;
	case 3:
		return now + burst + off;
	case 4:
		return now + (1ull << 32) + off;
	case 5:
		return now - (1ull << (16 + sl_gen_below(g, 20)));
	case 6:
		return now + (sl_gen_next(g) & 0xffffffff);
	default:
		return sl_gen_next(g);
	}
}

static void disturb_words(struct sl_gen *g, struct sl_oracle *o, const struct sl_oracle_service *s,
			  const struct sl_oracle_guard *guard, unsigned level)
{
	__u64 *word = o->guard_set[guard->set[level]].word, now = o->jiffies << 16 & MASK40;
	bool full = sl_gen_one_in(g, 3);

	for (unsigned w = 0; w < SL_GUARD_WAYS; w++) {
		uint64_t tag = sl_gen_next(g) & ~MASK40;

		if (full)
			tag |= 1ull << 62;
		word[w] = tag | (any_time(g, now, 1u << 20, 1u << 10) & MASK40);
		if (full)
			word[w] = tag | ((now + 65536 + sl_gen_below(g, 1u << 31)) & MASK40);
		else if (sl_gen_one_in(g, 3))
			word[w] = 0;
	}
	for (unsigned kind = 0; kind < SL_GUARD_KINDS; kind++) {
		const struct sl_oracle_rate *r = &s->source[level][kind];
		uint64_t tag = (kind + 1ull) << 62 | guard->hash[level] >> 42 << 40;

		if (!sl_gen_one_in(g, 4))
			word[sl_gen_below(g, SL_GUARD_WAYS)] =
				tag | (any_time(g, now, r->burst, r->cost) & MASK40);
		if (sl_gen_one_in(g, 24)) /* two CPUs took a place each */
			word[sl_gen_below(g, SL_GUARD_WAYS)] =
				tag | (any_time(g, now, r->burst, r->cost) & MASK40);
	}
}

static void disturb_pool(struct sl_gen *g, const struct sl_oracle *o, struct sl_oracle_service *s)
{
	static const uint32_t credits[] = { 0, 0, 0, 1, 63, UINT32_MAX };

	for (unsigned kind = 0; kind < SL_GUARD_KINDS; kind++) {
		const struct sl_oracle_share *share = &s->share[kind];
		uint64_t n = sl_gen_one_in(g, 2) ? share->batch : 1;

		s->pool[kind] = any_time(g, o->jiffies << 28, share->burst, n * share->cost);
		s->credit[kind] = credits[sl_gen_below(g, 6)];
	}
}

void sl_setup_disturb_guard(struct sl_gen *g, struct sl_oracle *o, const struct sl_oracle_out *out)
{
	const struct sl_oracle_guard *guard = &out->guard;
	struct sl_oracle_service *s = &o->service[out->service];

	if (sl_gen_one_in(g, 32))
		sl_setup_limits(g, s);
	if (sl_gen_one_in(g, 2))
		disturb_pool(g, o, s);
	for (unsigned i = 0; i < SL_GUARD_LEVELS; i++)
		if (sl_gen_one_in(g, 2))
			disturb_words(g, o, s, guard, i);
}
