/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracle/owner.h"

#include <string.h>

#include <sluice/hash.h>

#define SL_DP_STATES (SL_DP_DRAINING + 1u)

/* One choice in the making. */
struct choice {
	const struct sl_oracle *o;
	const struct sl_oracle_service *s;
	const struct sl_oracle_slot *slot;
	struct sl_oracle_packet *p;
	struct sl_oracle_out *out;
	uint64_t hash;
	bool quoted;
	bool begins; /* a packet of a flow that nobody remembers begins it */
};

static uint8_t state_of(const struct sl_oracle *o, uint16_t backend)
{
	return backend ? o->backend[backend].state : SL_DP_DOWN;
}

/* 255 is none: it was written by a clock that was one ahead. */
static uint8_t age_of(const struct sl_oracle *o, const struct sl_oracle_entry *e)
{
	uint8_t age = (uint8_t)(sl_oracle_tick(o) - e->age);

	return age == 255 ? 0 : age;
}

static bool is_expired(const struct sl_oracle *o, const struct sl_oracle_entry *e, uint16_t idle)
{
	return age_of(o, e) > idle;
}

/* Of an entry of any flow: its idle timeout is that of its backend's service. */
static uint16_t idle_of(const struct sl_oracle *o, const struct sl_oracle_entry *e)
{
	uint16_t id = o->backend[e->backend].service;

	for (unsigned i = 0; i < o->n_services; i++)
		if (o->service[i].id == id)
			return o->service[i].idle_ticks;
	return 0;
}

/* An UP owner by rehashing, else by the spare list. An empty slot has its own reason for nobody. */
static enum sl_oracle_why rehash(struct choice *c, uint16_t *ret)
{
	const struct sl_oracle_service *s = c->s;
	uint16_t b;

	for (unsigned n = 1; n <= SL_PROBES_MAX; n++) {
		b = s->slot[sl_hash_range(sl_hash_again(c->hash, n), s->n_slots)].cur;
		if (state_of(c->o, b) == SL_DP_UP) {
			*ret = b;
			return SL_WHY_NONE;
		}
	}
	for (unsigned i = 0; i < SL_SPARES; i++) {
		b = s->spare[((c->hash >> 8) + i) % SL_SPARES];
		if (state_of(c->o, b) == SL_DP_UP) {
			*ret = b;
			return SL_WHY_NONE;
		}
	}
	return c->slot->cur ? SL_WHY_NO_BACKEND : SL_WHY_SLOT_EMPTY;
}

/* Where the flow's entry is, expired ones included; SL_EXC_WAYS: nowhere. */
static unsigned place_of(const struct choice *c)
{
	uint64_t tag = sl_hash_exc_tag(c->hash);
	unsigned w;

	for (w = 0; w < SL_EXC_WAYS; w++)
		if (c->out->after[w].backend && c->out->after[w].tag == tag)
			break;
	return w;
}

/* The oldest entries that never saw a second packet, as bits. */
static uint8_t oldest_unconfirmed(const struct choice *c)
{
	uint8_t ways = 0;
	int oldest = -1;

	for (unsigned w = 0; w < SL_EXC_WAYS; w++) {
		const struct sl_oracle_entry *e = &c->out->after[w];
		int age = age_of(c->o, e);

		if (e->confirmed || age < oldest)
			continue;
		if (age > oldest)
			ways = 0;
		oldest = age;
		ways |= (uint8_t)(1u << w);
	}
	return ways;
}

static void remember(struct choice *c, uint16_t backend)
{
	struct sl_oracle_out *out = c->out;
	uint8_t empty = 0, expired = 0;
	unsigned own = place_of(c);

	for (unsigned w = 0; w < SL_EXC_WAYS; w++) {
		const struct sl_oracle_entry *e = &out->after[w];

		if (!e->backend)
			empty |= (uint8_t)(1u << w);
		else if (is_expired(c->o, e, idle_of(c->o, e)))
			expired |= (uint8_t)(1u << w);
	}
	out->insert = (struct sl_oracle_entry){ .tag = sl_hash_exc_tag(c->hash),
						.backend = backend,
						.age = (uint8_t)sl_oracle_tick(c->o) };
	if (own < SL_EXC_WAYS) {
		out->ways = (uint8_t)(1u << own);
	} else if (empty) {
		out->ways = empty;
	} else if (expired) {
		out->ways = expired;
		out->exc.evicted_expired = 1;
	} else {
		out->ways = oldest_unconfirmed(c);
		if (!out->ways) {
			out->exc.failed = 1;
			return;
		}
		out->exc.evicted_unconfirmed = 1;
	}
	out->exc.inserts = 1;
}

/* The flow's owner is DOWN, or nobody. */
static enum sl_oracle_why move_on(struct choice *c, uint16_t *ret)
{
	enum sl_oracle_why why;

	if (c->s->down_drop)
		return SL_WHY_BACKEND_DOWN;
	why = rehash(c, ret);
	c->out->exc.rescheduled = !why;
	return why;
}

static enum sl_oracle_why begin(struct choice *c, uint16_t *ret)
{
	*ret = c->slot->cur;
	return state_of(c->o, *ret) == SL_DP_UP ? SL_WHY_NONE : rehash(c, ret);
}

/* Looks the flow up. true: @ret_why and @ret are decided. */
static bool recall(struct choice *c, uint16_t *ret, enum sl_oracle_why *ret_why)
{
	unsigned w = place_of(c);
	struct sl_oracle_entry *e = &c->out->after[w];

	c->out->exc.lookups = 1;
	if (w == SL_EXC_WAYS || is_expired(c->o, e, c->s->idle_ticks))
		return false;
	c->out->exc.hits = 1;
	*ret = e->backend;
	*ret_why = SL_WHY_NONE;
	if (state_of(c->o, e->backend) == SL_DP_DOWN) {
		if (!c->quoted)
			*e = (struct sl_oracle_entry){};
		*ret_why = move_on(c, ret);
	} else if (!c->quoted) {
		e->confirmed = true;
		e->age = (uint8_t)sl_oracle_tick(c->o);
	}
	return true;
}

static enum sl_oracle_why choose_syn(struct choice *c, uint16_t *ret)
{
	enum sl_oracle_why why = begin(c, ret);

	if (why)
		return why;
	c->out->is_flow = true;
	if (c->slot->t || *ret != c->slot->cur)
		remember(c, *ret);
	return SL_WHY_NONE;
}

static enum sl_oracle_why choose_tcp(struct choice *c, uint16_t *ret)
{
	const struct sl_oracle_slot *slot = c->slot;
	enum sl_oracle_why why;

	if (!slot->t && state_of(c->o, slot->cur) == SL_DP_UP) {
		*ret = slot->cur;
		return SL_WHY_NONE;
	}
	if (!recall(c, ret, &why)) {
		*ret = slot->t ? slot->old : slot->cur;
		why = state_of(c->o, *ret) == SL_DP_DOWN ? move_on(c, ret) : SL_WHY_NONE;
	}
	return why;
}

static bool is_wrong(const struct choice *c, enum sl_oracle_wrong wrong)
{
	return c->o->wrong == wrong;
}

/* 5a.3: a flow that is remembered and moves is not asked for. */
static enum sl_oracle_why ask_guard(struct choice *c, bool begins)
{
	return begins && !c->quoted ? sl_guard_flow(c->p) : SL_WHY_NONE;
}

static enum sl_oracle_why choose_udp_flow(struct choice *c, uint16_t *ret)
{
	enum sl_oracle_why why;

	if (recall(c, ret, &why)) {
		if (!c->out->exc.rescheduled)
			return why;
		if (!why)
			why = ask_guard(c, c->begins && is_wrong(c, SL_WRONG_GUARD_MOVED));
	} else {
		why = begin(c, ret);
		if (!why)
			why = ask_guard(c, c->begins || is_wrong(c, SL_WRONG_GUARD_QUIC));
	}
	if (!why && !c->quoted) { /* new, or new to its backend */
		c->out->is_flow = true;
		remember(c, *ret);
	}
	return why;
}

/* What is known of the owner; SL_DP_STATES: nothing. */
static unsigned known_state(const struct choice *c)
{
	unsigned w = place_of(c);
	const struct sl_oracle_entry *e = &c->out->after[w];

	if (w == SL_EXC_WAYS || is_expired(c->o, e, c->s->idle_ticks))
		return SL_DP_STATES;
	return state_of(c->o, e->backend);
}

/* An Initial: its owner's while that is UP, else a new flow, over whatever is remembered. */
static enum sl_oracle_why choose_initial(struct choice *c, uint16_t *ret)
{
	static const enum sl_oracle_branch reach[] = {
		[SL_DP_DOWN] = SL_BRANCH_INITIAL_DOWN,
		[SL_DP_UP] = SL_BRANCH_INITIAL_STAYS,
		[SL_DP_DRAINING] = SL_BRANCH_INITIAL_DRAINING,
		[SL_DP_STATES] = SL_BRANCH_INITIAL_NEW,
	};
	unsigned state = known_state(c);
	enum sl_oracle_why why;

	c->out->reach[reach[state]] = true;
	if (state == SL_DP_UP || (state == SL_DP_DRAINING && is_wrong(c, SL_WRONG_QUIC_DRAIN))) {
		(void)recall(c, ret, &why);
		return why;
	}
	c->out->exc.lookups = 1;
	c->out->exc.hits = state != SL_DP_STATES;
	why = begin(c, ret);
	if (!why)
		why = ask_guard(c, true);
	if (why)
		return why;
	c->out->is_flow = true;
	remember(c, *ret);
	return SL_WHY_NONE;
}

/* Another packet of QUIC, or one that cannot be read: as of a UDP flow, but it begins none. */
static enum sl_oracle_why choose_quic(struct choice *c, uint16_t *ret)
{
	unsigned state = known_state(c);
	enum sl_oracle_why why = choose_udp_flow(c, ret);

	c->out->is_flow = c->out->is_flow && is_wrong(c, SL_WRONG_QUIC_FLOWS);
	if (c->quoted || why)
		return why;
	c->out->reach[SL_BRANCH_OTHER_STAYS] = state == SL_DP_DRAINING;
	c->out->reach[SL_BRANCH_OTHER_DOWN] = state == SL_DP_DOWN;
	c->out->reach[SL_BRANCH_OTHER_NEW] = state == SL_DP_STATES;
	return SL_WHY_NONE;
}

void sl_owner_look(struct sl_oracle_packet *p, const struct sl_oracle_service *s, uint64_t hash)
{
	struct sl_oracle_out *out = p->out;

	if (!s->n_slots)
		return;
	out->has_hash = true;
	out->hash = hash;
	out->slot = sl_hash_range(hash, s->n_slots);
	out->set = sl_hash_exc_set(hash, SL_EXC_SETS);
	memcpy(out->after, p->o->entry[out->set], sizeof(out->after));
}

enum sl_oracle_why sl_owner_choose(struct sl_oracle_packet *p, const struct sl_oracle_service *s,
				   enum sl_oracle_kind kind)
{
	struct sl_oracle_out *out = p->out;
	struct choice c = { .o = p->o,
			    .s = s,
			    .slot = &s->slot[out->slot],
			    .p = p,
			    .out = out,
			    .hash = out->hash,
			    .quoted = p->is_error,
			    .begins = kind == SL_KIND_UDP_FLOW };
	enum sl_oracle_why why = SL_WHY_NONE;
	uint16_t b = 0;

	if (!s->n_slots)
		return SL_WHY_SLOT_EMPTY;
	switch (kind) {
	case SL_KIND_SYN:
		why = choose_syn(&c, &b);
		break;
	case SL_KIND_TCP:
		why = choose_tcp(&c, &b);
		break;
	case SL_KIND_UDP_FLOW:
		why = choose_udp_flow(&c, &b);
		break;
	case SL_KIND_UDP_NONE:
		why = begin(&c, &b);
		break;
	case SL_KIND_QUIC_INITIAL:
		why = choose_initial(&c, &b);
		break;
	case SL_KIND_QUIC:
		why = choose_quic(&c, &b);
		break;
	}
	if (why)
		return why;
	out->backend = b;
	out->seen = b != c.slot->cur && !c.quoted;
	return SL_WHY_NONE;
}
