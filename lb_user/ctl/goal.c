/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/ctl/goal.h"

#include <stdio.h>
#include <string.h>

#include "lb_user/ctl/ctl.h"
#include "lb_user/ctl/rows.h"

static const char *const words[] = {
	[SL_GOAL_DRAINED] = "drained",
	[SL_GOAL_UP] = "up",
	[SL_GOAL_DOWN] = "down",
	[SL_GOAL_DELETED] = "deleted",
};

bool sl_goal_parse(const char *word, enum sl_goal_kind *ret)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(word, words[i])) {
			*ret = (enum sl_goal_kind)i;
			return true;
		}
	}
	return false;
}

const char *sl_goal_word(enum sl_goal_kind kind)
{
	return words[kind];
}

/* What the answer says of the drain and the check, kept for when the backend is gone. */
static void remember(struct sl_goal *g, const cJSON *b)
{
	snprintf(g->state, sizeof(g->state), "%s", sl_doc_text(b, "status.state"));
	sl_rows_check(b, g->check, sizeof(g->check));
	if (strcmp(sl_doc_text(b, "admin_state"), "drain"))
		return;
	if (sl_doc_text(b, "drain.then")[0])
		snprintf(g->then, sizeof(g->then), "%s", sl_doc_text(b, "drain.then"));
	g->has_deadline = sl_doc_time(b, "drain.deadline", &g->deadline_ms);
	g->counted = sl_doc_number(b, "status.flows.active", &g->active);
	g->has_start = sl_doc_number(b, "status.flows.at_start", &g->at_start);
}

static enum sl_verdict done(const struct sl_goal *g, bool by_deadline, const char *more,
			    char text[SL_GOAL_TEXT], int *ret_exit)
{
	*ret_exit = SL_EXIT_OK;
	if (!by_deadline)
		snprintf(text, SL_GOAL_TEXT, "%s drained%s%s", g->label, more[0] ? " and " : "",
			 more);
	else if (g->counted)
		snprintf(text, SL_GOAL_TEXT, "%s drained at its deadline with %.0f flow%s left%s%s",
			 g->label, g->active, g->active == 1 ? "" : "s", more[0] ? ", and " : "",
			 more);
	else
		snprintf(text, SL_GOAL_TEXT, "%s drained at its deadline, flows not counted%s%s",
			 g->label, more[0] ? ", and " : "", more);
	return SL_VERDICT_DONE;
}

static enum sl_verdict failed(int exit_code, const struct sl_goal *g, const char *what,
			      char text[SL_GOAL_TEXT], int *ret_exit)
{
	*ret_exit = exit_code;
	snprintf(text, SL_GOAL_TEXT, "%s %s", g->label, what);
	return SL_VERDICT_FAILED;
}

/* The backend left the draining state behind; was it the deadline that ended it? */
static bool over_by_deadline(const struct sl_goal *g, int64_t now_ms)
{
	return g->has_deadline && now_ms >= g->deadline_ms && (!g->counted || g->active > 0);
}

static enum sl_verdict judge_drained(struct sl_goal *g, bool exists, const cJSON *b, int64_t now_ms,
				     char text[SL_GOAL_TEXT], int *ret_exit)
{
	const char *admin = sl_doc_text(b, "admin_state");

	if (!exists && g->began && !strcmp(g->then, "delete"))
		return done(g, over_by_deadline(g, now_ms), "deleted", text, ret_exit);
	if (!exists)
		return failed(SL_EXIT_NOT_FOUND, g,
			      g->began ? "is gone: somebody deleted it while it drained"
				       : "does not exist",
			      text, ret_exit);
	if (!strcmp(admin, "drain")) {
		g->began = true;
		if (!sl_doc_is(b, "status.drain.complete") && strcmp(g->state, "drained"))
			return SL_VERDICT_WAIT;
		if (!strcmp(g->then, "delete")) /* about to vanish */
			return SL_VERDICT_WAIT;
		return done(g, sl_doc_is(b, "status.drain.by_deadline"), "", text, ret_exit);
	}
	if (!strcmp(admin, "maint") && (!g->began || !strcmp(g->then, "maint")))
		return done(g, g->began && over_by_deadline(g, now_ms), "in maintenance", text,
			    ret_exit);
	if (!strcmp(admin, "maint"))
		return failed(SL_EXIT_CONFLICT, g, "was put in maintenance before it was drained",
			      text, ret_exit);
	return failed(SL_EXIT_CONFLICT, g,
		      g->began ? "is no longer draining: somebody made it ready again"
			       : "is not draining",
		      text, ret_exit);
}

enum sl_verdict sl_goal_judge(struct sl_goal *g, bool exists, const cJSON *backend, int64_t now_ms,
			      char text[SL_GOAL_TEXT], int *ret_exit)
{
	if (exists)
		remember(g, backend);
	if (g->kind == SL_GOAL_DRAINED)
		return judge_drained(g, exists, backend, now_ms, text, ret_exit);
	if (g->kind == SL_GOAL_DELETED ? exists : exists && strcmp(g->state, words[g->kind]))
		return SL_VERDICT_WAIT;
	if (g->kind != SL_GOAL_DELETED && !exists)
		return failed(SL_EXIT_NOT_FOUND, g, "does not exist", text, ret_exit);
	*ret_exit = SL_EXIT_OK;
	snprintf(text, SL_GOAL_TEXT, "%s %s", g->label, words[g->kind]);
	return SL_VERDICT_DONE;
}

static void progress_drain(const struct sl_goal *g, int64_t now_ms, char text[SL_GOAL_TEXT])
{
	char flows[96], left[SL_TEXT_SHORT + 8], span[SL_TEXT_SHORT];

	if (!g->counted)
		snprintf(flows, sizeof(flows), "flows not counted");
	else if (g->has_start && g->at_start >= g->active)
		snprintf(flows, sizeof(flows), "%.0f -> %.0f flows", g->at_start, g->active);
	else
		snprintf(flows, sizeof(flows), "%.0f flows", g->active);
	if (!g->has_deadline)
		snprintf(left, sizeof(left), "no deadline");
	else if (g->deadline_ms <= now_ms)
		snprintf(left, sizeof(left), "deadline reached");
	else
		snprintf(left, sizeof(left), "%s left",
			 sl_text_format_span(g->deadline_ms - now_ms + 999, span));
	/* At 0 it may take the idle timeout until no silent flow can be left: say why it waits. */
	snprintf(text, SL_GOAL_TEXT, "draining %s: %s%s, %s", g->name, flows,
		 g->counted && g->active < 1 ? " (silent ones may remain)" : "", left);
}

void sl_goal_progress(const struct sl_goal *g, int64_t now_ms, int64_t left_ms,
		      char text[SL_GOAL_TEXT])
{
	char span[SL_TEXT_SHORT], left[SL_TEXT_SHORT + 8] = "";

	if (g->kind == SL_GOAL_DRAINED && g->began) {
		progress_drain(g, now_ms, text);
		return;
	}
	if (left_ms >= 0)
		snprintf(left, sizeof(left), ", %s left", sl_text_format_span(left_ms + 999, span));
	snprintf(text, SL_GOAL_TEXT, "waiting for %s to be %s: %s%s%s%s", g->label, words[g->kind],
		 g->state[0] ? g->state : "unknown", strcmp(g->check, "-") ? ", check " : "",
		 strcmp(g->check, "-") ? g->check : "", left);
}

void sl_goal_timed_out(const struct sl_goal *g, char text[SL_GOAL_TEXT])
{
	if (g->kind == SL_GOAL_DRAINED && g->counted)
		snprintf(text, SL_GOAL_TEXT, "%s: timed out with %.0f flow%s left; still draining",
			 g->label, g->active, g->active == 1 ? "" : "s");
	else if (g->kind == SL_GOAL_DRAINED)
		snprintf(text, SL_GOAL_TEXT, "%s: timed out; still draining", g->label);
	else
		snprintf(text, SL_GOAL_TEXT, "%s: timed out waiting for %s; it is %s", g->label,
			 words[g->kind], g->state[0] ? g->state : "unknown");
}
