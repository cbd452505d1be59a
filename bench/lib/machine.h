/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_LIB_MACHINE_H
#define BENCH_LIB_MACHINE_H

/* machine: what a figure depends on besides the program, and what disturbs it. */
#include <stdbool.h>
#include <stdint.h>

#define SL_MACHINE_FACTS 16

struct sl_machine_fact {
	const char *name;
	char text[128];
};

struct sl_machine {
	struct sl_machine_fact fact[SL_MACHINE_FACTS];
	unsigned n;
	const char *unfit; /* NULL, or why figures of this machine are void */
};

void sl_machine_read(struct sl_machine *ret);

/*
 * Runs on the last CPU we may use from now on, before other tasks where that
 * is allowed (SCHED_FIFO). Returns the CPU, or -1.
 */
int sl_machine_pin(struct sl_machine *m);

/* Times we were pushed off the CPU, plus ticks that the host took: it grows, or nothing disturbed
 * us. */
uint64_t sl_machine_disturbances(void);

#endif
