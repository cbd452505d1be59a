/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_REACH_H
#define TESTS_ORACLE_REACH_H

/* reach: what a long run must have met, and the errors that the oracle makes on demand. */

/* Ways through the walk that no reason tells apart. X(symbol, what it is) */
#define SL_ORACLE_BRANCHES(X)                                  \
	X(MTU_BELOW, "N one below mtu")                        \
	X(MTU_EQUAL, "N equal to mtu")                         \
	X(MTU_ABOVE, "N one above mtu")                        \
	X(NO_DF_SENT, "no DF: sent oversize")                  \
	X(NO_DF_LINK, "no DF: above mtu_link")                 \
	X(NO_DF_REFUSED, "no DF: the service refuses")         \
	X(BIG_1280, "too big: at most 1280")                   \
	X(BIG_ERROR, "too big: an ICMP error")                 \
	X(BIG_LATER, "too big: a later fragment")              \
	X(BIG_SOURCE, "too big: bad source")                   \
	X(BIG_GROUP, "too big: group MAC")                     \
	X(BIG_96, "too big: below 96")                         \
	X(BIG_CUT, "too big: below Q in buffer")               \
	X(TOLD_4, "told by IPv4")                              \
	X(TOLD_6, "told by IPv6")                              \
	X(TOLD_1280, "told 1280 for less")                     \
	X(TOLD_TAG1, "told behind a tag")                      \
	X(TOLD_TAG2, "told behind two tags")                   \
	X(TAGS_OFF, "tags removed, none put")                  \
	X(TAG_FOR_0, "a tag where none was")                   \
	X(TAG_FOR_1, "a tag for a tag")                        \
	X(TAG_FOR_2, "a tag for two")                          \
	X(TAGS_KEPT, "tags kept")                              \
	X(IPIP_44, "ipip: 4 in 4")                             \
	X(IPIP_64, "ipip: 6 in 4")                             \
	X(IPIP_46, "ipip: 4 in 6")                             \
	X(IPIP_66, "ipip: 6 in 6")                             \
	X(GUE_44, "gue: 4 in 4")                               \
	X(GUE_64, "gue: 6 in 4")                               \
	X(GUE_46, "gue: 4 in 6")                               \
	X(GUE_66, "gue: 6 in 6")                               \
	X(OUTER_TAGGED, "tunnel behind kept tags")             \
	X(OUTER_VLAN, "tunnel behind a new tag")               \
	X(OUTER_ID, "outer id from the inner")                 \
	X(OUTER_DF, "outer DF")                                \
	X(OUTER_FIRST, "tunnel: first fragment")               \
	X(OUTER_LATER, "tunnel: later fragment")               \
	X(OUTER_ERROR, "tunnel: ICMP error")                   \
	X(OUTER_PADDED, "tunnel: padding behind")              \
	X(ENTROPY_NONE, "entropy: no bits")                    \
	X(ENTROPY_SOME, "entropy: some bits")                  \
	X(ENTROPY_ALL, "entropy: 32 bits")                     \
	X(ECN_0, "tunnel: ECN 0")                              \
	X(ECN_1, "tunnel: ECN 1")                              \
	X(ECN_2, "tunnel: ECN 2")                              \
	X(ECN_3, "tunnel: ECN 3")                              \
	X(SUM_TCP4, "8a: TCP in IPv4")                         \
	X(SUM_UDP4, "8a: UDP in IPv4")                         \
	X(SUM_ICMP4, "8a: ICMP")                               \
	X(SUM_TCP6, "8a: TCP in IPv6")                         \
	X(SUM_UDP6, "8a: UDP in IPv6")                         \
	X(SUM_ICMP6, "8a: ICMPv6")                             \
	X(SUM_EXT, "8a: 0, extension header")                  \
	X(SUM_FRAGMENT, "8a: 0, fragment")                     \
	X(SUM_UDP0, "8a: 0, UDP without")                      \
	X(SUM_LENGTH, "8a: 0, UDP length")                     \
	X(SUM_PROVED, "8a: summed in full as well")            \
	X(LEAVES_TX, "tunnel: TX")                             \
	X(LEAVES_REDIRECT, "tunnel: REDIRECT")                 \
	X(LEAVES_NOT, "tunnel: no_port")                       \
	X(BUFFERS, "sent from two buffers")                    \
	X(QUIC_1, "quic: Initial, version 1")                  \
	X(QUIC_2, "quic: Initial, version 2")                  \
	X(QUIC_TYPE, "quic: another long packet")              \
	X(QUIC_VERSION, "quic: another version")               \
	X(QUIC_SHORT, "quic: short header")                    \
	X(QUIC_CUT, "quic: fewer than 5 bytes")                \
	X(QUIC_ABSENT, "quic: payload not in frame")           \
	X(INITIAL_STAYS, "Initial stays with its owner")       \
	X(INITIAL_DRAINING, "Initial leaves a DRAINING owner") \
	X(INITIAL_DOWN, "Initial leaves a DOWN owner")         \
	X(INITIAL_NEW, "Initial of an unknown flow")           \
	X(OTHER_STAYS, "other stays with a DRAINING owner")    \
	X(OTHER_DOWN, "other leaves a DOWN owner")             \
	X(OTHER_NEW, "other of an unknown flow")

enum sl_oracle_branch {
#define SL_ORACLE_ENUM(sym, label) SL_BRANCH_##sym,
	SL_ORACLE_BRANCHES(SL_ORACLE_ENUM)
#undef SL_ORACLE_ENUM
		SL_BRANCH_END,
};

/* Rules that the oracle breaks when told to. X(symbol, "an oracle that ...") */
#define SL_ORACLE_WRONGS(X)                                    \
	X(ECN, "does not copy ECN")                            \
	X(DSCP, "does not copy DSCP")                          \
	X(TTL, "sends tunnels with TTL 63")                    \
	X(DF, "loses DF")                                      \
	X(ID, "gives an outer packet without DF id 0")         \
	X(LABEL, "has no flow label")                          \
	X(SPORT, "has another UDP source port")                \
	X(ENTROPY, "inverts the entropy mask")                 \
	X(SUM6, "is one off in the UDP checksum over IPv6")    \
	X(SUM_UDP0, "sums UDP that came without a checksum")   \
	X(PRIORITY, "loses the VLAN priority")                 \
	X(TAGS, "keeps the second tag")                        \
	X(MTU, "is off by one in the MTU")                     \
	X(LINK, "forgets mtu_link")                            \
	X(FLOOR, "tells less than 1280")                       \
	X(TELL_ERRORS, "answers ICMP errors")                  \
	X(TELL_ANY, "answers whatever source")                 \
	X(QUOTE, "quotes from the Ethernet header on")         \
	X(TOLD_MTU, "tells an MTU that is one off")            \
	X(LIMIT, "answers one more a second")                  \
	X(QUIC_V2, "takes version 2's types for version 1's")  \
	X(QUIC_FLOWS, "counts whatever packet as a QUIC flow") \
	X(QUIC_DRAIN, "leaves Initials with a DRAINING owner") \
	X(BYTES, "counts bytes as they leave")                 \
	X(SENT, "counts what is sent in the row of reasons")   \
	X(SERVICE, "counts what is sent in the service's row") \
	X(NEXT_HOP, "sends without a next hop")

enum sl_oracle_wrong {
	SL_WRONG_NOTHING,
#define SL_ORACLE_ENUM(sym, label) SL_WRONG_##sym,
	SL_ORACLE_WRONGS(SL_ORACLE_ENUM)
#undef SL_ORACLE_ENUM
		SL_WRONG_END,
};

#endif
