/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIB_NS_PAIR_H
#define TESTS_LIB_NS_PAIR_H

/*
 * ns_pair: this process in a fresh network namespace, and a second one, the
 * peer's. Nothing else holds them, so all that is made in them goes with the
 * process, however it ends. Needs root. What goes wrong ends the process.
 */
#include <stdbool.h>

/* Two veth pairs, va-vb and wa-wb (va, wa here), with addresses: see the .c. */
void ns_pair_enter(void);

/* Shell command lines here and at the peer; both must succeed. */
void ns_here(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void ns_peer(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Runs @fn at the peer: sockets and links it makes there stay. */
void ns_peer_call(void (*fn)(void *user), void *user);

/* Whether a command line here succeeds. */
bool ns_holds(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
