/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_GUARD_H
#define LB_KERN_GUARD_H

/*
 * guard: sources that are listed or ask for too much (WALK.md, section 5a).
 *
 * A limit is one word, the time until which what was let through is paid for
 * (sluice/guard.h). Words are read and stored plainly: two CPUs that serve one
 * source at the same moment may lose one of two charges, never more, and never
 * make a word of two. Only words whose time has come are given to another
 * source; with no such place a packet goes through, counted: a flood of forged
 * sources displaces nobody and blocks nobody.
 */
#include <sluice/guard.h>

#include "lb_kern/maps.h"
#include "lb_kern/pkt.h"

static __always_inline struct sl_guard_cnt *guard_cnt(void)
{
	return maps_cnt_guard() + maps_row();
}

/* What a refusal comes to: in a dry run it is counted, once a packet, which then goes on. */
static __always_inline enum sl_reason
guard_refuse(struct pkt *p, const struct sl_service_rec *service, enum sl_reason why)
{
	struct sl_guard_cnt *cnt;

	if (likely(!(service->flags & SL_SF_GUARD_DRY)))
		return why;
	cnt = guard_cnt();
	if (why == SL_R_GUARD_DENIED)
		cnt->would_deny++;
	else if (why == SL_R_GUARD_SOURCE)
		cnt->would_source++;
	else
		cnt->would_service++;
	/* it is 1, but the verifier must not know: it would walk all that follows twice */
	p->is_exempt = READ_ONCE(service->flags) / SL_SF_GUARD_DRY & 1;
	return SL_R_NEXT;
}

/* ---- listed prefixes ---------------------------------------------------- */

/* Whether a listed prefix may match @addr_be; only then is the map asked. */
static __always_inline bool guard_indexed(__u64 addr_be, bool is_v6)
{
	__u32 at = is_v6 ? sl_guard_index6(addr_be) : sl_guard_index4(addr_be);
	const __u64 *word =
		maps_guard_index() + platform_bounded(at >> 6, SL_GUARD_INDEX_WORDS - 1);

	return READ_ONCE(*word) >> (at & 63) & 1;
}

/* Who sends an ICMP error, not the client that it is about; read before, but the verifier was
 * made to forget it. */
static __always_inline bool guard_sender(const struct pkt *p, struct sl_guard_key *ret)
{
	if (p->is_v6) {
		const __u64 *address = p->l3 + 8;

		if ((void *)(address + 2) > p->end)
			return false;
		ret->addr_be[0] = address[0];
		ret->addr_be[1] = address[1];
	} else {
		const __u32 *address = p->l3 + 12;

		if ((void *)(address + 1) > p->end)
			return false;
		ret->addr_be[0] = *address;
	}
	return true;
}

static __always_inline enum sl_reason guard_listed(struct pkt *p,
						   const struct sl_service_rec *service)
{
	struct sl_guard_key key = { .bits = p->is_v6 ? 32 + 128 : 32 + 32,
				    .family = p->is_v6 ? 6 : 4,
				    .addr_be = { p->saddr_be[0], p->saddr_be[1] } };
	const __u32 *verdict;

	if (!(sl_features & SL_FEAT_GUARD))
		return SL_R_NEXT;
	if (unlikely(p->is_quoted) && !guard_sender(p, &key))
		return SL_R_NEXT;
	if (likely(!guard_indexed(key.addr_be[0], p->is_v6)))
		return SL_R_NEXT;
	verdict = PLATFORM_LONGEST(sl_prefixes, &key);
	if (!verdict)
		return SL_R_NEXT;
	if (*verdict == SL_GUARD_DENY)
		return guard_refuse(p, service, SL_R_GUARD_DENIED);
	p->is_exempt = READ_ONCE(*verdict) / SL_GUARD_ALLOW & 1;
	return SL_R_NEXT;
}

/* ---- a source's limit ----------------------------------------------------- */

/* 1 if @a < @b, both below 2^63; opaque, so that it stays arithmetic (exception.h says why). */
static __always_inline __u64 guard_less(__u64 a, __u64 b)
{
	__u64 x = a - b;

	asm volatile("" : "+r"(x));
	x >>= 63;
	asm volatile("" : "+r"(x));
	return x;
}

static __always_inline __u64 *guard_place(struct sl_guard_set *set, __u64 way)
{
	return &set->word[platform_bounded((__u32)way, SL_GUARD_WAYS - 1)];
}

static __always_inline bool guard_has_tag(__u64 word, __u64 tag)
{
	return !((word ^ tag) >> SL_GUARD_TIME_BITS);
}

/* How far the word's time is ahead of now; what has come is nearly 2^40 "ahead". */
static __always_inline __u64 guard_ahead(__u64 word, __u64 now)
{
	return (word - now) & SL_GUARD_TIME_MASK;
}

/* How good a place is for the source: 2 its own, 1 free or past, 0 another's. */
static __always_inline __u64 guard_rank(__u64 word, __u64 tag, __u64 now)
{
	__u64 own = guard_less((word ^ tag) >> SL_GUARD_TIME_BITS, 1);
	__u64 live = guard_less(guard_ahead(word, now), 1ull << SL_GUARD_LIVE_BITS) &
		     guard_less(0, word >> 62);

	return own << 1 | (live ^ 1);
}

struct guard_hit {
	__u64 *place; /* NULL: none */
	__u64 word;   /* what stands for the source there */
};

static __always_inline struct sl_guard_set *guard_set(__u64 hash)
{
	return maps_guard_sets() + platform_bounded((__u32)hash, SL_GUARD_SETS - 1);
}

/* In one of the two ways that the hash names, where most are. */
static __always_inline struct guard_hit guard_glance(__u64 hash, __u64 tag)
{
	struct sl_guard_set *set = guard_set(hash);
	struct guard_hit hit = { .place = guard_place(set, SL_GUARD_HOME(hash)) };

	hit.word = READ_ONCE(*hit.place);
	if (likely(guard_has_tag(hit.word, tag)))
		return hit;
	hit.place = guard_place(set, SL_GUARD_HOME(hash) ^ 1);
	hit.word = READ_ONCE(*hit.place);
	if (!guard_has_tag(hit.word, tag))
		hit.place = NULL;
	return hit;
}

/* In any way, or the best place for it: of equal ones a way that the hash names. */
static __always_inline struct guard_hit guard_search(__u64 hash, __u64 tag, __u64 now)
{
	struct sl_guard_set *set = guard_set(hash);
	__u32 home = SL_GUARD_HOME(hash);
	struct guard_hit hit;
	__u64 best = 0;

	PLATFORM_UNROLL
	for (__u32 i = 0; i < SL_GUARD_WAYS; i++) {
		__u64 rank = guard_rank(READ_ONCE(*guard_place(set, home ^ i)), tag, now) << 3 |
			     (SL_GUARD_WAYS - 1 - i);

		best ^= (best ^ rank) & -guard_less(best, rank);
	}
	hit.place = guard_place(set, home ^ (SL_GUARD_WAYS - 1) ^ best);
	hit.word = READ_ONCE(*hit.place);
	if (guard_has_tag(hit.word, tag))
		return hit;
	hit.word = tag | (now & SL_GUARD_TIME_MASK);
	if (best < SL_GUARD_WAYS)
		hit.place = NULL;
	return hit;
}

/* Charges one to the source; false: that is one too many. */
static __always_inline bool guard_charge(const struct guard_hit *hit, __u64 limit, __u64 now)
{
	__u64 ahead = guard_ahead(hit->word, now);

	if (ahead > SL_GUARD_BURST(limit)) /* past */
		ahead = 0;
	ahead += SL_GUARD_COST(limit);
	if (unlikely(ahead > SL_GUARD_BURST(limit)))
		return false;
	WRITE_ONCE(*hit->place,
		   (hit->word & SL_GUARD_TAG_MASK) | ((now + ahead) & SL_GUARD_TIME_MASK));
	return true;
}

/* ---- a service's limit ------------------------------------------------------ */

/* Takes some from the pool that all CPUs share: the first is the packet's, the rest this CPU's
 * credit. */
static __always_inline bool guard_draw(struct sl_guard_pool *pool, const struct sl_guard_rec *rec,
				       enum sl_guard_kind kind, struct sl_guard_credit *credit)
{
	__u64 share = READ_ONCE(rec->share[kind]), burst = READ_ONCE(rec->burst[kind]);
	__u64 now = PLATFORM_JIFFIES() << SL_GUARD_FINE_SHIFT, cost = SL_GUARD_SHARE_COST(share);
	__u64 *time = &pool->time[kind];

	PLATFORM_UNROLL
	for (int tries = 0; tries < 2; tries++) {
		__u64 was = READ_ONCE(*time), ahead = was - now;
		__u32 n = SL_GUARD_SHARE_BATCH(share);

		if (ahead > burst) /* past */
			ahead = 0;
		if (ahead + n * cost > burst)
			n = 1;
		if (ahead + n * cost > burst)
			return false;
		if (__sync_val_compare_and_swap(time, was, now + ahead + n * cost) == was) {
			credit->left[kind] = n - 1;
			return true;
		}
	}
	guard_cnt()->raced++;
	return true;
}

static __always_inline bool guard_charge_service(__u32 service, const struct sl_guard_rec *rec,
						 enum sl_guard_kind kind)
{
	struct sl_guard_credit *credit =
		maps_guard_credit() + platform_in_row(maps_row(), SL_SERVICES_MAX, service);

	if (!READ_ONCE(rec->share[kind]))
		return true;
	if (likely(credit->left[kind])) {
		credit->left[kind]--;
		return true;
	}
	return guard_draw(maps_guard_pools() + platform_bounded(service, SL_SERVICE_MASK), rec,
			  kind, credit);
}

/* ---- steps of the walk -------------------------------------------------------- */

static __always_inline const struct sl_guard_rec *guard_rec(const struct pkt *p)
{
	return maps_guards() + platform_bounded(p->service, SL_SERVICE_MASK);
}

static __always_inline __u64 guard_hash(const struct pkt *p, const struct sl_service_rec *service,
					enum sl_guard_level level)
{
	return sl_guard_hash(sl_guard_bits(p->saddr_be[0], p->is_v6, level), level, service->salt,
			     maps_info()->key);
}

/*
 * All limits of one kind: the source's, its network's, the service's. The first
 * that refuses is the last that is asked; what the others have charged stays.
 */
static __always_inline enum sl_reason
guard_limits(struct pkt *p, const struct sl_service_rec *service, enum sl_guard_kind kind)
{
	__u64 now = PLATFORM_JIFFIES() << SL_GUARD_SHIFT;
	const struct sl_guard_rec *rec = guard_rec(p);

	PLATFORM_UNROLL
	for (int level = 0; level < SL_GUARD_LEVELS; level++) {
		__u64 limit = READ_ONCE(rec->source[level][kind]), hash;
		struct guard_hit hit;

		/* who forges an ICMP error must not use up what its client may send */
		if (!limit || p->is_quoted)
			continue;
		hash = guard_hash(p, service, level);
		hit = guard_search(hash, SL_GUARD_TAG(hash, kind), now);
		if (!hit.place)
			guard_cnt()->table_full++;
		else if (!guard_charge(&hit, limit, now))
			return guard_refuse(p, service, SL_R_GUARD_SOURCE);
	}
	if (!guard_charge_service(p->service, rec, kind))
		return guard_refuse(p, service, SL_R_GUARD_SERVICE);
	return SL_R_NEXT;
}

static __always_inline bool guard_applies(const struct pkt *p, const struct sl_service_rec *service)
{
	return (sl_features & SL_FEAT_GUARD) && (service->flags & SL_SF_GUARD) && !p->is_exempt;
}

/* A flow begins: a SYN, or a UDP flow that is about to be remembered. Charged as a packet before.
 */
static __always_inline enum sl_reason guard_new_flow(struct pkt *p,
						     const struct sl_service_rec *service)
{
	if (!guard_applies(p, service))
		return SL_R_NEXT;
	return guard_limits(p, service, SL_GUARD_FLOWS);
}

/* Any packet of a service; its source is not denied. */
static __always_inline enum sl_reason guard_packet(struct pkt *p,
						   const struct sl_service_rec *service)
{
	if (!guard_applies(p, service))
		return SL_R_NEXT;
	return guard_limits(p, service, SL_GUARD_PACKETS);
}

/*
 * The same for the hot walk. False, and nothing is charged: for the rare walk,
 * because the source may be listed, begins a flow, or is not where most are.
 */
static __always_inline bool guard_common(struct pkt *p, const struct sl_service_rec *service,
					 enum sl_reason *ret_why)
{
	struct guard_hit hit[SL_GUARD_LEVELS] = {};
	const struct sl_guard_rec *rec;
	__u64 now;

	if (!(sl_features & SL_FEAT_GUARD))
		return true;
	if (unlikely(guard_indexed(p->saddr_be[0], p->is_v6)))
		return false;
	if (!(service->flags & SL_SF_GUARD))
		return true;
	if (unlikely(p->new_flow))
		return false;
	now = PLATFORM_JIFFIES() << SL_GUARD_SHIFT;
	rec = guard_rec(p);
	PLATFORM_UNROLL
	for (int level = 0; level < SL_GUARD_LEVELS; level++) {
		__u64 hash;

		if (!READ_ONCE(rec->source[level][SL_GUARD_PACKETS]))
			continue;
		hash = guard_hash(p, service, level);
		hit[level] = guard_glance(hash, SL_GUARD_TAG(hash, SL_GUARD_PACKETS));
		if (unlikely(!hit[level].place))
			return false;
	}
	PLATFORM_UNROLL
	for (int level = 0; level < SL_GUARD_LEVELS; level++) {
		__u64 limit = READ_ONCE(rec->source[level][SL_GUARD_PACKETS]);

		if (hit[level].place && limit && unlikely(!guard_charge(&hit[level], limit, now))) {
			*ret_why = guard_refuse(p, service, SL_R_GUARD_SOURCE);
			return true;
		}
	}
	if (unlikely(!guard_charge_service(p->service, rec, SL_GUARD_PACKETS)))
		*ret_why = guard_refuse(p, service, SL_R_GUARD_SERVICE);
	return true;
}

#endif
