/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_MAGLEV_H
#define LB_USER_DOMAIN_MAGLEV_H

/*
 * maglev: fills a table so that each backend owns slots in proportion to its
 * weight, and a change of one backend moves few slots of the others (Eisenbud
 * et al., "Maglev", NSDI 2016, section 3.4; the weights are ours).
 *
 * Pure: the owners depend only on names, weights, size and key, not on ids,
 * order or history, so nodes with the same backends build the same table.
 * Shares are exact to less than one slot: each backend gets its quota by
 * largest remainder (ties by name), and at least one slot.
 */
#include <stddef.h>
#include <stdint.h>

#include "lb_user/base/err.h"

struct sl_maglev_member {
	const char *name; /* unique in the set */
	uint16_t id;	  /* backend id, 1..SL_BACKENDS_MAX-1 */
	uint16_t weight;  /* 1..SL_WEIGHT_MAX; leave out what must get nothing */
};

/*
 * Writes @slots owner ids to @ret_owners. @slots must be prime and at least @n.
 * @n may be 0: every slot is then 0, "nobody".
 *
 * Returns 0, or
 *   -EINVAL  id or weight out of range, slots not prime, fewer than members or
 *            more than SL_SLOTS_TOTAL
 *   -EEXIST  two members share a name or an id
 *   -ENOMEM
 * On error @ret_owners is untouched and @err (may be NULL) names the member.
 */
int sl_maglev_fill(const struct sl_maglev_member *members, size_t n, const uint64_t key[2],
		   uint32_t slots, uint16_t *ret_owners, struct sl_err *err);

#endif
