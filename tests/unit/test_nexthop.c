/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to an address is found, and followed through every change of it. */
#include <errno.h>

#include "tests/unit/nexthop_rig.h"

TestSuite(nexthop, .init = start, .fini = stop, .timeout = 60);

Test(nexthop, arp_resolves_by_itself)
{
	struct seen s;

	watch("10.1.0.2", &s);
	UNTIL(s.calls, 900);
	expect(&s, "va", VB, VA);
	cr_assert(ns_holds("ip neigh show 10.1.0.2 dev va | grep -q managed"));
	turn_for(200);
	cr_assert_eq(s.calls, 1, "an interim or a repeated answer");
	unwatch(&s);
	sl_nexthop_unwatch(NULL);
}

Test(nexthop, neighbour_discovery_resolves_by_itself)
{
	struct seen s;

	watch("2001:db8:1::2", &s);
	UNTIL(s.calls, 3000);
	UNTIL(s.info.resolved, 3000);
	expect(&s, "va", VB, VA);
	cr_assert(ns_holds("ip -6 neigh show 2001:db8:1::2 dev va | grep -q managed"));
	unwatch(&s);
}

Test(nexthop, a_gateway_takes_the_frames)
{
	struct seen four, six, via;

	ns_here("ip route add 10.9.0.0/16 via 10.1.0.2;"
		"ip route add 2001:db8:9::/48 via 2001:db8:1::2;"
		"ip route add 10.8.0.0/16 via inet6 2001:db8:1::2 dev va");
	watch("10.9.1.1", &four);
	watch("2001:db8:9::1", &six);
	watch("10.8.1.1", &via);
	UNTIL(four.info.resolved && six.info.resolved && via.info.resolved, 3000);
	expect(&four, "va", VB, VA);
	expect(&six, "va", VB, VA);
	expect(&via, "va", VB, VA);
	cr_assert(ns_holds("ip -6 neigh show 2001:db8:1::2 dev va | grep -q managed"));
	cr_assert(ns_holds("test -z \"$(ip neigh show 10.9.1.1)\""));
}

Test(nexthop, what_cannot_be_reached_says_why)
{
	static const struct {
		const char *addr, *why;
	} cases[] = {
		{ "203.0.113.1", "no route to it" },
		{ "2001:db8:ffff::1", "no route to it" },
		{ "10.1.0.1", "the address is this host's own" },
		{ "2001:db8:1::1", "the address is this host's own" },
		{ "127.0.0.1", "the address is this host's own" },
		{ "10.66.0.1", "the route to it is a blackhole" },
		{ "2001:db8:66::1", "the route to it is a blackhole" },
		{ "10.67.0.1", "the route to it says unreachable" },
		{ "10.68.0.1", "the route to it says prohibited" },
		{ "10.1.0.255", "the address is a broadcast or multicast address" },
	};
	enum { N = sizeof(cases) / sizeof(cases[0]) };
	struct seen s[N];
	size_t i;

	ns_here("ip route add blackhole 10.66.0.0/16; ip route add unreachable 10.67.0.0/16;"
		"ip route add prohibit 10.68.0.0/16; ip route add blackhole 2001:db8:66::/48");
	for (i = 0; i < N; i++)
		watch(cases[i].addr, &s[i]);
	for (i = 0; i < N; i++) {
		UNTIL(s[i].calls, 500);
		cr_assert(!s[i].info.resolved, "%s", cases[i].addr);
		cr_assert_str_eq(s[i].info.why, cases[i].why, "%s: %s", cases[i].addr,
				 s[i].info.why);
		cr_assert_eq(s[i].info.ifindex, 0);
	}
	/* And a route that appears is found at once. */
	ns_here("ip route add 203.0.113.0/24 via 10.1.0.2");
	UNTIL(s[0].info.resolved, 500);
	expect(&s[0], "va", VB, VA);
	ns_here("ip route del 203.0.113.0/24");
	UNTIL(!s[0].info.resolved, 500);
	cr_assert_str_eq(s[0].info.why, "no route to it");
	/* No family at all is the caller's mistake. */
	cr_assert_eq(
		sl_nexthop_watch(hops, &(struct sl_addr){ .family = 0 }, on_hop, s, &s[0].watch),
		-EAFNOSUPPORT);
}

Test(nexthop, a_static_neighbour_is_left_alone)
{
	struct seen s, n;

	ns_here("ip neigh add 10.1.0.50 lladdr 02:00:00:00:00:50 nud permanent dev va;"
		"ip neigh add 10.1.0.51 lladdr 02:00:00:00:00:51 nud noarp dev va");
	watch("10.1.0.50", &s);
	watch("10.1.0.51", &n);
	UNTIL(s.calls && n.calls, 500);
	expect(&s, "va", "02:00:00:00:00:50", VA);
	expect(&n, "va", "02:00:00:00:00:51", VA);
	turn_for(200);
	cr_assert(ns_holds("ip neigh show 10.1.0.50 | grep -q PERMANENT"));
	cr_assert(ns_holds("ip neigh show nud noarp | grep -q 10.1.0.51"));
	cr_assert(ns_holds("! ip neigh show nud all | grep '10.1.0.5[01]' | grep -q managed"));

	/* A managed one that is made static stays static, too. */
	watch("10.1.0.2", &n);
	UNTIL(n.calls, 500);
	ns_here("ip neigh replace 10.1.0.2 lladdr 02:00:00:00:00:52 nud permanent dev va");
	UNTIL(goes_to(&n, "02:00:00:00:00:52"), 100);
	turn_for(1200);
	cr_assert(ns_holds("ip neigh show 10.1.0.2 | grep -q PERMANENT"));
}

Test(nexthop, a_stale_entry_is_made_managed_and_kept)
{
	struct seen s;

	ns_here("ip neigh add 10.1.0.2 lladdr " VB " nud stale dev va");
	watch("10.1.0.2", &s);
	UNTIL(s.calls, 500);
	expect(&s, "va", VB, VA);
	cr_assert(ns_holds("ip neigh show 10.1.0.2 | grep managed | grep -q " VB));
}

Test(nexthop, a_new_mac_is_followed)
{
	struct seen s;

	watch("10.1.0.2", &s);
	UNTIL(s.calls, 900);
	turn_for(1000);
	ns_here("ip neigh replace 10.1.0.2 lladdr 02:00:00:00:00:77 nud reachable dev va");
	UNTIL(goes_to(&s, "02:00:00:00:00:77"), 100);
	expect(&s, "va", "02:00:00:00:00:77", VA);
	/* The replacement took the flag away; it is asked for again. */
	UNTIL(ns_holds("ip neigh show 10.1.0.2 | grep -q managed"), 300);
	cr_assert_eq(s.unresolved_calls, 0);
}

Test(nexthop, gratuitous_arp_is_followed)
{
	struct seen s;

	ns_here("echo 0 >/proc/sys/net/ipv4/neigh/va/locktime");
	ns_peer("echo 1 >/proc/sys/net/ipv4/conf/vb/arp_notify");
	watch("10.1.0.2", &s);
	UNTIL(s.calls, 900);
	ns_peer("ip link set vb address 02:00:00:00:01:99");
	UNTIL(goes_to(&s, "02:00:00:00:01:99"), 100);
	expect(&s, "va", "02:00:00:00:01:99", VA);
	cr_assert_eq(s.calls, 2);
}

Test(nexthop, the_interfaces_own_changes_are_followed)
{
	struct seen s;
	uint32_t va = if_nametoindex("va");

	watch("10.1.0.2", &s);
	UNTIL(s.calls, 900);
	ns_here("ip link set va address 02:00:00:00:01:aa");
	UNTIL(strcmp(mac_text(s.info.src_mac), "02:00:00:00:01:aa") == 0, 100);
	expect(&s, "va", VB, "02:00:00:00:01:aa");
	cr_assert(link_told(va, "va", true));

	ns_here("ip link set va mtu 1400");
	UNTIL(s.info.mtu == 1400, 100);
	cr_assert(s.info.resolved);

	links_n = 0;
	ns_here("ip link set va name front 2>/dev/null ||"
		"{ ip link set va down; ip link set va name front; ip link set va up; }");
	UNTIL(strcmp(s.info.ifname, "front") == 0, 2000);
	UNTIL(link_told(va, "va", false) && link_told(va, "front", true), 100);
}

Test(nexthop, link_down_and_up)
{
	struct seen s, six;

	watch("10.1.0.2", &s);
	watch("2001:db8:1::2", &six);
	UNTIL(s.info.resolved && six.info.resolved, 3000);
	ns_here("ip link set va down");
	UNTIL(!s.info.resolved && !six.info.resolved, 200);
	cr_assert_str_eq(s.info.why, "no route to it");
	cr_assert_eq(s.info.ifindex, 0);
	ns_here("ip link set va up; ip addr replace 2001:db8:1::1/64 dev va");
	UNTIL(s.info.resolved && six.info.resolved, 5000);
	expect(&s, "va", VB, VA);
	expect(&six, "va", VB, VA);
}

Test(nexthop, lost_carrier_and_back)
{
	struct seen s;
	uint32_t va = if_nametoindex("va");

	watch("10.1.0.2", &s);
	UNTIL(s.info.resolved, 900);
	ns_peer("ip link set vb down");
	UNTIL(!s.info.resolved, 2000);
	cr_assert_str_eq(s.info.why, "the interface towards it has no carrier");
	cr_assert(link_told(va, "va", true));
	ns_peer("ip link set vb up");
	UNTIL(s.info.resolved, 3000);
	expect(&s, "va", VB, VA);
}

Test(nexthop, an_interface_deleted_and_created_again)
{
	struct seen s;
	uint32_t before = if_nametoindex("va"), after;

	watch("10.1.0.2", &s);
	UNTIL(s.info.resolved, 900);
	links_n = 0;
	ns_here("ip link del va");
	UNTIL(!s.info.resolved, 200);
	cr_assert_str_eq(s.info.why, "no route to it");
	UNTIL(link_told(before, "va", false), 100);

	ns_here("ip link add name va type veth peer name vc; ip link set va address " VA ";"
		"ip addr add 10.1.0.1/24 dev va; ip link set va up; ip link set vc up;"
		"ip neigh replace 10.1.0.2 lladdr " VB " nud stale dev va");
	after = if_nametoindex("va");
	UNTIL(s.info.resolved, 2000);
	cr_assert_neq(before, after);
	expect(&s, "va", VB, VA);
	UNTIL(link_told(after, "va", true), 100);
}

Test(nexthop, a_flushed_neighbour_stays_and_comes_back)
{
	struct seen s;

	watch("10.1.0.2", &s);
	UNTIL(s.calls, 900);
	ns_here("ip neigh flush dev va");
	UNTIL(ns_holds("ip neigh show 10.1.0.2 | grep managed | grep -q " VB), 2000);
	expect(&s, "va", VB, VA);
	ns_here("ip neigh del 10.1.0.2 dev va");
	UNTIL(ns_holds("ip neigh show 10.1.0.2 | grep managed | grep -q " VB), 2000);
	cr_assert_eq(s.calls, 1);
}

Test(nexthop, a_silent_neighbour_keeps_its_last_mac)
{
	struct seen s;

	ns_here("echo 100 >/proc/sys/net/ipv4/neigh/va/retrans_time_ms");
	watch("10.1.0.2", &s);
	UNTIL(s.calls, 900);
	ns_peer("ip link set vb arp off");
	ns_here("ip neigh flush dev va");
	UNTIL(ns_holds("ip neigh show 10.1.0.2 | grep -q FAILED"), 3000);
	turn_for(1500);
	expect(&s, "va", VB, VA);
	cr_assert_eq(s.calls, 1);
	/* It is asked on and on, so that it is found again, even with another MAC. */
	ns_peer("ip link set vb address 02:00:00:00:01:bb; ip link set vb arp on");
	UNTIL(goes_to(&s, "02:00:00:00:01:bb"), 8000);
	cr_assert_eq(s.unresolved_calls, 0);
}

Test(nexthop, no_answer_is_told_after_a_while_only)
{
	struct seen s;
	uint64_t from = now_ms();

	watch("10.1.0.99", &s);
	UNTIL(s.calls, 3000);
	cr_assert_geq(now_ms() - from, 900);
	cr_assert(!s.info.resolved);
	cr_assert_str_eq(s.info.why, "no answer to ARP or neighbour discovery");
	cr_assert_str_eq(s.info.ifname, "va");
	cr_assert_str_eq(mac_text(s.info.src_mac), VA);
	ns_peer("ip addr add 10.1.0.99/24 dev vb");
	UNTIL(s.info.resolved, 8000);
	expect(&s, "va", VB, VA);
}

Test(nexthop, a_route_moves_to_another_interface)
{
	struct seen s, by_id;

	ns_here("ip route add 10.7.0.0/16 via 10.1.0.2");
	watch("10.7.0.1", &s);
	UNTIL(s.calls, 900);
	expect(&s, "va", VB, VA);
	ns_here("ip route replace 10.7.0.0/16 via 10.2.0.2");
	UNTIL(s.calls == 2, 900);
	expect(&s, "wa", WB, WA);
	cr_assert_eq(s.unresolved_calls, 0, "the move was not seamless");
	/* A more specific one wins, and to a gateway that is not there: a second of patience. */
	ns_here("ip route add 10.7.0.1/32 via 10.1.0.98");
	turn_for(500);
	expect(&s, "wa", WB, WA);
	UNTIL(!s.info.resolved, 2000);
	cr_assert_str_eq(s.info.why, "no answer to ARP or neighbour discovery");
	cr_assert_str_eq(s.info.ifname, "va");
	/* A policy rule moves it as well. */
	ns_here("ip route add 10.7.0.1/32 via 10.2.0.2 table 77");
	turn_for(100);
	cr_assert(!s.info.resolved);
	ns_here("ip rule add to 10.7.0.1 lookup 77");
	UNTIL(s.info.resolved, 900);
	expect(&s, "wa", WB, WA);
	/* So does a next hop object, of which the route itself says nothing. */
	ns_here("ip nexthop add id 7 via 10.1.0.2 dev va; ip route add 10.6.0.0/16 nhid 7");
	watch("10.6.0.1", &by_id);
	UNTIL(by_id.calls, 900);
	expect(&by_id, "va", VB, VA);
	ns_here("ip nexthop replace id 7 via 10.2.0.2 dev wa");
	UNTIL(by_id.calls == 2, 900);
	expect(&by_id, "wa", WB, WA);
	/* No patience when the way that was told is gone. */
	ns_here("ip rule del to 10.7.0.1; ip link set wa down");
	UNTIL(!s.info.resolved, 200);
}
