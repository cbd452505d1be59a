/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sluice: the programs as the kernel sees them; what they do is in walk.h. */
#include "lb_kern/walk.h"

SEC("sluice")
int sl_xdp(struct xdp_md *ctx)
{
	int action = walk_hot(ctx);

	if (likely(action >= 0))
		return action;
	bpf_tail_call(ctx, &sl_tails, SL_TAIL_RARE);
	return walk_bug_rare(); /* the agent has not put it there */
}

SEC("sluice")
int sl_rare(struct xdp_md *ctx)
{
	int action = walk_any(ctx);

	if (likely(action >= 0))
		return action;
	bpf_tail_call(ctx, &sl_tails, SL_TAIL_SEND);
	return walk_bug_rare();
}

SEC("sluice")
int sl_send(struct xdp_md *ctx)
{
	return walk_last(ctx);
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
