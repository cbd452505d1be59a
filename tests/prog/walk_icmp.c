/* SPDX-License-Identifier: BSD-2-Clause */
/* walk_icmp: rows of ICMP errors that quote a flow, of others that do not, and of echo. */
#include "tests/prog/walk_rows.h"

#include <netinet/in.h>

#include "tests/prog/tap.h"

#define PATCH SL_WALK_PATCH
#define R4    "203.0.113.9" /* a router on the way, not the client */
#define R6    "2001:db8:eeee::9"

/* A packet of the flow that a backend sent, from the service to the client. */
#define SENT_BY(id, ...) \
	(&(const struct sl_walk_row){ .base = SL_FIX_##id, .turned = true, __VA_ARGS__ })
#define TCP4 SENT_BY(TCP4)
#define TCP6 SENT_BY(TCP6)

#define ERROR4(type, code, ...) \
	.spec = { .from = R4, .proto = 1, .icmp_type = type, .icmp_code = code, __VA_ARGS__ }
#define ERROR6(type, code, ...) \
	.spec = { .from = R6, .proto = 58, .icmp_type = type, .icmp_code = code, __VA_ARGS__ }
#define ECHO4(...) .spec = { .proto = 1, .icmp_type = 8, .icmp_rest = 0x12340001, __VA_ARGS__ }
#define ECHO6(...) .spec = { .proto = 58, .icmp_type = 128, .icmp_rest = 0x12340001, __VA_ARGS__ }

static void echo_spent(struct sl_rig *r)
{
	struct sl_limit *limit = &r->mem->limits[r->row];
	uint64_t jiffies;

	sl_rig_tick(r, NULL);
	if (r->dp->ops->jiffies(r->dp, &jiffies))
		sl_tap_bail("read the clock", "the clock program does not run");
	limit->window = (uint32_t)(jiffies >> (r->mem->info->tick_shift - 2));
	limit->echo_count = SL_ECHO_MAX;
}

static void echo_one_left(struct sl_rig *r)
{
	echo_spent(r);
	r->mem->limits[r->row].echo_count--;
}

static void echo_spent_before(struct sl_rig *r)
{
	echo_spent(r);
	r->mem->limits[r->row].window--;
}

static void no_backend_tcp4(struct sl_rig *r)
{
	sl_rig_backend(r, sl_fix_backend(SL_FIX_TCP4), SL_DP_DOWN, SL_RIG_LO, 0);
}

static void no_port(struct sl_rig *r)
{
	sl_fix_backends(r, SL_RIG_OTHER, SL_RIG_NO_PORT);
}

const struct sl_walk_row sl_walk_icmp[] = {
	/* errors that quote a flow of ours */
	{ "unreachable, net", SL_R_SENT, SL_FIX_TCP4, ERROR4(3, 0), .quotes = TCP4 },
	{ "fragmentation needed", SL_R_SENT, SL_FIX_TCP4, ERROR4(3, 4, .icmp_rest = 1400),
	  .quotes = TCP4 },
	{ "time exceeded", SL_R_SENT, SL_FIX_TCP4, ERROR4(11, 0), .quotes = TCP4 },
	{ "parameter problem", SL_R_SENT, SL_FIX_TCP4, ERROR4(12, 0), .quotes = TCP4 },
	{ "any code", SL_R_SENT, SL_FIX_TCP4, ERROR4(3, 255), .quotes = TCP4 },
	{ "unreachable, ipv6", SL_R_SENT, SL_FIX_TCP6, ERROR6(1, 0), .quotes = TCP6 },
	{ "packet too big", SL_R_SENT, SL_FIX_TCP6, ERROR6(2, 0, .icmp_rest = 1280),
	  .quotes = TCP6 },
	{ "time exceeded, ipv6", SL_R_SENT, SL_FIX_TCP6, ERROR6(3, 1), .quotes = TCP6 },
	{ "parameter problem, ipv6", SL_R_SENT, SL_FIX_TCP6, ERROR6(4, 2), .quotes = TCP6 },
	{ "quoting udp", SL_R_SENT, SL_FIX_UDP4, ERROR4(3, 3), .quotes = SENT_BY(UDP4) },
	{ "quoting udp, ipv6", SL_R_SENT, SL_FIX_UDP6, ERROR6(2, 0), .quotes = SENT_BY(UDP6) },
	{ "quoting udp with flows", SL_R_SENT, SL_FIX_FLOW4, ERROR4(3, 4), .quotes = SENT_BY(FLOW4),
	  .exc = { .lookups = 1 } },
	{ "quoting udp with flows, ipv6", SL_R_SENT, SL_FIX_FLOW6, ERROR6(2, 0),
	  .quotes = SENT_BY(FLOW6), .exc = { .lookups = 1 } },
	{ "quoting hash3", SL_R_SENT, SL_FIX_HASH4, ERROR4(3, 4), .quotes = SENT_BY(HASH4) },
	{ "quoting hash3, ipv6", SL_R_SENT, SL_FIX_HASH6, ERROR6(2, 0), .quotes = SENT_BY(HASH6) },
	{ "8 bytes quoted", SL_R_SENT, SL_FIX_TCP4, ERROR4(3, 4, .payload = 28), .quotes = TCP4 },
	{ "8 bytes quoted, ipv6", SL_R_SENT, SL_FIX_TCP6, ERROR6(2, 0, .payload = 48),
	  .quotes = TCP6 },
	{ "7 bytes quoted", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(3, 4, .payload = 27),
	  .quotes = TCP4 },
	{ "7 bytes quoted, ipv6", SL_R_ICMP_OTHER, SL_FIX_TCP6, ERROR6(2, 0, .payload = 47),
	  .quotes = TCP6 },
	{ "8 bytes quoted behind options", SL_R_SENT, SL_FIX_TCP4, ERROR4(11, 0, .payload = 68),
	  .quotes = SENT_BY(TCP4, .spec = { .ip_options = 40 }) },
	{ "7 bytes quoted behind options", SL_R_ICMP_OTHER, SL_FIX_TCP4,
	  ERROR4(11, 0, .payload = 67), .quotes = SENT_BY(TCP4, .spec = { .ip_options = 40 }) },
	{ "8 bytes quoted behind four headers", SL_R_SENT, SL_FIX_TCP6, ERROR6(2, 0, .payload = 80),
	  .quotes = SENT_BY(TCP6, .spec = { .ext = { 0, 60, 43, 44 }, .n_ext = 4 }) },
	{ "7 bytes quoted behind four headers", SL_R_ICMP_OTHER, SL_FIX_TCP6,
	  ERROR6(2, 0, .payload = 79),
	  .quotes = SENT_BY(TCP6, .spec = { .ext = { 0, 60, 43, 44 }, .n_ext = 4 }) },
	{ "options inside and outside", SL_R_SENT, SL_FIX_TCP4, ERROR4(3, 4, .ip_options = 40),
	  .quotes = SENT_BY(TCP4, .spec = { .ip_options = 40 }) },
	{ "headers inside and outside, tagged", SL_R_SENT, SL_FIX_TCP6,
	  ERROR6(2, 0, .vlans = 2, .ext = { 0, 60, 43, 60 }, .n_ext = 4),
	  .quotes = SENT_BY(TCP6, .spec = { .ext = { 60, 0, 60, 43 }, .n_ext = 4 }) },
	{ "tagged", SL_R_SENT, SL_FIX_TCP4, ERROR4(3, 4, .vlans = 2, .tag_type = 0x88a8),
	  .quotes = TCP4 },
	{ "quoting a first fragment", SL_R_SENT, SL_FIX_UDP4, ERROR4(3, 4),
	  .quotes = SENT_BY(UDP4, .spec = { .frag = 0x2000 }) },
	{ "quoting a first fragment, ipv6", SL_R_SENT, SL_FIX_UDP6, ERROR6(2, 0),
	  .quotes = SENT_BY(UDP6, .spec = { .ext = { 44 }, .n_ext = 1, .frag = 1 }) },
	{ "quoted lengths and flags mean nothing", SL_R_SENT, SL_FIX_TCP4, ERROR4(3, 4),
	  .quotes = SENT_BY(TCP4,
			    .patch = { PATCH(L3, 2, 0xff), PATCH(L4, 13, 0), PATCH(L4, 12, 0) }) },
	{ "a client's port 0 was quoted", SL_R_SENT, SL_FIX_TCP4, ERROR4(3, 4),
	  .quotes = SENT_BY(TCP4, .patch = { PATCH(L4, 2, 0), PATCH(L4, 3, 0) }) },
	{ "from the client itself", SL_R_SENT, SL_FIX_UDP4,
	  .spec = { .proto = 1, .icmp_type = 3, .icmp_code = 3 }, .quotes = SENT_BY(UDP4) },
	{ "another checksum", SL_R_SENT, SL_FIX_TCP4, ERROR4(3, 4), .quotes = TCP4,
	  .patch = { PATCH(L4, 2, 0x12), PATCH(L4, 3, 0x34) } },
	{ "1,500 bytes", SL_R_SENT, SL_FIX_TCP6, ERROR6(2, 0),
	  .quotes = SENT_BY(TCP6, .spec = { .payload = 1392 }) },

	/* ours, but impossible, or nobody to take it */
	{ "error longer than the frame", SL_R_IP4_LENGTH, SL_FIX_TCP4, ERROR4(3, 4), .quotes = TCP4,
	  .patch = { PATCH(L3, 2, 1) } },
	{ "error shorter than its header", SL_R_IP4_LENGTH, SL_FIX_TCP4, ERROR4(3, 4),
	  .quotes = TCP4, .patch = { PATCH(L3, 2, 0), PATCH(L3, 3, 19) } },
	{ "error longer than the frame, ipv6", SL_R_IP6_LENGTH, SL_FIX_TCP6, ERROR6(2, 0),
	  .quotes = TCP6, .patch = { PATCH(L3, 4, 1) } },
	{ "error, only backend down", SL_R_NO_BACKEND, SL_FIX_TCP4, ERROR4(3, 4), .quotes = TCP4,
	  .arrange = no_backend_tcp4, .exc = { .lookups = 1 } },
	{ "error, devmap port not set", SL_R_NO_PORT, SL_FIX_TCP4, ERROR4(3, 4), .quotes = TCP4,
	  .arrange = no_port },

	/* errors that are the host's own */
	{ "quoting another port", SL_R_NO_SERVICE, SL_FIX_TCP4, ERROR4(3, 4),
	  .quotes = SENT_BY(TCP4, .spec = { .dport = 444 }) },
	{ "quoting another port, ipv6", SL_R_NO_SERVICE, SL_FIX_TCP6, ERROR6(2, 0),
	  .quotes = SENT_BY(TCP6, .spec = { .dport = 444 }) },
	{ "quoting the other protocol", SL_R_NO_SERVICE, SL_FIX_TCP4, ERROR4(3, 4),
	  .quotes = SENT_BY(TCP4, .spec = { .proto = 17 }) },
	{ "quoting port 0", SL_R_NO_SERVICE, SL_FIX_HASH4, ERROR4(3, 4),
	  .quotes = SENT_BY(HASH4, .patch = { PATCH(L4, 0, 0), PATCH(L4, 1, 0) }) },
	{ "quoting another address", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(3, 4),
	  .quotes = SENT_BY(TCP4, .spec = { .to = "192.0.2.11" }) },
	{ "quoting another address, ipv6", SL_R_ICMP_OTHER, SL_FIX_TCP6, ERROR6(2, 0),
	  .quotes = SENT_BY(TCP6, .spec = { .to = "2001:db8::11" }) },
	{ "quoting another prefix, ipv6", SL_R_ICMP_OTHER, SL_FIX_TCP6, ERROR6(2, 0),
	  .quotes = SENT_BY(TCP6, .spec = { .to = "2001:db9::10" }) },
	{ "of a host that is not ours", SL_R_NO_SERVICE, SL_FIX_TCP4,
	  ERROR4(3, 4, .to = "192.0.2.11"),
	  .quotes = SENT_BY(TCP4, .spec = { .to = "192.0.2.11" }) },
	{ "quoting what went to us, not what we sent", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(3, 4),
	  .quotes = &(const struct sl_walk_row){ .base = SL_FIX_TCP4 } },
	{ "quoting a later fragment", SL_R_ICMP_OTHER, SL_FIX_UDP4, ERROR4(3, 4),
	  .quotes = SENT_BY(UDP4, .spec = { .frag = 185 }) },
	{ "quoting a later fragment, ipv6", SL_R_ICMP_OTHER, SL_FIX_UDP6, ERROR6(2, 0),
	  .quotes = SENT_BY(UDP6, .spec = { .ext = { 44 }, .n_ext = 1, .frag = 0xb9 }) },
	{ "quoting a later fragment of hash3", SL_R_ICMP_OTHER, SL_FIX_HASH4, ERROR4(3, 4),
	  .quotes = SENT_BY(HASH4, .spec = { .frag = 185 }) },
	{ "quoting five headers", SL_R_ICMP_OTHER, SL_FIX_TCP6, ERROR6(2, 0),
	  .quotes = SENT_BY(TCP6, .spec = { .ext = { 0, 60, 43, 60, 60 }, .n_ext = 5 }) },
	{ "quoting segments left", SL_R_ICMP_OTHER, SL_FIX_TCP6, ERROR6(2, 0),
	  .quotes = SENT_BY(TCP6, .spec = { .ext = { 43 }, .n_ext = 1 },
			    .patch = { PATCH(L3, 43, 1) }) },
	{ "quoting sctp", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(3, 4),
	  .quotes = SENT_BY(TCP4, .spec = { .proto = 132, .payload = 32 }) },
	{ "quoting icmp", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(11, 0),
	  .quotes = SENT_BY(TCP4, .spec = { .proto = 1, .payload = 32 }) },
	{ "quoting ipv6 in ipv4", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(3, 4), .quotes = TCP6 },
	{ "quoting ipv4 in ipv6", SL_R_ICMP_OTHER, SL_FIX_TCP6, ERROR6(2, 0), .quotes = TCP4 },
	{ "quoting version 5", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(3, 4),
	  .quotes = SENT_BY(TCP4, .patch = { PATCH(L3, 0, 0x55) }) },
	{ "quoting ihl 4", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(3, 4),
	  .quotes = SENT_BY(TCP4, .patch = { PATCH(L3, 0, 0x44) }) },
	{ "quoting ihl beyond the frame", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(3, 4, .payload = 28),
	  .quotes = SENT_BY(TCP4, .patch = { PATCH(L3, 0, 0x4f) }) },
	{ "quoting 19 bytes", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(3, 4, .payload = 19),
	  .quotes = TCP4 },
	{ "quoting nothing", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(3, 4, .payload = 1),
	  .quotes = TCP4, .len = 42 },
	{ "7 bytes of icmp", SL_R_L4_SHORT, SL_FIX_TCP4, ERROR4(3, 4), .quotes = TCP4, .len = 41 },
	{ "7 bytes of icmpv6", SL_R_L4_SHORT, SL_FIX_TCP6, ERROR6(2, 0), .quotes = TCP6,
	  .len = 61 },
	{ "error in a first fragment", SL_R_FRAGMENT, SL_FIX_TCP4, ERROR4(3, 4, .frag = 0x2000),
	  .quotes = TCP4 },
	{ "error in a later fragment", SL_R_FRAGMENT, SL_FIX_TCP4, ERROR4(3, 4, .frag = 185),
	  .quotes = TCP4 },
	{ "error in a first fragment, ipv6", SL_R_FRAGMENT, SL_FIX_TCP6,
	  ERROR6(2, 0, .ext = { 44 }, .n_ext = 1, .frag = 1), .quotes = TCP6 },
	{ "error in a later fragment, ipv6", SL_R_FRAGMENT, SL_FIX_HASH6,
	  ERROR6(2, 0, .ext = { 44 }, .n_ext = 1, .frag = 0xb9), .quotes = TCP6 },
	{ "later fragment, 1 byte", SL_R_FRAGMENT, SL_FIX_TCP4, ERROR4(3, 4, .frag = 185),
	  .quotes = TCP4, .len = 35 },
	{ "error in one piece with a fragment header", SL_R_SENT, SL_FIX_TCP6,
	  ERROR6(2, 0, .ext = { 44 }, .n_ext = 1), .quotes = TCP6 },
	{ "source quench", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(4, 0), .quotes = TCP4 },
	{ "redirect", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(5, 1), .quotes = TCP4 },
	{ "type 1 of ipv4", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(1, 0), .quotes = TCP4 },
	{ "type 2 of ipv4", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(2, 0), .quotes = TCP4 },
	{ "type 13 of ipv4", SL_R_ICMP_OTHER, SL_FIX_TCP4, ERROR4(13, 0), .quotes = TCP4 },
	{ "type 0 of ipv6", SL_R_ICMP_OTHER, SL_FIX_TCP6, ERROR6(0, 0), .quotes = TCP6 },
	{ "type 5 of ipv6", SL_R_ICMP_OTHER, SL_FIX_TCP6, ERROR6(5, 0), .quotes = TCP6 },
	{ "type 11 of ipv6", SL_R_ICMP_OTHER, SL_FIX_TCP6, ERROR6(11, 0), .quotes = TCP6 },
	{ "neighbour solicitation", SL_R_ICMP_OTHER, SL_FIX_TCP6, ERROR6(135, 0, .payload = 24) },
	{ "router advertisement", SL_R_ICMP_OTHER, SL_FIX_TCP6, ERROR6(134, 0, .payload = 24) },

	/* echo */
	{ "echo", SL_R_ECHOED, SL_FIX_TCP4, ECHO4(.payload = 56) },
	{ "echo, ipv6", SL_R_ECHOED, SL_FIX_TCP6, ECHO6(.payload = 56) },
	{ "echo, odd payload", SL_R_ECHOED, SL_FIX_TCP4, ECHO4(.payload = 7) },
	{ "echo, hash3 address", SL_R_ECHOED, SL_FIX_HASH4, ECHO4(.payload = 8) },
	{ "echo, hash3 address, ipv6", SL_R_ECHOED, SL_FIX_HASH6, ECHO6(.payload = 8) },
	{ "echo, 1,500 bytes", SL_R_ECHOED, SL_FIX_TCP4, ECHO4(.payload = 1472) },
	{ "echo, options", SL_R_ECHOED, SL_FIX_TCP4, ECHO4(.ip_options = 40) },
	{ "echo, options, tags", SL_R_ECHOED, SL_FIX_TCP4,
	  ECHO4(.ip_options = 4, .vlans = 2, .tag_type = 0x88a8) },
	{ "echo, headers, tag", SL_R_ECHOED, SL_FIX_TCP6,
	  ECHO6(.ext = { 0, 60, 43, 44 }, .n_ext = 4, .vlans = 1) },
	{ "echo, padded", SL_R_ECHOED, SL_FIX_TCP4, ECHO4(.payload = 1, .pad_to = 60) },
	{ "echo, hop limit 1", SL_R_ECHOED, SL_FIX_TCP6, ECHO6(.payload = 8),
	  .patch = { PATCH(L3, 7, 1) } },
	{ "echo, ttl 0, wrong header checksum", SL_R_ECHOED, SL_FIX_TCP4, ECHO4(.payload = 8),
	  .patch = { PATCH(L3, 8, 0) } },
	{ "echo, wrong checksum stays wrong", SL_R_ECHOED, SL_FIX_TCP4, ECHO4(.payload = 8),
	  .patch = { PATCH(L4, 2, 0xde), PATCH(L4, 3, 0xad) } },
	{ "echo, backends down", SL_R_ECHOED, SL_FIX_TCP4, ECHO4(.payload = 8),
	  .arrange = no_backend_tcp4 },
	{ "echo, the 1,000th", SL_R_ECHOED, SL_FIX_TCP4, ECHO4(.payload = 8),
	  .arrange = echo_one_left },
	{ "echo, the limit was reached in the window before", SL_R_ECHOED, SL_FIX_TCP6,
	  ECHO6(.payload = 8), .arrange = echo_spent_before },
	{ "echo, the 1,001st", SL_R_ECHO_LIMITED, SL_FIX_TCP4, ECHO4(.payload = 8),
	  .arrange = echo_spent, .uncounted = true },
	{ "echo, the 1,001st, ipv6", SL_R_ECHO_LIMITED, SL_FIX_TCP6, ECHO6(.payload = 8),
	  .arrange = echo_spent, .uncounted = true },
	{ "echo, not ours", SL_R_ICMP_OTHER, SL_FIX_TCP4, ECHO4(.to = "192.0.2.11") },
	{ "echo, not ours, ipv6", SL_R_ICMP_OTHER, SL_FIX_TCP6, ECHO6(.to = "2001:db8::11") },
	{ "echo, not ours, the limit is reached", SL_R_ICMP_OTHER, SL_FIX_TCP4,
	  ECHO4(.to = "192.0.2.11"), .arrange = echo_spent },
	{ "echo, not ours, longer than the frame", SL_R_ICMP_OTHER, SL_FIX_TCP4,
	  ECHO4(.to = "192.0.2.11"), .patch = { PATCH(L3, 2, 1) } },
	{ "echo, not ours, from itself", SL_R_ICMP_OTHER, SL_FIX_TCP4,
	  ECHO4(.from = "192.0.2.11", .to = "192.0.2.11") },
	{ "echo with a code", SL_R_ICMP_OTHER, SL_FIX_TCP4, ECHO4(.icmp_code = 1) },
	{ "echo with a code, ipv6", SL_R_ICMP_OTHER, SL_FIX_TCP6, ECHO6(.icmp_code = 1) },
	{ "echo reply", SL_R_ICMP_OTHER, SL_FIX_TCP4, .spec = { .proto = 1, .icmp_type = 0 } },
	{ "echo reply, ipv6", SL_R_ICMP_OTHER, SL_FIX_TCP6,
	  .spec = { .proto = 58, .icmp_type = 129 } },
	{ "type 128 of ipv4", SL_R_ICMP_OTHER, SL_FIX_TCP4,
	  .spec = { .proto = 1, .icmp_type = 128 } },
	{ "type 8 of ipv6", SL_R_ICMP_OTHER, SL_FIX_TCP6, .spec = { .proto = 58, .icmp_type = 8 } },
	{ "echo, first fragment", SL_R_FRAGMENT, SL_FIX_TCP4, ECHO4(.frag = 0x2000) },
	{ "echo, later fragment", SL_R_FRAGMENT, SL_FIX_TCP4, ECHO4(.frag = 1) },
	{ "echo, first fragment, ipv6", SL_R_FRAGMENT, SL_FIX_TCP6,
	  ECHO6(.ext = { 44 }, .n_ext = 1, .frag = 1) },
	{ "echo, longer than the frame", SL_R_IP4_LENGTH, SL_FIX_TCP4, ECHO4(.payload = 8),
	  .patch = { PATCH(L3, 2, 1) }, .uncounted = true },
	{ "echo, longer than the frame, ipv6", SL_R_IP6_LENGTH, SL_FIX_TCP6, ECHO6(.payload = 8),
	  .patch = { PATCH(L3, 4, 1) }, .uncounted = true },
	{ "echo, 7 bytes", SL_R_L4_SHORT, SL_FIX_TCP4, ECHO4(.payload = 8), .len = 41 },
	{ "echo from itself", SL_R_SOURCE_BAD, SL_FIX_TCP4, ECHO4(.from = SL_FIX_V4),
	  .uncounted = true },
	{ "echo from itself, ipv6", SL_R_SOURCE_BAD, SL_FIX_TCP6, ECHO6(.from = SL_FIX_V6),
	  .uncounted = true },
	{ "echo from 224.0.0.1", SL_R_SOURCE_BAD, SL_FIX_TCP4, ECHO4(.from = "224.0.0.1"),
	  .uncounted = true },
	{ "echo from 239.255.255.255", SL_R_SOURCE_BAD, SL_FIX_TCP4,
	  ECHO4(.from = "239.255.255.255"), .uncounted = true },
	{ "echo from 0.0.0.0", SL_R_SOURCE_BAD, SL_FIX_TCP4, ECHO4(.from = "0.0.0.0"),
	  .uncounted = true },
	{ "echo from 255.255.255.255", SL_R_SOURCE_BAD, SL_FIX_TCP4,
	  ECHO4(.from = "255.255.255.255"), .uncounted = true },
	{ "echo from ff02::1", SL_R_SOURCE_BAD, SL_FIX_TCP6, ECHO6(.from = "ff02::1"),
	  .uncounted = true },
	{ "echo from ::", SL_R_SOURCE_BAD, SL_FIX_TCP6, ECHO6(.from = "::"), .uncounted = true },
	{ "echo to a group's mac", SL_R_SOURCE_BAD, SL_FIX_TCP4, ECHO4(.payload = 8),
	  .patch = { PATCH(L2, 0, 1) }, .uncounted = true },
	{ "echo to the broadcast mac, ipv6", SL_R_SOURCE_BAD, SL_FIX_TCP6, ECHO6(.payload = 8),
	  .patch = { PATCH(L2, 0, 0xff) }, .uncounted = true },
	{ "echo from itself, the limit is reached", SL_R_SOURCE_BAD, SL_FIX_TCP4,
	  ECHO4(.from = SL_FIX_V4), .arrange = echo_spent, .uncounted = true },
	{ "echo from 223.255.255.255", SL_R_ECHOED, SL_FIX_TCP4, ECHO4(.from = "223.255.255.255") },
	{ "echo from 240.0.0.1", SL_R_ECHOED, SL_FIX_TCP4, ECHO4(.from = "240.0.0.1") },
	{ "echo from 0.0.0.1", SL_R_ECHOED, SL_FIX_TCP4, ECHO4(.from = "0.0.0.1") },
	{ "echo from a network's address, ipv6", SL_R_ECHOED, SL_FIX_TCP6,
	  ECHO6(.from = "2001:db8::") },
	{ "echo from ::1", SL_R_ECHOED, SL_FIX_TCP6, ECHO6(.from = "::1") },
	{ "echo from a neighbour's half, ipv6", SL_R_ECHOED, SL_FIX_TCP6,
	  ECHO6(.from = "2001:db8:0:1::10") },
};

const size_t sl_walk_n_icmp = sizeof(sl_walk_icmp) / sizeof(sl_walk_icmp[0]);
