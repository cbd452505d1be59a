/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_ECHO_H
#define LB_KERN_ECHO_H

/*
 * echo: a service address answers ping. The answer is as long as the question,
 * is never sent to a group, and is limited, so that nobody amplifies with it.
 */
#include <linux/if_ether.h>

#include "lb_kern/csum.h"
#include "lb_kern/icmp.h"
#include "lb_kern/limit.h"
#include "lb_kern/service.h"

#define ECHO_TTL 64

static __always_inline bool echo_source_bad(const struct pkt *p)
{
	const __u8 *source = (const __u8 *)p->saddr_be;

	if (p->saddr_be[0] == p->daddr_be[0] && p->saddr_be[1] == p->daddr_be[1])
		return true;
	if (p->data + sizeof(struct ethhdr) > p->end || *(const __u8 *)p->data & 1)
		return true;
	if (p->is_v6)
		return source[0] == 0xff || (!p->saddr_be[0] && !p->saddr_be[1]);
	return (source[0] & 0xf0) == 0xe0 || !p->saddr_be[0] || p->saddr_be[0] == 0xffffffff;
}

static __always_inline void echo_swap_macs(struct pkt *p)
{
	__u16 *mac = p->data;

	PLATFORM_UNROLL
	for (int i = 0; i < 3; i++) {
		__u16 destination = mac[i];

		mac[i] = mac[3 + i];
		mac[3 + i] = destination;
	}
}

static __always_inline void echo_answer4(struct pkt *p, struct icmp_head *head)
{
	struct iphdr *ip = p->l3;
	__u16 *ttl_word = (__u16 *)&ip->ttl, was = *ttl_word;

	ip->ttl = ECHO_TTL;
	ip->check = csum_replace(ip->check, was, *ttl_word);
	ip->saddr = (__u32)p->daddr_be[0];
	ip->daddr = (__u32)p->saddr_be[0];
	head->type = ICMP4_ECHO_REPLY;
	head->csum = csum_replace(head->csum, bpf_htons(ICMP4_ECHO_REQUEST << 8),
				  bpf_htons(ICMP4_ECHO_REPLY << 8));
}

static __always_inline void echo_answer6(struct pkt *p, struct icmp_head *head)
{
	struct ipv6hdr *ip = p->l3;
	__u64 *address = (void *)&ip->saddr;

	ip->hop_limit = ECHO_TTL;
	address[0] = p->daddr_be[0];
	address[1] = p->daddr_be[1];
	address[2] = p->saddr_be[0];
	address[3] = p->saddr_be[1];
	head->type = ICMP6_ECHO_REPLY;
	head->csum = csum_replace(head->csum, bpf_htons(ICMP6_ECHO_REQUEST << 8),
				  bpf_htons(ICMP6_ECHO_REPLY << 8));
}

static __always_inline enum sl_reason echo_answer(struct pkt *p)
{
	struct icmp_head *head = p->l4;
	enum sl_reason why;

	if (!service_owns_address(p))
		return SL_R_ICMP_OTHER;
	why = l4_check_length(p);
	if (why != SL_R_NEXT)
		return why;
	if (echo_source_bad(p))
		return SL_R_SOURCE_BAD;
	if (!limit_allows(LIMIT_ECHO))
		return SL_R_ECHO_LIMITED;
	/*
	 * Seen before, but the verifier was made to forget it. Checked in the branch
	 * that uses it: Linux 6.1 does not remember which way the question went first.
	 */
	if ((void *)(head + 1) > p->end)
		return SL_R_L4_SHORT;
	if (p->is_v6) {
		if (p->l3 + sizeof(struct ipv6hdr) > p->end)
			return SL_R_L4_SHORT;
		echo_answer6(p, head);
	} else {
		if (p->l3 + sizeof(struct iphdr) > p->end)
			return SL_R_L4_SHORT;
		echo_answer4(p, head);
	}
	echo_swap_macs(p);
	return SL_R_ECHOED;
}

#endif
