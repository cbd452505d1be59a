/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/domain/guard.h"

#include <string.h>

static bool any(const struct sl_rates *r)
{
	return r->flows.per_s || r->packets.per_s;
}

bool sl_guard_limits_any(const struct sl_service_guard *g)
{
	return any(&g->source) || any(&g->network) || any(&g->service);
}

bool sl_guard_needed(const struct sl_config *c)
{
	if (sl_guard_listed(&c->guard))
		return true;
	for (size_t i = 0; i < c->n_services; i++)
		if (sl_guard_limits_any(&c->services[i].guard))
			return true;
	return false;
}

/* ---- limits ------------------------------------------------------------------ */

struct sl_guard_machine sl_guard_machine_of(uint32_t tick_shift, uint32_t tick_ms, uint32_t cpus)
{
	/* HZ is whole; what tick_ms was rounded down by is less than half of one */
	uint32_t hz = (uint32_t)(((1000ull << tick_shift) + tick_ms / 2) / tick_ms);

	return (struct sl_guard_machine){ .hz = hz, .cpus = cpus };
}

/* What one costs, to the nearest unit of 2^-@shift jiffies. */
static uint64_t cost_of(uint32_t per_s, uint32_t hz, uint32_t shift)
{
	return (((uint64_t)hz << shift) + per_s / 2) / per_s;
}

static uint64_t source_limit(const struct sl_rate *r, uint32_t hz)
{
	uint64_t cost;

	if (!r->per_s)
		return 0;
	cost = cost_of(r->per_s, hz, SL_GUARD_SHIFT);
	return SL_GUARD_LIMIT(cost, cost * r->burst);
}

static void fill_share(const struct sl_rate *r, const struct sl_guard_machine *m,
		       enum sl_guard_kind kind, struct sl_guard_rec *ret)
{
	uint64_t cost, batch;

	if (!r->per_s)
		return;
	cost = cost_of(r->per_s, m->hz, SL_GUARD_FINE_SHIFT);
	/* so that what lies idle with the CPUs is at most a sixteenth of the burst */
	batch = r->burst / (16ull * m->cpus);
	if (batch < 1)
		batch = 1;
	if (batch > SL_GUARD_BATCH_MAX)
		batch = SL_GUARD_BATCH_MAX;
	ret->share[kind] = SL_GUARD_SHARE(cost, batch);
	ret->burst[kind] = cost * r->burst;
}

void sl_guard_fill(const struct sl_service_guard *g, const struct sl_guard_machine *m,
		   struct sl_guard_rec *ret)
{
	*ret = (struct sl_guard_rec){};
	ret->source[SL_GUARD_NARROW][SL_GUARD_FLOWS] = source_limit(&g->source.flows, m->hz);
	ret->source[SL_GUARD_NARROW][SL_GUARD_PACKETS] = source_limit(&g->source.packets, m->hz);
	ret->source[SL_GUARD_WIDE][SL_GUARD_FLOWS] = source_limit(&g->network.flows, m->hz);
	ret->source[SL_GUARD_WIDE][SL_GUARD_PACKETS] = source_limit(&g->network.packets, m->hz);
	fill_share(&g->service.flows, m, SL_GUARD_FLOWS, ret);
	fill_share(&g->service.packets, m, SL_GUARD_PACKETS, ret);
}

/* ---- lists ------------------------------------------------------------------- */

size_t sl_guard_listed(const struct sl_guard_lists *l)
{
	return l->n_allow + l->n_deny;
}

static void fill_entry(const struct sl_prefix *p, enum sl_guard_verdict verdict,
		       struct sl_guard_prefix *ret)
{
	*ret = (struct sl_guard_prefix){ .verdict = verdict };
	ret->key.bits = 32u + p->len;
	ret->key.family = p->addr.family == AF_INET ? 4 : 6;
	memcpy(ret->key.addr_be, p->addr.byte_be, sizeof(ret->key.addr_be));
}

void sl_guard_entries(const struct sl_guard_lists *l, struct sl_guard_prefix *ret)
{
	for (size_t i = 0; i < l->n_allow; i++)
		fill_entry(&l->allow[i], SL_GUARD_ALLOW, ret++);
	for (size_t i = 0; i < l->n_deny; i++)
		fill_entry(&l->deny[i], SL_GUARD_DENY, ret++);
}

static void set_bit(uint64_t *index, uint32_t at)
{
	index[at >> 6] |= 1ull << (at & 63);
}

/* @first: the first 32 bits, host order; all addresses from there on up to @n more. */
static void mark(uint64_t *index, bool is_v4, uint32_t first, uint64_t n)
{
	uint32_t step = is_v4 ? 1u << 16 : 1;

	for (uint64_t i = 0; i < n; i += step) {
		uint32_t host = first + (uint32_t)i;
		uint8_t byte_be[8] = { (uint8_t)(host >> 24), (uint8_t)(host >> 16),
				       (uint8_t)(host >> 8), (uint8_t)host };
		__u64 addr_be;

		memcpy(&addr_be, byte_be, sizeof(addr_be));
		set_bit(index, is_v4 ? sl_guard_index4(addr_be) : sl_guard_index6(addr_be));
	}
}

static void mark_prefix(uint64_t *index, const struct sl_prefix *p)
{
	const uint8_t *b = p->addr.byte_be;
	uint32_t first = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	bool is_v4 = p->addr.family == AF_INET;
	uint64_t n = p->len >= 32 ? 1 : 1ull << (32 - p->len);

	if (!is_v4 && n > SL_GUARD_INDEX_BITS) /* there is hardly a bit that none of them has */
		memset(index + SL_GUARD_INDEX_BITS / 64, 0xff, SL_GUARD_INDEX_BITS / 8);
	else
		mark(index, is_v4, first, n);
}

void sl_guard_fill_index(const struct sl_guard_lists *l, uint64_t *ret)
{
	memset(ret, 0, SL_GUARD_INDEX_WORDS * sizeof(*ret));
	for (size_t i = 0; i < l->n_allow; i++)
		mark_prefix(ret, &l->allow[i]);
	for (size_t i = 0; i < l->n_deny; i++)
		mark_prefix(ret, &l->deny[i]);
}

static bool equal(const struct sl_prefix *a, size_t n_a, const struct sl_prefix *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (!sl_prefix_equal(&a[i], &b[i]))
			return false;
	return true;
}

bool sl_guard_lists_equal(const struct sl_guard_lists *a, const struct sl_guard_lists *b)
{
	return equal(a->allow, a->n_allow, b->allow, b->n_allow) &&
	       equal(a->deny, a->n_deny, b->deny, b->n_deny);
}

/* ---- sources -------------------------------------------------------------------- */

uint32_t sl_guard_sweep(struct sl_guard_set *sets, uint32_t n_sets, uint64_t jiffies)
{
	uint64_t now = jiffies << SL_GUARD_SHIFT;
	uint32_t left = 0;

	for (uint32_t s = 0; s < n_sets; s++)
		for (unsigned i = 0; i < SL_GUARD_WAYS; i++) {
			__u64 *place = &sets[s].word[i];
			__u64 word = __atomic_load_n(place, __ATOMIC_RELAXED);

			if (!word)
				continue;
			/* a packet may have charged or taken it meanwhile: then it stays */
			if (((word - now) & SL_GUARD_TIME_MASK) >> SL_GUARD_LIVE_BITS == 0 ||
			    !__atomic_compare_exchange_n(place, &word, 0, false, __ATOMIC_RELAXED,
							 __ATOMIC_RELAXED))
				left++;
		}
	return left;
}
