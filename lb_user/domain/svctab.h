/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_SVCTAB_H
#define LB_USER_DOMAIN_SVCTAB_H

/*
 * svctab: the buckets in which the packet path finds a service, written while
 * packets read them: an entry appears with one store and vanishes with one.
 * Nothing that is there is ever moved.
 */
#include <sluice/types.h>

#include "lb_user/base/addr.h"
#include "lb_user/domain/model.h"

struct sl_svctab {
	struct sl_svc4_bucket *svc4; /* SL_SVC4_BUCKETS */
	struct sl_svc6_bucket *svc6; /* SL_SVC6_BUCKETS */
};

/*
 * Publishes {@addr, @port, @proto} as service @id; the id's record must be
 * complete. Returns 0, -EEXIST (it is there already) or -ENOSPC (both buckets
 * are full).
 */
int sl_svctab_put(const struct sl_svctab *t, const struct sl_addr *addr, uint16_t port,
		  enum sl_proto proto, uint16_t id);

/* Returns the id it had, or 0. */
uint16_t sl_svctab_del(const struct sl_svctab *t, const struct sl_addr *addr, uint16_t port,
		       enum sl_proto proto);

/* The id, or 0. */
uint16_t sl_svctab_get(const struct sl_svctab *t, const struct sl_addr *addr, uint16_t port,
		       enum sl_proto proto);

/* Makes {@addr, @port, @proto} say @id, whatever it said; @id 0 removes it. Returns 0 or -ENOSPC.
 */
int sl_svctab_set(const struct sl_svctab *t, const struct sl_addr *addr, uint16_t port,
		  enum sl_proto proto, uint16_t id);

/* Removes every entry that @keep says no to. Returns how many. */
typedef bool (*sl_svctab_keep_fn)(void *user, const struct sl_addr *addr, uint16_t id);
unsigned sl_svctab_retain(const struct sl_svctab *t, sl_svctab_keep_fn keep, void *user);

#endif
