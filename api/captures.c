/* SPDX-License-Identifier: BSD-2-Clause */
/* captures: frames before and after, as a file that grows until the capture is over. */
#include <stdlib.h>
#include <string.h>

#include "api/resources.h"
#include "lb_user/svc/trace.h"

#define PIECE_MAX (1u << 20) /* of the file in one answer */

static void answer(struct sl_api *a, struct sl_reply *r, uint32_t id, unsigned status)
{
	struct sl_capture_status st;
	struct sl_err err = { 0 };
	struct cJSON *root;

	if (sl_capture_status(a->control, id, &st, &err) < 0) {
		sl_reply_error(r, &err);
		return;
	}
	root = sl_reply_new_object(r);
	sl_reply_uint(r, root, "id", st.id);
	sl_reply_str(r, root, "state", st.ended_by ? "complete" : "running");
	if (st.ended_by)
		sl_reply_str(r, root, "ended_by", st.ended_by);
	else
		sl_reply_null(r, root, "ended_by");
	if (st.request.service[0])
		sl_reply_str(r, root, "service", st.request.service);
	else
		sl_reply_null(r, root, "service");
	if (st.request.reason)
		sl_reply_str(r, root, "reason", sl_reason_name(st.request.reason));
	else
		sl_reply_null(r, root, "reason");
	sl_reply_uint(r, root, "count", st.request.count);
	sl_reply_uint(r, root, "snap", st.request.snap);
	sl_reply_uint(r, root, "timeout_s", st.request.timeout_s);
	sl_reply_uint(r, root, "packets", st.packets);
	sl_reply_uint(r, root, "lost", st.lost);
	sl_reply_uint(r, root, "bytes", st.bytes);
	sl_reply_json(r, status, root);
}

void sl_captures_create(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	struct sl_capture_request want;
	struct sl_err err = { 0 };
	uint32_t id;

	if (sl_codec_read_capture(q->body ? q->body : "", q->body_len, &want, &err) < 0 ||
	    sl_capture_start(a->control, &want, &id, &err) < 0) {
		sl_reply_error(r, &err);
		return;
	}
	sl_reply_header(r, "Location", "/api/v1/captures/%u", id);
	answer(a, r, id, 201);
}

void sl_captures_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	uint32_t id;

	if (sl_traces_id(q, r, "capture", &id))
		answer(a, r, id, 200);
}

void sl_captures_file(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	struct sl_err err = { 0 };
	const uint8_t *data;
	uint64_t offset;
	uint32_t id;
	size_t len;
	char *copy;

	if (!sl_traces_id(q, r, "capture", &id) || !sl_traces_query(q, r, "offset", &offset))
		return;
	if (sl_capture_file(a->control, id, offset, &data, &len, &err) < 0) {
		sl_reply_error(r, &err);
		return;
	}
	if (len > PIECE_MAX)
		len = PIECE_MAX;
	copy = malloc(len + 1);
	if (copy)
		memcpy(copy, data, len);
	sl_reply_text(r, 200, SL_CONTENT_PCAPNG, copy, len);
}

/* ?keep=true: ended now, the file stays to be fetched. */
void sl_captures_delete(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	const char *keep = sl_request_query(q, "keep");
	bool kept = keep && strcmp(keep, "true") == 0;
	struct sl_err err = { 0 };
	uint32_t id;

	if (!sl_traces_id(q, r, "capture", &id))
		return;
	if (keep && !kept && strcmp(keep, "false") != 0) {
		sl_reply_problem(r, 400, "bad-request",
				 "query parameter \"keep\" is true or false; nothing was ended");
		return;
	}
	if (sl_capture_stop(a->control, id, !kept, &err) < 0)
		sl_reply_error(r, &err);
	else
		sl_reply_empty(r, 204);
}
