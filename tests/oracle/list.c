/* SPDX-License-Identifier: BSD-2-Clause */
/* list: WALK.md 5a.1: which listed prefix decides. */
#include <string.h>

#include "tests/oracle/walk.h"

bool sl_list_has(const struct sl_oracle_prefix *x, bool v6, const uint8_t *addr)
{
	unsigned whole = x->bits / 8, rest = x->bits % 8;

	if (x->v6 != v6 || memcmp(x->addr, addr, whole))
		return false;
	return !rest || (x->addr[whole] ^ addr[whole]) >> (8 - rest) == 0;
}

uint32_t sl_list_index(bool v6, const uint8_t *addr)
{
	uint32_t four;

	memcpy(&four, addr, 4);
	return v6 ? sl_guard_index6(four) : addr[0] | (uint32_t)addr[1] << 8;
}

static bool is_indexed(const struct sl_oracle_packet *p)
{
	uint32_t bit = sl_list_index(p->ip.v6, p->ip.source);

	return p->o->index[bit / 64] >> bit % 64 & 1;
}

static void take_note(struct sl_oracle_packet *p, const struct sl_oracle_prefix *best,
		      bool contested)
{
	bool deny = best->deny;

	sl_packet_reach(p, (deny ? SL_BRANCH_LIST_DENY4 : SL_BRANCH_LIST_ALLOW4) + p->ip.v6);
	if (!best->bits)
		sl_packet_reach(p, SL_BRANCH_LIST_ALL);
	if (best->bits == 8 * sl_addr_len(p->ip.v6))
		sl_packet_reach(p, SL_BRANCH_LIST_ONE);
	if (contested)
		sl_packet_reach(p, SL_BRANCH_LIST_LONGER);
	if (deny && p->is_error)
		sl_packet_reach(p, SL_BRANCH_LIST_ERROR);
	if (deny && p->ip.frag == SL_FRAG_LATER)
		sl_packet_reach(p, SL_BRANCH_LIST_LATER);
}

enum sl_guard_verdict sl_list_verdict(struct sl_oracle_packet *p)
{
	const struct sl_oracle_prefix *best = NULL;
	bool denies = false, allows = false;

	if (p->is_error && sl_packet_is_wrong(p, SL_WRONG_LIST_ERROR))
		return 0;
	for (unsigned i = 0; i < p->o->n_prefixes; i++) {
		const struct sl_oracle_prefix *x = &p->o->prefix[i];

		if (!sl_list_has(x, p->ip.v6, p->ip.source))
			continue;
		if (!best || (sl_packet_is_wrong(p, SL_WRONG_LIST_SHORT) ? x->bits < best->bits
									 : x->bits > best->bits))
			best = x;
		denies |= x->deny;
		allows |= !x->deny;
	}
	if (!is_indexed(p) && !sl_packet_is_wrong(p, SL_WRONG_LIST_INDEX)) {
		if (best)
			sl_packet_reach(p, SL_BRANCH_LIST_INDEX);
		return 0;
	}
	if (!best) {
		sl_packet_reach(p, SL_BRANCH_LIST_NONE);
		return 0;
	}
	take_note(p, best, denies && allows);
	return best->deny ? SL_GUARD_DENY : SL_GUARD_ALLOW;
}
