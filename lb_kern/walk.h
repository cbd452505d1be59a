/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_WALK_H
#define LB_KERN_WALK_H

/*
 * walk: the steps in their order (WALK.md). A step returns SL_R_NEXT to go on
 * or the reason why the packet leaves. Until the service is found the only ways
 * out are PASS; the packet is written only after the last step that may refuse.
 *
 * walk_hot() takes the common packet and leaves any other, before it has
 * counted or changed anything, to walk_any(). The two differ in how they read
 * it, and share all that follows.
 */
#include "lb_kern/backend.h"
#include "lb_kern/common.h"
#include "lb_kern/echo.h"
#include "lb_kern/eth.h"
#include "lb_kern/fwd_l2.h"
#include "lb_kern/guard.h"
#include "lb_kern/icmp.h"
#include "lb_kern/ipv4.h"
#include "lb_kern/ipv6.h"
#include "lb_kern/l4.h"
#include "lb_kern/launder.h"
#include "lb_kern/service.h"
#include "lb_kern/slot.h"
#include "lb_kern/stats.h"

#define WALK_STEP(call)               \
	do {                          \
		why = (call);         \
		if (why != SL_R_NEXT) \
			return why;   \
	} while (0)

/* Whose service it is for, whether it is sane, and its flow's hash. Nothing is changed yet. */
static __always_inline enum sl_reason walk_find(struct pkt *p)
{
	enum sl_reason why;

	WALK_STEP(service_find(p)); /* not ours: PASS, untouched */
	WALK_STEP(l4_check_length(p));
	WALK_STEP(l4_check(p));
	service_hash(p, maps_service(p->service));
	return SL_R_NEXT;
}

/* To the chosen backend; @ret_action when that is not by TX. */
static __always_inline enum sl_reason walk_send(struct platform_ctx *ctx, struct pkt *p,
						int *ret_action)
{
	const struct sl_backend_rec *backend;
	enum sl_reason why;

	WALK_STEP(backend_load(p, &backend));
	WALK_STEP(fwd_l2_rewrite(p, backend));
	if (READ_ONCE(backend->ifindex) == ctx->ingress_ifindex)
		return SL_R_SENT;
	*ret_action = (int)PLATFORM_REDIRECT(sl_ports, READ_ONCE(backend->port));
	return *ret_action == XDP_REDIRECT ? SL_R_SENT : SL_R_NO_PORT;
}

/* From the context, two loads, rather than registers held all the way. */
static __always_inline __u32 walk_bytes(const struct platform_ctx *ctx)
{
	return (__u32)((char *)platform_data_end(ctx) - (char *)platform_data(ctx));
}

/* Counts it, and turns the reason into what becomes of the packet. */
static __always_inline int walk_end(struct platform_ctx *ctx, const struct pkt *p,
				    enum sl_reason why, int sent)
{
	stats_count(p, why, walk_bytes(ctx));
	switch (stats_action(why)) {
	case SL_A_SEND:
		return sent;
	case SL_A_DROP:
		return XDP_DROP;
	default:
		return XDP_PASS;
	}
}

/*
 * A common packet. Inlined once for each family and protocol, so that each copy
 * knows them and keeps what it needs in registers. -1: it is rare after all.
 */
static __always_inline int walk_common(struct platform_ctx *ctx, struct pkt *p, const bool is_v6,
				       const __u32 proto)
{
	int sent = XDP_TX;
	enum sl_reason why;

	p->is_v6 = is_v6;
	p->proto = proto;
	why = walk_find(p);
	if (likely(why == SL_R_NEXT)) {
		const struct sl_service_rec *service = maps_service(p->service);

		if (unlikely(!slot_settled(p, service)) ||
		    unlikely(!guard_common(p, service, &why)))
			return -1;
		if (likely(why == SL_R_NEXT))
			why = walk_send(ctx, p, &sent);
	}
	return walk_end(ctx, p, why, sent);
}

/* The rare walk is missing. */
static __always_inline int walk_bug_rare(struct platform_ctx *ctx)
{
	const struct pkt p = {};

	return walk_end(ctx, &p, SL_R_BUG_RARE, XDP_PASS);
}

/* -1: not common, or flow memory has a say; nothing was counted or changed. */
static __always_inline int walk_hot(struct platform_ctx *ctx)
{
	struct pkt p = {};
	__be16 type;

	pkt_init(&p, platform_data(ctx), platform_data_end(ctx));
	type = common_type(&p);
	if (type == bpf_htons(ETH_P_IP)) {
		if (!common_read4(&p))
			return -1;
	} else if (type != bpf_htons(ETH_P_IPV6) || !common_read6(&p)) {
		return -1;
	}
	/* four copies: in each, family and protocol are constants */
	if (!p.is_v6) {
		if (p.proto == IPPROTO_TCP)
			return walk_common(ctx, &p, false, IPPROTO_TCP);
		return walk_common(ctx, &p, false, IPPROTO_UDP);
	}
	if (p.proto == IPPROTO_TCP)
		return walk_common(ctx, &p, true, IPPROTO_TCP);
	return walk_common(ctx, &p, true, IPPROTO_UDP);
}

/* Any packet; between its steps the verifier is made to forget how it got there (launder.h). */
static __always_inline enum sl_reason walk_rare(struct platform_ctx *ctx, struct pkt *p,
						int *ret_action)
{
	enum sl_reason why;

	WALK_STEP(eth_read(p));
	WALK_STEP(p->is_v6 ? ipv6_read(p) : ipv4_read(p));
	launder_pkt(p, platform_data(ctx), platform_data_end(ctx));
	WALK_STEP(icmp_is(p) ? icmp_read(p) : l4_read(p));
	launder_pkt(p, platform_data(ctx), platform_data_end(ctx));
	if (p->is_echo)
		return echo_answer(p);
	WALK_STEP(walk_find(p));
	WALK_STEP(guard_listed(p, maps_service(p->service)));
	WALK_STEP(guard_packet(p, maps_service(p->service)));
	if (p->proto == IPPROTO_TCP && pkt_is_syn(p))
		WALK_STEP(guard_new_flow(p, maps_service(p->service)));
	launder_pkt(p, platform_data(ctx), platform_data_end(ctx));
	WALK_STEP(slot_pick(p, maps_service(p->service)));
	return walk_send(ctx, p, ret_action);
}

static __always_inline int walk_any(struct platform_ctx *ctx)
{
	struct pkt p = {};
	enum sl_reason why;
	int sent = XDP_TX;

	pkt_init(&p, platform_data(ctx), platform_data_end(ctx));
	why = walk_rare(ctx, &p, &sent);
	return walk_end(ctx, &p, why, sent);
}

#endif
