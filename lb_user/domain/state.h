/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_STATE_H
#define LB_USER_DOMAIN_STATE_H

/*
 * state: the one word shown for a backend, derived from three separate facts
 * that are never stored as one: what the operator wants (admin), what probes
 * measured (health) and whether its next hop is known. First match wins:
 * maint, drained/draining, checking, down, up.
 */
#include <stdbool.h>

#include <sluice/types.h>

#include "lb_user/domain/health.h"
#include "lb_user/domain/model.h"

enum sl_state {
	SL_STATE_CHECKING,
	SL_STATE_UP,
	SL_STATE_DRAINING,
	SL_STATE_DRAINED,
	SL_STATE_DOWN,
	SL_STATE_MAINT
};

struct sl_state_facts {
	enum sl_admin admin;
	enum sl_health health; /* up where there is no check */
	bool has_next_hop;
	bool hop_pending; /* nothing is known of it yet, either way */
	bool drain_complete;
};

enum sl_state sl_state_derive(const struct sl_state_facts *f);

/*
 * What the packet path is told. A backend that drains and is down is DOWN:
 * its flows cannot be served, so they may move.
 */
enum sl_dp_state sl_state_dp(const struct sl_state_facts *f);

const char *sl_state_name(enum sl_state s);

#endif
