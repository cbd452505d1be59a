/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_IPV6_H
#define LB_KERN_IPV6_H

/* ipv6: fixed header and up to four extension headers, RFC 8200. */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ipv6.h>

#include "lb_kern/pkt.h"

#define IPV6_EXT_MAX	4
#define IPV6_FRAG_MORE	0x0001
#define IPV6_FRAG_SHIFT 3

struct ipv6_ext { /* what hop-by-hop, routing, destination and fragment header share */
	__u8 next;
	__u8 length; /* in 8 bytes, the first 8 not counted; reserved in a fragment header */
	__u8 routing_type;
	__u8 segments_left;
	__u32 rest;
};

static __always_inline bool ipv6_is_ext(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_FRAGMENT;
}

/* One extension header at p->l4: moves behind it. */
static __always_inline enum sl_reason ipv6_skip(struct pkt *p)
{
	const struct ipv6_ext *ext = p->l4;
	__u32 bytes = sizeof(*ext);

	if ((void *)(ext + 1) > p->end)
		return SL_R_IP6_SHORT;
	if (p->proto != IPPROTO_FRAGMENT)
		bytes += ext->length * 8;
	if (p->l4 + bytes > p->end)
		return SL_R_IP6_SHORT;
	if (p->proto == IPPROTO_FRAGMENT) {
		__u16 offset = bpf_ntohs(*(const __be16 *)&ext->routing_type);

		if (offset >> IPV6_FRAG_SHIFT)
			p->fragment = PKT_LATER;
		else if (offset & IPV6_FRAG_MORE)
			p->fragment = PKT_FIRST;
	} else if (p->proto == IPPROTO_ROUTING && ext->segments_left) {
		return SL_R_IP6_EXT; /* its destination is not the last one yet */
	}
	p->proto = ext->next;
	p->l4 += bytes;
	p->l4_bytes -= bytes;
	return SL_R_NEXT;
}

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
	p->fragment = PKT_WHOLE;
	p->proto = ip->nexthdr;
	p->l4_bytes = bpf_ntohs(ip->payload_len);
	p->l3_bytes = sizeof(*ip) + p->l4_bytes;
	p->l4 = p->l3 + sizeof(*ip);
	for (int i = 0; i < IPV6_EXT_MAX; i++) {
		enum sl_reason why;

		if (likely(!ipv6_is_ext(p->proto)))
			return SL_R_NEXT;
		if (p->fragment == PKT_LATER)
			return SL_R_NEXT; /* what follows is a payload's middle */
		why = ipv6_skip(p);
		if (why != SL_R_NEXT)
			return why;
	}
	return ipv6_is_ext(p->proto) && p->fragment != PKT_LATER ? SL_R_IP6_EXT : SL_R_NEXT;
}

#endif
