/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_EXCEPTION_H
#define LB_KERN_EXCEPTION_H

/*
 * exception: the flows that are remembered, because a change of the pool could
 * move them. One set is one cache line of eight one-word entries; every change
 * is a compare-and-swap of one word, so there is no lock, and losing a race
 * costs a retry or, counted, one memory.
 */
#include <sluice/hash.h>

#include "lb_kern/maps.h"
#include "lb_kern/pkt.h"
#include "lb_kern/trace.h"

static __always_inline __u32 exception_tick(void)
{
	return (__u32)(PLATFORM_JIFFIES() >> sl_tick_shift);
}

static __always_inline struct sl_exc_set *exception_set(__u64 hash)
{
	return maps_exceptions() + platform_bounded((__u32)hash, SL_EXC_SETS - 1);
}

static __always_inline struct sl_exc_cnt *exception_cnt(void)
{
	return maps_cnt_exc() + maps_row();
}

static __always_inline bool exception_swap(__u64 *place, __u64 from, __u64 to)
{
	return __sync_val_compare_and_swap(place, from, to) == from;
}

/*
 * A set is searched without branches: eight ways out of a loop would have the
 * verifier walk all that follows eight times (620,000 instructions and 1.6 s
 * to load the program, against 54,000 and 0.1 s this way). The barriers
 * keep clang from turning the arithmetic back into branches.
 */
static __always_inline __u64 exception_hide(__u64 x)
{
	asm volatile("" : "+r"(x));
	return x;
}

/* 1 if @a < @b, both below 2^63. */
static __always_inline __u64 exception_less(__u64 a, __u64 b)
{
	return exception_hide(exception_hide(a - b) >> 63);
}

/* 1 if the entry's tag is @tag. */
static __always_inline __u64 exception_match(__u64 entry, __u64 tag)
{
	return exception_less((entry ^ tag) >> 24, 1);
}

static __always_inline __u64 *exception_place(struct sl_exc_set *set, __u64 way)
{
	return &set->entry[platform_bounded((__u32)way, SL_EXC_WAYS - 1)];
}

struct exception_hit {
	__u64 *place;
	__u64 entry; /* as it was read; 0: none */
};

/* The entry of this flow, unless it is absent or older than the idle timeout. Not counted yet. */
static __always_inline struct exception_hit exception_look(__u64 hash, __u32 tick, __u32 idle_ticks)
{
	struct sl_exc_set *set = exception_set(hash);
	struct exception_hit hit = {};
	__u64 tag = sl_hash_exc_tag(hash), way = 0;

	PLATFORM_UNROLL
	for (int i = 1; i < (int)SL_EXC_WAYS; i++) {
		__u64 match = -exception_match(READ_ONCE(set->entry[i]), tag);

		way ^= (way ^ i) & match; /* the last one, should a race have left two */
	}
	/* in the first way, or nowhere: the entry itself tells */
	hit.place = exception_place(set, way);
	hit.entry = READ_ONCE(*hit.place);
	if ((hit.entry & SL_EXC_TAG_MASK) != tag || SL_EXC_SILENT(hit.entry, tick) > idle_ticks + 1)
		hit.entry = 0;
	return hit;
}

static __always_inline void exception_count(const struct exception_hit *hit)
{
	exception_cnt()->lookups++;
	if (hit->entry)
		exception_cnt()->hits++;
}

static __always_inline struct exception_hit exception_find(__u64 hash, __u32 tick, __u32 idle_ticks)
{
	struct exception_hit hit = exception_look(hash, tick, idle_ticks);

	exception_count(&hit);
	return hit;
}

/* It was used again: young, and confirmed, so that no flood of first packets evicts it. */
static __always_inline void exception_touch(const struct exception_hit *hit, __u32 tick)
{
	__u64 fresh = (hit->entry & ~0xffull) | SL_EXC_CONFIRMED | (tick & 0xff);

	if (fresh != hit->entry)
		exception_swap(hit->place, hit->entry, fresh);
}

static __always_inline void exception_forget(const struct exception_hit *hit)
{
	exception_swap(hit->place, hit->entry, 0);
}

/*
 * How readily a place is given to the flow, the higher the better: its own
 * entry (it is overwritten, never doubled), a free place, an expired one, the
 * oldest that never saw a second packet. Below EXCEPTION_UNCONFIRMED: a live
 * confirmed flow, never taken.
 */
#define EXCEPTION_OWN	      0x800u
#define EXCEPTION_FREE	      0x400u
#define EXCEPTION_EXPIRED     0x200u
#define EXCEPTION_UNCONFIRMED 0x100u

/* How long the entry may be silent: its own service says so, the table is everybody's. */
static __always_inline __u32 exception_idle(__u64 e)
{
	__u32 service = READ_ONCE(maps_backend(SL_EXC_BACKEND(e))->service);

	return READ_ONCE(maps_service(service)->idle_ticks);
}

static __always_inline __u64 exception_rank(__u64 e, __u64 tag, __u32 tick)
{
	__u64 silent = SL_EXC_SILENT(e, tick);

	return exception_match(e, tag) * EXCEPTION_OWN |
	       exception_less(e >> 1, 1) * EXCEPTION_FREE | /* a backend is never 0: bit 0 is age */
	       exception_less(exception_idle(e) + 1, silent) * EXCEPTION_EXPIRED |
	       (~e & SL_EXC_CONFIRMED) | silent;
}

static __always_inline bool exception_insert_once(__u64 hash, __u32 backend, __u32 tick)
{
	struct sl_exc_set *set = exception_set(hash);
	struct sl_exc_cnt *cnt = exception_cnt();
	__u64 tag = sl_hash_exc_tag(hash), best = 0, was, rank;
	__u64 *place;

	PLATFORM_UNROLL
	for (int i = 0; i < (int)SL_EXC_WAYS; i++) {
		__u64 score = exception_rank(READ_ONCE(set->entry[i]), tag, tick) << 3 | i;

		best ^= (best ^ score) & -exception_less(best, score);
	}
	/* read again: it may have become another flow's live memory meanwhile */
	place = exception_place(set, best);
	was = READ_ONCE(*place);
	rank = exception_rank(was, tag, tick);
	if (rank < EXCEPTION_UNCONFIRMED ||
	    !exception_swap(place, was, SL_EXC(tag, backend, 0, tick)))
		return false;
	if (rank < EXCEPTION_EXPIRED) {
		cnt->evicted_unconfirmed++;
		trace_evicted(SL_EXC_BACKEND(was));
	} else if (rank < EXCEPTION_FREE) {
		cnt->evicted_expired++;
	}
	return true;
}

/* Remember that the flow belongs to @backend. One retry: a lost race means the set is busy. */
static __always_inline void exception_insert(__u64 hash, __u32 backend, __u32 tick)
{
	if (exception_insert_once(hash, backend, tick) ||
	    exception_insert_once(hash, backend, tick))
		exception_cnt()->inserts++;
	else
		exception_cnt()->failed++;
}

#endif
