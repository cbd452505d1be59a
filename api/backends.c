/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/resources.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *health_word(enum sl_health h)
{
	switch (h) {
	case SL_HEALTH_UP:
		return "up";
	case SL_HEALTH_DOWN:
		return "down";
	case SL_HEALTH_UNKNOWN:
		break;
	}
	return "unknown";
}

/* ---- the document --------------------------------------------------------------- */

static void add_check(struct sl_reply *r, struct cJSON *status, const struct sl_backend_status *st)
{
	struct cJSON *check = sl_reply_object(r, status, "check");

	sl_reply_time(r, check, "last_at", st->check.at_wall_ms);
	sl_reply_uint(r, check, "duration_ms", st->check.duration_ms);
	sl_reply_str(r, check, "status", st->check.status);
	sl_reply_uint(r, check, "code", st->check.code);
	sl_reply_uint(r, check, "checks", st->check.checks);
	sl_reply_uint(r, check, "failures", st->check.failures);
}

/* Flows are counted only while a backend drains: null says that nobody counted. */
static void add_flows(struct sl_reply *r, struct cJSON *status, const struct sl_backend_status *st)
{
	struct cJSON *flows = sl_reply_object(r, status, "flows"), *drain;

	if (st->flows.known)
		sl_reply_uint(r, flows, "active", st->flows.active);
	else
		sl_reply_null(r, flows, "active");
	sl_reply_bool(r, flows, "estimated", true);
	sl_reply_time(r, flows, "as_of", st->flows.known ? st->flows.as_of_wall_ms : 0);
	if (st->flows.known)
		sl_reply_uint(r, flows, "at_start", st->flows.at_start);
	else
		sl_reply_null(r, flows, "at_start");
	drain = sl_reply_object(r, status, "drain");
	sl_reply_bool(r, drain, "complete", st->flows.complete);
	sl_reply_bool(r, drain, "by_deadline", st->flows.by_deadline);
}

static void add_next_hop(struct sl_reply *r, struct cJSON *status,
			 const struct sl_backend_status *st)
{
	struct cJSON *hop = sl_reply_object(r, status, "next_hop");
	const struct sl_prefix *from = &st->next_hop.source;
	bool full = from->len == (from->addr.family == AF_INET ? 32 : 128);
	const uint8_t *m = st->next_hop.mac;
	char mac[18] = "", source[SL_PREFIX_STRLEN] = "";

	if (st->next_hop.resolved)
		(void)snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2],
			       m[3], m[4], m[5]);
	sl_reply_bool(r, hop, "resolved", st->next_hop.resolved);
	sl_reply_str(r, hop, "interface", st->next_hop.resolved ? st->next_hop.ifname : "");
	sl_reply_str(r, hop, "mac", mac);
	if (st->next_hop.resolved && st->next_hop.vlan != SL_VLAN_KEEP)
		sl_reply_uint(r, hop, "vlan", (uint64_t)st->next_hop.vlan);
	else
		sl_reply_null(r, hop, "vlan");
	if (st->next_hop.resolved)
		sl_reply_uint(r, hop, "mtu", st->next_hop.mtu);
	else
		sl_reply_null(r, hop, "mtu");
	/* an address, or the prefix whose rest the flow's hash fills */
	if (st->next_hop.resolved && from->addr.family && full)
		(void)sl_addr_format(&from->addr, source);
	else if (st->next_hop.resolved && from->addr.family)
		(void)sl_prefix_format(from, source);
	sl_reply_str(r, hop, "tunnel_source", source);
}

/* What holds, be it the backend's or the service's. */
static void add_forwarding(struct sl_reply *r, struct cJSON *status, const struct sl_service *s,
			   const struct sl_backend *b)
{
	struct cJSON *forwarding = sl_reply_object(r, status, "forwarding");
	enum sl_forward mode = sl_backend_forward(s, b);

	sl_reply_str(r, forwarding, "mode", sl_forward_name(mode));
	if (mode == SL_FORWARD_GUE)
		sl_reply_uint(r, forwarding, "gue_port", sl_backend_gue_port(s, b));
}

static void add_status(struct sl_api *a, struct sl_reply *r, struct cJSON *doc,
		       const struct sl_service *s, const struct sl_backend *b)
{
	struct cJSON *status = sl_reply_object(r, doc, "status"), *counters;
	struct sl_backend_status st;

	if (sl_control_backend_status(a->control, s->name, b->name, &st) < 0)
		memset(&st, 0, sizeof(st));
	sl_reply_str(r, status, "health", health_word(st.health));
	sl_reply_str(r, status, "state", sl_state_name(st.state));
	sl_reply_str(r, status, "state_reason", st.state_reason);
	sl_reply_str(r, status, "message", st.message);
	sl_reply_time(r, status, "since", st.since_wall_ms);
	sl_reply_bool(r, status, "takes_new_flows", st.takes_new_flows);
	sl_reply_uint(r, status, "table_slots", st.table_slots);
	add_check(r, status, &st);
	add_flows(r, status, &st);
	counters = sl_reply_object(r, status, "counters");
	sl_reply_uint(r, counters, "packets", st.counters.packets);
	sl_reply_uint(r, counters, "bytes", st.counters.bytes);
	sl_reply_uint(r, counters, "flows", st.counters.flows);
	add_forwarding(r, status, s, b);
	add_next_hop(r, status, &st);
}

struct cJSON *sl_backends_document(struct sl_api *a, struct sl_reply *r, const struct sl_service *s,
				   const struct sl_backend *b)
{
	struct cJSON *doc = sl_codec_write_backend(b);

	if (!doc) {
		r->no_memory = true;
		return NULL;
	}
	add_status(a, r, doc, s, b);
	return doc;
}

static const struct sl_backend *find(struct sl_reply *r, const struct sl_service *s,
				     const char *name)
{
	const struct sl_backend *b = sl_service_find(s, name);

	if (!b)
		sl_reply_problem(r, 404, "not-found",
				 "service \"%s\" has no backend \"%s\"; GET "
				 "/api/v1/services/%s/backends lists them",
				 s->name, name, s->name);
	return b;
}

/* ---- the handlers ----------------------------------------------------------------- */

static void answer_with(struct sl_api *a, struct sl_reply *r, const char *service, const char *name,
			unsigned status)
{
	const struct sl_service *s = sl_services_find(a, r, service);
	const struct sl_backend *b = s ? find(r, s, name) : NULL;

	if (!b)
		return;
	if (status == 201)
		sl_reply_header(r, "Location", "/api/v1/services/%s/backends/%s", s->name, b->name);
	sl_reply_json(r, status, sl_backends_document(a, r, s, b));
}

void sl_backends_list(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	const struct sl_service *s = sl_services_find(a, r, q->segment[SL_SEGMENT_SERVICE]);
	struct cJSON *root, *items;

	if (!s)
		return;
	root = sl_reply_new_object(r);
	items = sl_reply_array(r, root, "items");
	for (size_t i = 0; i < s->n_backends; i++)
		sl_reply_attach(r, items, NULL, sl_backends_document(a, r, s, &s->backends[i]));
	sl_reply_null(r, root, "next_cursor");
	sl_reply_json(r, 200, root);
}

void sl_backends_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	answer_with(a, r, q->segment[SL_SEGMENT_SERVICE], q->segment[SL_SEGMENT_BACKEND], 200);
}

void sl_backends_create(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	const struct sl_service *s = sl_services_find(a, r, q->segment[SL_SEGMENT_SERVICE]);
	struct sl_backend spec = { 0 };
	struct sl_err err = { 0 };

	if (!s)
		return;
	if (sl_codec_read_backend(q->body, q->body_len, NULL, s, &spec, &err) < 0 ||
	    sl_control_backend_create(a->control, q->segment[SL_SEGMENT_SERVICE], &spec, &err) < 0)
		sl_reply_error(r, &err);
	else
		answer_with(a, r, q->segment[SL_SEGMENT_SERVICE], spec.name, 201);
}

void sl_backends_put(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	const char *service = q->segment[SL_SEGMENT_SERVICE];
	const char *name = q->segment[SL_SEGMENT_BACKEND];
	const struct sl_service *s = sl_services_find(a, r, service);
	struct sl_backend spec = { 0 };
	struct sl_err err = { 0 };
	bool created = false;

	if (!s)
		return;
	if (sl_codec_read_backend(q->body, q->body_len, name, s, &spec, &err) < 0 ||
	    sl_control_backend_replace(a->control, service, &spec, &created, &err) < 0)
		sl_reply_error(r, &err);
	else
		answer_with(a, r, service, name, created ? 201 : 200);
}

static void apply_patch(struct sl_api *a, const struct sl_request *q, struct sl_reply *r,
			const struct sl_backend_patch *patch)
{
	const char *service = q->segment[SL_SEGMENT_SERVICE];
	const char *name = q->segment[SL_SEGMENT_BACKEND];
	struct sl_err err = { 0 };

	if (sl_control_backend_patch(a->control, service, name, patch, &err) < 0)
		sl_reply_error(r, &err);
	else
		answer_with(a, r, service, name, 200);
}

void sl_backends_patch(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	struct sl_backend_patch patch = { 0 };
	struct sl_err err = { 0 };

	if (sl_codec_read_patch(q->body, q->body_len, q->segment[SL_SEGMENT_SERVICE],
				q->segment[SL_SEGMENT_BACKEND], &patch, &err) < 0)
		sl_reply_error(r, &err);
	else
		apply_patch(a, q, r, &patch);
}

void sl_backends_delete(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	const char *force = sl_request_query(q, "force");
	struct sl_err err = { 0 };
	bool forced = force && strcmp(force, "true") == 0;

	if (force && !forced && strcmp(force, "false") != 0) {
		sl_reply_problem(r, 400, "bad-request",
				 "query parameter \"force\" is true or false; nothing was deleted");
		return;
	}
	if (sl_control_backend_delete(a->control, q->segment[SL_SEGMENT_SERVICE],
				      q->segment[SL_SEGMENT_BACKEND], forced, &err) < 0)
		sl_reply_error(r, &err);
	else
		sl_reply_empty(r, 204);
}

/*
 * 202: the drain goes on after the answer. Polling status.drain.complete says
 * when it is over. A drain that had nothing to wait for and ends in "delete" may
 * have taken the backend away at once.
 */
void sl_backends_drain(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	const char *service = q->segment[SL_SEGMENT_SERVICE];
	const char *name = q->segment[SL_SEGMENT_BACKEND];
	struct sl_drain_request req = { .then = SL_THEN_DRAIN };
	struct sl_err err = { 0 };
	const struct sl_service *s;

	if (sl_codec_read_drain(q->body ? q->body : "", q->body_len, service, name, &req, &err) <
		    0 ||
	    sl_control_backend_drain(a->control, service, name, &req, &err) < 0) {
		sl_reply_error(r, &err);
		return;
	}
	s = sl_config_find(sl_control_config(a->control), service);
	if (!s || !sl_service_find(s, name)) {
		sl_reply_empty(r, 204);
		return;
	}
	sl_reply_header(r, "Retry-After", "1");
	answer_with(a, r, service, name, 202);
}

/* Body of ready and maint: nothing, or {"reason": "..."}; a patch with one member. */
static void set_admin(struct sl_api *a, const struct sl_request *q, struct sl_reply *r,
		      enum sl_admin admin)
{
	const char *service = q->segment[SL_SEGMENT_SERVICE];
	const char *name = q->segment[SL_SEGMENT_BACKEND];
	struct sl_backend_patch patch = { 0 };
	struct sl_err err = { 0 };

	if (q->body_len > 0 &&
	    sl_codec_read_patch(q->body, q->body_len, service, name, &patch, &err) < 0) {
		sl_reply_error(r, &err);
		return;
	}
	if (patch.has_weight || patch.has_admin) {
		(void)sl_err_at(&err, -ENOKEY, "unknown-member",
				patch.has_weight ? "/weight" : "/admin_state",
				"backend \"%s\" of service \"%s\": the only member here is "
				"\"reason\"; use PATCH for others",
				name, service);
		sl_reply_error(r, &err);
		return;
	}
	patch.has_admin = true;
	patch.admin = admin;
	apply_patch(a, q, r, &patch);
}

void sl_backends_ready(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	set_admin(a, q, r, SL_ADMIN_READY);
}

void sl_backends_maint(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	set_admin(a, q, r, SL_ADMIN_MAINT);
}
