/* SPDX-License-Identifier: BSD-2-Clause */
/* Watches that come and go, and what happens when there is too much or too little. */
#include <dirent.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include "tests/unit/nexthop_rig.h"

TestSuite(nexthop_life, .init = start, .fini = stop, .timeout = 60);

static struct seen *pair[2];

static void on_hop_unwatch_both(void *user, const struct sl_nexthop_info *info)
{
	on_hop(user, info);
	sl_nexthop_unwatch(pair[0]->watch);
	sl_nexthop_unwatch(pair[1]->watch);
}

static void on_hop_watch_another(void *user, const struct sl_nexthop_info *info)
{
	static struct seen another;

	on_hop(user, info);
	if (((struct seen *)user)->calls == 1)
		watch("10.2.0.2", &another);
	pair[0] = &another;
}

Test(nexthop_life, watches_change_within_the_callback)
{
	struct sl_addr a = addr("10.1.0.2"), b = addr("10.1.0.1");
	struct seen one = { .calls = 0 }, two = { .calls = 0 };

	pair[0] = &one;
	pair[1] = &two;
	sl_nexthop_watch(hops, &b, on_hop_unwatch_both, &one, &one.watch);
	sl_nexthop_watch(hops, &b, on_hop_unwatch_both, &two, &two.watch);
	turn_for(100);
	cr_assert_eq(one.calls + two.calls, 1, "an ended watch was called");

	memset(&one, 0, sizeof(one));
	sl_nexthop_watch(hops, &a, on_hop_watch_another, &one, &one.watch);
	UNTIL(one.calls && pair[0]->calls, 1500);
	expect(pair[0], "wa", WB, WA);
	unwatch(&one);
	ns_here("ip neigh replace 10.1.0.2 lladdr 02:00:00:00:00:77 nud reachable dev va");
	turn_for(100);
	cr_assert_eq(one.calls, 1);
}

Test(nexthop_life, lost_notifications_are_made_up_for)
{
	struct seen s;
	uint32_t wa = if_nametoindex("wa");

	watch("10.1.0.2", &s);
	UNTIL(s.calls, 900);
	/* While nobody reads: changes that matter, buried in more than the socket holds. */
	ns_here("i=0; while [ $i -lt 8000 ]; do"
		"  echo \"neigh replace 10.2.$((i/250)).$((i%%250+1)) lladdr 02:00:00:00:00:01 dev "
		"wa\";"
		"  i=$((i+1)); done | ip -batch -");
	ns_here("ip link del wa; ip neigh replace 10.1.0.2 lladdr 02:00:00:00:00:77 dev va");
	UNTIL(goes_to(&s, "02:00:00:00:00:77"), 1000);
	UNTIL(link_told(wa, "wa", false), 1000);
	/* And it goes on following. */
	ns_here("ip neigh replace 10.1.0.2 lladdr 02:00:00:00:00:78 dev va");
	UNTIL(goes_to(&s, "02:00:00:00:00:78"), 100);
	ns_here("ip link add name again type veth peer name other");
	UNTIL(link_told(if_nametoindex("again"), "again", true), 200);
}

Test(nexthop_life, neighbours_are_let_go_but_not_by_an_agent_that_ends)
{
	struct seen s, left;

	watch("10.1.0.2", &s);
	UNTIL(s.calls, 900);
	unwatch(&s);
	sl_nexthops_free(hops);
	turn_for(50);
	cr_assert(ns_holds("ip neigh show 10.1.0.2 | grep -q managed"));

	hops_start();
	watch("10.1.0.2", &s);
	watch("10.2.0.2", &left);
	UNTIL(s.calls && left.calls, 900);
	expect(&s, "va", VB, VA);
	unwatch(&left);
	turn_for(10300);
	cr_assert(ns_holds("! ip neigh show 10.2.0.2 | grep -q managed"));
	cr_assert(ns_holds("ip neigh show 10.1.0.2 | grep -q managed"));
	cr_assert_eq(s.calls, 1);
}

static int fds_count(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

Test(nexthop_life, no_descriptor_is_left)
{
	int i, before;

	turn_for(20);
	before = fds_count();
	for (i = 0; i < 20; i++) {
		struct seen s;

		sl_nexthops_free(hops);
		turn_for(10);
		hops_start();
		watch("10.1.0.2", &s);
		UNTIL(s.calls, 900);
		unwatch(&s);
	}
	cr_assert_eq(fds_count(), before);
}

Test(nexthop_life, without_the_capability_it_says_so)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct had[2], less[2];
	struct seen s;

	cr_assert_eq(syscall(SYS_capget, &head, had), 0);
	memcpy(less, had, sizeof(had));
	less[0].effective &= ~(1u << CAP_NET_ADMIN);
	cr_assert_eq(syscall(SYS_capset, &head, less), 0);
	watch("10.1.0.98", &s);
	UNTIL(s.calls, 500);
	cr_assert_eq(syscall(SYS_capset, &head, had), 0);
	cr_assert(!s.info.resolved);
	cr_assert_str_eq(s.info.why,
			 "its MAC address is unknown, and asking for it needs CAP_NET_ADMIN");
}

Test(nexthop_life, a_thousand_watches_are_cheap)
{
	enum { N = 1000 };
	static struct seen s[N];
	uint64_t from, longest = 0, t;
	size_t i, done;

	ns_here("ip route add 10.3.0.0/16 via 10.1.0.2");
	for (i = 0; i < N; i++) {
		char text[SL_ADDR_STRLEN];

		snprintf(text, sizeof(text), "10.3.%zu.%zu", i / 250, i % 250 + 1);
		watch(text, &s[i]);
	}
	UNTIL(s[N - 1].calls, 2000);
	turn_for(200);
	/* Everything moves at once: how long, and how long is the loop kept from others? */
	from = now_ms();
	ns_here("ip route replace 10.3.0.0/16 via 10.2.0.2");
	do {
		t = now_ms();
		uv_run(&loop, UV_RUN_ONCE);
		t = now_ms() - t;
		longest = t > longest ? t : longest;
		for (done = i = 0; i < N; i++)
			done += s[i].info.ifindex == if_nametoindex("wa");
	} while (done < N && now_ms() - from < 3000);
	printf("1000 watches moved in %d ms, longest turn of the loop %d ms\n",
	       (int)(now_ms() - from), (int)longest);
	cr_assert_eq(done, N);
	cr_assert_leq(longest, 200);
	for (i = 0; i < N; i++) {
		expect(&s[i], "wa", WB, WA);
		cr_assert_eq(s[i].unresolved_calls, 0);
	}
}
