/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_DECAP_OUTER_H
#define LB_KERN_DECAP_OUTER_H

/*
 * decap_outer: whether a packet is a tunnel packet of the kinds that the
 * balancer sends (WALK.md section 8), and whether its outer headers are ones
 * that it would send. Whatever else a tunnel may carry is refused, not guessed.
 */
#include <linux/in.h>
#include <linux/udp.h>

#include "lb_kern/decap_pkt.h"
#include "lb_kern/eth.h"
#include "lb_kern/ipv4.h"
#include "lb_kern/ipv6.h"

struct decap_gue { /* draft-ietf-intarea-gue-09, variant 0 */
	__u8 first;
	__u8 proto;
	__be16 flags;
};

#define DECAP_GUE_VARIANT(first) ((first) >> 6)
#define DECAP_GUE_CONTROL	 0x20 /* bit of the first byte */
#define DECAP_GUE_HLEN		 0x1f /* in 4 bytes, the first 4 not counted */

/* Whether it is one of ours to judge. What cannot be read is not: the stack knows what to do. */
static __always_inline bool decap_outer_is(struct decap *d, __be16 gue_port_be)
{
	struct pkt *o = &d->outer;
	const struct udphdr *udp;

	if (eth_read(o) != SL_R_NEXT)
		return false;
	if ((o->is_v6 ? ipv6_read(o) : ipv4_read(o)) != SL_R_NEXT)
		return false;
	if (o->proto == IPPROTO_IPIP || o->proto == IPPROTO_IPV6)
		return true;
	/* a later fragment has no port; without its first one it comes to nothing */
	if (o->proto != IPPROTO_UDP || o->fragment == PKT_LATER)
		return false;
	udp = o->l4;
	return (void *)(udp + 1) <= o->end && udp->dest == gue_port_be;
}

/* Nobody else looks at this header again: its checksum is verified here (RFC 1122, 3.2.1.2). */
static __always_inline bool decap_outer_sum_fits(const struct iphdr *ip)
{
	const __u16 *word = (const void *)ip;
	__u32 sum = 0;

	PLATFORM_UNROLL
	for (unsigned i = 0; i < sizeof(*ip) / 2; i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return (sum & 0xffff) == 0xffff;
}

/* The IP header. Behind this, what it carries begins at a fixed distance. */
static __always_inline enum sl_decap_reason decap_outer_check(struct decap *d)
{
	struct pkt *o = &d->outer;
	const struct iphdr *ip = o->l3;
	__u32 header_bytes = o->is_v6 ? sizeof(struct ipv6hdr) : sizeof(*ip);

	if ((void *)(ip + 1) > o->end) /* read before; for the verifier */
		return SL_DECAP_R_OUTER_LENGTH;
	if (o->fragment != PKT_WHOLE)
		return SL_DECAP_R_FRAGMENT;
	if (o->is_v6) {
		const struct ipv6hdr *ip6 = o->l3;

		if ((void *)(ip6 + 1) > o->end)
			return SL_DECAP_R_OUTER_LENGTH;
		if (ipv6_is_ext(ip6->nexthdr))
			return SL_DECAP_R_IP6_EXT;
	} else {
		if (ip->ihl != sizeof(*ip) / 4)
			return SL_DECAP_R_IP4_OPTIONS;
		if (!decap_outer_sum_fits(ip))
			return SL_DECAP_R_IP4_CHECKSUM;
	}
	o->l4 = o->l3 + header_bytes;
	/* IPv4's may have wrapped: too long as well */
	if (o->l4_bytes > pkt_l4_room(o))
		return SL_DECAP_R_OUTER_LENGTH;
	return SL_DECAP_R_NEXT;
}

/*
 * The UDP checksum is not verified: README.md, decision D3. @ret_proto: what the header says
 * follows.
 */
static __always_inline enum sl_decap_reason decap_outer_gue(struct decap *d, __u32 *ret_proto)
{
	struct pkt *o = &d->outer;
	const struct udphdr *udp = o->l4;
	const struct decap_gue *gue = (const void *)(udp + 1);

	if ((void *)(gue + 1) > o->end || o->l4_bytes < SL_GUE_BYTES)
		return SL_DECAP_R_GUE_SHORT;
	if (bpf_ntohs(udp->len) != o->l4_bytes)
		return SL_DECAP_R_UDP_LENGTH;
	if (DECAP_GUE_VARIANT(gue->first))
		return SL_DECAP_R_GUE_VARIANT;
	if (gue->first & DECAP_GUE_CONTROL)
		return SL_DECAP_R_GUE_CONTROL;
	if (gue->first & DECAP_GUE_HLEN || gue->flags)
		return SL_DECAP_R_GUE_OPTIONS;
	if (gue->proto != IPPROTO_IPIP && gue->proto != IPPROTO_IPV6)
		return SL_DECAP_R_GUE_PROTO;
	*ret_proto = gue->proto;
	return SL_DECAP_R_NEXT;
}

/* Up to where the inner header begins. */
static __always_inline enum sl_decap_reason decap_outer_strip(struct decap *d)
{
	struct pkt *o = &d->outer;
	__u32 proto = o->proto, gue_bytes = 0;
	enum sl_decap_reason why;

	DECAP_STEP(decap_outer_check(d));
	if (o->proto == IPPROTO_UDP) {
		DECAP_STEP(decap_outer_gue(d, &proto));
		gue_bytes = SL_GUE_BYTES;
	}
	d->inner = o->l4 + gue_bytes;
	d->inner_bytes = o->l4_bytes - gue_bytes;
	d->inner_is_v6 = proto == IPPROTO_IPV6;
	return SL_DECAP_R_NEXT;
}

#endif
