/* SPDX-License-Identifier: BSD-2-Clause */
/* status: what was measured, put together for who asks. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/svc/egress.h"
#include "lb_user/svc/runtime.h"

static void add_backend(const struct sl_control *c, uint16_t id, struct sl_counters *sum)
{
	sl_counters_add(sum, c->dp->mem.cnt_backend, c->dp->mem.info->cpus, SL_BACKENDS_MAX, id);
}

/* Those that it has, and those that were before it. */
static void add_service(const struct sl_control *c, const struct sl_service_rt *s,
			struct sl_counters *sum)
{
	sl_counters_add(sum, c->dp->mem.cnt_service, c->dp->mem.info->cpus, SL_SERVICES_MAX, s->id);
	for (size_t i = 0; i < s->n_backends; i++)
		add_backend(c, s->backend[i]->id, sum);
	for (const struct sl_resting *r = c->resting; r; r = r->next)
		if (!r->is_service && c->dp->mem.backends[r->id].service == s->id)
			add_backend(c, r->id, sum);
}

static struct sl_counters backend_counters(const struct sl_control *c, uint16_t id)
{
	struct sl_counters sum = {};

	add_backend(c, id, &sum);
	return sum;
}

bool sl_status_used(const struct sl_control *c, uint16_t backend)
{
	return backend_counters(c, backend).packets > 0;
}

static const char *reason_of(const struct sl_backend_rt *b, const struct sl_state_facts *f)
{
	if (f->admin == SL_ADMIN_MAINT)
		return "admin.maint";
	if (f->admin == SL_ADMIN_DRAIN)
		return "admin.drain";
	if (!f->has_next_hop)
		return b->watch && b->hop.why ? "lb.no_neighbour" : "lb.initial_check";
	if (f->health == SL_HEALTH_UNKNOWN)
		return "lb.initial_check";
	if (f->health == SL_HEALTH_DOWN)
		return b->last.reason && b->last.reason[0] ? b->last.reason : "lb.initial_check";
	return "";
}

static void message_of(const struct sl_backend_rt *b, const struct sl_state_facts *f,
		       char ret[SL_TEXT_LEN])
{
	if (f->admin != SL_ADMIN_READY)
		snprintf(ret, SL_TEXT_LEN, "%.255s", b->spec->reason);
	else if (!f->has_next_hop)
		snprintf(ret, SL_TEXT_LEN, "no next hop: %.200s",
			 b->hop.why ? b->hop.why : "being resolved");
	else if (f->health != SL_HEALTH_UP)
		snprintf(ret, SL_TEXT_LEN, "%.255s", b->last.message);
	else
		ret[0] = '\0';
}

/* As the packet path has it, also before netlink has found a pinned next hop again. */
static void egress_of(const struct sl_control *c, const struct sl_backend_rt *b,
		      struct sl_backend_status *ret)
{
	const struct sl_backend_rec *rec = &c->dp->mem.backends[b->id];

	memcpy(ret->next_hop.mac, &rec->mac_lo, 6);
	ret->next_hop.vlan = rec->flags & SL_BF_VLAN ? rec->vlan : SL_VLAN_KEEP;
	ret->next_hop.mtu = rec->mtu;
	ret->next_hop.source = sl_egress_source(rec, &c->dp->mem.tunnels[b->id]);
	if (b->hop.ifname[0] || !if_indextoname(rec->ifindex, ret->next_hop.ifname))
		snprintf(ret->next_hop.ifname, sizeof(ret->next_hop.ifname), "%s", b->hop.ifname);
}

int sl_control_backend_status(struct sl_control *c, const char *service, const char *name,
			      struct sl_backend_status *ret)
{
	struct sl_backend_rt *b = sl_control_find(c, service, name);
	const struct sl_backend_rec *rec;
	struct sl_state_facts f;

	if (!b)
		return -ENOENT;
	rec = &c->dp->mem.backends[b->id];
	sl_watch_facts(b, &f);
	memset(ret, 0, sizeof(*ret));
	ret->health = f.health;
	ret->state = sl_state_derive(&f);
	ret->state_reason = reason_of(b, &f);
	message_of(b, &f, ret->message);
	ret->since_wall_ms = b->since_wall_ms;
	ret->takes_new_flows = rec->state == SL_DP_UP && b->spec->weight > 0;
	ret->table_slots = sl_slots_owned(&b->service->slots, b->id);
	ret->counters = backend_counters(c, b->id);
	ret->check.at_wall_ms = b->last_wall_ms;
	ret->check.duration_ms = b->last.duration_ms;
	snprintf(ret->check.status, sizeof(ret->check.status), "%s",
		 b->checks ? b->last.status : "INI");
	ret->check.code = b->last.code;
	ret->check.checks = b->checks;
	ret->check.failures = b->failures;
	ret->flows.known = rec->drain_track != 0;
	ret->flows.active = b->drain_active;
	ret->flows.as_of_wall_ms = b->drain_as_of_wall_ms;
	ret->flows.at_start = b->drain_at_start;
	ret->flows.complete = b->drain_complete;
	ret->flows.by_deadline = b->drain_by_deadline;
	ret->next_hop.resolved = f.has_next_hop;
	egress_of(c, b, ret);
	return 0;
}

int sl_control_service_status(struct sl_control *c, const char *service,
			      struct sl_service_status *ret)
{
	for (size_t i = 0; i < c->config.n_services; i++) {
		const struct sl_service_rt *s = c->service[i];

		if (strcmp(s->spec->name, service))
			continue;
		memset(ret, 0, sizeof(*ret));
		ret->total = (uint32_t)s->n_backends;
		for (size_t j = 0; j < s->n_backends; j++)
			ret->available +=
				c->dp->mem.backends[s->backend[j]->id].state == SL_DP_UP &&
				s->backend[j]->spec->weight > 0;
		ret->state = !ret->available		   ? "down"
			     : ret->available < ret->total ? "degraded"
							   : "up";
		ret->slots_in_transition = s->in_transition;
		add_service(c, s, &ret->counters);
		return 0;
	}
	return -ENOENT;
}

int sl_control_interface_status(struct sl_control *c, const char *name,
				struct sl_interface_status *ret)
{
	for (size_t i = 0; i < c->config.n_interfaces; i++)
		if (!strcmp(c->config.interfaces[i].name, name)) {
			ret->ifindex = c->dp->ops->attached(c->dp, name);
			ret->attached = ret->ifindex && ret->ifindex == if_nametoindex(name);
			return 0;
		}
	return -ENOENT;
}

/* All that was sent since the data plane was loaded, whoever took it. */
static uint64_t sent(const struct sl_control *c)
{
	const struct sl_dp_mem *m = &c->dp->mem;
	struct sl_counters sum = {};

	for (size_t i = 0; i < c->config.n_services; i++) {
		const struct sl_service_rt *s = c->service[i];

		sl_counters_add(&sum, m->cnt_service, m->info->cpus, SL_SERVICES_MAX, s->id);
		for (size_t k = 0; k < s->n_backends; k++)
			add_backend(c, s->backend[k]->id, &sum);
	}
	for (const struct sl_resting *r = c->resting; r; r = r->next)
		if (r->is_service)
			sl_counters_add(&sum, m->cnt_service, m->info->cpus, SL_SERVICES_MAX,
					r->id);
		else
			add_backend(c, r->id, &sum);
	return sum.packets;
}

void sl_control_reasons(struct sl_control *c, uint64_t ret[SL_REASONS_MAX])
{
	memset(ret, 0, SL_REASONS_MAX * sizeof(*ret));
	for (uint32_t cpu = 0; cpu < c->dp->mem.info->cpus; cpu++)
		for (unsigned i = 0; i < SL_REASONS_MAX; i++)
			ret[i] += c->dp->mem.cnt_reason[cpu].packets[i];
	ret[SL_R_SENT] += sent(c);
}

void sl_control_exceptions(struct sl_control *c, struct sl_exc_cnt *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (uint32_t cpu = 0; cpu < c->dp->mem.info->cpus; cpu++) {
		const struct sl_exc_cnt *one = &c->dp->mem.cnt_exc[cpu];

		ret->lookups += one->lookups;
		ret->hits += one->hits;
		ret->inserts += one->inserts;
		ret->evicted_expired += one->evicted_expired;
		ret->evicted_unconfirmed += one->evicted_unconfirmed;
		ret->failed += one->failed;
		ret->rescheduled += one->rescheduled;
	}
}

/* ---- what interfaces did not take ------------------------------------------ */

static int by_place(const void *left, const void *right)
{
	const struct sl_transmit_error *a = left, *b = right;

	if (a->ifindex != b->ifindex)
		return a->ifindex < b->ifindex ? -1 : 1;
	if (a->is_tx != b->is_tx)
		return a->is_tx ? 1 : -1;
	return (a->error > b->error) - (a->error < b->error);
}

static void name_transmit(const struct sl_transmit_error *e, struct sl_transmit_status *ret)
{
	const char *error = e->error ? strerrorname_np(e->error) : "none";
	char ifname[IF_NAMESIZE];

	/* interfaces cannot have a colon, so a name is never mistaken for this */
	if (!e->ifindex)
		snprintf(ret->interface, sizeof(ret->interface), "other:");
	else if (if_indextoname(e->ifindex, ifname))
		snprintf(ret->interface, sizeof(ret->interface), "%s", ifname);
	else
		snprintf(ret->interface, sizeof(ret->interface), "ifindex:%u", e->ifindex);
	if (error)
		snprintf(ret->error, sizeof(ret->error), "%s", error);
	else
		snprintf(ret->error, sizeof(ret->error), "%u", e->error);
	ret->kind = e->is_tx ? "tx" : "redirect";
	ret->packets = e->packets;
}

void sl_control_transmit_errors(struct sl_control *c, sl_transmit_fn fn, void *user)
{
	struct sl_transmit_error *all = calloc(SL_TRANSMIT_ERRORS_MAX, sizeof(*all));
	struct sl_transmit_status one;
	int n = all ? c->dp->ops->transmit_errors(c->dp, all, SL_TRANSMIT_ERRORS_MAX) : 0;

	if (n > 0)
		qsort(all, (size_t)n, sizeof(*all), by_place);
	for (int i = 0; i < n; i++) {
		name_transmit(&all[i], &one);
		fn(user, &one);
	}
	free(all);
}

const char *sl_control_transmit_blind(struct sl_control *c)
{
	const char *why = c->dp->ops->transmit_blind(c->dp);

	return why[0] ? why : NULL;
}

void sl_control_guard(struct sl_control *c, struct sl_guard_cnt *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (uint32_t cpu = 0; cpu < c->dp->mem.info->cpus; cpu++) {
		const struct sl_guard_cnt *one = &c->dp->mem.cnt_guard[cpu];

		ret->would_deny += one->would_deny;
		ret->would_source += one->would_source;
		ret->would_service += one->would_service;
		ret->table_full += one->table_full;
		ret->raced += one->raced;
	}
}
