/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_flows: clients. A flow is a tuple for good: when its connection ends, the
 * next one reuses it, at once or much later, while flow memory may still hold
 * the former. Turns are taken in order of time, from a heap.
 */
#include <stdlib.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/kern_host/sim.h"

/* ---- the heap --------------------------------------------------------------- */

static bool is_before(uint32_t a, uint32_t b)
{
	return sim.flow[a].due < sim.flow[b].due;
}

static void sink(uint32_t at)
{
	uint32_t moving = sim.heap[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= sim.n_flows)
			break;
		if (child + 1 < sim.n_flows && is_before(sim.heap[child + 1], sim.heap[child]))
			child++;
		if (!is_before(sim.heap[child], moving))
			break;
		sim.heap[at] = sim.heap[child];
		at = child;
	}
	sim.heap[at] = moving;
}

/* ---- life --------------------------------------------------------------------- */

static void *array(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

uint32_t sim_flow_addr_be(const struct sim_flow *f)
{
	return sim.first_addr_be + (uint32_t)(f - sim.flow) / 16;
}

uint16_t sim_flow_port_be(const struct sim_flow *f)
{
	return (uint16_t)(1024 + (f - sim.flow));
}

void sim_flows_init(uint32_t n)
{
	sim.first_addr_be = (uint32_t)sim_random();
	sim.flow = array(n, sizeof(*sim.flow));
	sim.heap = array(n, sizeof(*sim.heap));
	sim.n_flows = n;
	for (uint32_t i = 0; i < SIM_SERVICES; i++) {
		sim.service[i].slot_flow = array(sim.service[i].slots.count, sizeof(uint32_t));
		memset(sim.service[i].slot_flow, 0xff,
		       sim.service[i].slots.count * sizeof(uint32_t));
	}
	for (uint32_t i = 0; i < n; i++) {
		struct sim_flow *f = &sim.flow[i];
		struct sim_service *s;
		uint32_t slot;

		f->service = (uint8_t)sim_below(SIM_SERVICES);
		s = &sim.service[f->service];
		f->hash = sl_hash_flow(sl_hash_source4(sim_flow_addr_be(f), sim_key),
				       sim_flow_port_be(f), sl_services[s->id].salt);
		f->due = platform_jiffies + sim_below(30 * sim.hz);
		slot = sl_hash_range(f->hash, s->slots.count);
		f->next = s->slot_flow[slot];
		s->slot_flow[slot] = i;
		sim.heap[i] = i;
	}
	for (uint32_t i = n / 2; i-- > 0;)
		sink(i);
}

void sim_flows_done(void)
{
	for (uint32_t i = 0; i < SIM_SERVICES; i++)
		free(sim.service[i].slot_flow);
	free(sim.flow);
	free(sim.heap);
	sim.flow = NULL;
	sim.heap = NULL;
}

/* ---- turns --------------------------------------------------------------------- */

static uint64_t between(uint64_t low, uint64_t high)
{
	return high > low ? low + sim_random() % (high - low) : low;
}

/* Until the next packet: mostly soon, often at the edge of being forgotten, at times beyond. */
static uint64_t gap(const struct sim_flow *f)
{
	uint64_t idle = sim.service[f->service].idle_jiffies, tick = 1ull << sl_tick_shift;
	uint32_t draw = sim_below(100);

	if (!f->alive)
		return draw < 60 ? between(0, 2 * sim.hz) : between(0, 2 * idle);
	if (draw < 62)
		return between(0, 2 * sim.hz);
	if (draw < 82)
		return between(0, idle);
	if (draw < 90)
		return idle - 1 - between(0, 3);
	if (draw < 96)
		return idle - 1 - between(0, 2 * tick < idle ? 2 * tick : idle);
	if (draw < 99)
		return between(idle, 3 * idle);
	return between(256 * tick - 2 * tick, 256 * tick + idle); /* ages wrap */
}

static void play(struct sim_flow *f)
{
	if (!f->alive || (f->lost && sim_chance(sim.again_percent))) {
		f->alive = f->lost = false;
		sim_send(f, PKT_TCP_SYN);
	} else if (sim_below(1000) < sim.end_permille) {
		sim_send(f, PKT_TCP_ACK | PKT_TCP_FIN);
		f->alive = f->lost = false;
	} else if (sim_below(200) == 0) { /* it begins again without an end */
		f->alive = f->lost = false;
		sim_send(f, PKT_TCP_SYN);
	} else {
		if (sim_below(50) == 0)
			sim_quote(f);
		sim_send(f, PKT_TCP_ACK);
	}
}

uint64_t sim_flows_next(void)
{
	return sim.flow[sim.heap[0]].due;
}

void sim_flows_turn(void)
{
	struct sim_flow *f = &sim.flow[sim.heap[0]];

	play(f);
	f->due = platform_jiffies + gap(f);
	sink(0);
}

void sim_flows_silence(uint64_t jiffies)
{
	if (sim_flows_next() > platform_jiffies + 10 * sim.hz)
		return; /* it is silent */
	for (uint32_t i = 0; i < sim.n_flows; i++)
		sim.flow[i].due += jiffies;
	sim_note("everybody is silent for %llu jiffies", (unsigned long long)jiffies);
}

/* Out of turn: a flow that sends now does so again when it would have. */
static void play_if_idle(struct sim_flow *f)
{
	if (!f->busy)
		play(f);
}

void sim_flows_any(uint32_t n)
{
	while (n--)
		play_if_idle(&sim.flow[sim_below(sim.n_flows)]);
}

void sim_flows_of_slot(struct sim_service *s, uint32_t slot)
{
	uint32_t n = 1 + sim_below(3);

	for (uint32_t i = s->slot_flow[slot]; i != SIM_NONE && n; i = sim.flow[i].next)
		if (sim_chance(40)) {
			play_if_idle(&sim.flow[i]);
			n--;
		}
}
