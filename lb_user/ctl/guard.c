/* SPDX-License-Identifier: BSD-2-Clause */
/* guard: the listed prefixes, and the limits of a service. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/ctl/commands.h"
#include "lb_user/ctl/text.h"

#define GUARD_PATH "/api/v1/guard"

static int no_memory(void)
{
	return sl_fail(SL_EXIT_ERROR, "out of memory");
}

/* PUT of @doc; *ret is the answer. Returns 0 or an exit code. */
static int put(struct sl_ctl *ctl, const char *path, const cJSON *doc, struct sl_answer *ret)
{
	char *text = cJSON_PrintUnformatted(doc);
	int r = text ? sl_call(ctl, "PUT", path, text, ret) : no_memory();

	cJSON_free(text);
	return r;
}

/* ---- the lists ------------------------------------------------------------------- */

static void print_list(const char *word, const cJSON *list)
{
	const cJSON *item;
	char clean[64];

	cJSON_ArrayForEach(item, list)
	{
		(void)sl_text_clean(cJSON_IsString(item) ? item->valuestring : "", false, clean,
				    sizeof(clean));
		printf("%-5s %s\n", word, clean);
	}
}

static void print_status(const cJSON *root)
{
	static const struct {
		const char *path, *what;
	} rows[] = {
		{ "status.would_deny", "dry run, denied" },
		{ "status.would_source", "dry run, above a source's limit" },
		{ "status.would_service", "dry run, above a service's limit" },
		{ "status.table_full", "let through, no place for the source" },
		{ "status.raced", "let through, the limit was busy" },
	};
	char count[SL_TEXT_SHORT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (sl_doc_count(root, rows[i].path) > 0)
			printf("%s packets: %s\n",
			       sl_text_format_count(sl_doc_count(root, rows[i].path), count),
			       rows[i].what);
}

int sl_cmd_guard_show(struct sl_ctl *ctl)
{
	struct sl_answer a = { 0 };
	int r = sl_call(ctl, "GET", GUARD_PATH, NULL, &a);

	if (r)
		return r;
	if (ctl->output == SL_OUTPUT_JSON) {
		sl_doc_print(stdout, a.reply.body, a.reply.len);
	} else {
		print_list("allow", sl_doc_list(a.root, "allow"));
		print_list("deny", sl_doc_list(a.root, "deny"));
		if (ctl->output == SL_OUTPUT_TABLE)
			print_status(a.root);
		sl_call_flush();
		if (!cJSON_GetArraySize(sl_doc_list(a.root, "allow")) &&
		    !cJSON_GetArraySize(sl_doc_list(a.root, "deny")))
			sl_say(ctl, "no prefix is listed; to drop what comes from one: "
				    "sluicectl guard deny PREFIX");
	}
	sl_answer_done(&a);
	return 0;
}

/* "192.0.2.1" is listed as "192.0.2.1/32". */
static bool is_prefix(const cJSON *item, const char *word)
{
	const char *text = cJSON_IsString(item) ? item->valuestring : "";
	size_t len = strlen(word);

	if (!strcmp(text, word))
		return true;
	return !strchr(word, '/') && !strncmp(text, word, len) &&
	       !strcmp(text + len, strchr(word, ':') ? "/128" : "/32");
}

/* Takes @word off the list; whether it was there. */
static bool take_off(cJSON *list, const char *word)
{
	int n = cJSON_GetArraySize(list);

	for (int i = 0; i < n; i++)
		if (is_prefix(cJSON_GetArrayItem(list, i), word)) {
			cJSON_DeleteItemFromArray(list, i);
			return true;
		}
	return false;
}

/* @to: "allow", "deny", or NULL: off both. */
static int change(struct sl_ctl *ctl, const char *to, const char *said)
{
	struct sl_answer a = { 0 }, b = { 0 };
	cJSON *list;
	int r = sl_call(ctl, "GET", GUARD_PATH, NULL, &a);

	if (r)
		return r;
	for (size_t i = 0; i < ctl->args.n_words && !r; i++) {
		const char *word = ctl->args.words[i];
		bool was = take_off(cJSON_GetObjectItemCaseSensitive(a.root, "allow"), word);

		was |= take_off(cJSON_GetObjectItemCaseSensitive(a.root, "deny"), word);
		if (!to && !was) {
			r = sl_fail(SL_EXIT_NOT_FOUND,
				    "prefix %s is not listed; nothing was changed", word);
			sl_hint("what is listed: sluicectl guard show");
		}
		list = to ? cJSON_GetObjectItemCaseSensitive(a.root, to) : NULL;
		if (to && !cJSON_AddItemToArray(list, cJSON_CreateString(word)))
			r = no_memory();
	}
	if (!r)
		r = put(ctl, GUARD_PATH, a.root, &b);
	if (!r && ctl->output == SL_OUTPUT_JSON)
		sl_doc_print(stdout, b.reply.body, b.reply.len);
	for (size_t i = 0; i < ctl->args.n_words && !r; i++) {
		if (ctl->output == SL_OUTPUT_NAME)
			printf("%s\n", ctl->args.words[i]);
		sl_say(ctl, "prefix %s: %s", ctl->args.words[i], said);
	}
	sl_answer_done(&b);
	sl_answer_done(&a);
	return r;
}

int sl_cmd_guard_allow(struct sl_ctl *ctl)
{
	return change(ctl, "allow", "no limit holds for it");
}

int sl_cmd_guard_deny(struct sl_ctl *ctl)
{
	return change(ctl, "deny", "its packets to services are dropped");
}

int sl_cmd_guard_remove(struct sl_ctl *ctl)
{
	return change(ctl, NULL, "no longer listed");
}

/* ---- limits of a service -------------------------------------------------------------- */

const struct sl_flag sl_cmd_service_guard_flags[] = {
	{ "source-packets", 0, "RATE[/BURST]",
	  "packets a second of one source (IPv4 address,\nIPv6 /64); 0: no limit. BURST: at once "
	  "(default\nwhat a second brings)" },
	{ "source-flows", 0, "RATE[/BURST]", "new flows a second of one source" },
	{ "network-packets", 0, "RATE[/BURST]", "the same of one IPv4 /24 or IPv6 /48" },
	{ "network-flows", 0, "RATE[/BURST]", "new flows a second of one network" },
	{ "service-packets", 0, "RATE[/BURST]", "the same of the service as a whole" },
	{ "service-flows", 0, "RATE[/BURST]", "new flows a second of the service" },
	{ "dry-run", 0, "on|off", "count what would be dropped, and send it" },
	{ "off", 0, NULL, "no limits, no dry run" },
	{ NULL, 0, NULL, NULL },
};

static const struct limit {
	const char *flag, *whose, *rate, *burst;
} limits[] = {
	{ "source-packets", "source", "packets_per_s", "packets_burst" },
	{ "source-flows", "source", "flows_per_s", "flows_burst" },
	{ "network-packets", "network", "packets_per_s", "packets_burst" },
	{ "network-flows", "network", "flows_per_s", "flows_burst" },
	{ "service-packets", "service", "packets_per_s", "packets_burst" },
	{ "service-flows", "service", "flows_per_s", "flows_burst" },
};
#define N_LIMITS (sizeof(limits) / sizeof(limits[0]))

/* "100" or "100/500"; *ret_has_burst: the second is there. */
static int parse_rate(const struct sl_ctl *ctl, const char *flag, const char *text,
		      uint64_t *ret_rate, uint64_t *ret_burst, bool *ret_has_burst)
{
	const char *slash = strchr(text, '/');
	char first[32];

	*ret_has_burst = slash;
	if ((size_t)snprintf(first, sizeof(first), "%.*s",
			     (int)(slash ? slash - text : (long)strlen(text)),
			     text) >= sizeof(first) ||
	    sl_text_parse_number(first, UINT32_MAX, ret_rate) ||
	    (slash && sl_text_parse_number(slash + 1, UINT32_MAX, ret_burst)))
		return sl_fail_usage(ctl,
				     "--%s %s: want a number a second, or RATE/BURST such as "
				     "100/500",
				     flag, text);
	return 0;
}

static int set_limit(const struct sl_ctl *ctl, cJSON *doc, const struct limit *l, const char *text)
{
	cJSON *of = cJSON_GetObjectItemCaseSensitive(doc, l->whose);
	uint64_t rate = 0, burst = 0;
	bool has_burst;
	int r = parse_rate(ctl, l->flag, text, &rate, &burst, &has_burst);

	if (r)
		return r;
	if (!of)
		of = cJSON_AddObjectToObject(doc, l->whose);
	cJSON_DeleteItemFromObjectCaseSensitive(of, l->rate);
	cJSON_DeleteItemFromObjectCaseSensitive(of, l->burst);
	if (!cJSON_AddNumberToObject(of, l->rate, (double)rate) ||
	    (has_burst && !cJSON_AddNumberToObject(of, l->burst, (double)burst)))
		return no_memory();
	return 0;
}

static int set_dry_run(const struct sl_ctl *ctl, cJSON *doc, const char *text)
{
	bool on = !strcmp(text, "on");

	if (!on && strcmp(text, "off") != 0)
		return sl_fail_usage(ctl, "--dry-run %s: want on or off", text);
	cJSON_DeleteItemFromObjectCaseSensitive(doc, "dry_run");
	return cJSON_AddBoolToObject(doc, "dry_run", on) ? 0 : no_memory();
}

static void print_limits(const cJSON *doc)
{
	char path[64], burst[64];
	bool any = false;

	for (size_t i = 0; i < N_LIMITS; i++) {
		snprintf(path, sizeof(path), "%s.%s", limits[i].whose, limits[i].rate);
		snprintf(burst, sizeof(burst), "%s.%s", limits[i].whose, limits[i].burst);
		if (sl_doc_count(doc, path) <= 0)
			continue;
		printf("%-16s %.0f a second, %.0f at once\n", limits[i].flag,
		       sl_doc_count(doc, path), sl_doc_count(doc, burst));
		any = true;
	}
	if (sl_doc_is(doc, "dry_run"))
		printf("%-16s on: nothing is dropped\n", "dry-run");
	if (!any)
		printf("no limits\n");
}

/* What the flags change in @doc; *ret_any: there is something. */
static int apply_flags(const struct sl_ctl *ctl, cJSON *doc, bool *ret_any)
{
	const char *value = sl_args_value(&ctl->args, "dry-run");
	int r = 0;

	*ret_any = value || sl_args_value(&ctl->args, "off");
	if (value)
		r = set_dry_run(ctl, doc, value);
	for (size_t i = 0; i < N_LIMITS && !r; i++) {
		value = sl_args_value(&ctl->args, limits[i].flag);
		if (!value)
			continue;
		*ret_any = true;
		r = set_limit(ctl, doc, &limits[i], value);
	}
	return r;
}

int sl_cmd_service_guard(struct sl_ctl *ctl)
{
	bool off = sl_args_value(&ctl->args, "off"), any = false;
	struct sl_answer a = { 0 }, b = { 0 };
	char of[SL_PATH_LEN], path[SL_PATH_LEN + 8];
	cJSON *doc, *empty = cJSON_CreateObject();
	int r = sl_name_service(ctl, ctl->args.words[0], of);

	snprintf(path, sizeof(path), "%s/guard", of);
	if (!r)
		r = sl_call(ctl, "GET", path, NULL, &a);
	if (r)
		goto out;
	doc = off ? empty : a.root;
	r = doc ? apply_flags(ctl, doc, &any) : no_memory();
	if (!r && any)
		r = put(ctl, path, doc, &b);
	if (r)
		goto out;
	if (ctl->output == SL_OUTPUT_JSON)
		sl_doc_print(stdout, any ? b.reply.body : a.reply.body,
			     any ? b.reply.len : a.reply.len);
	else if (ctl->output == SL_OUTPUT_NAME)
		printf("%s\n", ctl->args.words[0]);
	else
		print_limits(any ? b.root : a.root);
out:
	cJSON_Delete(empty);
	sl_answer_done(&b);
	sl_answer_done(&a);
	return r;
}
