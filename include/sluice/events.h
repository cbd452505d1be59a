/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SLUICE_EVENTS_H
#define SLUICE_EVENTS_H

/*
 * events: what the packet path tells of single packets, to whoever listens,
 * through a ring buffer: one record a packet. Needs SL_FEAT_TRACE (features.h),
 * and struct sl_trace says what is wanted; without a listener nothing is told.
 */
#include <linux/types.h>

#include <sluice/types.h>

/* What happened to the packet: bits of kinds. X(symbol, bit, label) */
#define SL_EVENT_KINDS(X)                                                                \
	X(NEW_FLOW, 0, "new_flow")                                                       \
	X(DROP, 1, "drop")                                                               \
	X(RESCHEDULE, 2, "reschedule") /* its flow's backend is DOWN: sent to another */ \
	X(EVICTION, 3,                                                                   \
	  "eviction") /* remembering its flow took the place of a live, unconfirmed one */

enum sl_event_kind {
#define SL_EVENT_ENUM(sym, bit, label) SL_EV_##sym = 1u << (bit),
	SL_EVENT_KINDS(SL_EVENT_ENUM)
#undef SL_EVENT_ENUM
};
#define SL_EV_ALL 0xfu

#define SL_EVF_V6     (1u << 0)
#define SL_EVF_QUOTED (1u << 1) /* an ICMP error: addresses and ports are of the flow it quotes */
#define SL_EVF_SENT   (1u << 2) /* sent by the packet path; else dropped or passed */

/* Bytes of a frame that a capture keeps at most. A power of two. */
#define SL_SNAP_MAX 2048u

/*
 * A record: this, then before_bytes of the frame as it came in, then
 * after_bytes as it left (sent packets only). Both are 0 unless capture is not.
 */
struct sl_event {
	__u64 time_ns;	   /* CLOCK_MONOTONIC */
	__u64 saddr_be[2]; /* IPv4 in the first four bytes; 0 where parsing did not get there */
	__u64 daddr_be[2];
	__u16 sport_be, dport_be;
	__u16 service, backend; /* ids, 0: none */
	__u16 rescheduled_from; /* backend id, for RESCHEDULE */
	__u16 evicted;		/* backend id of the flow that is forgotten, for EVICTION */
	__u8 kinds;		/* SL_EV_* that were asked for and sampled; 0: a capture only */
	__u8 reason;		/* enum sl_reason */
	__u8 proto;		/* IANA number, 0: not known */
	__u8 tcp_flags;
	__u32 frame_bytes; /* as it came in, all of its buffers */
	__u32 sent_bytes;  /* as it left, 0: it was not sent */
	__u32 ifindex;	   /* it came in by */
	__u32 capture;	   /* id of the capture it belongs to, 0: none */
	__u16 before_bytes, after_bytes;
	__u16 cpu;
	__u8 flags;  /* SL_EVF_* */
	__u8 action; /* what the program returned: an XDP action */
};
SL_ASSERT_SIZE(struct sl_event, 80);

/*
 * What is wanted: written by the agent but for the last line. A deadline that
 * the agent renews makes tracing end by itself when the agent is gone.
 */
struct sl_trace {
	__u64 until;	       /* jiffies from which on nothing is told; 0: nobody listens */
	__u32 kinds;	       /* SL_EV_* */
	__u32 sample;	       /* one of so many packets with an event, by chance; 0: like 1 */
	__u32 service;	       /* events of this one only; 0: any */
	__u32 capture;	       /* id, 0: no capture */
	__u32 capture_service; /* 0: any, packets of no service too */
	__u32 capture_reason;  /* 0: any */
	__u32 capture_snap;    /* 1..SL_SNAP_MAX bytes of each frame */
	__u32 pad[7];

	/* Changed by packets. */
	__s64 capture_left;  /* packets still to be captured */
	__u64 emitted;	     /* records */
	__u64 lost_events;   /* there was no room in the ring */
	__u64 lost_captures; /* the same; they do not count as captured */
	__u64 pad_line[4];
};
SL_ASSERT_SIZE(struct sl_trace, 128);

/* One CPU's record while it is made. */
#define SL_TRACE_BYTES (2 * SL_SNAP_MAX)
struct sl_trace_row {
	__u32 armed; /* of this packet: SL_TRACE_ARMED, and SL_TRACE_BEFORE once bytes has it */
	__u32 pad;
	struct sl_event event;
	__u8 bytes[SL_TRACE_BYTES];
};
SL_ASSERT_SIZE(struct sl_trace_row, 4184);

#define SL_TRACE_ARMED	(1u << 0)
#define SL_TRACE_BEFORE (1u << 1)

/* Of the ring: room for some 250 full captures or 11,000 events. A power of two. */
#define SL_EVENTS_BYTES (1u << 20)

#endif
