/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_FUZZ_WORLD_H
#define TESTS_FUZZ_FUZZ_WORLD_H

/*
 * fuzz_world: a few fixed configurations for the walk. What packets do not
 * write is read-only memory, so a stray store ends the process; what they do
 * write is as new for each packet.
 */
#include "lb_user/dp/dp.h"

#define FUZZ_WORLDS 8u

/* Packets come in on 1. Port 1 of the devmap leads to 2; the others nowhere. */
#define FUZZ_INGRESS 1u
#define FUZZ_EGRESS  2u

#define FUZZ_SERVICES 10u
#define FUZZ_BACKENDS 14u /* ids 1..14 */

struct fuzz_service {
	const char *addr;
	uint16_t port;
	uint8_t proto;
	uint16_t flags;
};
extern const struct fuzz_service fuzz_services[FUZZ_SERVICES]; /* of id 1, 2... */

struct fuzz_world {
	struct sl_dp_mem mem;
	uint32_t egress[SL_PORTS_MAX];
	bool is_traced; /* somebody listens, and captures */
};

/* @n below FUZZ_WORLDS. Made at the first call. */
const struct fuzz_world *fuzz_world(unsigned n);

/* Before each packet: what packets write is as new. */
void fuzz_world_begin(const struct fuzz_world *w);

#endif
