/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_TRACE_H
#define LB_USER_SVC_TRACE_H

/*
 * trace: single packets, for who wants to see them: traces (events, up to
 * SL_TRACES_MAX at a time) and captures (frames before and after, one at a
 * time). Whoever started one asks for what there is; one that nobody asks
 * about for SL_TRACE_LEASE_MS is over. While there is none, nothing is traced,
 * and when the agent is gone the packet path ends it by itself.
 *
 * Errors: -ENOENT "not-found" (no such service, trace or capture), -EBUSY
 * "trace-busy" (all places are taken), -ENOMEM, and those of specialise().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/events.h>

#include "lb_user/base/err.h"
#include "lb_user/domain/codec_trace.h"
#include "lb_user/svc/control.h"

#define SL_TRACES_MAX	  8u
#define SL_TRACE_EVENTS	  4096u /* kept of a trace until they are asked for; older ones are lost */
#define SL_TRACE_LEASE_MS 30000
#define SL_CAPTURE_BYTES  (32u << 20) /* of a file; a capture that gets there is over */

/* ---- traces ---------------------------------------------------------------- */

int sl_trace_start(struct sl_control *c, const struct sl_trace_request *q, uint32_t *ret_id,
		   struct sl_err *err);

/* One event, with the names of what its ids stand for now; "" for none. */
struct sl_trace_event {
	uint64_t number; /* 1, 2...; a gap: lost, for they were not asked for in time */
	uint64_t wall_ns;
	const struct sl_event *event;
	const char *service, *backend, *rescheduled_from, *evicted;
};

/*
 * Forgets the events up to number @after, then tells @each of those that are
 * left, at most @max. *ret_lost: those that never came, since the start.
 */
int sl_trace_read(struct sl_control *c, uint32_t id, uint64_t after, unsigned max,
		  void (*each)(void *user, const struct sl_trace_event *e), void *user,
		  uint64_t *ret_lost, struct sl_err *err);

int sl_trace_stop(struct sl_control *c, uint32_t id, struct sl_err *err);

/* ---- captures -------------------------------------------------------------- */

int sl_capture_start(struct sl_control *c, const struct sl_capture_request *q, uint32_t *ret_id,
		     struct sl_err *err);

struct sl_capture_status {
	uint32_t id;
	struct sl_capture_request request;
	const char *ended_by; /* NULL: it runs; "count", "timeout", "size", "abandoned", "service",
				 "request" */
	uint32_t packets;
	uint64_t lost;	/* of packets that were to be captured: others were, instead */
	uint64_t bytes; /* of the file */
};
int sl_capture_status(struct sl_control *c, uint32_t id, struct sl_capture_status *ret,
		      struct sl_err *err);

/* The file from byte @offset on, valid until the loop turns. -EINVAL: it is not that long. */
int sl_capture_file(struct sl_control *c, uint32_t id, uint64_t offset, const uint8_t **ret_data,
		    size_t *ret_len, struct sl_err *err);

/* Ends it; with @forget the file goes too. */
int sl_capture_stop(struct sl_control *c, uint32_t id, bool forget, struct sl_err *err);

#endif
