/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROG_POOL_H
#define TESTS_PROG_POOL_H

/*
 * pool: one service at a time with several backends, for tests of who gets a
 * packet. Most slots belong to the backends of SL_POOL_REST; the slot of the
 * flow under test is written by the test.
 */
#include "tests/prog/rig.h"

enum sl_pool_kind { SL_POOL_TCP = 1, SL_POOL_FLOW, SL_POOL_NONE, SL_POOL_KINDS };

#define SL_POOL_A     1u /* in the tests: former owner */
#define SL_POOL_B     2u /* owner */
#define SL_POOL_C     3u /* a third one, owner of an exception */
#define SL_POOL_REST  4u /* 4..8 own all other slots */
#define SL_POOL_LAST  8u
#define SL_POOL_SLOTS 1021u
#define SL_POOL_IDLE  20u /* idle ticks */

struct sl_pool {
	struct sl_rig *rig;
	struct sl_packet packet; /* of the kind and family chosen */
	uint16_t service;
	uint32_t tick;
	uint16_t drain_tick;
};

/* What became of one packet. */
struct sl_pool_sent {
	enum sl_reason reason;
	uint16_t backend;	 /* 0: not sent */
	uint64_t flows, dropped; /* of the service */
};

/* Puts up services of every kind and family, once. */
void sl_pool_open(struct sl_pool *p, struct sl_rig *r);

/*
 * Chooses a service and forgets all: memory of flows empty, every backend UP,
 * the table shared by SL_POOL_REST. Waits for a calm moment of the clock.
 */
void sl_pool_reset(struct sl_pool *p, enum sl_pool_kind kind, bool is_v6);

/*
 * Whether the clock stands where it did at the reset. A case that failed and
 * sees it moved (a slow or busy machine) has shown nothing, and is run again.
 */
bool sl_pool_steady(const struct sl_pool *p);
#define SL_POOL_TRIES 8

/* Turns to flow number @n. Returns its hash. */
uint64_t sl_pool_flow(struct sl_pool *p, uint64_t n);
void sl_pool_flags(struct sl_pool *p, uint8_t tcp_flags);

/* Where that flow's slot and its seen are. */
uint32_t *sl_pool_slot(const struct sl_pool *p, uint64_t hash);
uint16_t *sl_pool_seen(const struct sl_pool *p, uint64_t hash);

void sl_pool_state(const struct sl_pool *p, uint16_t backend, uint8_t state);

/* The entry that bears @hash's tag; NULL: none. */
uint64_t *sl_pool_entry(const struct sl_pool *p, uint64_t hash);

/* Writes one into place @way of its set. */
void sl_pool_remember(const struct sl_pool *p, uint64_t hash, unsigned way, uint16_t backend,
		      bool confirmed, unsigned ticks_ago);

/* Whom a probe must find, by the rule; 0: nobody. */
uint16_t sl_pool_probe(const struct sl_pool *p, uint64_t hash);

/* Sends the packet as it is. Ends the process when it was not counted exactly once. */
struct sl_pool_sent sl_pool_send(struct sl_pool *p);

#endif
