/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of the kernel, whole, cut anywhere, and with any byte wrong. */
#include <criterion/criterion.h>
#include <errno.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/svc/netlink_read.h"

struct message {
	_Alignas(8) char bytes[512];
	struct nlmsghdr *nlh;
};

static const uint8_t mac[6] = { 2, 0, 0, 0, 1, 2 };
static const uint8_t ip4[4] = { 10, 1, 0, 2 };
static const uint8_t ip6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 2 };

static void *begin(struct message *m, uint16_t type, size_t header)
{
	memset(m, 0, sizeof(*m));
	m->nlh = (void *)m->bytes;
	m->nlh->nlmsg_type = type;
	m->nlh->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + NLMSG_ALIGN(header));
	return m->bytes + NLMSG_HDRLEN;
}

static void put(struct message *m, unsigned type, const void *data, size_t len)
{
	struct rtattr *a = (void *)(m->bytes + m->nlh->nlmsg_len);

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	m->nlh->nlmsg_len += (uint32_t)RTA_SPACE(len);
}

static void put_u32(struct message *m, unsigned type, uint32_t v)
{
	put(m, type, &v, sizeof(v));
}

static struct rtattr *nest(struct message *m, unsigned type)
{
	struct rtattr *a = (void *)(m->bytes + m->nlh->nlmsg_len);

	put(m, type, NULL, 0);
	return a;
}

static void nest_end(struct message *m, struct rtattr *a)
{
	a->rta_len = (unsigned short)(m->bytes + m->nlh->nlmsg_len - (char *)a);
}

/* As Linux 6.1 tells of "ip link add link eth0 name eth0.42 type vlan id 42". */
static void make_vlan(struct message *m, uint16_t id, uint16_t proto, const char *kind)
{
	struct ifinfomsg *ifi = begin(m, RTM_NEWLINK, sizeof(*ifi));
	struct {
		uint32_t flags, mask;
	} flags = { 1, ~0u };
	uint16_t proto_be = htons(proto);
	struct rtattr *info, *data;

	ifi->ifi_index = 9;
	ifi->ifi_type = ARPHRD_ETHER;
	ifi->ifi_flags = IFF_UP | IFF_RUNNING;
	put(m, IFLA_IFNAME, "eth0.42", 8);
	put_u32(m, IFLA_MTU, 1496);
	put_u32(m, IFLA_LINK, 7);
	info = nest(m, IFLA_LINKINFO);
	put(m, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	data = nest(m, IFLA_INFO_DATA);
	put(m, IFLA_VLAN_PROTOCOL, &proto_be, 2);
	put(m, IFLA_VLAN_ID, &id, 2);
	put(m, IFLA_VLAN_FLAGS, &flags, sizeof(flags));
	nest_end(m, data);
	nest_end(m, info);
	put(m, IFLA_ADDRESS, mac, 6);
}

static void make_link(struct message *m)
{
	struct ifinfomsg *ifi = begin(m, RTM_NEWLINK, sizeof(*ifi));

	ifi->ifi_index = 7;
	ifi->ifi_type = ARPHRD_ETHER;
	ifi->ifi_flags = IFF_UP | IFF_RUNNING;
	put(m, IFLA_IFNAME, "eth0", 5);
	put(m, IFLA_ADDRESS, mac, 6);
	put_u32(m, IFLA_MTU, 9000);
}

static void make_neigh(struct message *m, uint16_t state)
{
	struct ndmsg *ndm = begin(m, RTM_NEWNEIGH, sizeof(*ndm));

	ndm->ndm_family = AF_INET6;
	ndm->ndm_ifindex = 7;
	ndm->ndm_state = state;
	put(m, NDA_DST, ip6, 16);
	put(m, NDA_LLADDR, mac, 6);
	put_u32(m, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
}

static void make_route(struct message *m)
{
	struct rtmsg *rt = begin(m, RTM_NEWROUTE, sizeof(*rt));
	uint8_t via[2 + 16] = { AF_INET6 & 0xff, AF_INET6 >> 8 };

	rt->rtm_family = AF_INET;
	rt->rtm_type = RTN_UNICAST;
	rt->rtm_dst_len = 20;
	memcpy(via + 2, ip6, 16);
	put(m, RTA_DST, ip4, 4);
	put_u32(m, RTA_OIF, 7);
	put(m, RTA_VIA, via, sizeof(via));
}

Test(netlink_read, link)
{
	struct sl_netlink_link l;
	struct message m;

	make_link(&m);
	cr_assert_eq(sl_netlink_read_link(m.nlh, &l), 0);
	cr_assert_eq(l.ifindex, 7);
	cr_assert_str_eq(l.name, "eth0");
	cr_assert_eq(l.mtu, 9000);
	cr_assert_arr_eq(l.mac, mac, 6);
	cr_assert(l.ethernet && l.up && l.running);

	/* A bridge port that leaves its bridge is not an interface that goes. */
	((struct ifinfomsg *)NLMSG_DATA(m.nlh))->ifi_family = AF_BRIDGE;
	cr_assert_eq(sl_netlink_read_link(m.nlh, &l), -EBADMSG);

	begin(&m, RTM_NEWLINK, sizeof(struct ifinfomsg));
	((struct ifinfomsg *)NLMSG_DATA(m.nlh))->ifi_index = 7;
	put(&m, IFLA_IFNAME, "a-name-longer-than-16", 22);
	cr_assert_eq(sl_netlink_read_link(m.nlh, &l), -EBADMSG);
	cr_assert_str_eq(l.name, "eth0", "written on failure");
}

Test(netlink_read, vlan_devices)
{
	struct sl_netlink_link l;
	struct message m;

	make_vlan(&m, 42, ETH_P_8021Q, "vlan");
	cr_assert_eq(sl_netlink_read_link(m.nlh, &l), 0);
	cr_assert_eq(l.vlan, SL_NETLINK_VLAN_8021Q);
	cr_assert_eq(l.vlan_id, 42);
	cr_assert_eq(l.parent, 7);
	cr_assert_eq(l.mtu, 1496);
	cr_assert(l.ethernet && l.running);
	/* Its parent is in another namespace: 7 is somebody else here. */
	put_u32(&m, IFLA_LINK_NETNSID, 0);
	cr_assert_eq(sl_netlink_read_link(m.nlh, &l), 0);
	cr_assert_eq(l.vlan, SL_NETLINK_VLAN_8021Q);
	cr_assert_eq(l.parent, 0);

	make_vlan(&m, 42, ETH_P_8021AD, "vlan");
	cr_assert_eq(sl_netlink_read_link(m.nlh, &l), 0);
	cr_assert_eq(l.vlan, SL_NETLINK_VLAN_OTHER);
	make_vlan(&m, 4095, ETH_P_8021Q, "vlan");
	cr_assert_eq(sl_netlink_read_link(m.nlh, &l), 0);
	cr_assert_eq(l.vlan, SL_NETLINK_VLAN_OTHER);
	/* Others that sit on an interface: frames leave by themselves. */
	make_vlan(&m, 42, ETH_P_8021Q, "macvlan");
	cr_assert_eq(sl_netlink_read_link(m.nlh, &l), 0);
	cr_assert(l.vlan == SL_NETLINK_NO_VLAN && !l.parent && !l.vlan_id);
	make_vlan(&m, 42, ETH_P_8021Q, "vla");
	cr_assert_eq(sl_netlink_read_link(m.nlh, &l), 0);
	cr_assert_eq(l.vlan, SL_NETLINK_NO_VLAN);
}

Test(netlink_read, neighbour_states)
{
	static const struct {
		uint16_t state;
		bool usable, fixed, failed;
	} rows[] = {
		{ NUD_REACHABLE, true, false, false },	 { NUD_STALE, true, false, false },
		{ NUD_DELAY, true, false, false },	 { NUD_PROBE, true, false, false },
		{ NUD_PERMANENT, true, true, false },	 { NUD_NOARP, true, true, false },
		{ NUD_INCOMPLETE, false, false, false }, { NUD_FAILED, false, false, true },
		{ NUD_NONE, false, false, false },
	};
	struct sl_netlink_neigh n;
	struct message m;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_neigh(&m, rows[i].state);
		cr_assert_eq(sl_netlink_read_neigh(m.nlh, &n), 0);
		cr_assert_eq(n.usable, rows[i].usable, "state %x", rows[i].state);
		cr_assert_eq(n.fixed, rows[i].fixed, "state %x", rows[i].state);
		cr_assert_eq(n.failed, rows[i].failed, "state %x", rows[i].state);
		cr_assert(n.managed && !n.learned);
		cr_assert_eq(n.addr.family, AF_INET6);
		cr_assert_arr_eq(n.addr.byte_be, ip6, 16);
		cr_assert_arr_eq(n.mac, mac, 6);
	}
	/* Of another length it is no Ethernet address, and all zero it is none. */
	begin(&m, RTM_NEWNEIGH, sizeof(struct ndmsg));
	((struct ndmsg *)NLMSG_DATA(m.nlh))->ndm_family = AF_INET;
	((struct ndmsg *)NLMSG_DATA(m.nlh))->ndm_ifindex = 1;
	((struct ndmsg *)NLMSG_DATA(m.nlh))->ndm_state = NUD_REACHABLE;
	put(&m, NDA_DST, ip4, 4);
	put(&m, NDA_LLADDR, "\0\0\0\0\0", 6);
	cr_assert_eq(sl_netlink_read_neigh(m.nlh, &n), 0);
	cr_assert(!n.usable);
	put(&m, NDA_LLADDR, ip6, 16);
	cr_assert_eq(sl_netlink_read_neigh(m.nlh, &n), 0);
	cr_assert(!n.usable);
}

Test(netlink_read, route_with_a_gateway_of_the_other_family)
{
	struct sl_netlink_route r;
	struct message m;

	make_route(&m);
	cr_assert_eq(sl_netlink_read_route(m.nlh, &r), 0);
	cr_assert_eq(r.type, RTN_UNICAST);
	cr_assert_eq(r.ifindex, 7);
	cr_assert_eq(r.gateway.family, AF_INET6);
	cr_assert_arr_eq(r.gateway.byte_be, ip6, 16);
	cr_assert(!r.encapsulated);
	put(&m, RTA_GATEWAY, ip4, 3);
	cr_assert_eq(sl_netlink_read_route(m.nlh, &r), -EBADMSG, "a gateway cut short");
}

Test(netlink_read, route_with_mtu_and_source)
{
	struct sl_netlink_route r;
	struct rtattr *metrics;
	struct message m;

	make_route(&m);
	cr_assert_eq(sl_netlink_read_route(m.nlh, &r), 0);
	cr_assert(!r.mtu && !r.source.family);
	put(&m, RTA_PREFSRC, ip4, 4);
	metrics = nest(&m, RTA_METRICS);
	put_u32(&m, RTAX_ADVMSS, 1200);
	put_u32(&m, RTAX_MTU, 1380);
	put_u32(&m, RTAX_LOCK, 1 << RTAX_MTU);
	nest_end(&m, metrics);
	cr_assert_eq(sl_netlink_read_route(m.nlh, &r), 0);
	cr_assert_eq(r.mtu, 1380);
	cr_assert_eq(r.source.family, AF_INET);
	cr_assert_arr_eq(r.source.byte_be, ip4, 4);
	/* Metrics that say they are longer than the message: none. */
	metrics->rta_len = 400;
	cr_assert_eq(sl_netlink_read_route(m.nlh, &r), 0);
	cr_assert_eq(r.mtu, 0);

	make_route(&m);
	put(&m, RTA_PREFSRC, ip4, 2);
	cr_assert_eq(sl_netlink_read_route(m.nlh, &r), -EBADMSG, "a source cut short");
}

Test(netlink_read, route_event_covers_its_prefix)
{
	static const struct {
		unsigned len;
		const char *addr;
		bool covers;
	} rows[] = {
		{ 20, "10.1.15.255", true }, { 20, "10.1.16.0", false },  { 20, "10.0.0.2", false },
		{ 32, "10.1.0.2", true },    { 32, "10.1.0.3", false },	  { 31, "10.1.0.3", true },
		{ 0, "192.0.2.1", true },    { 0, "2001:db8::1", false }, { 8, "10.255.0.1", true },
	};
	struct sl_netlink_event ev;
	struct message m;
	struct sl_addr a;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_route(&m);
		((struct rtmsg *)NLMSG_DATA(m.nlh))->rtm_dst_len = (unsigned char)rows[i].len;
		cr_assert_eq(sl_netlink_read_event(m.nlh, &ev), 0);
		cr_assert_eq(ev.kind, SL_NETLINK_ROUTE);
		sl_addr_parse(rows[i].addr, &a);
		cr_assert_eq(sl_netlink_event_covers(&ev, &a), rows[i].covers, "%s in /%u",
			     rows[i].addr, rows[i].len);
	}
	((struct rtmsg *)NLMSG_DATA(m.nlh))->rtm_dst_len = 33;
	cr_assert_eq(sl_netlink_read_event(m.nlh, &ev), -EBADMSG);
}

/* In memory of just that length, so that a sanitizer sees a read behind it. */
static void read_all(const struct message *m, uint32_t len, unsigned seed)
{
	struct nlmsghdr *nlh = malloc(len);
	struct sl_netlink_event ev;
	struct sl_netlink_route r;
	struct sl_addr a = { .family = AF_INET6 };

	memcpy(nlh, m->bytes, len);
	nlh->nlmsg_len = len;
	if (seed)
		((char *)nlh)[NLMSG_HDRLEN + seed % (len - NLMSG_HDRLEN)] ^= (char)(seed >> 9);
	(void)sl_netlink_read_route(nlh, &r);
	if (sl_netlink_read_event(nlh, &ev) == 0 && ev.kind == SL_NETLINK_ROUTE)
		(void)sl_netlink_event_covers(&ev, &a);
	free(nlh);
}

Test(netlink_read, damaged_messages)
{
	struct message m[5];
	struct rtattr *metrics;
	uint32_t len;
	unsigned i, k;

	make_link(&m[0]);
	make_neigh(&m[1], NUD_REACHABLE);
	make_route(&m[2]);
	make_vlan(&m[3], 42, ETH_P_8021Q, "vlan");
	make_route(&m[4]);
	put(&m[4], RTA_PREFSRC, ip4, 4);
	metrics = nest(&m[4], RTA_METRICS);
	put_u32(&m[4], RTAX_MTU, 1380);
	nest_end(&m[4], metrics);
	srand(1);
	for (i = 0; i < 5; i++) {
		for (len = NLMSG_HDRLEN; len <= m[i].nlh->nlmsg_len; len++)
			read_all(&m[i], len, 0);
		for (k = 0; k < 20000; k++)
			read_all(&m[i], m[i].nlh->nlmsg_len, (unsigned)rand());
	}
	cr_assert(true);
}
