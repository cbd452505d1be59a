/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_NEXTHOP_H
#define LB_USER_SVC_NEXTHOP_H

/*
 * nexthop: where frames for an address must go (interface, both MACs), kept
 * fresh: routes, neighbours and links are followed by netlink, and the kernel
 * is asked to keep the neighbour resolved (NTF_EXT_MANAGED, else NTF_USE and a
 * timer), because XDP forwarding itself never makes it do so.
 */
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lb_user/base/addr.h"
#include "lb_user/base/err.h"
#include "lb_user/domain/model.h"

struct sl_nexthops; /* one per agent */
struct sl_nexthop;  /* one per watched address */

struct sl_nexthop_info {
	bool resolved;
	uint32_t ifindex;	    /* frames leave here; of a VLAN device the interface below it */
	char ifname[SL_IFNAME_LEN]; /* its name */
	uint32_t dev_ifindex;	    /* where the route points: a VLAN device, or the same */
	int32_t vlan;		    /* the VLAN device's id; -1: the route leaves by none */
	uint8_t dst_mac[6];	    /* of the neighbour: the address itself or its gateway */
	uint8_t src_mac[6];	    /* of the device */
	uint32_t mtu;		    /* of the path, as far as the kernel knows it */
	uint32_t mtu_link;	    /* of the device; mtu is never more */
	struct sl_addr source; /* what the kernel would send from; family 0: none that reaches it */
	const char *why;       /* static, when not resolved: "no route to it", "no answer to ARP or
				  neighbour discovery"... */
};

/* Called from the loop (never from within watch) whenever anything of it changed, and once for the
 * first answer. */
typedef void (*sl_nexthop_fn)(void *user, const struct sl_nexthop_info *info);

/* A link appeared, disappeared, or changed index, address or state. */
typedef void (*sl_link_fn)(void *user, uint32_t ifindex, const char *name, bool exists);

int sl_nexthops_new(uv_loop_t *loop, sl_link_fn on_link, void *user, struct sl_nexthops **ret,
		    struct sl_err *err);
/* All watches must have been ended. The memory goes with the next turn of the loop. */
void sl_nexthops_free(struct sl_nexthops *n);

int sl_nexthop_watch(struct sl_nexthops *n, const struct sl_addr *addr, sl_nexthop_fn fn,
		     void *user, struct sl_nexthop **ret);
void sl_nexthop_unwatch(struct sl_nexthop *w); /* NULL is fine */

#endif
