/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/validate_rig.h"

Test(validate, names)
{
	static const char *const good[] = { "a", "0", "a-b", "a.b_c", "web-1", "10.0.0.1", "a--b" };
	static const char *const bad[] = { "",	       "WEB", "a/b", "-a",   "a-",
					   ".",	       "..",  "a.",  "_a",   "a b",
					   "\xc3\xa4", "a\n", "a%b", "a\"b", NULL };
	char name[80];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_assert(sl_name_valid(good[i]), "%s", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(sl_name_valid(bad[i]), "%zu", i);
	memset(name, 'a', sizeof(name));
	name[63] = 0;
	cr_assert(sl_name_valid(name));
	name[63] = 'a';
	name[64] = 0;
	cr_assert_not(sl_name_valid(name));
}

Test(validate, addresses_of_backends)
{
	static const struct {
		const char *address, *word;
	} rows[] = {
		{ "", "missing" },
		{ "0.0.0.0", "unspecified" },
		{ "127.0.0.1", "loopback" },
		{ "224.0.0.5", "multicast" },
		{ "255.255.255.255", "broadcast" },
		{ "169.254.169.254", "link-local" },
		{ "192.0.2.10", "service's own" },
		{ "2001:db8::1", "IPv4 address, or forwarding ipip or gue" },
	};
	struct sl_service s = service("web", "192.0.2.10", 80);
	struct sl_service s6 = service("web6", "2001:db8::10", 80);
	struct sl_backend b;
	struct sl_err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		b = backend("b1", rows[i].address);
		expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/address", rows[i].word);
		cr_assert_not_null(strstr(e.detail, "\"b1\""));
	}
	b = backend("b1", "10.0.0.1");
	cr_assert_eq(sl_validate_backend(&s, &b, &e), 0);
	cr_assert_eq(sl_validate_backend(&s, &b, NULL), 0);
	expect(sl_validate_backend(&s6, &b, &e), &e, INVALID, "/address", "IPv6");
	b = backend("b1", "fe80::1");
	expect(sl_validate_backend(&s6, &b, &e), &e, INVALID, "/address", "link-local");
	b = backend("b1", "::1");
	expect(sl_validate_backend(&s6, &b, &e), &e, INVALID, "/address", "loopback");
	cr_assert_eq(sl_validate_backend(&s6, &b, NULL), -EINVAL);
	b = backend("b1", "2001:db8::1");
	cr_assert_eq(sl_validate_backend(&s6, &b, &e), 0);
}

Test(validate, members_of_backends)
{
	struct sl_service s = service("web", "192.0.2.10", 80);
	struct sl_backend good = backend("b1", "10.0.0.1"), b;
	struct sl_err e;

	b = good;
	snprintf(b.name, sizeof(b.name), "B1");
	expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/name", "a-z");
	b = good;
	b.port = 80;
	cr_assert_eq(sl_validate_backend(&s, &b, &e), 0);
	b.port = 8080;
	expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/port", "8080");
	b = good;
	b.weight = 0;
	cr_assert_eq(sl_validate_backend(&s, &b, &e), 0);
	b.weight = 256;
	cr_assert_eq(sl_validate_backend(&s, &b, &e), 0);
	b.weight = 257;
	expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/weight", "257");
	b = good;
	b.admin = (enum sl_admin)3;
	expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/admin_state", "maint");
	b = good;
	b.drain_then = (enum sl_drain_then)9;
	expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/drain/then", "delete");
	b = good;
	b.admin = SL_ADMIN_DRAIN;
	b.drain_since_wall_ms = 1000;
	cr_assert_eq(sl_validate_backend(&s, &b, &e), 0);
	b.drain_deadline_wall_ms = 1000;
	cr_assert_eq(sl_validate_backend(&s, &b, &e), 0);
	b.drain_deadline_wall_ms = 999;
	expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/drain/deadline", "before");
}

/* One line sets one wrong value. */
#define WRONG(member, value, pointer, word)                                      \
	do {                                                                     \
		struct sl_service w = service("web", "192.0.2.10", 80);          \
		struct sl_err e;                                                 \
		w.member = value;                                                \
		expect(sl_validate_service(&w, &e), &e, INVALID, pointer, word); \
	} while (0)

#define RIGHT(member, value)                                                  \
	do {                                                                  \
		struct sl_service w = service("web", "192.0.2.10", 80);       \
		struct sl_err e = { 0 };                                      \
		w.member = value;                                             \
		cr_assert_eq(sl_validate_service(&w, &e), 0, "%s", e.detail); \
	} while (0)

Test(validate, members_of_services)
{
	WRONG(name[0], 'W', "/name", "a-z");
	WRONG(addr, addr(""), "/address", "missing");
	WRONG(addr, addr("0.0.0.0"), "/address", "unspecified");
	WRONG(addr, addr("127.0.0.1"), "/address", "loopback");
	WRONG(addr, addr("ff02::1"), "/address", "multicast");
	WRONG(port, 0, "/port", "1 to 65535");
	WRONG(proto, (enum sl_proto)1, "/protocol", "tcp or udp");
	WRONG(fragments, (enum sl_fragments)2, "/fragments", "drop or hash3");
	WRONG(udp_flows, (enum sl_udp_flows)3, "/udp_flows", "flow, none or quic");
	WRONG(udp_flows, SL_UDP_QUIC, "/udp_flows", "needs protocol udp");
	WRONG(forward, (enum sl_forward)3, "/forwarding/mode", "l2dsr, ipip or gue");
	WRONG(gue_port, 0, "/forwarding/gue_port", "1 to 65535");
	WRONG(oversize, (enum sl_oversize)2, "/forwarding/oversize", "drop or send");
	RIGHT(forward, SL_FORWARD_GUE);
	RIGHT(oversize, SL_OVERSIZE_SEND);
	WRONG(on_down, (enum sl_on_down)2, "/on_down", "reschedule");
	WRONG(table_size, 16384, "/table/size", "16381");
	WRONG(table_size, 0, "/table/size", "251");
	WRONG(idle_timeout_s, SL_IDLE_TIMEOUT_MIN_S - 1, "/idle_timeout", "5s");
	WRONG(idle_timeout_s, SL_IDLE_TIMEOUT_MAX_S + 1, "/idle_timeout", "900s");
	RIGHT(idle_timeout_s, SL_IDLE_TIMEOUT_MIN_S);
	RIGHT(idle_timeout_s, SL_IDLE_TIMEOUT_MAX_S);
	RIGHT(drain_timeout_s, 0);
	RIGHT(drain_timeout_s, UINT32_MAX);
	RIGHT(table_size, 251);
	RIGHT(table_size, 655373);
	RIGHT(port, 65535);
}

Test(validate, health_checks)
{
	WRONG(check.type, (enum sl_check_type)3, "/health_check/type", "http");
	WRONG(check.interval_ms, 49, "/health_check/interval", "50ms");
	WRONG(check.interval_ms, 3600001, "/health_check/interval", "3600s");
	RIGHT(check.interval_ms, 3600000);
	WRONG(check.timeout_ms, 9, "/health_check/timeout", "10ms");
	WRONG(check.timeout_ms, 2001, "/health_check/timeout", "2000ms");
	RIGHT(check.timeout_ms, 2000);
	RIGHT(check.timeout_ms, 10);
	WRONG(check.rise, 0, "/health_check/rise", "1 to 100");
	WRONG(check.rise, 101, "/health_check/rise", "101");
	WRONG(check.fall, 0, "/health_check/fall", "1 to 100");
	WRONG(check.fall, 101, "/health_check/fall", "101");
	RIGHT(check.fall, 100);
	WRONG(check.status_low, 400, "/health_check/expected_status", "400-399");
	WRONG(check.status_low, 99, "/health_check/expected_status", "99-399");
	WRONG(check.status_high, 600, "/health_check/expected_status", "200-600");
	WRONG(check.path[0], 'x', "/health_check/path", "start with /");
	WRONG(check.path[0], 0, "/health_check/path", "start with /");
	WRONG(check.path[1], ' ', "/health_check/path", "spaces");
	WRONG(check.path[1], '\n', "/health_check/path", "printable");
	WRONG(check.path[1], (char)0xc3, "/health_check/path", "printable");
	WRONG(check.path[1], 0x7f, "/health_check/path", "printable");
	RIGHT(check.path[1], '~');
	WRONG(check.host[0], '\r', "/health_check/host", "host");
	WRONG(check.host[0], '/', "/health_check/host", "host");
	WRONG(check.host[0], '@', "/health_check/host", "host");
	RIGHT(check.host[0], 'h');
	RIGHT(check.port, 8080);
}

Test(validate, backends_of_a_service)
{
	struct sl_service s = service("web", "192.0.2.10", 80);
	struct sl_err e;

	add(&s, "a", "10.0.0.1");
	add(&s, "b", "10.0.0.2");
	add(&s, "c", "10.0.0.3");
	cr_assert_eq(sl_validate_service(&s, &e), 0);
	s.backends[1].weight = 999;
	expect(sl_validate_service(&s, &e), &e, INVALID, "/backends/1/weight", "\"b\"");
	s.backends[1].weight = 1;
	s.backends[2].addr = addr("10.0.0.1");
	expect(sl_validate_service(&s, &e), &e, INVALID, "/backends/2/address", "\"a\" and \"c\"");
	s.backends[2].addr = addr("10.0.0.3");
	snprintf(s.backends[2].name, SL_NAME_LEN, "a");
	expect(sl_validate_service(&s, &e), &e, -EEXIST, "already-exists", "/backends/2/name",
	       "two backends named \"a\"");
	sl_service_done(&s);
}

Test(validate, a_table_holds_its_backends)
{
	struct sl_service s = service("web", "192.0.2.10", 80);
	char name[16], text[20];
	struct sl_err e;
	int i;

	s.table_size = 251;
	for (i = 0; i < 252; i++) {
		snprintf(name, sizeof(name), "b%d", i);
		snprintf(text, sizeof(text), "10.0.%d.1", i);
		add(&s, name, text);
	}
	expect(sl_validate_service(&s, &e), &e, INVALID, "/table/size", "252");
	s.backends[7].weight = 0; /* takes no slot */
	cr_assert_eq(sl_validate_service(&s, &e), 0);
	sl_service_done(&s);
}

Test(validate, services_beside_each_other)
{
	struct sl_service web = service("web", "192.0.2.10", 80), s;
	struct sl_config c = { 0 };
	struct sl_err e;

	add(&web, "b1", "10.0.0.1");
	cr_assert_eq(sl_config_add(&c, &web), 0);

	s = service("other", "192.0.2.10", 80);
	expect(sl_validate_beside(&c, &s, &e), &e, -EADDRINUSE, "listener-conflict", "/address",
	       "\"web\"");
	s.proto = SL_PROTO_UDP;
	cr_assert_eq(sl_validate_beside(&c, &s, &e), 0);
	s.proto = SL_PROTO_TCP;
	s.port = 443;
	cr_assert_eq(sl_validate_beside(&c, &s, &e), 0, "one address, two ports");
	s.addr = addr("10.0.0.1");
	expect(sl_validate_beside(&c, &s, &e), &e, INVALID, "/address", "backend \"b1\"");
	s.addr = addr("192.0.2.11");
	add(&s, "x", "10.0.0.1");
	cr_assert_eq(sl_validate_beside(&c, &s, &e), 0, "one machine may serve two services");
	add(&s, "y", "192.0.2.10");
	expect(sl_validate_beside(&c, &s, &e), &e, INVALID, "/backends/1/address",
	       "address of service \"web\"");
	sl_service_done(&s);

	/* a replacement is not compared with what it replaces */
	s = service("web", "192.0.2.10", 80);
	add(&s, "z", "10.9.9.9");
	cr_assert_eq(sl_validate_beside(&c, &s, &e), 0);
	s.addr = addr("10.0.0.1");
	cr_assert_eq(sl_validate_beside(&c, &s, &e), 0);
	sl_service_done(&s);
	sl_config_done(&c);
}

static struct sl_config config_of(struct sl_service *services, size_t n)
{
	return (struct sl_config){ .services = services, .n_services = n };
}

Test(validate, configurations)
{
	struct sl_service s[3] = { service("a", "192.0.2.1", 80), service("b", "192.0.2.2", 80),
				   service("c", "2001:db8::3", 80) };
	struct sl_config c = config_of(s, 3), none = { 0 };
	struct sl_err e;

	cr_assert_eq(sl_validate_config(&none, &e), 0);
	add(&s[0], "x", "10.0.0.1");
	add(&s[1], "x", "10.0.0.1");
	add(&s[2], "x", "2001:db8::1");
	cr_assert_eq(sl_validate_config(&c, &e), 0);

	s[1].backends[0].weight = 300;
	expect(sl_validate_config(&c, &e), &e, INVALID, "/services/1/backends/0/weight", "300");
	s[1].backends[0].weight = 3;
	s[2].check.rise = 0;
	expect(sl_validate_config(&c, &e), &e, INVALID, "/services/2/health_check/rise", "\"c\"");
	s[2].check.rise = 1;
	snprintf(s[1].name, SL_NAME_LEN, "c");
	expect(sl_validate_config(&c, &e), &e, -EEXIST, "already-exists", "/services/2/name",
	       "\"c\"");
	snprintf(s[1].name, SL_NAME_LEN, "b");
	s[1].addr = s[0].addr;
	expect(sl_validate_config(&c, &e), &e, -EADDRINUSE, "listener-conflict",
	       "/services/1/address", "belongs to service \"a\"");
	s[1].port = 81;
	cr_assert_eq(sl_validate_config(&c, &e), 0);
	s[1].addr = addr("10.0.0.1");
	s[1].backends[0].addr = addr("10.0.0.2");
	expect(sl_validate_config(&c, &e), &e, INVALID, "/services/0/backends/0/address",
	       "address of service \"b\"");
	sl_service_done(&s[0]);
	sl_service_done(&s[1]);
	sl_service_done(&s[2]);
}

Test(validate, interfaces)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "a b", "a:b", "a\n" };
	struct sl_interface f[SL_PORTS_MAX] = { { "eth0", SL_MODE_NATIVE },
						{ "eth1", SL_MODE_GENERIC } };
	struct sl_config c = { .interfaces = f, .n_interfaces = 2 };
	struct sl_err e;
	size_t i;

	cr_assert_eq(sl_validate_config(&c, &e), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(f[1].name, sizeof(f[1].name), "%s", bad[i]);
		expect(sl_validate_config(&c, &e), &e, INVALID, "/interfaces/1/name", "ip link");
	}
	snprintf(f[1].name, sizeof(f[1].name), "eth0");
	expect(sl_validate_config(&c, &e), &e, -EEXIST, "already-exists", "/interfaces/1/name",
	       "eth0");
	snprintf(f[1].name, sizeof(f[1].name), "eth1");
	f[1].mode = (enum sl_mode)2;
	expect(sl_validate_config(&c, &e), &e, INVALID, "/interfaces/1/mode", "generic");
	for (i = 0; i < SL_PORTS_MAX; i++) {
		snprintf(f[i].name, sizeof(f[i].name), "eth%zu", i);
		f[i].mode = SL_MODE_NATIVE;
	}
	c.n_interfaces = SL_PORTS_MAX - 1;
	cr_assert_eq(sl_validate_config(&c, &e), 0);
	c.n_interfaces = SL_PORTS_MAX;
	expect(sl_validate_config(&c, &e), &e, INVALID, "/interfaces", "63");
}

/* 4000 services of 8 backends: pairs of them would be a matter of seconds. */
Test(validate, large_configurations_are_quick, .timeout = 5)
{
	struct sl_service *s = calloc(4000, sizeof(*s));
	struct sl_config c = config_of(s, 4000);
	char name[16], text[40];
	struct sl_err e = { 0 };
	int i, k;

	for (i = 0; i < 4000; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		snprintf(text, sizeof(text), "172.16.%d.%d", i / 250, i % 250 + 1);
		s[i] = service(name, text, 80);
		for (k = 0; k < 8; k++) {
			snprintf(name, sizeof(name), "b%d", k);
			snprintf(text, sizeof(text), "10.%d.%d.%d", k, i / 250, i % 250 + 1);
			add(&s[i], name, text);
		}
	}
	cr_assert_eq(sl_validate_config(&c, &e), 0, "%s", e.detail);
	s[17].backends[3].addr = s[3999].addr;
	expect(sl_validate_config(&c, &e), &e, INVALID, "/services/17/backends/3/address",
	       "\"s3999\"");
	for (i = 0; i < 4000; i++)
		sl_service_done(&s[i]);
	free(s);
}
