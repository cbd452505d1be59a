/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sluice: a packet's walk, step by step (WALK.md). A step returns SL_R_NEXT to
 * go on or the reason why the packet leaves. Until the service is found the
 * only ways out are PASS; the packet is written only after the last step that
 * may refuse.
 *
 * sl_xdp walks the common packet and hands any other to sl_rare, before it has
 * counted or changed anything. The two differ in how they read it, and share
 * all that follows.
 */
#include "lb_kern/backend.h"
#include "lb_kern/common.h"
#include "lb_kern/echo.h"
#include "lb_kern/eth.h"
#include "lb_kern/fwd_l2.h"
#include "lb_kern/icmp.h"
#include "lb_kern/ipv4.h"
#include "lb_kern/ipv6.h"
#include "lb_kern/l4.h"
#include "lb_kern/launder.h"
#include "lb_kern/service.h"
#include "lb_kern/slot.h"
#include "lb_kern/stats.h"

#define STEP(call)                    \
	do {                          \
		why = (call);         \
		if (why != SL_R_NEXT) \
			return why;   \
	} while (0)

/* Whose service it is for, whether it is sane, and its flow's hash. Nothing is changed yet. */
static __always_inline enum sl_reason walk_find(struct pkt *p)
{
	enum sl_reason why;

	STEP(service_find(p)); /* not ours: PASS, untouched */
	STEP(l4_check_length(p));
	STEP(l4_check(p));
	service_hash(p, maps_service(p->service));
	return SL_R_NEXT;
}

/* To the chosen backend; @ret_action when that is not by TX. */
static __always_inline enum sl_reason walk_send(struct xdp_md *ctx, struct pkt *p, int *ret_action)
{
	const struct sl_backend_rec *backend;
	enum sl_reason why;

	STEP(backend_load(p, &backend));
	STEP(fwd_l2_rewrite(p, backend));
	if (backend->ifindex == ctx->ingress_ifindex)
		return SL_R_SENT;
	*ret_action = (int)bpf_redirect_map(&sl_ports, backend->port, XDP_DROP);
	return *ret_action == XDP_REDIRECT ? SL_R_SENT : SL_R_NO_PORT;
}

/*
 * The frame's start and end from the context, two loads, rather than registers
 * held all the way. The barriers keep clang from storing the pointers as the 32
 * bits that the context shows them as: the verifier takes only whole ones.
 */
static __always_inline void *walk_data(const struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;

	asm volatile("" : "+r"(data));
	return data;
}

static __always_inline void *walk_data_end(const struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;

	asm volatile("" : "+r"(end));
	return end;
}

static __always_inline __u32 walk_bytes(const struct xdp_md *ctx)
{
	return (__u32)((char *)walk_data_end(ctx) - (char *)walk_data(ctx));
}

/* Counts it, and turns the reason into what becomes of the packet. */
static __always_inline int walk_end(struct xdp_md *ctx, const struct pkt *p, enum sl_reason why,
				    int sent)
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
static __always_inline int walk_common(struct xdp_md *ctx, struct pkt *p)
{
	int sent = XDP_TX;
	enum sl_reason why;

	why = walk_find(p);
	if (likely(why == SL_R_NEXT)) {
		if (unlikely(!slot_settled(p, maps_service(p->service))))
			return -1;
		why = walk_send(ctx, p, &sent);
	}
	return walk_end(ctx, p, why, sent);
}

SEC("sluice")
int sl_xdp(struct xdp_md *ctx)
{
	struct pkt p = {};
	__be16 type;
	int action = -1;

	pkt_init(&p, walk_data(ctx), walk_data_end(ctx));
	type = common_type(&p);
	if (type == bpf_htons(ETH_P_IP)) {
		if (common_read4(&p)) {
			bool is_tcp = p.proto == IPPROTO_TCP;

			if (likely(is_tcp)) {
				p.proto = IPPROTO_TCP;
				action = walk_common(ctx, &p);
			} else {
				p.proto = IPPROTO_UDP;
				action = walk_common(ctx, &p);
			}
		}
	} else if (type == bpf_htons(ETH_P_IPV6)) {
		if (common_read6(&p)) {
			if (likely(p.proto == IPPROTO_TCP)) {
				p.proto = IPPROTO_TCP;
				action = walk_common(ctx, &p);
			} else {
				p.proto = IPPROTO_UDP;
				action = walk_common(ctx, &p);
			}
		}
	}
	if (likely(action >= 0))
		return action;
	bpf_tail_call(ctx, &sl_tails, 0);
	p.service = 0;
	return walk_end(ctx, &p, SL_R_BUG_RARE, XDP_PASS); /* the agent has not put it there */
}

/* Any packet; between its steps the verifier is made to forget how it got there (launder.h). */
static __always_inline enum sl_reason walk_rare(struct xdp_md *ctx, struct pkt *p, int *ret_action)
{
	enum sl_reason why;

	STEP(eth_read(p));
	STEP(p->is_v6 ? ipv6_read(p) : ipv4_read(p));
	launder_pkt(p, walk_data(ctx), walk_data_end(ctx));
	STEP(icmp_is(p) ? icmp_read(p) : l4_read(p));
	launder_pkt(p, walk_data(ctx), walk_data_end(ctx));
	if (p->is_echo)
		return echo_answer(p);
	STEP(walk_find(p));
	launder_pkt(p, walk_data(ctx), walk_data_end(ctx));
	STEP(slot_pick(p, maps_service(p->service)));
	return walk_send(ctx, p, ret_action);
}

SEC("sluice")
int sl_rare(struct xdp_md *ctx)
{
	struct pkt p = {};
	enum sl_reason why;
	int sent = XDP_TX;

	pkt_init(&p, walk_data(ctx), walk_data_end(ctx));
	why = walk_rare(ctx, &p, &sent);
	return walk_end(ctx, &p, why, sent);
}

/*
 * Not a packet program: tells the agent the packet path's clock, which user
 * space cannot read, through BPF_PROG_TEST_RUN (lb_user/dp/clock.c).
 */
SEC("sluice")
int sl_clock(struct xdp_md *ctx)
{
	__u64 *to = (void *)(long)ctx->data;

	if ((void *)(to + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	*to = bpf_jiffies64();
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
