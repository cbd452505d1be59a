/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

/* fuzz: what the targets share. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer calls it. 0, or -1: not worth keeping. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/*
 * Whether this run is the control: each target then does something wrong, which
 * must be found (run.sh).
 */
static inline bool fuzz_is_control(void)
{
	static int is = -1;

	if (is < 0)
		is = getenv("FUZZ_CONTROL") != NULL;
	return is;
}

/* What holds of every input. */
#define FUZZ_MUST(what)                                                                    \
	do {                                                                               \
		if (!(what)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                           \
		}                                                                          \
	} while (0)

#endif
