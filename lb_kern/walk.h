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
 * it, and share all that follows; walk_last() sends what walk_any() has found a
 * backend for that needs more than two MACs.
 */
#include "lb_kern/backend.h"
#include "lb_kern/common.h"
#include "lb_kern/echo.h"
#include "lb_kern/eth.h"
#include "lb_kern/fwd_frame.h"
#include "lb_kern/fwd_l2.h"
#include "lb_kern/guard.h"
#include "lb_kern/icmp.h"
#include "lb_kern/ipv4.h"
#include "lb_kern/ipv6.h"
#include "lb_kern/l4.h"
#include "lb_kern/launder.h"
#include "lb_kern/quic.h"
#include "lb_kern/service.h"
#include "lb_kern/slot.h"
#include "lb_kern/stats.h"
#include "lb_kern/too_big.h"
#include "lb_kern/trace.h"

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

/*
 * The interface it leaves by. Read last: it is 0 while the agent changes the
 * rest of the record, so a packet that was written from half of each is dropped.
 */
static __always_inline enum sl_reason
walk_port(struct platform_ctx *ctx, const struct sl_backend_rec *backend, int *ret_action)
{
	__u32 ifindex = READ_ONCE(backend->ifindex);

	if (likely(ifindex == ctx->ingress_ifindex))
		return SL_R_SENT;
	if (unlikely(!ifindex))
		return SL_R_NO_NEXT_HOP;
	*ret_action = (int)PLATFORM_REDIRECT(sl_ports, READ_ONCE(backend->port));
	return *ret_action == XDP_REDIRECT ? SL_R_SENT : SL_R_NO_PORT;
}

/* Both MACs, and that is all. */
static __always_inline bool walk_is_plain(const struct pkt *p, const struct sl_backend_rec *b)
{
	return READ_ONCE(b->fwd) == SL_FWD_L2 && !(READ_ONCE(b->flags) & SL_BF_VLAN) &&
	       likely(p->l3_bytes <= READ_ONCE(b->mtu));
}

static __always_inline enum sl_reason walk_send_plain(struct platform_ctx *ctx, struct pkt *p,
						      const struct sl_backend_rec *backend,
						      int *ret_action)
{
	enum sl_reason why;

	WALK_STEP(fwd_l2_rewrite(p, backend));
	return walk_port(ctx, backend, ret_action);
}

/* The programs have what this backend needs. */
static __always_inline bool walk_has_features(const struct sl_backend_rec *b)
{
	__u8 fwd = READ_ONCE(b->fwd);

	if (READ_ONCE(b->flags) & SL_BF_VLAN && !(sl_features & SL_FEAT_VLAN))
		return false;
	return fwd == SL_FWD_L2 || (fwd == SL_FWD_IPIP && (sl_features & SL_FEAT_IPIP)) ||
	       (fwd == SL_FWD_GUE && (sl_features & SL_FEAT_GUE));
}

/* Whatever else it takes; @ret_action when it does not leave by TX. */
static __always_inline enum sl_reason walk_send(struct platform_ctx *ctx, struct pkt *p,
						const struct sl_backend_rec *backend,
						int *ret_action)
{
	enum sl_reason why;

	WALK_STEP(too_big_check(ctx, p, maps_service(p->service), backend));
	if (unlikely(!walk_has_features(backend)))
		return SL_R_BUG_FEATURE;
	if (sl_features & (SL_FEAT_IPIP | SL_FEAT_GUE) && READ_ONCE(backend->fwd) != SL_FWD_L2)
		WALK_STEP(fwd_frame_rebuild(ctx, p, backend, true, sl_features & SL_FEAT_VLAN));
	else if (sl_features & SL_FEAT_VLAN && READ_ONCE(backend->flags) & SL_BF_VLAN)
		WALK_STEP(fwd_frame_rebuild(ctx, p, backend, false, true));
	else
		WALK_STEP(fwd_l2_rewrite(p, backend));
	return walk_port(ctx, backend, ret_action);
}

/* Counts it, and turns the reason into what becomes of the packet. */
static __always_inline int walk_end(const struct pkt *p, enum sl_reason why, int sent, __u32 bytes)
{
	stats_count(p, why, bytes);
	switch (stats_action(why)) {
	case SL_A_SEND:
		return sent;
	case SL_A_DROP:
		return XDP_DROP;
	default:
		return XDP_PASS;
	}
}

#define WALK_RARE   (-1) /* it is for walk_any(); nothing was counted or changed */
#define WALK_TUNNEL (-2) /* for walk_tunnel() */
#define WALK_RECALL (-3) /* for walk_recall() */
#define WALK_SEND   (-4) /* for walk_last(), which takes over what is known */

/* What a common packet with a backend needs still; @memory: what it owes its owner to, or NULL. */
static __always_inline int walk_leave(struct platform_ctx *ctx, struct pkt *p,
				      const struct sl_service_rec *service,
				      const struct slot_memory *memory)
{
	const struct sl_backend_rec *backend = maps_backend(p->backend);
	enum sl_reason why = SL_R_NEXT;
	int sent = XDP_TX;
	bool tunnel;

	if (unlikely(p->l3_bytes > READ_ONCE(backend->mtu) ||
		     READ_ONCE(backend->flags) & SL_BF_VLAN))
		return WALK_RARE;
	tunnel = READ_ONCE(backend->fwd) != SL_FWD_L2;
	if (tunnel && !(sl_features & (SL_FEAT_IPIP | SL_FEAT_GUE)))
		return WALK_RARE;
	/* last: what it charges is spent, so the packet must stay here */
	if (unlikely(!guard_common(p, service, &why)))
		return WALK_RARE;
	if (unlikely(why != SL_R_NEXT))
		return walk_end(p, why, sent, 0);
	if (memory)
		slot_keep(memory);
	if (tunnel)
		return WALK_TUNNEL;
	why = walk_send_plain(ctx, p, backend, &sent);
	return walk_end(p, why, sent, pkt_bytes(p));
}

/*
 * A common packet. Inlined once for each family and protocol, so that each copy
 * knows them and keeps what it needs in registers.
 */
static __always_inline int walk_common(struct platform_ctx *ctx, struct pkt *p, const bool is_v6,
				       const __u32 proto)
{
	const struct sl_service_rec *service;
	enum sl_reason why;

	p->is_v6 = is_v6;
	p->proto = proto;
	why = walk_find(p);
	if (unlikely(why != SL_R_NEXT)) {
		/* what is missing of its length may be in other buffers */
		if (why == SL_R_IP4_LENGTH || why == SL_R_IP6_LENGTH)
			return WALK_RARE;
		return walk_end(p, why, XDP_PASS, 0);
	}
	service = maps_service(p->service);
	if (likely(slot_settled(p, service)))
		return walk_leave(ctx, p, service, NULL);
	if (proto == IPPROTO_TCP)
		return pkt_is_syn(p) ? WALK_RARE : WALK_RECALL;
	return service->flags & SL_SF_UDP_FLOW ? WALK_RECALL : WALK_RARE;
}

/* A common packet of a flow that memory, or the slot's former owner, has. One copy for all. */
static __always_inline int walk_recall(struct platform_ctx *ctx, struct pkt *p)
{
	const struct sl_service_rec *service = maps_service(p->service);
	struct slot_memory memory;

	if (!slot_remembered(p, service, &memory))
		return WALK_RARE;
	return walk_leave(ctx, p, service, &memory);
}

/* A common packet for a backend behind a tunnel. One copy for all. */
static __always_inline int walk_tunnel(struct platform_ctx *ctx, struct pkt *p)
{
	const struct sl_backend_rec *backend = maps_backend(p->backend);
	__u32 bytes = pkt_bytes(p); /* the frame is another one afterwards */
	int sent = XDP_TX;
	enum sl_reason why;

	why = fwd_frame_rebuild(ctx, p, backend, true, false);
	if (likely(why == SL_R_NEXT))
		why = walk_port(ctx, backend, &sent);
	return walk_end(p, why, sent, bytes);
}

/* The next program is missing. */
static __always_inline int walk_bug_rare(void)
{
	const struct pkt p = {};

	return walk_end(&p, SL_R_BUG_RARE, XDP_PASS, 0);
}

static __always_inline int walk_by_protocol(struct platform_ctx *ctx, struct pkt *p)
{
	/* four copies: in each, family and protocol are constants */
	if (!p->is_v6) {
		if (p->proto == IPPROTO_TCP)
			return walk_common(ctx, p, false, IPPROTO_TCP);
		return walk_common(ctx, p, false, IPPROTO_UDP);
	}
	if (p->proto == IPPROTO_TCP)
		return walk_common(ctx, p, true, IPPROTO_TCP);
	return walk_common(ctx, p, true, IPPROTO_UDP);
}

/* WALK_RARE: not common, or flow memory has a say. */
static __always_inline int walk_hot(struct platform_ctx *ctx)
{
	struct pkt p = {};
	int action;
	__be16 type;

	if (trace_on())
		return WALK_RARE;
	pkt_init(&p, platform_data(ctx), platform_data_end(ctx), 0);
	p.frame_bytes = (__u32)((char *)p.end - (char *)p.data); /* of the first buffer */
	type = common_type(&p);
	if (type == bpf_htons(ETH_P_IP)) {
		if (!common_read4(&p))
			return WALK_RARE;
	} else if (type != bpf_htons(ETH_P_IPV6) || !common_read6(&p)) {
		return WALK_RARE;
	}
	action = walk_by_protocol(ctx, &p);
	if (likely(action >= 0))
		return action;
	if (action == WALK_RECALL)
		action = walk_recall(ctx, &p);
	if (sl_features & (SL_FEAT_IPIP | SL_FEAT_GUE) && action == WALK_TUNNEL)
		return walk_tunnel(ctx, &p);
	return action;
}

/* Any packet, up to its backend; between its steps the verifier is made to forget how it got there
 * (launder.h). */
static __always_inline enum sl_reason walk_rare(struct platform_ctx *ctx, struct pkt *p)
{
	enum sl_reason why;

	WALK_STEP(eth_read(p));
	WALK_STEP(p->is_v6 ? ipv6_read(p) : ipv4_read(p));
	launder_pkt(p, platform_data(ctx), platform_data_end(ctx));
	trace_note(p);
	WALK_STEP(icmp_is(p) ? icmp_read(p) : l4_read(p));
	launder_pkt(p, platform_data(ctx), platform_data_end(ctx));
	trace_note(p);
	if (p->is_echo)
		return echo_answer(p);
	why = walk_find(p);
	trace_flags(p);
	if (why != SL_R_NEXT)
		return why;
	WALK_STEP(guard_listed(p, maps_service(p->service)));
	WALK_STEP(guard_packet(p, maps_service(p->service)));
	if (p->proto == IPPROTO_TCP && pkt_is_syn(p))
		WALK_STEP(guard_new_flow(p, maps_service(p->service)));
	if (sl_features & SL_FEAT_QUIC && maps_service(p->service)->flags & SL_SF_QUIC)
		p->is_initial = quic_is_initial(p);
	launder_pkt(p, platform_data(ctx), platform_data_end(ctx));
	return slot_pick(p, maps_service(p->service));
}

/* WALK_SEND: it has a backend, and needs more than two MACs to get there. */
static __always_inline int walk_any(struct platform_ctx *ctx)
{
	const struct sl_backend_rec *backend;
	struct pkt p = {};
	enum sl_reason why;
	int sent = XDP_TX, action;

	trace_begin(ctx);
	pkt_init(&p, platform_data(ctx), platform_data_end(ctx), PLATFORM_FRAME_BYTES(ctx));
	why = walk_rare(ctx, &p);
	if (why == SL_R_NEXT) {
		why = backend_load(&p, &backend);
		if (why == SL_R_NEXT && unlikely(!walk_is_plain(&p, backend))) {
			launder_hand_on(&p);
			return WALK_SEND;
		}
		if (why == SL_R_NEXT)
			why = walk_send_plain(ctx, &p, backend, &sent);
	}
	action = walk_end(&p, why, sent, pkt_bytes(&p));
	return trace_end(ctx, &p, why, stats_action(why), action);
}

static __always_inline int walk_last(struct platform_ctx *ctx)
{
	struct pkt p = {};
	__u32 bytes;
	enum sl_reason why;
	int sent = XDP_TX, action;

	launder_take_over(&p, platform_data(ctx), platform_data_end(ctx));
	bytes = pkt_bytes(&p);
	why = walk_send(ctx, &p, maps_backend(p.backend), &sent);
	action = walk_end(&p, why, sent, bytes);
	return trace_end(ctx, &p, why, stats_action(why), action);
}

#endif
