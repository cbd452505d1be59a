/* SPDX-License-Identifier: BSD-2-Clause */
/* guard: the listed prefixes of this node, and the limits of one service. */
#include "api/resources.h"

/* Dry runs, and what was let through for want of a place to remember it. */
void sl_guard_add_status(struct sl_api *a, struct sl_reply *r, struct cJSON *to, const char *name)
{
	struct cJSON *all = sl_reply_object(r, to, name);
	struct sl_guard_cnt n = { 0 };

	sl_control_guard(a->control, &n);
	sl_reply_uint(r, all, "would_deny", n.would_deny);
	sl_reply_uint(r, all, "would_source", n.would_source);
	sl_reply_uint(r, all, "would_service", n.would_service);
	sl_reply_uint(r, all, "table_full", n.table_full);
	sl_reply_uint(r, all, "raced", n.raced);
}

static void take(struct sl_reply *r, struct cJSON *doc)
{
	if (doc) {
		sl_reply_json(r, 200, doc);
		return;
	}
	r->no_memory = true;
	sl_reply_json(r, 200, NULL);
}

void sl_guard_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	struct cJSON *doc = sl_codec_write_guard_lists(&sl_control_config(a->control)->guard);

	(void)q;
	if (doc)
		sl_guard_add_status(a, r, doc, "status");
	take(r, doc);
}

void sl_guard_put(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	struct sl_guard_lists lists = { 0 };
	struct sl_err err = { 0 };

	if (sl_codec_read_guard_lists(q->body, q->body_len, &lists, &err) < 0 ||
	    sl_control_guard_lists(a->control, &lists, &err) < 0)
		sl_reply_error(r, &err);
	else
		sl_guard_get(a, q, r);
	sl_guard_lists_done(&lists);
}

void sl_guard_service_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	const struct sl_service *s = sl_services_find(a, r, q->segment[SL_SEGMENT_SERVICE]);

	if (s)
		take(r, sl_codec_write_service_guard(&s->guard));
}

void sl_guard_service_put(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	const char *name = q->segment[SL_SEGMENT_SERVICE];
	const struct sl_service *s = sl_services_find(a, r, name);
	struct sl_service_guard guard = { 0 };
	struct sl_err err = { 0 };

	if (!s)
		return;
	if (sl_codec_read_service_guard(q->body, q->body_len, s, &guard, &err) < 0 ||
	    sl_control_service_guard(a->control, name, &guard, &err) < 0)
		sl_reply_error(r, &err);
	else
		sl_guard_service_get(a, q, r);
}
