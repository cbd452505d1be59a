/* SPDX-License-Identifier: BSD-2-Clause */
/* service: list, show, delete. */
#include <string.h>

#include "lb_user/ctl/commands.h"
#include "lb_user/ctl/rows.h"

static int print_list(const struct sl_ctl *ctl, const struct sl_answer *a)
{
	static const struct sl_rows_since totals;
	const cJSON *list = sl_doc_list(a->root, "items"), *item;
	struct sl_table *t;
	char clean[128];

	if (ctl->output == SL_OUTPUT_JSON) {
		sl_doc_print(stdout, a->reply.body, a->reply.len);
		return 0;
	}
	t = sl_rows_services(false);
	if (!t)
		return sl_fail(SL_EXIT_ERROR, "out of memory");
	cJSON_ArrayForEach(item, list)
	{
		if (ctl->output == SL_OUTPUT_NAME) {
			(void)sl_text_clean(sl_doc_text(item, "name"), false, clean, sizeof(clean));
			printf("%s\n", clean);
		} else {
			sl_rows_service(t, item, &totals);
		}
	}
	if (ctl->output == SL_OUTPUT_TABLE)
		sl_table_print(t, &ctl->look, stdout);
	sl_call_flush();
	if (list && !cJSON_GetArraySize(list))
		sl_say(ctl,
		       "no services yet; add one: sluicectl service add NAME --address A --port P");
	if (sl_doc_text(a->root, "next_cursor")[0])
		sl_say(ctl, "warning: the agent has more services than this list");
	sl_table_free(t);
	return 0;
}

int sl_cmd_service_list(struct sl_ctl *ctl)
{
	struct sl_answer a = { 0 };
	int r = sl_call(ctl, "GET", "/api/v1/services", NULL, &a);

	if (!r)
		r = print_list(ctl, &a);
	sl_answer_done(&a);
	return r;
}

static void fact(struct sl_table *t, const char *what)
{
	sl_table_row(t);
	sl_table_cell(t, SL_STYLE_NONE, "%s", what);
}

static void fact_check(struct sl_table *t, const cJSON *s)
{
	const cJSON *c = sl_doc_get(s, "health_check");
	const char *type = sl_doc_text(c, "type");
	const char *host = sl_doc_text(c, "host");
	char to[512] = "", port[SL_TEXT_SHORT] = "";

	if (!type[0])
		return;
	fact(t, "health check");
	if (!strcmp(type, "none")) {
		sl_table_cell(t, SL_STYLE_NONE, "none: backends count as up");
		return;
	}
	if (!strcmp(type, "http"))
		snprintf(to, sizeof(to), " GET %.200s%s%.200s (%.32s),", sl_doc_text(c, "path"),
			 host[0] ? " of " : "", host, sl_doc_text(c, "expected_status"));
	if (sl_doc_count(c, "port") > 0)
		snprintf(port, sizeof(port), " port %.0f,", sl_doc_count(c, "port"));
	sl_table_cell(t, SL_STYLE_NONE, "%s%s%s every %s, timeout %s, rise %.0f, fall %.0f", type,
		      to, port, sl_doc_text(c, "interval"), sl_doc_text(c, "timeout"),
		      sl_doc_count(c, "rise"), sl_doc_count(c, "fall"));
}

static void fact_traffic(struct sl_table *t, const cJSON *s)
{
	char a[SL_TEXT_SHORT], b[SL_TEXT_SHORT], c[SL_TEXT_SHORT], d[SL_TEXT_SHORT];

	fact(t, "traffic");
	sl_table_cell(t, SL_STYLE_NONE, "%s packets, %s bytes, %s flows begun, %s packets dropped",
		      sl_text_format_count(sl_doc_count(s, "status.counters.packets"), a),
		      sl_text_format_count(sl_doc_count(s, "status.counters.bytes"), b),
		      sl_text_format_count(sl_doc_count(s, "status.counters.flows"), c),
		      sl_text_format_count(sl_doc_count(s, "status.counters.dropped"), d));
}

static struct sl_table *facts(const cJSON *s)
{
	struct sl_table *t = sl_table_new("", 2, 2);
	const char *state = sl_doc_text(s, "status.state");
	char addr[SL_ROWS_ADDR_LEN], forwarding[SL_ROWS_ADDR_LEN];

	if (!t)
		return NULL;
	if (sl_doc_text(s, "description")[0]) {
		fact(t, "description");
		sl_table_cell(t, SL_STYLE_NONE, "%s", sl_doc_text(s, "description"));
	}
	fact(t, "vip");
	sl_table_cell(t, SL_STYLE_NONE, "%s %s", sl_rows_address(s, NULL, addr),
		      sl_doc_text(s, "protocol"));
	fact(t, "state");
	sl_table_cell(t, state[0] ? sl_rows_style(state) : SL_STYLE_NONE,
		      "%s, %.0f of %.0f backends take new flows", state[0] ? state : "unknown",
		      sl_doc_count(s, "status.available"), sl_doc_count(s, "status.total"));
	fact(t, "forwarding");
	sl_table_cell(t, SL_STYLE_NONE, "%s, %.0f slots, %.0f in transition",
		      sl_rows_forwarding(sl_doc_get(s, "forwarding"), forwarding),
		      sl_doc_count(s, "table.size"), sl_doc_count(s, "status.slots_in_transition"));
	if (!strcmp(sl_doc_text(s, "protocol"), "udp")) {
		fact(t, "udp flows");
		sl_table_cell(t, SL_STYLE_NONE, "%s", sl_doc_text(s, "udp_flows"));
		fact(t, "fragments");
		sl_table_cell(t, SL_STYLE_NONE, "%s", sl_doc_text(s, "fragments"));
	}
	if (sl_doc_text(s, "forwarding.oversize")[0]) {
		fact(t, "oversize");
		sl_table_cell(t, SL_STYLE_NONE, "%s", sl_doc_text(s, "forwarding.oversize"));
	}
	fact(t, "when down");
	sl_table_cell(t, SL_STYLE_NONE, "%s the flows", sl_doc_text(s, "on_down"));
	fact(t, "timeouts");
	sl_table_cell(t, SL_STYLE_NONE, "idle %s, drain %s", sl_doc_text(s, "idle_timeout"),
		      sl_doc_text(s, "drain_timeout"));
	fact_check(t, s);
	fact_traffic(t, s);
	return t;
}

static int print_service(const struct sl_ctl *ctl, const cJSON *s, const cJSON *backends)
{
	static const struct sl_rows_since totals;
	struct sl_table *t = facts(s), *rows = sl_rows_backends(2, false);
	int r = SL_EXIT_ERROR;
	char clean[128];
	const cJSON *b;

	if (!t || !rows)
		goto out;
	cJSON_ArrayForEach(b, backends) sl_rows_backend(rows, s, NULL, b, &totals);
	if (sl_table_failed(t) || sl_table_failed(rows))
		goto out;
	(void)sl_text_clean(sl_doc_text(s, "name"), false, clean, sizeof(clean));
	printf("%s\n", clean);
	sl_table_print(t, &ctl->look, stdout);
	if (sl_table_rows(rows)) {
		printf("\n");
		sl_table_print(rows, &ctl->look, stdout);
	}
	sl_call_flush();
	if (!sl_table_rows(rows))
		sl_say(ctl, "no backends yet; add one: sluicectl backend add %s/NAME --address A",
		       clean);
	r = 0;
out:
	sl_table_free(t);
	sl_table_free(rows);
	return r ? sl_fail(r, "out of memory") : 0;
}

int sl_cmd_service_show(struct sl_ctl *ctl)
{
	struct sl_answer a = { 0 }, list = { 0 };
	char path[SL_PATH_LEN], of[SL_PATH_LEN + 16];
	int r = sl_name_service(ctl, ctl->args.words[0], path);

	if (!r)
		r = sl_call(ctl, "GET", path, NULL, &a);
	if (r)
		return r;
	if (ctl->output == SL_OUTPUT_JSON) {
		sl_doc_print(stdout, a.reply.body, a.reply.len);
		goto out;
	}
	if (ctl->output == SL_OUTPUT_NAME) {
		printf("%s\n", ctl->args.words[0]);
		goto out;
	}
	snprintf(of, sizeof(of), "%s/backends", path);
	r = sl_call(ctl, "GET", of, NULL, &list);
	if (!r)
		r = print_service(ctl, a.root, sl_doc_list(list.root, "items"));
out:
	sl_answer_done(&list);
	sl_answer_done(&a);
	return r;
}

int sl_cmd_service_delete(struct sl_ctl *ctl)
{
	struct sl_answer a = { 0 };
	char path[SL_PATH_LEN];
	int r = sl_name_service(ctl, ctl->args.words[0], path);

	if (!r)
		r = sl_call(ctl, "DELETE", path, NULL, &a);
	if (r)
		return r;
	sl_answer_done(&a);
	if (ctl->output == SL_OUTPUT_NAME)
		printf("%s\n", ctl->args.words[0]);
	sl_say(ctl, "service %s deleted, with its backends", ctl->args.words[0]);
	return 0;
}
