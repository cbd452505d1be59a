/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include <sluice/types.h>

#include "lb_user/domain/drain.h"

/*
 * The packet path goes on while cells are read, so a cell may carry a tick
 * just after @now: an age this close to the wrap is such a one, not an old one.
 */
#define TICKS_AHEAD 1024u
#define AGE_MAX	    (SL_DRAIN_TICK_MASK - TICKS_AHEAD)

static uint32_t cell_age(uint16_t cell, uint16_t now)
{
	uint32_t age = ((uint32_t)now - cell) & SL_DRAIN_TICK_MASK;

	return age > AGE_MAX ? 0 : age;
}

/*
 * A tick of age may have lasted no time at all, so a flow counts until its age
 * is above the limit: never shorter than promised, at most a tick longer.
 */
static bool cell_counts(uint16_t cell, uint16_t now, uint32_t idle_ticks)
{
	uint32_t limit = idle_ticks < AGE_MAX ? idle_ticks : AGE_MAX - 1;

	if (!(cell & SL_DRAIN_VALID))
		return false;
	if (cell & SL_DRAIN_CLOSING && limit > SL_DRAIN_LINGER_TICKS)
		limit = SL_DRAIN_LINGER_TICKS;
	return cell_age(cell, now) <= limit;
}

/*
 * Linear counting: n flows leave (1 - 1/m)^n of m cells unmarked, so n is about
 * m ln(m / unmarked). With none unmarked the answer is "at least"; one is
 * assumed, as large a number as the cells can tell.
 */
static uint32_t flows_of(uint32_t marked, uint32_t n_cells)
{
	uint32_t unmarked = n_cells - marked, flows;

	if (!marked)
		return 0;
	if (!unmarked)
		unmarked = 1;
	flows = (uint32_t)lround((double)n_cells * log((double)n_cells / unmarked));
	return flows > marked ? flows : marked;
}

uint32_t sl_drain_count(uint16_t *cells, uint32_t n_cells, uint16_t now, uint32_t idle_ticks)
{
	uint32_t i, marked = 0;

	for (i = 0; i < n_cells; i++) {
		uint16_t cell = __atomic_load_n(&cells[i], __ATOMIC_RELAXED);

		if (!cell)
			continue;
		/* Swapped, not stored: a packet may have marked it anew meanwhile. */
		if (!cell_counts(cell, now, idle_ticks) &&
		    __atomic_compare_exchange_n(&cells[i], &cell, 0, false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			continue;
		marked++;
	}
	return flows_of(marked, n_cells);
}

bool sl_drain_over(const struct sl_drain_facts *f, bool *ret_by_deadline)
{
	bool quiet, late;

	/* A flow may be silent for the idle timeout and still be there: see drain.h. */
	quiet = f->counted && !f->active && f->now_ms - f->since_ms >= f->idle_timeout_ms;
	late = f->deadline_ms && f->now_ms >= f->deadline_ms;
	*ret_by_deadline = late && !quiet && f->ever_used;
	return quiet || late || !f->ever_used;
}
