/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/base/idpool.h"

#include <errno.h>
#include <stdlib.h>

struct sl_idpool {
	uint32_t max;
	uint32_t words;
	uint32_t first;	  /* no word below it has a free bit */
	uint64_t taken[]; /* one bit per id; 0 and what is past max count as taken */
};

int sl_idpool_new(uint32_t max, struct sl_idpool **ret)
{
	uint32_t words = max / 64 + (max % 64 != 0);
	struct sl_idpool *p = calloc(1, sizeof(*p) + words * sizeof(p->taken[0]));

	if (!p)
		return -ENOMEM;
	p->max = max;
	p->words = words;
	if (words) {
		if (max % 64)
			p->taken[words - 1] = ~0ull << (max % 64);
		p->taken[0] |= 1;
	}
	*ret = p;
	return 0;
}

void sl_idpool_free(struct sl_idpool *p)
{
	free(p);
}

int sl_idpool_take(struct sl_idpool *p, uint32_t *ret_id)
{
	uint32_t bit;

	for (; p->first < p->words; p->first++) {
		if (p->taken[p->first] == ~0ull)
			continue;
		bit = (uint32_t)__builtin_ctzll(~p->taken[p->first]);
		p->taken[p->first] |= 1ull << bit;
		*ret_id = p->first * 64 + bit;
		return 0;
	}
	return -ENOSPC;
}

static bool in_range(const struct sl_idpool *p, uint32_t id)
{
	return id > 0 && id < p->max;
}

int sl_idpool_claim(struct sl_idpool *p, uint32_t id)
{
	if (!in_range(p, id))
		return -ERANGE;
	if (sl_idpool_taken(p, id))
		return -EEXIST;
	p->taken[id / 64] |= 1ull << (id % 64);
	return 0;
}

void sl_idpool_give(struct sl_idpool *p, uint32_t id)
{
	if (!in_range(p, id))
		return;
	p->taken[id / 64] &= ~(1ull << (id % 64));
	if (id / 64 < p->first)
		p->first = id / 64;
}

bool sl_idpool_taken(const struct sl_idpool *p, uint32_t id)
{
	return in_range(p, id) && (p->taken[id / 64] >> (id % 64) & 1);
}
