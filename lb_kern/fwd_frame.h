/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_FWD_FRAME_H
#define LB_KERN_FWD_FRAME_H

/*
 * fwd_frame: a frame whose length changes on its way out: an outer header in
 * front of the packet, another VLAN tag, or both. Comes after the last check
 * that may pass the packet on.
 */
#include <linux/if_ether.h>

#include "lb_kern/eth.h"
#include "lb_kern/outer.h"

#define FWD_FRAME_PRIORITY 0xf000 /* of a tag: priority and DEI (IEEE 802.1Q) */

struct fwd_tags {
	__u32 word[ETH_TAGS_MAX]; /* as on the wire: type, then priority and VID */
	__u32 bytes;		  /* 0, 4 or 8 */
};

/* The tags it came with. False: it ends before them (for the verifier). */
static __always_inline bool fwd_tags_read(const struct pkt *p, struct fwd_tags *tags)
{
	const __u32 *at = p->data + offsetof(struct ethhdr, h_proto);

	tags->bytes = (__u32)((char *)p->l3 - (char *)p->data) - sizeof(struct ethhdr);
	tags->word[0] = tags->word[1] = 0;
	if (tags->bytes && (void *)(at + 1) <= p->end)
		tags->word[0] = at[0];
	if (tags->bytes > 4 && (void *)(at + 2) <= p->end)
		tags->word[1] = at[1];
	return tags->bytes <= ETH_TAGS_MAX * sizeof(struct eth_tag);
}

/* One tag for the backend's VLAN, of the priority the packet had; or none. */
static __always_inline void fwd_tags_set(struct fwd_tags *tags, __u32 vlan)
{
	__u32 priority = tags->bytes ? bpf_ntohl(tags->word[0]) & FWD_FRAME_PRIORITY : 0;

	tags->word[0] = bpf_htonl((__u32)ETH_P_8021Q << 16 | priority | vlan);
	tags->bytes = vlan ? sizeof(struct eth_tag) : 0;
}

/*
 * @tunnel: whether it gets an outer header; @vlan: whether its tags may change.
 * Both known where this is inlined: as conditions they would multiply what the
 * verifier walks. p->data and p->end are of the old frame afterwards: invalid.
 */
static __always_inline enum sl_reason fwd_frame_rebuild(struct platform_ctx *ctx,
							const struct pkt *p,
							const struct sl_backend_rec *b,
							const bool tunnel, const bool vlan)
{
	struct outer o = { .is_v6 = tunnel ? READ_ONCE(b->flags) & SL_BF_OUTER6 : p->is_v6,
			   .is_gue = tunnel && READ_ONCE(b->fwd) == SL_FWD_GUE };
	struct fwd_tags tags;
	void *data, *end, *l3;
	__u32 was;

	if (!fwd_tags_read(p, &tags) || (tunnel && !outer_read(p, &o, o.is_v6 && o.is_gue)))
		return SL_R_NO_HEADROOM;
	was = tags.bytes;
	if (vlan && READ_ONCE(b->flags) & SL_BF_VLAN)
		fwd_tags_set(&tags, READ_ONCE(b->vlan));
	if (PLATFORM_ADJUST_HEAD(ctx,
				 (int)was - (int)tags.bytes - (tunnel ? (int)outer_bytes(&o) : 0)))
		return SL_R_NO_HEADROOM;

	data = platform_data(ctx);
	end = platform_data_end(ctx);
	if (data + sizeof(struct ethhdr) + sizeof(tags.word) > end)
		return SL_R_NO_HEADROOM; /* no packet is that short: for the verifier */
	*(__u64 *)data = READ_ONCE(b->mac_lo);
	*(__u32 *)(data + 8) = READ_ONCE(b->mac_hi);
	l3 = data + offsetof(struct ethhdr, h_proto);
	if (tags.bytes) {
		*(__u32 *)l3 = tags.word[0];
		l3 += sizeof(struct eth_tag);
	}
	if (tags.bytes > sizeof(struct eth_tag)) {
		*(__u32 *)l3 = tags.word[1];
		l3 += sizeof(struct eth_tag);
	}
	*(__u16 *)l3 = o.is_v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	l3 += sizeof(__u16);
	if (!tunnel)
		return SL_R_NEXT;
	return outer_write(l3, end, p, &o, maps_tunnel(p->backend)) ? SL_R_NEXT : SL_R_NO_HEADROOM;
}

#endif
