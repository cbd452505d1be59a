/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracle/setup.h"

#include <string.h>

#include <sluice/hash.h>

#include "tests/oracle/sum.h"

enum mood { CALM, MIXED, DARK }; /* how many backends are UP */

static void target_addr(uint32_t n, bool v6, uint8_t ret[16])
{
	memset(ret, 0, 16);
	if (v6) {
		memcpy(ret, "\x20\x01\x0d\xb8", 4);
		ret[15] = (uint8_t)(0x10 + n);
	} else {
		memcpy(ret, "\xc0\x00\x02", 3);
		ret[3] = (uint8_t)(10 + n);
	}
}

static uint8_t any_state(struct sl_gen *g, enum mood mood)
{
	uint32_t n = sl_gen_below(g, 16);

	if (mood == CALM)
		return n < 14 ? SL_DP_UP : n == 14 ? SL_DP_DRAINING : SL_DP_DOWN;
	if (mood == MIXED)
		return n < 7 ? SL_DP_UP : n < 11 ? SL_DP_DRAINING : SL_DP_DOWN;
	return n < 1 ? SL_DP_UP : n < 4 ? SL_DP_DRAINING : SL_DP_DOWN;
}

static uint16_t any_own(struct sl_gen *g, const struct sl_oracle_service *s)
{
	return s->own[sl_gen_below(g, s->n_own)];
}

static void any_slot(struct sl_gen *g, const struct sl_oracle *o, const struct sl_oracle_service *s,
		     struct sl_oracle_slot *ret)
{
	uint16_t a = any_own(g, s), b = any_own(g, s);

	*ret = (struct sl_oracle_slot){ .cur = a, .old = a };
	switch (sl_gen_below(g, 16)) {
	case 0:
		ret->cur = ret->old = 0; /* empty */
		break;
	case 1: /* emptied, its flows are still there */
		ret->cur = 0;
		ret->t = true;
		break;
	case 2: /* filled for the first time */
		ret->old = 0;
		ret->t = true;
		break;
	case 3: /* returned */
		ret->t = true;
		break;
	case 4 ... 8:
		ret->old = b;
		ret->t = true;
		break;
	default:
		break;
	}
	ret->seen = (uint16_t)(sl_oracle_tick(o) - sl_gen_below(g, 4));
}

static uint16_t any_mtu(struct sl_gen *g)
{
	static const uint16_t usual[] = { 1500, 1500, 9000, 65535, 1480, 3000, 1280, 576, 68, 0 };

	return usual[sl_gen_below(g, 10)];
}

/* A mask of any length, or of any bits. */
static void any_entropy(struct sl_gen *g, uint8_t ret[4])
{
	uint32_t length = sl_gen_below(g, 33), mask;

	mask = length == 32 ? ~0u : (1u << length) - 1;
	if (sl_gen_one_in(g, 8))
		mask = (uint32_t)sl_gen_next(g);
	sl_put32(ret, mask);
}

/* How it is reached: any mode, on any VLAN. */
static void any_way(struct sl_gen *g, struct sl_oracle_backend *b)
{
	static const uint8_t modes[] = { SL_FWD_L2, SL_FWD_IPIP, SL_FWD_GUE, SL_FWD_GUE };
	static const uint16_t vlans[] = { 0, 0, 1, 100, 4094 };
	unsigned n;

	b->fwd = modes[sl_gen_below(g, 4)];
	b->outer6 = sl_gen_one_in(g, 2);
	b->retags = sl_gen_one_in(g, 3);
	b->vlan = vlans[sl_gen_below(g, 5)];
	b->mtu = any_mtu(g);
	b->mtu_link = b->mtu;
	if (sl_gen_one_in(g, 2))
		b->mtu_link = (uint16_t)(b->mtu + sl_gen_below(g, 65536u - b->mtu));
	n = b->outer6 ? 16 : 4;
	for (unsigned i = 0; i < n; i++) {
		b->daddr[i] = (uint8_t)sl_gen_next(g);
		b->saddr[i] = (uint8_t)sl_gen_next(g);
	}
	any_entropy(g, b->entropy);
	b->dport = sl_gen_one_in(g, 2) ? 6080 : (uint16_t)sl_gen_next(g);
}

static void add_backend(struct sl_gen *g, const struct sl_setup_options *opt, struct sl_oracle *o,
			struct sl_oracle_service *s, enum mood mood)
{
	struct sl_oracle_backend *b;
	uint32_t link = sl_gen_below(g, 2);
	uint16_t id;

	do
		id = (uint16_t)(1 + sl_gen_below(g, SL_BACKENDS_MAX - 1));
	while (o->backend[id].service);
	if (sl_gen_one_in(g, 40) && !o->backend[SL_BACKENDS_MAX - 1].service)
		id = SL_BACKENDS_MAX - 1;
	b = &o->backend[id];
	*b = (struct sl_oracle_backend){ .service = s->id,
					 .ifindex = opt->ifindex[link],
					 .port = (uint16_t)(link + 1),
					 .state = any_state(g, mood) };
	for (unsigned i = 0; i < 12; i++)
		b->macs[i] = (uint8_t)sl_gen_next(g);
	any_way(g, b);
	if (sl_gen_one_in(g, 12)) {
		b->ifindex = opt->absent;
		b->port = (uint16_t)sl_gen_below(g, SL_PORTS_MAX);
		if (o->egress[b->port])
			b->port = 0;
	} else if (sl_gen_one_in(g, 16)) {
		b->ifindex = 0; /* its neighbour does not answer */
	}
	if (b->state == SL_DP_DRAINING ? !sl_gen_one_in(g, 4) : sl_gen_one_in(g, 8))
		b->drain_track = (uint8_t)(1 + sl_gen_below(g, SL_DRAIN_TRACKS - 1));
	s->own[s->n_own++] = id;
}

static bool is_taken(const struct sl_oracle *o, const struct sl_oracle_service *s)
{
	for (unsigned i = 0; i < o->n_services; i++) {
		const struct sl_oracle_service *t = &o->service[i];

		if (t->id == s->id || (t->v6 == s->v6 && t->udp == s->udp && t->port == s->port &&
				       !memcmp(t->addr, s->addr, 16)))
			return true;
	}
	return false;
}

static void add_service(struct sl_gen *g, const struct sl_setup_options *opt, struct sl_oracle *o)
{
	static const uint16_t ports[] = { 1, 53, 80, 443, 4433, 0x8000, 65535 };
	static const uint16_t sizes[] = { 1, 2, 7, 13, 31, 101, 251 };
	static const uint16_t idle[] = { 1, 2, 5, 20, 75, 253 };
	struct sl_oracle_service *s = &o->service[o->n_services];
	enum mood mood = (enum mood)sl_gen_below(g, 3);

	do {
		*s = (struct sl_oracle_service){ .id = (uint16_t)(1 + sl_gen_below(g, 4094)) };
		s->v6 = sl_gen_one_in(g, 2);
		s->udp = sl_gen_one_in(g, 2);
		s->port = ports[sl_gen_below(g, 7)];
		target_addr(sl_gen_below(g, 3), s->v6, s->addr);
	} while (is_taken(o, s));
	s->remember = s->udp && sl_gen_one_in(g, 2);
	s->quic = s->remember && sl_gen_one_in(g, 2);
	s->oversize = sl_gen_one_in(g, 2);
	s->down_drop = sl_gen_one_in(g, 3);
	sl_setup_limits(g, s);
	s->idle_ticks = idle[sl_gen_below(g, 6)];
	if (opt->one_idle)
		s->idle_ticks = o->service[0].idle_ticks;
	s->n_slots = sizes[sl_gen_below(g, 7)];
	s->base = o->n_services * 70001u + sl_gen_below(g, 60000);
	if (sl_gen_one_in(g, 20))
		s->base = SL_SLOTS_TOTAL - (o->n_services + 1) * SL_ORACLE_SLOTS;
	for (uint32_t n = 1 + sl_gen_below(g, SL_ORACLE_OWN); n; n--)
		add_backend(g, opt, o, s, mood);
	for (unsigned i = 0; i < SL_SPARES; i++)
		s->spare[i] = sl_gen_one_in(g, 2) ? 0 : any_own(g, s);
	if (sl_gen_one_in(g, 3))
		memset(s->spare, 0, sizeof(s->spare));
	for (uint32_t i = 0; i < s->n_slots; i++) {
		any_slot(g, o, s, &s->slot[i]);
		if (mood == CALM && !sl_gen_one_in(g, 8))
			s->slot[i] = (struct sl_oracle_slot){ .cur = s->own[0], .old = s->own[0] };
	}
	o->n_services++;
}

/* The addresses that have services, and which of their services takes fragments. */
static void add_addresses(struct sl_gen *g, struct sl_oracle *o)
{
	struct sl_oracle_address *a;
	unsigned k;

	for (unsigned i = 0; i < o->n_services; i++) {
		struct sl_oracle_service *s = &o->service[i];

		for (k = 0; k < o->n_addresses; k++)
			if (o->address[k].v6 == s->v6 && !memcmp(o->address[k].addr, s->addr, 16))
				break;
		a = &o->address[k];
		if (k == o->n_addresses) {
			o->n_addresses++;
			a->v6 = s->v6;
			memcpy(a->addr, s->addr, 16);
			a->port0[0] = a->port0[1] = SL_PORT0_ADDRESS;
		}
		if (s->udp && a->port0[1] != SL_PORT0_SERVICE && sl_gen_one_in(g, 2)) {
			s->hash3 = true;
			a->port0[1] = SL_PORT0_SERVICE;
			a->hash3 = (uint16_t)i;
		}
	}
	/* the specification allows either of the two alone */
	for (k = 0; k < o->n_addresses; k++)
		if (sl_gen_one_in(g, 3))
			o->address[k].port0[sl_gen_below(g, 2)] = SL_PORT0_NOTHING;
}

void sl_setup_model(struct sl_gen *g, const struct sl_setup_options *opt, struct sl_oracle *o)
{
	uint32_t n = 3 + sl_gen_below(g, SL_ORACLE_SERVICES - 2);

	o->n_services = o->n_addresses = 0;
	memset(o->service, 0, sizeof(o->service));
	memset(o->address, 0, sizeof(o->address));
	memset(o->backend, 0, sizeof(o->backend));
	memset(o->entry, 0, sizeof(o->entry));
	memset(o->cell, 0, sizeof(o->cell));
	memset(o->egress, 0, sizeof(o->egress));
	memset(o->guard_set, 0, sizeof(o->guard_set));
	o->egress[1] = opt->ifindex[0];
	o->egress[2] = opt->ifindex[1];
	while (n--)
		add_service(g, opt, o);
	add_addresses(g, o);
	sl_setup_lists(g, o);
}

static uint8_t any_age(struct sl_gen *g, const struct sl_oracle *o, uint16_t idle)
{
	uint8_t now = (uint8_t)sl_oracle_tick(o);

	switch (sl_gen_below(g, 6)) {
	case 0:
		return now;
	case 1:
		return (uint8_t)(now - idle);
	case 2:
		return (uint8_t)(now - idle - 1);
	case 3:
		return (uint8_t)(now - 1);
	default:
		return (uint8_t)sl_gen_next(g);
	}
}

static void any_entry(struct sl_gen *g, const struct sl_oracle *o, unsigned service,
		      struct sl_oracle_entry *ret)
{
	const struct sl_oracle_service *s = &o->service[service];

	if (sl_gen_one_in(g, 4))
		s = &o->service[sl_gen_below(g, o->n_services)];
	*ret = (struct sl_oracle_entry){ .tag = sl_gen_next(g) & SL_EXC_TAG_MASK,
					 .backend = any_own(g, s),
					 .confirmed = !sl_gen_one_in(g, 3),
					 .age = any_age(g, o, s->idle_ticks) };
}

static void disturb_set(struct sl_gen *g, struct sl_oracle *o, const struct sl_oracle_out *out)
{
	struct sl_oracle_entry *set = o->entry[out->set];
	uint32_t free_in = sl_gen_one_in(g, 2) ? 1000 : 4;
	bool live = sl_gen_one_in(g, 2);

	for (unsigned w = 0; w < SL_EXC_WAYS; w++) {
		set[w] = (struct sl_oracle_entry){};
		if (sl_gen_one_in(g, free_in))
			continue;
		any_entry(g, o, (unsigned)out->service, &set[w]);
		if (live)
			set[w].age = (uint8_t)sl_oracle_tick(o);
		if (live && !sl_gen_one_in(g, 8))
			set[w].confirmed = true;
	}
	if (sl_gen_one_in(g, 2)) {
		struct sl_oracle_entry *own = &set[sl_gen_below(g, SL_EXC_WAYS)];

		any_entry(g, o, (unsigned)out->service, own);
		own->tag = sl_hash_exc_tag(out->hash);
	}
}

/* One below, equal, one above: @n. */
static uint16_t about(struct sl_gen *g, uint32_t n)
{
	n += sl_gen_below(g, 3) - 1;
	return n > 65535 ? 65535 : (uint16_t)n;
}

/* Another MTU for who is about to get @n bytes. Most leave it enough room. */
static void disturb_mtu(struct sl_gen *g, struct sl_oracle_backend *b, uint32_t n)
{
	switch (sl_gen_below(g, 8)) {
	case 0:
	case 1:
		b->mtu = about(g, n);
		break;
	case 2:
		b->mtu = sl_gen_one_in(g, 2) ? about(g, 1280) : (uint16_t)sl_gen_below(g, n + 1);
		break;
	case 3:
		b->mtu = any_mtu(g);
		break;
	default:
		b->mtu = (uint16_t)(3000 + sl_gen_below(g, 62536));
	}
	b->mtu_link = sl_gen_one_in(g, 2) ? b->mtu : about(g, n);
	if (b->mtu_link < b->mtu && !sl_gen_one_in(g, 4))
		b->mtu_link = b->mtu;
}

/* As if so much were answered already, in this fine tick or another. */
static void disturb_limit(struct sl_gen *g, struct sl_oracle *o)
{
	static const uint32_t echo[] = { 0, 0, SL_ECHO_MAX - 1, SL_ECHO_MAX };
	static const uint32_t too_big[] = { 0, 0, SL_TOO_BIG_MAX - 1, SL_TOO_BIG_MAX };

	o->limit.window = (uint32_t)(o->jiffies >> (o->tick_shift - 2)) - sl_gen_one_in(g, 4);
	o->limit.echo = echo[sl_gen_below(g, 4)];
	o->limit.too_big = too_big[sl_gen_below(g, 4)];
}

struct sl_setup_change sl_setup_disturb(struct sl_gen *g, struct sl_oracle *o,
					const struct sl_oracle_out *out)
{
	struct sl_setup_change c = { .set = UINT32_MAX, .slot = UINT32_MAX };
	struct sl_oracle_service *s;

	if (sl_gen_one_in(g, 64)) {
		disturb_limit(g, o);
		c.limit = true;
	}
	if (sl_gen_one_in(g, 400)) {
		sl_setup_lists(g, o);
		c.lists = true;
	}
	if (out->guard.asked && sl_gen_one_in(g, 3)) {
		sl_setup_disturb_guard(g, o, out);
		c.guard = true;
	}
	if (!out->has_hash)
		return c;
	s = &o->service[out->service];
	if (sl_gen_one_in(g, 3)) {
		disturb_set(g, o, out);
		c.set = out->set;
	}
	if (sl_gen_one_in(g, 4)) {
		any_slot(g, o, s, &s->slot[out->slot]);
		c.slot = out->slot;
	}
	if (sl_gen_one_in(g, 8)) {
		c.backend[0] = any_own(g, s);
		o->backend[c.backend[0]].state = any_state(g, (enum mood)sl_gen_below(g, 3));
	}
	if (out->l3 && sl_gen_one_in(g, 2)) {
		c.backend[1] = out->backend;
		disturb_mtu(g, &o->backend[out->backend], out->l3);
	}
	return c;
}
