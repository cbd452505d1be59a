/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_PLATFORM_H
#define LB_KERN_PLATFORM_H

/*
 * platform: what differs between the kernel and a host build of the same
 * headers (tests/kern_host). Nothing else in lb_kern knows which one it is.
 */
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __bpf__
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define PLATFORM_JIFFIES() bpf_jiffies64()
#define PLATFORM_CPU()	   bpf_get_smp_processor_id()
#else
#include <arpa/inet.h>

#define __always_inline	   inline __attribute__((always_inline))
#define bpf_htons(x)	   htons(x)
#define bpf_ntohs(x)	   ntohs(x)
extern __u64 platform_jiffies; /* set by the test */
extern __u32 platform_cpu;
#define PLATFORM_JIFFIES() platform_jiffies
#define PLATFORM_CPU()	   platform_cpu
#endif

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Memory that the agent or another CPU changes meanwhile: one load, one store. */
#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/*
 * An index that the verifier must see bounded. The empty assembly hides where
 * it came from: clang otherwise proves the mask redundant and drops it, and
 * older verifiers cannot follow the proof.
 */
static __always_inline __u32 platform_bounded(__u32 index, __u32 mask)
{
	asm volatile("" : "+r"(index));
	return index & mask;
}

/*
 * Element @index of row @row, in rows of @count (a power of two) elements. The
 * barrier keeps this an addition: clang makes an OR of it when it sees that
 * the bits lie apart, and Linux 6.1 takes the result of that for unbounded.
 */
static __always_inline __u32 platform_in_row(__u32 row, __u32 count, __u32 index)
{
	index = platform_bounded(index, count - 1);
	asm volatile("" : "+r"(index));
	return row * count + index;
}

#endif
