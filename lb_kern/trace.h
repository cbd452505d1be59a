/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_TRACE_H
#define LB_KERN_TRACE_H

/*
 * trace: tells of single packets what became of them, and shows them before
 * and after, to whoever asked (sluice/events.h). Only the rare walk does it,
 * so that the hot one pays one load while nobody listens; without
 * SL_FEAT_TRACE none of it is there.
 *
 * What is known of the packet is kept in this CPU's row of memory, not in
 * registers or on the stack: the verifier would follow each way through the
 * walk with and without it. Memory is the same on all ways (launder.h).
 */
#include <sluice/events.h>

#include "lb_kern/maps.h"
#include "lb_kern/pkt.h"

static __always_inline volatile struct sl_trace_row *trace_row(void)
{
	return maps_trace_row() + maps_row();
}

/* Whether anybody listens, and the agent that serves them is alive. */
static __always_inline bool trace_on(void)
{
	__u64 until;

	if (!(sl_features & SL_FEAT_TRACE))
		return false;
	until = READ_ONCE(maps_trace()->until);
	return unlikely(until) && PLATFORM_JIFFIES() < until;
}

/* Bytes to keep of a frame of @bytes: 1..SL_SNAP_MAX, in the form in which the verifier sees it. */
static __always_inline __u32 trace_snap(__u32 bytes)
{
	__u32 snap = READ_ONCE(maps_trace()->capture_snap);

	if (bytes > snap)
		bytes = snap;
	return platform_bounded(bytes - 1, SL_SNAP_MAX - 1) + 1;
}

/* Before anything else: what the frame looks like now nobody knows later. */
static __always_inline void trace_begin(struct platform_ctx *ctx)
{
	volatile struct sl_trace_row *row;
	const struct sl_trace *want;
	__u32 bytes;

	if (!(sl_features & SL_FEAT_TRACE))
		return;
	row = trace_row();
	row->armed = 0;
	if (likely(!trace_on()))
		return;
	want = maps_trace();
	bytes = PLATFORM_FRAME_BYTES(ctx);
	row->event.saddr_be[0] = row->event.saddr_be[1] = 0;
	row->event.daddr_be[0] = row->event.daddr_be[1] = 0;
	row->event.sport_be = row->event.dport_be = 0;
	row->event.proto = row->event.tcp_flags = row->event.flags = row->event.kinds = 0;
	row->event.frame_bytes = bytes;
	row->armed = SL_TRACE_ARMED;
	if (!READ_ONCE(want->capture) || (__s64)READ_ONCE(want->capture_left) <= 0)
		return;
	bytes = trace_snap(bytes);
	row->event.before_bytes = bytes;
	if (!PLATFORM_COPY(ctx, (void *)row->bytes, bytes))
		row->armed = SL_TRACE_ARMED | SL_TRACE_BEFORE;
}

/* The flow's backend, @from, is DOWN: it goes to another. */
static __always_inline void trace_rescheduled(__u32 from)
{
	if (!(sl_features & SL_FEAT_TRACE))
		return;
	trace_row()->event.kinds |= SL_EV_RESCHEDULE;
	trace_row()->event.rescheduled_from = (__u16)from;
}

/* A live flow of @backend that never saw a second packet is forgotten in favour of this one. */
static __always_inline void trace_evicted(__u32 backend)
{
	if (!(sl_features & SL_FEAT_TRACE))
		return;
	trace_row()->event.kinds |= SL_EV_EVICTION;
	trace_row()->event.evicted = (__u16)backend;
}

/*
 * What is known of the packet by now. Called where the walk's ways have just
 * been made one: noted at the end instead, all of it would have to be held on
 * each of them (73,377 instructions verified, against 42,640 without).
 */
static __always_inline void trace_note(const struct pkt *p)
{
	volatile struct sl_event *e;

	if (!(sl_features & SL_FEAT_TRACE))
		return;
	e = &trace_row()->event;
	e->saddr_be[0] = p->saddr_be[0];
	e->saddr_be[1] = p->saddr_be[1];
	e->daddr_be[0] = p->daddr_be[0];
	e->daddr_be[1] = p->daddr_be[1];
	e->sport_be = (__u16)p->sport_be;
	e->dport_be = (__u16)p->dport_be;
	e->proto = (__u8)p->proto;
	e->flags = (p->is_v6 ? SL_EVF_V6 : 0) | (p->is_quoted ? SL_EVF_QUOTED : 0);
}

/* They come to be known with the checks that a packet may fail. */
static __always_inline void trace_flags(const struct pkt *p)
{
	if (sl_features & SL_FEAT_TRACE)
		trace_row()->event.tcp_flags = (__u8)p->tcp_flags;
}

static __always_inline bool trace_sampled(__u32 one_in)
{
	return one_in <= 1 || (__u64)PLATFORM_RANDOM() * one_in >> 32 == 0;
}

/* Of what happened, what is to be told. */
static __always_inline __u8 trace_kinds(const volatile struct sl_event *e)
{
	const struct sl_trace *want = maps_trace();
	__u32 service = READ_ONCE(want->service), kinds = e->kinds & READ_ONCE(want->kinds);

	if (!kinds || (service && service != e->service) || !trace_sampled(READ_ONCE(want->sample)))
		return 0;
	return (__u8)kinds;
}

/* Whether it belongs to the capture, and is one of the packets still wanted. */
static __always_inline bool trace_take(const volatile struct sl_event *e)
{
	struct sl_trace *want = maps_trace();
	__u32 service = READ_ONCE(want->capture_service), reason = READ_ONCE(want->capture_reason);

	if ((service && service != e->service) || (reason && reason != e->reason))
		return false;
	if (likely(__sync_fetch_and_add(&want->capture_left, -1) > 0))
		return true;
	__sync_fetch_and_add(&want->capture_left, 1); /* another CPU had the last one */
	return false;
}

/* The frame as it leaves, behind what it was. Returns the bytes of both. */
static __always_inline __u32 trace_frames(struct platform_ctx *ctx,
					  volatile struct sl_trace_row *row)
{
	__u32 before = platform_bounded(row->event.before_bytes - 1, SL_SNAP_MAX - 1) + 1, after;

	row->event.after_bytes = 0;
	if (!(row->event.flags & SL_EVF_SENT))
		return before;
	after = trace_snap(row->event.sent_bytes);
	if (PLATFORM_COPY(ctx, (void *)(row->bytes + before), after))
		return before;
	row->event.after_bytes = (__u16)after;
	return before + after;
}

static __always_inline void trace_tell(volatile struct sl_trace_row *row, __u32 bytes,
				       bool captured)
{
	struct sl_trace *want = maps_trace();

	if (likely(!PLATFORM_TELL((void *)&row->event, sizeof(row->event) + bytes))) {
		__sync_fetch_and_add(&want->emitted, 1);
		return;
	}
	if (row->event.kinds)
		__sync_fetch_and_add(&want->lost_events, 1);
	if (!captured)
		return;
	__sync_fetch_and_add(&want->lost_captures, 1);
	__sync_fetch_and_add(&want->capture_left, 1); /* the next one instead */
}

/* The last step, when the frame is as it leaves. Returns @action. */
static __always_inline int trace_end(struct platform_ctx *ctx, const struct pkt *p,
				     enum sl_reason why, enum sl_action what, int action)
{
	volatile struct sl_trace_row *row;

	if (!(sl_features & SL_FEAT_TRACE))
		return action;
	row = trace_row();
	row->event.service = (__u16)p->service;
	row->event.backend = (__u16)p->backend;
	row->event.reason = (__u8)why;
	row->event.action = (__u8)action;
	if (why == SL_R_SENT && p->new_flow)
		row->event.kinds |= SL_EV_NEW_FLOW;
	if (what == SL_A_SEND)
		row->event.flags |= SL_EVF_SENT;
	if (what == SL_A_DROP)
		row->event.kinds |= SL_EV_DROP;
	asm volatile("" ::: "memory");
	if (likely(!row->armed))
		return row->event.action;
	row->event.time_ns = PLATFORM_NS();
	row->event.cpu = (__u16)PLATFORM_CPU();
	row->event.ifindex = ctx->ingress_ifindex;
	row->event.sent_bytes = row->event.flags & SL_EVF_SENT ? PLATFORM_FRAME_BYTES(ctx) : 0;
	row->event.kinds = trace_kinds(&row->event);
	if ((row->armed & SL_TRACE_BEFORE) && trace_take(&row->event)) {
		row->event.capture = READ_ONCE(maps_trace()->capture);
		trace_tell(row, trace_frames(ctx, row), true);
	} else if (row->event.kinds) {
		row->event.capture = 0;
		row->event.before_bytes = 0;
		row->event.after_bytes = 0;
		trace_tell(row, 0, false);
	}
	return row->event.action;
}

#endif
