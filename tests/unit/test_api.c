/* SPDX-License-Identifier: BSD-2-Clause */

/* api: the resources, over the Unix socket, with the control that sluiced has. */
#include <inttypes.h>

#include "tests/unit/api_rig.h"

TestSuite(api, .init = setup, .fini = teardown);

/* As the data plane would have it once the next hop is known, with traffic. */
static void fake_traffic(void)
{
	for (uint32_t id = 1; id < 8; id++) {
		if (h.fake->dp.mem.backends[id].service)
			h.fake->dp.mem.backends[id].state = SL_DP_UP;
		h.fake->dp.mem.cnt_backend[id].packets = 9007199254740993; /* 2^53 + 1 */
		h.fake->dp.mem.cnt_service[id].bytes = UINT64_MAX;
	}
	/* with what the two of "web" have sent: 2^64 - 2 */
	h.fake->dp.mem.cnt_reason->packets[SL_R_SENT] = UINT64_MAX - 1 - 2 * 9007199254740993;
}

Test(api, service_from_creation_to_deletion)
{
	make_web();
	HEADER("Location", "/api/v1/services/web");
	HEADER("Content-Type", "application/json");
	MEMBER("name", "web");
	MEMBER("backends.1.weight", "50");
	MEMBER("status.total", "2");
	MEMBER("status.state", "down");
	MEMBER("status.counters.dropped", "0");

	ASK(409, "POST", "/api/v1/services", JSON, web);
	HEADER("Content-Type", "application/problem+json");
	MEMBER("code", "already-exists");
	MEMBER("status", "409");
	MEMBER("title", "Conflict");

	ASK(200, "GET", WEB, NULL, NULL);
	MEMBER("table.size", "251");
	MEMBER("backends.0.port", "443");
	ASK(200, "GET", "/api/v1/services/w%65b", NULL, NULL);
	ASK(200, "GET", "/api/v1/services", NULL, NULL);
	MEMBER("items.0.name", "web");
	MEMBER("items.1", "(none)");
	MEMBER("next_cursor", "null");

	ASK(204, "DELETE", WEB, NULL, NULL);
	cr_expect(not(has("Content-Length")), "%s", h.raw);
	ASK(404, "DELETE", WEB, NULL, NULL);
	MEMBER("code", "not-found");
	ASK(404, "GET", WEB, NULL, NULL);
	MEMBER("code", "not-found");
}

Test(api, what_get_gives_put_takes)
{
	char *document;

	make_web();
	ASK(200, "GET", WEB, NULL, NULL);
	document = strdup(h.body);
	ASK(200, "PUT", WEB, JSON, document);
	cr_expect(eq(str, (char *)h.body, document));
	ASK(422, "PUT", "/api/v1/services/other", JSON, document);
	free(document);
	ASK(201, "PUT", "/api/v1/services/udp", JSON,
	    "{\"address\":\"192.0.2.10\",\"port\":443,\"protocol\":\"udp\"}");
	HEADER("Location", "/api/v1/services/udp");
	ASK(200, "GET", B1, NULL, NULL);
	document = strdup(h.body);
	ASK(200, "PUT", B1, JSON, document);
	free(document);
}

Test(api, backend_from_creation_to_deletion)
{
	make_web();
	ASK(201, "POST", WEB "/backends", JSON, "{\"name\":\"b3\",\"address\":\"198.51.100.3\"}");
	HEADER("Location", WEB "/backends/b3");
	MEMBER("port", "443");
	MEMBER("status.health", "up");
	MEMBER("status.takes_new_flows", "false");
	MEMBER("status.next_hop.resolved", "false");
	MEMBER("status.next_hop.mac", "");
	MEMBER("status.flows.active", "null");
	MEMBER("status.flows.estimated", "true");
	MEMBER("status.check.last_at", "null");
	MEMBER("status.check.status", "INI");
	MEMBER("status.drain.complete", "false");
	ASK(409, "POST", WEB "/backends", JSON, "{\"name\":\"b3\",\"address\":\"198.51.100.4\"}");
	MEMBER("code", "already-exists");
	/* of the body, not of the service it would go into */
	ASK(422, "PUT", WEB "/backends/a4", JSON, "{\"address\":\"198.51.100.3\"}");
	MEMBER("errors.0.pointer", "/address");
	ASK(201, "PUT", WEB "/backends/b4", JSON, "{\"address\":\"198.51.100.4\"}");
	ASK(200, "PUT", WEB "/backends/b4", JSON, "{\"address\":\"198.51.100.4\",\"weight\":0}");
	MEMBER("weight", "0");
	ASK(200, "GET", WEB "/backends", NULL, NULL);
	MEMBER("items.3.name", "b4");
	MEMBER("items.4", "(none)");

	fake_traffic();
	ASK(409, "DELETE", B1, NULL, NULL);
	MEMBER("code", "backend-not-drained");
	ASK(409, "DELETE", B1 "?force=false", NULL, NULL);
	ASK(204, "DELETE", B1 "?force=true", NULL, NULL);
	ASK(404, "DELETE", B1 "?force=true", NULL, NULL);
	ASK(404, "GET", B1, NULL, NULL);
	ASK(404, "GET", "/api/v1/services/none/backends", NULL, NULL);
	ASK(404, "POST", "/api/v1/services/none/backends", JSON, "{}");
	ASK(404, "PUT", "/api/v1/services/none/backends/b1", JSON, "{}");
}

Test(api, patch)
{
	make_web();
	ASK(200, "PATCH", B1, JSON, "{\"weight\":7}");
	MEMBER("weight", "7");
	ASK(200, "PATCH", B1, "application/merge-patch+json",
	    "{\"admin_state\":\"maint\",\"reason\":\"disk\"}");
	MEMBER("admin_state", "maint");
	MEMBER("reason", "disk");
	MEMBER("weight", "7");
	MEMBER("status.state", "maint");
	ASK(422, "PATCH", B1, JSON, "{\"weight\":257}");
	MEMBER("code", "validation-failed");
	MEMBER("errors.0.pointer", "/weight");
	ASK(415, "PATCH", B1, "text/plain", "{\"weight\":7}");
	HEADER("Accept-Patch", "application/merge-patch+json, application/json");
	ASK(422, "PATCH", B1, JSON, "{\"vlan\":7}");
	MEMBER("code", "unknown-member");
	MEMBER("errors.0.pointer", "/vlan");
	MEMBER("detail", "backend \"b1\" of service \"web\": vlan cannot be patched; replace the "
			 "whole backend (PUT)");
	ASK(404, "PATCH", WEB "/backends/none", JSON, "{\"weight\":7}");
	ASK(415, "PUT", B1, "application/merge-patch+json", "{}");
}

Test(api, drain_ready_maint)
{
	make_web();
	ASK(202, "POST", B1 "/drain", JSON, "{\"timeout_s\":60,\"reason\":\"kernel\"}");
	HEADER("Retry-After", "1");
	MEMBER("admin_state", "drain");
	MEMBER("reason", "kernel");
	MEMBER("drain.then", "drain");
	cr_expect(ne(str, (char *)sl_http_member(&h, "drain.deadline"), "null"));
	ASK(202, "POST", B1 "/drain", NULL, NULL);
	MEMBER("reason", "kernel");
	ASK(202, "POST", B1 "/drain", JSON, "{\"timeout_s\":0}");
	MEMBER("drain.deadline", "null");
	ASK(200, "POST", B1 "/maint", NULL, NULL);
	MEMBER("admin_state", "maint");
	MEMBER("reason", "kernel");
	ASK(200, "POST", B1 "/maint", JSON, "{\"reason\":\"disk\"}");
	MEMBER("reason", "disk");
	ASK(200, "POST", B1 "/ready", NULL, NULL);
	MEMBER("admin_state", "ready");
	MEMBER("reason", "");
	ASK(422, "POST", B1 "/ready", JSON, "{\"weight\":1}");
	MEMBER("errors.0.pointer", "/weight");
	ASK(422, "POST", B1 "/maint", JSON, "{\"admin_state\":\"ready\"}");
	MEMBER("errors.0.pointer", "/admin_state");
	MEMBER("detail",
	       "backend \"b1\" of service \"web\": the only member here is \"reason\"; use "
	       "PATCH for others");
	ASK(415, "POST", B1 "/drain", NULL, "{}");
	ASK(422, "POST", B1 "/drain", JSON, "{\"than\":\"delete\"}");
	ASK(404, "POST", WEB "/backends/none/drain", NULL, NULL);
	ASK(404, "POST", WEB "/backends/b1/dance", NULL, NULL);
}

Test(api, errors)
{
	static const struct {
		const char *method, *target, *type, *body;
		int status;
		const char *code, *pointer;
	} rows[] = {
		{ "POST", "/api/v1/services", JSON, "{", 400, "invalid-json", "(none)" },
		{ "POST", "/api/v1/services", JSON, "", 400, "invalid-json", "(none)" },
		{ "POST", "/api/v1/services", JSON, "{\"name\":\"\xff\"}", 400, "invalid-json",
		  "(none)" },
		{ "POST", "/api/v1/services", JSON, "{\"name\":1}", 400, "wrong-type", "/name" },
		{ "POST", "/api/v1/services", JSON, "{\"nam\":\"a\"}", 422, "unknown-member",
		  "/nam" },
		{ "POST", "/api/v1/services", JSON, "{}", 422, "validation-failed", "/name" },
		{ "POST", "/api/v1/services", "text/plain", "{}", 415, "unsupported-media-type",
		  "(none)" },
		{ "POST", "/api/v1/services?dry_run=true", JSON, "{}", 400, "bad-request",
		  "(none)" },
		{ "PUT", "/api/v1/services/UP", JSON, "{}", 422, "validation-failed", "/name" },
		{ "PUT", WEB "/backends/-", JSON, "{}", 422, "validation-failed", "/name" },
		{ "GET", "/api/v1/services/UP", NULL, NULL, 404, "not-found", "(none)" },
		{ "GET", "/api/v1/services/%2e%2e/status", NULL, NULL, 404, "not-found", "(none)" },
		{ "GET", "/api/v1/services/a%2fb", NULL, NULL, 400, "bad-request", "(none)" },
		{ "GET", "/api/v1/services/", NULL, NULL, 404, "not-found", "(none)" },
		{ "GET", "/api/v1", NULL, NULL, 404, "not-found", "(none)" },
		{ "GET", "/", NULL, NULL, 404, "not-found", "(none)" },
		{ "DELETE", B1 "?force=1", NULL, NULL, 400, "bad-request", "(none)" },
		{ "DELETE", B1 "?Force=true", NULL, NULL, 400, "bad-request", "(none)" },
		{ "DELETE", WEB "?force=true", NULL, NULL, 400, "bad-request", "(none)" },
		{ "POST", "/api/v1/services", JSON,
		  "{\"name\":\"w2\",\"address\":\"192.0.2.10\",\"port\":443,\"protocol\":\"tcp\"}",
		  409, "listener-conflict", NULL },
	};

	uint64_t revision;

	make_web();
	revision = sl_control_config(h.control)->revision;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ASK(rows[i].status, rows[i].method, rows[i].target, rows[i].type, rows[i].body);
		MEMBER("code", rows[i].code);
		MEMBER("type", "about:blank");
		cr_expect(gt(sz, strlen(sl_http_member(&h, "detail")), 10));
		if (rows[i].pointer)
			MEMBER("errors.0.pointer", rows[i].pointer);
	}
	cr_expect(eq(u64, sl_control_config(h.control)->revision, revision), "nothing was changed");
}

Test(api, methods)
{
	static const struct {
		const char *target, *allow;
	} rows[] = {
		{ "/livez", "GET, HEAD, OPTIONS" },
		{ "/metrics", "GET, HEAD, OPTIONS" },
		{ "/api/v1/status", "GET, HEAD, OPTIONS" },
		{ "/api/v1/services", "GET, HEAD, POST, OPTIONS" },
		{ WEB, "GET, HEAD, PUT, DELETE, OPTIONS" },
		{ WEB "/backends", "GET, HEAD, POST, OPTIONS" },
		{ B1, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS" },
		{ B1 "/drain", "POST, OPTIONS" },
		{ "/api/v1/dataplane", "DELETE, OPTIONS" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ASK(405, "TRACE", rows[i].target, NULL, NULL);
		HEADER("Allow", rows[i].allow);
		MEMBER("code", "method-not-allowed");
		ASK(204, "OPTIONS", rows[i].target, NULL, NULL);
		HEADER("Allow", rows[i].allow);
	}
	ASK(405, "get", "/livez", NULL, NULL);
	ASK(204, "OPTIONS", "*", NULL, NULL);
	ASK(200, "HEAD", "/livez", NULL, NULL);
	HEADER("Content-Length", "3");
	cr_expect(eq(str, (char *)h.body, ""));
	ASK(404, "HEAD", WEB, NULL, NULL);
	cr_expect(eq(str, (char *)h.body, ""));
	cr_expect(eq(uint, h.fake->unloads, 0));
}

Test(api, status)
{
	char revision[24];

	make_web();
	snprintf(revision, sizeof(revision), "%" PRIu64, sl_control_config(h.control)->revision);
	fake_traffic();
	h.fake->dp.mem.cnt_exc->lookups = 12;
	ASK(200, "GET", "/api/v1/status", NULL, NULL);
	MEMBER("version", SL_VERSION);
	MEMBER("revision", revision);
	MEMBER("read_only", "null");
	MEMBER("interfaces", "[]");
	MEMBER("services.0.backends.1.name", "b2");
	MEMBER("exceptions.lookups", "12");
	MEMBER("reasons.next", "(none)");
	cr_expect(has("\"sent\":18446744073709551614"), "%s", h.raw);
	cr_expect(has("\"bytes\":18446744073709551615"), "%s", h.raw);
	cr_expect(has("\"packets\":9007199254740993,"), "%s", h.raw);
#define HAS_REASON(sym, num, act, label) \
	cr_expect(num == SL_R_NEXT || has("\"" label "\":"), "%s", label);
	SL_REASONS(HAS_REASON)
#undef HAS_REASON
}

Test(api, livez_and_readyz)
{
	ASK(200, "GET", "/livez", NULL, NULL);
	cr_expect(eq(str, (char *)h.body, "ok\n"));
	ASK(200, "GET", "/readyz", NULL, NULL);
	cr_expect(eq(str, (char *)h.body, "ok\n"));
	ASK(200, "GET", "/readyz?verbose", NULL, NULL);
	cr_expect(eq(str, (char *)h.body, "[+] configuration: ok\nok\n"));
}

Test(api, detach_answers_first)
{
	int fd = sl_http_connect(&h, false);
	static const char gone[] = "DELETE /api/v1/dataplane HTTP/1.1\r\nHost: x\r\n\r\n";

	h.free_on_detach = true;
	sl_http_send(&h, fd, gone, sizeof(gone) - 1);
	sl_http_receive(&h, fd, 1, 5000);
	cr_expect(eq(int, h.status, 204));
	sl_http_turn(&h, 20);
	cr_expect(eq(uint, h.fake->unloads, 1));
	cr_expect(eq(uint, h.detached, 1));
	close(fd);
}

/* ---- a state file that cannot be read ------------------------------------------------ */

static void setup_torn(void)
{
	sl_http_init(&h, "{ torn");
}

TestSuite(api_read_only, .init = setup_torn, .fini = teardown);

Test(api_read_only, refuses_changes_and_says_why)
{
	ASK(503, "POST", "/api/v1/services", JSON, web);
	MEMBER("code", "read-only");
	ASK(503, "DELETE", WEB, NULL, NULL);
	ASK(200, "GET", "/api/v1/status", NULL, NULL);
	cr_expect(ne(str, (char *)sl_http_member(&h, "read_only"), "null"));
	ASK(200, "GET", "/livez", NULL, NULL);
	ASK(503, "GET", "/readyz", NULL, NULL);
	cr_expect(has("[-] configuration: "), "%s", h.raw);
	cr_expect(has("\nnot ready\n"), "%s", h.raw);
	ASK(200, "GET", "/metrics", NULL, NULL);
}

/* ---- an interface that is not there ---------------------------------------------------- */

static void setup_interface(void)
{
	sl_http_init(&h,
		     "{\"revision\":4,\"interfaces\":[{\"name\":\"none0\",\"mode\":\"native\"}],"
		     "\"services\":[]}");
}

TestSuite(api_interface, .init = setup_interface, .fini = teardown);

Test(api_interface, is_named_by_readyz)
{
	ASK(503, "GET", "/readyz", NULL, NULL);
	cr_expect(has("[-] interface none0: "), "%s", h.raw);
	cr_expect(not(has("[+]")), "%s", h.raw);
	ASK(503, "GET", "/readyz?verbose", NULL, NULL);
	cr_expect(has("[+] configuration: ok\n"), "%s", h.raw);
	ASK(200, "GET", "/api/v1/status", NULL, NULL);
	MEMBER("interfaces.0.name", "none0");
	MEMBER("interfaces.0.mode", "native");
	MEMBER("interfaces.0.attached", "false");
	MEMBER("revision", "4");
	ASK(200, "GET", "/metrics", NULL, NULL);
	cr_expect(has("\nsluice_interface_attached{interface=\"none0\"} 0\n"), "%s", h.raw);
	cr_expect(has("\nsluice_config_revision 4\n"), "%s", h.raw);
}
