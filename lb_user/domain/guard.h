/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_GUARD_H
#define LB_USER_DOMAIN_GUARD_H

/* guard: from declared rates and prefixes to what the packet path reads (sluice/guard.h). */
#include <sluice/guard.h>

#include "lb_user/domain/model.h"

/* Whether the service has a limit; whether the packet path must have SL_FEAT_GUARD for @c. */
bool sl_guard_limits_any(const struct sl_service_guard *g);
bool sl_guard_needed(const struct sl_config *c);

struct sl_guard_machine {
	uint32_t hz;   /* jiffies a second: 1..1000 */
	uint32_t cpus; /* that share a service's limit */
};

/*
 * The machine of a data plane whose ticks are 1 << @tick_shift jiffies and
 * @tick_ms long (rounded down).
 */
struct sl_guard_machine sl_guard_machine_of(uint32_t tick_shift, uint32_t tick_ms, uint32_t cpus);

/* The record of valid limits. */
void sl_guard_fill(const struct sl_service_guard *g, const struct sl_guard_machine *m,
		   struct sl_guard_rec *ret);

/* Number of listed prefixes, and all of them as the map's entries. */
size_t sl_guard_listed(const struct sl_guard_lists *l);
void sl_guard_entries(const struct sl_guard_lists *l, struct sl_guard_prefix *ret);

/* The bits that say where a listed prefix may match; @ret has SL_GUARD_INDEX_WORDS. */
void sl_guard_fill_index(const struct sl_guard_lists *l, uint64_t *ret);

bool sl_guard_lists_equal(const struct sl_guard_lists *a, const struct sl_guard_lists *b);

/*
 * Removes the words of sources whose time has come, long before it looks as if
 * it was ahead again. To be called every 30 s or so. Returns how many are left.
 */
uint32_t sl_guard_sweep(struct sl_guard_set *sets, uint32_t n_sets, uint64_t jiffies);

#endif
