/* SPDX-License-Identifier: BSD-2-Clause */
/* The guard over HTTP: the lists, the limits of a service, and what was counted. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/lib/http.h"

#define JSON  "application/json"
#define LISTS "/api/v1/guard"
#define WEB   "/api/v1/services/web"

static struct sl_http h;

static void setup(void)
{
	sl_http_init(&h, NULL);
}

static void teardown(void)
{
	sl_http_done(&h);
}

TestSuite(api_guard, .init = setup, .fini = teardown);

#define ASK(want, ...) cr_expect(eq(int, sl_http_ask(&h, __VA_ARGS__), want), "%s", h.raw)
#define MEMBER(path, want) \
	cr_expect(eq(str, (char *)sl_http_member(&h, path), (char *)want), "%s", h.raw)

static bool has(const char *text)
{
	return strstr(h.raw, text) != NULL;
}

static void make_web(void)
{
	ASK(201, "POST", "/api/v1/services", JSON,
	    "{\"name\":\"web\",\"address\":\"192.0.2.10\",\"port\":443,\"table\":{\"size\":251},"
	    "\"health_check\":{\"type\":\"none\"}}");
}

Test(api_guard, the_lists_are_replaced_whole)
{
	ASK(200, "GET", LISTS, NULL, NULL);
	ASK(200, "PUT", LISTS, JSON, "{\"deny\":[\"203.0.113.0/24\",\"10.0.0.0/8\"]}");
	MEMBER("deny.0", "10.0.0.0/8");
	MEMBER("deny.1", "203.0.113.0/24");
	cr_expect(eq(ulong, h.fake->n_prefixes, 2));
	ASK(422, "PUT", LISTS, JSON, "{\"deny\":[\"203.0.113.7/24\"]}");
	MEMBER("code", "validation-failed");
	MEMBER("errors.0.pointer", "/deny/0");
	cr_expect(eq(ulong, h.fake->n_prefixes, 2), "what is refused changes nothing");
	h.fake->fail_prefixes = -12;
	ASK(500, "PUT", LISTS, JSON, "{\"deny\":[\"::/0\"]}");
	h.fake->fail_prefixes = 0;
	ASK(200, "GET", LISTS, NULL, NULL);
	MEMBER("deny.1", "203.0.113.0/24");
	/* what GET says can be PUT */
	ASK(200, "PUT", LISTS, JSON,
	    "{\"allow\":[\"::1\"],\"deny\":[],\"status\":{\"raced\":7,\"table_full\":1}}");
	MEMBER("allow.0", "::1/128");
	MEMBER("status.raced", "0");
	ASK(405, "POST", LISTS, JSON, "{}");
	ASK(400, "PUT", LISTS, JSON, "[");
	ASK(400, "PUT", LISTS, JSON, "{\"deny\":\"::/0\"}");
}

Test(api_guard, a_services_limits_alone)
{
	make_web();
	ASK(200, "GET", WEB, NULL, NULL);
	cr_expect(not(has("\"guard\"")), "nothing is set: %s", h.raw);
	ASK(200, "PUT", WEB "/guard", JSON,
	    "{\"source\":{\"packets_per_s\":100},\"dry_run\":true}");
	MEMBER("source.packets_burst", "100");
	ASK(200, "GET", WEB "/guard", NULL, NULL);
	MEMBER("dry_run", "true");
	ASK(200, "GET", WEB, NULL, NULL);
	MEMBER("guard.source.packets_per_s", "100");
	ASK(422, "PUT", WEB "/guard", JSON, "{\"source\":{\"packets_per_s\":900000}}");
	MEMBER("errors.0.pointer", "/source/packets_per_s");
	ASK(422, "PUT", WEB "/guard", JSON, "{\"sorce\":{}}");
	MEMBER("code", "unknown-member");
	ASK(200, "GET", WEB "/guard", NULL, NULL);
	MEMBER("source.packets_per_s", "100");
	ASK(404, "PUT", "/api/v1/services/nobody/guard", JSON, "{}");
	ASK(404, "GET", "/api/v1/services/nobody/guard", NULL, NULL);
	ASK(200, "PUT", WEB "/guard", JSON, "{}");
	ASK(200, "GET", WEB, NULL, NULL);
	cr_expect(not(has("\"guard\"")), "%s", h.raw);
}

Test(api_guard, what_was_counted)
{
	h.fake->dp.mem.cnt_guard[0] = (struct sl_guard_cnt){ .would_deny = 1,
							     .would_source = 2,
							     .would_service = 3,
							     .table_full = 9007199254740993,
							     .raced = 5 };
	ASK(200, "GET", "/api/v1/status", NULL, NULL);
	MEMBER("guard.would_deny", "1");
	MEMBER("guard.would_service", "3");
	cr_expect(has("\"table_full\":9007199254740993"), "%s", h.raw);
	ASK(200, "GET", "/metrics", NULL, NULL);
	cr_expect(has("sluice_guard_dry_run_packets_total{reason=\"guard_source\"} 2\n"));
	cr_expect(has("sluice_guard_unchecked_packets_total{cause=\"raced\"} 5\n"));
}
