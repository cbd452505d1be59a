/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_PKT_H
#define LB_KERN_PKT_H

/*
 * pkt: what the walk knows of one packet so far. Parsers fill the upper part
 * and see no map, so that they can be tested anywhere; later steps fill the
 * lower part.
 */
#include <sluice/reasons.h>

#include "lb_kern/platform.h"

#define PKT_TCP_FIN 0x01
#define PKT_TCP_SYN 0x02
#define PKT_TCP_RST 0x04
#define PKT_TCP_ACK 0x10

enum pkt_fragment { PKT_WHOLE, PKT_FIRST, PKT_LATER };

struct pkt {
	void *data, *end;  /* the frame */
	void *l3, *l4;	   /* network and transport header */
	__u64 saddr_be[2]; /* IPv4 in the low 32 bits of [0] */
	__u64 daddr_be[2];
	__u32 frame_bytes; /* all its buffers together */
	__u32 l3_bytes;	   /* of the packet, as its network header says */
	__u32 l4_bytes;	   /* of the transport header and payload, as the network header says */
	__u32 sport_be, dport_be; /* 16 bits; whole registers, so that nothing masks them again */
	__u32 proto;
	__u32 tcp_flags;
	__u32 fragment; /* enum pkt_fragment */
	__u32 is_v6;
	__u32 is_echo;	  /* an echo request, for echo.h */
	__u32 is_quoted;  /* an ICMP error: addresses and ports are of the flow it quotes, turned
			     around */
	__u32 is_initial; /* the QUIC packet that begins a connection */

	__u32 is_exempt; /* from the guard's limits: allowed, or a dry run has dropped it already */

	__u32 service; /* id, 0: none found */
	__u32 backend; /* id, 0: none chosen */
	__u64 hash;
	bool new_flow;
};

static __always_inline void pkt_init(struct pkt *p, void *data, void *end, __u32 frame_bytes)
{
	p->data = data;
	p->end = end;
	p->frame_bytes = frame_bytes;
}

/* Of TCP, and not an ICMP error: those have no flags. */
static __always_inline bool pkt_is_syn(const struct pkt *p)
{
	return (p->tcp_flags & (PKT_TCP_SYN | PKT_TCP_ACK)) == PKT_TCP_SYN;
}

/* What it counts as: the frame up to the packet's end, without what pads it. */
static __always_inline __u32 pkt_bytes(const struct pkt *p)
{
	return (__u32)((char *)p->l3 - (char *)p->data) + p->l3_bytes;
}

/* Bytes of the frame from the transport header on. */
static __always_inline __u32 pkt_l4_room(const struct pkt *p)
{
	return p->frame_bytes - (__u32)((char *)p->l4 - (char *)p->data);
}

#endif
