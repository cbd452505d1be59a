/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_FWD_L2_H
#define LB_KERN_FWD_L2_H

/*
 * fwd_l2: direct server return on the same segment: both MACs are rewritten,
 * nothing else. Comes after the last check that may pass the packet on.
 */
#include <linux/if_ether.h>

#include "lb_kern/maps.h"
#include "lb_kern/pkt.h"

static __always_inline enum sl_reason fwd_l2_rewrite(struct pkt *p, const struct sl_backend_rec *b)
{
	if (unlikely(p->data + sizeof(struct ethhdr) > p->end))
		return SL_R_ETH_SHORT; /* it was longer a moment ago: for the verifier */
	*(__u64 *)p->data = READ_ONCE(b->mac_lo);
	*(__u32 *)(p->data + 8) = READ_ONCE(b->mac_hi);
	return SL_R_NEXT;
}

#endif
