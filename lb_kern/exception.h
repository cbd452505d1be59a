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

static __always_inline bool exception_expired(__u64 entry, __u32 tick, __u32 idle_ticks)
{
	return ((tick - (__u32)SL_EXC_AGE(entry)) & 0xff) > idle_ticks;
}

struct exception_hit {
	__u64 *place;
	__u64 entry; /* as it was read; 0: none */
};

/* The entry of this flow, unless it is absent or older than the idle timeout. */
static __always_inline struct exception_hit exception_find(__u64 hash, __u32 tick, __u32 idle_ticks)
{
	struct sl_exc_set *set = exception_set(hash);
	struct exception_hit hit = {};
	__u64 tag = sl_hash_exc_tag(hash);

	exception_cnt()->lookups++;
#pragma unroll
	for (int i = 0; i < (int)SL_EXC_WAYS; i++) {
		__u64 e = READ_ONCE(set->entry[i]);

		if ((e & SL_EXC_TAG_MASK) == tag && e && !hit.entry) {
			hit.place = &set->entry[i];
			hit.entry = e;
		}
	}
	if (hit.entry && exception_expired(hit.entry, tick, idle_ticks))
		hit.entry = 0;
	if (hit.entry)
		exception_cnt()->hits++;
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
 * How much a place is worth to us: the flow's own entry first (it is
 * overwritten, never doubled), then a free place, an expired one, the oldest
 * that never saw a second packet. 0: a live confirmed flow, never taken.
 */
static __always_inline __u32 exception_rank(__u64 e, __u64 tag, __u32 tick, __u32 idle_ticks)
{
	if (!e)
		return 0x300;
	if ((e & SL_EXC_TAG_MASK) == tag)
		return 0x400;
	if (exception_expired(e, tick, idle_ticks))
		return 0x200;
	if (e & SL_EXC_CONFIRMED)
		return 0;
	return 0x100 + ((tick - (__u32)SL_EXC_AGE(e)) & 0xff);
}

static __always_inline bool exception_insert_once(__u64 hash, __u32 backend, __u32 tick,
						  __u32 idle_ticks)
{
	struct sl_exc_set *set = exception_set(hash);
	struct sl_exc_cnt *cnt = exception_cnt();
	__u64 tag = sl_hash_exc_tag(hash);
	__u64 *best_place = &set->entry[0];
	__u64 best = 0;
	__u32 best_rank = 0;

#pragma unroll
	for (int i = 0; i < (int)SL_EXC_WAYS; i++) {
		__u64 e = READ_ONCE(set->entry[i]);
		__u32 rank = exception_rank(e, tag, tick, idle_ticks);

		if (rank > best_rank) {
			best_rank = rank;
			best = e;
			best_place = &set->entry[i];
		}
	}
	if (!best_rank || !exception_swap(best_place, best, SL_EXC(tag, backend, 0, tick)))
		return false;
	if (best_rank < 0x200)
		cnt->evicted_unconfirmed++;
	else if (best_rank < 0x300)
		cnt->evicted_expired++;
	return true;
}

/* Remember that the flow belongs to @backend. One retry: a lost race means the set is busy. */
static __always_inline void exception_insert(__u64 hash, __u32 backend, __u32 tick,
					     __u32 idle_ticks)
{
	if (exception_insert_once(hash, backend, tick, idle_ticks) ||
	    exception_insert_once(hash, backend, tick, idle_ticks))
		exception_cnt()->inserts++;
	else
		exception_cnt()->failed++;
}

#endif
