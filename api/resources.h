/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef API_RESOURCES_H
#define API_RESOURCES_H

/*
 * resources: the handlers, one file per resource, and the documents that more
 * than one of them shows. A path's names are checked by the router, the objects
 * they name may still be missing.
 */
#include <stdio.h>

#include "api/reply.h"
#include "api/request.h"
#include "api/router.h"

/* services.c */
void sl_services_list(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_services_create(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_services_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_services_put(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_services_delete(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);

/* backends.c */
void sl_backends_list(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_backends_create(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_backends_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_backends_put(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_backends_patch(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_backends_delete(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_backends_drain(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_backends_ready(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_backends_maint(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);

/* guard.c */
void sl_guard_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_guard_put(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_guard_service_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_guard_service_put(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
/* Member @name of @to: what the guard has counted. */
void sl_guard_add_status(struct sl_api *a, struct sl_reply *r, struct cJSON *to, const char *name);

/* status.c */
void sl_status_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_dataplane_delete(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);

/* traces.c */
void sl_traces_create(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_traces_events(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_traces_delete(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
/* A decimal number of at most 18 digits. */
bool sl_traces_number(const char *text, uint64_t *ret);
/* The id in the path, and a query parameter (absent: 0). False, and @r says why. */
bool sl_traces_id(const struct sl_request *q, struct sl_reply *r, const char *noun, uint32_t *ret);
bool sl_traces_query(const struct sl_request *q, struct sl_reply *r, const char *name,
		     uint64_t *ret);

/* captures.c */
void sl_captures_create(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_captures_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_captures_file(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_captures_delete(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);

/* health.c */
void sl_livez_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);
void sl_readyz_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);

/* metrics.c */
void sl_metrics_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r);

/* metrics_pool.c: the families per service and per backend. Returns 0 or -ENOMEM. */
int sl_metrics_pool(FILE *out, struct sl_api *a);

/* ---- documents: declared members and "status" --------------------------------- */

/* With its backends. NULL when memory is short (@r knows). */
struct cJSON *sl_services_document(struct sl_api *a, struct sl_reply *r,
				   const struct sl_service *s);
struct cJSON *sl_backends_document(struct sl_api *a, struct sl_reply *r, const struct sl_service *s,
				   const struct sl_backend *b);

/* NULL, and @r says 404. */
const struct sl_service *sl_services_find(struct sl_api *a, struct sl_reply *r, const char *name);

/* Fixed segments of /api/v1/services/{s}/backends/{b}. */
#define SL_SEGMENT_SERVICE 3
#define SL_SEGMENT_BACKEND 5
/* Of /api/v1/traces/{id} and /api/v1/captures/{id}. */
#define SL_SEGMENT_ID 3

#endif
