/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_ORACLE_H
#define TESTS_ORACLE_ORACLE_H

/*
 * oracle: the walk a second time, written from lb_kern/WALK.md, the slot rules
 * of lb_kern/README.md and include/sluice/ alone, over a plain model of memory.
 *
 * sl_oracle_walk() changes nothing: it says what must become of a frame and of
 * memory. Where the specification leaves a choice (which of several places an
 * entry takes), it says what is allowed.
 */
#include <stdbool.h>
#include <stdint.h>

#include <sluice/guard.h>
#include <sluice/types.h>

#include "tests/oracle/reach.h"

#define SL_ORACLE_SERVICES  16u
#define SL_ORACLE_ADDRESSES 8u
#define SL_ORACLE_SLOTS	    256u
#define SL_ORACLE_OWN	    8u
#define SL_ORACLE_PREFIXES  24u
#define SL_ORACLE_FRAME	    3000u		    /* that comes in */
#define SL_ORACLE_LEFT	    (SL_ORACLE_FRAME + 64u) /* that leaves: a tag and 52 bytes more */

/* Every reason that the specification names. X(symbol, label of reasons.h) */
#define SL_ORACLE_WHYS(X)                       \
	X(SENT, "sent")                         \
	X(NOT_IP, "not_ip")                     \
	X(NO_SERVICE, "no_service")             \
	X(ETH_SHORT, "eth_short")               \
	X(IP4_SHORT, "ip4_short")               \
	X(IP4_BAD, "ip4_bad")                   \
	X(IP6_SHORT, "ip6_short")               \
	X(IP6_BAD, "ip6_bad")                   \
	X(IP6_EXT, "ip6_ext")                   \
	X(L4_OTHER, "l4_other")                 \
	X(L4_SHORT, "l4_short")                 \
	X(FRAGMENT, "fragment")                 \
	X(FRAGMENT_DROPPED, "fragment_dropped") \
	X(IP4_LENGTH, "ip4_length")             \
	X(IP6_LENGTH, "ip6_length")             \
	X(SOURCE_BAD, "source_bad")             \
	X(PORT_ZERO, "port_zero")               \
	X(TCP_BAD, "tcp_bad")                   \
	X(UDP_BAD, "udp_bad")                   \
	X(ICMP_OTHER, "icmp_other")             \
	X(ECHOED, "echoed")                     \
	X(ECHO_LIMITED, "echo_limited")         \
	X(SLOT_EMPTY, "slot_empty")             \
	X(NO_BACKEND, "no_backend")             \
	X(BACKEND_DOWN, "backend_down")         \
	X(NO_NEXT_HOP, "no_next_hop")           \
	X(TOO_BIG, "too_big")                   \
	X(TOO_BIG_TOLD, "too_big_told")         \
	X(TOO_BIG_LIMITED, "too_big_limited")   \
	X(NO_PORT, "no_port")                   \
	X(GUARD_DENIED, "guard_denied")         \
	X(GUARD_SOURCE, "guard_source")         \
	X(GUARD_SERVICE, "guard_service")

enum sl_oracle_why {
	SL_WHY_NONE, /* the walk goes on */
#define SL_ORACLE_ENUM(sym, label) SL_WHY_##sym,
	SL_ORACLE_WHYS(SL_ORACLE_ENUM)
#undef SL_ORACLE_ENUM
		SL_WHY_END,
};

enum sl_oracle_verdict { SL_ORACLE_PASS, SL_ORACLE_DROP, SL_ORACLE_TX, SL_ORACLE_REDIRECT };

/* How a frame came to the slots. */
enum sl_oracle_by { SL_BY_NOTHING, SL_BY_PORTS, SL_BY_FRAGMENT, SL_BY_ERROR, SL_BY_END };

struct sl_oracle_slot {
	uint16_t cur, old, seen;
	bool t;
};

/* In units of 2^-16 jiffies; cost 0: off. */
struct sl_oracle_rate {
	uint32_t cost, burst;
};

/* Of a whole service, in units of 2^-28 jiffies; cost 0: off. */
struct sl_oracle_share {
	uint64_t cost, burst;
	uint16_t batch;
};

struct sl_oracle_service {
	uint16_t id;
	bool v6, udp;
	uint8_t addr[16];
	uint16_t port;
	bool remember;	/* udp_flows: flow or quic */
	bool quic;	/* udp_flows: quic */
	bool oversize;	/* oversize: send */
	bool down_drop; /* on_down: drop */
	bool hash3;
	uint16_t idle_ticks;
	uint16_t spare[SL_SPARES];
	bool guard; /* its limits are looked at */
	bool dry;   /* what the guard would drop is sent */
	struct sl_oracle_rate source[SL_GUARD_LEVELS][SL_GUARD_KINDS];
	struct sl_oracle_share share[SL_GUARD_KINDS];
	uint64_t pool[SL_GUARD_KINDS];	 /* its time */
	uint32_t credit[SL_GUARD_KINDS]; /* of the CPU under test */
	uint16_t own[SL_ORACLE_OWN];	 /* ids of its backends */
	unsigned n_own;
	uint32_t base, n_slots;
	struct sl_oracle_slot slot[SL_ORACLE_SLOTS];
};

/* What stands at port 0 of an address. */
enum sl_oracle_port0 { SL_PORT0_NOTHING, SL_PORT0_ADDRESS, SL_PORT0_SERVICE };

struct sl_oracle_address {
	bool v6;
	uint8_t addr[16];
	enum sl_oracle_port0 port0[2]; /* TCP, UDP */
	uint16_t hash3; /* index of its UDP service with hash3, for SL_PORT0_SERVICE */
};

struct sl_oracle_backend {
	uint8_t macs[12];
	uint32_t ifindex;
	uint16_t port;
	uint16_t service; /* id */
	uint8_t state;	  /* enum sl_dp_state */
	uint8_t drain_track;
	uint8_t fwd; /* enum sl_fwd */
	bool retags; /* leaves with the tag @vlan, with none if that is 0 */
	bool outer6; /* its tunnel is in IPv6 */
	uint16_t vlan, mtu, mtu_link;
	/* its tunnel's; IPv4 in the first four bytes, entropy as it lies in the frame */
	uint8_t daddr[16], saddr[16], entropy[4];
	uint16_t dport;
};

struct sl_oracle_prefix {
	bool v6, deny;
	uint8_t addr[16]; /* zeros behind the prefix */
	uint8_t bits;
};

/* What one CPU answered by itself in the fine tick @window. */
struct sl_oracle_limit {
	uint32_t window, echo, too_big;
};

struct sl_oracle_entry {
	uint64_t tag;	  /* as SL_EXC_TAG_MASK leaves it */
	uint16_t backend; /* 0: free */
	bool confirmed;
	uint8_t age;
};

struct sl_oracle {
	uint64_t key[2];
	uint64_t jiffies;
	uint32_t tick_shift;
	enum sl_oracle_wrong wrong;
	struct sl_oracle_limit limit;
	unsigned n_services, n_addresses;
	struct sl_oracle_service service[SL_ORACLE_SERVICES];
	struct sl_oracle_address address[SL_ORACLE_ADDRESSES];
	uint32_t egress[SL_PORTS_MAX]; /* ifindex, 0: none */
	unsigned n_prefixes;
	struct sl_oracle_prefix prefix[SL_ORACLE_PREFIXES];
	uint64_t index[SL_GUARD_INDEX_WORDS];
	/* what a program made of the sets: of several places allowed, that one; NULL: the first */
	const struct sl_guard_set *hint;
	struct sl_oracle_backend backend[SL_BACKENDS_MAX];
	struct sl_oracle_entry entry[SL_EXC_SETS][SL_EXC_WAYS];
	uint16_t cell[SL_DRAIN_TRACKS][SL_DRAIN_CELLS];
	struct sl_guard_set guard_set[SL_GUARD_SETS];
};

/* What the guard leaves; set and after: by level, the same twice if the sets are one. */
struct sl_oracle_guard {
	bool asked; /* the rest means something */
	uint32_t set[SL_GUARD_LEVELS];
	struct sl_guard_set after[SL_GUARD_LEVELS];
	uint64_t hash[SL_GUARD_LEVELS];
	uint64_t pool[SL_GUARD_KINDS];
	uint32_t credit[SL_GUARD_KINDS];
	struct sl_guard_cnt cnt; /* what is added */
	bool exempt;		 /* nothing more is asked */
};

struct sl_oracle_out {
	enum sl_oracle_why why;
	enum sl_oracle_verdict verdict;
	bool may_be_written; /* dropped, but what would have been sent may be in place already */
	uint16_t port;	     /* of SL_ORACLE_REDIRECT */
	uint16_t backend;    /* chosen, 0: none */
	int service;	     /* index of the service it is for, -1: none */
	uint32_t len;	     /* as it leaves */
	uint8_t byte[SL_ORACLE_LEFT]; /* where it is sent */

	/* counters */
	bool is_flow;	/* a first packet */
	uint32_t bytes; /* where it is sent */
	struct sl_exc_cnt exc;
	bool has_limit; /* the model's limit becomes: */
	struct sl_oracle_limit limit;
	struct sl_oracle_guard guard;

	/* how it came about */
	bool reach[SL_BRANCH_END];
	bool sum_wrong; /* 8a and the sum of all bytes do not agree: the oracle, or the text, errs
			 */
	uint32_t l3;	/* N of section 8, 0: it did not get there */

	/* flow memory */
	bool has_hash; /* the walk came to the slots */
	enum sl_oracle_by by;
	uint64_t hash;
	uint32_t slot; /* index in the service's */
	uint32_t set;
	bool seen;				   /* the slot's seen becomes now */
	struct sl_oracle_entry after[SL_EXC_WAYS]; /* the set, before something is put in */
	uint8_t ways;				   /* bits: where insert may go; 0: nowhere */
	struct sl_oracle_entry insert;
	bool marks; /* a cell becomes: */
	uint16_t track, index, cell;
};

const char *sl_oracle_label(enum sl_oracle_why why);
const char *sl_oracle_branch(enum sl_oracle_branch branch);
const char *sl_oracle_error(enum sl_oracle_wrong wrong);

/* @len is at most SL_ORACLE_FRAME; the first @first bytes of it are in the first buffer. */
void sl_oracle_walk(const struct sl_oracle *o, const uint8_t *frame, uint32_t len, uint32_t first,
		    uint32_t ingress, struct sl_oracle_out *ret);

/* Makes the model what @out says; @way is the place that an insert took. */
void sl_oracle_commit(struct sl_oracle *o, const struct sl_oracle_out *out, unsigned way);

uint32_t sl_oracle_tick(const struct sl_oracle *o);
uint16_t sl_oracle_fine_tick(const struct sl_oracle *o);

#endif
