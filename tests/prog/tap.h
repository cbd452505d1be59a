/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROG_TAP_H
#define TESTS_PROG_TAP_H

/* tap: one line per case, "ok - name" or "not ok - name: why", and the total at the end. */
#include <stdbool.h>

/* Prints the case's line. @fmt says what was wrong; not looked at when @ok. Returns @ok. */
bool sl_tap(bool ok, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A remark between the lines. */
void sl_tap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Nothing after this makes sense: prints "not ok", the total, and ends the process. */
void sl_tap_bail(const char *name, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* Prints "N passed, N failed". Returns the exit code. */
int sl_tap_done(void);

#endif
