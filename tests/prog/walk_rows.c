/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/walk_rows.h"

#include <string.h>

#define PATCH SL_WALK_PATCH

static void backend_down(struct sl_rig *r)
{
	r->mem->backends[sl_fix_backend(SL_FIX_TCP4)].state = SL_DP_DOWN;
}

static void backend_nowhere(struct sl_rig *r)
{
	r->mem->backends[sl_fix_backend(SL_FIX_TCP4)].ifindex = 0;
}

static void no_slots(struct sl_rig *r)
{
	sl_rig_own(r, SL_FIX_TCP4, 0);
}

static void down_drop(struct sl_rig *r)
{
	backend_down(r);
	r->mem->services[SL_FIX_TCP4].flags |= SL_SF_DOWN_DROP;
}

static void no_port(struct sl_rig *r)
{
	sl_fix_backends(r, SL_RIG_OTHER, SL_RIG_NO_PORT);
}

static void port_out_of_range(struct sl_rig *r)
{
	sl_fix_backends(r, SL_RIG_OTHER, 0xffff);
}

static void no_rare(struct sl_rig *r)
{
	sl_rig_rare(r, false);
}

static void no_rare_but_needed(struct sl_rig *r)
{
	no_rare(r);
	backend_down(r);
}

const struct sl_walk_row sl_walk_rows[] = {
	/* not ours: passed, to the byte */
	{ "arp", SL_R_NOT_IP, SL_FIX_TCP4, .spec = { .ethertype = 0x0806 } },
	{ "802.3 length instead of a type", SL_R_NOT_IP, SL_FIX_TCP4, .spec = { .ethertype = 60 } },
	{ "another address", SL_R_NO_SERVICE, SL_FIX_TCP4, .spec = { .to = "192.0.2.11" } },
	{ "another address, ipv6", SL_R_NO_SERVICE, SL_FIX_TCP6, .spec = { .to = "2001:db8::11" } },
	{ "another prefix, ipv6", SL_R_NO_SERVICE, SL_FIX_TCP6, .spec = { .to = "2001:db9::10" } },
	{ "another port", SL_R_NO_SERVICE, SL_FIX_TCP4, .spec = { .dport = 444 } },
	{ "another port, ipv6", SL_R_NO_SERVICE, SL_FIX_TCP6, .spec = { .dport = 444 } },
	{ "udp to a tcp service", SL_R_NO_SERVICE, SL_FIX_TCP4, .spec = { .proto = 17 } },
	{ "udp to a tcp service, ipv6", SL_R_NO_SERVICE, SL_FIX_TCP6, .spec = { .proto = 17 } },
	{ "tcp to a udp service", SL_R_NO_SERVICE, SL_FIX_UDP4,
	  .spec = { .proto = 6, .tcp_flags = 2 } },
	{ "tcp to a udp service, ipv6", SL_R_NO_SERVICE, SL_FIX_UDP6,
	  .spec = { .proto = 6, .tcp_flags = 2 } },
	{ "ours as the source", SL_R_NO_SERVICE, SL_FIX_TCP4,
	  .spec = { .from = SL_FIX_V4, .sport = 443, .to = "198.51.100.7", .dport = 40000 } },
	{ "broadcast", SL_R_NO_SERVICE, SL_FIX_UDP4, .spec = { .to = "255.255.255.255" } },
	{ "strange flags, not ours", SL_R_NO_SERVICE, SL_FIX_TCP4, .spec = { .dport = 444 },
	  .patch = { PATCH(L4, 13, 0xff) } },
	{ "source port 0, not ours", SL_R_NO_SERVICE, SL_FIX_TCP4, .spec = { .dport = 444 },
	  .patch = { PATCH(L4, 0, 0), PATCH(L4, 1, 0) } },
	{ "wrong length, not ours", SL_R_NO_SERVICE, SL_FIX_TCP4, .spec = { .dport = 444 },
	  .patch = { PATCH(L3, 2, 0xff), PATCH(L3, 3, 0xff) } },
	{ "sctp", SL_R_L4_OTHER, SL_FIX_TCP4, .spec = { .proto = 132, .payload = 32 } },
	{ "ipip", SL_R_L4_OTHER, SL_FIX_TCP4, .spec = { .proto = 4, .payload = 40 } },
	{ "authentication header", SL_R_L4_OTHER, SL_FIX_TCP4, .spec = { .proto = 51 } },
	{ "version 5 in ipv4", SL_R_IP4_BAD, SL_FIX_TCP4, .patch = { PATCH(L3, 0, 0x55) } },
	{ "version 6 in ipv4", SL_R_IP4_BAD, SL_FIX_TCP4, .patch = { PATCH(L3, 0, 0x65) } },
	{ "ihl 4", SL_R_IP4_BAD, SL_FIX_TCP4, .patch = { PATCH(L3, 0, 0x44) } },
	{ "version 4 in ipv6", SL_R_IP6_BAD, SL_FIX_TCP6, .patch = { PATCH(L3, 0, 0x40) } },
	{ "no room for the ipv4 header", SL_R_IP4_SHORT, SL_FIX_UDP4, .spec = { .proto = 99 },
	  .len = 33 },
	{ "no room for the ipv6 header", SL_R_IP6_SHORT, SL_FIX_UDP6, .spec = { .proto = 99 },
	  .len = 53 },
	{ "no room for ports", SL_R_L4_SHORT, SL_FIX_TCP4, .spec = { .proto = 99, .payload = 3 },
	  .patch = { PATCH(L3, 9, 6) } },
	{ "no room for ports, ipv6", SL_R_L4_SHORT, SL_FIX_TCP6,
	  .spec = { .proto = 99, .payload = 3 }, .patch = { PATCH(L3, 6, 6) } },
	{ "icmpv6 in ipv4", SL_R_L4_OTHER, SL_FIX_TCP4, .spec = { .proto = 58, .icmp_type = 128 } },
	{ "icmp in ipv6", SL_R_L4_OTHER, SL_FIX_TCP6, .spec = { .proto = 1, .icmp_type = 8 } },
	{ "port 0 is nobody's", SL_R_NO_SERVICE, SL_FIX_TCP4,
	  .patch = { PATCH(L4, 2, 0), PATCH(L4, 3, 0) } },
	{ "port 0 is nobody's, ipv6", SL_R_NO_SERVICE, SL_FIX_TCP6,
	  .patch = { PATCH(L4, 2, 0), PATCH(L4, 3, 0) } },
	{ "port 0 is not the service that takes fragments", SL_R_NO_SERVICE, SL_FIX_HASH4,
	  .patch = { PATCH(L4, 2, 0), PATCH(L4, 3, 0) } },
	{ "port 0 is not the service that takes fragments, ipv6", SL_R_NO_SERVICE, SL_FIX_HASH6,
	  .patch = { PATCH(L4, 2, 0), PATCH(L4, 3, 0) } },
	{ "source is destination, not ours", SL_R_NO_SERVICE, SL_FIX_TCP4,
	  .spec = { .from = "192.0.2.11", .to = "192.0.2.11" } },
	/* ours, but impossible: dropped, and the service says so */
	{ "ipv4 longer than the frame", SL_R_IP4_LENGTH, SL_FIX_TCP4,
	  .patch = { PATCH(L3, 2, 1) } },
	{ "ipv4 shorter than its header", SL_R_IP4_LENGTH, SL_FIX_TCP4,
	  .patch = { PATCH(L3, 3, 19) } },
	{ "ipv6 longer than the frame", SL_R_IP6_LENGTH, SL_FIX_TCP6,
	  .patch = { PATCH(L3, 4, 1) } },
	{ "ipv4 without the tcp header", SL_R_TCP_BAD, SL_FIX_TCP4, .patch = { PATCH(L3, 3, 39) } },
	{ "ipv6 jumbo (length 0)", SL_R_TCP_BAD, SL_FIX_TCP6,
	  .patch = { PATCH(L3, 4, 0), PATCH(L3, 5, 0) } },
	{ "doff 4", SL_R_TCP_BAD, SL_FIX_TCP4, .patch = { PATCH(L4, 12, 0x40) } },
	{ "doff beyond the segment", SL_R_TCP_BAD, SL_FIX_TCP6, .patch = { PATCH(L4, 12, 0xf0) } },
	{ "no flags", SL_R_TCP_BAD, SL_FIX_TCP4, .patch = { PATCH(L4, 13, 0) } },
	{ "push and urgent alone", SL_R_TCP_BAD, SL_FIX_TCP4, .patch = { PATCH(L4, 13, 0x28) } },
	{ "syn fin", SL_R_TCP_BAD, SL_FIX_TCP4, .patch = { PATCH(L4, 13, 0x03) } },
	{ "syn rst", SL_R_TCP_BAD, SL_FIX_TCP6, .patch = { PATCH(L4, 13, 0x06) } },
	{ "all flags", SL_R_TCP_BAD, SL_FIX_TCP4, .patch = { PATCH(L4, 13, 0xff) } },
	{ "udp length 7", SL_R_UDP_BAD, SL_FIX_UDP4, .patch = { PATCH(L4, 5, 7) } },
	{ "udp length 0, ipv6", SL_R_UDP_BAD, SL_FIX_UDP6, .patch = { PATCH(L4, 5, 0) } },
	{ "udp longer than ip says", SL_R_UDP_BAD, SL_FIX_UDP4, .patch = { PATCH(L4, 5, 14) } },
	{ "source port 0", SL_R_PORT_ZERO, SL_FIX_TCP4,
	  .patch = { PATCH(L4, 0, 0), PATCH(L4, 1, 0) } },
	{ "source port 0, udp over ipv6", SL_R_PORT_ZERO, SL_FIX_UDP6,
	  .patch = { PATCH(L4, 0, 0), PATCH(L4, 1, 0) } },
	{ "source is destination", SL_R_SOURCE_BAD, SL_FIX_TCP4, .spec = { .from = SL_FIX_V4 } },
	{ "source is destination, ipv6", SL_R_SOURCE_BAD, SL_FIX_TCP6,
	  .spec = { .from = SL_FIX_V6 } },
	{ "source is destination, udp", SL_R_SOURCE_BAD, SL_FIX_FLOW4,
	  .spec = { .from = SL_FIX_V4 } },
	{ "source is destination, udp over ipv6", SL_R_SOURCE_BAD, SL_FIX_UDP6,
	  .spec = { .from = SL_FIX_V6 } },
	{ "source is destination, port 0", SL_R_SOURCE_BAD, SL_FIX_TCP4,
	  .spec = { .from = SL_FIX_V4 }, .patch = { PATCH(L4, 0, 0), PATCH(L4, 1, 0) } },
	{ "source is destination, too long", SL_R_IP4_LENGTH, SL_FIX_TCP4,
	  .spec = { .from = SL_FIX_V4 }, .patch = { PATCH(L3, 2, 1) } },
	/* ours, but nobody to take it */
	{ "empty table", SL_R_SLOT_EMPTY, SL_FIX_TCP4, .arrange = no_slots,
	  .exc = { .lookups = 1 } },
	{ "only backend down", SL_R_NO_BACKEND, SL_FIX_TCP4, .arrange = backend_down,
	  .exc = { .lookups = 1 } },
	{ "only backend down, syn", SL_R_NO_BACKEND, SL_FIX_TCP4,
	  .spec = { .tcp_flags = SL_TCP_SYN }, .arrange = backend_down },
	{ "flows of a down backend are dropped", SL_R_BACKEND_DOWN, SL_FIX_TCP4,
	  .arrange = down_drop, .exc = { .lookups = 1 } },
	{ "backend without interface", SL_R_NO_NEXT_HOP, SL_FIX_TCP4, .arrange = backend_nowhere },
	{ "devmap port not set", SL_R_NO_PORT, SL_FIX_TCP4, .arrange = no_port },
	{ "devmap port out of range", SL_R_NO_PORT, SL_FIX_TCP6, .arrange = port_out_of_range },
	/* the agent's doing */
	{ "no rare program, which two tags need", SL_R_BUG_RARE, SL_FIX_TCP4,
	  .spec = { .vlans = 2 }, .arrange = no_rare },
	{ "no rare program, which arp needs", SL_R_BUG_RARE, SL_FIX_TCP4,
	  .spec = { .ethertype = 0x0806 }, .arrange = no_rare },
	{ "no rare program, which a down owner needs", SL_R_BUG_RARE, SL_FIX_TCP4,
	  .arrange = no_rare_but_needed },
	{ "no rare program, which remembered flows need", SL_R_BUG_RARE, SL_FIX_FLOW6,
	  .arrange = no_rare },
	{ "no rare program, and none needed", SL_R_SENT, SL_FIX_TCP4, .arrange = no_rare },
	{ "no rare program, and none needed, ipv6 udp", SL_R_SENT, SL_FIX_UDP6,
	  .arrange = no_rare },
	{ "no rare program: common, not ours", SL_R_NO_SERVICE, SL_FIX_TCP4,
	  .spec = { .dport = 444 }, .arrange = no_rare },
	{ "no rare program: common, impossible", SL_R_TCP_BAD, SL_FIX_TCP6,
	  .patch = { PATCH(L4, 13, 0) }, .arrange = no_rare },
	/* odd, but sound */
	{ "ipv4 options", SL_R_SENT, SL_FIX_TCP4, .spec = { .ip_options = 40 } },
	{ "tcp options", SL_R_SENT, SL_FIX_TCP6, .spec = { .tcp_options = 40 } },
	{ "all options", SL_R_SENT, SL_FIX_TCP4, .spec = { .ip_options = 40, .tcp_options = 40 } },
	{ "padded by a network card", SL_R_SENT, SL_FIX_UDP4, .spec = { .pad_to = 60 } },
	{ "1500 bytes", SL_R_SENT, SL_FIX_TCP6, .spec = { .payload = 1440 } },
	{ "don't fragment", SL_R_SENT, SL_FIX_TCP4, .spec = { .frag = 0x4000 } },
	{ "first fragment of a datagram", SL_R_SENT, SL_FIX_UDP4, .spec = { .frag = 0x2000 },
	  .patch = { PATCH(L4, 4, 0x20) } },
	{ "udp shorter than ip says", SL_R_SENT, SL_FIX_UDP6, .patch = { PATCH(L4, 5, 8) } },
};

const size_t sl_walk_n_rows = sizeof(sl_walk_rows) / sizeof(sl_walk_rows[0]);

struct sl_packet sl_walk_packet(const struct sl_walk_row *row)
{
	struct sl_packet_spec spec = sl_fix_spec(row->base, SL_TCP_ACK);
	const struct sl_packet_spec *s = &row->spec;
	struct sl_packet p, quoted;

	spec.from = s->from ? s->from : spec.from;
	spec.to = s->to ? s->to : spec.to;
	spec.sport = s->sport ? s->sport : spec.sport;
	spec.dport = s->dport ? s->dport : spec.dport;
	spec.proto = s->proto ? s->proto : spec.proto;
	spec.tcp_flags = s->tcp_flags ? s->tcp_flags : spec.tcp_flags;
	spec.payload = s->payload ? s->payload : spec.payload;
	spec.vlans = s->vlans;
	spec.tag_type = s->tag_type;
	spec.ip_options = s->ip_options;
	spec.tcp_options = s->tcp_options;
	memcpy(spec.ext, s->ext, sizeof(spec.ext));
	spec.n_ext = s->n_ext;
	spec.ext_more = s->ext_more;
	spec.icmp_type = s->icmp_type;
	spec.icmp_code = s->icmp_code;
	spec.icmp_rest = s->icmp_rest;
	spec.frag = s->frag;
	spec.ethertype = s->ethertype;
	spec.pad_to = s->pad_to;
	if (row->quotes) {
		quoted = sl_walk_packet(row->quotes);
		spec.quoted = &quoted;
		spec.payload = s->payload;
	}
	p = sl_fix_build(&spec);
	if (row->turned)
		sl_packet_turn(&p);
	for (size_t i = 0; i < sizeof(row->patch) / sizeof(row->patch[0]); i++) {
		const struct sl_walk_patch *x = &row->patch[i];
		uint32_t from = x->from == SL_WALK_L3 ? p.l3 : x->from == SL_WALK_L4 ? p.l4 : 0;

		if (x->on)
			p.byte[from + x->at] = x->value;
	}
	if (row->len)
		p.len = row->len;
	return p;
}
