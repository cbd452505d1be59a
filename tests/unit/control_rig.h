/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_CONTROL_RIG_H
#define TESTS_UNIT_CONTROL_RIG_H

/*
 * control_rig: control with real next hops, in namespaces of the test's own
 * (see ns_pair), over a data plane of plain memory. Needs root, else the test
 * is skipped.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb_user/svc/runtime.h"
#include "tests/lib/fake_dp.h"
#include "tests/lib/ns_pair.h"

static uv_loop_t loop;
static uv_timer_t tick;
static struct sl_fake_dp *fake;
static struct sl_control *control;
static struct sl_err err;
static char dir[32];

static inline void on_tick(uv_timer_t *t)
{
	(void)t; /* only so that a turn of the loop ends */
}

static inline void start(void)
{
	if (geteuid() != 0) {
		fprintf(stderr, "SKIPPED: needs root, it makes network namespaces\n");
		cr_skip_test("needs root, it makes network namespaces");
	}
	ns_pair_enter();
	snprintf(dir, sizeof(dir), "/tmp/sluice-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	uv_loop_init(&loop);
	uv_timer_init(&loop, &tick);
	uv_timer_start(&tick, on_tick, 5, 5);
	fake = sl_fake_dp_new();
	control = sl_fake_control_new(&loop, fake, dir);
	cr_assert_not_null(control);
}

static inline void turns(int n)
{
	while (n--)
		uv_run(&loop, UV_RUN_ONCE);
}

static inline void agent_stop(void)
{
	sl_control_free(control);
	control = NULL;
	turns(5);
}

/*
 * The next agent finds what this one and @between left. The configuration goes from one to
 * the other by hand: what the file can say is for the tests of the codec. A
 * file that makes no sense freezes the new agent until it is told.
 */
static inline void agent_restart(void (*between)(void))
{
	struct sl_config declared = {};
	char path[64];
	FILE *f;

	cr_assert_eq(sl_config_copy(&control->config, &declared), 0);
	agent_stop();
	between();
	snprintf(path, sizeof(path), "%s/state.json", dir);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	fputs("?", f);
	fclose(f);
	fake->dp.adopted = true;
	control = sl_fake_control_new(&loop, fake, dir);
	cr_assert_not_null(control);
	cr_assert_not_null(control->readonly);
	free(control->readonly);
	control->readonly = NULL;
	cr_assert_eq(sl_adopt(control, &declared, &err), 0, "%s", err.detail);
	cr_assert_eq(sl_upkeep_start(control), 0);
	sl_config_done(&declared);
}

static inline void stop(void)
{
	char path[64];

	if (geteuid() != 0)
		return;
	agent_stop();
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0, "a handle was left open");
	fake->dp.ops->close(&fake->dp);
	snprintf(path, sizeof(path), "%s/state.json", dir);
	unlink(path);
	rmdir(dir);
}

#define UNTIL(cond, ms)                                                    \
	do {                                                               \
		uint64_t end_ = uv_hrtime() / 1000000 + (ms);              \
		while (!(cond) && uv_hrtime() / 1000000 < end_)            \
			uv_run(&loop, UV_RUN_ONCE);                        \
		cr_assert(cond, "not within %d ms: %s", (int)(ms), #cond); \
	} while (0)

/* ---- what is declared -------------------------------------------------------- */

static inline struct sl_service web(enum sl_forward forward)
{
	struct sl_service s;

	sl_service_defaults(&s);
	snprintf(s.name, sizeof(s.name), "web");
	cr_assert_eq(sl_addr_parse("192.0.2.1", &s.addr), 0);
	s.port = 80;
	s.table_size = 251;
	s.check.type = SL_CHECK_NONE;
	s.forward = forward;
	return s;
}

static inline struct sl_backend backend(const char *name, const char *addr)
{
	struct sl_backend b;

	sl_backend_defaults(&b);
	snprintf(b.name, sizeof(b.name), "%s", name);
	cr_assert_eq(sl_addr_parse(addr, &b.addr), 0);
	b.port = 80;
	return b;
}

/* Ids go up from 1. */
#define REC    (&fake->dp.mem.backends[1])
#define TUNNEL (&fake->dp.mem.tunnels[1])

static inline void declare(enum sl_forward forward, const char *addr)
{
	struct sl_service s = web(forward);
	struct sl_backend b = backend("a", addr);

	cr_assert_eq(sl_control_service_create(control, &s, &err), 0, "%s", err.detail);
	cr_assert_eq(sl_control_backend_create(control, "web", &b, &err), 0, "%s", err.detail);
	cr_assert_str_eq(fake->dp.mem.labels[1].name, "a");
}

static inline int alter(void (*change)(struct sl_config *next))
{
	struct sl_config next = {};
	int r;

	cr_assert_eq(sl_config_copy(&control->config, &next), 0);
	change(&next);
	r = sl_change_apply(control, &next, &err);
	sl_config_done(&next);
	return r;
}

static inline struct sl_backend_status status(void)
{
	struct sl_backend_status st;

	cr_assert_eq(sl_control_backend_status(control, "web", "a", &st), 0);
	return st;
}

#define SLOTS 251
static inline const uint32_t *table(void)
{
	return fake->dp.mem.slots + control->service[0]->slot_base;
}

static inline void expect_addr(const __u64 at[2], const char *text)
{
	struct sl_addr a;

	cr_assert_eq(sl_addr_parse(text, &a), 0);
	cr_assert_arr_eq(at, a.byte_be, 16, "not %s", text);
}

static inline void to_gue(struct sl_config *next)
{
	next->services[0].forward = SL_FORWARD_GUE;
	next->services[0].gue_port = 7000;
}

static inline void to_vlan(struct sl_config *next)
{
	next->services[0].backends[0].vlan = 12;
}

static inline void to_prefix(struct sl_config *next)
{
	cr_assert_eq(sl_prefix_parse("198.51.100.0/24", &next->encapsulation.source4), 0);
}

static inline void to_l2dsr(struct sl_config *next)
{
	next->services[0].forward = SL_FORWARD_L2DSR;
	next->services[0].backends[0].vlan = SL_VLAN_KEEP;
}

#endif
