/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_TOO_BIG_H
#define LB_KERN_TOO_BIG_H

/*
 * too_big: a packet longer than the way to its backend takes. Its sender is
 * told, or path-MTU discovery never ends (RFC 1191, RFC 8201); with the length
 * that the tunnel leaves, and never with more bytes than it sent.
 */
#include <linux/if_ether.h>

#include "lb_kern/csum.h"
#include "lb_kern/echo.h"
#include "lb_kern/icmp.h"
#include "lb_kern/limit.h"

#define TOO_BIG_QUOTE4	 68 /* the longest header with 8 bytes behind it (RFC 792) */
#define TOO_BIG_QUOTE6	 128
#define TOO_BIG_ANSWER4	 (sizeof(struct iphdr) + sizeof(struct icmp_head) + TOO_BIG_QUOTE4)
#define TOO_BIG_GROW4	 (sizeof(struct iphdr) + sizeof(struct icmp_head))
#define TOO_BIG_GROW6	 (sizeof(struct ipv6hdr) + sizeof(struct icmp_head))
#define TOO_BIG_TTL	 64
#define TOO_BIG_MTU6_MIN 1280 /* RFC 8200, section 5 */

/* Ones' complement sum of @words 32-bit words. */
static __always_inline __u64 too_big_sum(const __u32 *word, const int words)
{
	__u64 sum = 0;

	PLATFORM_UNROLL
	for (int i = 0; i < words; i++)
		sum += word[i];
	return sum;
}

/* Whether nobody is to be told, or nobody could use it. */
static __always_inline bool too_big_silent(const struct pkt *p, __u32 mtu)
{
	if (p->l3_bytes <= mtu || p->is_quoted || p->fragment == PKT_LATER || echo_source_bad(p))
		return true;
	if (p->is_v6)
		return p->l3 + TOO_BIG_QUOTE6 > p->end;
	return p->l3_bytes < TOO_BIG_ANSWER4 || p->l3 + TOO_BIG_QUOTE4 > p->end;
}

static __always_inline void too_big_write4(void *l3, const struct pkt *p, __u32 mtu)
{
	struct icmp_head *icmp = l3 + sizeof(struct iphdr);
	__u32 *word = l3;

	word[0] = bpf_htonl(0x45c00000 | TOO_BIG_ANSWER4);
	word[1] = bpf_htonl(IPV4_DF);
	word[2] = bpf_htonl(TOO_BIG_TTL << 24 | IPPROTO_ICMP << 16);
	word[3] = (__u32)p->daddr_be[0];
	word[4] = (__u32)p->saddr_be[0];
	((__u16 *)l3)[5] = csum_not(csum_fold(too_big_sum(word, 5)));
	icmp->type = ICMP4_UNREACHABLE;
	icmp->code = ICMP4_FRAG_NEEDED;
	icmp->csum = 0;
	icmp->rest = bpf_htonl(mtu & 0xffff);
	icmp->csum = csum_not(csum_fold(too_big_sum(
		(void *)icmp, (sizeof(struct icmp_head) + TOO_BIG_QUOTE4) / sizeof(__u32))));
}

static __always_inline void too_big_write6(void *l3, const struct pkt *p, __u32 mtu)
{
	struct icmp_head *icmp = l3 + sizeof(struct ipv6hdr);
	__u32 payload = sizeof(struct icmp_head) + TOO_BIG_QUOTE6, *word = l3;
	__u64 *address = l3 + offsetof(struct ipv6hdr, saddr), sum;

	word[0] = bpf_htonl(0x60000000);
	word[1] = bpf_htonl(payload << 16 | IPPROTO_ICMPV6 << 8 | TOO_BIG_TTL);
	address[0] = p->daddr_be[0];
	address[1] = p->daddr_be[1];
	address[2] = p->saddr_be[0];
	address[3] = p->saddr_be[1];
	icmp->type = ICMP6_TOO_BIG;
	icmp->code = 0;
	icmp->csum = 0;
	icmp->rest = bpf_htonl(mtu);
	/* addresses and message; length and next header of the pseudo header */
	sum = too_big_sum((void *)address, (32 + sizeof(struct icmp_head) + TOO_BIG_QUOTE6) / 4);
	icmp->csum = csum_not(csum_fold(sum + bpf_htonl(payload) + bpf_htonl(IPPROTO_ICMPV6)));
}

/* The answer, in place of the packet. @mtu: what is told. */
static __always_inline enum sl_reason too_big_write(struct platform_ctx *ctx, const struct pkt *p,
						    __u32 mtu)
{
	__u32 tags = (__u32)((char *)p->l3 - (char *)p->data) - sizeof(struct ethhdr);
	const int grow = p->is_v6 ? TOO_BIG_GROW6 : TOO_BIG_GROW4;
	const int quote = p->is_v6 ? TOO_BIG_QUOTE6 : TOO_BIG_QUOTE4;
	__u32 mac[3], tag[2];
	void *data, *end, *l3;

	if (PLATFORM_ADJUST_TAIL(ctx, (int)(sizeof(struct ethhdr) + tags) + quote -
					      (int)p->frame_bytes) ||
	    PLATFORM_ADJUST_HEAD(ctx, -grow))
		return SL_R_NO_HEADROOM;
	data = platform_data(ctx);
	end = platform_data_end(ctx);
	l3 = data + grow; /* of the old frame's start, for now */
	if (l3 + sizeof(struct ethhdr) + sizeof(tag) > end)
		return SL_R_NO_HEADROOM; /* for the verifier */
	for (int i = 0; i < 3; i++)
		mac[i] = ((__u32 *)l3)[i];
	tag[0] = ((__u32 *)l3)[3];
	tag[1] = ((__u32 *)l3)[4];
	/* the sender's address is bytes 6-11 */
	*(__u64 *)data = (__u64)mac[1] >> 16 | (__u64)mac[2] << 16 | (__u64)mac[0] << 48;
	*(__u32 *)(data + 8) = mac[0] >> 16 | mac[1] << 16;
	l3 = data + offsetof(struct ethhdr, h_proto);
	if (tags) {
		*(__u32 *)l3 = tag[0];
		l3 += sizeof(__u32);
	}
	if (tags > sizeof(__u32)) {
		*(__u32 *)l3 = tag[1];
		l3 += sizeof(__u32);
	}
	*(__u16 *)l3 = p->is_v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	l3 += sizeof(__u16);
	/* Each on its own way: Linux 6.1 does not know that the family is still that of @grow. */
	if (p->is_v6) {
		if (l3 + TOO_BIG_GROW6 + TOO_BIG_QUOTE6 > end)
			return SL_R_NO_HEADROOM; /* for the verifier */
		too_big_write6(l3, p, mtu);
	} else {
		if (l3 + TOO_BIG_GROW4 + TOO_BIG_QUOTE4 > end)
			return SL_R_NO_HEADROOM; /* for the verifier */
		too_big_write4(l3, p, mtu);
	}
	return SL_R_TOO_BIG_TOLD;
}

static __always_inline bool too_big_may_fragment(const struct pkt *p)
{
	const struct iphdr *ip = p->l3;

	return !p->is_v6 && (void *)(ip + 1) <= p->end && !(ip->frag_off & bpf_htons(IPV4_DF));
}

/* NEXT: it goes on all the same. */
static __always_inline enum sl_reason too_big_check(struct platform_ctx *ctx, const struct pkt *p,
						    const struct sl_service_rec *service,
						    const struct sl_backend_rec *b)
{
	__u32 mtu = READ_ONCE(b->mtu);

	if (likely(p->l3_bytes <= mtu))
		return SL_R_NEXT;
	if (too_big_may_fragment(p))
		return (service->flags & SL_SF_OVERSIZE) && p->l3_bytes <= READ_ONCE(b->mtu_link)
			       ? SL_R_NEXT
			       : SL_R_TOO_BIG;
	if (p->is_v6 && mtu < TOO_BIG_MTU6_MIN)
		mtu = TOO_BIG_MTU6_MIN;
	if (too_big_silent(p, mtu))
		return SL_R_TOO_BIG;
	if (!limit_allows(LIMIT_TOO_BIG))
		return SL_R_TOO_BIG_LIMITED;
	return too_big_write(ctx, p, mtu);
}

#endif
