/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROG_GUARD_RIG_H
#define TESTS_PROG_GUARD_RIG_H

/*
 * guard_rig: the fixture's services with limits and listed prefixes. Time is
 * the kernel's: bursts are counted exactly, what comes back within bounds. A
 * case that failed while half a second went by has shown nothing, and is run
 * again.
 */
#include "lb_user/domain/guard.h"
#include "tests/prog/fixture.h"
#include "tests/prog/tap.h"

extern struct sl_rig sl_guard_rig;

/* Says what is wrong; returned by cases. */
const char *sl_guard_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* So many at once, 1 a second. */
#define SL_GUARD_ONCE(n)                 \
	{                                \
		.per_s = 1, .burst = (n) \
	}

/* Neighbours in the same /24 or /48, and one outside; IPv4, IPv6. */
extern const char *const sl_guard_hosts[2][3];

void sl_guard_open(void);
uint64_t sl_guard_jiffies(void);
struct sl_guard_machine sl_guard_here(void);

/* All as if nobody had been limited yet, and nothing was listed. */
void sl_guard_anew(void);
void sl_guard_limit(enum sl_fix id, const struct sl_service_guard *g);
void sl_guard_list(const char *const *allow, size_t n_allow, const char *const *deny,
		   size_t n_deny);

struct sl_packet sl_guard_packet(enum sl_fix id, uint8_t flags, const char *from, uint16_t sport);

/* The reason it leaves with. */
enum sl_reason sl_guard_run(const struct sl_packet *p);
enum sl_reason sl_guard_ask(enum sl_fix id, uint8_t flags, const char *from, uint16_t sport);

/* How many of @n are sent, each from a port of its own; the others must leave as @else_as. */
int sl_guard_sent(enum sl_fix id, uint8_t flags, const char *from, int n, enum sl_reason else_as);

/* @fn for each of the services; NULL: as it should be. */
void sl_guard_check(const char *name, const char *(*fn)(enum sl_fix), const enum sl_fix *ids,
		    size_t n);

#endif
