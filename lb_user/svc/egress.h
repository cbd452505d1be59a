/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_EGRESS_H
#define LB_USER_SVC_EGRESS_H

/*
 * egress: how frames get to a backend, as its records tell the packet path:
 * what is declared (forwarding, VLAN, outer addresses) and what netlink found
 * (interface, MACs, MTUs) made into words, and their stores into records that
 * packets read meanwhile. Plain functions on the caller's memory.
 */
#include <stdbool.h>
#include <stdint.h>

#include <sluice/features.h>
#include <sluice/types.h>

#include "lb_user/domain/model.h"
#include "lb_user/svc/nexthop.h"

struct sl_egress {
	uint64_t mac_lo;
	uint32_t mac_hi, ifindex;
	uint16_t port; /* devmap key of ifindex: the caller's to fill */
	uint16_t mtu, mtu_link, vlan;
	uint8_t fwd, flags;	     /* enum sl_fwd, SL_BF_* */
	struct sl_tunnel_rec tunnel; /* zeroed for l2dsr */
};

/*
 * @hop: resolved. Returns NULL, or why no packet can be sent so (static text,
 * says what to do); *@ret is then not to be used.
 */
const char *sl_egress_make(const struct sl_service *s, const struct sl_backend *b,
			   const struct sl_encapsulation *enc, const struct sl_nexthop_info *hop,
			   struct sl_egress *ret);

/* SL_FEAT_* that a packet path needs for records with these fields. */
uint32_t sl_egress_features(uint8_t fwd, uint8_t flags);

/*
 * Makes the records say @e. Nothing is stored that is so already. While more
 * changes than MACs and MTUs, ifindex is 0: packets are dropped for that
 * moment, none is sent half the old and half the new way. mtu is never above
 * mtu_link meanwhile.
 */
void sl_egress_store(const struct sl_egress *e, struct sl_backend_rec *rec,
		     struct sl_tunnel_rec *tunnel);

/* The source of a tunnel's outer header as it was declared or chosen; family 0: no tunnel. */
struct sl_prefix sl_egress_source(const struct sl_backend_rec *rec,
				  const struct sl_tunnel_rec *tunnel);

#endif
