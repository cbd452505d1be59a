/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_LIB_SUBJECT_H
#define BENCH_LIB_SUBJECT_H

/*
 * subject: something to measure: the driver with Sluice's program behind it,
 * or with one that does nothing. Every subject is a load of its own, because
 * where the kernel puts machine code moves results by some percent.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bench/lib/shared.h"
#include "lb_user/dp/dp.h"

#define SL_BENCH_BACKENDS 64u  /* of a service alone */
#define SL_BENCH_MANY	  512u /* services, where there are many */
#define SL_BENCH_EACH	  8u   /* backends of each of those */
#define SL_BENCH_IDS	  (1 + SL_BENCH_BACKENDS + SL_BENCH_MANY * SL_BENCH_EACH)

struct bpf_object;

/* Packets that leave on the way, so that what comes before it can be told from what comes after. */
enum sl_bench_stop {
	SL_BENCH_TO_THE_END,
	SL_BENCH_NO_SERVICE, /* read, looked for, passed */
	SL_BENCH_TCP_BAD,    /* and checked; dropped */
};

struct sl_bench_work {
	enum sl_bench_stop stop;
	bool is_v6;
	bool redirect;
	uint32_t flows;
	uint32_t table; /* slots: 16381 or 65537; 1021 where there are many services */
	uint8_t fwd;	/* enum sl_fwd */
	bool outer6;
	bool tag;	   /* one in front, that stays */
	bool udp;	   /* flows that are remembered, all of them */
	bool transition;   /* every slot in transition, every flow remembered elsewhere */
	bool many;	   /* services: 512 with 8 backends each */
	uint32_t features; /* SL_FEAT_* the program is specialised to */
};

struct sl_bench_subject {
	struct sl_dp *dp; /* NULL: the control */
	struct bpf_object *driver;
	int fd; /* of the driver's program */
};

/* Packets per backend, 0 unused. */
struct sl_bench_spread {
	uint64_t packets[SL_BENCH_IDS];
};

/* The memory of all drivers; tuples are made here, once. NULL and a message: not possible. */
struct bench_shared *sl_bench_share(const char *driver_path);
void sl_bench_unshare(void);

/* Loads one anew. 0, or -1 with a message on stderr. */
int sl_bench_load(struct sl_bench_subject *s, const char *driver_path, bool control);
void sl_bench_unload(struct sl_bench_subject *s);

/* Makes @s ready for @w; on the control only the driver. 0, or -1 with a message. */
int sl_bench_prepare(struct sl_bench_subject *s, const struct sl_bench_work *w);

struct sl_bench_time {
	double ns;	/* this thread's CPU time per packet */
	bool disturbed; /* the kernel's own clock saw more: others ran meanwhile */
};

/*
 * Sends @repeat packets of @w. 0, or -1 with a message. Not the wall clock: the
 * call sleeps twice for the kernel's dispatcher (README.md).
 */
int sl_bench_run(struct sl_bench_subject *s, const struct sl_bench_work *w, uint32_t repeat,
		 struct sl_bench_time *ret);

/* Where the packets must go that tuples [@first, @first + @n) make, and where they went so far. */
void sl_bench_predict(const struct sl_bench_subject *s, const struct sl_bench_work *w,
		      uint32_t first, uint32_t n, struct sl_bench_spread *ret);
void sl_bench_counted(const struct sl_bench_subject *s, struct sl_bench_spread *ret,
		      uint64_t *ret_sent, uint64_t *ret_other);

#endif
