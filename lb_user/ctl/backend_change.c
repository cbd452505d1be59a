/* SPDX-License-Identifier: BSD-2-Clause */
/* backend_change: add, set, ready, maint, delete. */
#include <stdlib.h>
#include <string.h>

#include "lb_user/ctl/commands.h"

const struct sl_flag sl_cmd_backend_add_flags[] = {
	{ "address", 0, "A", "its address; with l2dsr of the service's family" },
	{ "port", 0, "P", "must be the service's port; may be left out" },
	{ "weight", 0, "N", "0 to 256, share of new flows (default 100)" },
	{ "forwarding", 0, "MODE", "l2dsr, ipip or gue (default: the service's)" },
	{ "gue-port", 0, "N", "UDP port of a gue tunnel (default: the service's)" },
	{ "vlan", 0, "N", "tag to leave with; 0: none (default: as it came)" },
	{ NULL, 0, NULL, NULL },
};
const struct sl_flag sl_cmd_backend_set_flags[] = {
	{ "weight", 0, "N", "0 to 256, share of new flows; 0: none" },
	{ "reason", 0, "TEXT", "shown to everyone; \"\" clears it" },
	{ NULL, 0, NULL, NULL },
};
const struct sl_flag sl_cmd_backend_maint_flags[] = {
	{ "reason", 0, "TEXT", "why, shown to everyone" },
	{ NULL, 0, NULL, NULL },
};
const struct sl_flag sl_cmd_backend_delete_flags[] = {
	{ "force", 0, NULL, "even with flows left: they move or break" },
	{ NULL, 0, NULL, NULL },
};

/* Adds number and text members for the flags that were given. Returns 0 or an exit code. */
static int body_add(const struct sl_ctl *ctl, cJSON *body, const char *const *numbers,
		    const char *const *texts)
{
	const char *text;
	uint64_t n = 0;

	for (; *numbers; numbers++) {
		if (!sl_args_value(&ctl->args, *numbers))
			continue;
		if (sl_name_number(ctl, *numbers, UINT32_MAX, &n))
			return SL_EXIT_USAGE;
		if (!cJSON_AddNumberToObject(body, *numbers, (double)n))
			return sl_fail(SL_EXIT_ERROR, "out of memory");
	}
	for (; *texts; texts++) {
		text = sl_args_value(&ctl->args, *texts);
		if (text && !cJSON_AddStringToObject(body, *texts, text))
			return sl_fail(SL_EXIT_ERROR, "out of memory");
	}
	return 0;
}

/* The member "forwarding", if one of its flags was given. Returns 0 or an exit code. */
static int forwarding_add(const struct sl_ctl *ctl, cJSON *body)
{
	const char *mode = sl_args_value(&ctl->args, "forwarding");
	const char *port = sl_args_value(&ctl->args, "gue-port");
	uint64_t n = 0;
	cJSON *inner;

	if (!mode && !port)
		return 0;
	if (sl_name_number(ctl, "gue-port", UINT32_MAX, &n))
		return SL_EXIT_USAGE;
	inner = cJSON_AddObjectToObject(body, "forwarding");
	if ((mode && !cJSON_AddStringToObject(inner, "mode", mode)) ||
	    (port && !cJSON_AddNumberToObject(inner, "gue_port", (double)n)))
		return sl_fail(SL_EXIT_ERROR, "out of memory");
	return 0;
}

/* Sends @body and prints what stdout is due. */
static int send(struct sl_ctl *ctl, const char *method, const char *path, const cJSON *body,
		const char *label)
{
	char *text = cJSON_PrintUnformatted(body);
	struct sl_answer a = { 0 };
	int r;

	if (!text)
		return sl_fail(SL_EXIT_ERROR, "out of memory");
	r = sl_call(ctl, method, path, text, &a);
	if (!r && ctl->output == SL_OUTPUT_JSON && a.root)
		sl_doc_print(stdout, a.reply.body, a.reply.len);
	if (!r && ctl->output == SL_OUTPUT_NAME)
		printf("%s\n", label);
	cJSON_free(text);
	sl_answer_done(&a);
	return r;
}

int sl_cmd_backend_add(struct sl_ctl *ctl)
{
	static const char *const numbers[] = { "port", "vlan", "weight", NULL };
	static const char *const texts[] = { "address", NULL };
	char path[SL_PATH_LEN];
	struct sl_target t;
	cJSON *body;
	int r = sl_name_backend(ctl, ctl->args.words[0], &t);

	if (r)
		return r;
	if (!sl_args_value(&ctl->args, "address"))
		return sl_fail_usage(ctl, "backend add needs --address");
	body = cJSON_CreateObject();
	if (!body || !cJSON_AddStringToObject(body, "name", t.backend))
		r = sl_fail(SL_EXIT_ERROR, "out of memory");
	if (!r)
		r = body_add(ctl, body, numbers, texts);
	if (!r)
		r = forwarding_add(ctl, body);
	snprintf(path, sizeof(path), "/api/v1/services/%s/backends", t.service);
	if (!r)
		r = send(ctl, "POST", path, body, t.label);
	if (!r)
		sl_say(ctl, "backend %s added; it takes new flows once its check says up", t.label);
	cJSON_Delete(body);
	return r;
}

int sl_cmd_backend_set(struct sl_ctl *ctl)
{
	static const char *const numbers[] = { "weight", NULL };
	static const char *const texts[] = { "reason", NULL };
	const char *weight = sl_args_value(&ctl->args, "weight");
	const char *reason = sl_args_value(&ctl->args, "reason");
	struct sl_target t;
	cJSON *body;
	int r = sl_name_backend(ctl, ctl->args.words[0], &t);

	if (r)
		return r;
	if (!weight && !reason)
		return sl_fail_usage(ctl, "backend set needs --weight or --reason");
	body = cJSON_CreateObject();
	r = body ? body_add(ctl, body, numbers, texts) : sl_fail(SL_EXIT_ERROR, "out of memory");
	if (!r)
		r = send(ctl, "PATCH", t.path, body, t.label);
	if (!r)
		sl_say(ctl, "backend %s:%s%s%s%s%s%s", t.label, weight ? " weight " : "",
		       weight ? weight : "", weight && reason ? "," : "",
		       reason ? " reason \"" : "", reason ? reason : "", reason ? "\"" : "");
	cJSON_Delete(body);
	return r;
}

/* No use to go on with the next backend when the agent is gone. */
static bool is_hopeless(int r)
{
	return r == SL_EXIT_NO_AGENT || r == SL_EXIT_DENIED;
}

/* POST to @action for each word; goes on after a refusal. Returns the first exit code that is not
 * 0. */
static int each(struct sl_ctl *ctl, const char *action, const char *said)
{
	static const char *const numbers[] = { NULL };
	static const char *const texts[] = { "reason", NULL };
	char path[SL_PATH_LEN + 16];
	struct sl_target *t;
	cJSON *body = NULL;
	int one, r = sl_name_backends(ctl, &t);
	size_t i;

	if (r)
		return r;
	body = cJSON_CreateObject();
	r = body ? body_add(ctl, body, numbers, texts) : sl_fail(SL_EXIT_ERROR, "out of memory");
	if (r)
		goto out;
	for (i = 0; i < ctl->args.n_words; i++) {
		snprintf(path, sizeof(path), "%s/%s", t[i].path, action);
		one = send(ctl, "POST", path, body, t[i].label);
		if (!one)
			sl_say(ctl, "backend %s %s", t[i].label, said);
		r = r ? r : one;
		if (is_hopeless(one))
			break;
	}
out:
	cJSON_Delete(body);
	free(t);
	return r;
}

int sl_cmd_backend_ready(struct sl_ctl *ctl)
{
	return each(ctl, "ready", "ready: it takes new flows while its check says up");
}

int sl_cmd_backend_maint(struct sl_ctl *ctl)
{
	return each(ctl, "maint", "in maintenance");
}

int sl_cmd_backend_delete(struct sl_ctl *ctl)
{
	bool force = sl_args_value(&ctl->args, "force") != NULL;
	char path[SL_PATH_LEN + 16];
	struct sl_target *t;
	int one, r = sl_name_backends(ctl, &t);
	size_t i;

	if (r)
		return r;
	for (i = 0; i < ctl->args.n_words; i++) {
		struct sl_answer a = { 0 };

		snprintf(path, sizeof(path), "%s%s", t[i].path, force ? "?force=true" : "");
		one = sl_call(ctl, "DELETE", path, NULL, &a);
		sl_answer_done(&a);
		if (!one && ctl->output == SL_OUTPUT_NAME)
			printf("%s\n", t[i].label);
		if (!one)
			sl_say(ctl, "backend %s deleted", t[i].label);
		if (one == SL_EXIT_CONFLICT && !force)
			sl_hint("without loss: sluicectl drain %s --then delete --wait   "
				"at once: --force",
				t[i].label);
		r = r ? r : one;
		if (is_hopeless(one))
			break;
	}
	free(t);
	return r;
}
