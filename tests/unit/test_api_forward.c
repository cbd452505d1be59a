/* SPDX-License-Identifier: BSD-2-Clause */

/* api: how packets get to backends: declared, shown, changed while flows stay. */
#include "tests/unit/api_rig.h"

TestSuite(api_forward, .init = setup, .fini = teardown);

/* A backend shows what it declared, and in its status what holds. */
Test(api_forward, shown_as_declared_and_as_it_holds)
{
	make_web();
	MEMBER("forwarding.mode", "l2dsr");
	MEMBER("forwarding.gue_port", "6080");
	MEMBER("forwarding.oversize", "drop");
	ASK(422, "PUT", WEB "/backends/b6", JSON, "{\"address\":\"2001:db8::6\"}");
	MEMBER("errors.0.pointer", "/address");
	ASK(201, "PUT", WEB "/backends/b6", JSON,
	    "{\"address\":\"2001:db8::6\",\"forwarding\":{\"mode\":\"ipip\"},\"vlan\":0}");
	MEMBER("forwarding.mode", "ipip");
	MEMBER("forwarding.gue_port", "(none)");
	MEMBER("vlan", "0");
	MEMBER("status.forwarding.mode", "ipip");
	MEMBER("status.forwarding.gue_port", "(none)");
	ASK(200, "GET", B1, NULL, NULL);
	MEMBER("forwarding", "(none)");
	MEMBER("vlan", "(none)");
	MEMBER("status.forwarding.mode", "l2dsr");

	/* the service changes: those that declare nothing follow */
	ASK(200, "PUT", WEB, JSON,
	    "{\"address\":\"192.0.2.10\",\"port\":443,\"table\":{\"size\":251},\"health_check\":"
	    "{\"type\":\"none\"},\"forwarding\":{\"mode\":\"gue\",\"gue_port\":7000,\"oversize\":"
	    "\"send\"},\"backends\":[{\"name\":\"b1\",\"address\":\"198.51.100.1\"},"
	    "{\"name\":\"b6\",\"address\":\"2001:db8::6\",\"forwarding\":{\"mode\":\"ipip\"}}]}");
	MEMBER("forwarding.oversize", "send");
	MEMBER("backends.0.forwarding", "(none)");
	MEMBER("backends.0.status.forwarding.mode", "gue");
	MEMBER("backends.0.status.forwarding.gue_port", "7000");
	MEMBER("backends.1.vlan", "(none)");
	MEMBER("backends.1.status.forwarding.mode", "ipip");
	ASK(200, "GET", "/api/v1/status", NULL, NULL);
	MEMBER("encapsulation.source4", "null");
	MEMBER("encapsulation.source6", "null");
}

/* Another way to the backends is no other table and no other backend: PUT of what GET gave,
 * changed. */
static void put_changed(const char *from, const char *to)
{
	char text[16384], *at;

	ASK(200, "GET", WEB, NULL, NULL);
	snprintf(text, sizeof(text), "%s", h.body);
	at = strstr(text, from);
	cr_assert(at != NULL, "%s", text);
	cr_assert(strlen(text) + strlen(to) < sizeof(text));
	memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
	memcpy(at, to, strlen(to));
	ASK(200, "PUT", WEB, JSON, text);
}

Test(api_forward, changes_while_flows_stay)
{
	static uint32_t slots[251];
	char names[8][SL_NAME_LEN];
	size_t base;

	make_web();
	base = 0;
	while (!h.fake->dp.mem.slots[base] && base < SL_SLOTS_TOTAL - 251)
		base++;
	memcpy(slots, &h.fake->dp.mem.slots[base], sizeof(slots));
	for (size_t id = 0; id < 8; id++)
		memcpy(names[id], h.fake->dp.mem.labels[id].name, SL_NAME_LEN);
	put_changed("\"mode\":\"l2dsr\"", "\"mode\":\"gue\"");
	MEMBER("backends.1.status.forwarding.mode", "gue");
	put_changed("\"oversize\":\"drop\"", "\"oversize\":\"send\"");
	MEMBER("forwarding.oversize", "send");
	put_changed("\"address\":\"198.51.100.2\"",
		    "\"address\":\"198.51.100.2\",\"vlan\":9,\"forwarding\":{\"mode\":\"ipip\"}");
	MEMBER("backends.1.vlan", "9");
	MEMBER("backends.0.status.forwarding.mode", "gue");
	MEMBER("backends.1.status.forwarding.mode", "ipip");
	MEMBER("status.slots_in_transition", "0");
	cr_expect(slots[250] != 0);
	cr_expect(eq(int, memcmp(slots, &h.fake->dp.mem.slots[base], sizeof(slots)), 0));
	for (size_t id = 0; id < 8; id++)
		cr_expect(eq(str, names[id], h.fake->dp.mem.labels[id].name));

	/* a change that cannot be leaves it: b2's address is one that l2dsr does not reach */
	ASK(200, "PUT", WEB "/backends/b2", JSON,
	    "{\"address\":\"2001:db8::2\",\"forwarding\":{\"mode\":\"ipip\"}}");
	ASK(422, "PUT", WEB "/backends/b2", JSON,
	    "{\"address\":\"2001:db8::2\",\"forwarding\":{\"mode\":"
	    "\"l2dsr\"}}");
	ASK(200, "GET", WEB "/backends/b2", NULL, NULL);
	MEMBER("forwarding.mode", "ipip");
}

Test(api_forward, udp_flows_change_between_flow_and_quic)
{
	static const char udp[] = "{\"address\":\"192.0.2.11\",\"port\":443,\"protocol\":\"udp\","
				  "\"udp_flows\":\"%s\",\"fragments\":\"%s\"}";
	static const char *const flows[] = { "flow", "quic", "none", "quic", "flow" };
	char body[256];

	for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
		snprintf(body, sizeof(body), udp, flows[i], "drop");
		ASK(i ? 200 : 201, "PUT", "/api/v1/services/h3", JSON, body);
		MEMBER("udp_flows", flows[i]);
	}
	snprintf(body, sizeof(body), udp, "flow", "hash3");
	ASK(422, "PUT", "/api/v1/services/h3", JSON, body);
	MEMBER("code", "immutable-field");
	snprintf(body, sizeof(body), udp, "quic", "hash3");
	ASK(422, "PUT", "/api/v1/services/h3", JSON, body);
	MEMBER("code", "validation-failed");
}

/* ---- tunnels' sources ------------------------------------------------------------------ */

static void setup_sources(void)
{
	sl_http_init(&h, "{\"revision\":4,\"encapsulation\":{\"source4\":\"10.9.0.0/16\","
			 "\"source6\":\"2001:db8:9::1\"},\"services\":[]}");
}

TestSuite(api_sources, .init = setup_sources, .fini = teardown);

Test(api_sources, are_shown_kept_and_nobodys_address)
{
	char state[128], text[4096];
	size_t len;
	FILE *f;

	ASK(200, "GET", "/api/v1/status", NULL, NULL);
	MEMBER("encapsulation.source4", "10.9.0.0/16");
	MEMBER("encapsulation.source6", "2001:db8:9::1/128");
	make_web();
	ASK(422, "POST", WEB "/backends", JSON,
	    "{\"name\":\"b3\",\"address\":\"10.9.0.3\",\"forwarding\":{\"mode\":\"gue\"}}");
	cr_expect(has("10.9.0.0/16"), "%s", h.raw);
	MEMBER("errors.0.pointer", "/address");
	ASK(422, "POST", "/api/v1/services", JSON,
	    "{\"name\":\"six\",\"address\":\"2001:db8:9::1\",\"port\":80}");
	MEMBER("errors.0.pointer", "/address");
	ASK(200, "GET", WEB "/backends", NULL, NULL);
	MEMBER("items.2", "(none)");
	ASK(201, "POST", WEB "/backends", JSON, "{\"name\":\"b3\",\"address\":\"10.9.0.3\"}");

	/* the state file that the change has written still holds them */
	snprintf(state, sizeof(state), "%s/state.json", h.dir);
	f = fopen(state, "re");
	cr_assert(f != NULL);
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = 0;
	fclose(f);
	cr_expect(strstr(text, "\"source4\":\t\"10.9.0.0/16\"") != NULL, "%s", text);
	cr_expect(strstr(text, "\"source6\":\t\"2001:db8:9::1/128\"") != NULL, "%s", text);
}
