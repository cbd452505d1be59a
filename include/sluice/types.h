/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SLUICE_TYPES_H
#define SLUICE_TYPES_H

/*
 * types: what lies in the shared memory between the packet path and the agent.
 * Hand-padded, sizes asserted; byte order is in the name (_be), host order has
 * no suffix. Everything that both sides touch at once is one aligned word, so
 * that it cannot be read torn.
 */
#include <linux/types.h>

#include <sluice/limits.h>

#define SL_ASSERT_SIZE(type, size) \
	_Static_assert(sizeof(type) == (size), #type " is not " #size " bytes")

/* ---- slots ------------------------------------------------------------- */

/*
 * A slot: cur (bits 0-14) owner of new flows, T (bit 15) in transition,
 * old (bits 16-31) owner of flows that nobody remembers. Backend 0 is nobody.
 */
#define SL_SLOT_T	     0x8000u
#define SL_SLOT_CUR(word)    ((word)&SL_BACKEND_MASK)
#define SL_SLOT_OLD(word)    (((word) >> 16) & SL_BACKEND_MASK)
#define SL_SLOT(cur, t, old) ((__u32)(cur) | ((t) ? SL_SLOT_T : 0u) | ((__u32)(old) << 16))

/* ---- services ---------------------------------------------------------- */

/*
 * An IPv4 service is found by one word: address, port, protocol, a valid bit
 * and the id. (word ^ key) < SL_SERVICES_MAX says that it matches and is the
 * id at once. A free place is 0.
 */
#define SL_SVC_UDP   (1ull << 15)
#define SL_SVC_VALID (1ull << 14)
#define SL_SVC4_KEY(addr_be, port_be, is_udp)                                                \
	(((__u64)(addr_be) << 32) | ((__u64)(port_be) << 16) | ((is_udp) ? SL_SVC_UDP : 0) | \
	 SL_SVC_VALID)

/* The same word without the address finds an IPv6 service, beside its address. */
#define SL_SVC6_META(port_be, is_udp) \
	(((__u64)(port_be) << 16) | ((is_udp) ? SL_SVC_UDP : 0) | SL_SVC_VALID)

/*
 * Beside its services, an address has one entry with port 0 for each protocol:
 * the id of its UDP service with hash3, which takes later fragments, or this
 * one, which only says that the address is ours.
 */
#define SL_SERVICE_ADDRESS (SL_SERVICES_MAX - 1)

struct sl_svc4_bucket {
	__u64 word[SL_SVC4_WAYS];
};
SL_ASSERT_SIZE(struct sl_svc4_bucket, 64);

struct sl_svc6_entry {
	__u64 addr_be[2]; /* as it lies in the packet */
	__u64 meta;	  /* SL_SVC6_META | id; written last, cleared first */
	__u64 pad;
};

struct sl_svc6_bucket {
	struct sl_svc6_entry entry[SL_SVC6_WAYS];
};
SL_ASSERT_SIZE(struct sl_svc6_bucket, 128);

#define SL_SF_UDP_FLOW	(1u << 0) /* remember every UDP flow */
#define SL_SF_DOWN_DROP (1u << 1) /* a flow of a DOWN backend is dropped, not moved */
#define SL_SF_HASH3	(1u << 2) /* the source port counts as 0: all fragments of a datagram meet */
#define SL_SF_QUIC	(1u << 3) /* with UDP_FLOW: an Initial begins a flow, other packets do not */
#define SL_SF_OVERSIZE	(1u << 4) /* IPv4 without DF is sent although the path must fragment it */
#define SL_SF_GUARD	(1u << 8) /* has a limit: its guard record (guard.h) is looked at */
#define SL_SF_GUARD_DRY (1u << 9) /* what the guard would drop is counted and sent */

struct sl_service_rec {
	__u64 salt;		/* keyed hash of the address, port and protocol */
	__u32 slot_base;	/* first slot in the slots area */
	__u32 slot_count;	/* 0: no table */
	__u16 flags;		/* SL_SF_* */
	__u16 idle_ticks;	/* a flow silent for longer is forgotten; 1..SL_IDLE_TICKS_MAX */
	__u16 spare[SL_SPARES]; /* UP backends by weight, for when probing finds none; 0: none */
	__u8 pad[28];
};
SL_ASSERT_SIZE(struct sl_service_rec, 64);

/* ---- backends ---------------------------------------------------------- */

enum sl_dp_state {
	SL_DP_DOWN = 0, /* takes nothing; also the state of a free record */
	SL_DP_UP = 1,
	SL_DP_DRAINING = 2, /* keeps its flows, takes no new ones */
};

/* How a packet gets to a backend. */
enum sl_fwd {
	SL_FWD_L2 = 0,	 /* its MACs are rewritten */
	SL_FWD_IPIP = 1, /* in IPv4 or IPv6: RFC 2003, 2473, 4213 */
	SL_FWD_GUE = 2,	 /* in UDP: draft-ietf-intarea-gue-09, variant 0 */
};

#define SL_BF_VLAN   (1u << 0) /* leaves with one tag, vlan, or with none if that is 0 */
#define SL_BF_OUTER6 (1u << 1) /* the outer header of a tunnel is IPv6 */

struct sl_backend_rec {
	__u64 mac_lo;	  /* bytes 0-7 of the frame: destination, then source */
	__u32 mac_hi;	  /* bytes 8-11 */
	__u32 ifindex;	  /* leaves here */
	__u8 state;	  /* enum sl_dp_state */
	__u8 drain_track; /* 1..SL_DRAIN_TRACKS-1 while its flows are counted */
	__u16 port;	  /* devmap key of ifindex */
	__u16 service;	  /* id of the service that owns it */
	__u8 fwd;	  /* enum sl_fwd */
	__u8 flags;	  /* SL_BF_* */
	__u16 mtu;	  /* longest packet it takes: the path's, less what the tunnel adds */
	__u16 mtu_link;	  /* the same by the interface alone: nothing longer can leave */
	__u16 vlan;	  /* 0..4094, for SL_BF_VLAN */
	__u16 pad;
};
SL_ASSERT_SIZE(struct sl_backend_rec, 32);

/*
 * A tunnel's outer header: one record a backend id, read only where its fwd is
 * not L2. IPv4 addresses lie in the first four bytes of [0].
 */
struct sl_tunnel_rec {
	__u64 daddr_be[2];
	__u64 saddr_be[2];
	__u32 entropy_be; /* bits of the source's last four bytes that the flow's hash sets */
	__u16 dport_be;	  /* GUE */
	__u8 pad[26];
};
SL_ASSERT_SIZE(struct sl_tunnel_rec, 64);

#define SL_GUE_BYTES 12u /* UDP header and GUE header */
#define SL_OVERHEAD(fwd, outer6) \
	((fwd) == SL_FWD_L2 ? 0u \
			    : ((outer6) ? 40u : 20u) + ((fwd) == SL_FWD_GUE ? SL_GUE_BYTES : 0u))

/* ---- exceptions: remembered flows -------------------------------------- */

/*
 * tag (bits 24-63), backend (bits 9-23), confirmed (bit 8), age (bits 0-7).
 * 0 is free: a backend is never 0.
 */
/*
 * One more than the ticks the entry was silent: a CPU that saw the clock turn
 * first may have written an age one ahead of the reader's, which is then 0. So
 * an entry has expired when this is above idle_ticks + 1, and idle_ticks is at
 * most SL_IDLE_TICKS_MAX.
 */
#define SL_EXC_SILENT(e, tick) (((tick) + 1 - (__u32)SL_EXC_AGE(e)) & 0xffu)
#define SL_IDLE_TICKS_MAX      253u
#define SL_EXC_AGE(e)	       ((e)&0xffu)
#define SL_EXC_CONFIRMED       0x100ull
#define SL_EXC_BACKEND(e)      ((__u32)((e) >> 9) & SL_BACKEND_MASK)
#define SL_EXC_TAG_MASK	       (~0ull << 24)
#define SL_EXC(tag, backend, confirmed, age) \
	((tag) | ((__u64)(backend) << 9) | ((confirmed) ? SL_EXC_CONFIRMED : 0) | ((age)&0xffu))

struct sl_exc_set {
	__u64 entry[SL_EXC_WAYS];
};
SL_ASSERT_SIZE(struct sl_exc_set, 64);

/* ---- flows seen on a draining backend ---------------------------------- */

/*
 * One cell per flow hash: 0 nothing seen; else valid (bit 15), closing (bit
 * 14, a FIN passed) and the fine tick of the last packet (bits 0-13).
 */
#define SL_DRAIN_VALID	   0x8000u
#define SL_DRAIN_CLOSING   0x4000u
#define SL_DRAIN_TICK_MASK 0x3fffu

/* ---- counters ----------------------------------------------------------- */

struct sl_cnt {	       /* of one CPU, of one service or backend */
	__u64 packets; /* sent */
	__u64 bytes;   /* of those, as they came in, without what pads a frame */
	__u64 flows; /* TCP SYNs; first packets of UDP flows that are remembered (QUIC: Initials) */
	__u64 dropped; /* dropped although ours (services only) */
};
SL_ASSERT_SIZE(struct sl_cnt, 32);

struct sl_exc_cnt { /* of one CPU */
	__u64 lookups;
	__u64 hits;
	__u64 inserts;
	__u64 evicted_expired;
	__u64 evicted_unconfirmed; /* live, but never saw a second packet */
	__u64 failed;		   /* no place, or lost every race: the flow is not remembered */
	__u64 rescheduled;	   /* moved because the owner is DOWN */
	__u64 pad;
};
SL_ASSERT_SIZE(struct sl_exc_cnt, 64);

/* One CPU's own: what it still may answer by itself, and scratch memory. */
struct sl_limit {
	__u32 window; /* fine tick the counts are of */
	__u32 echo_count;
	__u32 too_big_count;
	__u32 pad;
	__u64 scratch[14]; /* lb_kern/launder.h; means nothing between packets */
};
SL_ASSERT_SIZE(struct sl_limit, 128);

/* Reasons of one CPU. */
struct sl_reason_cnt {
	__u64 packets[64];
};
SL_ASSERT_SIZE(struct sl_reason_cnt, 512);

#endif
