/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_guard_lists: listed prefixes at their edges, dry runs, and the packets
 * that are not of a source: errors; later fragments.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/prog/guard_rig.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* ---- lists ------------------------------------------------------------------------------- */

static const struct list_row {
	const char *from;
	enum sl_reason reason;
} list_rows[] = {
	/* deny 203.0.113.0/24 198.18.0.0/15 192.88.0.1/32, allow 203.0.113.64/26, deny
	   203.0.113.70/32 */
	{ "203.0.112.255", SL_R_SENT },
	{ "203.0.113.0", SL_R_GUARD_DENIED },
	{ "203.0.113.63", SL_R_GUARD_DENIED },
	{ "203.0.113.64", SL_R_SENT },
	{ "203.0.113.70", SL_R_GUARD_DENIED },
	{ "203.0.113.127", SL_R_SENT },
	{ "203.0.113.128", SL_R_GUARD_DENIED },
	{ "203.0.113.255", SL_R_GUARD_DENIED },
	{ "203.0.114.0", SL_R_SENT },
	{ "198.17.255.255", SL_R_SENT },
	{ "198.18.0.0", SL_R_GUARD_DENIED },
	{ "198.19.255.255", SL_R_GUARD_DENIED },
	{ "198.20.0.0", SL_R_SENT },
	{ "192.88.0.0", SL_R_SENT },
	{ "192.88.0.1", SL_R_GUARD_DENIED },
	{ "192.88.0.2", SL_R_SENT },
	/* deny 2001:db8:bad::/48 2400::/12 2001:db8:1::1/128, allow 2001:db8:bad:8000::/49 */
	{ "2001:db8:bac:ffff::", SL_R_SENT },
	{ "2001:db8:bad::", SL_R_GUARD_DENIED },
	{ "2001:db8:bad:7fff::1", SL_R_GUARD_DENIED },
	{ "2001:db8:bad:8000::", SL_R_SENT },
	{ "2001:db8:bae::", SL_R_SENT },
	{ "23ff:ffff::1", SL_R_SENT },
	{ "2400::1", SL_R_GUARD_DENIED },
	{ "240f:ffff:ffff::1", SL_R_GUARD_DENIED },
	{ "2410::1", SL_R_SENT },
	{ "2001:db8:1::", SL_R_SENT },
	{ "2001:db8:1::1", SL_R_GUARD_DENIED },
	{ "2001:db8:1::2", SL_R_SENT },
};

static void lists(void)
{
	static const char *const allow[] = { "203.0.113.64/26", "2001:db8:bad:8000::/49" };
	static const char *const deny[] = { "203.0.113.0/24",	 "198.18.0.0/15",
					    "192.88.0.1/32",	 "203.0.113.70/32",
					    "2001:db8:bad::/48", "2400::/12",
					    "2001:db8:1::1/128" };
	char name[120];

	for (size_t i = 0; i < N(list_rows); i++) {
		bool v6 = strchr(list_rows[i].from, ':');
		enum sl_fix to[] = { v6 ? SL_FIX_TCP6 : SL_FIX_TCP4, v6 ? SL_FIX_UDP6 : SL_FIX_UDP4,
				     v6 ? SL_FIX_FLOW6 : SL_FIX_FLOW4 };
		uint8_t flags[] = { SL_TCP_ACK, 0, 0 };

		for (size_t k = 0; k < N(to); k++) {
			enum sl_reason before, after;

			sl_guard_anew();
			before = sl_guard_ask(to[k], flags[k], list_rows[i].from,
					      7); /* the flow is there */
			sl_guard_list(allow, N(allow), deny, N(deny));
			after = sl_guard_ask(to[k], flags[k], list_rows[i].from, 7);
			snprintf(name, sizeof(name), "listed: %s to service %d: %s",
				 list_rows[i].from, (int)to[k], sl_rig_label(list_rows[i].reason));
			sl_tap(before == SL_R_SENT && after == list_rows[i].reason, name,
			       "it was %s, and with the lists %s", sl_rig_label(before),
			       sl_rig_label(after));
		}
	}
}

/* An allowed source has no limit and leaves no trace in the table; its neighbour has. */
static const char *try_allowed(enum sl_fix id)
{
	const struct sl_service_guard g = { .source = { SL_GUARD_ONCE(2), SL_GUARD_ONCE(2) },
					    .network = { SL_GUARD_ONCE(4), SL_GUARD_ONCE(4) },
					    .service = { SL_GUARD_ONCE(6), SL_GUARD_ONCE(6) } };
	const char *allow[] = { id & 1 ? "198.51.100.1/32" : "2001:db8:ffff:1::/64" };
	const char *const *host = sl_guard_hosts[!(id & 1)];

	sl_guard_anew();
	sl_guard_limit(id, &g);
	sl_guard_list(allow, 1, NULL, 0);
	sl_rig_mark(&sl_guard_rig);
	for (int i = 0; i < 40; i++)
		if (sl_guard_ask(id, SL_TCP_SYN, host[0], (uint16_t)(100 + i)) != SL_R_SENT)
			return "an allowed source was refused";
	if (memcmp(sl_guard_rig.mem->guard_sets, sl_rig_marked(&sl_guard_rig)->guard_sets,
		   sizeof(struct sl_guard_set) * SL_GUARD_SETS) != 0)
		return "an allowed source was charged";
	return sl_guard_sent(id, SL_TCP_SYN, host[1], 5, SL_R_GUARD_SOURCE) == 2
		       ? NULL
		       : "its neighbour was not limited";
}

static void everyone(void)
{
	static const char *const deny[] = { "0.0.0.0/0", "::/0" };
	static const char *const allow[] = { "198.51.100.7/32", "2001:db8:ffff::7/128" };

	sl_guard_anew();
	sl_guard_list(allow, 2, deny, 2);
	sl_tap(sl_guard_ask(SL_FIX_TCP4, SL_TCP_ACK, "1.0.0.1", 7) == SL_R_GUARD_DENIED &&
		       sl_guard_ask(SL_FIX_TCP4, SL_TCP_ACK, "223.255.255.255", 7) ==
			       SL_R_GUARD_DENIED &&
		       sl_guard_ask(SL_FIX_TCP6, SL_TCP_ACK, "2a00::1", 7) == SL_R_GUARD_DENIED,
	       "listed: all of 0.0.0.0/0 and ::/0 is denied", "one got through");
	sl_tap(sl_guard_ask(SL_FIX_TCP4, SL_TCP_ACK, NULL, 7) == SL_R_SENT &&
		       sl_guard_ask(SL_FIX_TCP6, SL_TCP_ACK, NULL, 7) == SL_R_SENT,
	       "listed: but one address of each, which is allowed", "it was refused");
	sl_tap(sl_guard_ask(SL_FIX_TCP4, SL_TCP_SYN | SL_TCP_FIN, "1.0.0.1", 7) == SL_R_TCP_BAD,
	       "listed: what is malformed is so first", "it is not");
	sl_guard_anew();
	sl_tap(sl_guard_ask(SL_FIX_TCP4, SL_TCP_ACK, "1.0.0.1", 7) == SL_R_SENT,
	       "listed: emptied, the lists hold nothing", "still refused");
}

/* Changing a list never leaves out what stays: seen by the map itself after each step. */
static void replaced(void)
{
	static const char *const first[] = { "203.0.113.0/24", "198.51.100.0/24" };
	static const char *const second[] = { "203.0.113.0/24", "192.0.2.128/25" };
	struct sl_packet p = sl_guard_packet(SL_FIX_TCP4, SL_TCP_ACK, "203.0.113.9", 7);

	sl_guard_anew();
	sl_guard_list(NULL, 0, first, 2);
	sl_tap(sl_guard_run(&p) == SL_R_GUARD_DENIED, "listed: before a change", "sent");
	sl_guard_list(NULL, 0, second, 2);
	sl_tap(sl_guard_run(&p) == SL_R_GUARD_DENIED, "listed: what stays, after it", "sent");
	sl_tap(sl_guard_ask(SL_FIX_TCP4, SL_TCP_ACK, "192.0.2.130", 7) == SL_R_GUARD_DENIED,
	       "listed: what came", "sent");
	sl_tap(sl_guard_ask(SL_FIX_TCP4, SL_TCP_ACK, "198.51.100.9", 7) == SL_R_SENT,
	       "listed: what left", "refused");
}

/* ---- dry run ------------------------------------------------------------------------------ */

static const char *try_dry(enum sl_fix id)
{
	const struct sl_service_guard g = { .dry_run = true,
					    .source.packets = SL_GUARD_ONCE(2),
					    .service.packets = SL_GUARD_ONCE(3) };
	const char *deny[] = { id & 1 ? "192.88.0.1/32" : "2400::/64" };
	const char *const *host = sl_guard_hosts[!(id & 1)];
	struct sl_guard_cnt was = sl_guard_rig.mem->cnt_guard[sl_guard_rig.row], is;
	struct sl_guard_set *sets = sl_guard_rig.mem->guard_sets;

	sl_guard_anew();
	sl_guard_limit(id, &g);
	sl_guard_list(NULL, 0, deny, 1);
	if (sl_guard_sent(id, SL_TCP_ACK, host[0], 7, SL_R_SENT) != 7)
		return "a dry run dropped";
	/* 1 of the service's is left: five were refused before it was asked */
	if (sl_guard_sent(id, SL_TCP_ACK, host[1], 2, SL_R_SENT) != 2)
		return "a dry run dropped";
	sl_rig_mark(&sl_guard_rig);
	if (sl_guard_ask(id, SL_TCP_ACK, id & 1 ? "192.88.0.1" : "2400::1", 7) != SL_R_SENT)
		return "a dry run dropped what is denied";
	if (memcmp(sets, sl_rig_marked(&sl_guard_rig)->guard_sets, sizeof(*sets) * SL_GUARD_SETS) !=
	    0)
		return "what would have been denied was charged";
	is = sl_guard_rig.mem->cnt_guard[sl_guard_rig.row];
	if (is.would_source - was.would_source != 5 || is.would_service - was.would_service != 1 ||
	    is.would_deny - was.would_deny != 1)
		return sl_guard_wrong("counted %llu %llu %llu, should be 5 1 1",
				      (unsigned long long)(is.would_source - was.would_source),
				      (unsigned long long)(is.would_service - was.would_service),
				      (unsigned long long)(is.would_deny - was.would_deny));
	return NULL;
}

/* A new flow that would be dropped as a packet is not asked as a flow too. */
static const char *try_dry_once(enum sl_fix id)
{
	const struct sl_service_guard g = { .dry_run = true,
					    .source = { SL_GUARD_ONCE(1), SL_GUARD_ONCE(2) } };
	struct sl_guard_cnt was = sl_guard_rig.mem->cnt_guard[sl_guard_rig.row], is;

	sl_guard_anew();
	sl_guard_limit(id, &g);
	if (sl_guard_sent(id, SL_TCP_SYN, NULL, 6, SL_R_SENT) != 6)
		return "a dry run dropped";
	is = sl_guard_rig.mem->cnt_guard[sl_guard_rig.row];
	/* the second is one flow too many, the other four are packets too many */
	return is.would_source - was.would_source == 5 ? NULL : "packets were counted twice";
}

/* ---- errors and fragments ---------------------------------------------------------------------
 */

static struct sl_packet icmp_error(enum sl_fix id, const char *router)
{
	struct sl_packet quoted = sl_guard_packet(id, SL_TCP_ACK, NULL, 7);
	struct sl_packet_spec spec = { .from = router,
				       .to = sl_fix_address(id),
				       .proto = id & 1 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
				       .icmp_type = id & 1 ? 3 : 2,
				       .icmp_code = id & 1 ? 4 : 0,
				       .icmp_rest = 1400 };

	sl_packet_turn(&quoted);
	spec.quoted = &quoted;
	return sl_fix_build(&spec);
}

static const char *try_errors(enum sl_fix id)
{
	const struct sl_service_guard source = { .source = { SL_GUARD_ONCE(1), SL_GUARD_ONCE(1) },
						 .network = { SL_GUARD_ONCE(1),
							      SL_GUARD_ONCE(1) } };
	const struct sl_service_guard all = { .service.packets = SL_GUARD_ONCE(4) };
	const char *router = id & 1 ? "192.88.0.1" : "2400::1";
	const char *deny_router[] = { id & 1 ? "192.88.0.1/32" : "2400::/64" };
	const char *deny_client[] = { id & 1 ? SL_FIX_CLIENT_V4 "/32" : SL_FIX_CLIENT_V6 "/128" };
	struct sl_packet p = icmp_error(id, router);
	int n = 0;

	sl_guard_anew();
	sl_guard_limit(id, &source);
	for (int i = 0; i < 9; i++)
		if (sl_guard_run(&p) != SL_R_SENT)
			return "an error was charged to a source";
	if (sl_guard_ask(id, SL_TCP_ACK, NULL, 7) != SL_R_SENT)
		return "errors used up what the client may send";
	sl_guard_anew();
	sl_guard_limit(id, &all);
	for (int i = 0; i < 9; i++)
		n += sl_guard_run(&p) == SL_R_SENT;
	if (n != 4)
		return sl_guard_wrong("%d errors were sent, the service takes 4 packets", n);
	sl_guard_anew();
	sl_guard_list(NULL, 0, deny_router, 1);
	if (sl_guard_run(&p) != SL_R_GUARD_DENIED)
		return "an error from a denied source was sent";
	sl_guard_list(NULL, 0, deny_client, 1);
	return sl_guard_run(&p) == SL_R_SENT ? NULL : "an error about a denied client was dropped";
}

static const char *try_fragments(enum sl_fix id)
{
	const struct sl_service_guard g = { .source.packets = SL_GUARD_ONCE(3) };
	struct sl_packet_spec spec = sl_fix_spec(id, 0);
	struct sl_packet p;
	int n = 0;

	spec.frag = id & 1 ? 3 : 3 << 3;
	if (!(id & 1)) {
		spec.ext[0] = 44;
		spec.n_ext = 1;
	}
	p = sl_fix_build(&spec);
	sl_guard_anew();
	sl_guard_limit(id, &g);
	for (int i = 0; i < 9; i++)
		n += sl_guard_run(&p) == SL_R_SENT;
	return n == 3 ? NULL : sl_guard_wrong("%d later fragments were sent, not 3", n);
}

int main(void)
{
	static const enum sl_fix all[] = { SL_FIX_TCP4, SL_FIX_TCP6,  SL_FIX_UDP4,
					   SL_FIX_UDP6, SL_FIX_FLOW4, SL_FIX_FLOW6 };
	static const enum sl_fix with_flows[] = { SL_FIX_TCP4, SL_FIX_TCP6, SL_FIX_FLOW4,
						  SL_FIX_FLOW6 };
	static const enum sl_fix hash3[] = { SL_FIX_HASH4, SL_FIX_HASH6 };
	static const enum sl_fix tcp[] = { SL_FIX_TCP4, SL_FIX_TCP6 };

	sl_guard_open();
	lists();
	everyone();
	replaced();
	sl_guard_check("an allowed source", try_allowed, with_flows, N(with_flows));
	sl_guard_check("dry run: counted and sent", try_dry, all, N(all));
	sl_guard_check("dry run: once a packet", try_dry_once, with_flows, N(with_flows));
	sl_guard_check("icmp errors", try_errors, tcp, N(tcp));
	sl_guard_check("later fragments", try_fragments, hash3, N(hash3));
	sl_rig_close(&sl_guard_rig);
	return sl_tap_done();
}
