/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_capture: captures: frames before and after, as a file in memory until it is fetched. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/base/log.h"
#include "lb_user/svc/trace_internal.h"

bool sl_capturing_runs(const struct sl_tracer *t)
{
	return t->capture.id && !t->capture.ended_by;
}

static uint64_t ring_lost(const struct sl_tracer *t)
{
	return __atomic_load_n(&t->control->dp->mem.trace->lost_captures, __ATOMIC_RELAXED);
}

static void end(struct sl_tracer *t, const char *why)
{
	struct sl_capturing *cap = &t->capture;

	cap->lost = ring_lost(t) - cap->lost_before;
	cap->ended_by = why;
	sl_info("event=capture id=%u ended_by=%s packets=%u lost=%llu", cap->id, why, cap->packets,
		(unsigned long long)cap->lost);
}

static void forget(struct sl_tracer *t)
{
	sl_pcapng_done(&t->capture.file);
	t->capture = (struct sl_capturing){ 0 };
}

/* What is known of the packet, on both of its frames. */
static void comment_of(const struct sl_tracer *t, const struct sl_event *e,
		       char buf[SL_PCAPNG_COMMENT])
{
	const struct sl_control *c = t->control;
	const char *service = sl_tracer_service_name(c, e->service);
	const char *backend = sl_tracer_backend_name(c, e->backend);

	(void)snprintf(
		buf, SL_PCAPNG_COMMENT, "reason=%s service=%s backend=%s cpu=%u ifindex=%u%s",
		sl_reason_name(e->reason), service[0] ? service : "-", backend[0] ? backend : "-",
		e->cpu, e->ifindex, e->flags & SL_EVF_QUOTED ? " quoted" : "");
}

static int add(struct sl_tracer *t, const struct sl_event *e)
{
	struct sl_capturing *cap = &t->capture;
	char comment[SL_PCAPNG_COMMENT];
	struct sl_pcapng_packet p = {
		.interface = SL_PCAPNG_BEFORE,
		.wall_ns = e->time_ns + (uint64_t)t->wall_less_mono_ns,
		.bytes = (const uint8_t *)(e + 1),
		.captured = e->before_bytes,
		.length = e->frame_bytes,
		.packet = cap->packets + 1,
		.verdict = e->action,
		.comment = comment,
	};
	size_t len = cap->file.len;
	int r;

	comment_of(t, e, comment);
	r = sl_pcapng_add(&cap->file, &p);
	if (r < 0 || !e->after_bytes)
		return r;
	p.interface = SL_PCAPNG_AFTER;
	p.bytes += e->before_bytes;
	p.captured = e->after_bytes;
	p.length = e->sent_bytes;
	r = sl_pcapng_add(&cap->file, &p);
	if (r < 0)
		cap->file.len = len;
	return r;
}

void sl_capturing_take(struct sl_tracer *t, const struct sl_event *e)
{
	struct sl_capturing *cap = &t->capture;

	if (!sl_capturing_runs(t) || e->capture != cap->id)
		return;
	if (cap->file.len + 2 * (SL_SNAP_MAX + 512) > SL_CAPTURE_BYTES || add(t, e) < 0) {
		end(t, "size");
		return;
	}
	if (++cap->packets == cap->request.count)
		end(t, "count");
}

void sl_capturing_tick(struct sl_tracer *t, int64_t now_ms)
{
	struct sl_capturing *cap = &t->capture;
	bool asked = now_ms - cap->asked_ms <= SL_TRACE_LEASE_MS;

	if (!cap->id)
		return;
	if (cap->ended_by) {
		if (!asked)
			forget(t);
		return;
	}
	if (!asked)
		end(t, "abandoned");
	else if (now_ms >= cap->end_ms)
		end(t, "timeout");
	else if (cap->service && strcmp(sl_tracer_service_name(t->control, cap->service),
					cap->request.service) != 0)
		end(t, "service"); /* it was deleted */
}

static struct sl_capturing *find(struct sl_control *c, uint32_t id, struct sl_err *err)
{
	if (id && c->tracer && c->tracer->capture.id == id) {
		c->tracer->capture.asked_ms = sl_clock_ms();
		return &c->tracer->capture;
	}
	(void)sl_err_set(
		err, -ENOENT, "not-found",
		"there is no capture %u; one that nobody asks about for %u s is forgotten, "
		"and so is the last one when another begins",
		id, SL_TRACE_LEASE_MS / 1000);
	return NULL;
}

int sl_capture_start(struct sl_control *c, const struct sl_capture_request *q, uint32_t *ret_id,
		     struct sl_err *err)
{
	struct sl_tracer *t = sl_tracer_get(c, err);
	struct sl_pcapng file = {};
	struct sl_capturing *cap;
	uint16_t service;
	int r;

	if (!t)
		return -ENOMEM;
	cap = &t->capture;
	r = sl_tracer_service(c, q->service, &service, err);
	if (r < 0)
		return r;
	if (sl_capturing_runs(t))
		return sl_err_set(err, -EBUSY, "trace-busy",
				  "capture %u is running; wait for it or end it: "
				  "DELETE /api/v1/captures/%u",
				  cap->id, cap->id);
	r = sl_tracer_on(t, err);
	if (r < 0)
		return r;
	if (sl_pcapng_begin(&file, q->snap, "sluiced " SL_VERSION) < 0)
		return sl_err_set(err, -ENOMEM, "out-of-memory", "out of memory");
	forget(t);
	cap->id = sl_tracer_id(t);
	cap->file = file;
	cap->request = *q;
	cap->service = service;
	cap->asked_ms = sl_clock_ms();
	cap->end_ms = cap->asked_ms + (int64_t)q->timeout_s * 1000;
	cap->lost_before = ring_lost(t);
	/* the id is written last, by publish: until then nobody takes from it */
	__atomic_store_n(&c->dp->mem.trace->capture_left, (int64_t)q->count, __ATOMIC_RELEASE);
	sl_tracer_publish(t);
	*ret_id = cap->id;
	return 0;
}

int sl_capture_status(struct sl_control *c, uint32_t id, struct sl_capture_status *ret,
		      struct sl_err *err)
{
	struct sl_capturing *cap = find(c, id, err);

	if (!cap)
		return -ENOENT;
	*ret = (struct sl_capture_status){
		.id = cap->id,
		.request = cap->request,
		.ended_by = cap->ended_by,
		.packets = cap->packets,
		.lost = cap->ended_by ? cap->lost : ring_lost(c->tracer) - cap->lost_before,
		.bytes = cap->file.len,
	};
	return 0;
}

int sl_capture_file(struct sl_control *c, uint32_t id, uint64_t offset, const uint8_t **ret_data,
		    size_t *ret_len, struct sl_err *err)
{
	struct sl_capturing *cap = find(c, id, err);

	if (!cap)
		return -ENOENT;
	if (offset > cap->file.len)
		return sl_err_set(err, -EINVAL, "validation-failed",
				  "capture %u: the file has %zu bytes so far", id, cap->file.len);
	*ret_data = cap->file.data + offset;
	*ret_len = cap->file.len - (size_t)offset;
	return 0;
}

int sl_capture_stop(struct sl_control *c, uint32_t id, bool forgotten, struct sl_err *err)
{
	struct sl_capturing *cap = find(c, id, err);

	if (!cap)
		return -ENOENT;
	if (!cap->ended_by)
		end(c->tracer, "request");
	if (forgotten)
		forget(c->tracer);
	sl_tracer_publish(c->tracer);
	return 0;
}
