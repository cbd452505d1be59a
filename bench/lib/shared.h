/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_LIB_SHARED_H
#define BENCH_LIB_SHARED_H

/* shared: the memory through which the bench tells its driver program what to send. */
#include <linux/types.h>

#define BENCH_FLOWS_MAX (1u << 20)

struct bench_tuple { /* the part of a flow that differs between packets */
	__u64 addr;  /* IPv4: source address in the low half; IPv6: its last 8 bytes */
	__u16 port_be;
	__u16 to_port_be; /* one of many services' */
	__u16 pad[2];
};

struct bench_shared {
	__u32 cursor; /* next tuple, counts on */
	__u32 mask;   /* flows in use, a power of two, less one */
	__u32 is_v6;
	__u32 many;  /* the destination port is the tuple's too */
	__u32 tags;  /* bytes of tags in front of the packet: 0 or 4 */
	__u32 grows; /* the program puts something in front: it is taken off again */
	__u32 bytes; /* of the frame, before that */
	__u32 pad[9];
	struct bench_tuple tuple[BENCH_FLOWS_MAX];
};

#endif
