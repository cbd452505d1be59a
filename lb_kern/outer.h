/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_OUTER_H
#define LB_KERN_OUTER_H

/*
 * outer: the header in front of a tunnelled packet. IPv4 in IPv4: RFC 2003;
 * into IPv6: RFC 2473; IPv6 in IPv4: RFC 4213; in UDP: GUE, variant 0,
 * draft-ietf-intarea-gue-09. DSCP and ECN are copied (RFC 6040, normal mode).
 *
 * The inner TTL stays: the service's address is here as much as behind the
 * tunnel, so the packet has arrived; README.md, decision 12.
 */
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <sluice/hash.h>

#include "lb_kern/csum.h"
#include "lb_kern/ipv4.h"
#include "lb_kern/l4.h"
#include "lb_kern/maps.h"
#include "lb_kern/pkt.h"

#define OUTER_TTL 64

/* What is taken from the inner packet, before the frame grows. */
struct outer {
	__u32 is_v6; /* the outer header's family */
	__u32 is_gue;
	__u32 tos;
	__u32 id_frag_be; /* second word of an IPv4 header: identification, flags */
	__u32 inner_sum;  /* of its 16-bit words; sum_known: it could be told */
	__u32 sum_known;
};

static __always_inline __u32 outer_bytes(const struct outer *o)
{
	return (o->is_v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) +
	       (o->is_gue ? SL_GUE_BYTES : 0);
}

static __always_inline __u64 outer_sum_words(__u64 word)
{
	return (word & 0xffffffff) + (word >> 32);
}

/* ~(source + destination): of the pseudo header these are in both families. */
static __always_inline __u64 outer_sum_addresses(const struct pkt *p)
{
	return outer_sum_words(p->saddr_be[0]) + outer_sum_words(p->saddr_be[1]) +
	       outer_sum_words(p->daddr_be[0]) + outer_sum_words(p->daddr_be[1]);
}

/*
 * The sum of the inner packet, from its own checksum and without reading its
 * payload (WALK.md, 8a): what a right checksum covers sums up to 0.
 */
static __always_inline void outer_sum_inner(const struct pkt *p, struct outer *o)
{
	const struct udphdr *udp = p->l4;
	__u32 proto = p->is_quoted ? (__u32)(p->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) : p->proto;
	__u32 header = p->is_v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);

	if (p->fragment != PKT_WHOLE || (p->is_v6 && p->l4 != p->l3 + header))
		return;
	if (!p->is_quoted && p->proto == IPPROTO_UDP) {
		if ((void *)(udp + 1) > p->end || !udp->check || bpf_ntohs(udp->len) != p->l4_bytes)
			return;
	}
	o->sum_known = true;
	if (p->is_v6) {
		const struct ipv6hdr *ip = p->l3;
		const __be16 *word = p->l3;

		o->inner_sum = word[0] + word[1] + *(const __be16 *)&ip->nexthdr +
			       (__u16)~bpf_htons(proto);
	} else if (!p->is_quoted) {
		o->inner_sum = csum_not(csum_fold(outer_sum_addresses(p) + bpf_htons(proto) +
						  bpf_htons(p->l4_bytes)));
	}
}

/* @wants_sum: it goes into UDP over IPv6. False: the header is not there (for the verifier). */
static __always_inline bool outer_read(const struct pkt *p, struct outer *o, bool wants_sum)
{
	o->sum_known = false;
	o->inner_sum = 0;
	if (p->is_v6) {
		const struct ipv6hdr *ip = p->l3;

		if ((void *)(ip + 1) > p->end)
			return false;
		o->tos = bpf_ntohs(*(const __be16 *)ip) >> 4 & 0xff;
		o->id_frag_be = bpf_htonl(IPV4_DF);
	} else {
		const struct iphdr *ip = p->l3;

		if ((void *)(ip + 1) > p->end)
			return false;
		o->tos = ip->tos;
		if (ip->frag_off & bpf_htons(IPV4_DF))
			o->id_frag_be = bpf_htonl(IPV4_DF);
		else
			o->id_frag_be = (__u16)(ip->id ^ (__u16)(p->hash >> 16));
	}
	if (wants_sum)
		outer_sum_inner(p, o);
	return true;
}

static __always_inline __u32 outer_source(const struct sl_tunnel_rec *t, __u32 last_be, __u64 hash)
{
	return (last_be & ~t->entropy_be) | (sl_hash_entropy(hash) & t->entropy_be);
}

static __always_inline __u32 outer_proto(const struct pkt *p, const struct outer *o)
{
	if (o->is_gue)
		return IPPROTO_UDP;
	return p->is_v6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
}

/* @at: room for the header and what follows it is there. */
static __always_inline void outer_write4(void *at, const struct pkt *p, const struct outer *o,
					 const struct sl_tunnel_rec *t)
{
	__u32 *word = at, total = p->l3_bytes + outer_bytes(o);
	__u32 first = bpf_htonl(0x45000000 | o->tos << 16 | (total & 0xffff));
	__u32 third = bpf_htonl(OUTER_TTL << 24 | outer_proto(p, o) << 16);
	__u32 source = outer_source(t, (__u32)t->saddr_be[0], p->hash);
	__u32 to = (__u32)t->daddr_be[0];
	__u16 csum = csum_not(csum_fold((__u64)first + o->id_frag_be + third + source + to));

	word[0] = first;
	word[1] = o->id_frag_be;
	/* the checksum is the third word's second half, as it lies in memory */
	word[2] = third;
	((__u16 *)at)[5] = csum;
	word[3] = source;
	word[4] = to;
}

static __always_inline __u64 outer_source6_low(const struct sl_tunnel_rec *t, __u64 hash)
{
	__u64 low = t->saddr_be[1];

	return (low & 0xffffffff) | (__u64)outer_source(t, (__u32)(low >> 32), hash) << 32;
}

static __always_inline void outer_write6(void *at, const struct pkt *p, const struct outer *o,
					 const struct sl_tunnel_rec *t)
{
	__u32 *word = at, payload = p->l3_bytes + outer_bytes(o) - (__u32)sizeof(struct ipv6hdr);
	__u64 *address = at + offsetof(struct ipv6hdr, saddr);

	word[0] = bpf_htonl(0x60000000 | o->tos << 20 | sl_hash_label(p->hash));
	word[1] = bpf_htonl(payload << 16 | outer_proto(p, o) << 8 | OUTER_TTL);
	address[0] = t->saddr_be[0];
	address[1] = outer_source6_low(t, p->hash);
	address[2] = t->daddr_be[0];
	address[3] = t->daddr_be[1];
}

/* UDP and GUE header. A right checksum that is 0 is sent as 0xffff: 0 means none (RFC 768). */
static __always_inline void outer_write_gue(void *at, const struct pkt *p, const struct outer *o,
					    const struct sl_tunnel_rec *t, const bool is_v6)
{
	__u32 ports = (__u32)bpf_htons(sl_hash_sport(p->hash)) | (__u32)t->dport_be << 16;
	__u32 length = bpf_htons((__u16)(p->l3_bytes + SL_GUE_BYTES));
	__u32 gue = bpf_htonl((__u32)(p->is_v6 ? IPPROTO_IPV6 : IPPROTO_IPIP) << 16);
	__u32 *word = at;
	__u64 sum;
	__u16 csum = 0;

	if (is_v6 && o->sum_known) {
		sum = outer_sum_words(t->saddr_be[0]) +
		      outer_sum_words(outer_source6_low(t, p->hash)) +
		      outer_sum_words(t->daddr_be[0]) + outer_sum_words(t->daddr_be[1]);
		sum += (__u64)ports + 2 * length + bpf_htons(IPPROTO_UDP) + gue + o->inner_sum;
		csum = csum_not(csum_fold(sum));
		if (!csum)
			csum = 0xffff;
	}
	word[0] = ports;
	word[1] = length | (__u32)csum << 16;
	word[2] = gue;
}

/*
 * False: what follows is not there (for the verifier; an inner packet has more
 * than GUE). The family is asked once: Linux 6.1 does not know at a second
 * question that the answer is still the same.
 */
static __always_inline bool outer_write(void *at, const void *end, const struct pkt *p,
					const struct outer *o, const struct sl_tunnel_rec *t)
{
	if (o->is_v6) {
		if (at + sizeof(struct ipv6hdr) + SL_GUE_BYTES > end)
			return false;
		outer_write6(at, p, o, t);
		if (o->is_gue)
			outer_write_gue(at + sizeof(struct ipv6hdr), p, o, t, true);
	} else {
		if (at + sizeof(struct iphdr) + SL_GUE_BYTES > end)
			return false;
		outer_write4(at, p, o, t);
		if (o->is_gue)
			outer_write_gue(at + sizeof(struct iphdr), p, o, t, false);
	}
	return true;
}

#endif
