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
	X(OTHER_NEW, "other of an unknown flow")               \
	X(LIST_DENY4, "list: IPv4 denied")                     \
	X(LIST_DENY6, "list: IPv6 denied")                     \
	X(LIST_ALLOW4, "list: IPv4 allowed")                   \
	X(LIST_ALLOW6, "list: IPv6 allowed")                   \
	X(LIST_ALL, "list: a prefix of 0 bits decides")        \
	X(LIST_ONE, "list: a whole address decides")           \
	X(LIST_LONGER, "list: longer against shorter")         \
	X(LIST_NONE, "list: asked, none has it")               \
	X(LIST_INDEX, "list: not asked, bit 0")                \
	X(LIST_ERROR, "list: an error's sender denied")        \
	X(LIST_LATER, "list: a later fragment denied")         \
	X(LIST_DRY, "list: denied, dry run")                   \
	X(LIST_FREE, "list: denied without limits")            \
	X(GUARD_LET_0, "packets of a source: charged")         \
	X(GUARD_LET_1, "flows of a source: charged")           \
	X(GUARD_LET_2, "packets of a network: charged")        \
	X(GUARD_LET_3, "flows of a network: charged")          \
	X(GUARD_NO_0, "packets of a source: refused")          \
	X(GUARD_NO_1, "flows of a source: refused")            \
	X(GUARD_NO_2, "packets of a network: refused")         \
	X(GUARD_NO_3, "flows of a network: refused")           \
	X(GUARD_EDGE, "a source's burst used up exactly")      \
	X(GUARD_OVER, "refused by one unit")                   \
	X(GUARD_PAST, "a source's time has come")              \
	X(GUARD_FAR, "a source's time is too far ahead")       \
	X(GUARD_TWICE, "two words of a source")                \
	X(GUARD_FREE, "a free place taken")                    \
	X(GUARD_OLD, "a past word's place taken")              \
	X(GUARD_KINDLESS, "a word of no kind is past")         \
	X(GUARD_FULL, "no place for a source")                 \
	X(SHARE_CREDIT_0, "packets of a service: credit")      \
	X(SHARE_CREDIT_1, "flows of a service: credit")        \
	X(SHARE_BATCH_0, "packets of a service: a batch")      \
	X(SHARE_BATCH_1, "flows of a service: a batch")        \
	X(SHARE_LAST_0, "packets of a service: the last one")  \
	X(SHARE_LAST_1, "flows of a service: the last one")    \
	X(SHARE_NO_0, "packets of a service: refused")         \
	X(SHARE_NO_1, "flows of a service: refused")           \
	X(SHARE_EDGE, "a service's burst used up exactly")     \
	X(SHARE_FAR, "a service's time is too far ahead")      \
	X(GUARD_CHARGED, "refused after others charged")       \
	X(GUARD_DRY_SOURCE, "dry run: guard_source")           \
	X(GUARD_DRY_SERVICE, "dry run: guard_service")         \
	X(GUARD_DRY_FLOW, "dry run: flows asked no more")      \
	X(GUARD_ERROR, "an error asked for the service")       \
	X(GUARD_ERROR_NO, "an error refused")                  \
	X(GUARD_LATER, "a later fragment charged")             \
	X(GUARD_SYN, "flows: a SYN")                           \
	X(GUARD_UDP, "flows: an unknown UDP flow")             \
	X(GUARD_UDP_NO, "flows: an unknown UDP flow refused")  \
	X(GUARD_UDP_LATER, "flows: a later fragment")          \
	X(GUARD_INITIAL, "flows: an Initial")                  \
	X(GUARD_WRAP, "a source's time wraps")                 \
	X(SHARE_WRAP, "a service's time wraps")

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
	X(NEXT_HOP, "sends without a next hop")                \
	X(LIST_SHORT, "has the shortest prefix decide")        \
	X(LIST_INDEX, "asks for prefixes whatever the index")  \
	X(LIST_ERROR, "does not look up an error's sender")    \
	X(GUARD_KINDS, "asks for flows first")                 \
	X(GUARD_LEVELS, "asks the network first")              \
	X(GUARD_EDGE, "refuses the burst's last")              \
	X(GUARD_CHARGE, "charges what is refused")             \
	X(GUARD_UNDO, "takes charges of the refused back")     \
	X(GUARD_FULL, "refuses where no place is")             \
	X(GUARD_FULL_COUNT, "does not count full sets")        \
	X(GUARD_FAR, "refuses a time too far ahead")           \
	X(GUARD_LIVE, "takes words for past half as far")      \
	X(GUARD_WIDE, "has networks of 16 and 40 bits")        \
	X(GUARD_ERROR, "charges errors to their sender")       \
	X(GUARD_DRY, "asks on after a dry refusal")            \
	X(GUARD_DRY_DENY, "denies in a dry run")               \
	X(GUARD_MOVED, "takes flows that move for new ones")   \
	X(GUARD_QUIC, "takes any QUIC packet for a new flow")  \
	X(SHARE_CREDIT, "forgets a service's credit")          \
	X(SHARE_BATCH, "refuses where a batch does not fit")   \
	X(SHARE_FAR, "refuses a service's time too far ahead")

enum sl_oracle_wrong {
	SL_WRONG_NOTHING,
#define SL_ORACLE_ENUM(sym, label) SL_WRONG_##sym,
	SL_ORACLE_WRONGS(SL_ORACLE_ENUM)
#undef SL_ORACLE_ENUM
		SL_WRONG_END,
};

#endif
