/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sluice: a packet's walk, step by step. A step returns SL_R_NEXT to go on or
 * the reason why the packet leaves. Until the service is found the only ways
 * out are PASS; the packet is written only after the last step that may refuse.
 */
#include "lb_kern/backend.h"
#include "lb_kern/eth.h"
#include "lb_kern/fwd_l2.h"
#include "lb_kern/ipv4.h"
#include "lb_kern/ipv6.h"
#include "lb_kern/l4.h"
#include "lb_kern/service.h"
#include "lb_kern/slot.h"
#include "lb_kern/stats.h"

#define STEP(call)                    \
	do {                          \
		why = (call);         \
		if (why != SL_R_NEXT) \
			return why;   \
	} while (0)

/* Which service, and is the packet sane: nothing is changed here. */
static __always_inline enum sl_reason walk_read(struct pkt *p)
{
	enum sl_reason why;

	STEP(eth_read(p));
	STEP(p->is_v6 ? ipv6_read(p) : ipv4_read(p));
	STEP(l4_read(p));
	STEP(service_find(p)); /* not ours: PASS, untouched */
	STEP(p->is_v6 ? ipv6_check(p) : ipv4_check(p));
	STEP(l4_check(p));
	return SL_R_NEXT;
}

static __always_inline enum sl_reason walk(struct xdp_md *ctx, struct pkt *p, int *ret_action)
{
	const struct sl_service_rec *service;
	const struct sl_backend_rec *backend;
	enum sl_reason why;

	STEP(walk_read(p));
	service = maps_service(p->service);
	service_hash(p, service);
	STEP(slot_pick(p, service));
	STEP(backend_load(p, &backend));

	fwd_l2_rewrite(p, backend);
	if (backend->ifindex == ctx->ingress_ifindex) {
		*ret_action = XDP_TX;
		return SL_R_SENT;
	}
	*ret_action = (int)bpf_redirect_map(&sl_ports, backend->port, XDP_DROP);
	return *ret_action == XDP_REDIRECT ? SL_R_SENT : SL_R_NO_PORT;
}

SEC("sluice")
int sl_xdp(struct xdp_md *ctx)
{
	struct pkt p = {};
	enum sl_reason why;
	int sent = XDP_DROP;

	pkt_init(&p, (void *)(long)ctx->data, (void *)(long)ctx->data_end);
	why = walk(ctx, &p, &sent);
	stats_count(&p, why);
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
