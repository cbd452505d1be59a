/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_EXCEPTIONS_H
#define LB_USER_DOMAIN_EXCEPTIONS_H

/*
 * exceptions: the agent's part in the memory of flows, while packets use it.
 * The packet path's part is lb_kern/exception.h.
 */
#include <sluice/types.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Whether an entry may be older than it looks: ages have wrapped, @away ticks
 * after the last sweep, for a service of @idle_ticks.
 */
static inline bool sl_exceptions_doubtful(uint64_t away, uint16_t idle_ticks)
{
	return away + idle_ticks >= SL_IDLE_TICKS_MAX;
}

/*
 * Removes expired entries (silent for more than the idle ticks of their
 * backend's service) and entries of backends without a service. Must run more
 * often than ages wrap (include/sluice/limits.h). Returns how many are left.
 */
uint32_t sl_exceptions_sweep(struct sl_exc_set *sets, uint32_t n_sets,
			     const struct sl_backend_rec *backends,
			     const struct sl_service_rec *services, uint32_t tick);

/* Removes every entry that names backend @id. Returns how many. */
uint32_t sl_exceptions_purge(struct sl_exc_set *sets, uint32_t n_sets, uint16_t id);

/* The same for every backend whose flag is set in @gone (SL_BACKENDS_MAX flags), in one walk. */
uint32_t sl_exceptions_purge_all(struct sl_exc_set *sets, uint32_t n_sets, const bool *gone);

#endif
