/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_IPV6_H
#define LB_KERN_IPV6_H

/* ipv6: fixed header, RFC 8200. Extension headers are the stack's for now. */
#include <linux/ipv6.h>

#include "lb_kern/pkt.h"

static __always_inline enum sl_reason ipv6_read(struct pkt *p)
{
	const struct ipv6hdr *ip = p->l3;
	const __u64 *address;

	if ((void *)(ip + 1) > p->end)
		return SL_R_IP6_SHORT;
	if (ip->version != 6)
		return SL_R_IP6_BAD;

	address = (const void *)&ip->saddr;
	p->saddr_be[0] = address[0];
	p->saddr_be[1] = address[1];
	p->daddr_be[0] = address[2];
	p->daddr_be[1] = address[3];
	p->proto = ip->nexthdr;
	p->l4_bytes = bpf_ntohs(ip->payload_len);
	p->l4 = p->l3 + sizeof(*ip);
	return SL_R_NEXT;
}

static __always_inline enum sl_reason ipv6_check(const struct pkt *p)
{
	__u32 room = p->bytes - (__u32)((char *)p->l4 - (char *)p->data);

	return p->l4_bytes > room ? SL_R_IP6_LENGTH : SL_R_NEXT;
}

#endif
