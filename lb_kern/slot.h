/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_SLOT_H
#define LB_KERN_SLOT_H

/*
 * slot: which backend a packet goes to. The packet path's half of the slot
 * rules (README.md); the agent's half is lb_user/domain/slots.h.
 *
 * A settled slot whose owner is UP decides by itself: one word and the state
 * of one backend are read, no flow memory. All else is below slot_pick_slow().
 */
#include <linux/in.h>
#include <sluice/hash.h>

#include "lb_kern/exception.h"
#include "lb_kern/guard.h"
#include "lb_kern/maps.h"
#include "lb_kern/pkt.h"

static __always_inline __u8 slot_state(__u32 backend)
{
	return READ_ONCE(maps_backend(backend)->state);
}

static __always_inline __u32 slot_index(const struct sl_service_rec *service, __u64 hash)
{
	return service->slot_base + sl_hash_range(hash, service->slot_count);
}

/*
 * Another owner that is UP, for a flow whose own is not: other slots are asked,
 * so the share of who is missing spreads over the rest by weight. When most of
 * a pool is gone that may find nobody, so the agent lists some who are left.
 */
static __always_inline __u32 slot_probe(const struct sl_service_rec *service, __u64 hash)
{
	for (__u32 n = 1; n <= SL_PROBES_MAX; n++) {
		__u32 word = READ_ONCE(*maps_slot(slot_index(service, sl_hash_again(hash, n))));

		if (slot_state(SL_SLOT_CUR(word)) == SL_DP_UP)
			return SL_SLOT_CUR(word);
	}
	for (__u32 n = 0; n < SL_SPARES; n++) {
		__u32 i = platform_bounded((__u32)(hash >> 8) + n, SL_SPARES - 1);
		__u32 id = READ_ONCE(service->spare[i]) & SL_BACKEND_MASK;

		if (slot_state(id) == SL_DP_UP)
			return id;
	}
	return 0;
}

struct slot_choice {
	__u32 backend; /* 0: probe for one */
	bool remember; /* the flow is new to memory and must not move again */
	bool dropped;  /* its backend is DOWN and the service wants it dropped */
	bool moved;    /* its backend is DOWN: whoever is found is another one */
	__u32 owner;   /* that one, if moved */
	bool begins;   /* a UDP flow that nobody remembers */
};

/* A packet of a flow that memory may know: TCP but not its SYN, or UDP with flows. */
static __always_inline struct slot_choice
slot_recall(const struct pkt *p, const struct sl_service_rec *service, __u32 word, __u32 tick)
{
	struct exception_hit hit = exception_find(p->hash, tick, service->idle_ticks);
	bool is_udp = p->proto == IPPROTO_UDP;
	struct slot_choice c = {};
	__u32 owner;

	/* the second Initial of a handshake stays; a new connection leaves who takes none */
	if (p->is_initial && hit.entry && slot_state(SL_EXC_BACKEND(hit.entry)) != SL_DP_UP)
		hit.entry = 0;

	if (hit.entry)
		owner = SL_EXC_BACKEND(hit.entry);
	else if (is_udp)
		owner = 0; /* every UDP flow is remembered, so an unknown one is new */
	else
		owner = word & SL_SLOT_T ? SL_SLOT_OLD(word) : SL_SLOT_CUR(word);

	if (is_udp && !hit.entry) {
		c.backend = slot_state(SL_SLOT_CUR(word)) == SL_DP_UP ? SL_SLOT_CUR(word) : 0;
		c.remember = true;
		c.begins = p->is_initial || !(service->flags & SL_SF_QUIC);
		return c;
	}
	if (slot_state(owner) != SL_DP_DOWN) {
		c.backend = owner;
		if (hit.entry && !p->is_quoted)
			exception_touch(&hit, tick);
		return c;
	}
	if (hit.entry && !p->is_quoted)
		exception_forget(&hit);
	c.dropped = service->flags & SL_SF_DOWN_DROP;
	c.moved = true;
	c.owner = owner;
	c.remember = is_udp;
	return c;
}

static __always_inline enum sl_reason slot_pick_slow(struct pkt *p,
						     const struct sl_service_rec *service,
						     __u32 index, __u32 word, bool is_syn)
{
	__u32 tick = exception_tick(), cur = SL_SLOT_CUR(word);
	struct slot_choice c = {};

	/* a SYN chooses anew, whatever a former flow of this tuple left; so does UDP without flows
	 */
	if (!is_syn && (p->proto == IPPROTO_TCP || (service->flags & SL_SF_UDP_FLOW)))
		c = slot_recall(p, service, word, tick);
	else if (slot_state(cur) == SL_DP_UP)
		c.backend = cur;

	if (c.dropped)
		return SL_R_BACKEND_DOWN;
	if (!c.backend)
		c.backend = slot_probe(service, p->hash);
	if (!c.backend)
		return cur ? SL_R_NO_BACKEND : SL_R_SLOT_EMPTY;

	/* a flow that its backend's end has moved is not the client's doing */
	if (c.begins && !p->is_quoted) {
		enum sl_reason why = guard_new_flow(p, service);

		if (why != SL_R_NEXT)
			return why;
	}
	if (c.moved) {
		exception_cnt()->rescheduled++;
		trace_rescheduled(c.owner);
	}
	/*
	 * T, or another than cur; or, rarely, neither: the owner came back after the
	 * slot was read. T is up by now, so what a former flow of this tuple left
	 * would be found: it is overwritten all the same.
	 */
	if (is_syn)
		c.remember = true;
	if (p->is_quoted)
		c.remember = false; /* an error is not the flow: it neither begins nor keeps it */
	if (c.remember)
		exception_insert(p->hash, c.backend, tick);
	/* not by an error: whoever forges them could keep the slot in transition for ever */
	if (c.backend != cur && !p->is_quoted && READ_ONCE(*maps_slot_seen(index)) != (__u16)tick)
		WRITE_ONCE(*maps_slot_seen(index), (__u16)tick);

	p->new_flow = is_syn || (c.remember && p->proto == IPPROTO_UDP &&
				 (p->is_initial || !(service->flags & SL_SF_QUIC)));
	p->backend = c.backend;
	return SL_R_NEXT;
}

/* The common case: a settled slot whose owner is UP. False: flow memory has a say. */
static __always_inline bool slot_settled(struct pkt *p, const struct sl_service_rec *service)
{
	const __u32 *slot = maps_slot(slot_index(service, p->hash));
	__u32 word = READ_ONCE(*slot);

	if (p->proto == IPPROTO_UDP && (service->flags & SL_SF_UDP_FLOW))
		return false;
	if (unlikely(word & SL_SLOT_T) || unlikely(slot_state(SL_SLOT_CUR(word)) != SL_DP_UP))
		return false;
	/*
	 * The word again after the state: an owner that returns has T raised on its
	 * slots before it is UP (slots.h), so who sees it UP must not miss T, or a
	 * flow that was moved while it was away would be sent to it.
	 */
	if (unlikely(READ_ONCE(*slot) != word))
		return false;
	p->backend = SL_SLOT_CUR(word);
	p->new_flow = pkt_is_syn(p);
	return true;
}

struct slot_memory { /* of a packet that slot_remembered() has found an owner for */
	struct exception_hit hit;
	__u32 index, tick;
	bool is_away; /* from cur */
};

/*
 * The next common case: a packet that does not begin a flow, and the owner that
 * memory or the slot names is UP. Decides as slot_recall() does. False: for
 * slot_pick(). Nothing is changed or counted before slot_keep().
 */
static __always_inline bool slot_remembered(struct pkt *p, const struct sl_service_rec *service,
					    struct slot_memory *ret)
{
	__u32 word, owner;

	ret->index = slot_index(service, p->hash);
	ret->tick = exception_tick();
	word = READ_ONCE(*maps_slot(ret->index));
	ret->hit = exception_look(p->hash, ret->tick, service->idle_ticks);
	if (ret->hit.entry)
		owner = SL_EXC_BACKEND(ret->hit.entry);
	else if (p->proto == IPPROTO_TCP && (word & SL_SLOT_T))
		owner = SL_SLOT_OLD(word);
	else
		return false; /* a UDP flow begins, or cur is not UP */
	if (slot_state(owner) != SL_DP_UP)
		return false;
	ret->is_away = owner != SL_SLOT_CUR(word);
	p->backend = owner;
	return true;
}

/* The packet stays with that owner. */
static __always_inline void slot_keep(const struct slot_memory *m)
{
	exception_count(&m->hit);
	if (m->hit.entry)
		exception_touch(&m->hit, m->tick);
	if (m->is_away && READ_ONCE(*maps_slot_seen(m->index)) != (__u16)m->tick)
		WRITE_ONCE(*maps_slot_seen(m->index), (__u16)m->tick);
}

static __always_inline enum sl_reason slot_pick(struct pkt *p, const struct sl_service_rec *service)
{
	__u32 index;

	if (slot_settled(p, service))
		return SL_R_NEXT;
	index = slot_index(service, p->hash);
	return slot_pick_slow(p, service, index, READ_ONCE(*maps_slot(index)), pkt_is_syn(p));
}

#endif
