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

enum sl_walk_from { SL_WALK_L2, SL_WALK_L3, SL_WALK_L4 }; /* where a patch counts from */

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
	struct sl_walk_patch patch[4];	   /* then these bytes */
	uint16_t len;			   /* it ends after so many bytes; 0: as built */
	const struct sl_walk_row *quotes;  /* ICMP: its payload is this one */
	bool turned;			   /* from the service to the client */
	bool uncounted;			   /* no service counts it, although it is not passed */
	void (*arrange)(struct sl_rig *r); /* what is wrong in memory */
	struct sl_exc_cnt exc;
};

#define SL_WALK_PATCH(layer, offset, byte)          \
	{                                           \
		SL_WALK_##layer, offset, byte, true \
	}

extern const struct sl_walk_row sl_walk_rows[]; /* common packets, and what they may lack */
extern const size_t sl_walk_n_rows;
extern const struct sl_walk_row sl_walk_rare[]; /* tags, extension headers, fragments */
extern const size_t sl_walk_n_rare;
extern const struct sl_walk_row sl_walk_icmp[];
extern const size_t sl_walk_n_icmp;

struct sl_packet sl_walk_packet(const struct sl_walk_row *row);

#endif
