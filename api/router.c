/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/router.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/resources.h"
#include "lb_user/domain/validate.h"

typedef void (*handler_fn)(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);

/*
 * "*" stands for a name. Only the five methods that do something are listed:
 * HEAD is GET without the body, OPTIONS is answered from this table.
 */
struct route {
	const char *path;
	handler_fn handler[SL_METHOD_DELETE + 1];
	const char *write_query; /* the query parameter that a write may have */
};

static const struct route routes[] = {
	{ "api/v1/status", { [SL_METHOD_GET] = sl_status_get }, NULL },
	{ "api/v1/services",
	  { [SL_METHOD_GET] = sl_services_list, [SL_METHOD_POST] = sl_services_create },
	  NULL },
	{ "api/v1/services/*",
	  { [SL_METHOD_GET] = sl_services_get,
	    [SL_METHOD_PUT] = sl_services_put,
	    [SL_METHOD_DELETE] = sl_services_delete },
	  NULL },
	{ "api/v1/services/*/backends",
	  { [SL_METHOD_GET] = sl_backends_list, [SL_METHOD_POST] = sl_backends_create },
	  NULL },
	{ "api/v1/services/*/backends/*",
	  { [SL_METHOD_GET] = sl_backends_get,
	    [SL_METHOD_PUT] = sl_backends_put,
	    [SL_METHOD_PATCH] = sl_backends_patch,
	    [SL_METHOD_DELETE] = sl_backends_delete },
	  "force" },
	{ "api/v1/services/*/backends/*/drain", { [SL_METHOD_POST] = sl_backends_drain }, NULL },
	{ "api/v1/services/*/backends/*/ready", { [SL_METHOD_POST] = sl_backends_ready }, NULL },
	{ "api/v1/services/*/backends/*/maint", { [SL_METHOD_POST] = sl_backends_maint }, NULL },
	{ "api/v1/guard",
	  { [SL_METHOD_GET] = sl_guard_get, [SL_METHOD_PUT] = sl_guard_put },
	  NULL },
	{ "api/v1/services/*/guard",
	  { [SL_METHOD_GET] = sl_guard_service_get, [SL_METHOD_PUT] = sl_guard_service_put },
	  NULL },
	{ "api/v1/dataplane", { [SL_METHOD_DELETE] = sl_dataplane_delete }, NULL },
	{ "api/v1/traces", { [SL_METHOD_POST] = sl_traces_create }, NULL },
	{ "api/v1/traces/*", { [SL_METHOD_DELETE] = sl_traces_delete }, NULL },
	{ "api/v1/traces/*/events", { [SL_METHOD_GET] = sl_traces_events }, NULL },
	{ "api/v1/captures", { [SL_METHOD_POST] = sl_captures_create }, NULL },
	{ "api/v1/captures/*",
	  { [SL_METHOD_GET] = sl_captures_get, [SL_METHOD_DELETE] = sl_captures_delete },
	  "keep" },
	{ "api/v1/captures/*/file", { [SL_METHOD_GET] = sl_captures_file }, NULL },
	{ "metrics", { [SL_METHOD_GET] = sl_metrics_get }, NULL },
	{ "livez", { [SL_METHOD_GET] = sl_livez_get }, NULL },
	{ "readyz", { [SL_METHOD_GET] = sl_readyz_get }, NULL },
};

static bool route_fits(const struct route *route, const struct sl_request *q)
{
	const char *want = route->path;

	if (q->n_segments > SL_SEGMENTS_MAX)
		return false;
	for (size_t i = 0; i < q->n_segments; i++) {
		size_t len = strcspn(want, "/");
		bool wild = len == 1 && *want == '*';

		if (wild ? !*q->segment[i]
			 : strlen(q->segment[i]) != len || memcmp(q->segment[i], want, len) != 0)
			return false;
		want += len;
		if (!*want)
			return i + 1 == q->n_segments;
		want++;
	}
	return false;
}

static const struct route *find_route(const struct sl_request *q)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (route_fits(&routes[i], q))
			return &routes[i];
	}
	return NULL;
}

static void add_allow(const struct route *route, struct sl_reply *r)
{
	char text[64];
	int len = 0;

	for (unsigned m = 0; m <= SL_METHOD_DELETE; m++) {
		handler_fn fn = route->handler[m == SL_METHOD_HEAD ? SL_METHOD_GET : m];

		if (fn)
			len += snprintf(text + len, sizeof(text) - (size_t)len, "%s, ",
					sl_method_name((enum sl_method)m));
	}
	(void)snprintf(text + len, sizeof(text) - (size_t)len, "OPTIONS");
	sl_reply_header(r, "Allow", "%s", text);
}

/* A body must say that it is JSON; a form of a web page cannot. No body needs no type. */
static bool media_fits(const struct sl_request *q, struct sl_reply *r)
{
	bool patch = q->method == SL_METHOD_PATCH;

	if (q->method == SL_METHOD_DELETE || q->media == SL_MEDIA_JSON ||
	    (patch && q->media == SL_MEDIA_MERGE_PATCH) ||
	    (q->media == SL_MEDIA_NONE && q->body_len == 0))
		return true;
	if (patch)
		sl_reply_header(r, "Accept-Patch",
				"application/merge-patch+json, application/json");
	sl_reply_problem(r, 415, "unsupported-media-type",
			 "send the body as Content-Type: application/json%s",
			 patch ? " or application/merge-patch+json" : "");
	return false;
}

/* "?dry_run=true" or a misspelt "?force" must not be a plain write. */
static bool query_fits(const struct route *route, const struct sl_request *q, struct sl_reply *r)
{
	for (size_t i = 0; i < q->n_queries; i++) {
		if (q->method == SL_METHOD_DELETE && route->write_query &&
		    strcmp(q->query[i].name, route->write_query) == 0)
			continue;
		sl_reply_problem(r, 400, "bad-request",
				 "query parameter \"%s\" does not exist here; nothing was changed",
				 q->query[i].name);
		return false;
	}
	return true;
}

/* The handlers below see only names that could be somebody's. */
static bool names_fit(const struct sl_request *q, struct sl_reply *r)
{
	static const struct {
		size_t segment;
		const char *noun;
	} names[] = { { SL_SEGMENT_SERVICE, "service" }, { SL_SEGMENT_BACKEND, "backend" } };

	if (q->n_segments < SL_SEGMENT_SERVICE ||
	    strcmp(q->segment[SL_SEGMENT_SERVICE - 1], "services") != 0)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t at = names[i].segment;
		struct sl_err err = { 0 };

		if (at >= q->n_segments || sl_name_valid(q->segment[at]))
			continue;
		if (q->method == SL_METHOD_PUT && at + 1 == q->n_segments)
			(void)sl_err_at(&err, -EINVAL, "validation-failed", "/name",
					"%s \"%.80s\": a name is 1 to 63 of a-z 0-9 . _ - and "
					"starts and ends with a letter or digit",
					names[i].noun, q->segment[at]);
		else
			(void)sl_err_set(&err, -ENOENT, "not-found",
					 "there is no %s \"%.80s\"; no name looks like that",
					 names[i].noun, q->segment[at]);
		sl_reply_error(r, &err);
		return false;
	}
	return true;
}

void sl_router_handle(struct sl_api *api, const struct sl_request *q, struct sl_reply *r)
{
	const struct route *route;
	enum sl_method m = q->method == SL_METHOD_HEAD ? SL_METHOD_GET : q->method;
	handler_fn fn;

	if (q->asterisk && q->method == SL_METHOD_OPTIONS) {
		sl_reply_header(r, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
		sl_reply_empty(r, 204);
		return;
	}
	route = find_route(q);
	if (!route) {
		sl_reply_problem(r, 404, "not-found",
				 "nothing is served at this path; see api/openapi.yaml");
		return;
	}
	if (m == SL_METHOD_OPTIONS) {
		add_allow(route, r);
		sl_reply_empty(r, 204);
		return;
	}
	fn = m <= SL_METHOD_DELETE ? route->handler[m] : NULL;
	if (!fn) {
		add_allow(route, r);
		sl_reply_problem(r, 405, "method-not-allowed",
				 "this path does not take the method; the Allow header lists "
				 "what it takes");
		return;
	}
	if (sl_method_writes(m) && (!media_fits(q, r) || !query_fits(route, q, r)))
		return;
	if (names_fit(q, r))
		fn(api, q, r);
}

void sl_router_count(struct sl_api *api, enum sl_method method, unsigned status)
{
	if (method < SL_METHODS && status - SL_API_STATUS_MIN < SL_API_STATUSES)
		api->answered[method][status - SL_API_STATUS_MIN]++;
}
