/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_BACKEND_H
#define LB_KERN_BACKEND_H

/* backend: the record of the chosen one, and what is noted of its flows while it drains. */
#include "lb_kern/maps.h"
#include "lb_kern/pkt.h"

/*
 * Marks the flow's cell (domain/drain.h turns cells into a count). A FIN turns
 * the cell to closing; what follows (the last ACKs) keeps it so. A RST ends it.
 */
static __always_inline void backend_mark(const struct pkt *p, __u32 track)
{
	__u16 *cell = maps_drain_cell(track, (__u32)(p->hash >> 24));
	__u16 was = READ_ONCE(*cell), is;

	is = SL_DRAIN_VALID | ((__u16)(PLATFORM_JIFFIES() >> CONFIG_DRAIN_SHIFT(sl_tick_shift)) &
			       SL_DRAIN_TICK_MASK);
	if (p->tcp_flags & PKT_TCP_RST)
		is = 0;
	else if ((p->tcp_flags & PKT_TCP_FIN) || (was & SL_DRAIN_CLOSING))
		is |= SL_DRAIN_CLOSING;
	if (is != was)
		WRITE_ONCE(*cell, is);
}

static __always_inline enum sl_reason backend_load(const struct pkt *p,
						   const struct sl_backend_rec **ret)
{
	const struct sl_backend_rec *b = maps_backend(p->backend);

	if (unlikely(READ_ONCE(b->state) == SL_DP_DRAINING)) {
		__u32 track = READ_ONCE(b->drain_track);

		if (track && !p->is_quoted)
			backend_mark(p, track);
	}
	if (unlikely(!READ_ONCE(b->ifindex)))
		return SL_R_NO_NEXT_HOP; /* for a moment, while it moves to another interface */
	*ret = b;
	return SL_R_NEXT;
}

#endif
