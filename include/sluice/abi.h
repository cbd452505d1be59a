/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SLUICE_ABI_H
#define SLUICE_ABI_H

/*
 * abi: the pinned word of what the maps hold. A new agent adopts pinned maps
 * only when all of this fits what it was built for.
 */
#include <linux/types.h>

#include <sluice/types.h>

#define SL_ABI_MAGIC   0x736c756963650001ull /* so that zeroed memory is never adopted */
#define SL_ABI_VERSION 2u

struct sl_info {
	__u64 magic;
	__u32 abi;
	__u32 cpus; /* rows of the per-CPU counters; a power of two */
	__u32 slots_total;
	__u32 exc_sets;
	__u32 tick_shift;    /* tick = jiffies >> tick_shift */
	__u32 tick_ms;	     /* length of a tick */
	__u64 key[2];	     /* secret of the flow hash */
	__u64 swept_jiffies; /* when expired entries were last removed */
	__u32 features;	     /* SL_FEAT_* the attached programs were built with */
	__u32 pad;
};
SL_ASSERT_SIZE(struct sl_info, 64);

/*
 * Whose a backend id is, so that pins describe themselves. Written and read by
 * the agent only; the service is in the backend's record.
 */
#define SL_LABEL_LEN 64
struct sl_label {
	char name[SL_LABEL_LEN]; /* the backend's name; empty: the id is free */
	__u8 addr_be[16];	 /* its address; IPv4 in the first four */
	__u16 family;		 /* AF_INET or AF_INET6 */
	__u8 pad[14];
};
SL_ASSERT_SIZE(struct sl_label, 96);

#endif
