/* SPDX-License-Identifier: BSD-2-Clause */
/* call: asks the agent, and turns what went wrong into words and an exit code. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lb_user/ctl/ctl.h"

#define PROBLEMS_SHOWN 10

void sl_answer_done(struct sl_answer *a)
{
	sl_reply_done(&a->reply);
	cJSON_Delete(a->root);
	a->root = NULL;
}

int sl_call_unanswered(int code, const struct sl_err *err)
{
	(void)sl_fail(0, "%s", err->detail);
	switch (code) {
	case -EACCES:
		sl_hint("run it with sudo, or join the group that owns the socket (sluice), "
			"then log in again");
		return SL_EXIT_DENIED;
	case -ECONNREFUSED:
		sl_hint("is sluiced running? systemctl status sluiced");
		sl_hint("another address: --server unix:/path or http://127.0.0.1:PORT, "
			"or SLUICE_SERVER");
		return SL_EXIT_NO_AGENT;
	case -ETIMEDOUT:
		sl_hint("it accepts connections but does not answer: journalctl -u sluiced");
		return SL_EXIT_NO_AGENT;
	default:
		return SL_EXIT_ERROR;
	}
}

static int exit_of_status(unsigned status)
{
	switch (status) {
	case 404:
		return SL_EXIT_NOT_FOUND;
	case 409:
	case 412:
		return SL_EXIT_CONFLICT;
	case 400:
	case 413:
	case 415:
	case 422:
		return SL_EXIT_INVALID;
	case 401:
	case 403:
		return SL_EXIT_DENIED;
	default:
		return SL_EXIT_ERROR;
	}
}

int sl_call_refused(const char *method, const char *path, const struct sl_reply *reply)
{
	const cJSON *errors, *item;
	const char *text, *pointer;
	cJSON *root = NULL;
	int shown = 0;

	if (sl_doc_parse(reply->body, reply->len, &root))
		root = NULL;
	text = sl_doc_text(root, "detail");
	if (!text[0])
		text = sl_doc_text(root, "title");
	if (text[0])
		(void)sl_fail(0, "%s", text);
	else
		(void)sl_fail(0, "the agent answered %s %s with HTTP %u and no explanation", method,
			      path, reply->status);
	errors = sl_doc_list(root, "errors");
	cJSON_ArrayForEach(item, errors)
	{
		pointer = sl_doc_text(item, "pointer");
		if (!pointer[0] || shown++ == PROBLEMS_SHOWN)
			continue;
		if (sl_doc_text(item, "detail")[0] && strcmp(sl_doc_text(item, "detail"), text))
			sl_hint("at %s: %s", pointer, sl_doc_text(item, "detail"));
		else
			sl_hint("at %s", pointer);
	}
	cJSON_Delete(root);
	return exit_of_status(reply->status);
}

static int call(struct sl_ctl *ctl, const char *method, const char *path, const char *body,
		struct sl_answer *ret)
{
	struct sl_err err = { 0 };
	int r;

	r = sl_http_do(ctl->http, method, path, body, SL_HTTP_TOTAL_MS, &ret->reply, &err);
	if (r)
		return sl_call_unanswered(r, &err);
	if (ret->reply.status / 100 != 2) {
		r = sl_call_refused(method, path, &ret->reply);
		sl_reply_done(&ret->reply);
		return r;
	}
	return 0;
}

int sl_call(struct sl_ctl *ctl, const char *method, const char *path, const char *body,
	    struct sl_answer *ret)
{
	struct sl_answer a = { 0 };
	int r = call(ctl, method, path, body, &a);

	if (r)
		return r;
	if (a.reply.status != 204 &&
	    (sl_doc_parse(a.reply.body, a.reply.len, &a.root) || !cJSON_IsObject(a.root))) {
		sl_answer_done(&a);
		(void)sl_fail(0, "the answer to %s %s is not what an agent of this version says",
			      method, path);
		sl_hint("does %s belong to sluiced, and do the versions agree? (this is %s)",
			ctl->where, SL_VERSION);
		return SL_EXIT_ERROR;
	}
	*ret = a;
	return 0;
}

int sl_call_text(struct sl_ctl *ctl, const char *path, struct sl_answer *ret)
{
	struct sl_answer a = { 0 };
	int r = call(ctl, "GET", path, NULL, &a);

	if (!r)
		*ret = a;
	return r;
}

static int flush_errno; /* of the first loss; stdio forgets it */

void sl_call_flush(void)
{
	if (fflush(stdout) && !flush_errno)
		flush_errno = errno;
}

int sl_call_finish(int exit_code)
{
	sl_call_flush();
	if (!flush_errno && !ferror(stdout))
		return exit_code;
	(void)sl_fail(0, "cannot write the output%s%s", flush_errno ? ": " : "",
		      flush_errno ? strerror(flush_errno) : "");
	return exit_code ? exit_code : SL_EXIT_ERROR;
}
