/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROG_PATHS_H
#define TESTS_PROG_PATHS_H

/*
 * paths: every way through a loaded program, as far as constants in registers
 * and those that are spilled to the stack tell: which verdicts are reached with a call on the way,
 * and which without.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#define SL_PATHS_MAX_VERDICT 8

struct sl_paths {
	bool free[SL_PATHS_MAX_VERDICT];   /* this verdict is reached without a call */
	bool called[SL_PATHS_MAX_VERDICT]; /* and so after one */
	bool called_result;		   /* the verdict is what a call returned */
	bool called_unknown;		   /* a verdict after a call that cannot be told */
	unsigned states;
};

/* true: @i calls a function, be it a helper, a kernel function or a part of the program. */
bool sl_paths_is_call(const struct bpf_insn *i);

/*
 * @ignored: the immediate of a call that does not count, 0: none. A tail call
 * does not count, as it does not come back; when it fails the program goes on.
 * false: no memory, or too many ways.
 */
bool sl_paths_walk(const struct bpf_insn *insn, unsigned n, int ignored, struct sl_paths *ret);

#endif
