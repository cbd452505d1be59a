/* SPDX-License-Identifier: BSD-2-Clause */

/* prober: stopping at awkward moments, and many probes at once. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include "lb_user/svc/prober.h"
#include "tests/lib/probe_lab.h"

static struct lab lab;
static struct lab_site site, other;

Test(prober_stop, stop_before_the_first_turn)
{
	struct sl_check check = lab_check(SL_CHECK_TCP, 50, 50);
	struct lab_seen seen = { 0 };

	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_SILENT, "");
	lab_probe(&lab, &seen, &check, &site.addr, site.port);
	sl_probe_stop(seen.probe);
	lab_run(&lab, NULL, 0, 100);
	cr_assert(eq(uint, seen.n, 0));
	cr_assert(eq(uint, site.connections, 0));
	lab_done(&lab);
}

static void check_stop_while_running(enum sl_check_type type)
{
	struct sl_check check = lab_check(type, 5000, 5000);
	struct lab_seen seen = { 0 };

	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_SILENT, "");
	lab_probe(&lab, &seen, &check, &site.addr, site.port);
	if (type == SL_CHECK_HTTP)
		cr_assert(lab_run(&lab, &site.requests, 1, 2000));
	else
		uv_run(&lab.loop, UV_RUN_NOWAIT);
	sl_probe_stop(seen.probe);
	lab_run(&lab, NULL, 0, 30);
	cr_assert(le(uint, seen.n, type == SL_CHECK_TCP));
	lab_done(&lab);
}

Test(prober_stop, stop_while_running_tcp)
{
	check_stop_while_running(SL_CHECK_TCP);
}

Test(prober_stop, stop_while_running_http)
{
	check_stop_while_running(SL_CHECK_HTTP);
}

/* The first of many to report stops all of them, itself included. */
static void check_stop_within(enum sl_check_type type, bool refused)
{
	struct sl_check check = lab_check(type, 50, 50);
	static struct lab_seen seen[40];
	static struct sl_probe *all[40];
	struct sl_addr a;
	unsigned i, total = 0;
	uint16_t port;
	int fd = lab_reserve("127.0.0.1", &port);

	(void)sl_addr_parse("127.0.0.1", &a);
	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_HANGUP,
		   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	for (i = 0; i < 40; i++) {
		seen[i].stop = all;
		seen[i].n_stop = 40;
		lab_probe(&lab, &seen[i], &check, &a, refused ? port : site.port);
		all[i] = seen[i].probe;
	}
	lab_run(&lab, NULL, 0, 200);
	for (i = 0; i < 40; i++) {
		total += seen[i].n;
		cr_assert(eq(ptr, all[i], NULL));
	}
	cr_assert(eq(uint, total, 1));
	lab_done(&lab);
	close(fd);
}

Test(prober_stop, stop_within_tcp)
{
	check_stop_within(SL_CHECK_TCP, false);
}

Test(prober_stop, stop_within_http)
{
	check_stop_within(SL_CHECK_HTTP, false);
}

Test(prober_stop, stop_within_tcp_refused)
{
	check_stop_within(SL_CHECK_TCP, true);
}

Test(prober_stop, stop_within_http_refused)
{
	check_stop_within(SL_CHECK_HTTP, true);
}

static void free_prober(void *user, const struct sl_probe_result *res)
{
	struct sl_probe **probe = user;

	(void)res;
	sl_probe_stop(*probe);
	*probe = NULL;
	sl_prober_free(lab.prober);
	lab.prober = NULL;
}

/* Even the prober itself may go from within a result, once its probes are stopped. */
Test(prober_stop, free_within)
{
	struct sl_check check = lab_check(SL_CHECK_HTTP, 50, 50);
	struct sl_probe *probe;

	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_HANGUP, "HTTP/1.1 200 OK\r\n\r\n");
	cr_assert(eq(int,
		     sl_probe_start(lab.prober, &check, &site.addr, site.port, free_prober, &probe,
				    &probe),
		     0));
	lab_run(&lab, NULL, 0, 100);
	cr_assert(eq(ptr, probe, NULL));
	lab_done(&lab); /* frees NULL */
}

Test(prober_stop, two_hundred_at_once)
{
	static struct lab_seen tcp[100], http[100];
	struct sl_check check_tcp = lab_check(SL_CHECK_TCP, 200, 200);
	struct sl_check check_http = lab_check(SL_CHECK_HTTP, 200, 200);
	unsigned i;
	int fds;

	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_HANGUP,
		   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	lab_listen(&lab, &other, "::1", LAB_SILENT, "");
	fds = lab_fds();
	for (i = 0; i < 100; i++) {
		lab_probe(&lab, &tcp[i], &check_tcp, &other.addr, other.port);
		lab_probe(&lab, &http[i], &check_http, &site.addr, site.port);
	}
	for (i = 0; i < 100; i++) {
		cr_assert(lab_run(&lab, &tcp[i].n, 3, 5000));
		cr_assert(lab_run(&lab, &http[i].n, 3, 5000));
	}
	for (i = 0; i < 100; i++) {
		cr_assert(eq(str, tcp[i].last.status, "L4OK"), "%s", tcp[i].last.message);
		cr_assert(eq(str, http[i].last.status, "L7OK"), "%s", http[i].last.message);
		cr_assert(eq(int, http[i].last.code, 200));
		sl_probe_stop(tcp[i].probe);
		sl_probe_stop(http[i].probe);
	}
	lab_run(&lab, NULL, 0, 100);
	cr_assert(eq(int, lab_fds(), fds), "descriptors left after stopping");
	lab_done(&lab);
}
