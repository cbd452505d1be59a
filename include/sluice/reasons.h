/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SLUICE_REASONS_H
#define SLUICE_REASONS_H

/*
 * reasons: why a packet left the program. Numbers are ABI: metrics, pinned
 * counters and saved graphs use them. Append; never renumber; retire a row by
 * renaming it UNUSED_n.
 *
 * X(symbol, number, action, label)
 *   action  NONE (the walk goes on), PASS, SEND (TX or REDIRECT), DROP
 */
#define SL_REASONS(X)                                     \
	X(NEXT, 0, NONE, "next")                          \
	X(SENT, 1, SEND, "sent")                          \
	X(NOT_IP, 2, PASS, "not_ip")                      \
	X(NO_SERVICE, 3, PASS, "no_service")              \
	X(ETH_SHORT, 4, PASS, "eth_short")                \
	X(IP4_SHORT, 5, PASS, "ip4_short")                \
	X(IP4_BAD, 6, PASS, "ip4_bad")                    \
	X(FRAGMENT, 7, PASS, "fragment")                  \
	X(IP6_SHORT, 8, PASS, "ip6_short")                \
	X(IP6_BAD, 9, PASS, "ip6_bad")                    \
	X(L4_OTHER, 10, PASS, "l4_other")                 \
	X(L4_SHORT, 11, PASS, "l4_short")                 \
	X(IP4_LENGTH, 12, DROP, "ip4_length")             \
	X(IP6_LENGTH, 13, DROP, "ip6_length")             \
	X(TCP_BAD, 14, DROP, "tcp_bad")                   \
	X(UDP_BAD, 15, DROP, "udp_bad")                   \
	X(PORT_ZERO, 16, DROP, "port_zero")               \
	X(SLOT_EMPTY, 17, DROP, "slot_empty")             \
	X(NO_BACKEND, 18, DROP, "no_backend")             \
	X(BACKEND_DOWN, 19, DROP, "backend_down")         \
	X(IP6_EXT, 20, PASS, "ip6_ext")                   \
	X(NO_NEXT_HOP, 21, DROP, "no_next_hop")           \
	X(NO_PORT, 22, DROP, "no_port")                   \
	X(FRAGMENT_DROPPED, 23, DROP, "fragment_dropped") \
	X(SOURCE_BAD, 24, DROP, "source_bad")             \
	X(ICMP_OTHER, 25, PASS, "icmp_other")             \
	X(ECHOED, 26, SEND, "echoed")                     \
	X(ECHO_LIMITED, 27, DROP, "echo_limited")         \
	X(BUG_RARE, 28, PASS, "bug_rare")                 \
	X(TOO_BIG, 29, DROP, "too_big")                   \
	X(TOO_BIG_TOLD, 30, SEND, "too_big_told")         \
	X(TOO_BIG_LIMITED, 31, DROP, "too_big_limited")   \
	X(NO_HEADROOM, 32, DROP, "no_headroom")           \
	X(BUG_FEATURE, 33, DROP, "bug_feature")           \
	X(GUARD_DENIED, 34, DROP, "guard_denied")         \
	X(GUARD_SOURCE, 35, DROP, "guard_source")         \
	X(GUARD_SERVICE, 36, DROP, "guard_service")

enum sl_reason {
#define SL_REASON_ENUM(sym, num, act, label) SL_R_##sym = num,
	SL_REASONS(SL_REASON_ENUM)
#undef SL_REASON_ENUM
};

/* What becomes of the packet; NONE: the walk goes on. */
enum sl_action { SL_A_NONE, SL_A_PASS, SL_A_SEND, SL_A_DROP };

/* Room for growth in the pinned counters; a power of two. */
#define SL_REASONS_MAX 64

#endif
