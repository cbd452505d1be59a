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

#define PLATFORM_JIFFIES()		bpf_jiffies64()
#define PLATFORM_CPU()			bpf_get_smp_processor_id()
#define PLATFORM_REDIRECT(ports, port)	bpf_redirect_map(&(ports), port, XDP_DROP)
#define PLATFORM_ADJUST_HEAD(ctx, by)	bpf_xdp_adjust_head(ctx, by)
#define PLATFORM_ADJUST_TAIL(ctx, by)	bpf_xdp_adjust_tail(ctx, by)
#define PLATFORM_FRAME_BYTES(ctx)	((__u32)bpf_xdp_get_buff_len(ctx)) /* of all its buffers */
#define PLATFORM_LONGEST(prefixes, key) ((const __u32 *)bpf_map_lookup_elem(&(prefixes), key))
#define PLATFORM_NS()			bpf_ktime_get_ns()
#define PLATFORM_RANDOM()		bpf_get_prandom_u32()
/* The frame's first @bytes to @to, 0 on success; a record to who listens, 0 on success. */
#define PLATFORM_COPY(ctx, to, bytes) bpf_xdp_load_bytes(ctx, 0, to, bytes)
#define PLATFORM_TELL(record, bytes)  bpf_ringbuf_output(&sl_events, record, bytes, 0)
#define platform_ctx		      xdp_md
#define PLATFORM_UNROLL		      _Pragma("unroll")
#define PLATFORM_ROLLED		      _Pragma("nounroll") /* rarely run: short rather than fast */

/*
 * The barriers keep clang from storing the pointers as the 32 bits that the
 * context shows them as: the verifier takes only whole ones.
 */
static __always_inline void *platform_data(const struct platform_ctx *ctx)
{
	void *data = (void *)(long)ctx->data;

	asm volatile("" : "+r"(data));
	return data;
}

static __always_inline void *platform_data_end(const struct platform_ctx *ctx)
{
	void *end = (void *)(long)ctx->data_end;

	asm volatile("" : "+r"(end));
	return end;
}
#else
#include <arpa/inet.h>

enum platform_action { /* linux/bpf.h */
		       XDP_ABORTED,
		       XDP_DROP,
		       XDP_PASS,
		       XDP_TX,
		       XDP_REDIRECT,
};

struct platform_ctx {
	void *data, *data_end; /* of the first buffer */
	__u32 more_bytes;      /* in buffers behind it */
	void *room;	       /* where data may move to at the lowest: headroom */
	__u32 ingress_ifindex;
	const __u32 *egress; /* the devmap: SL_PORTS_MAX ifindexes, 0: none */
	__u32 redirect_port; /* where PLATFORM_REDIRECT went */
};

#define PLATFORM_UNROLL
#define PLATFORM_ROLLED
#undef __always_inline /* the C library has one without inline */
#define __always_inline			inline __attribute__((always_inline))
#define bpf_htons(x)			htons(x)
#define bpf_htonl(x)			htonl(x)
#define bpf_ntohl(x)			ntohl(x)
#define bpf_ntohs(x)			ntohs(x)
extern __u64 platform_jiffies; /* set by the test */
extern __u32 platform_cpu;
#define PLATFORM_JIFFIES()		platform_jiffies
#define PLATFORM_CPU()			platform_cpu
#define PLATFORM_REDIRECT(ports, port)	platform_redirect(ctx, port)
#define PLATFORM_ADJUST_HEAD(ctx, by)	platform_adjust_head(ctx, by)
#define PLATFORM_ADJUST_TAIL(ctx, by)	platform_adjust_tail(ctx, by)
#define PLATFORM_FRAME_BYTES(ctx)	platform_frame_bytes(ctx)

static __always_inline __u32 platform_frame_bytes(const struct platform_ctx *ctx)
{
	return (__u32)((char *)ctx->data_end - (char *)ctx->data) + ctx->more_bytes;
}

struct sl_guard_key;
/* The value of the longest listed prefix that has the key's address, or NULL. */
extern const __u32 *platform_longest(const struct sl_guard_key *key);
#define PLATFORM_LONGEST(prefixes, key) platform_longest(key)

extern __u64 platform_ns;
extern __u32 platform_random;
/* Takes a record, or says with another value than 0 that there is no room. NULL: no room. */
extern long (*platform_tell)(const void *record, __u64 bytes);
#define PLATFORM_NS()			platform_ns
#define PLATFORM_RANDOM()		platform_random
#define PLATFORM_COPY(ctx, to, bytes)	platform_copy(ctx, to, bytes)
#define PLATFORM_TELL(record, bytes)	(platform_tell ? platform_tell(record, bytes) : -1)

static __always_inline long platform_copy(struct platform_ctx *ctx, void *to, __u32 bytes)
{
	if (bytes > (__u32)((char *)ctx->data_end - (char *)ctx->data)) /* enough here */
		return -1;
	__builtin_memcpy(to, ctx->data, bytes);
	return 0;
}

static __always_inline int platform_redirect(struct platform_ctx *ctx, __u32 port)
{
	ctx->redirect_port = port;
	return ctx->egress[port] ? XDP_REDIRECT : XDP_DROP;
}

/* As the kernel's: an Ethernet header at least stays; what is shrunk away keeps its bytes. */
static __always_inline int platform_adjust_head(struct platform_ctx *ctx, int by)
{
	char *data = (char *)ctx->data + by;

	if (data < (char *)ctx->room || data > (char *)ctx->data_end - 14)
		return -1;
	ctx->data = data;
	return 0;
}

static __always_inline int platform_adjust_tail(struct platform_ctx *ctx, int by)
{
	char *end = (char *)ctx->data_end + (int)ctx->more_bytes + by;

	ctx->more_bytes = 0; /* only what shortens a frame to its headers is asked for */
	if (by > 0 || end < (char *)ctx->data + 14)
		return -1;
	ctx->data_end = end;
	return 0;
}

static __always_inline void *platform_data(const struct platform_ctx *ctx)
{
	return ctx->data;
}

static __always_inline void *platform_data_end(const struct platform_ctx *ctx)
{
	return ctx->data_end;
}
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
