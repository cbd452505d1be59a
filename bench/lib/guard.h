/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_LIB_GUARD_H
#define BENCH_LIB_GUARD_H

/*
 * guard: work that leaves things behind in the system, done by a child, so
 * that somebody is there to take them away however it ends: by itself, by a
 * crash, or because one of SIGINT, SIGTERM, SIGHUP, SIGQUIT came.
 */

/*
 * Runs @work(@user) in a child and then @clean(@user) here. Returns what @work
 * returned, 128 plus the signal's number, or 1 where no child could be made.
 * The child does not outlive us; what it writes to @user stays its own.
 */
int sl_guard_run(int (*work)(void *user), void (*clean)(void *user), void *user);

#endif
