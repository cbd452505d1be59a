/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_DECAP_INNER_H
#define LB_KERN_DECAP_INNER_H

/*
 * decap_inner: whether the inner packet is what the outer headers say and fits
 * into them, and what it must learn of the tunnel: congestion (RFC 6040,
 * section 4.2). TTL and hop limit stay: the tunnel is one hop, and the
 * balancer did not count itself as one.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "lb_kern/csum.h"
#include "lb_kern/decap_pkt.h"

enum decap_ecn { DECAP_NOT_ECT, DECAP_ECT_1, DECAP_ECT_0, DECAP_CE }; /* RFC 3168 */

static __always_inline enum sl_decap_reason decap_inner_check4(const struct decap *d)
{
	const struct iphdr *ip = d->inner;
	__u32 bytes;

	if (d->inner_bytes < sizeof(*ip) || (void *)(ip + 1) > d->outer.end)
		return SL_DECAP_R_INNER_SHORT;
	if (ip->version != 4 || ip->ihl < sizeof(*ip) / 4)
		return SL_DECAP_R_INNER_BAD;
	bytes = bpf_ntohs(ip->tot_len);
	if (bytes < ip->ihl * 4u || bytes > d->inner_bytes)
		return SL_DECAP_R_INNER_LENGTH;
	return SL_DECAP_R_NEXT;
}

static __always_inline enum sl_decap_reason decap_inner_check6(const struct decap *d)
{
	const struct ipv6hdr *ip = d->inner;

	if (d->inner_bytes < sizeof(*ip) || (void *)(ip + 1) > d->outer.end)
		return SL_DECAP_R_INNER_SHORT;
	if (ip->version != 6)
		return SL_DECAP_R_INNER_BAD;
	if (bpf_ntohs(ip->payload_len) + sizeof(*ip) > d->inner_bytes)
		return SL_DECAP_R_INNER_LENGTH;
	return SL_DECAP_R_NEXT;
}

/* The first 16 bits of an IP header hold the traffic class: IPv6's four bits further left. */
static __always_inline __u32 decap_inner_ecn(const __be16 *ip, bool is_v6)
{
	return bpf_ntohs(*ip) >> (is_v6 ? 4 : 0) & 3;
}

static __always_inline enum sl_decap_reason decap_inner_congestion(struct decap *d)
{
	__be16 *word = d->inner, was = *word;
	__u32 outer = decap_inner_ecn(d->outer.l3, d->outer.is_v6);
	__u32 inner = decap_inner_ecn(word, d->inner_is_v6);
	__u32 shift = d->inner_is_v6 ? 4 : 0;
	struct iphdr *ip = d->inner;

	if (inner == DECAP_NOT_ECT)
		return outer == DECAP_CE ? SL_DECAP_R_ECN : SL_DECAP_R_NEXT;
	if (outer != DECAP_CE && !(outer == DECAP_ECT_1 && inner == DECAP_ECT_0))
		return SL_DECAP_R_NEXT;
	*word = bpf_htons((bpf_ntohs(was) & ~(3u << shift)) | outer << shift);
	if (!d->inner_is_v6)
		ip->check = csum_replace(ip->check, was, *word);
	return SL_DECAP_R_NEXT;
}

/* The last step that may refuse, and the first that writes. */
static __always_inline enum sl_decap_reason decap_inner_take(struct decap *d)
{
	enum sl_decap_reason why;

	DECAP_STEP(d->inner_is_v6 ? decap_inner_check6(d) : decap_inner_check4(d));
	return decap_inner_congestion(d);
}

#endif
