/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/slot_rows.h"

#define A     SL_POOL_A
#define B     SL_POOL_B
#define C     SL_POOL_C
#define PROBE SL_ROW_PROBE
#define IDLE  SL_POOL_IDLE
#define SYN   SL_TCP_SYN
#define ACK   SL_TCP_ACK
#define FIN   SL_TCP_FIN
#define RST   SL_TCP_RST

const struct sl_slot_row sl_slot_rows[] = {
	/* settled, owner UP: the slot decides, no memory of flows is looked at */
	{ "settled, up: syn", SL_POOL_TCP, SYN, .slot = { B, false, B }, .to = B, .flows = 1 },
	{ "settled, up: ack", SL_POOL_TCP, ACK, .slot = { B, false, B }, .to = B },
	{ "settled, up: fin", SL_POOL_TCP, FIN, .slot = { B, false, B }, .to = B },
	{ "settled, up: rst", SL_POOL_TCP, RST, .slot = { B, false, B }, .to = B },
	{ "settled, up: syn ack", SL_POOL_TCP, SYN | ACK, .slot = { B, false, B }, .to = B },
	{ "settled, up: ack, an entry says otherwise", SL_POOL_TCP, ACK, .slot = { B, false, B },
	  .entry = { C, true, 2 }, .to = B, .then = { C, true, 2 } },
	{ "settled, up: syn, an entry says otherwise", SL_POOL_TCP, SYN, .slot = { B, false, B },
	  .entry = { C, false, 2 }, .to = B, .then = { C, false, 2 }, .flows = 1 },
	{ "settled, up: old does not matter", SL_POOL_TCP, ACK, .slot = { B, false, A }, .to = B },

	/* in transition from A to B */
	{ "moving: syn goes to cur and is remembered", SL_POOL_TCP, SYN, .slot = { B, true, A },
	  .to = B, .then = { B, false, 0 }, .flows = 1, .exc = { .inserts = 1 } },
	{ "moving: syn overwrites what a former flow left", SL_POOL_TCP, SYN,
	  .slot = { B, true, A }, .entry = { C, true, 3 }, .to = B, .then = { B, false, 0 },
	  .flows = 1, .exc = { .inserts = 1 } },
	{ "moving: syn overwrites an expired entry of its own", SL_POOL_TCP, SYN,
	  .slot = { B, true, A }, .entry = { C, true, IDLE + 5 }, .to = B, .then = { B, false, 0 },
	  .flows = 1, .exc = { .inserts = 1 } },
	{ "moving: ack of a flow nobody remembers goes to old", SL_POOL_TCP, ACK,
	  .slot = { B, true, A }, .to = A, .seen = true, .exc = { .lookups = 1 } },
	{ "moving: fin of a flow nobody remembers goes to old", SL_POOL_TCP, FIN,
	  .slot = { B, true, A }, .to = A, .seen = true, .exc = { .lookups = 1 } },
	{ "moving: rst of a flow nobody remembers goes to old", SL_POOL_TCP, RST,
	  .slot = { B, true, A }, .to = A, .seen = true, .exc = { .lookups = 1 } },
	{ "moving: syn ack of a flow nobody remembers goes to old", SL_POOL_TCP, SYN | ACK,
	  .slot = { B, true, A }, .to = A, .seen = true, .exc = { .lookups = 1 } },
	{ "moving: remembered on cur, becomes confirmed", SL_POOL_TCP, ACK, .slot = { B, true, A },
	  .entry = { B, false, 2 }, .to = B, .then = { B, true, 0 },
	  .exc = { .lookups = 1, .hits = 1 } },
	{ "moving: remembered on old", SL_POOL_TCP, ACK, .slot = { B, true, A },
	  .entry = { A, true, 2 }, .to = A, .then = { A, true, 0 }, .seen = true,
	  .exc = { .lookups = 1, .hits = 1 } },
	{ "moving: remembered on a third", SL_POOL_TCP, ACK, .slot = { B, true, A },
	  .entry = { C, false, 0 }, .to = C, .then = { C, true, 0 }, .seen = true,
	  .exc = { .lookups = 1, .hits = 1 } },
	{ "moving: rst of a remembered flow", SL_POOL_TCP, RST, .slot = { B, true, A },
	  .entry = { C, true, 1 }, .to = C, .then = { C, true, 0 }, .seen = true,
	  .exc = { .lookups = 1, .hits = 1 } },
	{ "moving: silent for just the idle timeout", SL_POOL_TCP, ACK, .slot = { B, true, A },
	  .entry = { C, true, IDLE }, .to = C, .then = { C, true, 0 }, .seen = true,
	  .exc = { .lookups = 1, .hits = 1 } },
	{ "moving: silent for longer counts as absent", SL_POOL_TCP, ACK, .slot = { B, true, A },
	  .entry = { C, true, IDLE + 1 }, .to = A, .then = { C, true, IDLE + 1 }, .seen = true,
	  .exc = { .lookups = 1 } },
	{ "moving: silent for the longest that an age can say", SL_POOL_TCP, ACK,
	  .slot = { B, true, A }, .entry = { C, true, 254 }, .to = A, .then = { C, true, 254 },
	  .seen = true, .exc = { .lookups = 1 } },
	{ "moving: used by a CPU that saw the clock turn first", SL_POOL_TCP, ACK,
	  .slot = { B, true, A }, .entry = { C, true, 255 }, .to = C, .then = { C, true, 0 },
	  .seen = true, .exc = { .lookups = 1, .hits = 1 } },
	{ "raised: syn is remembered", SL_POOL_TCP, SYN, .slot = { B, true, B }, .to = B,
	  .then = { B, false, 0 }, .flows = 1, .exc = { .inserts = 1 } },
	{ "raised: ack of an unknown flow stays, seen is not written", SL_POOL_TCP, ACK,
	  .slot = { B, true, B }, .to = B, .exc = { .lookups = 1 } },

	/* in transition, someone is not UP */
	{ "moving, old draining: its flows stay", SL_POOL_TCP, ACK, .slot = { B, true, A },
	  .draining = 1 << A, .to = A, .seen = true, .exc = { .lookups = 1 } },
	{ "moving, draining owner of an entry: stays", SL_POOL_TCP, ACK, .slot = { B, true, A },
	  .draining = 1 << C, .entry = { C, true, 4 }, .to = C, .then = { C, true, 0 },
	  .seen = true, .exc = { .lookups = 1, .hits = 1 } },
	{ "moving, old down: probed, not remembered", SL_POOL_TCP, ACK, .slot = { B, true, A },
	  .down = 1 << A, .to = PROBE, .seen = true, .exc = { .lookups = 1, .rescheduled = 1 } },
	{ "moving, old down: dropped where the service says so", SL_POOL_TCP, ACK,
	  .slot = { B, true, A }, .down = 1 << A, .drop = true, .reason = SL_R_BACKEND_DOWN,
	  .exc = { .lookups = 1 } },
	{ "moving, owner of the entry down: forgotten and probed", SL_POOL_TCP, ACK,
	  .slot = { B, true, A }, .down = 1 << C, .entry = { C, true, 1 }, .to = PROBE,
	  .seen = true, .exc = { .lookups = 1, .hits = 1, .rescheduled = 1 } },
	{ "moving, owner of the entry down: forgotten and dropped", SL_POOL_TCP, ACK,
	  .slot = { B, true, A }, .down = 1 << C, .drop = true, .entry = { C, true, 1 },
	  .reason = SL_R_BACKEND_DOWN, .exc = { .lookups = 1, .hits = 1 } },
	{ "moving, cur down: syn is probed and remembered", SL_POOL_TCP, SYN,
	  .slot = { B, true, A }, .down = 1 << B, .to = PROBE, .then = { PROBE, false, 0 },
	  .seen = true, .flows = 1, .exc = { .inserts = 1 } },
	{ "moving, cur draining: syn is probed and remembered", SL_POOL_TCP, SYN,
	  .slot = { B, true, A }, .draining = 1 << B, .to = PROBE, .then = { PROBE, false, 0 },
	  .seen = true, .flows = 1, .exc = { .inserts = 1 } },
	{ "moving, cur down: a remembered flow stays elsewhere", SL_POOL_TCP, ACK,
	  .slot = { B, true, A }, .down = 1 << B, .entry = { C, true, 1 }, .to = C,
	  .then = { C, true, 0 }, .seen = true, .exc = { .lookups = 1, .hits = 1 } },
	{ "moving, cur down: an unknown flow stays on old", SL_POOL_TCP, ACK,
	  .slot = { B, true, A }, .down = 1 << B, .to = A, .seen = true, .exc = { .lookups = 1 } },
	{ "moving from nobody: probed", SL_POOL_TCP, ACK, .slot = { B, true, 0 }, .to = PROBE,
	  .seen = true, .exc = { .lookups = 1, .rescheduled = 1 } },

	/* settled, owner DOWN */
	{ "settled, down: syn is probed and remembered", SL_POOL_TCP, SYN, .slot = { B, false, B },
	  .down = 1 << B, .to = PROBE, .then = { PROBE, false, 0 }, .seen = true, .flows = 1,
	  .exc = { .inserts = 1 } },
	{ "settled, down: syn is not dropped, it is a new flow", SL_POOL_TCP, SYN,
	  .slot = { B, false, B }, .down = 1 << B, .drop = true, .to = PROBE,
	  .then = { PROBE, false, 0 }, .seen = true, .flows = 1, .exc = { .inserts = 1 } },
	{ "settled, down: ack is probed, not remembered", SL_POOL_TCP, ACK, .slot = { B, false, B },
	  .down = 1 << B, .to = PROBE, .seen = true, .exc = { .lookups = 1, .rescheduled = 1 } },
	{ "settled, down: ack is dropped where the service says so", SL_POOL_TCP, ACK,
	  .slot = { B, false, B }, .down = 1 << B, .drop = true, .reason = SL_R_BACKEND_DOWN,
	  .exc = { .lookups = 1 } },
	{ "settled, down: a remembered flow goes to its owner", SL_POOL_TCP, ACK,
	  .slot = { B, false, B }, .down = 1 << B, .entry = { C, false, 3 }, .to = C,
	  .then = { C, true, 0 }, .seen = true, .exc = { .lookups = 1, .hits = 1 } },
	{ "settled, down: owner of the entry down too", SL_POOL_TCP, ACK, .slot = { B, false, B },
	  .down = 1 << B | 1 << C, .entry = { C, true, 3 }, .to = PROBE, .seen = true,
	  .exc = { .lookups = 1, .hits = 1, .rescheduled = 1 } },
	{ "settled, down: an expired entry is no owner", SL_POOL_TCP, ACK, .slot = { B, false, B },
	  .down = 1 << B, .entry = { C, true, IDLE + 1 }, .to = PROBE,
	  .then = { C, true, IDLE + 1 }, .seen = true, .exc = { .lookups = 1, .rescheduled = 1 } },

	/* settled, owner DRAINING */
	{ "settled, draining: syn is probed and remembered", SL_POOL_TCP, SYN,
	  .slot = { B, false, B }, .draining = 1 << B, .to = PROBE, .then = { PROBE, false, 0 },
	  .seen = true, .flows = 1, .exc = { .inserts = 1 } },
	{ "settled, draining: its flows stay", SL_POOL_TCP, ACK, .slot = { B, false, B },
	  .draining = 1 << B, .to = B, .exc = { .lookups = 1 } },
	{ "settled, draining: fin too", SL_POOL_TCP, FIN, .slot = { B, false, B },
	  .draining = 1 << B, .to = B, .exc = { .lookups = 1 } },
	{ "settled, draining: a remembered flow goes to its owner", SL_POOL_TCP, ACK,
	  .slot = { B, false, B }, .draining = 1 << B, .entry = { C, false, 1 }, .to = C,
	  .then = { C, true, 0 }, .seen = true, .exc = { .lookups = 1, .hits = 1 } },
	{ "settled, draining: drop is for owners that are down", SL_POOL_TCP, ACK,
	  .slot = { B, false, B }, .draining = 1 << B, .drop = true, .to = B,
	  .exc = { .lookups = 1 } },

	/* nobody, or next to nobody */
	{ "all down: syn", SL_POOL_TCP, SYN, .slot = { B, false, B },
	  .down = 1 << A | 1 << B | 1 << C, .rest_down = true, .reason = SL_R_NO_BACKEND },
	{ "all down: ack", SL_POOL_TCP, ACK, .slot = { B, false, B },
	  .down = 1 << A | 1 << B | 1 << C, .rest_down = true, .reason = SL_R_NO_BACKEND,
	  .exc = { .lookups = 1 } },
	{ "all down but the owner of the entry", SL_POOL_TCP, ACK, .slot = { B, false, B },
	  .down = 1 << A | 1 << B, .rest_down = true, .entry = { C, true, 1 }, .to = C,
	  .then = { C, true, 0 }, .seen = true, .exc = { .lookups = 1, .hits = 1 } },
	{ "all down, draining keeps its flows", SL_POOL_TCP, ACK, .slot = { B, false, B },
	  .draining = 1 << B, .rest_down = true, .to = B, .exc = { .lookups = 1 } },
	{ "all down, draining gets no new one", SL_POOL_TCP, SYN, .slot = { B, false, B },
	  .draining = 1 << B, .rest_down = true, .reason = SL_R_NO_BACKEND },
	{ "all down but a spare", SL_POOL_TCP, SYN, .slot = { B, false, B }, .down = 1 << B,
	  .rest_down = true, .spare = A, .to = A, .then = { A, false, 0 }, .seen = true, .flows = 1,
	  .exc = { .inserts = 1 } },
	{ "all down, the spare too", SL_POOL_TCP, SYN, .slot = { B, false, B },
	  .down = 1 << A | 1 << B, .rest_down = true, .spare = A, .reason = SL_R_NO_BACKEND },
	{ "all down, the spare draining", SL_POOL_TCP, SYN, .slot = { B, false, B }, .down = 1 << B,
	  .draining = 1 << A, .rest_down = true, .spare = A, .reason = SL_R_NO_BACKEND },
	{ "empty slot beside full ones: syn is probed", SL_POOL_TCP, SYN, .slot = { 0, false, 0 },
	  .to = PROBE, .then = { PROBE, false, 0 }, .seen = true, .flows = 1,
	  .exc = { .inserts = 1 } },
	{ "empty slot, nobody up", SL_POOL_TCP, SYN, .slot = { 0, false, 0 }, .down = 1 << B,
	  .rest_down = true, .reason = SL_R_SLOT_EMPTY },

	/* UDP whose flows are remembered */
	{ "udp flow: the first packet is remembered on cur", SL_POOL_FLOW, 0,
	  .slot = { B, false, B }, .to = B, .then = { B, false, 0 }, .flows = 1,
	  .exc = { .lookups = 1, .inserts = 1 } },
	{ "udp flow: the second confirms", SL_POOL_FLOW, 0, .slot = { B, false, B },
	  .entry = { B, false, 1 }, .to = B, .then = { B, true, 0 },
	  .exc = { .lookups = 1, .hits = 1 } },
	{ "udp flow: stays where it is when the slot has moved", SL_POOL_FLOW, 0,
	  .slot = { B, false, B }, .entry = { C, true, 1 }, .to = C, .then = { C, true, 0 },
	  .seen = true, .exc = { .lookups = 1, .hits = 1 } },
	{ "udp flow, moving: a new one goes to cur, never to old", SL_POOL_FLOW, 0,
	  .slot = { B, true, A }, .to = B, .then = { B, false, 0 }, .flows = 1,
	  .exc = { .lookups = 1, .inserts = 1 } },
	{ "udp flow: expired, a new one", SL_POOL_FLOW, 0, .slot = { B, false, B },
	  .entry = { C, true, IDLE + 1 }, .to = B, .then = { B, false, 0 }, .flows = 1,
	  .exc = { .lookups = 1, .inserts = 1 } },
	{ "udp flow, cur down: probed and remembered", SL_POOL_FLOW, 0, .slot = { B, false, B },
	  .down = 1 << B, .to = PROBE, .then = { PROBE, false, 0 }, .seen = true, .flows = 1,
	  .exc = { .lookups = 1, .inserts = 1 } },
	{ "udp flow, cur down: a new one is not dropped", SL_POOL_FLOW, 0, .slot = { B, false, B },
	  .down = 1 << B, .drop = true, .to = PROBE, .then = { PROBE, false, 0 }, .seen = true,
	  .flows = 1, .exc = { .lookups = 1, .inserts = 1 } },
	{ "udp flow, cur draining: probed and remembered", SL_POOL_FLOW, 0, .slot = { B, false, B },
	  .draining = 1 << B, .to = PROBE, .then = { PROBE, false, 0 }, .seen = true, .flows = 1,
	  .exc = { .lookups = 1, .inserts = 1 } },
	{ "udp flow, draining owner: stays", SL_POOL_FLOW, 0, .slot = { B, false, B },
	  .draining = 1 << C, .entry = { C, true, 1 }, .to = C, .then = { C, true, 0 },
	  .seen = true, .exc = { .lookups = 1, .hits = 1 } },
	{ "udp flow, owner down: moved, remembered anew", SL_POOL_FLOW, 0, .slot = { B, false, B },
	  .down = 1 << C, .entry = { C, true, 1 }, .to = PROBE, .then = { PROBE, false, 0 },
	  .seen = true, .flows = 1,
	  .exc = { .lookups = 1, .hits = 1, .inserts = 1, .rescheduled = 1 } },
	{ "udp flow, owner down: dropped and forgotten", SL_POOL_FLOW, 0, .slot = { B, false, B },
	  .down = 1 << C, .drop = true, .entry = { C, true, 1 }, .reason = SL_R_BACKEND_DOWN,
	  .exc = { .lookups = 1, .hits = 1 } },
	{ "udp flow, all down", SL_POOL_FLOW, 0, .slot = { B, false, B }, .down = 1 << B,
	  .rest_down = true, .reason = SL_R_NO_BACKEND, .exc = { .lookups = 1 } },

	/* UDP without memory: cur alone */
	{ "udp none: settled", SL_POOL_NONE, 0, .slot = { B, false, B }, .to = B },
	{ "udp none: moving goes to cur", SL_POOL_NONE, 0, .slot = { B, true, A }, .to = B },
	{ "udp none: an entry of the same tuple means nothing", SL_POOL_NONE, 0,
	  .slot = { B, true, A }, .entry = { C, true, 1 }, .to = B, .then = { C, true, 1 } },
	{ "udp none, cur down: probed", SL_POOL_NONE, 0, .slot = { B, false, B }, .down = 1 << B,
	  .to = PROBE, .seen = true },
	{ "udp none, cur draining: probed", SL_POOL_NONE, 0, .slot = { B, false, B },
	  .draining = 1 << B, .to = PROBE, .seen = true },
	{ "udp none, cur down: no flow to drop", SL_POOL_NONE, 0, .slot = { B, false, B },
	  .down = 1 << B, .drop = true, .to = PROBE, .seen = true },
	{ "udp none, all down", SL_POOL_NONE, 0, .slot = { B, false, B }, .down = 1 << B,
	  .rest_down = true, .reason = SL_R_NO_BACKEND },
};

const size_t sl_slot_n_rows = sizeof(sl_slot_rows) / sizeof(sl_slot_rows[0]);

void sl_slot_arrange(const struct sl_pool *p, const struct sl_slot_row *row, uint64_t hash)
{
	for (uint16_t id = SL_POOL_A; id < SL_POOL_REST; id++) {
		if (row->down & 1 << id)
			sl_pool_state(p, id, SL_DP_DOWN);
		if (row->draining & 1 << id)
			sl_pool_state(p, id, SL_DP_DRAINING);
	}
	for (uint16_t id = SL_POOL_REST; row->rest_down && id <= SL_POOL_LAST; id++)
		sl_pool_state(p, id, SL_DP_DOWN);
	if (row->drop)
		p->rig->mem->services[p->service].flags |= SL_SF_DOWN_DROP;
	p->rig->mem->services[p->service].spare[5] = row->spare;
	*sl_pool_slot(p, hash) = SL_SLOT(row->slot.cur, row->slot.t, row->slot.old);
	*sl_pool_seen(p, hash) = (uint16_t)(p->tick - 7);
	if (row->entry.backend)
		sl_pool_remember(p, hash, 3, row->entry.backend, row->entry.confirmed,
				 row->entry.ago);
}
