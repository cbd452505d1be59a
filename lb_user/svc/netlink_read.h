/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_NETLINK_READ_H
#define LB_USER_SVC_NETLINK_READ_H

/*
 * netlink_read: messages of the kernel as values. The one place where their
 * lengths are checked; a message may be cut anywhere. Internal to svc/netlink.
 *
 * @nlh: nlmsg_len bytes can be read at it. All return 0 or -EBADMSG, and write
 * only on success.
 */
#include <linux/netlink.h>

#include "lb_user/svc/netlink.h"

int sl_netlink_read_route(const struct nlmsghdr *nlh, struct sl_netlink_route *ret);
int sl_netlink_read_link(const struct nlmsghdr *nlh, struct sl_netlink_link *ret);
int sl_netlink_read_neigh(const struct nlmsghdr *nlh, struct sl_netlink_neigh *ret);

/* Also -EBADMSG for what concerns nobody. */
int sl_netlink_read_event(const struct nlmsghdr *nlh, struct sl_netlink_event *ret);

#endif
