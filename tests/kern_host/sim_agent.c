/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_agent: the stores of the agent, in the order of lb_user/svc/change.c,
 * publish.c, upkeep.c and capacity.c. What computes and stores slots, flow
 * memory, tables and states is the agent's own code (lb_user/domain); only the
 * calls stand here again, because theirs hang on loop, probes and netlink.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/exceptions.h"
#include "lb_user/domain/maglev.h"
#include "tests/kern_host/sim.h"

#define REST_S 1 /* of an id: REST_MS of publish.c */

static uint16_t now_tick(void)
{
	return (uint16_t)(platform_jiffies >> sl_tick_shift);
}

uint8_t sim_state(uint32_t id)
{
	return sl_backends[id].state;
}

uint16_t sim_idle_ticks(uint32_t idle_s)
{
	uint32_t ticks = (idle_s * 1000 + sim.tick_ms - 1) / sim.tick_ms;

	return (uint16_t)(ticks < SL_IDLE_TICKS_MAX ? ticks : SL_IDLE_TICKS_MAX);
}

static void store_state(uint16_t id, enum sl_dp_state state)
{
	uint8_t was = sim_state(id);

	sim_pause();
	if (was != state) {
		sim.seq++;
		if (was == SL_DP_UP)
			sim.left_up[id] = sim.seq;
		if (state == SL_DP_DOWN)
			sim.went_down[id] = sim.seq;
		sim_note("state of %u: %u -> %u", id, was, state);
	}
	__atomic_store_n(&sl_backends[id].state, (uint8_t)state, __ATOMIC_RELEASE);
	sim_pause();
}

/* sl_publish_spares() */
static void publish_spares(struct sim_service *s)
{
	struct sl_service_rec *rec = &sl_services[s->id];
	uint16_t spare[SL_SPARES] = {};
	uint64_t total = 0, at = 0;
	size_t up = 0;

	for (uint32_t i = 0; i < s->n; i++)
		if (sim_state(s->backend[i].id) == SL_DP_UP && s->backend[i].weight) {
			if (up < SL_SPARES)
				spare[up] = s->backend[i].id;
			up++;
			total += s->backend[i].weight;
		}
	for (size_t k = 0; up && up < SL_SPARES && k + up < SL_SPARES; k++)
		spare[up + k] = spare[k];
	for (uint32_t i = 0, k = 0; up > SL_SPARES && i < s->n && k < SL_SPARES; i++) {
		const struct sim_backend *b = &s->backend[i];

		if (sim_state(b->id) != SL_DP_UP)
			continue;
		at += b->weight;
		while (k < SL_SPARES && at * SL_SPARES > total * k)
			spare[k++] = b->id;
	}
	for (size_t k = 0; k < SL_SPARES; k++)
		__atomic_store_n(&rec->spare[k], spare[k], __ATOMIC_RELAXED);
}

static int publish_owners(const struct sim_backend *b, uint32_t n, uint32_t slots, uint16_t *owners)
{
	struct sl_maglev_member m[SIM_BACKENDS_MAX];
	static const uint64_t key[2] = { 1, 2 };
	size_t n_m = 0;

	for (uint32_t i = 0; i < n; i++)
		if (b[i].weight)
			m[n_m++] = (struct sl_maglev_member){ b[i].name, b[i].id, b[i].weight };
	return sl_maglev_fill(m, n_m, key, slots, owners, NULL);
}

/* sl_publish_flags(): the agent's own number stays the true one under SIM_EXPIRED_HONOURED. */
static void publish_flags(struct sim_service *s)
{
	struct sl_service_rec *rec = &sl_services[s->id];

	rec->flags = (s->kind == SIM_UDP_FLOW ? SL_SF_UDP_FLOW : 0) |
		     (s->down_drop ? SL_SF_DOWN_DROP : 0);
	/* sl_publish_sweep() */
	if (rec->idle_ticks && sim_idle_ticks(s->idle_s) > rec->idle_ticks)
		sl_exceptions_sweep(sl_exceptions, SL_EXC_SETS, sl_backends, sl_services,
				    (uint32_t)(platform_jiffies >> sl_tick_shift));
	rec->idle_ticks = sim.fault == SIM_EXPIRED_HONOURED ? 255 : sim_idle_ticks(s->idle_s);
}

static void step_begin(struct sim_service *s)
{
	sim_step_begin();
	if (sim.fault == SIM_SEEN_UNMARKED)
		memcpy(s->seen_copy, s->slots.seen, s->slots.count * sizeof(*s->seen_copy));
}

static void step_end(struct sim_service *s)
{
	if (sim.fault == SIM_SEEN_UNMARKED)
		memcpy(s->slots.seen, s->seen_copy, s->slots.count * sizeof(*s->seen_copy));
	sim_step_end();
}

/* sl_publish_state() */
void sim_agent_publish(struct sim_service *s, struct sim_backend *b)
{
	struct sl_state_facts f = { .admin = b->admin, .health = b->health, .has_next_hop = true };
	enum sl_dp_state want = sl_state_dp(&f);

	if (want == sim_state(b->id))
		return;
	step_begin(s);
	if (want == SL_DP_UP && sim.fault != SIM_NO_RAISE) {
		sim_note("service %u: raise %u", s->id, b->id);
		sl_slots_raise(&s->slots, b->id, now_tick());
	}
	if (want == SL_DP_UP)
		s->in_transition = true;
	store_state(b->id, want);
	step_end(s);
	publish_spares(s);
}

static void rest(uint16_t id)
{
	uint64_t until = platform_jiffies + REST_S * sim.hz;

	if (sim.fault == SIM_NO_PURGE) {
		sl_idpool_give(sim.ids, id);
		return;
	}
	if (sim.n_resting == sizeof(sim.resting) / sizeof(sim.resting[0]))
		return; /* leaked: it stays unused */
	sim.resting[sim.n_resting++] = (struct sim_resting){ .id = id, .until = until };
}

/* sl_publish_remove_backend(); @s knows it no more */
static void remove_backend(struct sim_service *s, const struct sim_backend *b)
{
	sim_note("service %u: remove %s (%u)", s->id, b->name, b->id);
	sim.gen[b->id]++;
	step_begin(s);
	store_state(b->id, SL_DP_DOWN);
	publish_spares(s);
	if (sl_slots_remove(&s->slots, b->id, s->owners, now_tick()))
		s->in_transition = true;
	if (sim.fault != SIM_NO_PURGE)
		sl_exceptions_purge(sl_exceptions, SL_EXC_SETS, b->id);
	step_end(s);
	rest(b->id);
}

/* stage_backend(), sl_publish_backend() */
static bool stage(struct sim_service *s, struct sim_backend *b)
{
	uint32_t id;

	if (sl_idpool_take(sim.ids, &id) < 0)
		return false;
	b->id = (uint16_t)id;
	/* for the program in the kernel: where frames go, and a MAC that says the id */
	sl_backends[id] = (struct sl_backend_rec){ .service = s->id,
						   .mac_lo = SIM_MAC(id),
						   .ifindex = SIM_IFINDEX,
						   .mtu = UINT16_MAX,
						   .mtu_link = UINT16_MAX };
	sim.gen[id]++;
	sim.owner[id] = (uint8_t)(s - sim.service + 1);
	sim_note("service %u: add %s (%u), weight %u", s->id, b->name, id, b->weight);
	return true;
}

static bool has_id(const struct sim_backend *b, uint32_t n, uint16_t id)
{
	for (uint32_t i = 0; i < n; i++)
		if (b[i].id == id)
			return true;
	return false;
}

/* sl_change_apply(): stage_service(), settle_table(), settle_service() */
void sim_agent_change(struct sim_service *s, const struct sim_backend *next, uint32_t n)
{
	static uint16_t owners[SL_SLOTS_TOTAL];
	struct sim_backend was[SIM_BACKENDS_MAX];
	uint32_t n_was = s->n, moved;

	memcpy(was, s->backend, sizeof(was));
	memmove(s->backend, next, n * sizeof(*next));
	s->n = n;
	for (uint32_t i = 0; i < n; i++)
		if (!s->backend[i].id && !stage(s, &s->backend[i]))
			abort();
	if (publish_owners(s->backend, n, s->slots.count, owners) < 0)
		abort();
	publish_flags(s);
	memcpy(s->owners, owners, s->slots.count * sizeof(*owners));
	for (uint32_t i = 0; i < n_was; i++)
		if (!has_id(s->backend, n, was[i].id))
			remove_backend(s, &was[i]);
	step_begin(s);
	moved = sl_slots_retarget(&s->slots, s->owners, now_tick());
	step_end(s);
	sim_note("service %u: retarget moved %u slots", s->id, moved);
	if (moved)
		s->in_transition = true;
	for (uint32_t i = 0; i < s->n; i++)
		sim_agent_publish(s, &s->backend[i]);
	publish_spares(s);
	sim.stats.changes++;
	sim_check_table(s);
}

/* sl_publish_service(), then who is there from the start */
void sim_agent_start(struct sim_service *s)
{
	struct sl_service_rec *rec = &sl_services[s->id];

	for (uint32_t i = 0; i < s->n; i++)
		if (!stage(s, &s->backend[i]))
			abort();
	if (publish_owners(s->backend, s->n, s->slots.count, s->owners) < 0)
		abort();
	publish_flags(s);
	sl_slots_init(&s->slots, s->owners);
	rec->slot_count = s->slots.count;
	for (uint32_t i = 0; i < s->n; i++)
		sim_agent_publish(s, &s->backend[i]);
	sim_check_table(s);
}

/* settle() of upkeep.c: the clock is read once */
void sim_agent_settle(void)
{
	uint16_t now = now_tick();
	bool due = false;

	for (uint32_t i = 0; i < SIM_SERVICES; i++) {
		struct sim_service *s = &sim.service[i];

		if (!s->in_transition)
			continue;
		sim_step_begin();
		s->in_transition =
			sl_slots_due(&s->slots, now, sim_idle_ticks(s->idle_s), &due) != 0;
		sim_step_end();
	}
	if (!due)
		return;
	/* with this, no packet meets an expired entry that it could misunderstand */
	if (sim.fault != SIM_UNSWEPT && sim.fault != SIM_EXPIRED_HONOURED)
		sim_agent_sweep();
	for (uint32_t i = 0; i < SIM_SERVICES; i++) {
		struct sim_service *s = &sim.service[i];

		if (!s->in_transition)
			continue;
		sim_step_begin();
		s->in_transition = sl_slots_settle(&s->slots, now, sim_idle_ticks(s->idle_s)) != 0;
		sim_step_end();
	}
}

/* hold_transitions() */
static void hold_transitions(uint64_t tick)
{
	uint64_t away = tick - (sim.swept >> sl_tick_shift);

	for (uint32_t i = 0; i < SIM_SERVICES; i++) {
		struct sim_service *s = &sim.service[i];

		if (!sl_exceptions_doubtful(away, sim_idle_ticks(s->idle_s)))
			continue;
		sim.stats.held++;
		if (sim.fault != SIM_NO_HOLD)
			sl_slots_hold(&s->slots, (uint16_t)(tick + 1));
	}
}

void sim_agent_sweep(void)
{
	static struct sl_service_rec services[SL_SERVICES_MAX];
	uint32_t tick = (uint32_t)(platform_jiffies >> sl_tick_shift);

	if (sim.fault == SIM_NO_SWEEP)
		return;
	for (uint32_t i = 0; i < SIM_SERVICES; i++)
		services[sim.service[i].id].idle_ticks = sim_idle_ticks(sim.service[i].idle_s);
	sim_step_begin();
	hold_transitions(tick);
	sl_exceptions_sweep(sl_exceptions, SL_EXC_SETS, sl_backends, services, tick);
	sim_step_end();
	sim.swept = (uint64_t)tick << sl_tick_shift;
}

/* purge_due(): forgotten in one walk, however many they are; then they rest again */
static void purge_due(void)
{
	static bool gone[SL_BACKENDS_MAX];
	uint32_t due = 0;

	for (uint32_t i = 0; i < sim.n_resting; i++) {
		struct sim_resting *r = &sim.resting[i];

		gone[r->id] = !r->purged && platform_jiffies >= r->until;
		due += gone[r->id];
		if (!gone[r->id])
			continue;
		r->purged = true;
		r->until = platform_jiffies + REST_S * sim.hz;
	}
	if (due)
		sl_exceptions_purge_all(sl_exceptions, SL_EXC_SETS, gone);
	for (uint32_t i = 0; i < sim.n_resting; i++)
		gone[sim.resting[i].id] = false;
}

/* sl_capacity_wake() */
void sim_agent_wake(void)
{
	uint32_t n = 0;

	purge_due();
	for (uint32_t i = 0; i < sim.n_resting; i++) {
		struct sim_resting *r = &sim.resting[i];

		if (platform_jiffies < r->until) {
			sim.resting[n++] = *r;
			continue;
		}
		memset(&sl_backends[r->id], 0, sizeof(sl_backends[r->id]));
		sim.owner[r->id] = 0;
		sl_idpool_give(sim.ids, r->id);
		sim_note("id %u is free again", r->id);
	}
	sim.n_resting = n;
}

/* sl_adopt() on what it left: not one word may change */
void sim_agent_restart(void)
{
	for (uint32_t i = 0; i < SIM_SERVICES; i++) {
		struct sim_service *s = &sim.service[i];

		if (!s->slots.count)
			continue; /* scenes have one service */
		if (publish_owners(s->backend, s->n, s->slots.count, s->owners) < 0)
			abort();
		if (sl_slots_retarget(&s->slots, s->owners, now_tick()))
			sim.stats.not_neutral++;
		s->in_transition = true;
	}
	sim.stats.restarts++;
	sim_note("the agent is back");
}
