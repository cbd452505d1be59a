/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/resources.h"

#include <errno.h>
#include <string.h>

const struct sl_service *sl_services_find(struct sl_api *a, struct sl_reply *r, const char *name)
{
	const struct sl_service *s = sl_config_find(sl_control_config(a->control), name);

	if (!s)
		sl_reply_problem(r, 404, "not-found",
				 "there is no service \"%s\"; GET /api/v1/services lists them",
				 name);
	return s;
}

static void add_status(struct sl_api *a, struct sl_reply *r, struct cJSON *doc,
		       const struct sl_service *s)
{
	struct cJSON *status = sl_reply_object(r, doc, "status"), *counters;
	struct sl_service_status st;

	if (sl_control_service_status(a->control, s->name, &st) < 0)
		memset(&st, 0, sizeof(st));
	sl_reply_str(r, status, "state", st.state ? st.state : "down");
	sl_reply_uint(r, status, "total", st.total);
	sl_reply_uint(r, status, "available", st.available);
	sl_reply_uint(r, status, "slots_in_transition", st.slots_in_transition);
	counters = sl_reply_object(r, status, "counters");
	sl_reply_uint(r, counters, "packets", st.counters.packets);
	sl_reply_uint(r, counters, "bytes", st.counters.bytes);
	sl_reply_uint(r, counters, "flows", st.counters.flows);
	sl_reply_uint(r, counters, "dropped", st.counters.dropped);
}

struct cJSON *sl_services_document(struct sl_api *a, struct sl_reply *r, const struct sl_service *s)
{
	struct cJSON *doc = sl_codec_write_service(s), *backends;

	if (!doc) {
		r->no_memory = true;
		return NULL;
	}
	backends = sl_reply_array(r, doc, "backends");
	for (size_t i = 0; i < s->n_backends; i++)
		sl_reply_attach(r, backends, NULL, sl_backends_document(a, r, s, &s->backends[i]));
	add_status(a, r, doc, s);
	return doc;
}

static void answer_with(struct sl_api *a, struct sl_reply *r, const char *name, unsigned status)
{
	const struct sl_service *s = sl_services_find(a, r, name);

	if (!s)
		return;
	if (status == 201)
		sl_reply_header(r, "Location", "/api/v1/services/%s", s->name);
	sl_reply_json(r, status, sl_services_document(a, r, s));
}

void sl_services_list(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	const struct sl_config *c = sl_control_config(a->control);
	struct cJSON *root = sl_reply_new_object(r);
	struct cJSON *items = sl_reply_array(r, root, "items");

	(void)q;
	for (size_t i = 0; i < c->n_services; i++)
		sl_reply_attach(r, items, NULL, sl_services_document(a, r, &c->services[i]));
	sl_reply_null(r, root, "next_cursor");
	sl_reply_json(r, 200, root);
}

void sl_services_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	answer_with(a, r, q->segment[SL_SEGMENT_SERVICE], 200);
}

void sl_services_create(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	struct sl_service spec = { 0 };
	struct sl_err err = { 0 };
	char name[SL_NAME_LEN];

	if (sl_codec_read_service(q->body, q->body_len, NULL, &spec, &err) < 0) {
		sl_reply_error(r, &err);
		return;
	}
	memcpy(name, spec.name, sizeof(name));
	if (sl_control_service_create(a->control, &spec, &err) < 0)
		sl_reply_error(r, &err);
	else
		answer_with(a, r, name, 201);
	sl_service_done(&spec);
}

void sl_services_put(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	const char *name = q->segment[SL_SEGMENT_SERVICE];
	struct sl_service spec = { 0 };
	struct sl_err err = { 0 };
	bool created = false;

	if (sl_codec_read_service(q->body, q->body_len, name, &spec, &err) < 0) {
		sl_reply_error(r, &err);
		return;
	}
	if (sl_control_service_replace(a->control, &spec, &created, &err) < 0)
		sl_reply_error(r, &err);
	else
		answer_with(a, r, name, created ? 201 : 200);
	sl_service_done(&spec);
}

void sl_services_delete(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	struct sl_err err = { 0 };

	if (sl_control_service_delete(a->control, q->segment[SL_SEGMENT_SERVICE], &err) < 0)
		sl_reply_error(r, &err);
	else
		sl_reply_empty(r, 204);
}
