/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_COUNTERS_H
#define LB_USER_DOMAIN_COUNTERS_H

/*
 * counters: what the packet path's counters add up to. It counts a sent packet
 * once, in its backend's row of this CPU; what a service sent, and the reason
 * `sent`, are sums. So that these never go back, a backend's figures move to
 * its service's row when its id is given away, and a service's to the reason.
 */
#include <stdint.h>

#include <sluice/types.h>

struct sl_counters {
	uint64_t packets, bytes, flows, dropped;
};

/* Adds to @sum element @id of all CPUs' rows of @row elements. */
void sl_counters_add(struct sl_counters *sum, const struct sl_cnt *cnt, uint32_t cpus, uint32_t row,
		     uint32_t id);

/*
 * Moves what backend @id sent to service @service, and clears it. Nobody
 * counts for @id any more. A reader between the stores may see it twice, never less.
 */
void sl_counters_retire_backend(struct sl_cnt *backends, struct sl_cnt *services, uint32_t cpus,
				uint16_t id, uint16_t service);

/* Moves what service @id sent to the reason @sent, and clears all of its. */
void sl_counters_retire_service(struct sl_cnt *services, struct sl_reason_cnt *reasons,
				uint32_t cpus, uint16_t id, unsigned sent);

#endif
