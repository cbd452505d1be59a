/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_SLOTS_H
#define LB_USER_DOMAIN_SLOTS_H

/*
 * slots: the agent's half of the slot rules (the packet path's half is
 * lb_kern/slot.h; both stand in lb_kern/README.md). Works on the shared memory
 * itself while packets flow: every store is one word, compare-and-swap, in an
 * order in which each prefix is a correct state.
 *
 * Invariant: a slot's seen is now whenever T is set or cur changes.
 */
#include <stdbool.h>
#include <stdint.h>

struct sl_slots {	/* one service's table */
	uint32_t *word; /* SL_SLOT words */
	uint16_t *seen; /* tick of the last packet that went to a backend other than cur */
	uint32_t count;
};

/*
 * Makes cur equal @owners (weights, additions; removal has its own function).
 *   T=0: {old=A, cur=B, T=1}      T=1: only cur
 * Returns how many slots changed.
 */
uint32_t sl_slots_retarget(const struct sl_slots *s, const uint16_t *owners, uint16_t now);

/*
 * Backend @id is about to be UP again: flows that began on it while nobody
 * remembered them must still find it. Slots with cur == @id and T=0 get
 * {old=@id, T=1}; with T=1 they only stay in transition. Call before its state
 * becomes UP.
 */
void sl_slots_raise(const struct sl_slots *s, uint16_t id, uint16_t now);

/*
 * Backend @id leaves for good; its state is DRAINING or DOWN already and
 * @owners no longer names it.
 *   cur == id: {cur=C, T=1, old = (T=0 or old==id) ? C : old}; others with old == id: old=cur
 * Slots that move between other backends follow sl_slots_retarget().
 * Returns how many slots changed owner.
 */
uint32_t sl_slots_remove(const struct sl_slots *s, uint16_t id, const uint16_t *owners,
			 uint16_t now);

/*
 * How many slots are in transition; *@ret_due becomes true if one of them
 * would settle now.
 */
uint32_t sl_slots_due(const struct sl_slots *s, uint16_t now, uint16_t idle_ticks, bool *ret_due);

/*
 * No slot settles before an idle timeout from @now has passed, for when flow
 * memory cannot be told: entries that look young may be old (exceptions.h).
 */
void sl_slots_hold(const struct sl_slots *s, uint16_t now);

/*
 * Expired exceptions must have been swept since @now was read: one that is
 * left on a settled slot is not overwritten by the next flow of its tuple, and
 * looks young again once ages have wrapped.
 * Slots whose seen is older than @idle_ticks, and three ticks more, become
 * {old=cur, T=0}.
 * Returns how many stay in transition.
 */
uint32_t sl_slots_settle(const struct sl_slots *s, uint16_t now, uint16_t idle_ticks);

/* A fresh table that no packet can see yet: {cur=owner, T=0, old=owner}. */
void sl_slots_init(const struct sl_slots *s, const uint16_t *owners);

/* How many slots have cur == @id. */
uint32_t sl_slots_owned(const struct sl_slots *s, uint16_t id);

#endif
