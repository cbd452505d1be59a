/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SLUICE_HASH_H
#define SLUICE_HASH_H

/*
 * hash: the one hash of a flow. It gives the slot (high bits), the exception
 * set (low bits) and the exception tag (middle bits). The same code runs in
 * the packet path, in the agent (explain) and in the tests.
 *
 * Keyed by a 128-bit secret: who does not know it cannot aim flows at a slot.
 * The mixer is the 64-bit finaliser of MurmurHash3 (Appleby, public domain);
 * the second round is entered with a secret value, so its input is unknown to
 * a sender even where the rest is chosen by them.
 */
#include <linux/types.h>

#include <sluice/types.h>

static inline __attribute__((always_inline)) __u64 sl_hash_mix(__u64 x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ull;
	x ^= x >> 33;
	return x;
}

/* The source's part; needs nothing of the service, so it overlaps its lookup. */
static inline __attribute__((always_inline)) __u64 sl_hash_source4(__u32 saddr_be,
								   const __u64 key[2])
{
	return sl_hash_mix(saddr_be ^ key[0]);
}

/* @saddr_be: the 16 bytes as two words. The halves are mixed apart, in parallel. */
static inline __attribute__((always_inline)) __u64 sl_hash_source6(const __u64 saddr_be[2],
								   const __u64 key[2])
{
	__u64 high = sl_hash_mix(saddr_be[0] ^ key[0]);
	__u64 low = sl_hash_mix(saddr_be[1] ^ key[1]);

	return high + (low << 1 | low >> 63);
}

/* The flow: source part, source port (0 to leave it out), the service's salt. */
static inline __attribute__((always_inline)) __u64 sl_hash_flow(__u64 source, __u16 sport_be,
								__u64 salt)
{
	return sl_hash_mix((source ^ sport_be) + salt);
}

/*
 * A service's salt, from all of what names it: computed by the agent, read by
 * the packet path. @addr_be: IPv4 in the first four bytes, the rest 0.
 */
static inline __attribute__((always_inline)) __u64
sl_hash_salt(const __u64 addr_be[2], __u16 port_be, __u8 proto, const __u64 key[2])
{
	__u64 h = sl_hash_mix(addr_be[0] ^ key[1]);

	h = sl_hash_mix(addr_be[1] ^ (h + key[0]));
	return sl_hash_mix(((__u64)port_be << 8 | proto) ^ (h + key[1]));
}

/* Fair share of [0, @n) by the high half (Lemire, "Fast random integer generation in an interval").
 */
static inline __attribute__((always_inline)) __u32 sl_hash_range(__u64 hash, __u32 n)
{
	return (__u32)(((hash >> 32) * n) >> 32);
}

/* The @n-th other look at the table for this flow, n >= 1. */
static inline __attribute__((always_inline)) __u64 sl_hash_again(__u64 hash, __u32 n)
{
	return sl_hash_mix(hash + n * 0x9e3779b97f4a7c15ull);
}

static inline __attribute__((always_inline)) __u32 sl_hash_exc_set(__u64 hash, __u32 sets)
{
	return (__u32)hash & (sets - 1);
}

/* Already in its place in an entry (SL_EXC_TAG_MASK): bits 20-59 of the hash. */
static inline __attribute__((always_inline)) __u64 sl_hash_exc_tag(__u64 hash)
{
	return hash << 4 & SL_EXC_TAG_MASK;
}

/*
 * What a tunnel's outer header takes from the flow, so that networks and the
 * receivers' queues spread flows as they would the inner ones: the source
 * port of GUE (49152..65535, host order), the flow label of IPv6 (20 bits),
 * the bits of the source address that are not the configured prefix's.
 */
static inline __attribute__((always_inline)) __u16 sl_hash_sport(__u64 hash)
{
	return (__u16)(0xc000 | (hash >> 24 & 0x3fff));
}

static inline __attribute__((always_inline)) __u32 sl_hash_label(__u64 hash)
{
	return (__u32)(hash >> 40) & 0xfffff;
}

static inline __attribute__((always_inline)) __u32 sl_hash_entropy(__u64 hash)
{
	return (__u32)(hash >> 8);
}

/*
 * Buckets of a service: @n is 0 or 1, the two places it may sit in, from two
 * parts of one hash. Not keyed: who sends packets does not choose where
 * services sit. One multiplication is not enough: with services numbered in
 * rows and strides (tests/unit/test_svctab.c) both buckets of some were full.
 */
static inline __attribute__((always_inline)) __u32 sl_hash_bucket(__u64 x, __u32 n)
{
	return (__u32)(sl_hash_mix(x) >> (n ? 32 : 48));
}

static inline __attribute__((always_inline)) __u32 sl_hash_svc4(__u64 key, __u32 n)
{
	return sl_hash_bucket(key, n) & (SL_SVC4_BUCKETS - 1);
}

static inline __attribute__((always_inline)) __u32 sl_hash_svc6(const __u64 addr_be[2], __u64 meta,
								__u32 n)
{
	return sl_hash_bucket((addr_be[0] ^ (addr_be[1] << 7 | addr_be[1] >> 57)) + meta, n) &
	       (SL_SVC6_BUCKETS - 1);
}

#endif
