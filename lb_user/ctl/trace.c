/* SPDX-License-Identifier: BSD-2-Clause */
/* trace: what happens to single packets, a line each, as it happens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/ctl/commands.h"
#include "lb_user/ctl/stop.h"
#include "lb_user/ctl/text.h"

#define POLL_MS	 200
#define LINE_LEN 512

const struct sl_flag sl_cmd_trace_flags[] = {
	{ "service", 0, "NAME", "of this service only" },
	{ "kind", 0, "LIST", "new_flow,drop,reschedule,eviction (default: all)" },
	{ "sample", 0, "N", "one of N packets with an event, by chance" },
	{ "count", 0, "N", "no more than N events" },
	{ "timeout", 0, "SPAN", "no longer than this" },
	{ NULL, 0, NULL, NULL },
};

struct trace {
	struct sl_ctl *ctl;
	char path[SL_PATH_LEN]; /* "/api/v1/traces/17" */
	double after, lost;
	uint64_t left;	/* events to print; UINT64_MAX: no limit */
	int64_t end_ms; /* 0: none */
};

static bool add_kinds(cJSON *body, const char *list)
{
	cJSON *kinds = list ? cJSON_AddArrayToObject(body, "kinds") : NULL;
	char word[64];
	size_t len;

	if (!list)
		return true;
	for (; kinds && *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		if (!cJSON_AddItemToArray(kinds, cJSON_CreateString(word)))
			return false;
	}
	return kinds;
}

/* Returns 0 or an exit code; cJSON_free(*ret). */
static int body_build(struct trace *t, char **ret)
{
	struct sl_ctl *ctl = t->ctl;
	const char *service = sl_args_value(&ctl->args, "service");
	uint64_t sample = 1, ms = 0;
	char *text = NULL;
	cJSON *body;

	if (sl_name_number(ctl, "sample", UINT32_MAX, &sample) ||
	    sl_name_number(ctl, "count", UINT32_MAX, &t->left) || sl_name_span(ctl, "timeout", &ms))
		return SL_EXIT_USAGE;
	t->end_ms = ms ? sl_clock_ms() + (int64_t)ms : 0;
	body = cJSON_CreateObject();
	if (body && add_kinds(body, sl_args_value(&ctl->args, "kind")) &&
	    cJSON_AddNumberToObject(body, "sample", (double)sample) &&
	    (!service || cJSON_AddStringToObject(body, "service", service)))
		text = cJSON_PrintUnformatted(body);
	cJSON_Delete(body);
	if (!text)
		return sl_fail(SL_EXIT_ERROR, "out of memory");
	*ret = text;
	return 0;
}

static const char *protocol_of(const cJSON *e, char buf[SL_TEXT_SHORT])
{
	double n = sl_doc_count(e, "protocol");

	if (n == 6)
		return "tcp";
	if (n == 17)
		return "udp";
	snprintf(buf, SL_TEXT_SHORT, "protocol %.0f", n);
	return buf;
}

/* "web/b1", "web", "-" */
static void print_place(FILE *to, const cJSON *e)
{
	const char *service = sl_doc_text(e, "service"), *backend = sl_doc_text(e, "backend");

	fprintf(to, " %s%s%s", service[0] ? service : "-", backend[0] ? "/" : "", backend);
}

static void print_flow(FILE *to, const cJSON *e)
{
	const char *source = sl_doc_text(e, "source"), *flags = sl_doc_text(e, "tcp_flags");
	bool v6 = strchr(source, ':') != NULL;
	char buf[SL_TEXT_SHORT];

	if (!source[0])
		return;
	fprintf(to, v6 ? " %s [%s]:%.0f > [%s]:%.0f" : " %s %s:%.0f > %s:%.0f", protocol_of(e, buf),
		source, sl_doc_count(e, "source_port"), sl_doc_text(e, "destination"),
		sl_doc_count(e, "destination_port"));
	if (flags[0])
		fprintf(to, " %s", flags);
	if (sl_doc_is(e, "quoted"))
		fprintf(to, " (quoted by an ICMP error)");
}

static void print_kind(const cJSON *e, const char *kind)
{
	char line[LINE_LEN] = "", clean[LINE_LEN];
	FILE *to = fmemopen(line, sizeof(line) - 1, "w");

	if (!to)
		return;
	fprintf(to, "%s %s", sl_doc_text(e, "time"), kind);
	if (!strcmp(kind, "drop"))
		fprintf(to, " %s", sl_doc_text(e, "reason"));
	print_place(to, e);
	if (!strcmp(kind, "reschedule"))
		fprintf(to, " (was %s)", sl_doc_text(e, "rescheduled_from"));
	if (!strcmp(kind, "eviction"))
		fprintf(to, " (forgot a flow of %s)", sl_doc_text(e, "evicted"));
	print_flow(to, e);
	fprintf(to, " %.0f bytes", sl_doc_count(e, "frame_bytes"));
	fclose(to);
	(void)sl_text_clean(line, false, clean, sizeof(clean));
	puts(clean);
}

static void print_event(struct trace *t, const cJSON *e)
{
	const cJSON *kind;
	char *text;

	if (t->ctl->output == SL_OUTPUT_JSON) {
		text = cJSON_PrintUnformatted(e);
		if (text) {
			char *clean = malloc(strlen(text) + 1);

			if (clean && sl_text_clean(text, false, clean, strlen(text) + 1))
				puts(clean);
			free(clean);
		}
		cJSON_free(text);
		return;
	}
	cJSON_ArrayForEach(kind, sl_doc_list(e, "kinds"))
		print_kind(e, cJSON_IsString(kind) ? kind->valuestring : "");
}

/* Prints what there is; *ret_more: there was, so ask again at once. */
static int poll_once(struct trace *t, bool *ret_more)
{
	char path[SL_PATH_LEN + 48];
	struct sl_answer a = { 0 };
	const cJSON *e;
	int r;

	snprintf(path, sizeof(path), "%s/events?after=%.0f", t->path, t->after);
	r = sl_call(t->ctl, "GET", path, NULL, &a);
	if (r)
		return r;
	*ret_more = false;
	cJSON_ArrayForEach(e, sl_doc_list(a.root, "events"))
	{
		*ret_more = true;
		t->after = sl_doc_count(e, "number");
		if (!t->left)
			break;
		print_event(t, e);
		t->left -= t->left != UINT64_MAX;
	}
	sl_call_flush();
	if (sl_doc_count(a.root, "lost") > t->lost) {
		sl_say(t->ctl, "%.0f events came too fast and are not shown",
		       sl_doc_count(a.root, "lost") - t->lost);
		t->lost = sl_doc_count(a.root, "lost");
	}
	sl_answer_done(&a);
	return 0;
}

static int follow(struct trace *t)
{
	bool more = false;
	int r;

	for (;;) {
		r = poll_once(t, &more);
		if (sl_stop_wanted() || !t->left || ferror(stdout))
			return 0;
		if (r || (t->end_ms && sl_clock_ms() >= t->end_ms))
			return r;
		if (!more)
			sl_stop_pause(POLL_MS);
		if (sl_stop_wanted())
			return 0;
	}
}

int sl_cmd_trace(struct sl_ctl *ctl)
{
	struct trace t = { .ctl = ctl, .left = UINT64_MAX };
	struct sl_reply reply = { 0 };
	struct sl_answer a = { 0 };
	struct sl_err err = { 0 };
	char *body = NULL;
	int r;

	r = body_build(&t, &body);
	if (r)
		return r;
	r = sl_call(ctl, "POST", "/api/v1/traces", body, &a);
	cJSON_free(body);
	if (r)
		return r;
	snprintf(t.path, sizeof(t.path), "/api/v1/traces/%.0f", sl_doc_count(a.root, "id"));
	sl_answer_done(&a);
	sl_stop_begin(ctl);
	r = follow(&t);
	sl_stop_end(ctl);
	/* it ends by itself if this does not arrive */
	if (!sl_http_do(ctl->http, "DELETE", t.path, NULL, SL_HTTP_CONNECT_MS, &reply, &err))
		sl_reply_done(&reply);
	return r;
}
