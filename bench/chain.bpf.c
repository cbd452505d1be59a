/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * chain: the two ends of bench/chain's path, and the program that Sluice's is
 * compared with. Frames never become socket buffers: the generator's go into
 * the first veth as they are, and the sink drops them where they arrive.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bench/lib/chain_shared.h"

/* All offsets are of an IPv4 header without options and TCP behind it. */
#define ETH	 14
#define IP_CSUM	 10
#define IP_SADDR 12
#define TCP	 20
#define TCP_CSUM (TCP + 16)
#define PACKET	 40

struct chain_shared chain_shared;

/* Where the generator, or the bare program, sends to; in entry 0. Each load has its own. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
} chain_port SEC(".maps");

/*
 * Run on live frames, whose memory is used again: everything is written that a
 * program under test may have overwritten, that is what lies in front of the
 * IP header. The same work whatever is under test.
 */
SEC("xdp.frags")
int chain_generate(struct xdp_md *ctx)
{
	char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const struct chain_tuple *t;
	__u32 i = chain_shared.cursor;

	if (data + ETH + PACKET > end)
		return XDP_ABORTED;
	chain_shared.cursor = i + 1;
	t = &chain_shared.tuple[i & (CHAIN_FLOWS - 1)];
	*(__u64 *)data = 0x0201c0ffee010200ull;
	*(__u32 *)(data + 8) = 0xc0ffee02;
	*(__u16 *)(data + 12) = 0x0008;
	*(__u16 *)(data + ETH + IP_CSUM) = t->ip_csum;
	*(__u32 *)(data + ETH + IP_SADDR) = t->saddr_be;
	*(__u16 *)(data + ETH + TCP) = t->sport_be;
	*(__u16 *)(data + ETH + TCP_CSUM) = t->tcp_csum;
	return bpf_redirect_map(&chain_port, 0, XDP_ABORTED);
}

/* The control: what forwarding to the next hop costs when nothing is asked or counted. */
SEC("xdp.frags")
int chain_bare(struct xdp_md *ctx)
{
	char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + ETH > end)
		return XDP_ABORTED;
	*(__u64 *)data = (__u64)CHAIN_SMAC_LOW << 48 | 0xbe000000be02ull;
	*(__u32 *)(data + 8) = CHAIN_SMAC_HIGH;
	return bpf_redirect_map(&chain_port, 0, XDP_ABORTED);
}

static __always_inline struct chain_row *row(void)
{
	return &chain_shared.row[bpf_get_smp_processor_id() & (CHAIN_CPUS - 1)];
}

SEC("xdp.frags")
int chain_sink(struct xdp_md *ctx)
{
	row()->frames++;
	return XDP_DROP;
}

/* Whether the 20 bytes at @ip are a header whose checksum fits. */
static __always_inline int header_fits(const char *ip)
{
	__u32 sum = 0;

	for (int i = 0; i < TCP; i += 2)
		sum += *(__u16 *)(ip + i);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff && ip[0] == 0x45;
}

/* The sink while nothing is timed: is each frame what it must be, and the next in order? */
static __always_inline int is_right(const struct xdp_md *ctx)
{
	char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *ip;
	const struct chain_tuple *t;

	t = &chain_shared.tuple[chain_shared.looked++ & (CHAIN_FLOWS - 1)];
	if (data + ETH + PACKET > end || end - data != CHAIN_BYTES + chain_shared.outer)
		return 0;
	ip = data + ETH;
	if (*(__u16 *)data != 0xbe02 || *(__u16 *)(data + 6) != CHAIN_SMAC_LOW ||
	    *(__u32 *)(data + 8) != CHAIN_SMAC_HIGH || *(__u16 *)(data + 12) != 0x0008)
		return 0;
	if (chain_shared.outer) {
		if (!header_fits(ip) || ip[9] != 4)
			return 0;
		ip += CHAIN_OUTER;
		if (ip + PACKET > end)
			return 0;
	}
	return header_fits(ip) && ip[9] == 6 && *(__u16 *)(ip + IP_CSUM) == t->ip_csum &&
	       *(__u32 *)(ip + IP_SADDR) == t->saddr_be && *(__u16 *)(ip + TCP) == t->sport_be;
}

SEC("xdp.frags")
int chain_look(struct xdp_md *ctx)
{
	row()->frames++;
	row()->right += is_right(ctx);
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
