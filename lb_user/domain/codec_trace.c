/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/domain/codec_trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sluice/events.h>
#include <sluice/reasons.h>

#include "lb_user/domain/codec_internal.h"

static const struct sl_word words_kind[] = {
#define KIND_ROW(sym, bit, label) { label, SL_EV_##sym },
	SL_EVENT_KINDS(KIND_ROW)
#undef KIND_ROW
		{ NULL, 0 },
};

static const struct sl_word words_reason[] = {
#define REASON_ROW(sym, num, act, label) { label, num },
	SL_REASONS(REASON_ROW)
#undef REASON_ROW
		{ NULL, 0 },
};

static const char *word_of(const struct sl_word *words, uint32_t value)
{
	for (; words->word; words++)
		if (words->value == (int)value)
			return words->word;
	return "";
}

const char *sl_reason_name(uint32_t reason)
{
	return word_of(words_reason, reason);
}

const char *sl_event_kind_name(uint32_t kind)
{
	return word_of(words_kind, kind);
}

/* A list of words; absent: *ret stays. An empty one would never tell anything. */
static int field_kinds(const struct sl_at *root, uint32_t *ret, struct sl_err *err)
{
	struct sl_at list;
	uint32_t kinds = 0;
	const cJSON *item;
	int r = sl_field_inner(root, "kinds", true, &list, err);

	if (r < 0 || !list.node)
		return r;
	cJSON_ArrayForEach(item, list.node)
	{
		const struct sl_word *w = words_kind;

		if (!cJSON_IsString(item))
			return sl_at_fail(root, "kinds", -EPROTO, err, "kinds is a list of words");
		while (w->word && strcmp(w->word, item->valuestring))
			w++;
		if (!w->word)
			return sl_at_fail(root, "kinds", -EINVAL, err,
					  "there is no kind \"%.*s\"; use new_flow, drop, "
					  "reschedule, eviction",
					  sl_text_clip(item->valuestring, 40), item->valuestring);
		kinds |= (uint32_t)w->value;
	}
	if (!kinds)
		return sl_at_fail(root, "kinds", -EINVAL, err,
				  "kinds is empty; leave it out for all");
	*ret = kinds;
	return 0;
}

static int field_reason(const struct sl_at *root, uint32_t *ret, struct sl_err *err)
{
	char word[64] = "";
	int r = sl_field_text(root, "reason", word, sizeof(word), err);

	if (r <= 0)
		return r;
	for (const struct sl_word *w = words_reason; w->word; w++)
		if (w->value && !strcmp(w->word, word)) {
			*ret = (uint32_t)w->value;
			return 0;
		}
	return sl_at_fail(
		root, "reason", -EINVAL, err,
		"there is no reason \"%.*s\"; GET /api/v1/status lists them under reasons",
		sl_text_clip(word, 40), word);
}

static int field_range(const struct sl_at *root, const char *key, uint64_t min, uint64_t max,
		       uint32_t *ret, struct sl_err *err)
{
	uint64_t n;
	int r = sl_field_number(root, key, min, max, &n, err);

	if (r > 0)
		*ret = (uint32_t)n;
	return r;
}

static int read_trace(const struct sl_at *root, struct sl_trace_request *q, struct sl_err *err)
{
	static const char *const known[] = { "kinds", "sample", "service", NULL };
	int r;

	if ((r = sl_field_object(root, err)) < 0 ||
	    (r = sl_field_known(root, known, NULL, err)) < 0 ||
	    (r = field_kinds(root, &q->kinds, err)) < 0 ||
	    (r = field_range(root, "sample", 1, SL_TRACE_SAMPLE_MAX, &q->sample, err)) < 0)
		return r;
	return sl_field_text(root, "service", q->service, sizeof(q->service), err);
}

static int read_capture(const struct sl_at *root, struct sl_capture_request *q, struct sl_err *err)
{
	static const char *const known[] = {
		"service", "reason", "count", "snap", "timeout_s", NULL
	};
	int r;

	if ((r = sl_field_object(root, err)) < 0 ||
	    (r = sl_field_known(root, known, NULL, err)) < 0 ||
	    (r = sl_field_text(root, "service", q->service, sizeof(q->service), err)) < 0 ||
	    (r = field_reason(root, &q->reason, err)) < 0 ||
	    (r = field_range(root, "count", 1, SL_CAPTURE_COUNT_MAX, &q->count, err)) < 0 ||
	    (r = field_range(root, "snap", SL_CAPTURE_SNAP_MIN, SL_SNAP_MAX, &q->snap, err)) < 0)
		return r;
	return field_range(root, "timeout_s", 1, SL_CAPTURE_TIMEOUT_MAX, &q->timeout_s, err);
}

int sl_codec_read_trace(const char *text, size_t len, struct sl_trace_request *ret,
			struct sl_err *err)
{
	struct sl_trace_request q = { .kinds = SL_EV_ALL, .sample = 1 };
	struct sl_at root = { .subject = "trace" };
	cJSON *tree = NULL;
	int r = len ? sl_json_parse(text, len, &tree, err) : 0;

	root.node = tree;
	if (!r && tree)
		r = read_trace(&root, &q, err);
	cJSON_Delete(tree);
	if (r < 0)
		return r;
	*ret = q;
	return 0;
}

int sl_codec_read_capture(const char *text, size_t len, struct sl_capture_request *ret,
			  struct sl_err *err)
{
	struct sl_capture_request q = { .count = SL_CAPTURE_COUNT,
					.snap = SL_SNAP_MAX,
					.timeout_s = SL_CAPTURE_TIMEOUT_S };
	struct sl_at root = { .subject = "capture" };
	cJSON *tree = NULL;
	int r = len ? sl_json_parse(text, len, &tree, err) : 0;

	root.node = tree;
	if (!r && tree)
		r = read_capture(&root, &q, err);
	cJSON_Delete(tree);
	if (r < 0)
		return r;
	*ret = q;
	return 0;
}
