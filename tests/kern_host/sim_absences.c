/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_absences: scenes of an agent that is away for longer than ages can tell,
 * so that memory which expired meanwhile looks young again.
 */
#include "tests/kern_host/sim_world.h"
#include "tests/prog/tap.h"

#define WRAP 256 /* ticks after which an age looks the same */

static void pass_ticks(uint64_t ticks)
{
	platform_jiffies += ticks << sl_tick_shift;
}

/*
 * A flow of this tuple is remembered on another backend than its slot's owner,
 * who is UP again: the slot is in transition. Returns that owner.
 */
static struct sim_backend *leave_behind(uint64_t hash)
{
	struct sim_backend *owner = sim_world_backend_of(hash);

	sim_world_set_health(owner, SL_HEALTH_DOWN);
	sim_world_deliver(hash, PKT_TCP_SYN);
	sim_world_set_health(owner, SL_HEALTH_UP);
	sim_agent_sweep();
	return owner;
}

/* A new flow of the tuple begins, the table changes, the flow goes on. */
static uint32_t begin_and_move(uint64_t hash, struct sim_backend *owner)
{
	uint32_t first = sim_world_deliver(hash, PKT_TCP_SYN), wrong;

	sim_world_set_weight(owner, 0);
	wrong = sim_world_deliver(hash, PKT_TCP_ACK) != first;
	sim_world_set_weight(owner, 100);
	return wrong + (sim_world_deliver(hash, PKT_TCP_ACK) != first);
}

uint32_t sim_absence(uint64_t seed, enum sim_fault fault)
{
	struct sim_backend *owner;
	uint32_t wrong;
	uint64_t hash;

	sim_world_open(seed, 5, 251, 300);
	sim.fault = fault;
	sim_world_pass_s(320);
	hash = sim_random();
	owner = leave_behind(hash);
	pass_ticks(WRAP + 10);
	sim_agent_restart();
	sim_agent_settle();
	wrong = begin_and_move(hash, owner);
	/* and it does settle, an idle timeout later */
	sim_world_pass_s(400);
	wrong += sim_world->in_transition || !sim_world_memory_empty();
	sim_world_close();
	return wrong;
}

uint32_t sim_death_after_settling(uint64_t seed, enum sim_fault fault)
{
	struct sim_backend *owner;
	uint32_t first, wrong = 0;
	uint64_t hash, since;

	sim_world_open(seed, 5, 251, 30);
	sim.fault = fault;
	sim_world_pass_s(60);
	hash = sim_random();
	owner = leave_behind(hash);
	since = platform_jiffies >> sl_tick_shift;
	sim_world_pass_s(60);
	first = sim_world_deliver(hash, PKT_TCP_SYN); /* the next flow of the tuple */
	while ((platform_jiffies >> sl_tick_shift) < since + WRAP + 2) {
		pass_ticks(1);
		wrong += sim_world_deliver(hash, PKT_TCP_ACK) != first;
	}
	sim_agent_restart();
	sim_agent_settle();
	sim_world_set_weight(owner, 0);
	wrong += sim_world_deliver(hash, PKT_TCP_ACK) != first;
	sim_world_close();
	return wrong;
}

void sim_absences(uint64_t seed)
{
	sl_tap(!sim_absence(seed, SIM_OK),
	       "after a long absence slots settle an idle timeout later: no flow is misrouted",
	       "memory that only looks young misled a flow, or nothing settled");
	sl_tap(!sim_death_after_settling(seed, SIM_OK),
	       "an agent that dies after slots have settled leaves no memory behind that wakes",
	       "memory that had expired was found after ages had wrapped");
}
