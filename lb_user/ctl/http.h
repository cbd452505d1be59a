/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_CTL_HTTP_H
#define LB_USER_CTL_HTTP_H

/*
 * http: one request, one answer, over the agent's Unix socket or loopback TCP.
 * No proxy, no redirect, no other protocol; a body is at most 16 MiB.
 */
#include <signal.h>
#include <stddef.h>

#include "lb_user/base/err.h"

#define SL_HTTP_DEFAULT	   "unix:/run/sluice/api.sock"
#define SL_HTTP_BODY_MAX   (16u << 20)
#define SL_HTTP_CONNECT_MS 10000u
#define SL_HTTP_TOTAL_MS   30000u

struct sl_http;

struct sl_reply {
	unsigned status; /* 100..599 */
	char *body;	 /* heap, a 0 after it; never NULL after success */
	size_t len;
};

/*
 * @where: "unix:/path" or "http://HOST:PORT" with a loopback HOST. Returns 0,
 * -EINVAL (not such an address; @err says why) or -ENOMEM. Connects later.
 */
int sl_http_new(const char *where, struct sl_http **ret, struct sl_err *err);
void sl_http_free(struct sl_http *h);

/* A request in flight ends with -EINTR soon after *@stop is set. NULL: none. */
void sl_http_stop_on(struct sl_http *h, volatile sig_atomic_t *stop);

/*
 * @path starts with '/', @body is JSON or NULL. Returns 0 for any HTTP status, or
 *   -ECONNREFUSED	nobody listens there		-EACCES	not allowed to connect
 *   -ETIMEDOUT		no (whole) answer in @limit_ms	-EFBIG	more than the limit
 *   -EINTR		stopped				-EPROTO	not HTTP, cut off, else
 *   -ENOMEM
 */
int sl_http_do(struct sl_http *h, const char *method, const char *path, const char *body,
	       unsigned limit_ms, struct sl_reply *ret, struct sl_err *err);
void sl_reply_done(struct sl_reply *r);

#endif
