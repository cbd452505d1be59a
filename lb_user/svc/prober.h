/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_PROBER_H
#define LB_USER_SVC_PROBER_H

/*
 * prober: asks backends whether they answer, one probe at a time per backend,
 * on the loop, and reports each result. Keeps no opinion: domain/health.h has
 * that. The first probe starts at once, each later one an interval, less up to
 * 10 % jitter, after the start of the one before, so that a pool is not probed
 * in step and detection takes at most interval x fall + timeout.
 */
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lb_user/domain/model.h"

struct sl_prober; /* one per agent: loop, libcurl multi handle */
struct sl_probe;  /* one per backend */

struct sl_probe_result {
	bool success;
	uint32_t duration_ms;
	uint16_t code;		   /* HTTP status, 0: none */
	char status[16];	   /* HAProxy's codes, see svc/control.h */
	const char *reason;	   /* static slug: "target.connect_refused", "target.timeout",
				    * "target.bad_status",        "target.bad_response", "target.no_route",
				    * "lb.internal"; "" on success */
	char message[SL_TEXT_LEN]; /* for a person: "connect to 10.0.0.11:80: connection refused" */
};

typedef void (*sl_probe_fn)(void *user, const struct sl_probe_result *result);

/* Return 0 or a negative errno. */
int sl_prober_new(uv_loop_t *loop, struct sl_prober **ret);
/* All probes must have been stopped. Handles close on the next turns of the loop. */
void sl_prober_free(struct sl_prober *p);

/*
 * @check is copied; its type is not SL_CHECK_NONE. @port: where to ask
 * (check->port or the backend's, never 0). @fn is called from the loop, never
 * from within this call.
 */
int sl_probe_start(struct sl_prober *p, const struct sl_check *check, const struct sl_addr *addr,
		   uint16_t port, sl_probe_fn fn, void *user, struct sl_probe **ret);

/* Cancels what runs; @fn is not called again. NULL is fine. */
void sl_probe_stop(struct sl_probe *probe);

#endif
