/* SPDX-License-Identifier: BSD-2-Clause */
/* status: everything on one screen. */
#include <string.h>
#include <time.h>

#include <sluice/reasons.h>

#include "lb_user/base/clock.h"
#include "lb_user/ctl/commands.h"
#include "lb_user/ctl/rows.h"

#define RATES_MS 1000

const struct sl_flag sl_cmd_status_flags[] = {
	{ "check", 0, NULL, "exit code 9 unless all is up" },
	{ "rates", 0, NULL, "per second, over one second, instead of totals" },
	{ NULL, 0, NULL, NULL },
};

/* ", tunnels from 10.9.0.0/16", where that is declared. */
static void print_source(const cJSON *root, const char *path)
{
	char clean[128];

	(void)sl_text_clean(sl_doc_text(root, path), false, clean, sizeof(clean));
	if (clean[0])
		printf(", tunnels from %s", clean);
}

/* "sluiced 0.1.0, revision 12, eth0 native" */
static void print_agent(const cJSON *root)
{
	char clean[128];
	const cJSON *item;

	(void)sl_text_clean(sl_doc_text(root, "version"), false, clean, sizeof(clean));
	printf("sluiced %s, revision %.0f", clean, sl_doc_count(root, "revision"));
	cJSON_ArrayForEach(item, sl_doc_list(root, "interfaces"))
	{
		(void)sl_text_clean(sl_doc_text(item, "name"), false, clean, sizeof(clean));
		printf(", %s ", clean);
		(void)sl_text_clean(sl_doc_text(item, "mode"), false, clean, sizeof(clean));
		printf("%s%s", clean, sl_doc_is(item, "attached") ? "" : " NOT ATTACHED");
	}
	print_source(root, "encapsulation.source4");
	print_source(root, "encapsulation.source6");
	printf("\n\n");
}

/* Packets of ours that were dropped, by reason: nothing is lost without a word. */
static void print_drops(const cJSON *root)
{
#define DROP_NONE		       0
#define DROP_PASS		       0
#define DROP_SEND		       0
#define DROP_DROP		       1
#define DROP_ROW(sym, num, act, label) { label, DROP_##act },
	static const struct {
		const char *label;
		int drop;
	} reasons[] = { SL_REASONS(DROP_ROW) };
	char path[64], count[SL_TEXT_SHORT];
	bool any = false;
	double n;
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		snprintf(path, sizeof(path), "reasons.%s", reasons[i].label);
		n = reasons[i].drop ? sl_doc_count(root, path) : 0;
		if (n > 0) {
			printf("%s%s %s", any ? ", " : "\nDropped: ", reasons[i].label,
			       sl_text_format_count(n, count));
			any = true;
		}
	}
	if (any)
		printf("\n");
}

/* Only what has occurred. */
static void print_transmit_errors(const cJSON *root)
{
	char count[SL_TEXT_SHORT], interface[64], kind[32], error[48];
	const cJSON *item;
	bool any = false;

	cJSON_ArrayForEach(item, sl_doc_list(root, "transmit_errors"))
	{
		(void)sl_text_clean(sl_doc_text(item, "interface"), false, interface,
				    sizeof(interface));
		(void)sl_text_clean(sl_doc_text(item, "kind"), false, kind, sizeof(kind));
		(void)sl_text_clean(sl_doc_text(item, "errno"), false, error, sizeof(error));
		printf("%s%s %s %s %s", any ? ", " : "\nNot taken by interfaces: ", interface, kind,
		       error, sl_text_format_count(sl_doc_count(item, "packets"), count));
		any = true;
	}
	if (any)
		printf("\n");
}

static int print_services(const struct sl_ctl *ctl, const cJSON *list,
			  const struct sl_rows_since *since)
{
	struct sl_table *services = sl_rows_services(since->services != NULL);
	struct sl_table *backends = sl_rows_backends(2, since->services != NULL);
	int r = SL_EXIT_ERROR;
	size_t i = 0, k = 0;
	const cJSON *s, *b;

	if (!services || !backends)
		goto out;
	cJSON_ArrayForEach(s, list)
	{
		sl_rows_service(services, s, since);
		cJSON_ArrayForEach(b, sl_doc_list(s, "backends"))
			sl_rows_backend(backends, s, NULL, b, since);
	}
	if (sl_table_failed(services) || sl_table_failed(backends))
		goto out;
	sl_table_print_header(services, &ctl->look, stdout);
	cJSON_ArrayForEach(s, list)
	{
		sl_table_print_row(services, i++, &ctl->look, stdout);
		cJSON_ArrayForEach(b, sl_doc_list(s, "backends"))
		{
			if (!k)
				sl_table_print_header(backends, &ctl->look, stdout);
			sl_table_print_row(backends, k++, &ctl->look, stdout);
		}
	}
	r = 0;
out:
	sl_table_free(services);
	sl_table_free(backends);
	return r ? sl_fail(r, "out of memory") : 0;
}

/* Waits a moment and asks again; *ret_seconds passed between the two answers. */
static int ask_again(struct sl_ctl *ctl, struct sl_answer *ret, double *ret_seconds)
{
	int64_t start_ms = sl_clock_ms();
	struct timespec pause = { RATES_MS / 1000, RATES_MS % 1000 * 1000000L };
	int r;

	(void)nanosleep(&pause, NULL); /* cut short by a signal: the clock says how long it was */
	r = sl_call(ctl, "GET", "/api/v1/status", NULL, ret);
	*ret_seconds = (double)(sl_clock_ms() - start_ms + 1) / 1000;
	return r;
}

static void warn(const struct sl_ctl *ctl, const cJSON *root)
{
	const cJSON *item;

	if (sl_doc_text(root, "read_only")[0])
		sl_say(ctl, "warning: the agent refuses changes: %s",
		       sl_doc_text(root, "read_only"));
	cJSON_ArrayForEach(item, sl_doc_list(root, "interfaces"))
	{
		if (!sl_doc_is(item, "attached"))
			sl_say(ctl,
			       "warning: interface %s is not attached, its packets are not "
			       "balanced",
			       sl_doc_text(item, "name"));
	}
}

/* status --check: what is not as it should be, one line each. */
static int check(const struct sl_ctl *ctl, const cJSON *root)
{
	int r = SL_EXIT_OK;
	const cJSON *item;
	const char *state;

	if (sl_doc_text(root, "read_only")[0]) {
		r = SL_EXIT_UNHEALTHY;
		if (!ctl->quiet)
			(void)sl_fail(0, "the agent refuses changes and probes nobody: %s",
				      sl_doc_text(root, "read_only"));
	}
	cJSON_ArrayForEach(item, sl_doc_list(root, "services"))
	{
		state = sl_doc_text(item, "status.state");
		if (!strcmp(state, "up"))
			continue;
		r = SL_EXIT_UNHEALTHY;
		if (!ctl->quiet)
			(void)sl_fail(0, "service %s is %s: %.0f of %.0f backends take new flows",
				      sl_doc_text(item, "name"), state[0] ? state : "unknown",
				      sl_doc_count(item, "status.available"),
				      sl_doc_count(item, "status.total"));
	}
	cJSON_ArrayForEach(item, sl_doc_list(root, "interfaces"))
	{
		if (!sl_doc_is(item, "attached"))
			r = SL_EXIT_UNHEALTHY;
	}
	return r;
}

static int print_status(const struct sl_ctl *ctl, const struct sl_answer *a,
			const struct sl_rows_since *since)
{
	const cJSON *list = sl_doc_list(a->root, "services"), *item;
	char clean[128];
	int r;

	switch (ctl->output) {
	case SL_OUTPUT_JSON:
		sl_doc_print(stdout, a->reply.body, a->reply.len);
		return 0;
	case SL_OUTPUT_NAME:
		cJSON_ArrayForEach(item, list)
		{
			(void)sl_text_clean(sl_doc_text(item, "name"), false, clean, sizeof(clean));
			printf("%s\n", clean);
		}
		return 0;
	case SL_OUTPUT_TABLE:
		break;
	}
	if (ctl->look.headers)
		print_agent(a->root);
	r = print_services(ctl, list, since);
	if (!r && ctl->look.headers)
		print_drops(a->root);
	if (!r && ctl->look.headers)
		print_transmit_errors(a->root);
	sl_call_flush();
	if (!r && list && !cJSON_GetArraySize(list))
		sl_say(ctl,
		       "no services yet; add one: sluicectl service add NAME --address A --port P");
	return r;
}

int sl_cmd_status(struct sl_ctl *ctl)
{
	struct sl_rows_since since = { 0 };
	struct sl_answer before = { 0 }, a = { 0 };
	int r;

	r = sl_call(ctl, "GET", "/api/v1/status", NULL, &a);
	if (r)
		goto out;
	if (sl_args_value(&ctl->args, "rates") && ctl->output == SL_OUTPUT_TABLE) {
		before = a;
		a = (struct sl_answer){ 0 };
		r = ask_again(ctl, &a, &since.seconds);
		if (r)
			goto out;
		since.services = sl_doc_list(before.root, "services");
	}
	r = print_status(ctl, &a, &since);
	warn(ctl, a.root);
	if (!r && sl_args_value(&ctl->args, "check"))
		r = check(ctl, a.root);
out:
	sl_answer_done(&before);
	sl_answer_done(&a);
	return r;
}
