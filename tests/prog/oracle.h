/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROG_ORACLE_H
#define TESTS_PROG_ORACLE_H

/*
 * oracle: what must become of a frame by lb_kern/WALK.md, said a second time,
 * plainly: no shared code with lb_kern, offsets counted by hand. Knows the
 * services of fixture.h, all of them healthy.
 */
#include <stdint.h>

#include "tests/prog/fixture.h"

/* @ret_service: the service that counts it, 0 if none; written always. */
enum sl_reason sl_oracle_reason(const uint8_t *frame, uint32_t len, enum sl_fix *ret_service);

/* @frame as it must leave when it is sent to @service's backend, or echoed. */
void sl_oracle_leaves(uint8_t *frame, enum sl_reason reason, enum sl_fix service);

#endif
