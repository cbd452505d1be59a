/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_FUZZ_WALK_H
#define TESTS_FUZZ_FUZZ_WALK_H

/* fuzz_walk: one frame through lb_kern's walk, compiled for this machine. */
#include <stdbool.h>

#include "tests/fuzz/fuzz_world.h"

enum fuzz_action { FUZZ_LEFT = -1, FUZZ_ABORTED, FUZZ_DROP, FUZZ_PASS, FUZZ_TX, FUZZ_REDIRECT };

struct fuzz_walked {
	enum fuzz_action action;
	unsigned port;	     /* of a redirect */
	unsigned backend;    /* it was sent to, by what was counted; 0: none */
	unsigned reason;     /* SL_R_SENT if it was sent, else what was counted */
	unsigned counted;    /* times: must be 1 (0 if left) */
	unsigned char *byte; /* what became of the frame; free @block */
	unsigned len;
	void *block;
};

/*
 * @any: by walk_any() and walk_last(), which take every packet; else by walk_hot(), which may
 * leave it (FUZZ_LEFT). Starts from memory as it is.
 */
void fuzz_walk(const struct fuzz_world *w, const void *frame, unsigned len, bool any,
	       struct fuzz_walked *ret);

#endif
