/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROG_SLOT_ROWS_H
#define TESTS_PROG_SLOT_ROWS_H

/* slot_rows: the slot rules of lb_kern/README.md, one row each: state, packet, what must follow. */
#include <stddef.h>

#include "tests/prog/pool.h"

#define SL_ROW_PROBE 0xffffu /* as a backend: whom the probe finds */

struct sl_row_entry {
	uint16_t backend; /* 0: no entry */
	bool confirmed;
	uint16_t ago; /* age in ticks */
};

struct sl_slot_row {
	const char *name;
	enum sl_pool_kind kind;
	uint8_t flags; /* of TCP */
	/* before: */
	struct {
		uint16_t cur;
		bool t;
		uint16_t old;
	} slot;
	uint8_t down, draining; /* bits 1 << backend; all others are UP */
	bool rest_down;		/* so are the owners of all other slots */
	bool drop;		/* the service's on_down */
	uint16_t spare;		/* stands in the service's list */
	struct sl_row_entry entry;
	/* after: */
	enum sl_reason reason; /* 0 means SENT */
	uint16_t to;
	struct sl_row_entry then;
	bool seen; /* the slot's seen is now */
	uint8_t flows;
	struct sl_exc_cnt exc;
};

extern const struct sl_slot_row sl_slot_rows[];
extern const size_t sl_slot_n_rows;

/* Makes the memory of the flow @hash what the row says it is before the packet. */
void sl_slot_arrange(const struct sl_pool *p, const struct sl_slot_row *row, uint64_t hash);

#endif
