/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_LIB_CHAIN_PATH_H
#define BENCH_LIB_CHAIN_PATH_H

/*
 * chain_path: the generator and the sink of bench/chain, and what is under
 * test between them. All of it runs on the CPU of who calls: a frame is sent,
 * forwarded and dropped within the one system call that generates it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bench/lib/chain_net.h"
#include "bench/lib/chain_shared.h"

struct bpf_object;
struct bpf_link;

struct sl_chain_path {
	const struct sl_chain_net *net;
	struct bpf_object *obj;
	struct chain_shared *shared; /* the programs' memory */
	int generator, sink, look;   /* programs */
	int on_lb, on_sink;	     /* links; on_lb is -1 while nothing is put there */
	uint32_t batch;		     /* frames that are under way at once, at most 256 */
};

/* Loads generator and sink afresh from @file; with -1 the path is to be unloaded all the same. */
int sl_chain_path_load(struct sl_chain_path *p, const struct sl_chain_net *net, const char *file,
		       uint32_t batch);
void sl_chain_path_unload(struct sl_chain_path *p);

/*
 * Program @fd on the balancer's interface, instead of what was put there before; -1: none, the
 * interface is free. 0, or -1 with a message.
 */
int sl_chain_path_put(struct sl_chain_path *p, int fd);

/* The sink looks at each frame, which must have @outer bytes more than when it was sent; or, by
 * default, it only counts. */
int sl_chain_path_look(struct sl_chain_path *p, bool looks, uint32_t outer);

struct sl_chain_sent {
	double ns;	    /* this thread's CPU time per frame */
	bool disturbed;	    /* the kernel's own clock saw more: others ran meanwhile */
	uint64_t arrived;   /* at the sink */
	uint64_t right;	    /* of those, where the sink looks */
	uint64_t elsewhere; /* of those, on another CPU than @cpu, or after the call: not in @ns */
};

/* Sends @n frames, the next flows', and waits for the last to arrive. 0, or -1 with a message. */
int sl_chain_path_send(struct sl_chain_path *p, uint32_t n, unsigned cpu,
		       struct sl_chain_sent *ret);

#endif
