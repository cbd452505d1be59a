/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_TRACE_INTERNAL_H
#define LB_USER_SVC_TRACE_INTERNAL_H

/* trace_internal: what trace.c, trace_listen.c and trace_capture.c share. */
#include "lb_user/domain/pcapng.h"
#include "lb_user/svc/runtime.h"
#include "lb_user/svc/trace.h"

struct sl_listener {
	uint32_t id; /* 0: the place is free */
	struct sl_trace_request request;
	uint16_t service;     /* id, 0: any */
	uint64_t credit;      /* events seen, in units of its own sample */
	uint64_t first;	      /* number of the oldest kept */
	uint32_t n, overrun;  /* kept; dropped because nobody asked */
	uint64_t lost_before; /* the ring's count when it began */
	int64_t asked_ms;
	struct sl_event *event; /* SL_TRACE_EVENTS, in a circle: number % SL_TRACE_EVENTS */
};

struct sl_capturing {
	uint32_t id; /* 0: there is none */
	struct sl_capture_request request;
	uint16_t service;
	const char *ended_by;
	uint32_t packets;
	uint64_t lost_before, lost;
	int64_t asked_ms, end_ms;
	struct sl_pcapng file;
};

struct sl_tracer {
	struct sl_control *control;
	struct sl_listener listener[SL_TRACES_MAX];
	struct sl_capturing capture;
	uint32_t next_id;
	bool reading;	 /* the ring is open */
	int64_t idle_ms; /* since when nobody listens */
	uint64_t since_ns;
	int64_t wall_less_mono_ns;
	uv_timer_t *timer;
	uv_poll_t *events;
};

/* trace.c */
struct sl_tracer *sl_tracer_get(struct sl_control *c, struct sl_err *err); /* made when needed */
int sl_tracer_on(struct sl_tracer *t, struct sl_err *err); /* before the first listener */
void sl_tracer_publish(struct sl_tracer *t);		   /* after each change of who listens */
int sl_tracer_service(struct sl_control *c, const char *name, uint16_t *ret, struct sl_err *err);
const char *sl_tracer_service_name(const struct sl_control *c, uint16_t id);
const char *sl_tracer_backend_name(const struct sl_control *c, uint16_t id);
uint32_t sl_tracer_id(struct sl_tracer *t);

/* trace_listen.c */
bool sl_listeners_any(const struct sl_tracer *t);
void sl_listeners_hear(struct sl_tracer *t, const struct sl_event *e);
void sl_listeners_tick(struct sl_tracer *t, int64_t now_ms);
void sl_listeners_want(const struct sl_tracer *t, struct sl_trace *want);
void sl_listeners_free(struct sl_tracer *t);

/* trace_capture.c */
bool sl_capturing_runs(const struct sl_tracer *t);
void sl_capturing_take(struct sl_tracer *t, const struct sl_event *e);
void sl_capturing_tick(struct sl_tracer *t, int64_t now_ms);

#endif
