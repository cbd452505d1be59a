/* SPDX-License-Identifier: BSD-2-Clause */
/* capture: packets before and after the balancer's work, from the agent into a file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb_user/ctl/commands.h"
#include "lb_user/ctl/stop.h"

#define POLL_MS 200

const struct sl_flag sl_cmd_capture_flags[] = {
	{ "write", 'w', "FILE", "the file, pcapng; - is stdout" },
	{ "service", 0, "NAME", "packets of this service only" },
	{ "reason", 0, "REASON", "that left for this reason only: sent, tcp_bad..." },
	{ "count", 0, "N", "packets (default 100, at most 10000)" },
	{ "snap", 0, "BYTES", "of each frame (default and at most 2048)" },
	{ "timeout", 0, "SPAN", "no longer than this (default 60s); exit code 8" },
	{ NULL, 0, NULL, NULL },
};

struct capture {
	struct sl_ctl *ctl;
	char path[SL_PATH_LEN]; /* "/api/v1/captures/17" */
	const char *name;	/* of the file */
	FILE *to;
	uint64_t done, bytes; /* of the file: written, there so far */
	double packets, count, lost;
	char ended_by[32];
	cJSON *last; /* its last status */
};

static bool add_text(struct sl_ctl *ctl, cJSON *body, const char *flag)
{
	const char *text = sl_args_value(&ctl->args, flag);

	return !text || cJSON_AddStringToObject(body, flag, text);
}

static bool add_number(struct sl_ctl *ctl, cJSON *body, const char *flag, const char *key,
		       uint64_t n)
{
	return !sl_args_value(&ctl->args, flag) || cJSON_AddNumberToObject(body, key, (double)n);
}

/* Returns 0 or an exit code; cJSON_free(*ret). */
static int body_build(struct sl_ctl *ctl, char **ret)
{
	uint64_t count = 0, snap = 0, ms = 0;
	char *text = NULL;
	cJSON *body;

	if (sl_name_number(ctl, "count", UINT32_MAX, &count) ||
	    sl_name_number(ctl, "snap", UINT32_MAX, &snap) || sl_name_span(ctl, "timeout", &ms))
		return SL_EXIT_USAGE;
	if (ms % 1000)
		return sl_fail_usage(ctl, "--timeout: whole seconds");
	body = cJSON_CreateObject();
	if (body && add_text(ctl, body, "service") && add_text(ctl, body, "reason") &&
	    add_number(ctl, body, "count", "count", count) &&
	    add_number(ctl, body, "snap", "snap", snap) &&
	    add_number(ctl, body, "timeout", "timeout_s", ms / 1000))
		text = cJSON_PrintUnformatted(body);
	cJSON_Delete(body);
	if (!text)
		return sl_fail(SL_EXIT_ERROR, "out of memory");
	*ret = text;
	return 0;
}

/* Takes the document over. */
static void note(struct capture *c, struct sl_answer *a)
{
	cJSON_Delete(c->last);
	c->last = a->root;
	a->root = NULL;
	c->bytes = (uint64_t)sl_doc_count(c->last, "bytes");
	c->packets = sl_doc_count(c->last, "packets");
	c->count = sl_doc_count(c->last, "count");
	c->lost = sl_doc_count(c->last, "lost");
	snprintf(c->ended_by, sizeof(c->ended_by), "%s", sl_doc_text(c->last, "ended_by"));
	sl_answer_done(a);
}

static int ask(struct capture *c)
{
	struct sl_answer a = { 0 };
	int r = sl_call(c->ctl, "GET", c->path, NULL, &a);

	if (!r)
		note(c, &a);
	return r;
}

static int write_failed(const struct capture *c)
{
	return sl_fail(SL_EXIT_ERROR, "%s: cannot write: %s", c->name, strerror(errno));
}

/* What the file has by now; its end is between packets, for the status came before. */
static int fetch(struct capture *c)
{
	char path[SL_PATH_LEN + 48];
	struct sl_answer a = { 0 };
	size_t len;
	int r;

	while (c->done < c->bytes) {
		snprintf(path, sizeof(path), "%s/file?offset=%llu", c->path,
			 (unsigned long long)c->done);
		r = sl_call_text(c->ctl, path, &a);
		if (r)
			return r;
		len = a.reply.len;
		if (len > c->bytes - c->done) /* more came meanwhile: the next time */
			len = (size_t)(c->bytes - c->done);
		if (!len) {
			sl_answer_done(&a);
			return sl_fail(SL_EXIT_ERROR,
				       "the agent has less of the file than it said");
		}
		r = fwrite(a.reply.body, 1, len, c->to) == len ? 0 : write_failed(c);
		sl_answer_done(&a);
		if (r)
			return r;
		c->done += len;
	}
	return fflush(c->to) ? write_failed(c) : 0;
}

static void forget(struct capture *c)
{
	struct sl_err err = { 0 };
	struct sl_reply reply = { 0 };

	/* it ends by itself if this does not arrive */
	if (!sl_http_do(c->ctl->http, "DELETE", c->path, NULL, SL_HTTP_CONNECT_MS, &reply, &err))
		sl_reply_done(&reply);
}

/* ^C: what there is by now still belongs into the file. */
static int stop(struct capture *c)
{
	char path[SL_PATH_LEN + 16];
	struct sl_answer a = { 0 };
	int r;

	snprintf(path, sizeof(path), "%s?keep=true", c->path);
	r = sl_call(c->ctl, "DELETE", path, NULL, &a);
	sl_answer_done(&a);
	if (!r)
		r = ask(c);
	return r ? r : fetch(c);
}

static int follow(struct capture *c)
{
	int r;

	for (;;) {
		r = fetch(c);
		if (r || c->ended_by[0])
			return r;
		sl_stop_pause(POLL_MS);
		if (sl_stop_wanted())
			return 0;
		r = ask(c);
		if (r)
			return r;
	}
}

/* In words, and as an exit code. */
static int result(struct capture *c)
{
	sl_say(c->ctl, "%s: %.0f packets%s", c->name, c->packets,
	       c->packets ? ", before and after" : "");
	if (c->lost)
		sl_say(c->ctl, "%.0f others came too fast to be captured", c->lost);
	if (!strcmp(c->ended_by, "count"))
		return SL_EXIT_OK;
	if (!strcmp(c->ended_by, "timeout"))
		return sl_fail(SL_EXIT_TIMED_OUT, "timed out with %.0f of %.0f packets", c->packets,
			       c->count);
	if (!strcmp(c->ended_by, "request"))
		return SL_EXIT_STOPPED;
	return sl_fail(SL_EXIT_ERROR, "the capture ended with %.0f of %.0f packets (%s)",
		       c->packets, c->count, c->ended_by);
}

static int run(struct capture *c)
{
	bool to_stdout = !strcmp(c->name, "-");
	int r;

	c->to = to_stdout ? stdout : fopen(c->name, "wb");
	if (!c->to)
		return sl_fail(SL_EXIT_ERROR, "%s: cannot open: %s", c->name, strerror(errno));
	sl_stop_begin(c->ctl);
	r = follow(c);
	sl_stop_end(c->ctl);
	if (sl_stop_wanted())
		r = stop(c);
	if (!to_stdout && fclose(c->to) && !r)
		r = write_failed(c);
	return r;
}

int sl_cmd_capture(struct sl_ctl *ctl)
{
	struct capture c = { .ctl = ctl, .name = sl_args_value(&ctl->args, "write") };
	struct sl_answer a = { 0 };
	char *body = NULL;
	int r;

	if (!c.name || !c.name[0])
		return sl_fail_usage(ctl, "capture needs -w FILE");
	if (!strcmp(c.name, "-") && isatty(STDOUT_FILENO))
		return sl_fail_usage(ctl, "-w -: stdout is a terminal; write to a file or a pipe");
	r = body_build(ctl, &body);
	if (r)
		return r;
	r = sl_call(ctl, "POST", "/api/v1/captures", body, &a);
	cJSON_free(body);
	if (r)
		return r;
	snprintf(c.path, sizeof(c.path), "/api/v1/captures/%.0f", sl_doc_count(a.root, "id"));
	note(&c, &a);
	r = run(&c);
	forget(&c);
	if (!r)
		r = result(&c);
	if (ctl->output == SL_OUTPUT_JSON && strcmp(c.name, "-") != 0 && c.last) {
		body = cJSON_PrintUnformatted(c.last);
		if (body)
			sl_doc_print(stdout, body, strlen(body));
		cJSON_free(body);
	}
	cJSON_Delete(c.last);
	return r;
}
