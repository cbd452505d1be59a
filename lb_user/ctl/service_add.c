/* SPDX-License-Identifier: BSD-2-Clause */
/* service_add: a declaration from flags, or from a file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/ctl/commands.h"
#include "lb_user/ctl/text.h"

#define FILE_MAX_BYTES (1u << 20) /* the agent takes no more */

const struct sl_flag sl_cmd_service_add_flags[] = {
	{ "address", 0, "A", "IPv4 or IPv6 address that clients connect to" },
	{ "port", 0, "P", "and its port" },
	{ "protocol", 0, "PROTO", "tcp (default) or udp" },
	{ "check", 0, "TYPE", "health check: none, tcp or http" },
	{ "check-path", 0, "PATH", "http: path of the request (default /)" },
	{ "check-port", 0, "N", "port of the check (default: the backend's)" },
	{ "check-interval", 0, "SPAN", "from check to check (default 2s)" },
	{ "check-timeout", 0, "SPAN", "until a check counts as failed (default 1s)" },
	{ "rise", 0, "N", "successes in a row until up" },
	{ "fall", 0, "N", "failures in a row until down" },
	{ "expected-status", 0, "RANGE", "http: 200, or 200-399" },
	{ "table-size", 0, "N", "slots, a prime: 100 for each backend or more" },
	{ "idle-timeout", 0, "SPAN", "until a silent flow is forgotten (default 300s)" },
	{ "drain-timeout", 0, "SPAN", "deadline of drains (default 300s; 0: none)" },
	{ "udp-flows", 0, "HOW",
	  "flow: remember each, none: by hash alone,\nquic: what begins with an Initial" },
	{ "forwarding", 0, "MODE", "l2dsr (default), ipip or gue" },
	{ "gue-port", 0, "N", "UDP port of gue tunnels (default 6080)" },
	{ "oversize", 0, "WHAT", "too long for the path, without DF: drop or send" },
	{ "fragments", 0, "HOW", "drop: later ones, hash3: all to one backend (udp)" },
	{ "on-down", 0, "WHAT", "flows of a down backend: reschedule or drop" },
	{ "description", 0, "TEXT", "for people" },
	{ "file", 'f', "FILE",
	  "a service as JSON instead of the other flags;\n- is standard input" },
	{ NULL, 0, NULL, NULL },
};

/* What a flag becomes. A dot: a member of health_check. */
enum kind { KIND_TEXT, KIND_NUMBER, KIND_SPAN };
static const struct member {
	const char *flag, *object, *name;
	enum kind kind;
} members[] = {
	{ "address", NULL, "address", KIND_TEXT },
	{ "port", NULL, "port", KIND_NUMBER },
	{ "protocol", NULL, "protocol", KIND_TEXT },
	{ "description", NULL, "description", KIND_TEXT },
	{ "table-size", "table", "size", KIND_NUMBER },
	{ "forwarding", "forwarding", "mode", KIND_TEXT },
	{ "gue-port", "forwarding", "gue_port", KIND_NUMBER },
	{ "oversize", "forwarding", "oversize", KIND_TEXT },
	{ "udp-flows", NULL, "udp_flows", KIND_TEXT },
	{ "fragments", NULL, "fragments", KIND_TEXT },
	{ "on-down", NULL, "on_down", KIND_TEXT },
	{ "idle-timeout", NULL, "idle_timeout", KIND_SPAN },
	{ "drain-timeout", NULL, "drain_timeout", KIND_SPAN },
	{ "check", "health_check", "type", KIND_TEXT },
	{ "check-path", "health_check", "path", KIND_TEXT },
	{ "check-port", "health_check", "port", KIND_NUMBER },
	{ "check-interval", "health_check", "interval", KIND_SPAN },
	{ "check-timeout", "health_check", "timeout", KIND_SPAN },
	{ "rise", "health_check", "rise", KIND_NUMBER },
	{ "fall", "health_check", "fall", KIND_NUMBER },
	{ "expected-status", "health_check", "expected_status", KIND_TEXT },
};
#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

/* Whether the member was added to @to; -EINVAL: a usage error was said. */
static int member_add(const struct sl_ctl *ctl, const struct member *m, const char *value,
		      cJSON *to)
{
	char span[SL_TEXT_SHORT];
	uint64_t n = 0;

	switch (m->kind) {
	case KIND_TEXT:
		return cJSON_AddStringToObject(to, m->name, value) ? 0 : -ENOMEM;
	case KIND_NUMBER:
		if (sl_name_number(ctl, m->flag, UINT32_MAX, &n))
			return -EINVAL;
		return cJSON_AddNumberToObject(to, m->name, (double)n) ? 0 : -ENOMEM;
	case KIND_SPAN:
		if (sl_name_span(ctl, m->flag, &n))
			return -EINVAL;
		snprintf(span, sizeof(span), n % 1000 ? "%llums" : "%llus",
			 (unsigned long long)(n % 1000 ? n : n / 1000));
		return cJSON_AddStringToObject(to, m->name, span) ? 0 : -ENOMEM;
	}
	return 0;
}

/* The declaration; *ret is heap (cJSON_free). Returns 0 or an exit code. */
static int body_of_flags(const struct sl_ctl *ctl, const char *name, char **ret)
{
	cJSON *root = cJSON_CreateObject(), *to;
	const char *value;
	int r = -ENOMEM;
	char *text;
	size_t i;

	if (!root || !cJSON_AddStringToObject(root, "name", name))
		goto out;
	for (i = 0; i < N_MEMBERS; i++) {
		value = sl_args_value(&ctl->args, members[i].flag);
		if (!value)
			continue;
		to = root;
		if (members[i].object) {
			to = cJSON_GetObjectItemCaseSensitive(root, members[i].object);
			if (!to)
				to = cJSON_AddObjectToObject(root, members[i].object);
		}
		r = to ? member_add(ctl, &members[i], value, to) : -ENOMEM;
		if (r)
			goto out;
	}
	text = cJSON_PrintUnformatted(root);
	r = text ? 0 : -ENOMEM;
	if (text)
		*ret = text;
out:
	cJSON_Delete(root);
	if (r == -ENOMEM)
		return sl_fail(SL_EXIT_ERROR, "out of memory");
	return r ? SL_EXIT_USAGE : 0;
}

static int flags_check(const struct sl_ctl *ctl)
{
	size_t i;

	if (!sl_args_value(&ctl->args, "address") || !sl_args_value(&ctl->args, "port"))
		return sl_fail_usage(ctl, "service add needs --address and --port (or --file)");
	if (sl_args_value(&ctl->args, "check"))
		return 0;
	for (i = 0; i < N_MEMBERS; i++)
		if (members[i].object && !strcmp(members[i].object, "health_check") &&
		    sl_args_value(&ctl->args, members[i].flag))
			return sl_fail_usage(ctl, "--%s needs --check tcp or --check http",
					     members[i].flag);
	return 0;
}

/* All of @path, "-" for standard input, with a 0 after it. Returns 0 or an exit code. */
static int file_read(const char *path, char **ret, size_t *ret_len)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *text = NULL;
	size_t len;
	int r;

	if (!f)
		return sl_fail(SL_EXIT_ERROR, "%s: %s", path, strerror(errno));
	text = malloc(FILE_MAX_BYTES + 1);
	if (!text) {
		r = sl_fail(SL_EXIT_ERROR, "out of memory");
		goto out;
	}
	len = fread(text, 1, FILE_MAX_BYTES + 1, f);
	if (ferror(f)) {
		r = sl_fail(SL_EXIT_ERROR, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (len > FILE_MAX_BYTES) {
		r = sl_fail(SL_EXIT_INVALID, "%s: larger than 1 MiB, the agent would refuse it",
			    path);
		goto out;
	}
	text[len] = '\0';
	*ret = text;
	*ret_len = len;
	text = NULL;
	r = 0;
out:
	if (f != stdin)
		(void)fclose(f); /* only read from */
	free(text);
	return r;
}

/* The file's text; with @name in it if it has none. *ret_name: what it declares (in *ret_root). */
static int body_of_file(const struct sl_ctl *ctl, const char *name, char **ret, cJSON **ret_root)
{
	const char *path = sl_args_value(&ctl->args, "file"), *own;
	char *text = NULL, *named = NULL;
	cJSON *root = NULL;
	size_t i, len = 0;
	int r;

	for (i = 0; i < N_MEMBERS; i++)
		if (sl_args_value(&ctl->args, members[i].flag))
			return sl_fail_usage(ctl, "--file and --%s exclude each other",
					     members[i].flag);
	r = file_read(path, &text, &len);
	if (r)
		return r;
	if (sl_doc_parse(text, len, &root) || !cJSON_IsObject(root)) {
		r = sl_fail(SL_EXIT_INVALID, "%s: not a JSON object", path);
		goto out;
	}
	own = sl_doc_text(root, "name");
	if (!own[0] && !name) {
		r = sl_fail_usage(ctl, "%s: the service has no \"name\", and none was given", path);
		goto out;
	}
	if (own[0] && name && strcmp(own, name)) {
		r = sl_fail_usage(ctl, "%s declares service %s, not %s", path, own, name);
		goto out;
	}
	if (!own[0]) {
		cJSON_DeleteItemFromObjectCaseSensitive(root, "name");
		named = cJSON_AddStringToObject(root, "name", name) ? cJSON_PrintUnformatted(root)
								    : NULL;
		if (!named) {
			r = sl_fail(SL_EXIT_ERROR, "out of memory");
			goto out;
		}
	}
	*ret = named ? named : text;
	*ret_root = root;
	if (!named)
		text = NULL;
	root = NULL;
out:
	free(text);
	cJSON_Delete(root);
	return r;
}

int sl_cmd_service_add(struct sl_ctl *ctl)
{
	const char *name = ctl->args.n_words ? ctl->args.words[0] : NULL;
	struct sl_answer a = { 0 };
	char path[SL_PATH_LEN], *body = NULL;
	cJSON *root = NULL;
	int r;

	if (sl_args_value(&ctl->args, "file")) {
		r = name ? sl_name_service(ctl, name, path) : 0;
		if (!r)
			r = body_of_file(ctl, name, &body, &root);
		if (!r && !name)
			name = sl_doc_text(root, "name");
	} else {
		r = name ? sl_name_service(ctl, name, path)
			 : sl_fail_usage(ctl, "service add needs a NAME");
		if (!r)
			r = flags_check(ctl);
		if (!r)
			r = body_of_flags(ctl, name, &body);
	}
	if (!r)
		r = sl_call(ctl, "POST", "/api/v1/services", body, &a);
	if (r)
		goto out;
	if (ctl->output == SL_OUTPUT_JSON)
		sl_doc_print(stdout, a.reply.body, a.reply.len);
	if (ctl->output == SL_OUTPUT_NAME)
		printf("%s\n", name);
	sl_say(ctl, "service %s added; next: sluicectl backend add %s/NAME --address A", name,
	       name);
out:
	cJSON_free(body);
	cJSON_Delete(root);
	sl_answer_done(&a);
	return r;
}
