/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_LIB_CHAIN_SUBJECT_H
#define BENCH_LIB_CHAIN_SUBJECT_H

/*
 * chain_subject: what stands between generator and sink: the bare program, or
 * Sluice's as the agent loads it, with one service and settled slots. Each is
 * a load of its own, because where the kernel puts machine code moves results.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bench/lib/chain_net.h"
#include "bench/lib/chain_shared.h"
#include "lb_user/dp/dp.h"

#define SL_CHAIN_ADDR	  "192.0.2.1"
#define SL_CHAIN_PORT	  443
#define SL_CHAIN_BACKENDS 64u
#define SL_CHAIN_SLOTS	  16381u

struct bpf_object;

struct sl_chain_work {
	const char *name;
	bool bare;
	uint8_t fwd;	   /* enum sl_fwd */
	uint32_t outer;	   /* bytes that it puts in front */
	uint32_t features; /* SL_FEAT_* the program is specialised to */
	bool agent;	   /* pinned, attached and watched for transmit errors, as the agent does */
};

/* What a subject has counted: of all CPUs but for @elsewhere. */
struct sl_chain_sums {
	uint64_t packets[SL_CHAIN_BACKENDS + 1]; /* by backend, 0 unused */
	uint64_t sent, bytes;			 /* of all backends */
	uint64_t other;				 /* frames with another reason than sent */
	uint64_t elsewhere;			 /* of @sent, on another CPU than asked for */
};

struct sl_chain_subject {
	struct bpf_object *bare; /* one of the two */
	struct sl_dp *dp;
	bool attached;			       /* it is on the balancer's interface by itself */
	int fd;				       /* the program */
	uint32_t flows[SL_CHAIN_BACKENDS + 1]; /* of all flows, those that are each backend's */
};

/*
 * Loads one for @w; @file is the bare program's, @tuple are all flows. With -1 and a message it is
 * to be unloaded too. Work of the agent's kind attaches itself, and has the kernel count every
 * XDP transmission on the machine until it is unloaded: nothing else is to be measured meanwhile.
 */
int sl_chain_subject_load(struct sl_chain_subject *s, const struct sl_chain_work *w,
			  const struct sl_chain_net *net, const char *file,
			  const struct chain_tuple *tuple);
void sl_chain_subject_unload(struct sl_chain_subject *s);

/*
 * This process gets a bpffs of its own for what an agent pins; it goes with the
 * process. Before the first load of such work. 0, or -1 with a message.
 */
int sl_chain_subject_pins(void);

/* All zero for the bare program, which does not count. */
void sl_chain_subject_read(const struct sl_chain_subject *s, unsigned cpu,
			   struct sl_chain_sums *ret);

/*
 * Compares what was counted from @before to @after with @n frames that were
 * generated, a multiple of all flows. 0, or -1 with a message where a frame was
 * not forwarded or went to another backend than include/sluice/hash.h says.
 * Frames that never came in are no fault of the program: they are @n less those
 * counted, and backends cannot be compared.
 */
int sl_chain_subject_check(const struct sl_chain_subject *s, uint32_t n,
			   const struct sl_chain_sums *before, const struct sl_chain_sums *after);

#endif
