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

/*
 * The Ethernet header moves up to the inner header, with its tags, over the
 * outer one. At most 22 bytes move by at least 20: only its type, which is
 * written anew, lies in both places.
 */
static __always_inline void decap_move_eth(const struct decap *d)
{
	const struct pkt *o = &d->outer;
	__u32 bytes = (__u32)((char *)o->l3 - (char *)o->data);

	/* three distances, each a constant: the verifier takes no other */
	if (bytes == ETH_HLEN)
		__builtin_memcpy(d->inner - 14, o->data, 12);
	else if (bytes == ETH_HLEN + sizeof(struct eth_tag))
		__builtin_memcpy(d->inner - 18, o->data, 16);
	else
		__builtin_memcpy(d->inner - 22, o->data, 20);
	*(__be16 *)(d->inner - sizeof(__be16)) = bpf_htons(d->inner_is_v6 ? ETH_P_IPV6 : ETH_P_IP);
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
	pkt_init(&d.outer, platform_data(ctx), platform_data_end(ctx), PLATFORM_FRAME_BYTES(ctx));
	why = decap_walk(ctx, &d, conf);
	decap_told_count(why, d.outer.frame_bytes);
	return decap_action(why);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
