/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_NEXTHOP_RIG_H
#define TESTS_UNIT_NEXTHOP_RIG_H

/*
 * nexthop_rig: a loop with next hops in namespaces of the test's own (see
 * ns_pair), and what was told of each watch. Needs root, else the test is
 * skipped.
 */
#include <criterion/criterion.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "lb_user/svc/nexthop.h"
#include "tests/lib/ns_pair.h"

struct seen {
	struct sl_nexthop *watch;
	int calls, unresolved_calls;
	struct sl_nexthop_info info;
};

struct link_seen {
	uint32_t ifindex;
	char name[SL_IFNAME_LEN];
	bool exists;
};

static uv_loop_t loop;
static uv_timer_t tick;
static struct sl_nexthops *hops;
static struct link_seen links[64];
static int links_n;
static struct sl_nexthop *open_watch[1100]; /* those that stop() ends */
static int open_n;

static inline void on_tick(uv_timer_t *t)
{
	(void)t; /* only so that a turn of the loop ends */
}

static inline void on_link(void *user, uint32_t ifindex, const char *name, bool exists)
{
	struct link_seen *l = &links[links_n < 63 ? links_n++ : 63];

	cr_assert_eq(user, &links);
	l->ifindex = ifindex;
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->exists = exists;
}

static inline bool link_told(uint32_t ifindex, const char *name, bool exists)
{
	int i;

	for (i = 0; i < links_n; i++)
		if (links[i].ifindex == ifindex && strcmp(links[i].name, name) == 0 &&
		    links[i].exists == exists)
			return true;
	return false;
}

static inline void on_hop(void *user, const struct sl_nexthop_info *info)
{
	struct seen *s = user;

	s->calls++;
	s->unresolved_calls += !info->resolved;
	s->info = *info;
}

static inline uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static inline void turn_for(unsigned ms)
{
	uint64_t end = now_ms() + ms;

	while (now_ms() < end)
		uv_run(&loop, UV_RUN_ONCE);
}

#define UNTIL(cond, ms)                                                    \
	do {                                                               \
		uint64_t end_ = now_ms() + (ms);                           \
		while (!(cond) && now_ms() < end_)                         \
			uv_run(&loop, UV_RUN_ONCE);                        \
		cr_assert(cond, "not within %d ms: %s", (int)(ms), #cond); \
	} while (0)

static inline struct sl_addr addr(const char *text)
{
	struct sl_addr a = { .family = 0 };

	cr_assert_eq(sl_addr_parse(text, &a), 0, "%s", text);
	return a;
}

static inline void watch(const char *text, struct seen *s)
{
	struct sl_addr a = addr(text);

	memset(s, 0, sizeof(*s));
	cr_assert_eq(sl_nexthop_watch(hops, &a, on_hop, s, &s->watch), 0);
	cr_assert_eq(s->calls, 0, "called from within watch");
	open_watch[open_n++] = s->watch;
}

static inline void unwatch(struct seen *s)
{
	int i;

	for (i = 0; i < open_n; i++)
		if (open_watch[i] == s->watch)
			open_watch[i] = NULL;
	sl_nexthop_unwatch(s->watch);
}

static inline const char *mac_text(const uint8_t m[6])
{
	static char buf[4][18];
	static int i;
	char *b = buf[i++ % 4];

	snprintf(b, 18, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	return b;
}

static inline void expect(const struct seen *s, const char *dev, const char *to, const char *from)
{
	cr_assert(s->info.resolved, "%s", s->info.why ? s->info.why : "");
	cr_assert_str_eq(s->info.ifname, dev);
	cr_assert_eq(s->info.ifindex, if_nametoindex(dev));
	cr_assert_str_eq(mac_text(s->info.dst_mac), to);
	cr_assert_str_eq(mac_text(s->info.src_mac), from);
	cr_assert_eq(s->info.mtu, 1500);
	cr_assert_null(s->info.why);
}

static inline bool goes_to(const struct seen *s, const char *mac)
{
	return s->calls && s->info.resolved && strcmp(mac_text(s->info.dst_mac), mac) == 0;
}

#define VA "02:00:00:00:01:01"
#define VB "02:00:00:00:01:02"
#define WA "02:00:00:00:02:01"
#define WB "02:00:00:00:02:02"

static inline void hops_start(void)
{
	struct sl_err err;

	cr_assert_eq(sl_nexthops_new(&loop, on_link, &links, &hops, &err), 0);
}

static inline void start(void)
{
	if (geteuid() != 0) {
		/* Criterion keeps the cause to itself. */
		fprintf(stderr, "SKIPPED: needs root, it makes network namespaces\n");
		cr_skip_test("needs root, it makes network namespaces");
	}
	ns_pair_enter();
	uv_loop_init(&loop);
	uv_timer_init(&loop, &tick);
	uv_timer_start(&tick, on_tick, 5, 5);
	hops_start();
}

static inline void stop(void)
{
	if (geteuid() != 0)
		return;
	while (open_n)
		sl_nexthop_unwatch(open_watch[--open_n]);
	sl_nexthops_free(hops);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0, "a handle was left open");
}

#endif
