/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feature: the packet path has what records ask of it before they are written,
 * and loses what nobody asks for any more some time after.
 */
#include <string.h>

#include "lb_user/base/log.h"
#include "lb_user/domain/features.h"
#include "lb_user/svc/egress.h"
#include "lb_user/svc/runtime.h"

#define LEISURE_MS 10000 /* not for one that is back soon: each change loads programs */

int sl_feature_ensure(struct sl_control *c, uint32_t needed, struct sl_err *err)
{
	uint32_t has = c->dp->mem.info->features;

	if ((has & needed) == needed)
		return 0;
	c->spare_since_ms = 0;
	return c->dp->ops->specialise(c->dp, has | needed, err);
}

/* Of the configuration, of what was found, and of who listens. */
uint32_t sl_feature_needed(const struct sl_control *c)
{
	uint32_t needed = sl_features_needed(&c->config) | sl_trace_features(c);

	/* also what netlink found, and what is pinned and still believed */
	for (size_t i = 0; i < c->config.n_services; i++)
		for (size_t j = 0; j < c->service[i]->n_backends; j++) {
			const struct sl_backend_rt *b = c->service[i]->backend[j];
			const struct sl_backend_rec *rec = &c->dp->mem.backends[b->id];

			if (b->hop.resolved || b->adopted)
				needed |= sl_egress_features(rec->fwd, rec->flags);
		}
	return needed;
}

void sl_feature_relax(struct sl_control *c, int64_t now_ms)
{
	uint32_t has = c->dp->mem.info->features, needed = sl_feature_needed(c);
	struct sl_err err = {};

	if (!(has & ~needed)) {
		c->spare_since_ms = 0;
		return;
	}
	if (!c->spare_since_ms)
		c->spare_since_ms = now_ms;
	if (now_ms - c->spare_since_ms < LEISURE_MS)
		return;
	c->spare_since_ms = now_ms; /* should it fail: again after as long */
	if (c->dp->ops->specialise(c->dp, has & needed, &err) < 0)
		sl_warn("event=specialise features=0x%x \"the packet path keeps what nobody uses: "
			"%s\"",
			has & needed, err.detail);
	else
		sl_info("event=specialise features=0x%x", has & needed);
}
