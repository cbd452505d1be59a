/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SLUICE_LIMITS_H
#define SLUICE_LIMITS_H

/*
 * limits: every fixed number of Sluice, each with its reason. Sizes that the
 * packet path masks with are powers of two, so that the verifier sees the bound.
 */

/* A slot word holds the owner in 15 bits (types.h), so ids are 1..32767. */
#define SL_BACKENDS_MAX 32768u
#define SL_BACKEND_MASK (SL_BACKENDS_MAX - 1)

/* A service key word holds the id in 12 bits (types.h), so ids are 1..4094; 4095 is types.h's
 * SL_SERVICE_ADDRESS. */
#define SL_SERVICES_MAX 4096u
#define SL_SERVICE_MASK (SL_SERVICES_MAX - 1)

/*
 * Service buckets. A service may sit in either of two buckets (two-choice
 * hashing) with room to spare, so adding one never moves another and
 * practically never fails.
 */
#define SL_SVC4_BUCKETS 2048u
#define SL_SVC4_WAYS	8u /* 8 x 8 bytes: one cache line */
#define SL_SVC6_BUCKETS 8192u
#define SL_SVC6_WAYS	4u /* 4 x 32 bytes: two cache lines */

/* All services' slots together: 64 tables of 65,537, or 256 of 16,381. */
#define SL_SLOTS_TOTAL (1u << 22)

/* Remembered flows: 2^17 sets of 8, one million entries in 8 MiB. */
#define SL_EXC_SETS (1u << 17)
#define SL_EXC_WAYS 8u

/* Egress interfaces (devmap entries). 0 is "none". */
#define SL_PORTS_MAX 64u

/* Backends whose flows are counted while they drain; 0 means "not counted". */
#define SL_DRAIN_TRACKS 64u
#define SL_DRAIN_CELLS	(1u << 15)

/* HAProxy's range of weights; 0 takes a backend out of the table. */
#define SL_WEIGHT_MAX 256u

/* Rehashes to find an UP owner before the service's spare list is used. */
#define SL_PROBES_MAX 16u
#define SL_SPARES     8u

/* Echo answers of one CPU in about a second: enough to be monitored, useless to flood with. */
#define SL_ECHO_MAX 1000u

/* "Too big" answers of one CPU in about a second: a path is discovered with one (Linux allows as
 * many, net.ipv4.icmp_msgs_per_sec). */
#define SL_TOO_BIG_MAX 1000u

/* Allowed and denied prefixes together; the map has room for twice as many, so that a change adds
 * before it removes. */
#define SL_PREFIXES_MAX 16384u

/*
 * Rates that the guard's time resolves: of a source to 2 % with HZ=100, of a
 * service to 1 %. A burst is at most what a minute brings, or the time would
 * not hold it, and at least what comes in 10 ms, the longest step of its clock.
 */
#define SL_GUARD_SOURCE_RATE_MAX  200000u
#define SL_GUARD_SERVICE_RATE_MAX 100000000u
#define SL_GUARD_BURST_MAX_S	  60u
#define SL_GUARD_BURST_MIN_HZ	  100u

/*
 * The coarse clock of flow memory: a tick is a power of two of jiffies, about
 * four seconds (dp picks the shift from the kernel's HZ). An entry's age is
 * 8 bits of it, so it wraps after about 17 minutes; a timeout must stay well
 * below that, and the agent sweeps expired entries in between.
 */
#define SL_IDLE_TIMEOUT_MIN_S 5u
#define SL_IDLE_TIMEOUT_MAX_S 900u

#endif
