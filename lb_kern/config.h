/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_CONFIG_H
#define LB_KERN_CONFIG_H

/*
 * config: constants the agent sets before loading. The kernel's verifier knows
 * their values, so they bound indexes and dead branches cost nothing.
 */
#include <sluice/features.h>

#include "lb_kern/platform.h"

#ifdef __bpf__
const volatile __u32 sl_cpu_mask = 0;	 /* rows of the per-CPU counters, less one */
const volatile __u32 sl_tick_shift = 10; /* tick = jiffies >> sl_tick_shift, about 4 s */
const volatile __u32 sl_features = SL_FEAT_ALL;
#else
extern __u32 sl_cpu_mask, sl_tick_shift, sl_features;
#endif

/* A drain counts in finer steps than flow memory: about 1 s. */
#define CONFIG_DRAIN_SHIFT(shift) ((shift)-2)

#endif
