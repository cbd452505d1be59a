/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_HOST_H
#define TESTS_ORACLE_HOST_H

/*
 * host: the walk of lb_kern compiled for this machine, under ASan and UBSan.
 * A third opinion when tests/kern_host/host_walk.c is linked; without it the
 * symbol is absent and nobody asks.
 */
#include <stdint.h>

#include "lb_user/dp/dp.h"

struct sl_host {
	struct sl_dp_mem *mem;	/* plain memory, sizes as the kernel's maps; its own, not shared */
	uint64_t jiffies;	/* the packet path's clock stands still at this */
	unsigned cpu;		/* row of the per-CPU counters */
	const uint32_t *egress; /* devmap: SL_PORTS_MAX entries, ifindex or 0 */
	const struct sl_guard_prefix *prefixes; /* listed, in any order; NULL: none */
	unsigned n_prefixes;
};

#define SL_HOST_HEADROOM 256u /* XDP_PACKET_HEADROOM of linux/bpf.h */

/*
 * One packet: @block is heap memory of SL_HOST_HEADROOM bytes and the frame,
 * and ends where the frame does. *@at and *@len say where the frame lies in it,
 * before and after. Returns the XDP action; @ret_port is the devmap port of a
 * redirect.
 */
int sl_host_walk(void *block, unsigned *at, unsigned *len, unsigned ingress_ifindex,
		 const struct sl_host *host, unsigned *ret_port) __attribute__((weak));

#endif
