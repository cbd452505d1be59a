/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * decap: for a backend without tunnel devices. Takes IPIP and GUE packets of
 * the balancers it was told of out of their outer headers and hands what was
 * inside to the stack, as if it had come so. Tunnel packets of strangers are
 * dropped, everything else passes untouched. Loaded by `sluicectl decap`.
 */
#include <linux/if_ether.h>

#include "lb_kern/decap_inner.h"
#include "lb_kern/decap_outer.h"
#include "lb_kern/decap_told.h"

#define DECAP_TAGS_AT 12 /* behind both MACs */

/*
 * The Ethernet header moves up to the inner header, with its tags, over the
 * outer one. What is kept is read before anything is written: with two tags
 * it is longer than an IPv4 header.
 */
static __always_inline void decap_move_eth(const struct decap *d)
{
	const struct pkt *o = &d->outer;
	__u32 tags = ((__u32)((char *)o->l3 - (char *)o->data) - ETH_HLEN) / sizeof(struct eth_tag);
	char *from = o->data, *to = (char *)d->inner - ETH_HLEN;
	__u32 mac[3], tag[ETH_TAGS_MAX] = {};

	__builtin_memcpy(mac, from, sizeof(mac));
	if (tags > 0)
		__builtin_memcpy(&tag[0], from + DECAP_TAGS_AT, sizeof(tag[0]));
	if (tags > 1)
		__builtin_memcpy(&tag[1], from + DECAP_TAGS_AT + sizeof(tag[0]), sizeof(tag[1]));
	*(__be16 *)(to + DECAP_TAGS_AT) = bpf_htons(d->inner_is_v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (tags > 1) {
		to -= sizeof(tag[1]);
		__builtin_memcpy(to + DECAP_TAGS_AT, &tag[1], sizeof(tag[1]));
	}
	if (tags > 0) {
		to -= sizeof(tag[0]);
		__builtin_memcpy(to + DECAP_TAGS_AT, &tag[0], sizeof(tag[0]));
	}
	__builtin_memcpy(to, mac, sizeof(mac));
}

static __always_inline enum sl_decap_reason decap_walk(struct xdp_md *ctx, struct decap *d,
						       const struct sl_decap_conf *conf)
{
	struct pkt *o = &d->outer;
	enum sl_decap_reason why;

	if (!decap_outer_is(d, conf->gue_port_be))
		return SL_DECAP_R_OTHER;
	DECAP_STEP(decap_told(d, conf));
	DECAP_STEP(decap_outer_strip(d));
	DECAP_STEP(decap_inner_take(d));
	decap_move_eth(d);
	if (bpf_xdp_adjust_head(ctx, (int)((char *)d->inner - (char *)o->l3)))
		return SL_DECAP_R_BUG_HEAD;
	return o->proto == IPPROTO_UDP ? SL_DECAP_R_GUE : SL_DECAP_R_IPIP;
}

static __always_inline int decap_action(enum sl_decap_reason why)
{
	switch (why) {
#define DECAP_NONE XDP_PASS
#define DECAP_PASS XDP_PASS
#define DECAP_DROP XDP_DROP
#define DECAP_ACTION(sym, num, act, label) \
	case SL_DECAP_R_##sym:             \
		return DECAP_##act;
		SL_DECAP_REASONS(DECAP_ACTION)
#undef DECAP_ACTION
	}
	return XDP_PASS;
}

SEC("xdp.frags")
int sl_decap(struct xdp_md *ctx)
{
	struct decap d = {};
	const struct sl_decap_conf *conf;
	enum sl_decap_reason why;
	__u32 first = 0;

	conf = bpf_map_lookup_elem(&decap_conf, &first);
	if (!conf)
		return XDP_PASS; /* cannot be: an array's first entry */
	d.frame_bytes = (__u32)bpf_xdp_get_buff_len(ctx);
	pkt_init(&d.outer, platform_data(ctx), platform_data_end(ctx));
	why = decap_walk(ctx, &d, conf);
	decap_told_count(why, d.frame_bytes);
	return decap_action(why);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
