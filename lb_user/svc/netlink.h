/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_NETLINK_H
#define LB_USER_SVC_NETLINK_H

/*
 * netlink: questions to the kernel about routes, links and neighbours, and the
 * stream of its notifications, as plain values. Internal to svc; the only home
 * of libmnl.
 *
 * Questions are short synchronous round trips: rtnetlink answers within the
 * send itself, so nothing here ever waits for a later answer. Functions return
 * 0 or a negative errno: the kernel's own, or -EIO when it gave no answer.
 */
#include <stdbool.h>
#include <stdint.h>

#include "lb_user/base/addr.h"
#include "lb_user/domain/model.h"

struct sl_netlink; /* one socket */

struct sl_netlink_route {
	uint8_t type;		/* RTN_* */
	bool encapsulated;	/* by a lightweight tunnel of the route itself */
	uint32_t ifindex;	/* 0: none */
	struct sl_addr gateway; /* family 0: none; may be of the other family (RTA_VIA) */
	struct sl_addr source;	/* what the kernel itself would send from; family 0: none */
	uint32_t mtu; /* of the route, or learned of its path; 0: the interface's decides */
};

enum sl_netlink_vlan {
	SL_NETLINK_NO_VLAN,
	SL_NETLINK_VLAN_8021Q,
	SL_NETLINK_VLAN_OTHER, /* 802.1ad, or one that says too little of itself */
};

struct sl_netlink_link {
	uint32_t ifindex;
	char name[SL_IFNAME_LEN];
	uint32_t mtu;
	uint8_t mac[6];
	bool ethernet; /* else mac is 0 */
	bool up;       /* wanted up by the administrator */
	bool running;  /* and has a carrier */
	enum sl_netlink_vlan vlan;
	uint16_t vlan_id; /* VLAN_8021Q */
	uint32_t parent;  /* of a VLAN device; 0: in another network namespace */
};

struct sl_netlink_neigh {
	uint32_t ifindex;
	struct sl_addr addr;
	uint8_t mac[6];
	bool usable;  /* mac is what the kernel itself would send to */
	bool fixed;   /* permanent or without address resolution: not to be touched */
	bool failed;  /* asked, no answer */
	bool managed; /* kept fresh by the kernel */
	bool learned; /* owned by a control plane; the flag is kept when we ask */
};

enum sl_netlink_kind {
	SL_NETLINK_LINK,
	SL_NETLINK_NEIGH,
	SL_NETLINK_ROUTE,
	SL_NETLINK_OTHER, /* interface address, rule, nexthop object */
};

struct sl_netlink_event {
	enum sl_netlink_kind kind;
	bool gone;
	struct sl_netlink_link link;   /* LINK */
	struct sl_netlink_neigh neigh; /* NEIGH */
	struct sl_addr prefix;	       /* ROUTE: what it covers; only that can be affected */
	uint8_t prefix_len;
};

typedef void (*sl_netlink_link_fn)(void *user, const struct sl_netlink_link *link);

/* Returns false to stop reading. */
typedef bool (*sl_netlink_event_fn)(void *user, const struct sl_netlink_event *ev);

/* @events: a socket for sl_netlink_events, else one for questions. Both non-blocking. */
int sl_netlink_open(bool events, struct sl_netlink **ret);
void sl_netlink_close(struct sl_netlink *nl); /* NULL is fine */
int sl_netlink_fd(const struct sl_netlink *nl);

/* The kernel's decision for packets to @addr. -ENETUNREACH, -EHOSTUNREACH, -EINVAL (blackhole)...
 */
int sl_netlink_route_get(struct sl_netlink *nl, const struct sl_addr *addr,
			 struct sl_netlink_route *ret);

/* -ENODEV if there is none. */
int sl_netlink_link_get(struct sl_netlink *nl, uint32_t ifindex, struct sl_netlink_link *ret);
int sl_netlink_link_each(struct sl_netlink *nl, sl_netlink_link_fn fn, void *user);

/* -ENOENT if there is no entry. */
int sl_netlink_neigh_get(struct sl_netlink *nl, uint32_t ifindex, const struct sl_addr *addr,
			 struct sl_netlink_neigh *ret);

/*
 * Resolve this neighbour now and, if @managed, keep it so from now on (without:
 * no longer). A kernel before 5.16 only does the former. @seen names the
 * entry and says what it looked like; it must not be a fixed one, because the
 * kernel would make it an ordinary entry.
 */
int sl_netlink_neigh_ask(struct sl_netlink *nl, const struct sl_netlink_neigh *seen, bool managed);

/* A ROUTE event can matter for @addr. */
bool sl_netlink_event_covers(const struct sl_netlink_event *ev, const struct sl_addr *addr);

/*
 * Reads what is waiting, a bounded amount. Returns 0, or -ENOBUFS if
 * notifications were lost: once, when the last of the rest has been read, so
 * that what is looked up then is complete.
 */
int sl_netlink_events(struct sl_netlink *nl, sl_netlink_event_fn fn, void *user);

#endif
