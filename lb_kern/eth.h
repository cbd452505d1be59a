/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_ETH_H
#define LB_KERN_ETH_H

/* eth: which network protocol follows. The place where VLAN tags will be walked. */
#include <linux/if_ether.h>

#include "lb_kern/pkt.h"

static __always_inline enum sl_reason eth_read(struct pkt *p)
{
	const struct ethhdr *eth = p->data;

	if ((void *)(eth + 1) > p->end)
		return SL_R_ETH_SHORT;
	p->l3 = p->data + sizeof(*eth);
	if (likely(eth->h_proto == bpf_htons(ETH_P_IP)))
		p->is_v6 = false;
	else if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		p->is_v6 = true;
	else
		return SL_R_NOT_IP;
	return SL_R_NEXT;
}

#endif
