/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_ICMP_H
#define LB_KERN_ICMP_H

/*
 * icmp: errors that quote one of our flows belong to the flow's backend, or
 * its path-MTU discovery never ends (RFC 7690). RFC 792, RFC 4443.
 */
#include <linux/in.h>

#include "lb_kern/ipv4.h"
#include "lb_kern/ipv6.h"
#include "lb_kern/l4.h"
#include "lb_kern/pkt.h"

#define ICMP_QUOTED_L4 8 /* bytes of the quoted transport header that must be there */

/* linux/icmp.h would pull in the C library's headers. */
enum icmp4_type {
	ICMP4_ECHO_REPLY = 0,
	ICMP4_UNREACHABLE = 3,
	ICMP4_ECHO_REQUEST = 8,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAMETER = 12,
};

#define ICMP4_FRAG_NEEDED 4 /* code of ICMP4_UNREACHABLE */

enum icmp6_type {
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2, /* 3: time exceeded */
	ICMP6_PARAMETER = 4,
	ICMP6_ECHO_REQUEST = 128,
	ICMP6_ECHO_REPLY = 129,
};

struct icmp_head {
	__u8 type, code;
	__be16 csum;
	__be32 rest;
};

static __always_inline bool icmp_is(const struct pkt *p)
{
	return p->proto == (p->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

static __always_inline bool icmp_is_error(const struct pkt *p, __u8 type)
{
	if (p->is_v6)
		return type >= ICMP6_UNREACHABLE && type <= ICMP6_PARAMETER;
	return type == ICMP4_UNREACHABLE || type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAMETER;
}

static __always_inline bool icmp_is_echo(const struct pkt *p, const struct icmp_head *head)
{
	return head->type == (p->is_v6 ? ICMP6_ECHO_REQUEST : ICMP4_ECHO_REQUEST) && !head->code;
}

/* From now on the packet stands for the flow it quotes, turned around. */
static __always_inline enum sl_reason icmp_read_quoted(struct pkt *p)
{
	struct pkt q = { .end = p->end, .l3 = p->l4 + sizeof(struct icmp_head) };
	enum sl_reason why;

	q.is_v6 = p->is_v6;
	why = p->is_v6 ? ipv6_read(&q) : ipv4_read(&q);
	if (why != SL_R_NEXT || !l4_is_ours(q.proto) || q.fragment == PKT_LATER ||
	    q.l4 + ICMP_QUOTED_L4 > p->end)
		return SL_R_ICMP_OTHER;
	/* a backend answers from the service's address: only its own packets are quoted to it */
	if (q.saddr_be[0] != p->daddr_be[0] || q.saddr_be[1] != p->daddr_be[1])
		return SL_R_ICMP_OTHER;
	p->saddr_be[0] = q.daddr_be[0];
	p->saddr_be[1] = q.daddr_be[1];
	p->dport_be = ((const __be16 *)q.l4)[0];
	p->sport_be = ((const __be16 *)q.l4)[1];
	p->proto = q.proto;
	p->is_quoted = true;
	return SL_R_NEXT;
}

/* An error that is to be forwarded, or an echo request. */
static __always_inline enum sl_reason icmp_read(struct pkt *p)
{
	const struct icmp_head *head = p->l4;

	if (p->fragment != PKT_WHOLE)
		return SL_R_FRAGMENT;
	if ((void *)(head + 1) > p->end)
		return SL_R_L4_SHORT;
	if (icmp_is_error(p, head->type))
		return icmp_read_quoted(p);
	p->is_echo = icmp_is_echo(p, head);
	return p->is_echo ? SL_R_NEXT : SL_R_ICMP_OTHER;
}

#endif
