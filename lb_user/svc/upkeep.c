/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upkeep: what time does: transitions settle, drains end, forgotten flows are
 * swept, resting ids wake, unused features go. One timer; all of it may be late without harm, and
 * all of it goes on where it was after a restart.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/base/log.h"
#include "lb_user/svc/runtime.h"

#define TICK_MS	   200
#define SETTLE_MS  1000
#define SWEEP_MS   30000 /* ages wrap after 256 ticks, at least 17 minutes less the idle timeout */
#define BELIEVE_MS 5000	 /* an adopted next hop, while netlink has not found it again */
#define RETRY_MS   5000	 /* a next hop that could not be used */

/* Expired flow memory goes before the slots that it belongs to settle (slots.h). */
static void settle(struct sl_control *c)
{
	bool due = false, read = false;
	uint16_t now = 0;

	for (size_t i = 0; i < c->config.n_services; i++) {
		struct sl_service_rt *s = c->service[i];

		if (!s->in_transition)
			continue;
		if (!read)
			now = sl_publish_now(c);
		read = true;
		s->in_transition =
			sl_slots_due(&s->slots, now, c->dp->mem.services[s->id].idle_ticks, &due);
	}
	if (!due)
		return;
	sl_publish_sweep(c);
	for (size_t i = 0; i < c->config.n_services; i++) {
		struct sl_service_rt *s = c->service[i];

		if (s->in_transition)
			s->in_transition = sl_slots_settle(&s->slots, now,
							   c->dp->mem.services[s->id].idle_ticks);
	}
}

static void count_flows(struct sl_control *c, struct sl_backend_rt *b, uint64_t jiffies)
{
	uint32_t shift = c->dp->mem.info->tick_shift - 2, ms = c->dp->mem.info->tick_ms / 4;
	__u8 track = c->dp->mem.backends[b->id].drain_track;

	if (!track)
		return;
	b->drain_active =
		sl_drain_count(&c->dp->mem.drains[(size_t)track * SL_DRAIN_CELLS], SL_DRAIN_CELLS,
			       (uint16_t)((jiffies >> shift) & SL_DRAIN_TICK_MASK),
			       (b->service->spec->idle_timeout_s * 1000 + ms - 1) / ms);
	b->drain_as_of_wall_ms = sl_clock_wall_ms();
	if (b->drain_active > b->drain_at_start)
		b->drain_at_start = b->drain_active;
}

/* Whether the drain has just ended. */
static bool drain_ended(struct sl_control *c, struct sl_backend_rt *b, uint64_t jiffies)
{
	struct sl_drain_facts f;

	if (b->spec->admin != SL_ADMIN_DRAIN || b->drain_complete)
		return false;
	count_flows(c, b, jiffies);
	f = (struct sl_drain_facts){ .counted = c->dp->mem.backends[b->id].drain_track != 0,
				     .active = b->drain_active,
				     .ever_used = sl_status_used(c, b->id),
				     .now_ms = sl_clock_wall_ms(),
				     .since_ms = b->spec->drain_since_wall_ms,
				     .deadline_ms = b->spec->drain_deadline_wall_ms,
				     .idle_timeout_ms = b->service->spec->idle_timeout_s * 1000 };
	if (!sl_drain_over(&f, &b->drain_by_deadline))
		return false;
	b->drain_complete = true;
	sl_info("event=drained lb_service=%s backend=%s flows_left=%u \"%s\"",
		b->service->spec->name, b->spec->name, b->drain_active,
		b->drain_by_deadline ? "at its deadline" : "no flow is left");
	sl_publish_state(c, b);
	return true;
}

/* What was asked to follow the drain. The configuration changes: stop iterating after it. */
static void after_drain(struct sl_control *c, const struct sl_backend_rt *b)
{
	char service[SL_NAME_LEN], name[SL_NAME_LEN];
	struct sl_backend_patch maint = { .has_admin = true, .admin = SL_ADMIN_MAINT };
	enum sl_drain_then then = b->spec->drain_then;
	struct sl_err err = {};
	int r = 0;

	memcpy(service, b->service->spec->name, sizeof(service));
	memcpy(name, b->spec->name, sizeof(name));
	if (then == SL_THEN_DELETE)
		r = sl_control_backend_delete(c, service, name, true, &err);
	else if (then == SL_THEN_MAINT)
		r = sl_control_backend_patch(c, service, name, &maint, &err);
	if (r < 0)
		sl_error("event=drained lb_service=%s backend=%s \"what was to follow failed: %s\"",
			 service, name, err.detail);
}

static bool drain_one(struct sl_control *c, uint64_t jiffies)
{
	for (size_t i = 0; i < c->config.n_services; i++)
		for (size_t j = 0; j < c->service[i]->n_backends; j++)
			if (drain_ended(c, c->service[i]->backend[j], jiffies)) {
				after_drain(c, c->service[i]->backend[j]);
				return true;
			}
	return false;
}

static void disbelieve(struct sl_control *c)
{
	for (size_t i = 0; i < c->config.n_services; i++)
		for (size_t j = 0; j < c->service[i]->n_backends; j++) {
			struct sl_backend_rt *b = c->service[i]->backend[j];

			if (b->adopted) {
				b->adopted = false;
				sl_publish_state(c, b);
			}
		}
}

static void on_timer(uv_timer_t *timer)
{
	struct sl_control *c = timer->data;
	int64_t now_ms = sl_clock_ms();
	uint64_t jiffies;

	sl_capacity_wake(c, now_ms, false);
	if (now_ms >= c->next_settle_ms) {
		settle(c);
		sl_feature_relax(c, now_ms);
		c->next_settle_ms = now_ms + SETTLE_MS;
	}
	if (now_ms >= c->next_retry_ms) {
		sl_watch_retry(c);
		c->next_retry_ms = now_ms + RETRY_MS;
	}
	if (now_ms >= c->next_sweep_ms) {
		sl_publish_sweep(c);
		c->next_sweep_ms = now_ms + SWEEP_MS;
	}
	if (now_ms - c->started_ms > BELIEVE_MS)
		disbelieve(c);
	if (!c->dp->ops->jiffies(c->dp, &jiffies))
		while (drain_one(c, jiffies))
			;
}

int sl_upkeep_start(struct sl_control *c)
{
	c->timer = calloc(1, sizeof(*c->timer));
	if (!c->timer)
		return -ENOMEM;
	c->timer->data = c;
	c->started_ms = sl_clock_ms();
	uv_timer_init(c->loop, c->timer);
	return uv_timer_start(c->timer, on_timer, TICK_MS, TICK_MS);
}

static void on_closed(uv_handle_t *h)
{
	free(h);
}

void sl_upkeep_stop(struct sl_control *c)
{
	if (c->timer)
		uv_close((uv_handle_t *)c->timer, on_closed);
	c->timer = NULL;
}
