/* SPDX-License-Identifier: BSD-2-Clause */
/* capacity: the data plane's numbers and room: ids, slots, egress ports. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/base/log.h"
#include "lb_user/domain/exceptions.h"
#include "lb_user/svc/runtime.h"

#define AREAS (SL_SLOTS_TOTAL / SL_AREA)

int sl_capacity_init(struct sl_control *c)
{
	int r = sl_idpool_new(SL_SERVICE_ADDRESS, &c->service_ids);

	if (!r)
		r = sl_idpool_new(SL_BACKENDS_MAX, &c->backend_ids);
	if (!r)
		r = sl_idpool_new(SL_DRAIN_TRACKS, &c->tracks);
	c->slots_used = calloc(AREAS, 1);
	return r ? r : c->slots_used ? 0 : -ENOMEM;
}

void sl_capacity_done(struct sl_control *c)
{
	while (c->resting) {
		struct sl_resting *next = c->resting->next;

		free(c->resting);
		c->resting = next;
	}
	sl_idpool_free(c->service_ids);
	sl_idpool_free(c->backend_ids);
	sl_idpool_free(c->tracks);
	free(c->slots_used);
}

static uint32_t areas(uint32_t count)
{
	return (count + SL_AREA - 1) / SL_AREA;
}

int sl_capacity_take_slots(struct sl_control *c, uint32_t count, uint32_t *ret_base)
{
	uint32_t want = areas(count), run = 0;

	for (uint32_t i = 0; i < AREAS; i++) {
		run = c->slots_used[i] ? 0 : run + 1;
		if (run == want) {
			uint32_t first = i + 1 - want;

			memset(c->slots_used + first, 1, want);
			*ret_base = first * SL_AREA;
			return 0;
		}
	}
	return -ENOSPC;
}

int sl_capacity_claim_slots(struct sl_control *c, uint32_t base, uint32_t count)
{
	uint32_t first = base / SL_AREA, n = areas(count);

	if (base % SL_AREA || !count || count > SL_SLOTS_TOTAL || base > SL_SLOTS_TOTAL - count)
		return -ERANGE;
	for (uint32_t i = 0; i < n; i++)
		if (c->slots_used[first + i])
			return -EEXIST;
	memset(c->slots_used + first, 1, n);
	return 0;
}

void sl_capacity_give_slots(struct sl_control *c, uint32_t base, uint32_t count)
{
	memset(c->slots_used + base / SL_AREA, 0, areas(count));
}

static bool port_in_use(const struct sl_control *c, uint16_t port)
{
	for (uint32_t id = 1; id < SL_BACKENDS_MAX; id++)
		if (c->dp->mem.labels[id].name[0] && c->dp->mem.backends[id].ifindex &&
		    c->dp->mem.backends[id].port == port)
			return true;
	return false;
}

int sl_capacity_port(struct sl_control *c, uint32_t ifindex, uint16_t *ret_port, struct sl_err *err)
{
	uint16_t port = 0;
	int r;

	for (uint16_t i = 1; i < SL_PORTS_MAX && !port; i++)
		if (c->port_ifindex[i] == ifindex)
			port = i;
	for (uint16_t i = 1; i < SL_PORTS_MAX && !port; i++)
		if (!c->port_ifindex[i] || !port_in_use(c, i))
			port = i;
	if (!port)
		return sl_err_set(err, -ENOSPC, "capacity-exceeded",
				  "backends leave by more than %u interfaces", SL_PORTS_MAX - 1);
	/* again even if known: the kernel empties the place when an interface goes */
	r = c->dp->ops->port_set(c->dp, port, ifindex, err);
	if (r < 0)
		return r;
	c->port_ifindex[port] = ifindex;
	*ret_port = port;
	return 0;
}

void sl_capacity_rest(struct sl_control *c, const struct sl_resting *r)
{
	struct sl_resting *n = malloc(sizeof(*n));

	if (!n) {
		sl_error("event=leak id=%u \"no memory: the id stays unused until restart\"",
			 r->id);
		return;
	}
	*n = *r;
	n->next = c->resting;
	c->resting = n;
}

static void wake_backend(struct sl_control *c, uint16_t id)
{
	struct sl_dp_mem *m = &c->dp->mem;

	sl_counters_retire_backend(m->cnt_backend, m->cnt_service, m->info->cpus, id,
				   m->backends[id].service);
	memset(&m->backends[id], 0, sizeof(m->backends[id]));
	memset(&m->tunnels[id], 0, sizeof(m->tunnels[id]));
	memset(&m->labels[id], 0, sizeof(m->labels[id]));
	sl_idpool_give(c->backend_ids, id);
}

static void wake_service(struct sl_control *c, const struct sl_resting *r)
{
	struct sl_dp_mem *m = &c->dp->mem;

	sl_counters_retire_service(m->cnt_service, m->cnt_reason, m->info->cpus, r->id, SL_R_SENT);
	memset(&m->services[r->id], 0, sizeof(m->services[r->id]));
	if (r->slot_count)
		sl_capacity_give_slots(c, r->slot_base, r->slot_count);
	sl_idpool_give(c->service_ids, r->id);
}

/* After the first rest. Their flows are forgotten in one walk, however many they are. */
static int purge_due(struct sl_control *c, int64_t now_ms, bool all)
{
	bool *gone = NULL;

	for (const struct sl_resting *r = c->resting; r; r = r->next) {
		if (r->is_service || r->purged || (!all && now_ms < r->until_ms))
			continue;
		if (!gone)
			gone = calloc(SL_BACKENDS_MAX, sizeof(*gone));
		if (!gone)
			return -ENOMEM;
		gone[r->id] = true;
	}
	if (gone)
		sl_exceptions_purge_all(c->dp->mem.exceptions, SL_EXC_SETS, gone);
	free(gone);
	for (struct sl_resting *r = c->resting; r; r = r->next)
		if (!r->purged && now_ms >= r->until_ms) {
			r->purged = true;
			r->until_ms = now_ms + SL_REST_MS;
		}
	return 0;
}

static void wake_due(struct sl_control *c, bool services, int64_t now_ms, bool all)
{
	struct sl_resting **at = &c->resting;

	while (*at) {
		struct sl_resting *r = *at;

		if (r->is_service != services || (!all && now_ms < r->until_ms)) {
			at = &r->next;
			continue;
		}
		if (services)
			wake_service(c, r);
		else
			wake_backend(c, r->id);
		*at = r->next;
		free(r);
	}
}

void sl_capacity_wake(struct sl_control *c, int64_t now_ms, bool all)
{
	if (purge_due(c, now_ms, all) < 0)
		return;			 /* no memory: they rest a little longer */
	wake_due(c, false, now_ms, all); /* first: what they sent goes to their service */
	wake_due(c, true, now_ms, all);
}
