/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/svc/netlink_read.h"

#include <errno.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

#define ATTR_MAX 64 /* higher attributes are of no interest here */
#define USABLE	 (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

struct attrs {
	const struct rtattr *at[ATTR_MAX];
};

static void attrs_read(const struct rtattr *a, size_t len, struct attrs *ret)
{
	int left = (int)len;

	memset(ret, 0, sizeof(*ret));
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		unsigned type = a->rta_type & NLA_TYPE_MASK;

		if (type < ATTR_MAX)
			ret->at[type] = a;
	}
}

/* The fixed header of @len bytes, with the attributes behind it; NULL if cut short. */
static const void *message_open(const struct nlmsghdr *nlh, size_t len, struct attrs *ret)
{
	const char *body = (const char *)nlh + NLMSG_HDRLEN;

	memset(ret, 0, sizeof(*ret));
	if (nlh->nlmsg_len < NLMSG_HDRLEN + NLMSG_ALIGN(len))
		return NULL;
	attrs_read((const void *)(body + NLMSG_ALIGN(len)),
		   nlh->nlmsg_len - NLMSG_HDRLEN - NLMSG_ALIGN(len), ret);
	return body;
}

static size_t attr_len(const struct rtattr *a)
{
	return a->rta_len - RTA_LENGTH(0); /* RTA_OK has seen that it is not less */
}

/* The attributes within one; none if there is no such. */
static void attr_nested(const struct attrs *t, int type, struct attrs *ret)
{
	const struct rtattr *a = t->at[type];

	memset(ret, 0, sizeof(*ret));
	if (a)
		attrs_read(RTA_DATA(a), attr_len(a), ret);
}

static uint32_t attr_u32(const struct attrs *t, int type)
{
	uint32_t v = 0;

	if (t->at[type] && attr_len(t->at[type]) >= sizeof(v))
		memcpy(&v, RTA_DATA(t->at[type]), sizeof(v));
	return v;
}

static bool attr_u16(const struct attrs *t, int type, uint16_t *ret)
{
	if (!t->at[type] || attr_len(t->at[type]) < sizeof(*ret))
		return false;
	memcpy(ret, RTA_DATA(t->at[type]), sizeof(*ret));
	return true;
}

static bool attr_is(const struct attrs *t, int type, const char *text)
{
	const struct rtattr *a = t->at[type];
	size_t len = strlen(text);

	/* with or without the final 0 */
	return a && attr_len(a) >= len && strnlen(RTA_DATA(a), attr_len(a)) == len &&
	       memcmp(RTA_DATA(a), text, len) == 0;
}

static bool attr_mac(const struct attrs *t, int type, uint8_t ret[6])
{
	static const uint8_t none[6];
	const struct rtattr *a = t->at[type];

	if (!a || attr_len(a) != 6 || memcmp(RTA_DATA(a), none, 6) == 0)
		return false;
	memcpy(ret, RTA_DATA(a), 6);
	return true;
}

static size_t family_len(unsigned family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

static bool read_addr(unsigned family, const void *bytes, size_t len, struct sl_addr *ret)
{
	size_t want = family_len(family);

	if (!want || len < want)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->family = (uint16_t)family;
	memcpy(ret->byte_be, bytes, want);
	return true;
}

static bool attr_addr(const struct attrs *t, int type, unsigned family, struct sl_addr *ret)
{
	const struct rtattr *a = t->at[type];

	return a && read_addr(family, RTA_DATA(a), attr_len(a), ret);
}

/* A gateway of the other family: IPv4 routed through an IPv6 neighbour. */
static bool attr_via(const struct attrs *t, struct sl_addr *ret)
{
	const struct rtattr *a = t->at[RTA_VIA];
	const struct rtvia *via;

	if (!a || attr_len(a) < sizeof(*via))
		return false;
	via = RTA_DATA(a);
	return read_addr(via->rtvia_family, via->rtvia_addr, attr_len(a) - sizeof(*via), ret);
}

int sl_netlink_read_route(const struct nlmsghdr *nlh, struct sl_netlink_route *ret)
{
	struct attrs t;
	const struct rtmsg *rt = message_open(nlh, sizeof(*rt), &t);
	struct sl_addr gateway = { .family = 0 }, source = { .family = 0 };
	struct attrs metrics;

	if (!rt)
		return -EBADMSG;
	if (t.at[RTA_GATEWAY] && !attr_addr(&t, RTA_GATEWAY, rt->rtm_family, &gateway))
		return -EBADMSG;
	if (!t.at[RTA_GATEWAY] && t.at[RTA_VIA] && !attr_via(&t, &gateway))
		return -EBADMSG;
	if (t.at[RTA_PREFSRC] && !attr_addr(&t, RTA_PREFSRC, rt->rtm_family, &source))
		return -EBADMSG;
	attr_nested(&t, RTA_METRICS, &metrics);
	ret->type = rt->rtm_type;
	ret->encapsulated = t.at[RTA_ENCAP] != NULL;
	ret->ifindex = attr_u32(&t, RTA_OIF);
	ret->gateway = gateway;
	ret->source = source;
	ret->mtu = attr_u32(&metrics, RTAX_MTU);
	return 0;
}

static void read_vlan(const struct attrs *t, struct sl_netlink_link *ret)
{
	struct attrs info, data;
	uint16_t proto_be;

	attr_nested(t, IFLA_LINKINFO, &info);
	if (!attr_is(&info, IFLA_INFO_KIND, "vlan"))
		return;
	attr_nested(&info, IFLA_INFO_DATA, &data);
	ret->vlan = SL_NETLINK_VLAN_OTHER;
	if (attr_u16(&data, IFLA_VLAN_ID, &ret->vlan_id) && ret->vlan_id < 4095 &&
	    attr_u16(&data, IFLA_VLAN_PROTOCOL, &proto_be) && ntohs(proto_be) == ETH_P_8021Q)
		ret->vlan = SL_NETLINK_VLAN_8021Q;
	/* the number means nothing here if it counts in another namespace */
	if (!t->at[IFLA_LINK_NETNSID])
		ret->parent = attr_u32(t, IFLA_LINK);
}

int sl_netlink_read_link(const struct nlmsghdr *nlh, struct sl_netlink_link *ret)
{
	struct attrs t;
	const struct ifinfomsg *ifi = message_open(nlh, sizeof(*ifi), &t);
	const struct rtattr *name = t.at[IFLA_IFNAME];
	size_t len;

	/* Bridge ports have a family of their own, where "gone" means: left the bridge. */
	if (!ifi || ifi->ifi_family != AF_UNSPEC || ifi->ifi_index <= 0 || !name)
		return -EBADMSG;
	len = strnlen(RTA_DATA(name), attr_len(name));
	if (!len || len >= sizeof(ret->name))
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->name, RTA_DATA(name), len);
	ret->ifindex = (uint32_t)ifi->ifi_index;
	ret->mtu = attr_u32(&t, IFLA_MTU);
	ret->ethernet = ifi->ifi_type == ARPHRD_ETHER && attr_mac(&t, IFLA_ADDRESS, ret->mac);
	ret->up = ifi->ifi_flags & IFF_UP;
	ret->running = ret->up && (ifi->ifi_flags & IFF_RUNNING);
	read_vlan(&t, ret);
	return 0;
}

int sl_netlink_read_neigh(const struct nlmsghdr *nlh, struct sl_netlink_neigh *ret)
{
	struct attrs t;
	const struct ndmsg *ndm = message_open(nlh, sizeof(*ndm), &t);
	struct sl_addr addr;

	if (!ndm || ndm->ndm_ifindex <= 0 || !attr_addr(&t, NDA_DST, ndm->ndm_family, &addr))
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	ret->ifindex = (uint32_t)ndm->ndm_ifindex;
	ret->addr = addr;
	ret->usable = attr_mac(&t, NDA_LLADDR, ret->mac) && (ndm->ndm_state & USABLE);
	ret->fixed = ndm->ndm_state & (NUD_PERMANENT | NUD_NOARP);
	ret->failed = ndm->ndm_state & NUD_FAILED;
	ret->managed = attr_u32(&t, NDA_FLAGS_EXT) & NTF_EXT_MANAGED;
	ret->learned = ndm->ndm_flags & NTF_EXT_LEARNED;
	return 0;
}

static int read_prefix(const struct nlmsghdr *nlh, struct sl_netlink_event *ret)
{
	struct attrs t;
	const struct rtmsg *rt = message_open(nlh, sizeof(*rt), &t);

	if (!rt || !family_len(rt->rtm_family) || rt->rtm_dst_len > 8 * family_len(rt->rtm_family))
		return -EBADMSG;
	if (attr_addr(&t, RTA_DST, rt->rtm_family, &ret->prefix)) {
		ret->prefix_len = rt->rtm_dst_len;
	} else {
		ret->prefix.family = rt->rtm_family; /* a default route: everything */
		ret->prefix_len = 0;
	}
	return 0;
}

int sl_netlink_read_event(const struct nlmsghdr *nlh, struct sl_netlink_event *ret)
{
	struct sl_netlink_event ev;
	int r;

	memset(&ev, 0, sizeof(ev));
	switch (nlh->nlmsg_type) {
	case RTM_DELLINK:
	case RTM_NEWLINK:
		ev.kind = SL_NETLINK_LINK;
		ev.gone = nlh->nlmsg_type == RTM_DELLINK;
		r = sl_netlink_read_link(nlh, &ev.link);
		break;
	case RTM_DELNEIGH:
	case RTM_NEWNEIGH:
		ev.kind = SL_NETLINK_NEIGH;
		ev.gone = nlh->nlmsg_type == RTM_DELNEIGH;
		r = sl_netlink_read_neigh(nlh, &ev.neigh);
		break;
	case RTM_DELROUTE:
	case RTM_NEWROUTE:
		ev.kind = SL_NETLINK_ROUTE;
		ev.gone = nlh->nlmsg_type == RTM_DELROUTE;
		r = read_prefix(nlh, &ev);
		break;
	case RTM_DELADDR:
	case RTM_NEWADDR:
	case RTM_DELRULE:
	case RTM_NEWRULE:
	case RTM_DELNEXTHOP:
	case RTM_NEWNEXTHOP:
		ev.kind = SL_NETLINK_OTHER;
		r = 0;
		break;
	default:
		r = -EBADMSG;
	}
	if (r == 0)
		*ret = ev;
	return r;
}
