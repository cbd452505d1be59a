/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_LIB_CHAIN_NET_H
#define BENCH_LIB_CHAIN_NET_H

/*
 * chain_net: the path of bench/chain, in three network namespaces of its own:
 *
 *	generator  a0 ---- a1  balancer  b0 ---- b1  sink
 *
 * Each end of each veth pair has one queue. No addresses, no IPv6: nothing but
 * the bench's frames is ever on it. Needs root and ip(8).
 */
#include <sys/types.h>

enum sl_chain_place { SL_CHAIN_GEN, SL_CHAIN_LB, SL_CHAIN_SINK, SL_CHAIN_PLACES };

struct sl_chain_net {
	int ns[SL_CHAIN_PLACES];
	unsigned a0, a1, b0, b1; /* ifindexes, each in its namespace */
};

/* Makes it, as sluice-bench-<@owner>-gen, -lb and -sink. 0, or -1 with a message. */
int sl_chain_net_make(struct sl_chain_net *net, pid_t owner);

/* This thread goes there. 0, or -1 with a message. */
int sl_chain_net_enter(const struct sl_chain_net *net, enum sl_chain_place place);

/*
 * Removes what @owner made, however much of it there is, and what benches left
 * that were killed: namespaces whose owner no longer runs.
 */
void sl_chain_net_remove(pid_t owner);

#endif
