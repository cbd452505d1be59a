/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_L4_H
#define LB_KERN_L4_H

/* l4: TCP (RFC 9293) and UDP (RFC 768). */
#include <linux/in.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "lb_kern/pkt.h"

#define L4_TCP_FLAGS 13 /* offset of the byte with FIN, SYN, RST, ACK */

/* Ports only: enough to know whether it is for a service. */
static __always_inline enum sl_reason l4_read(struct pkt *p)
{
	const __be16 *port = p->l4;

	if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP)
		return SL_R_L4_OTHER;
	if ((void *)(port + 2) > p->end)
		return SL_R_L4_SHORT;
	p->sport_be = port[0];
	p->dport_be = port[1];
	return SL_R_NEXT;
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
	if (!(flags & (PKT_TCP_SYN | PKT_TCP_ACK | PKT_TCP_FIN | PKT_TCP_RST)))
		return SL_R_TCP_BAD;
	if ((flags & PKT_TCP_SYN) && (flags & (PKT_TCP_FIN | PKT_TCP_RST)))
		return SL_R_TCP_BAD;
	p->tcp_flags = flags;
	return SL_R_NEXT;
}

static __always_inline enum sl_reason l4_check_udp(const struct pkt *p)
{
	const struct udphdr *udp = p->l4;
	__u32 claimed;

	if ((void *)(udp + 1) > p->end || p->l4_bytes < sizeof(*udp))
		return SL_R_UDP_BAD;
	claimed = bpf_ntohs(udp->len);
	if (claimed < sizeof(*udp) || (claimed > p->l4_bytes && !p->more_fragments))
		return SL_R_UDP_BAD;
	return SL_R_NEXT;
}

/* Strict, once it is known to be for a service. */
static __always_inline enum sl_reason l4_check(struct pkt *p)
{
	if (!p->sport_be)
		return SL_R_PORT_ZERO;
	return p->proto == IPPROTO_TCP ? l4_check_tcp(p) : l4_check_udp(p);
}

#endif
