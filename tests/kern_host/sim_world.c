/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/kern_host/sim_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/hash.h>

struct sim_service *const sim_world = &sim.service[0];

void sim_world_open(uint64_t seed, uint32_t n, uint32_t slots, uint32_t idle_s)
{
	memset(&sim, 0, sizeof(sim));
	sim_memory_clear();
	sim.random = seed;
	sl_tick_shift = sim_tick_shift_only ? sim_tick_shift_only : 10;
	sim.hz = sl_tick_shift == 9    ? 100
		 : sl_tick_shift == 10 ? 250
		 : sl_tick_shift == 11 ? 300
				       : 1000;
	sim.tick_ms = (1000u << sl_tick_shift) / sim.hz;
	platform_jiffies = sim.swept = 1ull << 32;
	if (sl_idpool_new(SL_BACKENDS_MAX, &sim.ids) < 0)
		abort();
	sim_world->id = 1;
	sim_world->idle_s = idle_s;
	sim_world->idle_jiffies = (uint64_t)idle_s * sim.hz;
	sim_world->slots = (struct sl_slots){ sl_slots, sl_seen, slots };
	sim_world->owners = calloc(slots, sizeof(*sim_world->owners));
	if (!sim_world->owners)
		abort();
	for (sim_world->n = 0; sim_world->n < n; sim_world->n++) {
		struct sim_backend *b = &sim_world->backend[sim_world->n];

		snprintf(b->name, sizeof(b->name), "b%u", sim_world->n);
		b->weight = 100;
		b->health = SL_HEALTH_UP;
	}
	sim_agent_start(sim_world);
}

void sim_world_close(void)
{
	memset(sim_world->slots.word, 0, sim_world->slots.count * sizeof(*sim_world->slots.word));
	memset(sim_world->slots.seen, 0, sim_world->slots.count * sizeof(*sim_world->slots.seen));
	free(sim_world->owners);
	sl_idpool_free(sim.ids);
}

/* Where the packet goes; 0: nowhere. */
uint32_t sim_world_deliver(uint64_t hash, uint8_t flags)
{
	struct pkt p = { .hash = hash, .service = 1, .tcp_flags = flags, .proto = IPPROTO_TCP };
	uint64_t entry = sim_entry_of(hash);
	bool sent = sim_pick(&p, 1) == SL_R_NEXT;

	sim_fault_after_packet(&p, entry);
	return sent ? p.backend : 0;
}

uint32_t sim_world_word_of(uint64_t hash)
{
	return sim_world->slots.word[sl_hash_range(hash, sim_world->slots.count)];
}

uint32_t sim_world_cur_of(uint64_t hash)
{
	return SL_SLOT_CUR(sim_world_word_of(hash));
}

void sim_world_end_of_tick(void)
{
	platform_jiffies |= (1ull << sl_tick_shift) - 1;
}

struct sim_backend *sim_world_backend_of(uint64_t hash)
{
	for (uint32_t i = 0; i < sim_world->n; i++)
		if (sim_world->backend[i].id == sim_world_cur_of(hash))
			return &sim_world->backend[i];
	abort();
}

void sim_world_set_health(struct sim_backend *b, enum sl_health health)
{
	b->health = health;
	sim_agent_publish(sim_world, b);
}

void sim_world_set_weight(struct sim_backend *b, uint16_t weight)
{
	b->weight = weight;
	sim_agent_change(sim_world, sim_world->backend, sim_world->n);
}

void sim_world_pass_s(uint32_t seconds)
{
	while (seconds--) {
		platform_jiffies += sim.hz;
		sim_agent_settle();
	}
}

bool sim_world_memory_empty(void)
{
	for (uint32_t i = 0; i < SL_EXC_SETS; i++)
		for (uint32_t k = 0; k < SL_EXC_WAYS; k++)
			if (sl_exceptions[i].entry[k])
				return false;
	return true;
}
