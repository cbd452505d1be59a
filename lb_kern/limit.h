/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_LIMIT_H
#define LB_KERN_LIMIT_H

/*
 * limit: what this CPU may still answer by itself within about a second, so
 * that nobody amplifies with it: echo replies, and "too big".
 */
#include "lb_kern/maps.h"

enum limit_of { LIMIT_ECHO, LIMIT_TOO_BIG };

/* Counts one answer; false: that was one too many for this second. */
static __always_inline bool limit_allows(enum limit_of what)
{
	struct sl_limit *limit = maps_limits() + maps_row();
	__u32 window = (__u32)(PLATFORM_JIFFIES() >> CONFIG_DRAIN_SHIFT(sl_tick_shift));

	if (limit->window != window) {
		limit->window = window;
		limit->echo_count = 0;
		limit->too_big_count = 0;
	}
	if (what == LIMIT_ECHO)
		return ++limit->echo_count <= SL_ECHO_MAX;
	return ++limit->too_big_count <= SL_TOO_BIG_MAX;
}

#endif
