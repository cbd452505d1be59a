/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_listen: traces: events kept for each who asked for them, until they come and get them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/svc/trace_internal.h"

bool sl_listeners_any(const struct sl_tracer *t)
{
	for (size_t i = 0; i < SL_TRACES_MAX; i++)
		if (t->listener[i].id)
			return true;
	return false;
}

static uint64_t ring_lost(const struct sl_tracer *t)
{
	return __atomic_load_n(&t->control->dp->mem.trace->lost_events, __ATOMIC_RELAXED);
}

static void end(struct sl_listener *l)
{
	free(l->event);
	*l = (struct sl_listener){ 0 };
}

void sl_listeners_free(struct sl_tracer *t)
{
	for (size_t i = 0; i < SL_TRACES_MAX; i++)
		end(&t->listener[i]);
}

/*
 * One packet path for all: it tells what anybody wants, as often as the keenest
 * does; each takes its own part of that.
 */
void sl_listeners_want(const struct sl_tracer *t, struct sl_trace *want)
{
	uint32_t kinds = 0, sample = SL_TRACE_SAMPLE_MAX, service = 0;
	bool first = true;

	for (size_t i = 0; i < SL_TRACES_MAX; i++) {
		const struct sl_listener *l = &t->listener[i];

		if (!l->id)
			continue;
		kinds |= l->request.kinds;
		if (l->request.sample < sample)
			sample = l->request.sample;
		service = first || service == l->service ? l->service : 0;
		first = false;
	}
	want->service = service;
	want->sample = sample;
	__atomic_store_n(&want->kinds, kinds, __ATOMIC_RELEASE);
}

static void keep(struct sl_listener *l, const struct sl_event *e, uint32_t kinds)
{
	struct sl_event *to;

	if (l->n == SL_TRACE_EVENTS) {
		l->first++;
		l->n--;
		l->overrun++;
	}
	to = &l->event[(l->first + l->n++) % SL_TRACE_EVENTS];
	*to = *e;
	to->kinds = (uint8_t)kinds;
}

void sl_listeners_hear(struct sl_tracer *t, const struct sl_event *e)
{
	uint32_t sample = t->control->dp->mem.trace->sample;

	for (size_t i = 0; i < SL_TRACES_MAX; i++) {
		struct sl_listener *l = &t->listener[i];
		uint32_t kinds = e->kinds & l->request.kinds;

		if (!l->id || !kinds || (l->service && l->service != e->service))
			continue;
		/* each event stands for @sample of them */
		l->credit += sample ? sample : 1;
		if (l->credit < l->request.sample)
			continue;
		l->credit -= l->request.sample;
		keep(l, e, kinds);
	}
}

void sl_listeners_tick(struct sl_tracer *t, int64_t now_ms)
{
	for (size_t i = 0; i < SL_TRACES_MAX; i++) {
		struct sl_listener *l = &t->listener[i];

		if (l->id && now_ms - l->asked_ms > SL_TRACE_LEASE_MS)
			end(l);
	}
}

static struct sl_listener *find(struct sl_control *c, uint32_t id, struct sl_err *err)
{
	for (size_t i = 0; id && c->tracer && i < SL_TRACES_MAX; i++)
		if (c->tracer->listener[i].id == id)
			return &c->tracer->listener[i];
	(void)sl_err_set(err, -ENOENT, "not-found",
			 "there is no trace %u; one that nobody asks about for %u s is over", id,
			 SL_TRACE_LEASE_MS / 1000);
	return NULL;
}

int sl_trace_start(struct sl_control *c, const struct sl_trace_request *q, uint32_t *ret_id,
		   struct sl_err *err)
{
	struct sl_tracer *t = sl_tracer_get(c, err);
	struct sl_listener *l = NULL;
	uint16_t service;
	int r;

	if (!t)
		return -ENOMEM;
	r = sl_tracer_service(c, q->service, &service, err);
	if (r < 0)
		return r;
	for (size_t i = 0; !l && i < SL_TRACES_MAX; i++)
		l = t->listener[i].id ? NULL : &t->listener[i];
	if (!l)
		return sl_err_set(
			err, -EBUSY, "trace-busy",
			"all %u traces are in use; end one, or wait until one that nobody "
			"asks about is over",
			SL_TRACES_MAX);
	r = sl_tracer_on(t, err);
	if (r < 0)
		return r;
	l->event = calloc(SL_TRACE_EVENTS, sizeof(*l->event));
	if (!l->event)
		return sl_err_set(err, -ENOMEM, "out-of-memory", "out of memory");
	l->id = sl_tracer_id(t);
	l->request = *q;
	l->service = service;
	l->first = 1;
	l->lost_before = ring_lost(t);
	l->asked_ms = sl_clock_ms();
	sl_tracer_publish(t);
	*ret_id = l->id;
	return 0;
}

int sl_trace_read(struct sl_control *c, uint32_t id, uint64_t after, unsigned max,
		  void (*each)(void *user, const struct sl_trace_event *e), void *user,
		  uint64_t *ret_lost, struct sl_err *err)
{
	struct sl_listener *l = find(c, id, err);

	if (!l)
		return -ENOENT;
	l->asked_ms = sl_clock_ms();
	while (l->n && l->first <= after) {
		l->first++;
		l->n--;
	}
	for (uint32_t i = 0; i < l->n && i < max; i++) {
		const struct sl_event *e = &l->event[(l->first + i) % SL_TRACE_EVENTS];
		struct sl_trace_event told = {
			.number = l->first + i,
			.wall_ns = e->time_ns + (uint64_t)c->tracer->wall_less_mono_ns,
			.event = e,
			.service = sl_tracer_service_name(c, e->service),
			.backend = sl_tracer_backend_name(c, e->backend),
			.rescheduled_from = sl_tracer_backend_name(c, e->rescheduled_from),
			.evicted = sl_tracer_backend_name(c, e->evicted),
		};

		each(user, &told);
	}
	*ret_lost = ring_lost(c->tracer) - l->lost_before + l->overrun;
	return 0;
}

int sl_trace_stop(struct sl_control *c, uint32_t id, struct sl_err *err)
{
	struct sl_listener *l = find(c, id, err);

	if (!l)
		return -ENOENT;
	end(l);
	sl_tracer_publish(c->tracer);
	return 0;
}
