/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_COMMON_H
#define LB_KERN_COMMON_H

/*
 * common: reads the packet that nearly all are: at most one tag, IPv4 without
 * options or IPv6 without extension headers, not a fragment, TCP or UDP with its ports
 * in the frame. All else is for the rare walk, which decides by the full rules
 * (WALK.md); for these packets both come to the same.
 */
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "lb_kern/eth.h"
#include "lb_kern/ipv4.h"
#include "lb_kern/l4.h"
#include "lb_kern/pkt.h"

#define COMMON_PORTS 4 /* bytes of the transport header that must be there */

static __always_inline void common_ports(struct pkt *p)
{
	const __be16 *port = p->l4;

	p->sport_be = port[0];
	p->dport_be = port[1];
}

static __always_inline bool common_read4(struct pkt *p)
{
	const struct iphdr *ip = p->l3;

	if ((void *)(ip + 1) + COMMON_PORTS > p->end || *(const __u8 *)ip != 0x45 ||
	    (ip->frag_off & bpf_htons(IPV4_MF | IPV4_OFFSET)))
		return false;
	p->saddr_be[0] = ip->saddr;
	p->daddr_be[0] = ip->daddr;
	p->proto = ip->protocol;
	p->l3_bytes = bpf_ntohs(ip->tot_len);
	p->l4_bytes = p->l3_bytes - sizeof(*ip);
	p->l4 = (void *)(ip + 1);
	common_ports(p);
	return l4_is_ours(p->proto);
}

static __always_inline bool common_read6(struct pkt *p)
{
	const struct ipv6hdr *ip = p->l3;
	const __u64 *address = (const void *)&ip->saddr;

	if ((void *)(ip + 1) + COMMON_PORTS > p->end || ip->version != 6)
		return false;
	p->saddr_be[0] = address[0];
	p->saddr_be[1] = address[1];
	p->daddr_be[0] = address[2];
	p->daddr_be[1] = address[3];
	p->proto = ip->nexthdr;
	p->l4_bytes = bpf_ntohs(ip->payload_len);
	p->l3_bytes = p->l4_bytes + sizeof(*ip);
	p->l4 = (void *)(ip + 1);
	p->is_v6 = true;
	common_ports(p);
	return l4_is_ours(p->proto);
}

/* The network protocol, as on the wire, and where its header begins; 0: the frame is too short. */
static __always_inline __be16 common_type(struct pkt *p)
{
	const __be16 *type = p->data + offsetof(struct ethhdr, h_proto);

	/* not through the struct: it is packed, and would be read byte by byte */
	if ((void *)(type + 3) > p->end)
		return 0;
	p->l3 = p->data + sizeof(struct ethhdr);
	if (likely(!eth_is_tag(*type)))
		return *type;
	p->l3 += sizeof(struct eth_tag);
	return type[2];
}

#endif
