/* SPDX-License-Identifier: BSD-2-Clause */

/* prober: what the HTTP probe makes of the answers that backends give. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/svc/prober.h"
#include "tests/lib/probe_lab.h"

#define OK "HTTP/1.1 200 OK\r\n"

static struct lab lab;
static struct lab_site site;

struct answer {
	const char *what;
	enum lab_temper temper;
	const char *text;
	const char *status, *reason;
	unsigned code;
	const char *message; /* after "GET http://.../health: " */
};

static const struct answer answers[] = {
	{ "empty body", LAB_REPLY, OK "Content-Length: 0\r\n\r\n", "L7OK", "", 200, "status 200" },
	{ "small body", LAB_REPLY, OK "Content-Length: 2\r\n\r\nok", "L7OK", "", 200,
	  "status 200" },
	{ "body to the end", LAB_HANGUP, OK "\r\nok", "L7OK", "", 200, "status 200" },
	{ "chunks", LAB_REPLY, OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "L7OK",
	  "", 200, "status 200" },
	{ "broken chunks", LAB_REPLY, OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "L7OK", "",
	  200, "status 200" },
	{ "short body", LAB_HANGUP, OK "Content-Length: 100\r\n\r\nok", "L7OK", "", 200,
	  "status 200" },
	{ "bare line feeds", LAB_HANGUP, "HTTP/1.1 200 OK\n\n", "L7OK", "", 200, "status 200" },
	{ "HTTP/1.0", LAB_HANGUP, "HTTP/1.0 200 OK\r\n\r\nok", "L7OK", "", 200, "status 200" },
	{ "no content", LAB_REPLY, "HTTP/1.1 204 No Content\r\n\r\n", "L7OK", "", 204,
	  "status 204" },
	{ "early hints", LAB_REPLY,
	  "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK "Content-Length: 0\r\n\r\n", "L7OK", "",
	  200, "status 200" },
	{ "redirect in range", LAB_REPLY,
	  "HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "L7OK", "", 301,
	  "status 301" },
	{ "unavailable", LAB_REPLY, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "L7STS",
	  "target.bad_status", 503, "status 503, expected 200-399" },
	{ "unavailable, no end", LAB_REPLY, "HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\n", "L7STS",
	  "target.bad_status", 503, "status 503, expected 200-399" },
	{ "unasked 101", LAB_REPLY, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "L7STS",
	  "target.bad_status", 101, "status 101, expected 200-399" },
	{ "unauthorised", LAB_REPLY,
	  "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", "L7STS",
	  "target.bad_status", 401, "status 401, expected 200-399" },
	{ "endless body", LAB_ENDLESS, OK "\r\n", "L7OK", "", 200, "status 200" },
	{ "endless error", LAB_ENDLESS, "HTTP/1.1 500 No\r\n\r\n", "L7STS", "target.bad_status",
	  500, "status 500, expected 200-399" },
	{ "body withheld", LAB_REPLY, OK "Content-Length: 10\r\n\r\n", "L7OK", "", 200,
	  "status 200" },
	{ "garbage", LAB_REPLY, "SSH-2.0-OpenSSH_9.2\r\n", "L7RSP", "target.bad_response", 0,
	  "the answer is not HTTP/1" },
	{ "garbage, closed", LAB_HANGUP, "\x16\x03\x01 hello", "L7RSP", "target.bad_response", 0,
	  "the answer is not HTTP/1" },
	{ "endless garbage", LAB_ENDLESS, "", "L7RSP", "target.bad_response", 0,
	  "the answer is not HTTP/1" },
	{ "odd version", LAB_REPLY, "HTTP/7.9 200 OK\r\n\r\n", "L7RSP", "target.bad_response", 0,
	  "the answer is not HTTP/1" },
	{ "endless header line", LAB_ENDLESS, OK "X: ", "L7RSP", "target.bad_response", 0, NULL },
	{ "closed at once", LAB_HANGUP, "", "L7RSP", "target.bad_response", 0,
	  "closed without an answer" },
	{ "closed in the header", LAB_HANGUP, OK "Content-Ty", "L7RSP", "target.bad_response", 0,
	  "closed inside the header of the answer" },
	{ "reset", LAB_RESET, "", "L7RSP", "target.bad_response", 0,
	  "connection lost before the answer: connection reset by peer" },
	{ "silent", LAB_SILENT, "", "L7TOUT", "target.timeout", 0, "no answer within 300 ms" },
	{ "half a header", LAB_REPLY, OK "Content-", "L7TOUT", "target.timeout", 0,
	  "no answer within 300 ms" },
	{ "interim only", LAB_REPLY, "HTTP/1.1 100 Continue\r\n\r\n", "L7TOUT", "target.timeout", 0,
	  "no answer within 300 ms" },
	{ "slow drip", LAB_DRIP, OK "X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n", "L7TOUT",
	  "target.timeout", 0, "no answer within 300 ms" },
};

static void judge(const struct answer *a, const char *addr)
{
	struct sl_check check = lab_check(SL_CHECK_HTTP, 1000, 300);
	struct sl_probe_result r;
	char message[256];
	bool v6 = strchr(addr, ':');

	lab_listen(&lab, &site, addr, a->temper, a->text);
	r = lab_once(&lab, &site, &check);
	cr_expect(eq(str, r.status, (char *)a->status), "%s: %s", a->what, r.message);
	cr_expect(eq(str, (char *)r.reason, (char *)a->reason), "%s: %s", a->what, r.message);
	cr_expect(eq(int, r.success, !*a->reason), "%s", a->what);
	cr_expect(eq(uint, r.code, a->code), "%s", a->what);
	snprintf(message, sizeof(message), "GET http://%s%s%s:%u/health: %s", v6 ? "[" : "", addr,
		 v6 ? "]" : "", site.port, a->message ? a->message : "");
	if (a->message)
		cr_expect(eq(str, r.message, message), "%s", a->what);
	else
		cr_expect(eq(int, strncmp(r.message, message, strlen(message)), 0), "%s", a->what);
	cr_expect(eq(uint, site.connections, 1), "%s", a->what);
	cr_expect(eq(uint, site.requests, 1), "%s", a->what);
	/* What is in flight when a body is cut: socket buffers, never a stream of it. */
	cr_expect(lt(u64, site.bytes_sent, 16u << 20), "%s", a->what);
	cr_expect(lt(uint, r.duration_ms, strcmp(a->status, "L7TOUT") ? 250 : 800), "%s", a->what);
	uv_close((uv_handle_t *)&site.tcp, NULL);
	lab_run(&lab, NULL, 0, 5);
}

Test(prober_http, every_answer)
{
	size_t i;

	lab_init(&lab);
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		judge(&answers[i], i % 2 ? "::1" : "127.0.0.1");
	lab_done(&lab);
}

Test(prober_http, one_status)
{
	struct sl_check check = lab_check(SL_CHECK_HTTP, 1000, 300);
	struct sl_probe_result r;
	char message[128];

	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_REPLY,
		   "HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
	check.status_low = check.status_high = 200;
	r = lab_once(&lab, &site, &check);
	cr_assert(eq(str, r.status, "L7STS"));
	cr_assert(eq(int, r.code, 301));
	snprintf(message, sizeof(message),
		 "GET http://127.0.0.1:%u/health: status 301, expected 200", site.port);
	cr_assert(eq(str, r.message, message));
	cr_assert(eq(uint, site.connections, 1), "the redirect was followed");
	check.status_low = check.status_high = 301;
	r = lab_once(&lab, &site, &check);
	cr_assert(eq(str, r.status, "L7OK"));
	lab_done(&lab);
}

/* What the backend sees, byte for byte; a proxy in the environment is not asked. */
Test(prober_http, the_request)
{
	struct sl_check check = lab_check(SL_CHECK_HTTP, 1000, 300);
	char want[512];

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "socks5://127.0.0.1:1", 1);
	lab_init(&lab);
	lab_listen(&lab, &site, "::1", LAB_REPLY, OK "Content-Length: 2\r\n\r\nok");
	snprintf(check.path, sizeof(check.path), "/a/../b//%%2e?q={1,2}&x=[a]#f");
	(void)lab_once(&lab, &site, &check);
	snprintf(want, sizeof(want),
		 "GET /a/../b//%%2e?q={1,2}&x=[a]#f HTTP/1.1\r\nHost: [::1]:%u\r\n"
		 "User-Agent: sluice-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		 site.port);
	cr_assert(eq(str, site.request, want));
	cr_assert(eq(uint, site.resets, 0), "a small answer must not end in a reset");

	snprintf(check.path, sizeof(check.path), "/");
	snprintf(check.host, sizeof(check.host), "api.example.org");
	(void)lab_once(&lab, &site, &check);
	snprintf(want, sizeof(want),
		 "GET / HTTP/1.1\r\nHost: api.example.org\r\nUser-Agent: sluice-probe\r\n"
		 "Accept: */*\r\nConnection: close\r\n\r\n");
	cr_assert(eq(str, site.request, want));
	cr_assert(eq(uint, site.connections, 2));
	lab_done(&lab);
}

/* The longest path and host that the model can hold: asked in full, reported in part. */
Test(prober_http, longest_strings)
{
	struct sl_check check = lab_check(SL_CHECK_HTTP, 1000, 300);
	struct sl_probe_result r;

	lab_init(&lab);
	lab_listen(&lab, &site, "::1", LAB_REPLY, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
	memset(check.path, 'p', sizeof(check.path) - 1);
	check.path[0] = '/';
	memset(check.host, 'h', sizeof(check.host) - 1);
	r = lab_once(&lab, &site, &check);
	cr_assert(eq(int, strncmp(site.request + 4, check.path, strlen(check.path)), 0));
	cr_assert(ne(ptr, strstr(site.request, check.host), NULL));
	cr_assert(ne(ptr, strstr(r.message, ": status 500, expected 200-399"), NULL), "%s",
		  r.message);
	lab_done(&lab);
}

/* Thousands of short header lines: cut at the cap, though no single one is long. */
Test(prober_http, many_headers)
{
	struct sl_check check = lab_check(SL_CHECK_HTTP, 1000, 300);
	static char text[40000];
	size_t n = 0;
	struct sl_probe_result r;

	n += (size_t)snprintf(text, sizeof(text), OK);
	while (n < sizeof(text) - 16)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "X: y\r\n");
	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_REPLY, text);
	r = lab_once(&lab, &site, &check);
	cr_assert(eq(str, r.status, "L7RSP"));
	cr_assert(ne(ptr, strstr(r.message, "header of the answer above 16384 bytes"), NULL), "%s",
		  r.message);
	lab_done(&lab);
}

/* A reset behind an answer that takes several reads: the answer counts. */
Test(prober_http, reset_after_answer)
{
	struct sl_check check = lab_check(SL_CHECK_HTTP, 1000, 500);
	static char text[14000];
	struct sl_probe_result r;

	snprintf(text, sizeof(text), OK "X: %012000d\r\n\r\n", 0);
	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_RESET, text);
	r = lab_once(&lab, &site, &check);
	cr_assert(eq(str, r.status, "L7OK"), "%s", r.message);
	lab_done(&lab);
}

/* A body that drips on after the header: the status counts, and when it came. */
Test(prober_http, dripping_body)
{
	struct sl_check check = lab_check(SL_CHECK_HTTP, 1000, 400);
	struct sl_probe_result r;
	char text[128];

	snprintf(text, sizeof(text), "HTTP/1.1 200 O\n\n%060d", 0);
	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_DRIP, text);
	r = lab_once(&lab, &site, &check);
	cr_assert(eq(str, r.status, "L7OK"), "%s", r.message);
	cr_assert(ge(uint, r.duration_ms, 130));
	cr_assert(lt(uint, r.duration_ms, 390));
	lab_done(&lab);
}

/* A backend that falls ill and recovers under one and the same probe. */
Test(prober_http, follows_change)
{
	struct sl_check check = lab_check(SL_CHECK_HTTP, 50, 40);
	struct lab_seen seen = { 0 };

	lab_init(&lab);
	lab_listen(&lab, &site, "127.0.0.1", LAB_REPLY, OK "Content-Length: 0\r\n\r\n");
	lab_probe(&lab, &seen, &check, &site.addr, site.port);
	cr_assert(lab_run(&lab, &seen.n, 2, 2000));
	cr_assert(eq(str, seen.last.status, "L7OK"));
	site.temper = LAB_SILENT;
	cr_assert(lab_run(&lab, &seen.n, seen.n + 2, 2000));
	cr_assert(eq(str, seen.last.status, "L7TOUT"));
	site.temper = LAB_HANGUP;
	site.text = "";
	cr_assert(lab_run(&lab, &seen.n, seen.n + 2, 2000));
	cr_assert(eq(str, seen.last.status, "L7RSP"));
	site.temper = LAB_REPLY;
	site.text = OK "Content-Length: 0\r\n\r\n";
	cr_assert(lab_run(&lab, &seen.n, seen.n + 2, 2000));
	cr_assert(eq(str, seen.last.status, "L7OK"));
	sl_probe_stop(seen.probe);
	lab_done(&lab);
}
