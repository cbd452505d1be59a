/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slots: stores one word at a time by compare-and-swap, because the packet
 * path may raise T meanwhile (least load). seen is stored before the word that
 * makes it matter: a slot is then never in transition with an old seen.
 */
#include "lb_user/domain/slots.h"

#include <sluice/types.h>

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static bool swap(uint32_t *word, uint32_t *expected, uint32_t wanted)
{
	return __atomic_compare_exchange_n(word, expected, wanted, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

static void mark_seen(const struct sl_slots *s, uint32_t i, uint16_t now)
{
	__atomic_store_n(&s->seen[i], now, __ATOMIC_RELEASE);
}

uint32_t sl_slots_retarget(const struct sl_slots *s, const uint16_t *owners, uint16_t now)
{
	uint32_t moved = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t was = load(&s->word[i]);

		if (SL_SLOT_CUR(was) == owners[i])
			continue;
		mark_seen(s, i, now);
		while (!swap(&s->word[i], &was,
			     was & SL_SLOT_T ? SL_SLOT(owners[i], true, SL_SLOT_OLD(was))
					     : SL_SLOT(owners[i], true, SL_SLOT_CUR(was))))
			;
		moved++;
	}
	return moved;
}

void sl_slots_raise(const struct sl_slots *s, uint16_t id, uint16_t now)
{
	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t was = load(&s->word[i]);

		if (SL_SLOT_CUR(was) != id)
			continue;
		/* where T is up, too: a SYN that found @id not UP may be about to be remembered
		 * elsewhere, and the slot about to settle */
		mark_seen(s, i, now);
		while (!(was & SL_SLOT_T) && !swap(&s->word[i], &was, SL_SLOT(id, true, id)))
			;
	}
}

uint32_t sl_slots_remove(const struct sl_slots *s, uint16_t id, const uint16_t *owners,
			 uint16_t now)
{
	uint32_t moved = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t was = load(&s->word[i]), want;

		do {
			uint32_t cur = SL_SLOT_CUR(was), old = SL_SLOT_OLD(was);
			bool t = was & SL_SLOT_T;

			want = was;
			if (cur == id) {
				uint32_t to = owners[i];

				want = SL_SLOT(to, true, !t || old == id ? to : old);
			} else if (old == id) {
				want = SL_SLOT(cur, t, cur);
			}
			if (want == was)
				break;
			if (SL_SLOT_CUR(want) != cur)
				mark_seen(s, i, now);
		} while (!swap(&s->word[i], &was, want));
		moved += SL_SLOT_CUR(want) != SL_SLOT_CUR(was);
	}
	return moved + sl_slots_retarget(s, owners, now);
}

/* A packet may have seen the clock turn since @now was read: a little ahead is now. */
#define TICKS_AHEAD 64u

/*
 * seen may be older than the last packet that needs the slot, by a tick each:
 * a packet, or the agent, that read the clock before a tick began marks over
 * who read it after; a packet that is new to memory read the slot before and
 * the clock after; and one whose entry was young enough when it looked makes
 * it young again after the slot has settled. tests/model has a history for
 * each, and shows that three are enough.
 */
#define TICKS_SLACK 3u

static bool idle_for_long(uint16_t now, uint16_t seen, uint16_t idle_ticks)
{
	uint16_t age = (uint16_t)(now - seen);

	return age > idle_ticks + TICKS_SLACK && age < (uint16_t)-TICKS_AHEAD;
}

uint32_t sl_slots_due(const struct sl_slots *s, uint16_t now, uint16_t idle_ticks, bool *ret_due)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		if (!(load(&s->word[i]) & SL_SLOT_T))
			continue;
		n++;
		if (idle_for_long(now, __atomic_load_n(&s->seen[i], __ATOMIC_ACQUIRE), idle_ticks))
			*ret_due = true;
	}
	return n;
}

void sl_slots_hold(const struct sl_slots *s, uint16_t now)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (load(&s->word[i]) & SL_SLOT_T)
			mark_seen(s, i, now);
}

uint32_t sl_slots_settle(const struct sl_slots *s, uint16_t now, uint16_t idle_ticks)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t was = load(&s->word[i]);
		uint16_t seen = __atomic_load_n(&s->seen[i], __ATOMIC_ACQUIRE);

		if (!(was & SL_SLOT_T))
			continue;
		if (!idle_for_long(now, seen, idle_ticks) ||
		    !swap(&s->word[i], &was, SL_SLOT(SL_SLOT_CUR(was), false, SL_SLOT_CUR(was))))
			left++;
	}
	return left;
}

void sl_slots_init(const struct sl_slots *s, const uint16_t *owners)
{
	for (uint32_t i = 0; i < s->count; i++) {
		s->seen[i] = 0;
		__atomic_store_n(&s->word[i], SL_SLOT(owners[i], false, owners[i]),
				 __ATOMIC_RELEASE);
	}
}

uint32_t sl_slots_owned(const struct sl_slots *s, uint16_t id)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->count; i++)
		n += SL_SLOT_CUR(load(&s->word[i])) == id;
	return n;
}
