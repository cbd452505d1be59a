/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_controls: each rule broken once, from outside: by undoing after a step what
 * the step did, or by not making a call. Nothing in the code under test knows.
 * A simulator that does not see these sees nothing.
 */
#include <stdio.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/kern_host/sim.h"
#include "tests/prog/tap.h"

static __u64 *place_of(uint64_t hash)
{
	struct sl_exc_set *set = &sl_exceptions[sl_hash_exc_set(hash, SL_EXC_SETS)];

	for (uint32_t i = 0; i < SL_EXC_WAYS; i++)
		if (set->entry[i] && (set->entry[i] & SL_EXC_TAG_MASK) == sl_hash_exc_tag(hash))
			return &set->entry[i];
	return NULL;
}

uint64_t sim_entry_of(uint64_t hash)
{
	const __u64 *place = place_of(hash);

	return place ? *place : 0;
}

/* The owner is DOWN, and its entry is kept as if it had been used. */
static void keep_down(const struct pkt *p, uint64_t was)
{
	struct sl_exc_set *set = &sl_exceptions[sl_hash_exc_set(p->hash, SL_EXC_SETS)];
	uint32_t tick = (uint32_t)(platform_jiffies >> sl_tick_shift);

	if (!was || (p->tcp_flags & PKT_TCP_SYN) || sim_state(SL_EXC_BACKEND(was)) != SL_DP_DOWN ||
	    place_of(p->hash))
		return;
	for (uint32_t i = 0; i < SL_EXC_WAYS; i++)
		if (!set->entry[i]) {
			set->entry[i] = SL_EXC(was & SL_EXC_TAG_MASK, SL_EXC_BACKEND(was), 1, tick);
			return;
		}
}

void sim_fault_after_packet(const struct pkt *p, uint64_t entry_before)
{
	if (sim.fault == SIM_DOWN_KEPT)
		keep_down(p, entry_before);
	else if (sim.fault == SIM_NO_MEMORY)
		memset(&sl_exceptions[sl_hash_exc_set(p->hash, SL_EXC_SETS)], 0,
		       sizeof(struct sl_exc_set));
}

/* What a balancer without tables would do. */
enum sl_reason sim_modulo(struct pkt *p, uint16_t service)
{
	uint16_t up[SIM_BACKENDS_MAX];
	uint32_t n = 0;

	for (uint32_t i = 0; i < SIM_SERVICES; i++)
		for (uint32_t k = 0; sim.service[i].id == service && k < sim.service[i].n; k++)
			if (sim_state(sim.service[i].backend[k].id) == SL_DP_UP)
				up[n++] = sim.service[i].backend[k].id;
	if (!n)
		return SL_R_NO_BACKEND;
	p->backend = up[p->hash % n];
	p->new_flow = p->tcp_flags == PKT_TCP_SYN;
	return SL_R_NEXT;
}

static const struct {
	enum sim_fault fault;
	uint32_t modes;
	uint64_t packets; /* at most; less when it has shown itself */
	const char *name;
} controls[] = {
	{ SIM_SEEN_UNMARKED, 0, 4000000, "seen not marked on a change" },
	{ SIM_EXPIRED_HONOURED, 0, 4000000, "an expired entry honoured" },
	{ SIM_NO_MEMORY, 0, 1000000, "no memory of flows" },
	{ SIM_NO_RAISE, 0, 4000000, "UP without T raised first" },
	{ SIM_MODULO, 0, 1000000, "hash modulo the number of backends, no table" },
	{ SIM_NO_SWEEP, 0, 8000000, "expired entries never swept" },
	{ SIM_NO_PURGE, 0, 4000000, "removal without purge, id given away at once" },
};

static void control(size_t i, uint64_t seed)
{
	struct sim_stats sum = {};
	char line[160];
	uint64_t wrong;

	for (uint64_t n = 0; sum.packets < controls[i].packets; n++) {
		struct sim_stats one;

		sim_history(sl_hash_mix(seed + i) + n, controls[i].modes, controls[i].fault, 50000);
		one = sim.stats;
		sim_stats_add(&sum, &one);
		if (sum.misrouted + sum.foreign >= 5 && sum.packets >= 200000)
			break;
	}
	wrong = sum.misrouted + sum.foreign;
	snprintf(line, sizeof(line), "control: %s: %llu of %llu packets misrouted",
		 controls[i].name, (unsigned long long)wrong, (unsigned long long)sum.packets);
	sl_tap(wrong > 0, line, "the simulator does not see this fault");
}

static void one_look(uint64_t seed)
{
	uint32_t times, wrong = sim_races(seed, SIM_ONE_LOOK, PKT_TCP_ACK, &times);
	char line[160];

	snprintf(line, sizeof(line),
		 "control: the slot not read again after the state: %u of %u packets misrouted",
		 wrong, times);
	sl_tap(wrong > 0, line, "the simulator does not see this fault");
}

static void absences(uint64_t seed)
{
	sl_tap(sim_absence(seed, SIM_NO_HOLD) > 0,
	       "control: transitions settled at once after a long absence: misrouted",
	       "the simulator does not see this fault");
	sl_tap(sim_death_after_settling(seed, SIM_UNSWEPT) > 0,
	       "control: slots settled before expired memory was swept: misrouted",
	       "the simulator does not see this fault");
}

static void down_kept(uint64_t seed)
{
	sl_tap(!sim_forgets_down(seed, SIM_DOWN_KEPT),
	       "control: the entry of a DOWN owner kept: misrouted",
	       "the simulator does not see this fault");
}

void sim_controls(uint64_t seed, bool is_kernel)
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		if (!is_kernel || controls[i].fault != SIM_MODULO)
			control(i, seed);
	if (!is_kernel)
		one_look(seed);
	absences(seed);
	down_kept(seed);
}
