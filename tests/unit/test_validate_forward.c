/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways to backends, and what tunnels come from. */
#include "tests/unit/validate_rig.h"

/* A tunnel reaches either family, and its port is not the service's. */
Test(validate_forward, ways_to_backends)
{
	struct sl_service s = service("web", "192.0.2.10", 80);
	struct sl_backend b = backend("b1", "2001:db8::1");
	struct sl_err e;

	s.forward = SL_FORWARD_IPIP;
	cr_assert_eq(sl_validate_backend(&s, &b, &e), 0, "%s", e.detail);
	b.forward_own = true; /* l2dsr */
	expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/address", "ipip or gue");
	s.forward = SL_FORWARD_L2DSR;
	b.forward = SL_FORWARD_GUE;
	cr_assert_eq(sl_validate_backend(&s, &b, &e), 0);
	b.forward = (enum sl_forward)3;
	expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/forwarding/mode", "gue");
	b.forward = SL_FORWARD_GUE;
	b.gue_port_own = true;
	b.gue_port = 0;
	expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/forwarding/gue_port", "65535");
	b.gue_port = 80;
	cr_assert_eq(sl_validate_backend(&s, &b, &e), 0, "80 of TCP is another port");
	s.proto = SL_PROTO_UDP;
	expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/forwarding/gue_port", "own UDP");
	b.gue_port_own = false;
	s.gue_port = 80;
	expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/forwarding/mode", "gue_port 80");
	cr_assert_eq(sl_validate_service(&s, &e), 0, "its own mode is no tunnel");
	s.forward = SL_FORWARD_GUE;
	expect(sl_validate_service(&s, &e), &e, INVALID, "/forwarding/gue_port", "own UDP");
	s.gue_port = 81;
	cr_assert_eq(sl_validate_service(&s, &e), 0);
	s.udp_flows = SL_UDP_QUIC;
	cr_assert_eq(sl_validate_service(&s, &e), 0);
	s.fragments = SL_FRAGMENTS_HASH3;
	expect(sl_validate_service(&s, &e), &e, INVALID, "/fragments", "QUIC");
	b.vlan = SL_VLAN_MAX;
	cr_assert_eq(sl_validate_backend(&s, &b, &e), 0);
	b.vlan = 0;
	cr_assert_eq(sl_validate_backend(&s, &b, &e), 0);
	b.vlan = SL_VLAN_MAX + 1;
	expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/vlan", "4095");
	b.vlan = SL_VLAN_KEEP - 1;
	expect(sl_validate_backend(&s, &b, &e), &e, INVALID, "/vlan", "-2");
}

Test(validate_forward, sources_of_tunnels)
{
	static const struct {
		const char *source, *word; /* @word NULL: fine */
	} rows[] = {
		{ "10.0.0.0/8", NULL },
		{ "192.0.2.1", NULL },
		{ "2001:db8::/32", NULL },
		{ "2001:db8::9", NULL },
		{ "10.0.0.0/7", "outside /8 to /32" },
		{ "2001:db8::/31", "outside /32 to /128" },
		{ "0.0.0.0/8", "unspecified" },
		{ "127.0.0.1", "loopback" },
		{ "224.1.0.0/16", "multicast" },
		{ "255.255.255.255", "broadcast" },
		{ "255.0.0.0/8", "broadcast" },
		{ "169.254.7.0/24", "link-local" },
		{ "169.0.0.0/8", "link-local" },
		{ "::", "unspecified" },
		{ "::1", "loopback" },
		{ "ff02::/96", "multicast" },
		{ "fe80::/64", "link-local" },
	};
	struct sl_err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sl_config c = { 0 };
		bool v6 = strchr(rows[i].source, ':');

		cr_assert_eq(sl_prefix_parse(rows[i].source, v6 ? &c.encapsulation.source6
								: &c.encapsulation.source4),
			     0, "%s", rows[i].source);
		if (rows[i].word)
			expect(sl_validate_config(&c, &e), &e, INVALID,
			       v6 ? "/encapsulation/source6" : "/encapsulation/source4",
			       rows[i].word);
		else
			cr_assert_eq(sl_validate_config(&c, &e), 0, "%s", e.detail);
	}
}

/* A machine drops packets from its own address, so nobody's may be one that tunnels come from. */
Test(validate_forward, sources_are_nobodys_address)
{
	struct sl_service s = service("web", "192.0.2.10", 80);
	struct sl_config c = { .services = &s, .n_services = 1 }, alone = { 0 };
	struct sl_err e;

	add(&s, "b1", "10.0.0.1");
	add(&s, "b2", "2001:db8::1:0:1");
	s.forward = SL_FORWARD_IPIP;
	cr_assert_eq(sl_prefix_parse("10.0.0.0/24", &c.encapsulation.source4), 0);
	expect(sl_validate_config(&c, &e), &e, INVALID, "/services/0/backends/0/address",
	       "source4 10.0.0.0/24");
	alone.encapsulation = c.encapsulation;
	expect(sl_validate_beside(&alone, &s, &e), &e, INVALID, "/backends/0/address", "\"b1\"");
	s.backends[0].forward_own = true; /* l2dsr */
	cr_assert_eq(sl_validate_config(&c, &e), 0, "no tunnel leads to it");
	cr_assert_eq(sl_validate_beside(&alone, &s, &e), 0);

	cr_assert_eq(sl_prefix_parse("192.0.2.10", &c.encapsulation.source4), 0);
	expect(sl_validate_config(&c, &e), &e, INVALID, "/services/0/address", "service \"web\"");
	cr_assert_eq(sl_prefix_parse("192.0.2.11", &c.encapsulation.source4), 0);
	cr_assert_eq(sl_validate_config(&c, &e), 0);

	/* of a /32 only 2001:db8::/96 is ever used */
	cr_assert_eq(sl_prefix_parse("2001:db8::/32", &c.encapsulation.source6), 0);
	cr_assert_eq(sl_validate_config(&c, &e), 0, "%s", e.detail);
	s.backends[1].addr = addr("2001:db8::7:1");
	expect(sl_validate_config(&c, &e), &e, INVALID, "/services/0/backends/1/address",
	       "source6 2001:db8::/32");
	sl_service_done(&s);
}
