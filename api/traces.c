/* SPDX-License-Identifier: BSD-2-Clause */
/* traces: events of single packets; asked for again and again by who started one. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/resources.h"
#include "lb_user/base/addr.h"
#include "lb_user/svc/trace.h"

#define EVENTS_MAX 1000u /* in one answer */

bool sl_traces_number(const char *text, uint64_t *ret)
{
	uint64_t n = 0;

	if (!*text || strlen(text) > 18)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
	}
	*ret = n;
	return true;
}

bool sl_traces_id(const struct sl_request *q, struct sl_reply *r, const char *noun, uint32_t *ret)
{
	uint64_t n;

	if (sl_traces_number(q->segment[SL_SEGMENT_ID], &n) && n && n <= UINT32_MAX) {
		*ret = (uint32_t)n;
		return true;
	}
	sl_reply_problem(r, 404, "not-found", "there is no %s \"%.40s\"; ids are numbers", noun,
			 q->segment[SL_SEGMENT_ID]);
	return false;
}

bool sl_traces_query(const struct sl_request *q, struct sl_reply *r, const char *name,
		     uint64_t *ret)
{
	const char *text = sl_request_query(q, name);

	*ret = 0;
	if (!text || sl_traces_number(text, ret))
		return true;
	sl_reply_problem(r, 400, "bad-request", "query parameter \"%s\" is a whole number", name);
	return false;
}

void sl_traces_create(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	struct sl_trace_request want;
	struct sl_err err = { 0 };
	struct cJSON *root;
	uint32_t id;

	if (sl_codec_read_trace(q->body ? q->body : "", q->body_len, &want, &err) < 0 ||
	    sl_trace_start(a->control, &want, &id, &err) < 0) {
		sl_reply_error(r, &err);
		return;
	}
	root = sl_reply_new_object(r);
	sl_reply_uint(r, root, "id", id);
	sl_reply_header(r, "Location", "/api/v1/traces/%u", id);
	sl_reply_json(r, 201, root);
}

struct telling {
	struct sl_reply *reply;
	struct cJSON *events;
};

static void add_name(struct sl_reply *r, struct cJSON *to, const char *key, const char *name)
{
	if (name[0])
		sl_reply_str(r, to, key, name);
	else
		sl_reply_null(r, to, key);
}

static void add_end(struct sl_reply *r, struct cJSON *to, const char *address, const char *port,
		    const struct sl_event *e, const __u64 addr_be[2], uint16_t port_be)
{
	struct sl_addr addr = { .family = e->flags & SL_EVF_V6 ? AF_INET6 : AF_INET };
	char text[SL_ADDR_STRLEN];

	memcpy(addr.byte_be, addr_be, addr.family == AF_INET6 ? 16 : 4);
	if (e->proto)
		sl_reply_str(r, to, address, sl_addr_format(&addr, text));
	else
		sl_reply_null(r, to, address);
	sl_reply_uint(r, to, port, ntohs(port_be));
}

static void add_flags(struct sl_reply *r, struct cJSON *to, uint8_t flags)
{
	static const char letter[] = "FSRPAUEC";
	char text[sizeof(letter)];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(letter) - 1; i++)
		if (flags & 1u << i)
			text[n++] = letter[i];
	text[n] = '\0';
	sl_reply_str(r, to, "tcp_flags", text);
}

static void add_event(void *telling, const struct sl_trace_event *t)
{
	struct telling *w = telling;
	const struct sl_event *e = t->event;
	struct sl_reply *r = w->reply;
	struct cJSON *one = sl_reply_object(r, w->events, NULL);
	struct cJSON *kinds = sl_reply_array(r, one, "kinds");

	sl_reply_uint(r, one, "number", t->number);
	sl_reply_time(r, one, "time", (int64_t)(t->wall_ns / 1000000));
	for (uint32_t bit = 1; bit & SL_EV_ALL; bit <<= 1)
		if (e->kinds & bit)
			sl_reply_str(r, kinds, NULL, sl_event_kind_name(bit));
	sl_reply_str(r, one, "reason", sl_reason_name(e->reason));
	add_name(r, one, "service", t->service);
	add_name(r, one, "backend", t->backend);
	add_name(r, one, "rescheduled_from",
		 e->kinds & SL_EV_RESCHEDULE ? t->rescheduled_from : "");
	add_name(r, one, "evicted", e->kinds & SL_EV_EVICTION ? t->evicted : "");
	sl_reply_uint(r, one, "protocol", e->proto);
	add_end(r, one, "source", "source_port", e, e->saddr_be, e->sport_be);
	add_end(r, one, "destination", "destination_port", e, e->daddr_be, e->dport_be);
	add_flags(r, one, e->tcp_flags);
	sl_reply_bool(r, one, "quoted", e->flags & SL_EVF_QUOTED);
	sl_reply_uint(r, one, "frame_bytes", e->frame_bytes);
	sl_reply_uint(r, one, "ifindex", e->ifindex);
	sl_reply_uint(r, one, "cpu", e->cpu);
}

void sl_traces_events(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	struct telling w = { .reply = r };
	struct sl_err err = { 0 };
	struct cJSON *root;
	uint64_t after, lost;
	uint32_t id;

	if (!sl_traces_id(q, r, "trace", &id) || !sl_traces_query(q, r, "after", &after))
		return;
	if (sl_trace_read(a->control, id, after, 0, add_event, &w, &lost, &err) < 0) {
		sl_reply_error(r, &err);
		return;
	}
	root = sl_reply_new_object(r);
	w.events = sl_reply_array(r, root, "events");
	(void)sl_trace_read(a->control, id, after, EVENTS_MAX, add_event, &w, &lost, &err);
	sl_reply_uint(r, root, "lost", lost);
	sl_reply_json(r, 200, root);
}

void sl_traces_delete(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	struct sl_err err = { 0 };
	uint32_t id;

	if (!sl_traces_id(q, r, "trace", &id))
		return;
	if (sl_trace_stop(a->control, id, &err) < 0)
		sl_reply_error(r, &err);
	else
		sl_reply_empty(r, 204);
}
