/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_QUIC_H
#define LB_KERN_QUIC_H

/*
 * quic: whether a datagram begins a connection. A client's Initial is all that
 * can be told without state (RFC 9000, 17.2.2; RFC 9369, 3.2): every packet
 * after the handshake hides its number and type.
 */
#include <linux/udp.h>

#include "lb_kern/pkt.h"

#define QUIC_LONG    0xc0 /* long header, fixed bit */
#define QUIC_TYPE    0x30
#define QUIC_VERSION 4 /* bytes, behind the first */

#define QUIC_V1		0x00000001u
#define QUIC_V1_INITIAL 0x00
#define QUIC_V2		0x6b3343cfu
#define QUIC_V2_INITIAL 0x10

static __always_inline bool quic_is_initial(const struct pkt *p)
{
	const struct udphdr *udp = p->l4;
	const __u8 *head = (const void *)(udp + 1);
	const __u32 least = sizeof(*udp) + 1 + QUIC_VERSION;
	__u32 version;

	if (p->is_quoted || p->fragment == PKT_LATER || p->l4_bytes < least ||
	    p->l4 + least > p->end || bpf_ntohs(udp->len) < least)
		return false;
	if ((head[0] & QUIC_LONG) != QUIC_LONG)
		return false;
	version = (__u32)head[1] << 24 | (__u32)head[2] << 16 | (__u32)head[3] << 8 | head[4];
	return (version == QUIC_V1 && (head[0] & QUIC_TYPE) == QUIC_V1_INITIAL) ||
	       (version == QUIC_V2 && (head[0] & QUIC_TYPE) == QUIC_V2_INITIAL);
}

#endif
