/* SPDX-License-Identifier: BSD-2-Clause */
/* What a look tells beside the way itself: MTUs, the source address, VLAN devices. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/unit/nexthop_rig.h"

TestSuite(nexthop_path, .init = start, .fini = stop, .timeout = 60);

static bool comes_from(const struct seen *s, const char *text)
{
	struct sl_addr a = addr(text);

	return s->calls && sl_addr_equal(&s->info.source, &a);
}

Test(nexthop_path, the_routes_mtu_counts_and_is_followed)
{
	struct seen s, six;

	ns_here("ip route add 10.9.0.0/16 via 10.1.0.2 mtu 1380;"
		"ip route add 2001:db8:9::/48 via 2001:db8:1::2 mtu 1300");
	watch("10.9.1.1", &s);
	watch("2001:db8:9::1", &six);
	UNTIL(s.info.resolved && six.info.resolved, 3000);
	cr_assert_eq(s.info.mtu, 1380);
	cr_assert_eq(s.info.mtu_link, 1500);
	cr_assert_eq(six.info.mtu, 1300);
	cr_assert_eq(six.info.mtu_link, 1500);
	ns_here("ip route replace 10.9.0.0/16 via 10.1.0.2 mtu lock 1400");
	UNTIL(s.info.mtu == 1400, 500);
	/* Above the interface's it is the interface's. */
	ns_here("ip route replace 10.9.0.0/16 via 10.1.0.2 mtu 9000");
	UNTIL(s.info.mtu == 1500, 500);
	ns_here("ip link set va mtu 1450");
	UNTIL(s.info.mtu == 1450 && s.info.mtu_link == 1450, 500);
	ns_here("ip route replace 10.9.0.0/16 via 10.1.0.2");
	turn_for(100);
	cr_assert_eq(s.info.mtu, 1450);
	cr_assert_eq(s.unresolved_calls, 0);
}

/* One datagram that must not be fragmented. */
static void send_whole(const char *text, size_t len)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), how = IP_PMTUDISC_DO;
	struct sl_addr a = addr(text);
	struct sockaddr_storage to;
	socklen_t to_len = sl_addr_sockaddr(&a, 9, &to);
	static const char bytes[2000];

	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &how, sizeof(how)), 0);
	cr_assert_eq(sendto(fd, bytes, len, 0, (void *)&to, to_len), (ssize_t)len);
	turn_for(200); /* the answer is for this socket */
	close(fd);
}

Test(nexthop_path, a_path_mtu_that_was_learned_counts)
{
	struct seen s;

	/* 10.9.1.1 is behind vb's host, whose way on takes 1300: it tells this host so. */
	ns_peer("ip link add name xa type veth peer name xb; ip link set xa up; ip link set xb up;"
		"ip link set xa mtu 1300; ip addr add 10.9.0.1/16 dev xa;"
		"echo 1 >/proc/sys/net/ipv4/ip_forward;"
		"ip neigh add 10.9.1.1 lladdr 02:00:00:00:00:11 dev xa");
	ns_here("ip route add 10.9.0.0/16 via 10.1.0.2");
	watch("10.9.1.1", &s);
	UNTIL(s.info.resolved, 3000);
	cr_assert_eq(s.info.mtu, 1500);
	send_whole("10.9.1.1", 1400);
	UNTIL(ns_holds("ip route get 10.9.1.1 | grep -q 'mtu 1300'"), 2000);
	/* Nothing is notified of it: the slow look finds it, any other look as well. */
	ns_here("ip addr add 10.99.0.1/32 dev wa");
	UNTIL(s.info.mtu == 1300, 500);
	cr_assert_eq(s.info.mtu_link, 1500);
}

Test(nexthop_path, the_source_is_the_kernels_and_is_followed)
{
	struct seen s, six, far;

	ns_here("ip addr add 10.1.0.7/24 dev va; ip addr add 2001:db8:1::7/64 dev va nodad;"
		"ip route add 10.9.0.0/16 via 10.1.0.2 src 10.1.0.7;"
		"ip route add 2001:db8:9::/48 via 2001:db8:1::2 src 2001:db8:1::7");
	watch("10.1.0.2", &s);
	watch("10.9.1.1", &far);
	watch("2001:db8:9::1", &six);
	UNTIL(s.info.resolved && far.info.resolved && six.info.resolved, 3000);
	cr_assert(comes_from(&s, "10.1.0.1"));
	cr_assert(comes_from(&far, "10.1.0.7"));
	cr_assert(comes_from(&six, "2001:db8:1::7"));
	ns_here("ip route replace 10.9.0.0/16 via 10.1.0.2 src 10.2.0.1");
	UNTIL(comes_from(&far, "10.2.0.1"), 500);
	/* An address that goes is no source any longer. */
	ns_here("ip addr add 10.1.0.8/32 dev va; ip addr del 10.1.0.1/24 dev va;"
		"ip addr add 10.1.0.8/24 dev va; ip neigh replace 10.1.0.2 lladdr " VB
		" nud stale dev va");
	UNTIL(comes_from(&s, "10.1.0.8") || comes_from(&s, "10.1.0.7"), 2000);
}

Test(nexthop_path, a_source_that_reaches_nobody_is_none)
{
	struct seen s, near;

	ns_here("ip addr del 2001:db8:1::1/64 dev va; ip route add 2001:db8:9::/48 dev va;"
		"ip neigh add 2001:db8:9::1 lladdr " VB " nud permanent dev va");
	watch("2001:db8:9::1", &s);
	UNTIL(s.calls && s.info.resolved, 3000);
	cr_assert_eq(s.info.source.family, 0, "only link-local addresses are left");
	ns_here("ip addr add 2001:db8:2::1/64 dev va nodad");
	UNTIL(comes_from(&s, "2001:db8:2::1"), 500);
	watch("fe80::99", &near);
	turn_for(50);
	unwatch(&near);
}

/* Of this test's own: the kernel at hand may have none, Debian's in tests/vm has. */
static void need_vlan(void)
{
	if (ns_holds("ip link add link va name probe type vlan id 9 2>/dev/null &&"
		     "ip link del probe"))
		return;
	fprintf(stderr, "SKIPPED: this kernel has no VLAN devices; tests/vm has\n");
	cr_skip_test("this kernel has no VLAN devices; tests/vm has");
}

Test(nexthop_path, below_a_vlan_device_is_the_interface)
{
	struct seen s;

	need_vlan();
	ns_here("ip link add link va name va.7 type vlan id 7; ip link set va.7 mtu 1450;"
		"ip addr add 10.3.0.1/24 dev va.7; ip link set va.7 up;"
		"ip neigh add 10.3.0.2 lladdr " VB " nud permanent dev va.7");
	watch("10.3.0.2", &s);
	UNTIL(s.info.resolved, 5000);
	cr_assert_eq(s.info.ifindex, if_nametoindex("va"));
	cr_assert_str_eq(s.info.ifname, "va");
	cr_assert_eq(s.info.dev_ifindex, if_nametoindex("va.7"));
	cr_assert_eq(s.info.vlan, 7);
	cr_assert_eq(s.info.mtu_link, 1450);
	cr_assert_str_eq(mac_text(s.info.src_mac), VA);
	cr_assert(comes_from(&s, "10.3.0.1"));
	ns_here("ip link set va.7 mtu 1400; ip link set va.7 address 02:00:00:00:07:01");
	UNTIL(s.info.mtu == 1400 && !strcmp(mac_text(s.info.src_mac), "02:00:00:00:07:01"), 5000);
	ns_here("ip link set va down");
	UNTIL(!s.info.resolved, 5000);
}

Test(nexthop_path, vlans_on_vlans_and_others_say_why)
{
	struct seen twice, ad;

	need_vlan();
	ns_here("ip link add link va name va.7 type vlan id 7; ip link set va.7 up;"
		"ip link add link va.7 name va.7.8 type vlan id 8; ip link set va.7.8 up;"
		"ip link add link va name va.ad type vlan proto 802.1ad id 9; ip link set va.ad up;"
		"ip addr add 10.4.0.1/24 dev va.7.8; ip addr add 10.5.0.1/24 dev va.ad");
	watch("10.4.0.2", &twice);
	watch("10.5.0.2", &ad);
	UNTIL(twice.calls && ad.calls, 5000);
	cr_assert_str_eq(twice.info.why,
			 "the VLAN device towards it sits on another VLAN device, which is not "
			 "supported");
	cr_assert_str_eq(
		ad.info.why,
		"the VLAN device towards it is not an 802.1Q one, which alone is supported");
	cr_assert_eq(twice.info.ifindex, 0);
}
