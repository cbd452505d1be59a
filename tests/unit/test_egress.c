/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of backends: their bytes, and what a packet may find in them between
 * any two of the stores that change them (egress_hooks.h).
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/egress_hooks.h"

#include "lb_user/svc/egress.h"

static struct sl_service service;
static struct sl_backend backend;
static struct sl_encapsulation enc;
static struct sl_nexthop_info hop;

static struct sl_addr addr(const char *text)
{
	struct sl_addr a = { .family = 0 };

	cr_assert_eq(sl_addr_parse(text, &a), 0, "%s", text);
	return a;
}

static struct sl_prefix prefix(const char *text)
{
	struct sl_prefix p = { .len = 0 };

	cr_assert_eq(sl_prefix_parse(text, &p), 0, "%s", text);
	return p;
}

static void start(void)
{
	sl_service_defaults(&service);
	sl_backend_defaults(&backend);
	memset(&enc, 0, sizeof(enc));
	backend.addr = addr("10.0.0.9");
	hop = (struct sl_nexthop_info){ .resolved = true,
					.ifindex = 7,
					.dev_ifindex = 7,
					.vlan = -1,
					.dst_mac = { 2, 0, 0, 0, 0, 9 },
					.src_mac = { 2, 0, 0, 0, 1, 1 },
					.mtu = 1400,
					.mtu_link = 1500,
					.source = addr("10.0.0.1") };
}

TestSuite(egress, .init = start);

static void make(struct sl_egress *e)
{
	const char *why = sl_egress_make(&service, &backend, &enc, &hop, e);

	cr_assert_null(why, "%s", why);
}

/* ---- bytes ------------------------------------------------------------------ */

Test(egress, l2dsr_is_macs_interface_and_mtus)
{
	struct sl_backend_rec rec = { .state = SL_DP_UP, .service = 3, .drain_track = 5 };
	struct sl_tunnel_rec tunnel = { .dport_be = 9, .saddr_be = { 1, 2 } }, none = {};
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 1, 1 };
	struct sl_egress e;

	make(&e);
	e.port = 4;
	sl_egress_store(&e, &rec, &tunnel);
	cr_assert_arr_eq(&rec, macs, 12);
	cr_assert_eq(rec.ifindex, 7);
	cr_assert_eq(rec.port, 4);
	cr_assert_eq(rec.fwd, SL_FWD_L2);
	cr_assert_eq(rec.flags, 0);
	cr_assert_eq(rec.mtu, 1400);
	cr_assert_eq(rec.mtu_link, 1500);
	cr_assert_eq(rec.vlan, 0);
	cr_assert_arr_eq(&tunnel, &none, sizeof(none));
	cr_assert(rec.state == SL_DP_UP && rec.service == 3 && rec.drain_track == 5,
		  "what is not of the way was touched");
	cr_assert_eq(sl_egress_source(&rec, &tunnel).addr.family, 0);
	cr_assert_eq(sl_egress_features(rec.fwd, rec.flags), 0);
}

Test(egress, tunnels_of_both_kinds_and_families)
{
	static const struct {
		enum sl_forward forward;
		const char *to, *source;
		uint8_t fwd, flags;
		uint16_t mtu, mtu_link, dport;
		uint32_t features;
	} rows[] = {
		{ SL_FORWARD_IPIP, "10.0.0.9", "10.0.0.1", SL_FWD_IPIP, 0, 1380, 1480, 0,
		  SL_FEAT_IPIP },
		{ SL_FORWARD_IPIP, "2001:db8::9", "2001:db8::1", SL_FWD_IPIP, SL_BF_OUTER6, 1360,
		  1460, 0, SL_FEAT_IPIP },
		{ SL_FORWARD_GUE, "10.0.0.9", "10.0.0.1", SL_FWD_GUE, 0, 1368, 1468, 6080,
		  SL_FEAT_GUE },
		{ SL_FORWARD_GUE, "2001:db8::9", "2001:db8::1", SL_FWD_GUE, SL_BF_OUTER6, 1348,
		  1448, 6080, SL_FEAT_GUE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sl_backend_rec rec = {};
		struct sl_tunnel_rec tunnel = {};
		struct sl_prefix source;
		struct sl_egress e;

		service.forward = rows[i].forward; /* the backend declares none */
		backend.addr = addr(rows[i].to);
		hop.source = addr(rows[i].source);
		make(&e);
		sl_egress_store(&e, &rec, &tunnel);
		cr_assert_eq(rec.fwd, rows[i].fwd, "row %zu", i);
		cr_assert_eq(rec.flags, rows[i].flags, "row %zu", i);
		cr_assert_eq(rec.mtu, rows[i].mtu, "row %zu: %u", i, rec.mtu);
		cr_assert_eq(rec.mtu_link, rows[i].mtu_link, "row %zu: %u", i, rec.mtu_link);
		cr_assert_eq(ntohs(tunnel.dport_be), rows[i].dport);
		cr_assert_arr_eq(tunnel.daddr_be, backend.addr.byte_be, 16);
		cr_assert_arr_eq(tunnel.saddr_be, hop.source.byte_be, 16);
		cr_assert_eq(tunnel.entropy_be, 0);
		cr_assert_eq(sl_egress_features(rec.fwd, rec.flags), rows[i].features);
		source = sl_egress_source(&rec, &tunnel);
		cr_assert(sl_addr_equal(&source.addr, &hop.source));
		cr_assert_eq(source.len, rows[i].flags ? 128 : 32);
	}
}

Test(egress, what_the_backend_declares_comes_first)
{
	struct sl_egress e;

	service.forward = SL_FORWARD_IPIP;
	backend.forward_own = true;
	backend.forward = SL_FORWARD_GUE;
	backend.gue_port_own = true;
	backend.gue_port = 5555;
	make(&e);
	cr_assert_eq(e.fwd, SL_FWD_GUE);
	cr_assert_eq(ntohs(e.tunnel.dport_be), 5555);
	backend.forward = SL_FORWARD_L2DSR;
	make(&e);
	cr_assert_eq(e.fwd, SL_FWD_L2);
}

Test(egress, a_configured_source_leaves_its_rest_to_the_hash)
{
	static const struct {
		const char *to, *source, *entropy;
	} rows[] = {
		{ "10.0.0.9", "192.0.2.1/32", "0.0.0.0" },
		{ "10.0.0.9", "192.0.2.0/24", "0.0.0.255" },
		{ "10.0.0.9", "172.16.0.0/13", "0.7.255.255" },
		{ "10.0.0.9", "0.0.0.0/0", "255.255.255.255" },
		{ "2001:db8::9", "2001:db8:5::1/128", "0.0.0.0" },
		{ "2001:db8::9", "2001:db8:5::/112", "0.0.255.255" },
		{ "2001:db8::9", "2001:db8:5::/97", "127.255.255.255" },
		{ "2001:db8::9", "2001:db8:5::/96", "255.255.255.255" },
		{ "2001:db8::9", "2001:db8:5::/64", "255.255.255.255" },
	};

	service.forward = SL_FORWARD_IPIP;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sl_prefix want = prefix(rows[i].source);
		struct sl_addr entropy = addr(rows[i].entropy);
		struct sl_egress e;

		backend.addr = addr(rows[i].to);
		enc = (struct sl_encapsulation){ .source4 = prefix("198.51.100.1"),
						 .source6 = prefix("2001:db8:ffff::1") };
		*(want.addr.family == AF_INET ? &enc.source4 : &enc.source6) = want;
		make(&e);
		cr_assert_arr_eq(e.tunnel.saddr_be, want.addr.byte_be, 16, "row %zu", i);
		cr_assert_arr_eq(&e.tunnel.entropy_be, entropy.byte_be, 4, "row %zu: %08x", i,
				 ntohl(e.tunnel.entropy_be));
	}
}

Test(egress, a_tunnel_without_source_says_what_to_do)
{
	struct sl_egress e;
	const char *why;

	hop.source = (struct sl_addr){ .family = 0 };
	make(&e); /* l2dsr needs none */
	service.forward = SL_FORWARD_GUE;
	why = sl_egress_make(&service, &backend, &enc, &hop, &e);
	cr_assert_not_null(why);
	cr_assert_not_null(strstr(why, "source4"), "%s", why);
	backend.addr = addr("2001:db8::9");
	hop.source = addr("10.0.0.1"); /* of the other family */
	enc.source4 = prefix("192.0.2.1");
	why = sl_egress_make(&service, &backend, &enc, &hop, &e);
	cr_assert_not_null(why);
	cr_assert_not_null(strstr(why, "source6"), "%s", why);
	enc.source6 = prefix("2001:db8::/64");
	make(&e);
}

Test(egress, vlan_is_the_declared_one_else_the_devices)
{
	static const struct {
		int32_t declared, found, vlan; /* vlan: -1: none */
	} rows[] = { { SL_VLAN_KEEP, -1, -1 },
		     { SL_VLAN_KEEP, 7, 7 },
		     { SL_VLAN_KEEP, 4094, 4094 },
		     { 0, -1, 0 },
		     { 0, 7, 0 },
		     { 12, 7, 12 },
		     { 4094, -1, 4094 },
		     { SL_VLAN_KEEP, 0, 0 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sl_egress e;

		backend.vlan = rows[i].declared;
		hop.vlan = rows[i].found;
		make(&e);
		cr_assert_eq(e.flags, rows[i].vlan < 0 ? 0 : SL_BF_VLAN, "row %zu", i);
		cr_assert_eq(e.vlan, rows[i].vlan < 0 ? 0 : rows[i].vlan, "row %zu", i);
		cr_assert_eq(sl_egress_features(e.fwd, e.flags),
			     rows[i].vlan < 0 ? 0 : SL_FEAT_VLAN);
	}
}

Test(egress, mtus_stay_in_their_range)
{
	static const struct {
		uint32_t mtu, link;
		uint16_t mtu_is, link_is;
	} rows[] = { { 0, 0, 0, 0 },
		     { 52, 52, 0, 0 },
		     { 53, 68, 1, 16 },
		     { 65535, 65536, 65483, 65484 },
		     { 65586, 65587, 65534, 65535 },
		     { 65588, 4000000000u, 65535, 65535 } };
	struct sl_egress e;

	service.forward = SL_FORWARD_GUE;
	backend.addr = addr("2001:db8::9");
	hop.source = addr("2001:db8::1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hop.mtu = rows[i].mtu;
		hop.mtu_link = rows[i].link;
		make(&e);
		cr_assert_eq(e.mtu, rows[i].mtu_is, "row %zu: %u", i, e.mtu);
		cr_assert_eq(e.mtu_link, rows[i].link_is, "row %zu: %u", i, e.mtu_link);
	}
}

/* ---- the order of stores -------------------------------------------------------- */

static struct {
	struct sl_backend_rec rec, was;
	struct sl_tunnel_rec tunnel, tunnel_was;
	struct sl_egress to;
	unsigned stores, dark, torn, too_long;
} seen;

static bool same_way(const struct sl_backend_rec *a, const struct sl_tunnel_rec *at,
		     const struct sl_backend_rec *b, const struct sl_tunnel_rec *bt)
{
	return a->ifindex == b->ifindex && a->port == b->port && a->fwd == b->fwd &&
	       a->flags == b->flags && a->vlan == b->vlan && !memcmp(at, bt, sizeof(*at));
}

static void way_of(const struct sl_egress *e, struct sl_backend_rec *ret)
{
	*ret = (struct sl_backend_rec){ .ifindex = e->ifindex,
					.port = e->port,
					.fwd = e->fwd,
					.flags = e->flags,
					.vlan = e->vlan };
}

/* A packet that comes now. */
void egress_stored(void)
{
	struct sl_backend_rec to;

	way_of(&seen.to, &to);
	seen.stores++;
	seen.too_long += seen.rec.mtu > seen.rec.mtu_link;
	if (!seen.rec.ifindex)
		seen.dark++;
	else if (!same_way(&seen.rec, &seen.tunnel, &seen.was, &seen.tunnel_was) &&
		 !same_way(&seen.rec, &seen.tunnel, &to, &seen.to.tunnel))
		seen.torn++;
}

static void begin(const struct sl_egress *from, const struct sl_egress *to)
{
	memset(&seen, 0, sizeof(seen));
	seen.to = *from;
	sl_egress_store(from, &seen.rec, &seen.tunnel);
	seen.was = seen.rec;
	seen.tunnel_was = seen.tunnel;
	seen.to = *to;
	seen.stores = seen.dark = seen.torn = seen.too_long = 0;
}

static struct sl_egress any(void)
{
	struct sl_egress e = { .mac_lo = 0x1111 + (unsigned)rand() % 2,
			       .mac_hi = 1 + (unsigned)rand() % 2,
			       .ifindex = 7 + (unsigned)rand() % 2,
			       .mtu_link = (uint16_t)(1400 + 100 * (rand() % 3)),
			       .fwd = (uint8_t)(rand() % 3) };

	e.port = (uint16_t)(e.ifindex - 6);
	e.mtu = (uint16_t)(e.mtu_link - 50 * (rand() % 3));
	if (rand() % 2) {
		e.flags |= SL_BF_VLAN;
		e.vlan = (uint16_t)(rand() % 3);
	}
	if (e.fwd == SL_FWD_L2)
		return e;
	if (rand() % 2)
		e.flags |= SL_BF_OUTER6;
	for (int i = 0; i < 2; i++) {
		e.tunnel.daddr_be[i] = 5 + (unsigned)rand() % 2;
		e.tunnel.saddr_be[i] = 8 + (unsigned)rand() % 2;
	}
	e.tunnel.entropy_be = (unsigned)rand() % 2;
	e.tunnel.dport_be = (uint16_t)(rand() % 2);
	return e;
}

/* What a straightforward hand would write. */
#define SET(word, value)                  \
	do {                              \
		if ((word) != (value)) {  \
			(word) = (value); \
			egress_stored();  \
		}                         \
	} while (0)

static void store_plainly(const struct sl_egress *e)
{
	SET(seen.rec.fwd, e->fwd);
	SET(seen.rec.flags, e->flags);
	SET(seen.rec.vlan, e->vlan);
	SET(seen.rec.port, e->port);
	SET(seen.rec.mtu, e->mtu);
	SET(seen.rec.mtu_link, e->mtu_link);
	for (int i = 0; i < 2; i++) {
		SET(seen.tunnel.daddr_be[i], e->tunnel.daddr_be[i]);
		SET(seen.tunnel.saddr_be[i], e->tunnel.saddr_be[i]);
	}
	SET(seen.tunnel.entropy_be, e->tunnel.entropy_be);
	SET(seen.tunnel.dport_be, e->tunnel.dport_be);
	SET(seen.rec.ifindex, e->ifindex);
}

Test(egress, a_packet_sees_the_old_way_or_none_or_the_new_one)
{
	unsigned moved = 0, torn_plainly = 0, too_long_plainly = 0;

	srand(1);
	for (int i = 0; i < 100000; i++) {
		struct sl_egress from = any(), to = any();
		struct sl_backend_rec want;
		bool same;

		begin(&from, &to);
		way_of(&to, &want);
		same = same_way(&seen.rec, &seen.tunnel, &want, &to.tunnel);
		sl_egress_store(&to, &seen.rec, &seen.tunnel);
		cr_assert_eq(seen.torn, 0, "half of each way at change %d", i);
		cr_assert_eq(seen.too_long, 0, "mtu above mtu_link at change %d", i);
		cr_assert_eq(seen.dark != 0, !same, "change %d", i);
		cr_assert(same_way(&seen.rec, &seen.tunnel, &want, &to.tunnel));
		cr_assert(seen.rec.mac_lo == to.mac_lo && seen.rec.mac_hi == to.mac_hi &&
			  seen.rec.mtu == to.mtu && seen.rec.mtu_link == to.mtu_link);
		moved += !same;
		begin(&from, &to);
		store_plainly(&to);
		torn_plainly += seen.torn;
		too_long_plainly += seen.too_long;
	}
	cr_assert_gt(moved, 10000);
	cr_assert_gt(torn_plainly, 10000, "control: the observer sees no torn record");
	cr_assert_gt(too_long_plainly, 1000, "control: the observer sees no mtu above mtu_link");
}

Test(egress, nothing_is_stored_for_nothing)
{
	struct sl_egress e, to;

	service.forward = SL_FORWARD_GUE;
	make(&e);
	begin(&e, &e);
	sl_egress_store(&e, &seen.rec, &seen.tunnel);
	cr_assert_eq(seen.stores, 0);

	to = e;
	to.mtu = 1000;
	begin(&e, &to);
	sl_egress_store(&to, &seen.rec, &seen.tunnel);
	cr_assert_eq(seen.stores, 1, "a new path MTU is one store");
	cr_assert_eq(seen.dark, 0);
	to.mtu_link = 1100;
	begin(&e, &to);
	sl_egress_store(&to, &seen.rec, &seen.tunnel);
	cr_assert(seen.stores == 2 && !seen.dark && !seen.too_long);

	to = e;
	to.mac_lo++;
	begin(&e, &to);
	sl_egress_store(&to, &seen.rec, &seen.tunnel);
	cr_assert(seen.stores == 1 && !seen.dark, "another MAC of the neighbour is one store");
}
