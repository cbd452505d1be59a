/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_LIB_CHAIN_SHARED_H
#define BENCH_LIB_CHAIN_SHARED_H

/* chain_shared: the memory between bench/chain and its programs (bench/chain.bpf.c). */
#include <linux/types.h>

#define CHAIN_FLOWS 65536u /* a power of two */
#define CHAIN_BYTES 64u	   /* of a frame, as the program under test gets it */
#define CHAIN_CPUS  64u	   /* rows of counters, a power of two */
#define CHAIN_OUTER 20u	   /* bytes that ipip in IPv4 puts in front */

/* Source MAC of whatever left a program under test; bytes 6 to 11 of the frame. */
#define CHAIN_SMAC_LOW	0x0201u	    /* bytes 6, 7, as a little-endian word */
#define CHAIN_SMAC_HIGH 0x010203beu /* bytes 8 to 11 */

/* What differs between the frames of two flows, ready to be stored. */
struct chain_tuple {
	__u32 saddr_be;
	__u16 sport_be;
	__u16 ip_csum;
	__u16 tcp_csum;
	__u16 pad[3];
};

struct chain_row { /* of one CPU: who runs elsewhere is seen */
	__u64 frames;
	__u64 right; /* of those, by chain_look */
	__u64 pad[6];
};

struct chain_shared {
	__u32 cursor; /* next flow to be sent, counts on */
	__u32 looked; /* next flow that chain_look expects, counts on */
	__u32 outer;  /* bytes in front of the packet that chain_look expects: 0 or CHAIN_OUTER */
	__u32 pad[13];
	struct chain_row row[CHAIN_CPUS];
	struct chain_tuple tuple[CHAIN_FLOWS];
};

#endif
