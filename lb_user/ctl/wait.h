/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_CTL_WAIT_H
#define LB_USER_CTL_WAIT_H

/* wait: asks every half second until goals are reached, and reports meanwhile. */
#include "lb_user/ctl/ctl.h"
#include "lb_user/ctl/goal.h"

struct sl_wait {
	const struct sl_target *target;
	struct sl_goal goal;
	bool over;
};

/* Fills in label and name. */
void sl_wait_init(struct sl_wait *w, const struct sl_target *target, enum sl_goal_kind kind);

/*
 * @limit_ms: 0 for none. @known: the agent answered before, so a pause of it
 * (a restart) is borne for a while. Returns the first exit code that is not 0.
 */
int sl_wait_all(struct sl_ctl *ctl, struct sl_wait *waits, size_t n, uint64_t limit_ms, bool known);

#endif
