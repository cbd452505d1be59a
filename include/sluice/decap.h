/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SLUICE_DECAP_H
#define SLUICE_DECAP_H

/*
 * decap: the contract of the backend's program (lb_kern/decap.bpf.c) with the
 * command that loads it (sluicectl decap). It shares nothing with the
 * balancer's: a backend needs no agent.
 */
#include <linux/types.h>

#include <sluice/types.h>

#define SL_DECAP_ABI	      1u
#define SL_DECAP_PREFIXES_MAX 256u /* of each list; a fleet's balancers are one prefix or a few */
#define SL_DECAP_GUE_PORT     6080 /* assigned to GUE */

/* Names of program and maps. The kernel keeps 15 characters of each. */
#define SL_DECAP_PROG	   "sl_decap"
#define SL_DECAP_MAP_CONF  "decap_conf"
#define SL_DECAP_MAP_FROM4 "decap_from4"
#define SL_DECAP_MAP_FROM6 "decap_from6"
#define SL_DECAP_MAP_TO4   "decap_to4"
#define SL_DECAP_MAP_TO6   "decap_to6"
#define SL_DECAP_MAP_COUNT "decap_count"

/*
 * Why a packet left the program. Numbers are an interface, as in reasons.h:
 * append, never renumber.
 *
 * X(symbol, number, action, label)
 *   action  NONE (the walk goes on), PASS, DROP
 */
#define SL_DECAP_REASONS(X)                                                       \
	X(NEXT, 0, NONE, "next")                                                  \
	X(OTHER, 1, PASS, "other")	   /* no tunnel packet of these kinds */  \
	X(IPIP, 2, PASS, "ipip")	   /* decapsulated */                     \
	X(GUE, 3, PASS, "gue")		   /* decapsulated */                     \
	X(STRANGER, 4, DROP, "stranger")   /* its source was not told */          \
	X(NOT_TO_US, 5, DROP, "not_to_us") /* its destination was not told */     \
	X(FRAGMENT, 6, DROP, "fragment")   /* of the outer packet */              \
	X(IP4_OPTIONS, 7, DROP, "ip4_options")                                    \
	X(IP6_EXT, 8, DROP, "ip6_ext")                                            \
	X(IP4_CHECKSUM, 9, DROP, "ip4_checksum")                                  \
	X(OUTER_LENGTH, 10, DROP, "outer_length") /* says more than there is */   \
	X(UDP_LENGTH, 11, DROP, "udp_length")	  /* not that of the IP packet */ \
	X(GUE_SHORT, 12, DROP, "gue_short")                                       \
	X(GUE_VARIANT, 13, DROP, "gue_variant") /* not 0 */                       \
	X(GUE_CONTROL, 14, DROP, "gue_control") /* no data but a message */       \
	X(GUE_OPTIONS, 15, DROP, "gue_options") /* hlen or flags not 0 */         \
	X(GUE_PROTO, 16, DROP, "gue_proto")	/* neither IPv4 nor IPv6 */       \
	X(INNER_SHORT, 17, DROP, "inner_short")                                   \
	X(INNER_BAD, 18, DROP, "inner_bad") /* not the version that was said */   \
	X(INNER_LENGTH, 19, DROP, "inner_length")                                 \
	X(ECN, 20, DROP, "ecn")		  /* congestion, and it cannot tell */    \
	X(BUG_HEAD, 21, DROP, "bug_head") /* the kernel refused to shorten */

enum sl_decap_reason {
#define SL_DECAP_REASON_ENUM(sym, num, act, label) SL_DECAP_R_##sym = num,
	SL_DECAP_REASONS(SL_DECAP_REASON_ENUM)
#undef SL_DECAP_REASON_ENUM
};

#define SL_DECAP_REASONS_MAX 32 /* rows of decap_count */

/* The only value of decap_conf; written before the program is loaded, never after. */
struct sl_decap_conf {
	__u32 abi;
	__u16 gue_port_be;
	__u8 has_to; /* destinations were told: others are refused */
	__u8 pad;
};
SL_ASSERT_SIZE(struct sl_decap_conf, 8);

/* Keys of the prefix maps (BPF_MAP_TYPE_LPM_TRIE): bits, then address. Their value says nothing. */
struct sl_decap_key4 {
	__u32 len;
	__u32 addr_be;
};
struct sl_decap_key6 {
	__u32 len;
	__u32 addr_be[4];
};
SL_ASSERT_SIZE(struct sl_decap_key4, 8);
SL_ASSERT_SIZE(struct sl_decap_key6, 20);

struct sl_decap_cnt { /* one for each CPU and reason */
	__u64 packets;
	__u64 bytes; /* of the frames as they came in */
};
SL_ASSERT_SIZE(struct sl_decap_cnt, 16);

#endif
