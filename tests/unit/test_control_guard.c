/* SPDX-License-Identifier: BSD-2-Clause */
/* control and the guard: what a change writes for packets, in which order, and what a failed one
 * leaves. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb_user/domain/guard.h"
#include "lb_user/domain/svctab.h"
#include "lb_user/svc/control.h"
#include "tests/lib/fake_dp.h"

static uv_loop_t loop;
static struct sl_fake_dp *fake;
static struct sl_control *control;
static struct sl_dp_mem *mem;
static struct sl_err err;
static char dir[32];

static void start(void)
{
	control = sl_fake_control_new(&loop, fake, dir);
	cr_assert_not_null(control);
}

static void stop(void)
{
	sl_control_free(control);
	uv_run(&loop, UV_RUN_DEFAULT);
}

static void setup(void)
{
	cr_assert(unshare(CLONE_NEWNET) == 0, "network namespaces need root");
	snprintf(dir, sizeof(dir), "/tmp/sluice-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	uv_loop_init(&loop);
	fake = sl_fake_dp_new();
	mem = &fake->dp.mem;
	start();
}

static void teardown(void)
{
	char path[64];

	stop();
	cr_assert_eq(uv_loop_close(&loop), 0);
	fake->dp.ops->close(&fake->dp);
	snprintf(path, sizeof(path), "%s/state.json", dir);
	unlink(path);
	rmdir(dir);
}

TestSuite(control_guard, .init = setup, .fini = teardown);

static void lists(const char *text, int want)
{
	struct sl_guard_lists l = {};
	int r = sl_codec_read_guard_lists(text, strlen(text), &l, &err);

	cr_assert_eq(r, 0, "%s", err.detail);
	r = sl_control_guard_lists(control, &l, &err);
	cr_expect_eq(r, want, "%d: %s", r, err.detail);
	sl_guard_lists_done(&l);
}

/* What is listed, as text, in order; with the verdicts. */
static const char *listed(void)
{
	static char text[400];
	char one[16][60];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < fake->n_prefixes; i++) {
		const struct sl_guard_prefix *p = &fake->prefixes[i];
		const uint8_t *b = (const uint8_t *)p->key.addr_be;

		snprintf(one[i], sizeof(one[i]), "%c%u.%u/%u ",
			 p->verdict == SL_GUARD_ALLOW ? '+' : '-', b[0], b[1], p->key.bits - 32);
	}
	qsort(one, fake->n_prefixes, sizeof(one[0]), (int (*)(const void *, const void *))strcmp);
	for (size_t i = 0; i < fake->n_prefixes; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", one[i]);
	return text;
}

static unsigned bits(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < SL_GUARD_INDEX_WORDS; i++)
		n += (unsigned)__builtin_popcountll(mem->guard_index[i]);
	return n;
}

Test(control_guard, lists_are_what_was_put_last)
{
	lists("{\"deny\":[\"10.0.0.0/8\",\"11.0.0.0/16\"],\"allow\":[\"10.1.0.0/16\"]}", 0);
	cr_expect_str_eq(listed(), "+10.1/16 -10.0/8 -11.0/16 ");
	cr_expect_eq(bits(), 257);
	lists("{\"deny\":[\"10.1.0.0/16\"]}", 0);
	cr_expect_str_eq(listed(), "-10.1/16 ");
	cr_expect_eq(bits(), 1);
	lists("{}", 0);
	cr_expect_str_eq(listed(), "");
	cr_expect_eq(bits(), 0);
}

Test(control_guard, the_same_again_is_no_change)
{
	uint64_t revision;
	unsigned calls;

	lists("{\"deny\":[\"10.0.0.0/8\"]}", 0);
	revision = sl_control_config(control)->revision;
	calls = fake->prefix_calls;
	lists("{\"deny\":[\"10.0.0.0/8\"]}", 0);
	cr_expect_eq(sl_control_config(control)->revision, revision);
	cr_expect_eq(fake->prefix_calls, calls);
}

Test(control_guard, what_fails_half_way_is_taken_back)
{
	lists("{\"deny\":[\"10.0.0.0/8\",\"11.0.0.0/16\"]}", 0);
	fake->fail_prefixes = -ENOMEM;
	/* adding fails, and so does taking back: said, and mended by the next change */
	lists("{\"deny\":[\"12.0.0.0/16\",\"13.0.0.0/16\",\"14.0.0.0/16\"]}", -ENOMEM);
	cr_expect_eq(sl_control_config(control)->guard.n_deny, 2);
	cr_expect(strstr(listed(), "-10.0/8 -11.0/16"), "what is declared went away: %s", listed());
	fake->fail_prefixes = 0;
	lists("{\"deny\":[\"10.0.0.0/8\"]}", 0);
	cr_expect_str_eq(listed(), "-10.0/8 ");
}

Test(control_guard, a_restart_makes_the_lists_as_declared)
{
	lists("{\"deny\":[\"10.0.0.0/8\",\"11.0.0.0/16\"]}", 0);
	stop();
	fake->prefixes[0].key.bits = 32 + 7; /* a stranger, and one that is missing */
	fake->dp.adopted = true;
	start();
	cr_expect_str_eq(listed(), "-10.0/8 -11.0/16 ");
	cr_expect_eq(bits(), 257);
}

static uint16_t make_service(const char *guard)
{
	struct sl_svctab t = { mem->svc4, mem->svc6 };
	struct sl_service s = {};
	char text[600];

	snprintf(text, sizeof(text),
		 "{\"name\":\"web\",\"address\":\"192.0.2.1\",\"port\":80,\"guard\":%s}", guard);
	cr_assert_eq(sl_codec_read_service(text, strlen(text), NULL, &s, &err), 0, "%s",
		     err.detail);
	cr_assert_eq(sl_control_service_create(control, &s, &err), 0, "%s", err.detail);
	sl_service_done(&s);
	sl_addr_parse("192.0.2.1", &s.addr);
	return sl_svctab_get(&t, &s.addr, 80, SL_PROTO_TCP);
}

static int limit(const char *text)
{
	const struct sl_service *s = sl_config_find(sl_control_config(control), "web");
	struct sl_service_guard g = {};
	int r = sl_codec_read_service_guard(text, strlen(text), s, &g, &err);

	return r < 0 ? r : sl_control_service_guard(control, "web", &g, &err);
}

Test(control_guard, a_service_has_the_record_of_its_limits)
{
	struct sl_guard_machine m = { .hz = 250, .cpus = 1 };
	struct sl_service_guard g = { .source.packets = { 100, 50 }, .service.flows = { 9, 9 } };
	struct sl_guard_rec want;
	uint16_t id = make_service("{\"source\":{\"packets_per_s\":100,\"packets_burst\":50},"
				   "\"service\":{\"flows_per_s\":9}}");

	sl_guard_fill(&g, &m, &want);
	cr_expect_arr_eq(&mem->guards[id], &want, sizeof(want));
	cr_expect_eq(mem->services[id].flags & (SL_SF_GUARD | SL_SF_GUARD_DRY), SL_SF_GUARD);

	cr_assert_eq(limit("{\"dry_run\":true,\"source\":{\"packets_per_s\":7}}"), 0);
	g = (struct sl_service_guard){ .source.packets = { 7, 7 } };
	sl_guard_fill(&g, &m, &want);
	cr_expect_arr_eq(&mem->guards[id], &want, sizeof(want));
	cr_expect_eq(mem->services[id].flags & (SL_SF_GUARD | SL_SF_GUARD_DRY),
		     SL_SF_GUARD | SL_SF_GUARD_DRY);

	cr_assert_eq(limit("{}"), 0);
	cr_expect_eq(mem->services[id].flags & (SL_SF_GUARD | SL_SF_GUARD_DRY), 0);

	/* switched on again it begins with what a burst allows, whatever was left */
	mem->guard_pools[id].time[0] = 77;
	mem->guard_credit[id].left[0] = 5;
	cr_assert_eq(limit("{\"service\":{\"packets_per_s\":7}}"), 0);
	cr_expect(!mem->guard_pools[id].time[0] && !mem->guard_credit[id].left[0]);
	mem->guard_pools[id].time[0] = 77; /* but a change does not refill it */
	cr_assert_eq(limit("{\"service\":{\"packets_per_s\":8}}"), 0);
	cr_expect_eq(mem->guard_pools[id].time[0], 77);
}

Test(control_guard, a_bad_limit_changes_nothing)
{
	uint16_t id = make_service("{\"source\":{\"packets_per_s\":100}}");
	struct sl_guard_rec was = mem->guards[id];

	cr_expect_eq(limit("{\"source\":{\"packets_per_s\":100,\"packets_burst\":0}}"), -EINVAL);
	cr_expect_str_eq(err.pointer, "/source/packets_burst");
	cr_expect_arr_eq(&mem->guards[id], &was, sizeof(was));
	cr_expect_eq(
		sl_control_service_guard(control, "nobody", &(struct sl_service_guard){}, &err),
		-ENOENT);
}

Test(control_guard, the_sweep_is_the_upkeeps)
{
	uint64_t now = fake->jiffies << SL_GUARD_SHIFT, tag = 1ull << 62;
	struct sl_guard_cnt n;

	mem->guard_sets[9].word[1] = tag | ((now - 1) & SL_GUARD_TIME_MASK);
	mem->guard_sets[9].word[2] = tag | ((now + 1) & SL_GUARD_TIME_MASK);
	mem->cnt_guard[0].table_full = 3;
	for (int i = 0; i < 400 && mem->guard_sets[9].word[1]; i++)
		uv_run(&loop, UV_RUN_ONCE);
	cr_expect_eq(mem->guard_sets[9].word[1], 0);
	cr_expect_neq(mem->guard_sets[9].word[2], 0);
	sl_control_guard(control, &n);
	cr_expect_eq(n.table_full, 3);
}
