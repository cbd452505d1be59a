/* SPDX-License-Identifier: BSD-2-Clause */
/* backend: list and show. */
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/ctl/commands.h"
#include "lb_user/ctl/rows.h"

static const struct sl_rows_since totals;

static void list_add(const struct sl_ctl *ctl, struct sl_table *t, const cJSON *service,
		     const char *prefix, const cJSON *backends)
{
	char clean[SL_PATH_LEN];
	const cJSON *b;

	cJSON_ArrayForEach(b, backends)
	{
		if (ctl->output == SL_OUTPUT_TABLE) {
			sl_rows_backend(t, service, prefix, b, &totals);
			continue;
		}
		(void)sl_text_clean(prefix, false, clean, sizeof(clean));
		printf("%s/", clean);
		(void)sl_text_clean(sl_doc_text(b, "name"), false, clean, sizeof(clean));
		printf("%s\n", clean);
	}
}

int sl_cmd_backend_list(struct sl_ctl *ctl)
{
	const char *of = ctl->args.n_words ? ctl->args.words[0] : NULL;
	char path[SL_PATH_LEN] = "/api/v1/status", list[SL_PATH_LEN + 16];
	struct sl_table *t = NULL;
	struct sl_answer a = { 0 };
	const cJSON *s;
	int r = of ? sl_name_service(ctl, of, path) : 0;

	snprintf(list, sizeof(list), "%s%s", path, of ? "/backends" : "");
	if (!r)
		r = sl_call(ctl, "GET", list, NULL, &a);
	if (r)
		return r;
	if (ctl->output == SL_OUTPUT_JSON) {
		sl_doc_print(stdout, a.reply.body, a.reply.len);
		goto out;
	}
	t = sl_rows_backends(0, false);
	if (!t) {
		r = sl_fail(SL_EXIT_ERROR, "out of memory");
		goto out;
	}
	if (of)
		list_add(ctl, t, NULL, of, sl_doc_list(a.root, "items"));
	else
		cJSON_ArrayForEach(s, sl_doc_list(a.root, "services"))
			list_add(ctl, t, s, sl_doc_text(s, "name"), sl_doc_list(s, "backends"));
	if (sl_table_failed(t))
		r = sl_fail(SL_EXIT_ERROR, "out of memory");
	else if (sl_table_rows(t))
		sl_table_print(t, &ctl->look, stdout);
	else if (ctl->output == SL_OUTPUT_TABLE)
		sl_say(ctl, "no backends yet; add one: sluicectl backend add %s/NAME --address A",
		       of ? of : "SERVICE");
out:
	sl_table_free(t);
	sl_answer_done(&a);
	return r;
}

/* "2m10s ago"; "" without a time. */
static const char *ago(const cJSON *b, const char *path, char buf[SL_TEXT_SHORT + 8])
{
	char span[SL_TEXT_SHORT];
	int64_t ms;

	buf[0] = '\0';
	if (sl_doc_time(b, path, &ms))
		snprintf(buf, SL_TEXT_SHORT + 8, "%s ago",
			 sl_text_format_span(sl_clock_wall_ms() - ms, span));
	return buf;
}

static void fact(struct sl_table *t, const char *what)
{
	sl_table_row(t);
	sl_table_cell(t, SL_STYLE_NONE, "%s", what);
}

static void fact_state(struct sl_table *t, const cJSON *b)
{
	const char *state = sl_doc_text(b, "status.state");
	const char *slug = sl_doc_text(b, "status.state_reason");
	const char *message = sl_doc_text(b, "status.message");
	char span[SL_TEXT_SHORT] = "", check[256];
	int64_t ms;

	if (sl_doc_time(b, "status.since", &ms))
		sl_text_format_span(sl_clock_wall_ms() - ms, span);
	fact(t, "state");
	sl_table_cell(t, state[0] ? sl_rows_style(state) : SL_STYLE_NONE, "%s%s%s%s%s%s",
		      state[0] ? state : "unknown", span[0] ? " for " : "", span,
		      slug[0] ? " (" : "", slug, slug[0] ? ")" : "");
	/* Not what stands below anyway: the operator's reason, or the check's words. */
	sl_rows_check(b, check, sizeof(check));
	if (message[0] && strcmp(message, sl_doc_text(b, "reason")) && !strstr(check, message)) {
		fact(t, "message");
		sl_table_cell(t, SL_STYLE_NONE, "%s", message);
	}
	fact(t, "new flows");
	sl_table_cell(t, SL_STYLE_NONE, "%s",
		      sl_doc_is(b, "status.takes_new_flows") ? "taken" : "not taken");
}

static void fact_admin(struct sl_table *t, const cJSON *b)
{
	const char *reason = sl_doc_text(b, "reason");
	const char *then = sl_doc_text(b, "drain.then");
	char left[SL_TEXT_SHORT];

	fact(t, "admin state");
	sl_table_cell(t, SL_STYLE_NONE, "%s%s%s%s", sl_doc_text(b, "admin_state"),
		      reason[0] ? ", \"" : "", reason, reason[0] ? "\"" : "");
	if (!sl_doc_get(b, "drain"))
		return;
	fact(t, "drain");
	sl_table_cell(t, SL_STYLE_NONE, "%s%s%s%s",
		      sl_doc_is(b, "status.drain.complete") ? "complete"
							    : sl_rows_deadline(b, left),
		      sl_doc_is(b, "status.drain.by_deadline") ? " by its deadline" : "",
		      strcmp(then, "drain") ? ", then " : "", strcmp(then, "drain") ? then : "");
}

static void fact_flows(struct sl_table *t, const cJSON *b)
{
	char since[SL_TEXT_SHORT + 8];
	double active, start;

	if (!sl_doc_number(b, "status.flows.active", &active))
		return;
	fact(t, "flows left");
	ago(b, "status.flows.as_of", since);
	if (sl_doc_number(b, "status.flows.at_start", &start))
		sl_table_cell(t, SL_STYLE_NONE, "%.0f of %.0f%s%s", active, start,
			      since[0] ? ", estimated " : "", since);
	else
		sl_table_cell(t, SL_STYLE_NONE, "%.0f%s%s", active, since[0] ? ", estimated " : "",
			      since);
}

static void fact_check(struct sl_table *t, const cJSON *b)
{
	char check[256], last[SL_TEXT_SHORT + 8];

	sl_rows_check(b, check, sizeof(check));
	ago(b, "status.check.last_at", last);
	fact(t, "health");
	sl_table_cell(t, SL_STYLE_NONE, "%s, last check %s%s%s, %.0f checks, %.0f failed",
		      sl_doc_text(b, "status.health"), check, last[0] ? " " : "", last,
		      sl_doc_count(b, "status.check.checks"),
		      sl_doc_count(b, "status.check.failures"));
}

static void fact_forwarding(struct sl_table *t, const cJSON *b)
{
	char buf[SL_ROWS_ADDR_LEN];
	double vlan;

	if (sl_doc_get(b, "status.forwarding")) {
		fact(t, "forwarding");
		sl_table_cell(t, SL_STYLE_NONE, "%s%s",
			      sl_rows_forwarding(sl_doc_get(b, "status.forwarding"), buf),
			      sl_doc_get(b, "forwarding") ? "" : ", as the service says");
	}
	if (sl_doc_number(b, "vlan", &vlan)) {
		fact(t, "vlan");
		sl_table_cell(t, SL_STYLE_NONE, "%.0f%s", vlan,
			      vlan > 0 ? "" : ", tags are removed");
	}
}

static struct sl_table *facts(const cJSON *b)
{
	struct sl_table *t = sl_table_new("", 2, 2);
	char buf[SL_ROWS_ADDR_LEN], n[3][SL_TEXT_SHORT];

	if (!t)
		return NULL;
	fact(t, "address");
	sl_table_cell(t, SL_STYLE_NONE, "%s", sl_rows_address(b, NULL, buf));
	fact_state(t, b);
	fact_admin(t, b);
	fact_flows(t, b);
	fact_check(t, b);
	fact(t, "weight");
	sl_table_cell(t, SL_STYLE_NONE, "%.0f, owns %.0f slots", sl_doc_count(b, "weight"),
		      sl_doc_count(b, "status.table_slots"));
	fact_forwarding(t, b);
	fact(t, "next hop");
	if (sl_doc_is(b, "status.next_hop.resolved"))
		sl_table_cell(t, SL_STYLE_NONE, "%s on %s", sl_doc_text(b, "status.next_hop.mac"),
			      sl_doc_text(b, "status.next_hop.interface"));
	else
		sl_table_cell(t, SL_STYLE_WARN, "not resolved");
	fact(t, "traffic");
	sl_table_cell(t, SL_STYLE_NONE, "%s packets, %s bytes, %s flows begun",
		      sl_text_format_count(sl_doc_count(b, "status.counters.packets"), n[0]),
		      sl_text_format_count(sl_doc_count(b, "status.counters.bytes"), n[1]),
		      sl_text_format_count(sl_doc_count(b, "status.counters.flows"), n[2]));
	return t;
}

int sl_cmd_backend_show(struct sl_ctl *ctl)
{
	struct sl_answer a = { 0 };
	struct sl_table *t = NULL;
	struct sl_target target;
	int r = sl_name_backend(ctl, ctl->args.words[0], &target);

	if (!r)
		r = sl_call(ctl, "GET", target.path, NULL, &a);
	if (r)
		return r;
	if (ctl->output == SL_OUTPUT_JSON) {
		sl_doc_print(stdout, a.reply.body, a.reply.len);
	} else if (ctl->output == SL_OUTPUT_NAME) {
		printf("%s\n", target.label);
	} else {
		t = facts(a.root);
		if (t && !sl_table_failed(t)) {
			printf("%s\n", target.label);
			sl_table_print(t, &ctl->look, stdout);
		} else {
			r = sl_fail(SL_EXIT_ERROR, "out of memory");
		}
	}
	sl_table_free(t);
	sl_answer_done(&a);
	return r;
}
