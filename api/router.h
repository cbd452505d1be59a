/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef API_ROUTER_H
#define API_ROUTER_H

/*
 * router: from method and path to the function that knows the resource, and
 * everything that is the same for all of them: 404, 405 and Allow, HEAD,
 * OPTIONS, media types, unknown query parameters, names that cannot exist.
 */
#include "api/reply.h"
#include "api/request.h"
#include "lb_user/svc/control.h"

#define SL_API_STATUS_MIN 100u
#define SL_API_STATUSES	  500u

struct sl_api {
	struct sl_control *control;
	int64_t started_wall_ms;
	uint64_t answered[SL_METHODS][SL_API_STATUSES]; /* by status, less SL_API_STATUS_MIN */
};

/* @request is not refused yet; @reply is empty. Fills @reply, always. */
void sl_router_handle(struct sl_api *api, const struct sl_request *request, struct sl_reply *reply);

/* Notes an answer for the metrics. */
void sl_router_count(struct sl_api *api, enum sl_method method, unsigned status);

#endif
