/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/domain/state.h"

/* Known not to serve: probes said so, or frames for it have nowhere to go. */
static bool is_down(const struct sl_state_facts *f)
{
	return f->health == SL_HEALTH_DOWN || !f->has_next_hop;
}

enum sl_state sl_state_derive(const struct sl_state_facts *f)
{
	if (f->admin == SL_ADMIN_MAINT)
		return SL_STATE_MAINT;
	if (f->admin == SL_ADMIN_DRAIN)
		return f->drain_complete ? SL_STATE_DRAINED : SL_STATE_DRAINING;
	if (f->health == SL_HEALTH_UNKNOWN || f->hop_pending)
		return SL_STATE_CHECKING;
	return is_down(f) ? SL_STATE_DOWN : SL_STATE_UP;
}

/*
 * A backend not probed yet takes nothing when ready (it may not serve), but
 * keeps its flows when draining: DRAINING brings it no new ones, and moving
 * them needs a reason. A drain that is over stays DRAINING too: what is left
 * after a deadline moves with maint or removal, not by itself.
 */
enum sl_dp_state sl_state_dp(const struct sl_state_facts *f)
{
	if (f->admin == SL_ADMIN_MAINT || is_down(f))
		return SL_DP_DOWN;
	if (f->admin == SL_ADMIN_DRAIN)
		return SL_DP_DRAINING;
	return f->health == SL_HEALTH_UP ? SL_DP_UP : SL_DP_DOWN;
}

const char *sl_state_name(enum sl_state s)
{
	switch (s) {
	case SL_STATE_CHECKING:
		return "checking";
	case SL_STATE_UP:
		return "up";
	case SL_STATE_DRAINING:
		return "draining";
	case SL_STATE_DRAINED:
		return "drained";
	case SL_STATE_DOWN:
		return "down";
	case SL_STATE_MAINT:
		return "maint";
	}
	return "unknown";
}
