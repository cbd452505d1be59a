/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * xdp_count: the end of the way for datagrams to UDP port 9000 over IPv4: counted
 * and dropped. All else passes. Hung on a backend's interface it says what
 * reached the backend, whatever its stack would make of it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define ETH	 14
#define IP_PROTO (ETH + 9)
#define UDP_PORT (ETH + 20 + 2)
#define WANTED	 (UDP_PORT + 2)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} xdp_counted SEC(".maps");

SEC("xdp.frags")
int xdp_count(struct xdp_md *ctx)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 first = 0;
	__u64 *count;

	if (data + WANTED > end || data[12] != 8 || data[13] || data[ETH] != 0x45 ||
	    data[IP_PROTO] != 17 || data[UDP_PORT] != 9000 >> 8 ||
	    data[UDP_PORT + 1] != (9000 & 0xff))
		return XDP_PASS;
	count = bpf_map_lookup_elem(&xdp_counted, &first);
	if (count)
		__sync_fetch_and_add(count, 1);
	return XDP_DROP;
}
