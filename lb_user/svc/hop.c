/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/svc/hop.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define ASK_GAP_MS  1000 /* between two requests for one neighbour */
#define PATIENCE_MS 1000 /* for a neighbour to give its first answer */
#define RETRY_MS    1000 /* when the kernel gave no answer */

bool sl_hop_same(const struct sl_hop *a, const struct sl_hop *b)
{
	return a->ifindex == b->ifindex && sl_addr_equal(&a->neigh, &b->neigh);
}

/* 0, -ENODEV, or another error: not known. */
static int link_get(struct sl_hop_moment *m, uint32_t ifindex)
{
	int r;

	if (!ifindex)
		return -ENODEV;
	if (m->link_valid && m->link.ifindex == ifindex)
		return 0;
	r = sl_netlink_link_get(m->nl, ifindex, &m->link);
	m->link_valid = r == 0;
	return r;
}

/* The interface below the VLAN device m->link. */
static int parent_get(struct sl_hop_moment *m)
{
	int r;

	if (m->parent_valid && m->parent.ifindex == m->link.parent)
		return 0;
	r = sl_netlink_link_get(m->nl, m->link.parent, &m->parent);
	m->parent_valid = r == 0;
	return r;
}

static const char *why_not_link(int r, const struct sl_netlink_link *link)
{
	if (r < 0)
		return "the interface towards it does not exist any more";
	if (!link->up)
		return "the interface towards it is down";
	if (!link->running)
		return "the interface towards it has no carrier";
	if (!link->ethernet)
		return "the interface towards it is not an Ethernet interface";
	return NULL;
}

static const char *why_not_vlan(const struct sl_netlink_link *link)
{
	if (link->vlan == SL_NETLINK_VLAN_OTHER)
		return "the VLAN device towards it is not an 802.1Q one, which alone is supported";
	if (!link->parent)
		return "the VLAN device towards it belongs to an interface of another network "
		       "namespace";
	return NULL;
}

static const char *why_not_parent(int r, const struct sl_netlink_link *parent)
{
	if (r < 0)
		return "the interface below the VLAN device towards it does not exist any more";
	if (parent->vlan != SL_NETLINK_NO_VLAN)
		return "the VLAN device towards it sits on another VLAN device, which is not "
		       "supported";
	if (!parent->running)
		return "the interface below the VLAN device towards it is down or has no carrier";
	if (!parent->ethernet)
		return "the interface below the VLAN device towards it is not an Ethernet "
		       "interface";
	return NULL;
}

bool sl_hop_link_works(struct sl_hop_moment *m, uint32_t ifindex)
{
	return link_get(m, ifindex) == 0 && m->link.running;
}

static const char *why_not_lookup(int r)
{
	switch (r) {
	case 0:
		return NULL;
	case -ENETUNREACH:
		return "no route to it";
	case -EHOSTUNREACH:
		return "the route to it says unreachable";
	case -EACCES:
		return "the route to it says prohibited";
	case -EINVAL:
		return "the route to it is a blackhole";
	default:
		return "the kernel gave no answer about the route to it";
	}
}

static const char *why_not_route(const struct sl_netlink_route *route)
{
	switch (route->type) {
	case RTN_UNICAST:
		return route->encapsulated ? "the route to it is a tunnel" : NULL;
	case RTN_LOCAL:
		return "the address is this host's own";
	case RTN_BROADCAST:
	case RTN_MULTICAST:
		return "the address is a broadcast or multicast address";
	case RTN_ANYCAST:
		return "the address is an anycast address of this host";
	case RTN_BLACKHOLE:
		return why_not_lookup(-EINVAL);
	case RTN_UNREACHABLE:
		return why_not_lookup(-EHOSTUNREACH);
	case RTN_PROHIBIT:
		return why_not_lookup(-EACCES);
	default:
		return "the route to it is not for forwarding";
	}
}

static const char *why_not_neigh(const struct sl_hop *h, const struct sl_netlink_neigh *seen)
{
	if (seen->fixed)
		return "its static neighbour entry has no Ethernet address";
	switch (h->ask_error) {
	case 0:
		return "no answer to ARP or neighbour discovery";
	case -EPERM:
		return "its MAC address is unknown, and asking for it needs CAP_NET_ADMIN";
	case -ENOBUFS:
		return "its MAC address is unknown, and the kernel's neighbour table is full";
	default:
		return "its MAC address is unknown, and the kernel refused to ask for it";
	}
}

/* A source that reaches nobody beyond the link is none, unless it is asked to reach no farther. */
static struct sl_addr usable_source(const struct sl_addr *source, const struct sl_addr *to)
{
	static const struct sl_addr none;

	if (sl_addr_is_unspecified(source) || sl_addr_is_loopback(source) ||
	    (source->family == AF_INET6 && sl_addr_is_linklocal(source) &&
	     !sl_addr_is_linklocal(to)))
		return none;
	return *source;
}

/* Nothing that was learned before holds any longer. */
static void forget(struct sl_hop *h)
{
	h->known = false;
	h->asked = false;
	h->ask_error = 0;
	h->waiting = false;
}

static void again(uint64_t *ms, uint64_t in_ms)
{
	if (!*ms || in_ms < *ms)
		*ms = in_ms;
}

/*
 * XDP forwarding never makes the kernel refresh an entry, so any entry that may
 * age is made a managed one. Not a fixed one: asking would turn it into an
 * ordinary entry. And not a usable one that a control plane owns.
 */
static void ask(struct sl_hop *h, const struct sl_hop_moment *m,
		const struct sl_netlink_neigh *seen, uint64_t *again_ms)
{
	uint64_t since = m->now_ms - h->asked_ms;

	if (seen->fixed || (seen->learned && seen->usable))
		return;
	if (seen->managed)
		return; /* the kernel asks by itself, every 5 s while there is no answer */
	if (h->asked && since < ASK_GAP_MS) {
		if (!seen->usable)
			again(again_ms, ASK_GAP_MS - since);
		return;
	}
	h->asked = true;
	h->asked_ms = m->now_ms;
	h->ask_error = sl_netlink_neigh_ask(m->nl, seen, true);
}

static bool waits(struct sl_hop *h, const struct sl_hop_moment *m,
		  const struct sl_netlink_neigh *seen, uint64_t *again_ms)
{
	if (h->known || seen->fixed || seen->failed || h->ask_error) {
		h->waiting = false;
		return false;
	}
	if (!h->waiting) {
		h->waiting = true;
		h->waiting_ms = m->now_ms;
	}
	if (m->now_ms - h->waiting_ms >= PATIENCE_MS)
		return false;
	again(again_ms, PATIENCE_MS - (m->now_ms - h->waiting_ms));
	return true;
}

static enum sl_hop_answer look_neigh(struct sl_hop *h, struct sl_hop_moment *m,
				     struct sl_nexthop_info *ret, uint64_t *again_ms)
{
	struct sl_netlink_neigh seen = { .usable = false };

	if (sl_netlink_neigh_get(m->nl, h->ifindex, &h->neigh, &seen) < 0) {
		seen.ifindex = h->ifindex; /* no entry: as one that was never asked */
		seen.addr = h->neigh;
	}
	if (seen.usable) {
		memcpy(h->mac, seen.mac, sizeof(h->mac));
		h->known = true;
	}
	ask(h, m, &seen, again_ms);
	/*
	 * One that answered once and fell silent is still reported: whether it
	 * is alive is for the probes to say, not for the state of ARP.
	 */
	ret->resolved = h->known;
	if (h->known)
		memcpy(ret->dst_mac, h->mac, sizeof(ret->dst_mac));
	else
		ret->why = why_not_neigh(h, &seen);
	return waits(h, m, &seen, again_ms) ? SL_HOP_WAITING : SL_HOP_SURE;
}

static bool lookup_decided(int r)
{
	return r == 0 || r == -ENETUNREACH || r == -EHOSTUNREACH || r == -EACCES || r == -EINVAL;
}

/* From the route's device to the interface that frames leave by. 0, or the kernel gave no answer.
 */
static int look_link(struct sl_hop_moment *m, uint32_t ifindex, const char **ret_why)
{
	int r = link_get(m, ifindex);

	*ret_why = why_not_link(r, &m->link);
	if (*ret_why || m->link.vlan == SL_NETLINK_NO_VLAN)
		return r == -ENODEV ? 0 : r;
	*ret_why = why_not_vlan(&m->link);
	if (*ret_why)
		return 0;
	r = parent_get(m);
	*ret_why = why_not_parent(r, &m->parent);
	return r == -ENODEV ? 0 : r;
}

static void fill(const struct sl_hop *h, const struct sl_hop_moment *m,
		 const struct sl_netlink_route *route, struct sl_nexthop_info *ret)
{
	bool is_vlan = m->link.vlan != SL_NETLINK_NO_VLAN;
	const struct sl_netlink_link *egress = is_vlan ? &m->parent : &m->link;

	ret->ifindex = egress->ifindex;
	memcpy(ret->ifname, egress->name, sizeof(ret->ifname));
	ret->dev_ifindex = m->link.ifindex;
	ret->vlan = is_vlan ? m->link.vlan_id : -1;
	memcpy(ret->src_mac, m->link.mac, sizeof(ret->src_mac));
	ret->mtu_link = m->link.mtu;
	ret->mtu = route->mtu && route->mtu < m->link.mtu ? route->mtu : m->link.mtu;
	ret->source = usable_source(&route->source, &h->addr);
}

enum sl_hop_answer sl_hop_look(struct sl_hop *h, struct sl_hop_moment *m,
			       struct sl_nexthop_info *ret, uint64_t *ret_again_ms)
{
	struct sl_netlink_route route = { .type = 0 };
	const struct sl_addr *neigh;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->vlan = -1;
	*ret_again_ms = 0;
	r = sl_netlink_route_get(m->nl, &h->addr, &route);
	ret->why = why_not_lookup(r);
	if (!lookup_decided(r))
		goto unsure;
	if (!ret->why)
		ret->why = why_not_route(&route);
	if (!ret->why && look_link(m, route.ifindex, &ret->why) < 0)
		goto unsure;
	if (ret->why) {
		forget(h);
		return SL_HOP_SURE;
	}

	fill(h, m, &route, ret);
	neigh = route.gateway.family ? &route.gateway : &h->addr;
	h->parent = ret->vlan < 0 ? 0 : ret->ifindex;
	if (h->ifindex != m->link.ifindex || !sl_addr_equal(&h->neigh, neigh)) {
		forget(h);
		h->ifindex = m->link.ifindex;
		h->neigh = *neigh;
	}
	return look_neigh(h, m, ret, ret_again_ms);
unsure:
	*ret_again_ms = RETRY_MS;
	return SL_HOP_UNSURE;
}

void sl_hop_release(struct sl_netlink *nl, uint32_t ifindex, const struct sl_addr *neigh)
{
	struct sl_netlink_neigh seen;

	if (sl_netlink_neigh_get(nl, ifindex, neigh, &seen) == 0 && seen.managed && !seen.fixed)
		(void)sl_netlink_neigh_ask(nl, &seen, false); /* untidy if it fails, no more */
}
