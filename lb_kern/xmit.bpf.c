/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * xmit: counts frames that an interface did not take after sl_xdp had sent
 * them. The packet path cannot know: it hands a frame over and is done, and
 * the frame is sent, or lost, when the driver is given the whole bundle. The
 * kernel tells of both at tracepoints; here the losses are counted. Success
 * costs one call for a bundle of up to 16 frames.
 *
 *	xdp_redirect_err  one frame refused before it was put in a bundle
 *	xdp_devmap_xmit   a bundle of redirected frames, and how many the driver took
 *	xdp_bulk_tx       the same for frames sent back (veth)
 *	xdp_exception     one frame sent back and refused (drivers without bundles; generic mode)
 *
 * A frame comes by one of them at most. Ours is what went through our devmap
 * (by its id), what a program that uses it sent back, and bundles of
 * interfaces that the agent attached it to (by namespace and ifindex, sl_xmit_from):
 * an interface runs one XDP program, so nobody else's frames are in them.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stddef.h>
#include <sluice/xmit.h>

/* What is read of the kernel's own structures; libbpf finds where it lies (CO-RE). */
struct net {
	__u64 net_cookie;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} __attribute__((preserve_access_index)) possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
} __attribute__((preserve_access_index));

struct bpf_map {
	__u32 id;
} __attribute__((preserve_access_index));

struct bpf_prog_aux {
	__u32 used_map_cnt;
	struct bpf_map **used_maps;
} __attribute__((preserve_access_index));

struct bpf_prog {
	struct bpf_prog_aux *aux;
} __attribute__((preserve_access_index));

const volatile __u32 sl_xmit_ports_id = 0; /* of sl_ports */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SL_XMIT_ROWS);
	__type(key, struct sl_xmit_key);
	__type(value, __u64);
} sl_xmit SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SL_XMIT_FROM);
	__type(key, struct sl_xmit_from);
	__type(value, __u32);
} sl_xmit_from SEC(".maps");

static __always_inline void xmit_count(__u32 ifindex, int err, __u32 kind, __u64 frames)
{
	struct sl_xmit_key key = { .ifindex = ifindex, .error = err < 0 ? -err : 0, .kind = kind };
	__u64 *row = bpf_map_lookup_elem(&sl_xmit, &key), none = 0;

	if (!row) {
		bpf_map_update_elem(&sl_xmit, &key, &none, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&sl_xmit, &key);
	}
	if (!row) { /* no place: the agent made this row beforehand */
		key.ifindex = 0;
		key.error = 0;
		row = bpf_map_lookup_elem(&sl_xmit, &key);
	}
	if (row)
		__sync_fetch_and_add(row, frames);
}

static __always_inline bool xmit_is_from(const struct net_device *dev)
{
	struct sl_xmit_from from = { .netns = dev->nd_net.net->net_cookie,
				     .ifindex = dev->ifindex };

	return bpf_map_lookup_elem(&sl_xmit_from, &from);
}

/*
 * dev, prog, target, err, map_type, map_id, index. The target of a devmap is an
 * entry whose first member is the device (kernel/bpf/devmap.c keeps it so for
 * tracepoints). The map itself cannot be asked: it belongs to XDP programs. Not
 * by tp_btf: Linux 6.1 refuses a typed argument that is a const void *.
 */
SEC("raw_tp/xdp_redirect_err")
int sl_xmit_refused(__u64 *ctx)
{
	struct net_device *to = NULL;

	if ((__u32)ctx[5] != sl_xmit_ports_id)
		return 0;
	bpf_probe_read_kernel(&to, sizeof(to), (void *)ctx[2]);
	xmit_count(BPF_CORE_READ(to, ifindex), (int)ctx[3], SL_XMIT_REDIRECT, 1);
	return 0;
}

/* from_dev, to_dev, sent, drops, err */
SEC("tp_btf/xdp_devmap_xmit")
int sl_xmit_devmap(__u64 *ctx)
{
	const struct net_device *from = (void *)ctx[0], *to = (void *)ctx[1];
	int drops = (int)ctx[3];

	if (drops > 0 && xmit_is_from(from))
		xmit_count(to->ifindex, (int)ctx[4], SL_XMIT_REDIRECT, drops);
	return 0;
}

/* dev, sent, drops, err */
SEC("tp_btf/xdp_bulk_tx")
int sl_xmit_bulk(__u64 *ctx)
{
	const struct net_device *dev = (void *)ctx[0];
	int drops = (int)ctx[2];

	if (drops > 0 && xmit_is_from(dev))
		xmit_count(dev->ifindex, (int)ctx[3], SL_XMIT_TX, drops);
	return 0;
}

#define XMIT_USED_MAPS 64 /* the kernel allows no more */

/* Whether the program is a version of ours: one that uses our devmap. */
static __always_inline bool xmit_is_ours(const struct bpf_prog *prog)
{
	__u32 n = prog->aux->used_map_cnt;
	struct bpf_map **maps = prog->aux->used_maps, *map;

	for (__u32 i = 0; i < XMIT_USED_MAPS && i < n; i++) {
		if (bpf_probe_read_kernel(&map, sizeof(map), maps + i))
			return false;
		if (BPF_CORE_READ(map, id) == sl_xmit_ports_id)
			return true;
	}
	return false;
}

/*
 * dev, prog, act. Drivers also say XDP_REDIRECT here, when xdp_redirect_err
 * has said so already; in generic mode XDP_TX stands for redirects as well.
 */
SEC("tp_btf/xdp_exception")
int sl_xmit_except(__u64 *ctx)
{
	const struct net_device *dev = (void *)ctx[0];

	if ((__u32)ctx[2] == XDP_TX && xmit_is_ours((void *)ctx[1]))
		xmit_count(dev->ifindex, 0, SL_XMIT_TX, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
