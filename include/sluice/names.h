/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SLUICE_NAMES_H
#define SLUICE_NAMES_H

/* names: of maps and programs. The kernel keeps 15 characters of each. */

#define SL_PROG_XDP   "sl_xdp"
#define SL_PROG_RARE  "sl_rare"
#define SL_PROG_SEND  "sl_send"
#define SL_PROG_CLOCK "sl_clock"

/*
 * Direct maps: arrays of one value that the program addresses as memory.
 * X(symbol): the map is called sl_<symbol>.
 */
#define SL_DIRECT_MAPS(X) \
	X(info)           \
	X(svc4)           \
	X(svc6)           \
	X(services)       \
	X(slots)          \
	X(seen)           \
	X(backends)       \
	X(tunnels)        \
	X(exceptions)     \
	X(drains)         \
	X(cnt_service)    \
	X(cnt_backend)    \
	X(cnt_reason)     \
	X(cnt_exc)        \
	X(limits)         \
	X(labels)         \
	X(trace)          \
	X(trace_row)      \
	X(guards)         \
	X(guard_sets)     \
	X(guard_pools)    \
	X(guard_credit)   \
	X(guard_index)    \
	X(cnt_guard)

#define SL_MAP_PORTS	"sl_ports"    /* devmap: port -> ifindex */
#define SL_MAP_TAILS	"sl_tails"    /* enum sl_tail -> program to go on with */
#define SL_MAP_PREFIXES "sl_prefixes" /* struct sl_guard_key -> enum sl_guard_verdict */
#define SL_MAP_EVENTS	"sl_events"   /* ring buffer of events.h */

enum sl_tail { SL_TAIL_RARE, SL_TAIL_SEND, SL_TAILS };

#endif
