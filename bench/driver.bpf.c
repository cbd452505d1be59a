/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * driver: stands in front of the program under test and makes each iteration
 * of BPF_PROG_TEST_RUN a packet of its own: it restores the MACs that the last
 * one had rewritten, gives the frame the next flow's source, and tail-calls.
 * What it costs is measured with bench_control behind it and subtracted.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bench/lib/shared.h"

#define ETH	     14
#define V4_SADDR     (ETH + 12)
#define V4_SPORT     (ETH + 20)
#define V6_SADDR_LOW (ETH + 16)
#define V6_SPORT     (ETH + 40)
#define FRAME_MIN    (V6_SPORT + 2)

struct bench_shared bench_shared;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
} bench_next SEC(".maps");

SEC("xdp.frags")
int bench_driver(struct xdp_md *ctx)
{
	char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const struct bench_tuple *t;
	__u32 i = bench_shared.cursor;

	if (data + FRAME_MIN > end)
		return XDP_ABORTED;
	bench_shared.cursor = i + 1;
	t = &bench_shared.tuple[i & bench_shared.mask & (BENCH_FLOWS_MAX - 1)];
	*(__u64 *)data = 0x0201c0ffee010200ull;
	*(__u32 *)(data + 8) = 0xc0ffee02;
	if (bench_shared.is_v6) {
		*(__u64 *)(data + V6_SADDR_LOW) = t->addr;
		*(__u16 *)(data + V6_SPORT) = t->port_be;
	} else {
		*(__u32 *)(data + V4_SADDR) = (__u32)t->addr;
		*(__u16 *)(data + V4_SPORT) = t->port_be;
	}
	bpf_tail_call(ctx, &bench_next, 0);
	return XDP_ABORTED;
}

/* What a program costs that does nothing: the rest is the program under test. */
SEC("xdp.frags")
int bench_control(struct xdp_md *ctx)
{
	return XDP_TX;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
