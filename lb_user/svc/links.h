/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_LINKS_H
#define LB_USER_SVC_LINKS_H

/*
 * links: which interfaces exist, so that of the many notifications about links
 * only actual changes are passed on. Internal to svc (nexthop).
 */
#include "lb_user/svc/netlink.h"
#include "lb_user/svc/nexthop.h"

struct sl_links;

enum sl_links_change {
	SL_LINKS_SAME,
	SL_LINKS_MINOR, /* name, MAC, MTU or what a VLAN device is */
	SL_LINKS_STATE, /* new, gone, up or down: routes may have changed silently */
};

/* Reads those that exist; @fn hears of changes only. Returns 0 or a negative errno. */
int sl_links_new(struct sl_netlink *nl, sl_link_fn fn, void *user, struct sl_links **ret);
void sl_links_free(struct sl_links *l); /* NULL is fine */

/* Takes in one notification; calls fn if something changed. */
enum sl_links_change sl_links_apply(struct sl_links *l, const struct sl_netlink_link *link,
				    bool gone);

/* Reads all of them again, after notifications were lost; fn hears of what is different. */
int sl_links_resync(struct sl_links *l, struct sl_netlink *nl);

#endif
