/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_MAPS_H
#define LB_KERN_MAPS_H

/*
 * maps: every map, nothing else.
 *
 * All but the devmap are direct maps: arrays of one big value, addressed as
 * plain memory. The program names the map and adds offsets; while loading,
 * lb_user/dp/direct.c turns each such reference from "the map" into "the
 * address of its value" (BPF_PSEUDO_MAP_VALUE), the form compilers use for
 * global data. So there is no lookup call, no null check, and still each map
 * is pinned, sized, adopted and migrated by itself. See README.md, decision 1.
 */
#include <sluice/abi.h>
#include <sluice/events.h>
#include <sluice/guard.h>
#include <sluice/names.h>
#include <sluice/types.h>

#include "lb_kern/config.h"
#include "lb_kern/platform.h"

#ifdef __bpf__
#define MAPS_DIRECT(name, elem)                                                 \
	struct {                                                                \
		__uint(type, BPF_MAP_TYPE_ARRAY);                               \
		__uint(max_entries, 1);                                         \
		__uint(key_size, 4);                                            \
		__uint(value_size, 8); /* the agent sets the size */            \
		__uint(map_flags, BPF_F_MMAPABLE);                              \
	} sl_##name SEC(".maps");                                               \
	static __always_inline elem *maps_##name(void)                          \
	{                                                                       \
		void *value = &sl_##name;                                       \
                                                                                \
		/* opaque: an offset folded into the reference would be lost */ \
		asm volatile("" : "+r"(value));                                 \
		return value;                                                   \
	}
#else
#define MAPS_DIRECT(name, type)                        \
	extern type *sl_##name;                        \
	static __always_inline type *maps_##name(void) \
	{                                              \
		return sl_##name;                      \
	}
#endif

MAPS_DIRECT(info, struct sl_info)
MAPS_DIRECT(svc4, struct sl_svc4_bucket)
MAPS_DIRECT(svc6, struct sl_svc6_bucket)
MAPS_DIRECT(services, struct sl_service_rec)
MAPS_DIRECT(slots, __u32)
MAPS_DIRECT(seen, __u16)
MAPS_DIRECT(backends, struct sl_backend_rec)
MAPS_DIRECT(tunnels, struct sl_tunnel_rec)
MAPS_DIRECT(exceptions, struct sl_exc_set)
MAPS_DIRECT(drains, __u16)
MAPS_DIRECT(cnt_service, struct sl_cnt)
MAPS_DIRECT(cnt_backend, struct sl_cnt)
MAPS_DIRECT(cnt_reason, struct sl_reason_cnt)
MAPS_DIRECT(cnt_exc, struct sl_exc_cnt)
MAPS_DIRECT(limits, struct sl_limit)
MAPS_DIRECT(labels, struct sl_label)
MAPS_DIRECT(trace, struct sl_trace)
MAPS_DIRECT(trace_row, struct sl_trace_row)
MAPS_DIRECT(guards, struct sl_guard_rec)
MAPS_DIRECT(guard_sets, struct sl_guard_set)
MAPS_DIRECT(guard_pools, struct sl_guard_pool)
MAPS_DIRECT(guard_credit, struct sl_guard_credit)
MAPS_DIRECT(guard_index, __u64)
MAPS_DIRECT(cnt_guard, struct sl_guard_cnt)

#ifdef __bpf__
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, SL_PORTS_MAX);
	__uint(key_size, 4);
	__uint(value_size, 4);
} sl_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, SL_TAILS);
	__uint(key_size, 4);
	__uint(value_size, 4);
} sl_tails SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SL_EVENTS_BYTES);
} sl_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 2 * SL_PREFIXES_MAX);
	__type(key, struct sl_guard_key);
	__type(value, __u32);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} sl_prefixes SEC(".maps");
#endif

/* Elements by index, each bounded for the verifier. */
static __always_inline __u32 *maps_slot(__u32 i)
{
	return maps_slots() + platform_bounded(i, SL_SLOTS_TOTAL - 1);
}

static __always_inline __u16 *maps_slot_seen(__u32 i)
{
	return maps_seen() + platform_bounded(i, SL_SLOTS_TOTAL - 1);
}

static __always_inline struct sl_backend_rec *maps_backend(__u32 id)
{
	return maps_backends() + platform_bounded(id, SL_BACKEND_MASK);
}

static __always_inline struct sl_tunnel_rec *maps_tunnel(__u32 backend)
{
	return maps_tunnels() + platform_bounded(backend, SL_BACKEND_MASK);
}

static __always_inline struct sl_service_rec *maps_service(__u32 id)
{
	return maps_services() + platform_bounded(id, SL_SERVICE_MASK);
}

static __always_inline __u16 *maps_drain_cell(__u32 track, __u32 cell)
{
	return maps_drains() +
	       platform_in_row(platform_bounded(track, SL_DRAIN_TRACKS - 1), SL_DRAIN_CELLS, cell);
}

/* This CPU's row of a counter array. */
static __always_inline __u32 maps_row(void)
{
	return PLATFORM_CPU() & sl_cpu_mask;
}

#endif
