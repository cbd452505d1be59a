/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * driver: stands in front of the program under test and makes each iteration
 * of BPF_PROG_TEST_RUN a packet of its own: it restores what the last one had
 * rewritten or put in front, gives the frame the next flow's source, and
 * tail-calls.
 * What it costs is measured with bench_control behind it and subtracted.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bench/lib/shared.h"

#define ETH	14
#define TAG_MAX 4
/* from the network header on */
#define V4_SADDR     12
#define V4_SPORT     20
#define V6_SADDR_LOW 16
#define V6_SPORT     40

struct bench_shared bench_shared;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
} bench_next SEC(".maps");

static __always_inline int restore(struct xdp_md *ctx)
{
	char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	int grown;

	/* whole pointers, or clang subtracts halves, which the verifier refuses */
	asm volatile("" : "+r"(data), "+r"(end));
	grown = (int)(end - data) - (int)bench_shared.bytes;

	/* called in front of the control too, where nothing has grown: it costs the same */
	if (bpf_xdp_adjust_head(ctx, grown))
		return -1;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + ETH > end)
		return -1;
	*(__u16 *)(data + 12) = bench_shared.is_v6 ? 0xdd86 : 0x0008;
	return 0;
}

SEC("xdp.frags")
int bench_driver(struct xdp_md *ctx)
{
	const struct bench_tuple *t;
	__u32 i = bench_shared.cursor;
	char *data, *end, *l3;

	if (bench_shared.grows && restore(ctx))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	l3 = data + ETH + (bench_shared.tags & TAG_MAX);
	if (data + ETH > end || l3 + V6_SPORT + 4 > end)
		return XDP_ABORTED;
	bench_shared.cursor = i + 1;
	t = &bench_shared.tuple[i & bench_shared.mask & (BENCH_FLOWS_MAX - 1)];
	*(__u64 *)data = 0x0201c0ffee010200ull;
	*(__u32 *)(data + 8) = 0xc0ffee02;
	if (bench_shared.is_v6) {
		*(__u64 *)(l3 + V6_SADDR_LOW) = t->addr;
		*(__u16 *)(l3 + V6_SPORT) = t->port_be;
	} else {
		*(__u32 *)(l3 + V4_SADDR) = (__u32)t->addr;
		*(__u16 *)(l3 + V4_SPORT) = t->port_be;
		if (bench_shared.many)
			*(__u16 *)(l3 + V4_SPORT + 2) = t->to_port_be;
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
