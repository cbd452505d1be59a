/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_ETH_H
#define LB_KERN_ETH_H

/* eth: which network protocol follows, behind at most two VLAN tags (IEEE 802.1Q, 802.1ad). */
#include <linux/if_ether.h>

#include "lb_kern/pkt.h"

#define ETH_TAGS_MAX 2

struct eth_tag {
	__be16 tci;
	__be16 type; /* of what follows */
};

static __always_inline bool eth_is_tag(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

static __always_inline enum sl_reason eth_read(struct pkt *p)
{
	const struct ethhdr *eth = p->data;
	__be16 type;

	if ((void *)(eth + 1) > p->end)
		return SL_R_ETH_SHORT;
	type = eth->h_proto;
	p->l3 = p->data + sizeof(*eth);
	for (int i = 0; i < ETH_TAGS_MAX && unlikely(eth_is_tag(type)); i++) {
		const struct eth_tag *tag = p->l3;

		if ((void *)(tag + 1) > p->end)
			return SL_R_ETH_SHORT;
		type = tag->type;
		p->l3 += sizeof(*tag);
	}
	if (likely(type == bpf_htons(ETH_P_IP)))
		p->is_v6 = false;
	else if (type == bpf_htons(ETH_P_IPV6))
		p->is_v6 = true;
	else
		return SL_R_NOT_IP;
	return SL_R_NEXT;
}

#endif
