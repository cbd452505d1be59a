/* SPDX-License-Identifier: BSD-2-Clause */
/* drain: starts drains, and waits for them if asked to. */
#include <stdlib.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/ctl/commands.h"
#include "lb_user/ctl/rows.h"
#include "lb_user/ctl/wait.h"

#define DEADLINE_MAX_S UINT32_MAX

const struct sl_flag sl_cmd_drain_flags[] = {
	{ "timeout", 0, "SPAN", "deadline (default: the service's; 0: none)" },
	{ "then", 0, "WHAT", "when drained: drain (stay, default), maint or delete" },
	{ "reason", 0, "TEXT", "why, shown to everyone" },
	{ "wait", 0, NULL, "report until it is drained" },
	{ "wait-timeout", 0, "SPAN", "wait no longer; exit code 8, the drain goes on" },
	{ NULL, 0, NULL, NULL },
};

/* Returns 0 or an exit code; cJSON_free(*ret). */
static int body_build(const struct sl_ctl *ctl, char **ret)
{
	const char *then = sl_args_value(&ctl->args, "then");
	const char *reason = sl_args_value(&ctl->args, "reason");
	uint64_t ms = 0;
	cJSON *body;
	char *text = NULL;

	if (sl_name_span(ctl, "timeout", &ms))
		return SL_EXIT_USAGE;
	if (ms % 1000 || ms / 1000 > DEADLINE_MAX_S)
		return sl_fail_usage(ctl, "--timeout: whole seconds, at most %u", DEADLINE_MAX_S);
	if (then && strcmp(then, "drain") && strcmp(then, "maint") && strcmp(then, "delete"))
		return sl_fail_usage(ctl, "--then %s: want drain, maint or delete", then);
	body = cJSON_CreateObject();
	if (body &&
	    (!sl_args_value(&ctl->args, "timeout") ||
	     cJSON_AddNumberToObject(body, "timeout_s", (double)(ms / 1000))) &&
	    (!then || cJSON_AddStringToObject(body, "then", then)) &&
	    (!reason || cJSON_AddStringToObject(body, "reason", reason)))
		text = cJSON_PrintUnformatted(body);
	cJSON_Delete(body);
	if (!text)
		return sl_fail(SL_EXIT_ERROR, "out of memory");
	*ret = text;
	return 0;
}

static void say_started(const struct sl_ctl *ctl, const char *label, const cJSON *b)
{
	const char *then = sl_doc_text(b, "drain.then");
	char left[SL_TEXT_SHORT];

	if (!strcmp(sl_doc_text(b, "status.state"), "drained")) {
		sl_say(ctl, "%s drained", label);
		return;
	}
	sl_say(ctl, "%s draining, %s%s%s; follow: sluicectl wait %s --for drained", label,
	       sl_rows_deadline(b, left), then[0] && strcmp(then, "drain") ? ", then " : "",
	       then[0] && strcmp(then, "drain") ? then : "", label);
}

/* Starts one; with @w, prepares the waiting instead of telling. */
static int start(struct sl_ctl *ctl, const struct sl_target *target, const char *body,
		 struct sl_wait *w)
{
	const char *then = sl_args_value(&ctl->args, "then");
	char path[SL_PATH_LEN + 16];
	struct sl_answer a = { 0 };
	int r;

	snprintf(path, sizeof(path), "%s/drain", target->path);
	r = sl_call(ctl, "POST", path, body, &a);
	if (r)
		return r;
	if (w) {
		sl_wait_init(w, target, SL_GOAL_DRAINED);
		w->goal.began = true;
		snprintf(w->goal.then, sizeof(w->goal.then), "%s", then ? then : "drain");
	} else {
		say_started(ctl, target->label, a.root);
		if (ctl->output == SL_OUTPUT_JSON && a.root)
			sl_doc_print(stdout, a.reply.body, a.reply.len);
		if (ctl->output == SL_OUTPUT_NAME)
			printf("%s\n", target->label);
	}
	sl_answer_done(&a);
	return 0;
}

/* All are started before any is waited for; a refused one does not stop the others. */
static int drain_all(struct sl_ctl *ctl, const struct sl_target *targets, const char *body,
		     struct sl_wait *waits, uint64_t limit_ms)
{
	bool wait = sl_args_value(&ctl->args, "wait") || sl_args_value(&ctl->args, "wait-timeout");
	size_t i, n = 0;
	int one, r = 0;

	for (i = 0; i < ctl->args.n_words; i++) {
		one = start(ctl, &targets[i], body, wait ? &waits[n] : NULL);
		n += wait && !one;
		r = r ? r : one;
		if (one == SL_EXIT_NO_AGENT || one == SL_EXIT_DENIED)
			break;
	}
	if (n) {
		one = sl_wait_all(ctl, waits, n, limit_ms, true);
		r = r && one != SL_EXIT_STOPPED ? r : one;
	}
	return r;
}

int sl_cmd_drain(struct sl_ctl *ctl)
{
	struct sl_target *targets = NULL;
	struct sl_wait *waits = NULL;
	uint64_t limit_ms = 0;
	char *body = NULL;
	int r;

	r = sl_name_span(ctl, "wait-timeout", &limit_ms);
	if (!r)
		r = body_build(ctl, &body);
	if (!r)
		r = sl_name_backends(ctl, &targets);
	if (r)
		goto out;
	waits = calloc(ctl->args.n_words, sizeof(*waits));
	r = waits ? drain_all(ctl, targets, body, waits, limit_ms)
		  : sl_fail(SL_EXIT_ERROR, "out of memory");
out:
	cJSON_free(body);
	free(waits);
	free(targets);
	return r;
}
