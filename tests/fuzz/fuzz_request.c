/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_request: a request as lines, "METHOD target", "Name: value"..., an empty
 * line, the body; fed as the HTTP library feeds it. A first byte of 't': by TCP.
 */
#include <string.h>

#include "api/request.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const struct sl_request *r, const char *s)
{
	FUZZ_MUST(s >= r->text && s < r->text + sizeof(r->text));
	FUZZ_MUST(memchr(s, 0, (size_t)(r->text + sizeof(r->text) - s)));
	for (; *s; s++)
		FUZZ_MUST(*s >= 0x20 && *s < 0x7f);
}

static void check(const struct sl_request *r)
{
	size_t n = r->n_segments < SL_SEGMENTS_MAX ? r->n_segments : SL_SEGMENTS_MAX;

	FUZZ_MUST(r->n_segments <= SL_SEGMENTS_MAX + 1 && r->n_queries <= SL_QUERIES_MAX);
	for (size_t i = 0; i < n; i++)
		check_text(r, r->segment[i]);
	for (size_t i = 0; i < r->n_queries; i++) {
		check_text(r, r->query[i].name);
		if (*r->query[i].value)
			check_text(r, r->query[i].value);
	}
	FUZZ_MUST(r->body_len <= SL_BODY_MAX && r->body_len <= r->body_room);
	FUZZ_MUST(!r->refusal.status ||
		  (r->refusal.status >= 400 && r->refusal.code && r->refusal.detail));
}

/* The line at *@at, ended; *@at goes behind it. NULL: an empty one, or the end. */
static char *line(char **at, char *end)
{
	char *start = *at, *stop = start < end ? memchr(start, '\n', (size_t)(end - start)) : NULL;

	if (!stop)
		return NULL;
	*stop = 0;
	*at = stop + 1;
	return *start ? start : NULL;
}

static void feed(struct sl_request *r, char *at, char *end)
{
	char *l = line(&at, end), *mid;

	mid = l ? strchr(l, ' ') : NULL;
	if (mid)
		*mid++ = 0;
	sl_request_target(r, mid);
	sl_request_method(r, l ? l : "GET");
	while ((l = line(&at, end))) {
		mid = strstr(l, ": ");
		if (mid)
			*mid = 0;
		sl_request_header(r, l, mid ? mid + 2 : NULL);
	}
	check(r);
	FUZZ_MUST(sl_request_admit(r) || r->refusal.status); /* some are answered after the body */
	for (; at < end; at += 7)			     /* in pieces */
		sl_request_body(r, at, (size_t)(end - at < 7 ? end - at : 7));
	check(r);
	(void)sl_request_query(r, "limit");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sl_request r;
	char *text;

	if (len < 1)
		return -1;
	text = malloc(len);
	if (!text)
		return -1;
	memcpy(text, data + 1, len - 1);
	sl_request_init(&r, data[0] == 't');
	feed(&r, text, text + len - 1 + (fuzz_is_control() ? 2 : 0));
	sl_request_done(&r);
	free(text);
	return 0;
}
