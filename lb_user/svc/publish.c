/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * publish: the stores that packets see, in an order in which each prefix is a
 * correct state: a record is complete before anything names it, and nothing
 * names it any more before it is cleared.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/hash.h>

#include "lb_user/base/clock.h"
#include "lb_user/base/log.h"
#include "lb_user/domain/exceptions.h"
#include "lb_user/domain/guard.h"
#include "lb_user/domain/maglev.h"
#include "lb_user/svc/runtime.h"

uint16_t sl_publish_now(struct sl_control *c)
{
	uint64_t jiffies = 0;
	int r = c->dp->ops->jiffies(c->dp, &jiffies);

	if (r < 0) /* the last one: too early only keeps transitions longer, 0 would end them */
		sl_error("event=clock \"the packet path's clock cannot be read: %s\"",
			 strerror(-r));
	else
		c->tick = (uint16_t)(jiffies >> c->dp->mem.info->tick_shift);
	return c->tick;
}

int sl_publish_owners(struct sl_control *c, const struct sl_service *spec,
		      struct sl_backend_rt *const *backend, uint16_t *owners, struct sl_err *err)
{
	struct sl_maglev_member *m = calloc(spec->n_backends + 1, sizeof(*m));
	size_t n = 0;
	int r;

	if (!m)
		return sl_err_set(err, -ENOMEM, "dataplane-error", "no memory for a table");
	for (size_t i = 0; i < spec->n_backends; i++)
		if (spec->backends[i].weight)
			m[n++] = (struct sl_maglev_member){ .name = spec->backends[i].name,
							    .id = backend[i]->id,
							    .weight = spec->backends[i].weight };
	r = sl_maglev_fill(m, n, (const uint64_t *)c->dp->mem.info->key, spec->table_size, owners,
			   err);
	free(m);
	return r;
}

static uint16_t idle_ticks(const struct sl_control *c, const struct sl_service *s)
{
	uint32_t tick_ms = c->dp->mem.info->tick_ms;
	uint32_t ticks = (s->idle_timeout_s * 1000 + tick_ms - 1) / tick_ms;

	return (uint16_t)(ticks < SL_IDLE_TICKS_MAX ? ticks : SL_IDLE_TICKS_MAX);
}

/*
 * After a long absence of the agent, entries that expired meanwhile look
 * young: what they could mislead are flows that begin on a slot once it has
 * settled, so it does not settle before such entries have expired again. A
 * tick more, because one may have been written a tick ahead (SL_EXC_SILENT).
 */
static void hold_transitions(struct sl_control *c, uint64_t jiffies)
{
	uint32_t shift = c->dp->mem.info->tick_shift;
	uint64_t tick = jiffies >> shift, away = tick - (c->dp->mem.info->swept_jiffies >> shift);

	for (size_t i = 0; i < c->config.n_services; i++) {
		struct sl_service_rt *s = c->service[i];

		if (!sl_exceptions_doubtful(away, c->dp->mem.services[s->id].idle_ticks))
			continue;
		sl_slots_hold(&s->slots, (uint16_t)(tick + 1));
	}
}

void sl_publish_sweep(struct sl_control *c)
{
	uint64_t jiffies;

	if (c->dp->ops->jiffies(c->dp, &jiffies) < 0)
		return;
	hold_transitions(c, jiffies);
	sl_exceptions_sweep(c->dp->mem.exceptions, SL_EXC_SETS, c->dp->mem.backends,
			    c->dp->mem.services,
			    (uint32_t)(jiffies >> c->dp->mem.info->tick_shift));
	sl_guard_sweep(c->dp->mem.guard_sets, SL_GUARD_SETS, jiffies);
	c->dp->mem.info->swept_jiffies = jiffies;
}

/* Limits that were off begin with full buckets. */
static void forget_used(struct sl_control *c, uint16_t id)
{
	const struct sl_dp_mem *m = &c->dp->mem;

	memset(&m->guard_pools[id], 0, sizeof(m->guard_pools[id]));
	for (uint32_t cpu = 0; cpu < m->info->cpus; cpu++)
		memset(&m->guard_credit[(size_t)cpu * SL_SERVICES_MAX + id], 0,
		       sizeof(m->guard_credit[0]));
}

uint16_t sl_publish_guard(struct sl_control *c, const struct sl_service_rt *s)
{
	const struct sl_info *info = c->dp->mem.info;
	struct sl_guard_machine m =
		sl_guard_machine_of(info->tick_shift, info->tick_ms, info->cpus);
	uint16_t dry_run = s->spec->guard.dry_run ? SL_SF_GUARD_DRY : 0;
	__u64 *to = (__u64 *)&c->dp->mem.guards[s->id];
	struct sl_guard_rec rec;

	if (!sl_guard_limits_any(&s->spec->guard))
		return dry_run; /* the record is no longer looked at */
	if (!(c->dp->mem.services[s->id].flags & SL_SF_GUARD))
		forget_used(c, s->id);
	sl_guard_fill(&s->spec->guard, &m, &rec);
	for (size_t i = 0; i < sizeof(rec) / sizeof(*to); i++)
		__atomic_store_n(&to[i], ((const __u64 *)&rec)[i], __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE); /* before the flag that leads there */
	return SL_SF_GUARD | dry_run;
}

void sl_publish_flags(struct sl_control *c, const struct sl_service_rt *s)
{
	struct sl_service_rec *rec = &c->dp->mem.services[s->id];

	rec->flags = sl_publish_guard(c, s) |
		     (s->spec->udp_flows != SL_UDP_NONE ? SL_SF_UDP_FLOW : 0) |
		     (s->spec->udp_flows == SL_UDP_QUIC ? SL_SF_QUIC : 0) |
		     (s->spec->oversize == SL_OVERSIZE_SEND ? SL_SF_OVERSIZE : 0) |
		     (s->spec->on_down == SL_DOWN_DROP ? SL_SF_DOWN_DROP : 0) |
		     (s->spec->fragments == SL_FRAGMENTS_HASH3 ? SL_SF_HASH3 : 0);
	if (rec->idle_ticks && idle_ticks(c, s->spec) > rec->idle_ticks)
		sl_publish_sweep(
			c); /* what expired by the shorter must not be found by the longer */
	rec->idle_ticks = idle_ticks(c, s->spec);
}

int sl_publish_address(struct sl_control *c, const struct sl_config *config,
		       const struct sl_addr *addr)
{
	uint16_t for_tcp = 0, for_udp = 0;
	int r;

	for (size_t i = 0; i < config->n_services; i++) {
		const struct sl_service *s = &config->services[i];

		if (!sl_addr_equal(&s->addr, addr))
			continue;
		for_tcp = SL_SERVICE_ADDRESS;
		if (s->fragments == SL_FRAGMENTS_HASH3)
			for_udp = sl_svctab_get(&c->svctab, addr, s->port, s->proto);
		else if (!for_udp)
			for_udp = SL_SERVICE_ADDRESS;
	}
	r = sl_svctab_set(&c->svctab, addr, 0, SL_PROTO_TCP, for_tcp);
	return r < 0 ? r : sl_svctab_set(&c->svctab, addr, 0, SL_PROTO_UDP, for_udp);
}

void sl_publish_service(struct sl_control *c, struct sl_service_rt *s)
{
	struct sl_service_rec *rec = &c->dp->mem.services[s->id];
	uint64_t addr_be[2];

	memset(rec, 0, sizeof(*rec));
	memcpy(addr_be, s->spec->addr.byte_be, sizeof(addr_be));
	rec->salt = sl_hash_salt((const __u64 *)addr_be, htons(s->spec->port), (__u8)s->spec->proto,
				 c->dp->mem.info->key);
	rec->slot_base = s->slot_base;
	rec->slot_count = s->slots.count;
	sl_publish_flags(c, s);
	sl_slots_init(&s->slots, s->owners);
}

void sl_publish_backend(struct sl_control *c, struct sl_backend_rt *b)
{
	struct sl_label *label = &c->dp->mem.labels[b->id];
	struct sl_backend_rec *rec = &c->dp->mem.backends[b->id];

	memset(rec, 0, sizeof(*rec)); /* DOWN */
	memset(&c->dp->mem.tunnels[b->id], 0, sizeof(*c->dp->mem.tunnels));
	rec->service = b->service->id;
	memcpy(label->addr_be, b->spec->addr.byte_be, sizeof(label->addr_be));
	label->family = b->spec->addr.family;
	memcpy(label->name, b->spec->name, sizeof(label->name));
}

/*
 * Some who are UP, by weight, for when rehashing finds nobody. With at most
 * SL_SPARES of them all are listed.
 */
void sl_publish_spares(struct sl_control *c, struct sl_service_rt *s)
{
	struct sl_service_rec *rec = &c->dp->mem.services[s->id];
	uint16_t spare[SL_SPARES] = {};
	uint64_t total = 0, at = 0;
	size_t up = 0;

	for (size_t i = 0; i < s->n_backends; i++)
		if (c->dp->mem.backends[s->backend[i]->id].state == SL_DP_UP &&
		    s->backend[i]->spec->weight) {
			if (up < SL_SPARES)
				spare[up] = s->backend[i]->id;
			up++;
			total += s->backend[i]->spec->weight;
		}
	for (size_t k = 0; up && up < SL_SPARES && k + up < SL_SPARES; k++)
		spare[up + k] = spare[k];
	for (size_t i = 0, k = 0; up > SL_SPARES && i < s->n_backends && k < SL_SPARES; i++) {
		const struct sl_backend_rt *b = s->backend[i];

		if (c->dp->mem.backends[b->id].state != SL_DP_UP)
			continue;
		at += b->spec->weight;
		while (k < SL_SPARES && at * SL_SPARES > total * k)
			spare[k++] = b->id;
	}
	for (size_t k = 0; k < SL_SPARES; k++)
		__atomic_store_n(&rec->spare[k], spare[k], __ATOMIC_RELAXED);
}

static void count_from_now(struct sl_control *c, struct sl_backend_rt *b)
{
	struct sl_backend_rec *rec = &c->dp->mem.backends[b->id];
	uint32_t track;

	if (rec->drain_track)
		return;
	if (sl_idpool_take(c->tracks, &track) < 0) {
		sl_warn("event=drain lb_service=%s backend=%s \"%u backends drain already: its "
			"flows "
			"are not counted, only the deadline can end the drain\"",
			b->service->spec->name, b->spec->name, SL_DRAIN_TRACKS - 1);
		return;
	}
	memset(&c->dp->mem.drains[(size_t)track * SL_DRAIN_CELLS], 0,
	       SL_DRAIN_CELLS * sizeof(uint16_t));
	__atomic_store_n(&rec->drain_track, (__u8)track, __ATOMIC_RELEASE);
}

static void count_no_more(struct sl_control *c, struct sl_backend_rt *b)
{
	struct sl_backend_rec *rec = &c->dp->mem.backends[b->id];
	__u8 track = rec->drain_track;

	if (!track)
		return;
	__atomic_store_n(&rec->drain_track, 0, __ATOMIC_RELEASE);
	sl_idpool_give(c->tracks, track);
}

void sl_publish_state(struct sl_control *c, struct sl_backend_rt *b)
{
	struct sl_backend_rec *rec = &c->dp->mem.backends[b->id];
	struct sl_state_facts f;
	enum sl_dp_state want;
	enum sl_state shown;

	sl_watch_facts(b, &f);
	want = sl_state_dp(&f);
	if (f.admin == SL_ADMIN_DRAIN) {
		count_from_now(c, b);
	} else {
		count_no_more(c, b);
		b->drain_complete = b->drain_by_deadline = false;
		b->drain_active = b->drain_at_start = 0;
	}
	if (want != rec->state) {
		/* who comes back finds the flows that nobody remembered */
		if (want == SL_DP_UP) {
			sl_slots_raise(&b->service->slots, b->id, sl_publish_now(c));
			b->service->in_transition = 1;
		}
		__atomic_store_n(&rec->state, (__u8)want, __ATOMIC_RELEASE);
		sl_publish_spares(c, b->service);
	}
	shown = sl_state_derive(&f);
	if (shown != b->state || !b->since_wall_ms) {
		if (b->since_wall_ms)
			sl_info("event=state lb_service=%s backend=%s from=%s to=%s \"%s\"",
				b->service->spec->name, b->spec->name, sl_state_name(b->state),
				sl_state_name(shown),
				!f.has_next_hop		   ? b->hop.why ? b->hop.why : ""
				: f.health != SL_HEALTH_UP ? b->last.message
							   : "");
		b->state = shown;
		b->since_wall_ms = sl_clock_wall_ms();
	}
}

void sl_publish_remove_backend(struct sl_control *c, struct sl_service_rt *s,
			       struct sl_backend_rt *b)
{
	struct sl_backend_rec *rec = &c->dp->mem.backends[b->id];

	count_no_more(c, b);
	__atomic_store_n(&rec->state, (__u8)SL_DP_DOWN, __ATOMIC_RELEASE);
	sl_publish_spares(c, s);
	if (sl_slots_remove(&s->slots, b->id, s->owners, sl_publish_now(c)))
		s->in_transition = 1;
	sl_exceptions_purge(c->dp->mem.exceptions, SL_EXC_SETS, b->id);
	/* no name: an agent that starts meanwhile must not take it for the one of that name */
	c->dp->mem.labels[b->id].name[0] = '\0';
	sl_capacity_rest(
		c, &(struct sl_resting){ .id = b->id, .until_ms = sl_clock_ms() + SL_REST_MS });
}

void sl_publish_remove_service(struct sl_control *c, struct sl_service_rt *s)
{
	int64_t until_ms = sl_clock_ms() + SL_REST_MS;

	for (size_t i = 0; i < s->n_backends; i++) {
		struct sl_backend_rt *b = s->backend[i];

		count_no_more(c, b);
		__atomic_store_n(&c->dp->mem.backends[b->id].state, (__u8)SL_DP_DOWN,
				 __ATOMIC_RELEASE);
		sl_capacity_rest(c, &(struct sl_resting){ .id = b->id, .until_ms = until_ms });
	}
	sl_capacity_rest(c, &(struct sl_resting){ .is_service = true,
						  .id = s->id,
						  .slot_base = s->slot_base,
						  .slot_count = s->slots.count,
						  .until_ms = until_ms });
}
