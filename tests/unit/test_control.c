/* SPDX-License-Identifier: BSD-2-Clause */
/* control over a data plane of plain memory: what a change writes, and what a failed one does not.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb_user/domain/svctab.h"
#include "lb_user/svc/control.h"
#include "tests/lib/fake_dp.h"

struct lab {
	uv_loop_t loop;
	struct sl_fake_dp *fake;
	struct sl_control *control;
	char dir[32];
	struct sl_err err;
};

static void lab_init(struct lab *l)
{
	/* next hops ask the kernel: not this machine's network */
	cr_assert(unshare(CLONE_NEWNET) == 0, "network namespaces need root");
	memset(l, 0, sizeof(*l));
	snprintf(l->dir, sizeof(l->dir), "/tmp/sluice-test-XXXXXX");
	cr_assert_not_null(mkdtemp(l->dir));
	uv_loop_init(&l->loop);
	l->fake = sl_fake_dp_new();
	l->control = sl_fake_control_new(&l->loop, l->fake, l->dir);
	cr_assert_not_null(l->control);
}

static void lab_stop(struct lab *l)
{
	sl_control_free(l->control);
	l->control = NULL;
	uv_run(&l->loop, UV_RUN_DEFAULT);
}

static void lab_done(struct lab *l)
{
	char path[64];

	lab_stop(l);
	cr_assert_eq(uv_loop_close(&l->loop), 0, "handles are left on the loop");
	l->fake->dp.ops->close(&l->fake->dp);
	snprintf(path, sizeof(path), "%s/state.json", l->dir);
	unlink(path);
	rmdir(l->dir);
}

static struct sl_service service(const char *name, const char *vip)
{
	struct sl_service s = {};

	sl_service_defaults(&s);
	snprintf(s.name, sizeof(s.name), "%s", name);
	cr_assert_eq(sl_addr_parse(vip, &s.addr), 0);
	s.port = 80;
	s.table_size = 251;
	s.check.type = SL_CHECK_NONE;
	return s;
}

static struct sl_backend backend(const char *name, const char *addr, uint16_t weight)
{
	struct sl_backend b = {};

	sl_backend_defaults(&b);
	snprintf(b.name, sizeof(b.name), "%s", name);
	cr_assert_eq(sl_addr_parse(addr, &b.addr), 0);
	b.port = 80;
	b.weight = weight;
	return b;
}

static void add(struct lab *l, const char *svc, const char *name, const char *addr, uint16_t weight)
{
	struct sl_backend b = backend(name, addr, weight);
	int r = sl_control_backend_create(l->control, svc, &b, &l->err);

	cr_assert_eq(r, 0, "%s: %s", name, l->err.detail);
}

static void make_web(struct lab *l)
{
	struct sl_service s = service("web", "192.0.2.1");

	cr_assert_eq(sl_control_service_create(l->control, &s, &l->err), 0, "%s", l->err.detail);
	sl_service_done(&s);
	add(l, "web", "a", "10.0.0.1", 100);
	add(l, "web", "b", "10.0.0.2", 100);
}

static uint16_t id_of(const struct lab *l, const char *vip)
{
	struct sl_svctab t = { l->fake->dp.mem.svc4, l->fake->dp.mem.svc6 };
	struct sl_addr a = {};

	sl_addr_parse(vip, &a);
	return sl_svctab_get(&t, &a, 80, SL_PROTO_TCP);
}

static uint32_t owned(const struct lab *l, uint16_t service, uint16_t id)
{
	const struct sl_service_rec *rec = &l->fake->dp.mem.services[service];
	uint32_t n = 0;

	for (uint32_t i = 0; i < rec->slot_count; i++)
		n += SL_SLOT_CUR(l->fake->dp.mem.slots[rec->slot_base + i]) == id;
	return n;
}

static uint16_t backend_id(const struct lab *l, const char *name)
{
	for (uint16_t id = 1; id < 100; id++)
		if (!strcmp(l->fake->dp.mem.labels[id].name, name))
			return id;
	return 0;
}

Test(control, a_service_is_found_by_its_tuple_and_its_table_follows_the_backends)
{
	struct lab l;

	lab_init(&l);
	make_web(&l);
	cr_assert_neq(id_of(&l, "192.0.2.1"), 0);
	cr_assert_eq(id_of(&l, "192.0.2.2"), 0);
	cr_assert_eq(owned(&l, id_of(&l, "192.0.2.1"), backend_id(&l, "a")) +
			     owned(&l, id_of(&l, "192.0.2.1"), backend_id(&l, "b")),
		     251);
	cr_assert_eq(l.fake->dp.mem.backends[backend_id(&l, "a")].state, SL_DP_DOWN,
		     "no next hop is known in an empty network namespace");
	lab_done(&l);
}

Test(control, a_weight_moves_slots_and_leaves_them_in_transition)
{
	struct sl_backend_patch patch = { .has_weight = true, .weight = 0 };
	struct sl_service_status st;
	struct lab l;

	lab_init(&l);
	make_web(&l);
	cr_assert_eq(sl_control_backend_patch(l.control, "web", "a", &patch, &l.err), 0);
	cr_assert_eq(owned(&l, id_of(&l, "192.0.2.1"), backend_id(&l, "a")), 0);
	cr_assert_eq(owned(&l, id_of(&l, "192.0.2.1"), backend_id(&l, "b")), 251);
	cr_assert_eq(sl_control_service_status(l.control, "web", &st), 0);
	cr_assert_gt(st.slots_in_transition, 0);
	lab_done(&l);
}

Test(control, a_failed_state_file_changes_nothing)
{
	struct sl_backend b = backend("c", "10.0.0.3", 100);
	uint64_t revision;
	uint32_t before;
	struct lab l;
	char path[64];

	lab_init(&l);
	make_web(&l);
	revision = sl_control_config(l.control)->revision;
	before = owned(&l, id_of(&l, "192.0.2.1"), backend_id(&l, "a"));
	/* a folder in place of the temporary file: even root cannot write it */
	snprintf(path, sizeof(path), "%s/state.json.tmp", l.dir);
	cr_assert_eq(mkdir(path, 0700), 0);

	cr_assert_lt(sl_control_backend_create(l.control, "web", &b, &l.err), 0);
	cr_assert_neq(l.err.detail[0], 0);
	cr_assert_eq(sl_control_config(l.control)->revision, revision);
	cr_assert_eq(sl_control_config(l.control)->services[0].n_backends, 2);
	cr_assert_eq(owned(&l, id_of(&l, "192.0.2.1"), backend_id(&l, "a")), before);

	rmdir(path);
	cr_assert_eq(sl_control_backend_create(l.control, "web", &b, &l.err), 0);
	cr_assert_lt(owned(&l, id_of(&l, "192.0.2.1"), backend_id(&l, "a")), before);
	lab_done(&l);
}

Test(control, a_restart_keeps_ids_slots_and_revision)
{
	uint32_t words[251];
	uint16_t service_id, a;
	uint64_t revision;
	struct lab l;

	lab_init(&l);
	make_web(&l);
	service_id = id_of(&l, "192.0.2.1");
	a = backend_id(&l, "a");
	revision = sl_control_config(l.control)->revision;
	memcpy(words, l.fake->dp.mem.slots + l.fake->dp.mem.services[service_id].slot_base,
	       sizeof(words));

	lab_stop(&l);
	l.fake->dp.adopted = true;
	l.control = sl_fake_control_new(&l.loop, l.fake, l.dir);
	cr_assert_not_null(l.control);
	cr_assert_eq(id_of(&l, "192.0.2.1"), service_id);
	cr_assert_eq(backend_id(&l, "a"), a);
	cr_assert_eq(sl_control_config(l.control)->revision, revision);
	cr_assert_arr_eq(words,
			 l.fake->dp.mem.slots + l.fake->dp.mem.services[service_id].slot_base,
			 sizeof(words));
	lab_done(&l);
}

Test(control, a_restart_ends_what_a_crash_left_half_done)
{
	uint16_t service_id;
	struct lab l;

	lab_init(&l);
	make_web(&l);
	service_id = id_of(&l, "192.0.2.1");
	lab_stop(&l);
	/* pinned, but never committed to the file */
	l.fake->dp.mem.labels[77].name[0] = 'z';
	l.fake->dp.mem.backends[77].service = service_id;
	l.fake->dp.mem.backends[77].state = SL_DP_UP;
	for (unsigned i = 0; i < 9; i++)
		l.fake->dp.mem.slots[l.fake->dp.mem.services[service_id].slot_base + i] =
			SL_SLOT(77, true, 77);
	/* committed, but not yet pinned */
	memset(&l.fake->dp.mem.labels[backend_id(&l, "b")], 0, sizeof(struct sl_label));

	l.fake->dp.adopted = true;
	l.control = sl_fake_control_new(&l.loop, l.fake, l.dir);
	cr_assert_not_null(l.control);
	cr_assert_eq(owned(&l, service_id, 77), 0);
	cr_assert_eq(l.fake->dp.mem.backends[77].state, SL_DP_DOWN);
	cr_assert_neq(backend_id(&l, "b"), 0);
	cr_assert_eq(owned(&l, service_id, backend_id(&l, "a")) +
			     owned(&l, service_id, backend_id(&l, "b")),
		     251);
	lab_done(&l);
}

Test(control, the_same_again_is_no_change)
{
	struct sl_backend b = backend("a", "10.0.0.1", 100);
	uint64_t revision;
	bool created = true;
	struct lab l;

	lab_init(&l);
	make_web(&l);
	revision = sl_control_config(l.control)->revision;
	cr_assert_eq(sl_control_backend_replace(l.control, "web", &b, &created, &l.err), 0);
	cr_assert_not(created);
	cr_assert_eq(sl_control_config(l.control)->revision, revision);
	b.weight = 99;
	cr_assert_eq(sl_control_backend_replace(l.control, "web", &b, &created, &l.err), 0);
	cr_assert_eq(sl_control_config(l.control)->revision, revision + 1);
	lab_done(&l);
}

static uint16_t portless(const struct lab *l, const char *vip, enum sl_proto proto)
{
	struct sl_svctab t = { l->fake->dp.mem.svc4, l->fake->dp.mem.svc6 };
	struct sl_addr a = {};

	sl_addr_parse(vip, &a);
	return sl_svctab_get(&t, &a, 0, proto);
}

Test(control, an_address_is_known_without_a_port_while_it_has_services)
{
	struct sl_service udp = service("dns", "192.0.2.1");
	struct lab l;

	lab_init(&l);
	make_web(&l);
	cr_assert_eq(portless(&l, "192.0.2.1", SL_PROTO_TCP), SL_SERVICE_ADDRESS);
	cr_assert_eq(portless(&l, "192.0.2.1", SL_PROTO_UDP), SL_SERVICE_ADDRESS);
	cr_assert_eq(portless(&l, "192.0.2.2", SL_PROTO_TCP), 0);

	udp.port = 53;
	udp.proto = SL_PROTO_UDP;
	udp.fragments = SL_FRAGMENTS_HASH3;
	cr_assert_eq(sl_control_service_create(l.control, &udp, &l.err), 0, "%s", l.err.detail);
	cr_assert_eq(portless(&l, "192.0.2.1", SL_PROTO_TCP), SL_SERVICE_ADDRESS);
	cr_assert_neq(portless(&l, "192.0.2.1", SL_PROTO_UDP), SL_SERVICE_ADDRESS);
	cr_assert_neq(portless(&l, "192.0.2.1", SL_PROTO_UDP), 0);

	lab_stop(&l);
	l.fake->dp.adopted = true;
	l.control = sl_fake_control_new(&l.loop, l.fake, l.dir);
	cr_assert_neq(portless(&l, "192.0.2.1", SL_PROTO_UDP), SL_SERVICE_ADDRESS);
	cr_assert_eq(portless(&l, "192.0.2.1", SL_PROTO_TCP), SL_SERVICE_ADDRESS);

	cr_assert_eq(sl_control_service_delete(l.control, "dns", &l.err), 0);
	cr_assert_eq(portless(&l, "192.0.2.1", SL_PROTO_UDP), SL_SERVICE_ADDRESS);
	cr_assert_eq(sl_control_service_delete(l.control, "web", &l.err), 0);
	cr_assert_eq(portless(&l, "192.0.2.1", SL_PROTO_TCP), 0);
	cr_assert_eq(portless(&l, "192.0.2.1", SL_PROTO_UDP), 0);
	lab_done(&l);
}

/* What a backend does not declare is the service's, also where no codec has filled it in. */
Test(control, backends_follow_their_service)
{
	struct sl_backend b = backend("b", "2001:db8::2", 100);
	struct sl_service s = service("web", "192.0.2.1");
	const struct sl_backend *now;
	struct lab l;

	lab_init(&l);
	s.forward = SL_FORWARD_GUE;
	s.gue_port = 7000;
	cr_assert_eq(sl_service_add(&s, &b), 0);
	cr_assert_eq(sl_control_service_create(l.control, &s, &l.err), 0, "%s", l.err.detail);
	add(&l, "web", "c", "10.0.0.3", 100);
	now = sl_control_config(l.control)->services[0].backends;
	cr_assert_eq(now[0].forward, SL_FORWARD_GUE);
	cr_assert_eq(now[1].forward, SL_FORWARD_GUE);
	cr_assert_eq(now[1].gue_port, 7000);
	sl_service_done(&s);
	lab_done(&l);
}

Test(control, what_cannot_change_is_named)
{
	struct sl_service s = service("web", "192.0.2.1");
	bool created;
	struct lab l;

	lab_init(&l);
	make_web(&l);
	s.table_size = 509;
	cr_assert_eq(sl_control_service_replace(l.control, &s, &created, &l.err), -EUCLEAN);
	cr_assert_str_eq(l.err.pointer, "/table/size");
	cr_assert_str_eq(l.err.slug, "immutable-field");
	lab_done(&l);
}

Test(control, room_for_slots_ends_with_an_error_and_comes_back)
{
	struct lab l;
	int n = 0, r;

	lab_init(&l);
	for (r = 0; !r && n < 20; n++) {
		struct sl_service s;
		char name[16], vip[24];

		snprintf(name, sizeof(name), "s%d", n);
		snprintf(vip, sizeof(vip), "192.0.2.%d", n + 1);
		s = service(name, vip);
		s.table_size = 655373;
		r = sl_control_service_create(l.control, &s, &l.err);
	}
	cr_assert_eq(r, -ENOSPC);
	cr_assert_eq(n, 7, "six tables of 655,373 fit 4 Mi slots");
	cr_assert_str_eq(l.err.slug, "capacity-exceeded");
	cr_assert_eq(sl_control_config(l.control)->n_services, 6);
	lab_done(&l);
}

Test(control, a_backend_in_use_is_not_deleted_without_force)
{
	struct lab l;
	uint16_t a;

	lab_init(&l);
	make_web(&l);
	a = backend_id(&l, "a");
	l.fake->dp.mem.backends[a].state = SL_DP_UP;
	l.fake->dp.mem.cnt_backend[a].packets = 1;
	cr_assert_eq(sl_control_backend_delete(l.control, "web", "a", false, &l.err), -EBUSY);
	cr_assert_str_eq(l.err.slug, "backend-not-drained");
	cr_assert_eq(sl_control_backend_delete(l.control, "web", "nobody", false, &l.err), -ENOENT);
	cr_assert_eq(sl_control_backend_delete(l.control, "web", "a", true, &l.err), 0);
	cr_assert_eq(owned(&l, id_of(&l, "192.0.2.1"), a), 0);
	lab_done(&l);
}

Test(control, a_removed_id_rests_before_it_is_used_again)
{
	struct lab l;
	uint16_t a;

	lab_init(&l);
	make_web(&l);
	a = backend_id(&l, "a");
	l.fake->dp.mem.exceptions[5].entry[0] = SL_EXC(1ull << 24, a, 1, 0);
	l.fake->dp.mem.exceptions[6].entry[0] = SL_EXC(1ull << 24, a + 1, 1, 0);
	cr_assert_eq(sl_control_backend_delete(l.control, "web", "a", true, &l.err), 0);
	cr_assert_eq(l.fake->dp.mem.exceptions[5].entry[0], 0, "its flows are forgotten");
	cr_assert_neq(l.fake->dp.mem.exceptions[6].entry[0], 0, "and no other's");
	add(&l, "web", "c", "10.0.0.9", 100);
	cr_assert_neq(backend_id(&l, "c"), a);
	lab_done(&l);
}

Test(control, a_state_file_that_makes_no_sense_freezes_but_does_not_fail)
{
	struct sl_backend b = backend("c", "10.0.0.3", 100);
	uint32_t before;
	uint16_t service_id;
	char path[64];
	struct lab l;
	FILE *f;

	lab_init(&l);
	make_web(&l);
	service_id = id_of(&l, "192.0.2.1");
	before = owned(&l, service_id, backend_id(&l, "a"));
	lab_stop(&l);
	snprintf(path, sizeof(path), "%s/state.json", l.dir);
	f = fopen(path, "w");
	fputs("{\"services\": [{\"name\": \"web\", ", f);
	fclose(f);
	l.control = sl_fake_control_new(&l.loop, l.fake, l.dir);
	cr_assert_not_null(l.control);
	cr_assert_not_null(sl_control_readonly(l.control));
	cr_assert_eq(sl_control_backend_create(l.control, "web", &b, &l.err), -EROFS);
	cr_assert_eq(id_of(&l, "192.0.2.1"), service_id, "it is still found");
	cr_assert_eq(owned(&l, service_id, backend_id(&l, "a")), before);
	lab_done(&l);
}
