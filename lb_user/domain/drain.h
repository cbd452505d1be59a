/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_DRAIN_H
#define LB_USER_DOMAIN_DRAIN_H

/*
 * drain: how many flows are left on a draining backend, and when it is done.
 *
 * Under direct server return the balancer sees only what clients send, and it
 * remembers no settled flow, so the count is an estimate: the packet path
 * marks, per flow hash, a cell with the tick of the last packet (SL_DRAIN_* in
 * sluice/types.h), from the moment the drain starts. Linear counting (Whang et
 * al., 1990) turns marked cells into flows. A flow that sent FIN counts for
 * SL_DRAIN_LINGER_TICKS more, one that was silent for the idle timeout no
 * longer, one that sent RST not at all.
 *
 * A flow that has been silent since the drain started is not in the count, so
 * a drain is complete only when the count is 0 and the idle timeout has passed
 * since its start, or at its deadline.
 */
#include <stdbool.h>
#include <stdint.h>

#define SL_DRAIN_LINGER_TICKS 3

/*
 * @cells: SL_DRAIN_CELLS words, @now: fine tick, @idle_ticks: in fine ticks.
 * Clears cells that no longer count. Returns the estimate.
 */
uint32_t sl_drain_count(uint16_t *cells, uint32_t n_cells, uint16_t now, uint32_t idle_ticks);

struct sl_drain_facts {
	bool counted; /* false: no cells were free; only time can end it */
	uint32_t active;
	bool ever_used;		  /* the backend was sent at least one packet since it was added */
	int64_t now_ms, since_ms; /* same clock */
	int64_t deadline_ms;	  /* 0: none */
	uint32_t idle_timeout_ms;
};

/* Whether the drain is over, and whether the deadline (not the count) ended it. */
bool sl_drain_over(const struct sl_drain_facts *f, bool *ret_by_deadline);

#endif
