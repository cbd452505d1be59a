/* SPDX-License-Identifier: BSD-2-Clause */

/* prober: connections that fail, and the schedule. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lb_user/svc/prober.h"
#include "tests/lib/probe_lab.h"

static struct lab lab;
static struct lab_site site;

static struct sl_addr addr_of(const char *text)
{
	struct sl_addr a;

	cr_assert(eq(int, sl_addr_parse(text, &a), 0));
	return a;
}

static void expect(const struct sl_probe_result *r, const char *status, const char *reason)
{
	cr_expect(eq(str, (char *)r->status, (char *)status), "%s", r->message);
	cr_expect(eq(str, (char *)r->reason, (char *)reason), "%s", r->message);
	cr_expect(eq(int, r->success, !*reason));
}

static void check_ok(const char *addr)
{
	struct sl_check check = lab_check(SL_CHECK_TCP, 1000, 500);
	struct sl_probe_result r;
	char message[128];

	lab_init(&lab);
	lab_listen(&lab, &site, addr, LAB_SILENT, "");
	r = lab_once(&lab, &site, &check);
	expect(&r, "L4OK", "");
	cr_assert(lt(int, (int)r.duration_ms, 200));
	cr_assert(eq(int, r.code, 0));
	snprintf(message, sizeof(message),
		 strchr(addr, ':') ? "connect to [%s]:%u: connected"
				   : "connect to %s:%u: connected",
		 addr, site.port);
	cr_assert(eq(str, r.message, message));
	cr_assert(eq(uint, site.connections, 1));
	cr_assert(eq(uint, site.requests, 0));
	cr_assert(eq(uint, site.resets, 0));
	lab_done(&lab);
}

Test(prober, tcp_ok_v4)
{
	check_ok("127.0.0.1");
}

Test(prober, tcp_ok_v6)
{
	check_ok("::1");
}

static void check_refused(enum sl_check_type type)
{
	struct sl_check check = lab_check(type, 60000, 30000);
	struct sl_probe_result r;
	struct lab_site closed = { .addr = addr_of("127.0.0.1") };
	int fd = lab_reserve("127.0.0.1", &closed.port);
	char message[128];

	lab_init(&lab);
	r = lab_once(&lab, &closed, &check);
	expect(&r, "L4CON", "target.connect_refused");
	cr_assert(lt(int, (int)r.duration_ms, 500));
	snprintf(message, sizeof(message), "connect to 127.0.0.1:%u: connection refused",
		 closed.port);
	cr_assert(eq(str, r.message, message));
	lab_done(&lab);
	close(fd);
}

Test(prober, refused_tcp)
{
	check_refused(SL_CHECK_TCP);
}

Test(prober, refused_http)
{
	check_refused(SL_CHECK_HTTP);
}

/* A listener whose queue is full drops every SYN. */
static void check_black_hole(enum sl_check_type type)
{
	struct sl_check check = lab_check(type, 1000, 150);
	struct lab_site hole = { .addr = addr_of("127.0.0.1") };
	int fd = lab_reserve("127.0.0.1", &hole.port), filler[4], i;
	struct sockaddr_storage ss;
	socklen_t len = sl_addr_sockaddr(&hole.addr, hole.port, &ss);
	struct sl_probe_result r;
	char message[128];

	cr_assert(eq(int, listen(fd, 0), 0));
	for (i = 0; i < 4; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(filler[i], (struct sockaddr *)&ss, len);
	}
	lab_init(&lab);
	r = lab_once(&lab, &hole, &check);
	expect(&r, "L4TOUT", "target.timeout");
	cr_assert(ge(int, (int)r.duration_ms, 150));
	cr_assert(lt(int, (int)r.duration_ms, 600));
	snprintf(message, sizeof(message), "connect to 127.0.0.1:%u: no answer within 150 ms",
		 hole.port);
	cr_assert(eq(str, r.message, message));
	lab_done(&lab);
	for (i = 0; i < 4; i++)
		close(filler[i]);
	close(fd);
}

Test(prober, black_hole_tcp)
{
	check_black_hole(SL_CHECK_TCP);
}

Test(prober, black_hole_http)
{
	check_black_hole(SL_CHECK_HTTP);
}

static void check_no_route(enum sl_check_type type)
{
	struct sl_check check = lab_check(type, 1000, 500);
	struct lab_site far = { .addr = addr_of("10.255.0.1"), .port = 80 };
	struct sl_probe_result r;

	/* A namespace of our own has no route at all. */
	if (unshare(CLONE_NEWNET) < 0)
		cr_skip_test("no right to make a network namespace");
	lab_init(&lab);
	r = lab_once(&lab, &far, &check);
	expect(&r, "L4CON", "target.no_route");
	cr_assert(eq(str, r.message, "connect to 10.255.0.1:80: network is unreachable"));
	lab_done(&lab);
}

Test(prober, no_route_tcp)
{
	check_no_route(SL_CHECK_TCP);
}

Test(prober, no_route_http)
{
	check_no_route(SL_CHECK_HTTP);
}

/* Out of descriptors is the agent's trouble and must not be blamed on the backend. */
static void check_no_fds(enum sl_check_type type)
{
	struct sl_check check = lab_check(type, 1000, 500);
	struct rlimit old, low;
	struct sl_probe_result r;

	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_REPLY, "HTTP/1.1 200 OK\r\n\r\n");
	cr_assert(eq(int, getrlimit(RLIMIT_NOFILE, &old), 0));
	low = old;
	low.rlim_cur = 3;
	cr_assert(eq(int, setrlimit(RLIMIT_NOFILE, &low), 0));
	r = lab_once(&lab, &site, &check);
	cr_assert(eq(int, setrlimit(RLIMIT_NOFILE, &old), 0));
	expect(&r, "SOCKERR", "lb.internal");
	cr_assert(ne(ptr, strstr(r.message, "too many open files; raise the agent's limit"), NULL),
		  "%s", r.message);
	lab_done(&lab);
}

Test(prober, no_fds_tcp)
{
	check_no_fds(SL_CHECK_TCP);
}

Test(prober, no_fds_http)
{
	check_no_fds(SL_CHECK_HTTP);
}

Test(prober, refuses_nonsense)
{
	struct sl_check check = lab_check(SL_CHECK_TCP, 100, 50), bad;
	struct sl_addr a = addr_of("127.0.0.1"), none = { 0 };
	struct sl_probe *p = NULL;
	sl_probe_fn fn = (sl_probe_fn)(void (*)(void))abort;

	lab_init(&lab);
	cr_assert(eq(int, sl_probe_start(lab.prober, &check, &a, 0, fn, NULL, &p), -EINVAL));
	cr_assert(eq(int, sl_probe_start(lab.prober, &check, &none, 80, fn, NULL, &p), -EINVAL));
	bad = check;
	bad.type = SL_CHECK_NONE;
	cr_assert(eq(int, sl_probe_start(lab.prober, &bad, &a, 80, fn, NULL, &p), -EINVAL));
	bad = check;
	bad.interval_ms = 0;
	cr_assert(eq(int, sl_probe_start(lab.prober, &bad, &a, 80, fn, NULL, &p), -EINVAL));
	bad = check;
	bad.timeout_ms = 0;
	cr_assert(eq(int, sl_probe_start(lab.prober, &bad, &a, 80, fn, NULL, &p), -EINVAL));
	cr_assert(eq(ptr, p, NULL));
	sl_probe_stop(NULL);
	lab_done(&lab);
}

/* ---- the schedule ----------------------------------------------------------- */

Test(prober, interval_is_kept)
{
	struct sl_check check = lab_check(SL_CHECK_TCP, 50, 50);
	struct lab_seen seen = { 0 };
	unsigned i;

	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_SILENT, "");
	lab_probe(&lab, &seen, &check, &site.addr, site.port);
	lab_run(&lab, NULL, 0, 500);
	sl_probe_stop(seen.probe);
	/* 500 / 50 + 1 = 11, 500 / 45 + 1 = 12; a busy machine makes it fewer. */
	cr_assert(ge(uint, seen.n, 6));
	cr_assert(le(uint, seen.n, 12));
	for (i = 1; i < seen.n; i++)
		cr_expect(ge(u64, seen.began_ms[i] - seen.began_ms[i - 1], 45));
	lab_done(&lab);
}

/* Probes that begin together drift apart, within 10 % of the interval. */
Test(prober, starts_are_spread)
{
	struct sl_check check = lab_check(SL_CHECK_TCP, 300, 100);
	static struct lab_seen seen[20];
	uint64_t gap, least = UINT64_MAX, most = 0;
	unsigned i;

	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_SILENT, "");
	for (i = 0; i < 20; i++)
		lab_probe(&lab, &seen[i], &check, &site.addr, site.port);
	for (i = 0; i < 20; i++)
		cr_assert(lab_run(&lab, &seen[i].n, 2, 3000));
	for (i = 0; i < 20; i++) {
		gap = seen[i].began_ms[1] - seen[i].began_ms[0];
		least = gap < least ? gap : least;
		most = gap > most ? gap : most;
		sl_probe_stop(seen[i].probe);
	}
	/* 20 draws of 0..30 ms: one in a million is all within 10 ms of another. */
	cr_assert(ge(u64, least, 270));
	cr_assert(lt(u64, least, 290));
	cr_assert(gt(u64, most - least, 10));
	lab_done(&lab);
}

/* Failing at once must not mean asking at once. */
Test(prober, interval_is_kept_when_refused)
{
	struct sl_check check = lab_check(SL_CHECK_TCP, 100, 50);
	struct lab_seen tcp = { 0 }, http = { 0 };
	struct sl_addr a = addr_of("127.0.0.1");
	uint16_t port;
	int fd = lab_reserve("127.0.0.1", &port);

	lab_init(&lab);
	lab_probe(&lab, &tcp, &check, &a, port);
	check.type = SL_CHECK_HTTP;
	lab_probe(&lab, &http, &check, &a, port);
	lab_run(&lab, NULL, 0, 350);
	cr_assert(ge(uint, tcp.n, 3));
	cr_assert(le(uint, tcp.n, 5));
	cr_assert(ge(uint, http.n, 3));
	cr_assert(le(uint, http.n, 5));
	sl_probe_stop(tcp.probe);
	sl_probe_stop(http.probe);
	lab_done(&lab);
	close(fd);
}

/* With timeout == interval the next attempt follows the timeout without a pause. */
Test(prober, one_at_a_time)
{
	struct sl_check check = lab_check(SL_CHECK_HTTP, 60, 60);
	struct lab_seen seen = { 0 };

	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_SILENT, "");
	lab_probe(&lab, &seen, &check, &site.addr, site.port);
	cr_assert(lab_run(&lab, &seen.n, 4, 3000));
	sl_probe_stop(seen.probe);
	lab_run(&lab, NULL, 0, 10);
	expect(&seen.last, "L7TOUT", "target.timeout");
	cr_assert(le(u64, seen.began_ms[3] - seen.began_ms[0], 400));
	cr_assert(le(uint, site.connections, 5));
	lab_done(&lab);
}

static void on_block(uv_timer_t *t)
{
	(void)t;
	usleep(200000);
}

/*
 * The agent is held up past the deadline while the answer is on its way: that
 * must not look like a dead backend.
 */
Test(prober, own_stall_is_excused)
{
	struct sl_check check = lab_check(SL_CHECK_HTTP, 1000, 120);
	struct lab_seen seen = { 0 };
	uv_timer_t block;

	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_DRIP, "HTTP/1.1 204 \n\n"); /* 150 ms */
	uv_timer_init(&lab.loop, &block);
	uv_timer_start(&block, on_block, 80, 0);
	lab_probe(&lab, &seen, &check, &site.addr, site.port);
	cr_assert(lab_run(&lab, &seen.n, 1, 3000));
	sl_probe_stop(seen.probe);
	expect(&seen.last, "L7OK", "");
	cr_assert(gt(uint, seen.last.duration_ms, 200));
	uv_close((uv_handle_t *)&block, NULL);
	lab_done(&lab);
}
