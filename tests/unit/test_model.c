/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/model.h"

static struct sl_backend backend(const char *name)
{
	struct sl_backend b;

	sl_backend_defaults(&b);
	snprintf(b.name, sizeof(b.name), "%s", name);
	return b;
}

static struct sl_service service(const char *name)
{
	struct sl_service s;

	sl_service_defaults(&s);
	snprintf(s.name, sizeof(s.name), "%s", name);
	return s;
}

Test(model, defaults)
{
	struct sl_service s;
	struct sl_backend b;

	memset(&s, 0x5a, sizeof(s));
	memset(&b, 0x5a, sizeof(b));
	sl_service_defaults(&s);
	sl_backend_defaults(&b);
	cr_assert_str_eq(s.name, "");
	cr_assert_str_eq(s.description, "");
	cr_assert_eq(s.addr.family, 0);
	cr_assert_eq(s.port, 0);
	cr_assert_eq(s.proto, SL_PROTO_TCP);
	cr_assert_eq(s.table_size, 16381);
	cr_assert_eq(s.udp_flows, SL_UDP_FLOW);
	cr_assert_eq(s.on_down, SL_DOWN_RESCHEDULE);
	cr_assert_eq(s.forward, SL_FORWARD_L2DSR);
	cr_assert_eq(s.gue_port, 6080);
	cr_assert_eq(s.oversize, SL_OVERSIZE_DROP);
	cr_assert(!b.forward_own && !b.gue_port_own);
	cr_assert_eq(b.vlan, SL_VLAN_KEEP);
	cr_assert_eq(s.idle_timeout_s, 300);
	cr_assert_eq(s.drain_timeout_s, 300);
	cr_assert_eq(s.check.type, SL_CHECK_TCP);
	cr_assert_eq(s.check.port, 0);
	cr_assert_eq(s.check.status_low, 200);
	cr_assert_eq(s.check.status_high, 399);
	cr_assert_eq(s.check.interval_ms, 2000);
	cr_assert_eq(s.check.timeout_ms, 1000);
	cr_assert_eq(s.check.rise, 2);
	cr_assert_eq(s.check.fall, 3);
	cr_assert_str_eq(s.check.path, "/");
	cr_assert_str_eq(s.check.host, "");
	cr_assert_null(s.backends);
	cr_assert_eq(s.n_backends, 0);
	cr_assert_str_eq(b.name, "");
	cr_assert_eq(b.addr.family, 0);
	cr_assert_eq(b.port, 0);
	cr_assert_eq(b.weight, 100);
	cr_assert_eq(b.admin, SL_ADMIN_READY);
	cr_assert_str_eq(b.reason, "");
	cr_assert_eq(b.drain_since_wall_ms, 0);
	cr_assert_eq(b.drain_deadline_wall_ms, 0);
	cr_assert_eq(b.drain_then, SL_THEN_DRAIN);
}

Test(model, table_sizes_are_ascending_primes)
{
	uint32_t last = 0, d;
	size_t i;

	for (i = 0; sl_table_sizes[i]; i++) {
		cr_assert(sl_table_sizes[i] > last);
		last = sl_table_sizes[i];
		for (d = 2; d * d <= last; d++)
			cr_assert(last % d, "%u is divisible by %u", last, d);
	}
	cr_assert_eq(i, 12);
	cr_assert_eq(sl_table_sizes[0], 251);
	cr_assert_eq(last, 655373);
	cr_assert(last <= SL_SLOTS_TOTAL);
}

Test(model, backends_stay_sorted_and_unique)
{
	static const char *const names[] = { "m", "a", "z", "b", "a-1", "a.1", "9", "mm" };
	static const char *const sorted[] = { "9", "a", "a-1", "a.1", "b", "m", "mm", "z" };
	struct sl_service s = service("web");
	struct sl_backend b;
	size_t i;

	for (i = 0; i < 8; i++) {
		b = backend(names[i]);
		b.weight = (uint16_t)i;
		cr_assert_eq(sl_service_add(&s, &b), 0);
		cr_assert_eq(sl_service_add(&s, &b), -EEXIST);
		cr_assert_eq(s.n_backends, i + 1);
	}
	for (i = 0; i < 8; i++) {
		cr_assert_str_eq(s.backends[i].name, sorted[i]);
		cr_assert_eq(sl_service_find(&s, names[i])->weight, i, "%s", names[i]);
	}
	cr_assert_null(sl_service_find(&s, "c"));
	cr_assert_null(sl_service_find(&s, ""));
	cr_assert_null(sl_service_find(&s, "zz"));
	cr_assert_eq(sl_service_remove(&s, "c"), -ENOENT);
	/* the name may be that of the record which goes */
	cr_assert_eq(sl_service_remove(&s, s.backends[3].name), 0);
	cr_assert_null(sl_service_find(&s, "a.1"));
	for (i = 0; i < 8; i++)
		if (i != 3)
			cr_assert_eq(sl_service_remove(&s, sorted[i]), 0);
	cr_assert_eq(s.n_backends, 0);
	cr_assert_null(s.backends);
	cr_assert_eq(sl_service_remove(&s, "a"), -ENOENT);
	sl_service_done(&s);
}

Test(model, services_are_moved_in_and_released)
{
	struct sl_config c = { 0 };
	struct sl_service s;
	struct sl_backend b = backend("b1");
	int i;
	static const char *const names[] = { "dns", "api", "web" };

	for (i = 0; i < 3; i++) {
		s = service(names[i]);
		cr_assert_eq(sl_service_add(&s, &b), 0);
		cr_assert_eq(sl_config_add(&c, &s), 0);
	}
	cr_assert_str_eq(c.services[0].name, "api");
	cr_assert_str_eq(c.services[1].name, "dns");
	cr_assert_str_eq(c.services[2].name, "web");
	s = service("dns");
	cr_assert_eq(sl_service_add(&s, &b), 0);
	cr_assert_eq(sl_config_add(&c, &s), -EEXIST);
	sl_service_done(&s); /* still ours after a refusal; ASan sees leaks */
	cr_assert_eq(sl_config_find(&c, "web"), &c.services[2]);
	cr_assert_null(sl_config_find(&c, "we"));
	cr_assert_null(sl_config_find(&c, "webb"));
	cr_assert_eq(sl_config_remove(&c, c.services[0].name), 0);
	cr_assert_eq(sl_config_remove(&c, "api"), -ENOENT);
	cr_assert_eq(c.n_services, 2);
	cr_assert_eq(sl_config_remove(&c, "web"), 0);
	cr_assert_eq(sl_config_remove(&c, "dns"), 0);
	cr_assert_null(c.services);
	cr_assert_null(sl_config_find(&c, "web"));
	sl_config_done(&c);
	sl_config_done(&c);
}

Test(model, copies_share_nothing)
{
	struct sl_config c = { .revision = 7 }, d, empty = { 0 };
	struct sl_service s = service("web"), t;
	struct sl_backend b = backend("b1");

	c.interfaces = calloc(1, sizeof(*c.interfaces));
	c.n_interfaces = 1;
	cr_assert_eq(sl_prefix_parse("10.9.0.0/16", &c.encapsulation.source4), 0);
	cr_assert_eq(sl_prefix_parse("2001:db8::9", &c.encapsulation.source6), 0);
	snprintf(c.interfaces[0].name, sizeof(c.interfaces[0].name), "eth0");
	cr_assert_eq(sl_service_add(&s, &b), 0);
	cr_assert_eq(sl_service_copy(&s, &t), 0);
	cr_assert_neq(s.backends, t.backends);
	snprintf(t.name, sizeof(t.name), "other");
	cr_assert_eq(sl_config_add(&c, &s), 0);
	cr_assert_eq(sl_config_add(&c, &t), 0);

	cr_assert_eq(sl_config_copy(&c, &d), 0);
	cr_assert_eq(d.revision, 7);
	cr_assert(sl_prefix_equal(&d.encapsulation.source4, &c.encapsulation.source4));
	cr_assert(sl_prefix_equal(&d.encapsulation.source6, &c.encapsulation.source6));
	cr_assert_eq(d.n_services, 2);
	cr_assert_eq(d.n_interfaces, 1);
	cr_assert_str_eq(d.interfaces[0].name, "eth0");
	cr_assert_neq(d.interfaces, c.interfaces);
	d.services[1].backends[0].weight = 1;
	d.services[1].port = 99;
	cr_assert_eq(c.services[1].backends[0].weight, 100);
	cr_assert_eq(c.services[1].port, 0);
	cr_assert_str_eq(d.services[1].backends[0].name, "b1");
	sl_config_done(&c);
	cr_assert_str_eq(d.services[0].name, "other");
	sl_config_done(&d);

	cr_assert_eq(sl_config_copy(&empty, &d), 0);
	cr_assert_null(d.services);
	cr_assert_null(d.interfaces);
	sl_config_done(&d);
}

Test(model, random_history_against_an_array)
{
	bool there[50] = { false };
	struct sl_config c = { 0 };
	struct sl_service s;
	uint64_t x = 0x9e3779b97f4a7c15ull;
	char name[SL_NAME_LEN];
	unsigned i, n = 0, step;
	int r;

	for (step = 0; step < 20000; step++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		i = (unsigned)(x >> 32) % 50;
		snprintf(name, sizeof(name), "s%u", i);
		if (x & 1) {
			s = service(name);
			r = sl_config_add(&c, &s);
			cr_assert_eq(r, there[i] ? -EEXIST : 0);
			n += !there[i];
			there[i] = true;
		} else {
			r = sl_config_remove(&c, name);
			cr_assert_eq(r, there[i] ? 0 : -ENOENT);
			n -= there[i];
			there[i] = false;
		}
		cr_assert_eq(c.n_services, n);
		cr_assert_eq(sl_config_find(&c, name) != NULL, there[i]);
	}
	for (i = 1; i < c.n_services; i++)
		cr_assert(strcmp(c.services[i - 1].name, c.services[i].name) < 0);
	sl_config_done(&c);
}

Test(model, a_backend_follows_what_it_does_not_declare)
{
	struct sl_service s = service("web");
	struct sl_backend own = backend("a"), follows = backend("b");

	own.forward_own = own.gue_port_own = true;
	own.forward = SL_FORWARD_IPIP;
	own.gue_port = 7;
	cr_assert_eq(sl_service_add(&s, &own), 0);
	cr_assert_eq(sl_service_add(&s, &follows), 0);
	s.forward = SL_FORWARD_GUE;
	s.gue_port = 9;
	cr_assert_eq(sl_backend_forward(&s, &s.backends[1]), SL_FORWARD_GUE, "before it is told");
	cr_assert_eq(sl_backend_gue_port(&s, &s.backends[1]), 9);
	sl_service_inherit(&s);
	cr_assert_eq(s.backends[0].forward, SL_FORWARD_IPIP);
	cr_assert_eq(s.backends[0].gue_port, 7);
	cr_assert_eq(s.backends[1].forward, SL_FORWARD_GUE);
	cr_assert_eq(s.backends[1].gue_port, 9);
	s.forward = SL_FORWARD_L2DSR;
	sl_service_inherit(&s);
	cr_assert_eq(s.backends[0].forward, SL_FORWARD_IPIP);
	cr_assert_eq(s.backends[1].forward, SL_FORWARD_L2DSR);
	sl_service_done(&s);
}

Test(model, words)
{
	cr_assert_str_eq(sl_proto_name(SL_PROTO_TCP), "tcp");
	cr_assert_str_eq(sl_proto_name(SL_PROTO_UDP), "udp");
	cr_assert_str_eq(sl_mode_name(SL_MODE_NATIVE), "native");
	cr_assert_str_eq(sl_mode_name(SL_MODE_GENERIC), "generic");
	cr_assert_str_eq(sl_forward_name(SL_FORWARD_L2DSR), "l2dsr");
	cr_assert_str_eq(sl_forward_name(SL_FORWARD_IPIP), "ipip");
	cr_assert_str_eq(sl_forward_name(SL_FORWARD_GUE), "gue");
	cr_assert_str_eq(sl_admin_name(SL_ADMIN_READY), "ready");
	cr_assert_str_eq(sl_admin_name(SL_ADMIN_DRAIN), "drain");
	cr_assert_str_eq(sl_admin_name(SL_ADMIN_MAINT), "maint");
	cr_assert_str_eq(sl_check_name(SL_CHECK_NONE), "none");
	cr_assert_str_eq(sl_check_name(SL_CHECK_TCP), "tcp");
	cr_assert_str_eq(sl_check_name(SL_CHECK_HTTP), "http");
	cr_assert_str_eq(sl_then_name(SL_THEN_DRAIN), "drain");
	cr_assert_str_eq(sl_then_name(SL_THEN_MAINT), "maint");
	cr_assert_str_eq(sl_then_name(SL_THEN_DELETE), "delete");
}
