/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_CODEC_TRACE_H
#define LB_USER_DOMAIN_CODEC_TRACE_H

/*
 * codec_trace: what somebody who wants to see packets asks for. Reading is as
 * strict as codec.h says, with its errors; an empty body means all defaults.
 */
#include "lb_user/base/err.h"
#include "lb_user/domain/model.h"

#define SL_TRACE_SAMPLE_MAX    1000000u
#define SL_CAPTURE_COUNT_MAX   10000u
#define SL_CAPTURE_COUNT       100u /* unless asked otherwise */
#define SL_CAPTURE_SNAP_MIN    14u
#define SL_CAPTURE_TIMEOUT_S   60u
#define SL_CAPTURE_TIMEOUT_MAX 3600u

struct sl_trace_request {
	uint32_t kinds;		   /* enum sl_event_kind; never 0 */
	uint32_t sample;	   /* one of so many, 1..SL_TRACE_SAMPLE_MAX */
	char service[SL_NAME_LEN]; /* "": any */
};

struct sl_capture_request {
	char service[SL_NAME_LEN]; /* "": any, packets of no service too */
	uint32_t reason;	   /* enum sl_reason, 0: any */
	uint32_t count;		   /* packets, 1..SL_CAPTURE_COUNT_MAX */
	uint32_t snap;		   /* bytes of a frame, SL_CAPTURE_SNAP_MIN..SL_SNAP_MAX */
	uint32_t timeout_s;	   /* 1..SL_CAPTURE_TIMEOUT_MAX */
};

int sl_codec_read_trace(const char *text, size_t len, struct sl_trace_request *ret,
			struct sl_err *err);
int sl_codec_read_capture(const char *text, size_t len, struct sl_capture_request *ret,
			  struct sl_err *err);

/* "sent", "tcp_bad"; "" for a number that is no reason. */
const char *sl_reason_name(uint32_t reason);
/* Of one kind: "new_flow"; "" for anything else. */
const char *sl_event_kind_name(uint32_t kind);

#endif
