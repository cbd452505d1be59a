/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_STATS_H
#define LB_KERN_STATS_H

/*
 * stats: counts each packet once, in this CPU's own row: where it was sent, or
 * why it was not. A sent one touches its backend's row alone; the agent adds up
 * what services and `sent` come to (lb_user/domain/counters.h). Plain adds:
 * nobody else writes the row while the program runs on this CPU.
 */
#include "lb_kern/maps.h"
#include "lb_kern/pkt.h"

static __always_inline enum sl_action stats_action(enum sl_reason why)
{
	switch (why) {
#define STATS_ACTION(sym, num, act, label) \
	case SL_R_##sym:                   \
		return SL_A_##act;
		SL_REASONS(STATS_ACTION)
#undef STATS_ACTION
	}
	return SL_A_PASS;
}

/* @bytes: pkt_bytes() of the packet as it came in. */
static __always_inline void stats_sent(const struct pkt *p, __u32 bytes)
{
	struct sl_cnt *cnt =
		maps_cnt_backend() + platform_in_row(maps_row(), SL_BACKENDS_MAX, p->backend);

	cnt->packets++;
	cnt->bytes += bytes;
	if (unlikely(p->new_flow))
		cnt->flows++;
}

static __always_inline void stats_count(const struct pkt *p, enum sl_reason why, __u32 bytes)
{
	__u32 row = maps_row();

	if (likely(why == SL_R_SENT)) {
		stats_sent(p, bytes);
		return;
	}
	maps_cnt_reason()[row].packets[why & (SL_REASONS_MAX - 1)]++;
	if (p->service)
		(maps_cnt_service() + platform_in_row(row, SL_SERVICES_MAX, p->service))->dropped++;
}

#endif
