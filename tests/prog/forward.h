/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROG_FORWARD_H
#define TESTS_PROG_FORWARD_H

/*
 * forward: the frame that must leave, said a second time (lb_kern/WALK.md,
 * section 8), byte by byte and with checksums over all bytes they cover. For
 * packets whose own checksums are right.
 */
#include "tests/prog/rig.h"

struct sl_way {
	const char *name;
	uint8_t fwd; /* enum sl_fwd */
	bool outer6;
};

#define SL_WAYS 5
extern const struct sl_way sl_ways[SL_WAYS];

#define SL_WAY_KEEP (-1) /* vlan: tags stay */

/* Makes @backend's records say so; mtu and mtu_link are the largest. */
void sl_forward_backend(struct sl_rig *r, uint16_t backend, const struct sl_way *f, int vlan);

/* What leaves for @backend; @hash of the flow. */
struct sl_packet sl_forward_want(const struct sl_rig *r, const struct sl_packet *p,
				 uint16_t backend, uint64_t hash);

/* The answer that tells @mtu, in place of @p. */
struct sl_packet sl_forward_too_big(const struct sl_packet *p, uint32_t mtu);

#endif
