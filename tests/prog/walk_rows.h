/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROG_WALK_ROWS_H
#define TESTS_PROG_WALK_ROWS_H

/*
 * walk_rows: one row per way out of the program: a sound packet in which one
 * thing is wrong, or sound memory of which one fact is, and the reason it must
 * leave with.
 */
#include <stddef.h>

#include "tests/prog/fixture.h"

enum sl_walk_from { SL_WALK_L3, SL_WALK_L4 }; /* where a patch counts from */

struct sl_walk_patch {
	enum sl_walk_from from;
	uint16_t at;
	uint8_t value;
	bool on;
};

struct sl_walk_row {
	const char *name;
	enum sl_reason reason;
	enum sl_fix base;		   /* an ACK or a datagram to this service, unless: */
	struct sl_packet_spec spec;	   /* members that are set win */
	struct sl_walk_patch patch[3];	   /* then these bytes */
	bool cut_l4;			   /* lacks the network header's last byte */
	void (*arrange)(struct sl_rig *r); /* what is wrong in memory */
	struct sl_exc_cnt exc;
};

extern const struct sl_walk_row sl_walk_rows[];
extern const size_t sl_walk_n_rows;

struct sl_packet sl_walk_packet(const struct sl_walk_row *row);

#endif
