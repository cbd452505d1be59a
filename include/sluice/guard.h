/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SLUICE_GUARD_H
#define SLUICE_GUARD_H

/*
 * guard: limits for new flows and packets, and listed prefixes. WALK.md,
 * section 5a, says what they do.
 *
 * Every limit is a generic cell rate algorithm: one word holds the time at
 * which all that was let through is paid for. What has cost C is let through
 * if that time, plus C, is at most `burst` ahead of now.
 */
#include <linux/types.h>

#include <sluice/hash.h>
#include <sluice/types.h>

/* ---- time ---------------------------------------------------------------- */

/*
 * Sources: 2^-16 jiffies in 40 bits, which wrap after 4.6 hours with HZ=1000,
 * 18 with 250. A word is live while it is less than 2^32 units (65 s with
 * HZ=1000) ahead of now, so what is long past looks live for that long once
 * in a wrap: the agent removes it before (lb_user/domain/guard.h).
 */
#define SL_GUARD_SHIFT	   16
#define SL_GUARD_TIME_BITS 40
#define SL_GUARD_TIME_MASK ((1ull << SL_GUARD_TIME_BITS) - 1)
#define SL_GUARD_LIVE_BITS 32

/* Whole services: 2^-28 jiffies in 64 bits. */
#define SL_GUARD_FINE_SHIFT 28

/* ---- limits of a service --------------------------------------------------- */

enum sl_guard_kind { SL_GUARD_PACKETS, SL_GUARD_FLOWS, SL_GUARD_KINDS };
enum sl_guard_level { SL_GUARD_NARROW, SL_GUARD_WIDE, SL_GUARD_LEVELS }; /* /32 /64, /24 /48 */

/* Of a source: cost (bits 0-31) and burst (32-63) in units of 2^-16 jiffies, burst >= cost. 0: off.
 */
#define SL_GUARD_LIMIT(cost, burst) ((__u64)(cost) | (__u64)(burst) << 32)
#define SL_GUARD_COST(limit)	    ((__u64)(limit)&0xffffffffu)
#define SL_GUARD_BURST(limit)	    ((__u64)(limit) >> 32)

/* Of a whole service: cost of one (bits 0-47) and how many a CPU takes at once (48-63). 0: off. */
#define SL_GUARD_SHARE(cost, batch) ((__u64)(cost) | (__u64)(batch) << 48)
#define SL_GUARD_SHARE_COST(share)  ((__u64)(share) & ((1ull << 48) - 1))
#define SL_GUARD_SHARE_BATCH(share) ((__u32)((__u64)(share) >> 48))
#define SL_GUARD_BATCH_MAX	    64u

struct sl_guard_rec {
	__u64 source[SL_GUARD_LEVELS][SL_GUARD_KINDS]; /* SL_GUARD_LIMIT */
	__u64 share[SL_GUARD_KINDS];		       /* SL_GUARD_SHARE */
	__u64 burst[SL_GUARD_KINDS];		       /* of it, in 2^-28 jiffies */
};
SL_ASSERT_SIZE(struct sl_guard_rec, 64);

/* ---- what is used of them --------------------------------------------------- */

/*
 * A source's word: kind + 1 (bits 62-63), tag (40-61), time (0-39). 0: free.
 * A set is one cache line; both kinds of one source have the same set.
 */
#define SL_GUARD_WAYS		 8u
#define SL_GUARD_SETS		 (1u << 15) /* 262,144 words in 2 MiB */
#define SL_GUARD_TAG_MASK	 (~0ull << SL_GUARD_TIME_BITS)
#define SL_GUARD_TAG_BITS	 (SL_GUARD_TAG_MASK & ~(3ull << 62))
#define SL_GUARD_TAG(hash, kind) (((__u64)(kind) + 1) << 62 | ((hash) >> 2 & SL_GUARD_TAG_BITS))

/* The way to look at first; then this ^ 1, then the others. */
#define SL_GUARD_HOME(hash) ((__u32)((hash) >> 16) & (SL_GUARD_WAYS - 1))

struct sl_guard_set {
	__u64 word[SL_GUARD_WAYS];
};
SL_ASSERT_SIZE(struct sl_guard_set, 64);

/* A whole service's time, shared by all CPUs; in a line of its own. */
struct sl_guard_pool {
	__u64 time[SL_GUARD_KINDS]; /* 2^-28 jiffies */
	__u64 pad[6];
};
SL_ASSERT_SIZE(struct sl_guard_pool, 64);

/* What one CPU has taken from it and not used yet. */
struct sl_guard_credit {
	__u32 left[SL_GUARD_KINDS];
};
SL_ASSERT_SIZE(struct sl_guard_credit, 8);

struct sl_guard_cnt {	  /* of one CPU */
	__u64 would_deny; /* dry run: sent on, and would have been dropped as... */
	__u64 would_source;
	__u64 would_service;
	__u64 table_full; /* let through: no place to remember the source */
	__u64 raced;	  /* let through: others were faster, twice, to change the pool */
	__u64 pad[3];
};
SL_ASSERT_SIZE(struct sl_guard_cnt, 64);

/* ---- which source is it ------------------------------------------------------ */

/*
 * The 64 bits that tell sources apart: the address, or the upper half of an
 * IPv6 one; of a network the first 24 or 48. As they lie in the packet, on a
 * little-endian machine. @is_v6 is 0 or 1; arithmetic, for the verifier's sake.
 */
static inline __attribute__((always_inline)) __u64 sl_guard_bits(__u64 addr_be, __u32 is_v6,
								 enum sl_guard_level level)
{
	return level == SL_GUARD_NARROW ? addr_be : addr_be & ~0ull >> (40 - 24 * is_v6);
}

/* Two rounds, as for flows (hash.h): the set is bits 0-14, the tag 42-63. */
static inline __attribute__((always_inline)) __u64
sl_guard_hash(__u64 bits, enum sl_guard_level level, __u64 salt, const __u64 key[2])
{
	return sl_hash_mix(sl_hash_mix(bits ^ key[0]) + (salt ^ key[1]) + (__u64)level);
}

/* ---- listed prefixes ---------------------------------------------------------- */

/* Key of the map of prefixes: length of what counts, in bits: 32 + that of the prefix. */
struct sl_guard_key {
	__u32 bits;
	__u32 family; /* 4 or 6 */
	__u64 addr_be[2];
};
SL_ASSERT_SIZE(struct sl_guard_key, 24);

enum sl_guard_verdict { SL_GUARD_DENY = 1, SL_GUARD_ALLOW = 2 }; /* its value, a __u32 */

struct sl_guard_prefix {
	struct sl_guard_key key;
	__u32 verdict;
	__u32 pad;
};
SL_ASSERT_SIZE(struct sl_guard_prefix, 32);

/*
 * One bit for each value of the first 16 bits of an IPv4 address, and as many
 * for the first 32 of an IPv6 one, hashed: where it is 0 no listed prefix can
 * match, and the map is not asked.
 */
#define SL_GUARD_INDEX_BITS  65536u
#define SL_GUARD_INDEX_WORDS (2 * SL_GUARD_INDEX_BITS / 64)

static inline __attribute__((always_inline)) __u32 sl_guard_index4(__u64 addr_be)
{
	return (__u32)addr_be & 0xffff;
}

static inline __attribute__((always_inline)) __u32 sl_guard_index6(__u64 addr_be)
{
	return SL_GUARD_INDEX_BITS + ((__u32)addr_be * 0x9e3779b1u >> 16);
}

#endif
