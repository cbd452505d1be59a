/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_HOP_H
#define LB_USER_SVC_HOP_H

/*
 * hop: what the kernel says, now, about the way to one address: route, then
 * link, then neighbour; and the wish that it keep the neighbour resolved. When
 * to look is decided by nexthop. Internal to svc.
 */
#include "lb_user/svc/netlink.h"
#include "lb_user/svc/nexthop.h"

/* Shared by the looks of one moment; zero it except for @nl and @now_ms. */
struct sl_hop_moment {
	struct sl_netlink *nl;
	uint64_t now_ms;
	/* the device and the interface asked for last: most addresses share them */
	bool link_valid, parent_valid;
	struct sl_netlink_link link, parent;
};

/* What is remembered from look to look; zero it except for @addr. */
struct sl_hop {
	struct sl_addr addr;
	uint32_t ifindex; /* the neighbour in use; 0: there was no route yet */
	uint32_t parent;  /* below ifindex, if that is a VLAN device; else 0 */
	struct sl_addr neigh;
	bool known; /* it answered with @mac, and link and route are as then */
	uint8_t mac[6];
	bool asked;
	uint64_t asked_ms;
	int ask_error;
	bool waiting;
	uint64_t waiting_ms; /* since when */
};

enum sl_hop_answer {
	SL_HOP_SURE,
	SL_HOP_WAITING, /* just asked: a neighbour that is there answers in a moment */
	SL_HOP_UNSURE,	/* the kernel itself gave no answer */
};

/*
 * Always fills @ret with what is known, and @ret_again_ms: 0, or in how many
 * milliseconds to look again even if nothing is notified.
 */
enum sl_hop_answer sl_hop_look(struct sl_hop *h, struct sl_hop_moment *m,
			       struct sl_nexthop_info *ret, uint64_t *ret_again_ms);

/* Both go to the same neighbour. */
bool sl_hop_same(const struct sl_hop *a, const struct sl_hop *b);

/* The link exists, is up, and has a carrier. */
bool sl_hop_link_works(struct sl_hop_moment *m, uint32_t ifindex);

/* The kernel need no longer keep this neighbour resolved. */
void sl_hop_release(struct sl_netlink *nl, uint32_t ifindex, const struct sl_addr *neigh);

#endif
