/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace: the part that traces and captures share: the packet path's tracing is
 * on while somebody listens, and what it tells reaches them.
 */
#include "lb_user/svc/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lb_user/base/clock.h"
#include "lb_user/base/log.h"
#include "lb_user/svc/trace_internal.h"

#define TICK_MS	 200
#define RENEW_MS 3000 /* the packet path goes on this long without us */
#define LINGER_MS                                                                      \
	5000 /* the code stays in the program after the last listener: swaps cost time \
	      */

/* ---- names ------------------------------------------------------------------ */

int sl_tracer_service(struct sl_control *c, const char *name, uint16_t *ret, struct sl_err *err)
{
	*ret = 0;
	if (!name[0])
		return 0;
	for (size_t i = 0; i < c->config.n_services; i++)
		if (!strcmp(c->config.services[i].name, name)) {
			*ret = c->service[i]->id;
			return 0;
		}
	return sl_err_at(err, -ENOENT, "not-found", "/service",
			 "there is no service \"%.80s\"; GET /api/v1/services lists them", name);
}

const char *sl_tracer_service_name(const struct sl_control *c, uint16_t id)
{
	for (size_t i = 0; id && i < c->config.n_services; i++)
		if (c->service[i]->id == id)
			return c->config.services[i].name;
	return "";
}

const char *sl_tracer_backend_name(const struct sl_control *c, uint16_t id)
{
	for (size_t i = 0; id && i < c->config.n_services; i++)
		for (size_t j = 0; j < c->service[i]->n_backends; j++)
			if (c->service[i]->backend[j]->id == id)
				return c->service[i]->backend[j]->spec->name;
	return "";
}

/* ---- the ring ---------------------------------------------------------------- */

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void on_event(void *tracer, const struct sl_event *e)
{
	struct sl_tracer *t = tracer;

	if (e->time_ns < t->since_ns)
		return; /* the ring is pinned: a former agent's */
	if (e->kinds)
		sl_listeners_hear(t, e);
	if (e->capture)
		sl_capturing_take(t, e);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct sl_tracer *t = poll->data;
	bool ran = sl_capturing_runs(t);

	(void)status;
	(void)events;
	t->control->dp->ops->events_read(t->control->dp);
	if (ran && !sl_capturing_runs(t))
		sl_tracer_publish(t);
}

/* ---- on and off -------------------------------------------------------------- */

static bool wanted(const struct sl_tracer *t)
{
	return sl_listeners_any(t) || sl_capturing_runs(t);
}

static int set_feature(struct sl_control *c, bool on, struct sl_err *err)
{
	uint32_t now = c->dp->mem.info->features;

	return c->dp->ops->specialise(c->dp, on ? now | SL_FEAT_TRACE : now & ~SL_FEAT_TRACE, err);
}

uint32_t sl_trace_features(const struct sl_control *c)
{
	return c->tracer && c->tracer->reading ? SL_FEAT_TRACE : 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

static void stop_reading(struct sl_tracer *t)
{
	if (!t->reading)
		return;
	t->reading = false;
	uv_close((uv_handle_t *)t->events, on_closed);
	uv_close((uv_handle_t *)t->timer, on_closed);
	t->control->dp->ops->events_close(t->control->dp);
}

static void off(struct sl_tracer *t)
{
	struct sl_err err = {};

	stop_reading(t);
	/* a program that could do more is no harm */
	if (set_feature(t->control, false, &err) < 0)
		sl_warn("event=trace \"the code for tracing stays in the program: %s\"",
			err.detail);
}

/* Seconds without us, in the packet path's own clock. */
static void renew(struct sl_tracer *t)
{
	struct sl_dp *dp = t->control->dp;
	const struct sl_info *info = dp->mem.info;
	uint64_t now, per_s = (1000ull << info->tick_shift) / (info->tick_ms ? info->tick_ms : 1);

	if (dp->ops->jiffies(dp, &now))
		return;
	__atomic_store_n(&dp->mem.trace->until, now + per_s * RENEW_MS / 1000 + 1,
			 __ATOMIC_RELEASE);
}

static void on_timer(uv_timer_t *timer)
{
	struct sl_tracer *t = timer->data;
	int64_t now_ms = sl_clock_ms();

	/* the clock may be set meanwhile */
	t->wall_less_mono_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	sl_listeners_tick(t, now_ms);
	sl_capturing_tick(t, now_ms);
	sl_tracer_publish(t);
	if (!wanted(t) && !t->capture.id && now_ms - t->idle_ms > LINGER_MS)
		off(t);
}

void sl_tracer_publish(struct sl_tracer *t)
{
	struct sl_trace *want = t->control->dp->mem.trace;
	const struct sl_capturing *cap = &t->capture;
	bool runs = sl_capturing_runs(t);

	if (!wanted(t)) {
		__atomic_store_n(&want->until, 0, __ATOMIC_RELEASE);
		want->capture = 0;
		want->kinds = 0;
		return;
	}
	t->idle_ms = sl_clock_ms();
	sl_listeners_want(t, want);
	want->capture_service = cap->service;
	want->capture_reason = cap->request.reason;
	want->capture_snap = cap->request.snap;
	__atomic_store_n(&want->capture, runs ? cap->id : 0, __ATOMIC_RELEASE);
	renew(t);
}

static int start_reading(struct sl_tracer *t, struct sl_err *err)
{
	struct sl_control *c = t->control;
	int fd, r;

	r = c->dp->ops->events_open(c->dp, on_event, t, &fd, err);
	if (r < 0)
		return r;
	t->timer = calloc(1, sizeof(*t->timer));
	t->events = calloc(1, sizeof(*t->events));
	r = t->timer && t->events ? uv_poll_init(c->loop, t->events, fd) : -ENOMEM;
	if (r < 0) {
		free(t->timer);
		free(t->events);
		c->dp->ops->events_close(c->dp);
		return sl_err_set(err, r, "dataplane-error", "watching the ring of events: %s",
				  strerror(-r));
	}
	t->timer->data = t;
	t->events->data = t;
	(void)uv_timer_init(c->loop, t->timer); /* never fails, nor do the next two */
	(void)uv_timer_start(t->timer, on_timer, TICK_MS, TICK_MS);
	(void)uv_poll_start(t->events, UV_READABLE, on_readable);
	t->reading = true;
	t->since_ns = (uint64_t)clock_ns(CLOCK_MONOTONIC);
	t->wall_less_mono_ns = clock_ns(CLOCK_REALTIME) - (int64_t)t->since_ns;
	return 0;
}

int sl_tracer_on(struct sl_tracer *t, struct sl_err *err)
{
	int r = 0;

	if (!(t->control->dp->mem.info->features & SL_FEAT_TRACE))
		r = set_feature(t->control, true, err);
	if (!r && !t->reading)
		r = start_reading(t, err);
	t->idle_ms = sl_clock_ms();
	return r;
}

/* ---- life --------------------------------------------------------------------- */

struct sl_tracer *sl_tracer_get(struct sl_control *c, struct sl_err *err)
{
	if (!c->tracer) {
		c->tracer = calloc(1, sizeof(*c->tracer));
		if (c->tracer)
			c->tracer->control = c;
		else
			sl_err_set(err, -ENOMEM, "out-of-memory", "out of memory");
	}
	return c->tracer;
}

/* Never 0; another than the last agent's, whose records may still lie in the ring. */
uint32_t sl_tracer_id(struct sl_tracer *t)
{
	if (!t->next_id)
		t->next_id = (uint32_t)sl_clock_wall_ms();
	if (!++t->next_id)
		t->next_id = 1;
	return t->next_id;
}

void sl_trace_init(struct sl_control *c)
{
	struct sl_trace *want = c->dp->mem.trace;

	__atomic_store_n(&want->until, 0, __ATOMIC_RELEASE);
	want->capture = 0;
	want->kinds = 0;
}

void sl_trace_free(struct sl_control *c)
{
	struct sl_tracer *t = c->tracer;

	if (!t)
		return;
	sl_trace_init(c);
	if (t->reading)
		off(t);
	sl_listeners_free(t);
	sl_pcapng_done(&t->capture.file);
	free(t);
	c->tracer = NULL;
}
