/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_L4_H
#define LB_KERN_L4_H

/* l4: TCP (RFC 9293) and UDP (RFC 768). */
#include <linux/in.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "lb_kern/pkt.h"

#define L4_TCP_FLAGS 13 /* offset of the byte with FIN, SYN, RST, ACK */

static __always_inline bool l4_is_ours(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

/* Ports only: enough to know whether it is for a service. A later fragment has none. */
static __always_inline enum sl_reason l4_read(struct pkt *p)
{
	const __be16 *port = p->l4;

	if (!l4_is_ours(p->proto))
		return SL_R_L4_OTHER;
	if (unlikely(p->fragment == PKT_LATER)) {
		p->sport_be = 0;
		p->dport_be = 0;
		return SL_R_NEXT;
	}
	if ((void *)(port + 2) > p->end)
		return SL_R_L4_SHORT;
	p->sport_be = port[0];
	p->dport_be = port[1];
	return SL_R_NEXT;
}

/* The length that the network header claims, against the frame. */
static __always_inline enum sl_reason l4_check_length(const struct pkt *p)
{
	if (likely(p->l4_bytes <= pkt_l4_room(p)))
		return SL_R_NEXT;
	return p->is_v6 ? SL_R_IP6_LENGTH : SL_R_IP4_LENGTH;
}

static __always_inline enum sl_reason l4_check_tcp(struct pkt *p)
{
	const struct tcphdr *tcp = p->l4;
	__u8 flags;

	if ((void *)(tcp + 1) > p->end || p->l4_bytes < sizeof(*tcp))
		return SL_R_TCP_BAD;
	if (tcp->doff * 4 < sizeof(*tcp) || tcp->doff * 4 > p->l4_bytes)
		return SL_R_TCP_BAD;
	flags = ((const __u8 *)tcp)[L4_TCP_FLAGS];
	p->tcp_flags = flags;
	if (likely((flags & (PKT_TCP_SYN | PKT_TCP_ACK | PKT_TCP_FIN | PKT_TCP_RST)) ==
		   PKT_TCP_ACK))
		return SL_R_NEXT;
	if (!(flags & (PKT_TCP_SYN | PKT_TCP_ACK | PKT_TCP_FIN | PKT_TCP_RST)))
		return SL_R_TCP_BAD;
	if ((flags & PKT_TCP_SYN) && (flags & (PKT_TCP_FIN | PKT_TCP_RST)))
		return SL_R_TCP_BAD;
	return SL_R_NEXT;
}

static __always_inline enum sl_reason l4_check_udp(const struct pkt *p)
{
	const struct udphdr *udp = p->l4;
	__u32 claimed;

	if ((void *)(udp + 1) > p->end || p->l4_bytes < sizeof(*udp))
		return SL_R_UDP_BAD;
	claimed = bpf_ntohs(udp->len);
	if (claimed < sizeof(*udp) || (claimed > p->l4_bytes && p->fragment != PKT_FIRST))
		return SL_R_UDP_BAD;
	return SL_R_NEXT;
}

/* Strict, once it is known to be for a service. An ICMP error has no such header to check. */
static __always_inline enum sl_reason l4_check(struct pkt *p)
{
	if (unlikely(p->is_quoted))
		return SL_R_NEXT;
	if (p->saddr_be[0] == p->daddr_be[0] && p->saddr_be[1] == p->daddr_be[1])
		return SL_R_SOURCE_BAD; /* LAND: answered, it would talk to itself */
	if (unlikely(p->fragment == PKT_LATER))
		return SL_R_NEXT;
	if (!p->sport_be)
		return SL_R_PORT_ZERO;
	return p->proto == IPPROTO_TCP ? l4_check_tcp(p) : l4_check_udp(p);
}

#endif
