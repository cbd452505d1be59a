/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_IPV4_H
#define LB_KERN_IPV4_H

/* ipv4: header with options, RFC 791. */
#include <linux/ip.h>

#include "lb_kern/pkt.h"

#define IPV4_DF	    0x4000
#define IPV4_MF	    0x2000
#define IPV4_OFFSET 0x1fff

static __always_inline __u8 ipv4_fragment(const struct iphdr *ip)
{
	if (likely(!(ip->frag_off & bpf_htons(IPV4_MF | IPV4_OFFSET))))
		return PKT_WHOLE;
	return ip->frag_off & bpf_htons(IPV4_OFFSET) ? PKT_LATER : PKT_FIRST;
}

/*
 * Who: addresses and protocol. Runs on every packet of the host, so it
 * refuses only what cannot be read, and leaves the judgement to the stack.
 */
static __always_inline enum sl_reason ipv4_read(struct pkt *p)
{
	const struct iphdr *ip = p->l3;
	__u32 header_bytes;

	if ((void *)(ip + 1) > p->end)
		return SL_R_IP4_SHORT;
	header_bytes = ip->ihl * 4;
	if (ip->version != 4 || header_bytes < sizeof(*ip))
		return SL_R_IP4_BAD;
	p->l4 = p->l3 + header_bytes;
	if (p->l4 > p->end)
		return SL_R_IP4_SHORT;
	p->fragment = ipv4_fragment(ip);
	p->saddr_be[0] = ip->saddr;
	p->daddr_be[0] = ip->daddr;
	p->proto = ip->protocol;
	p->l3_bytes = bpf_ntohs(ip->tot_len);
	p->l4_bytes = p->l3_bytes - header_bytes; /* may wrap: then it is too long */
	return SL_R_NEXT;
}

#endif
