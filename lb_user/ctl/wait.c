/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/ctl/wait.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "lb_user/base/clock.h"
#include "lb_user/ctl/commands.h"
#include "lb_user/ctl/text.h"

#define POLL_MS	    500
#define REPORT_MS   10000 /* where lines are kept, not overwritten */
#define BEAR_MS	    10000 /* how long a silent agent may be restarting */
#define LIMIT_MS    120000
#define LINE_LENGTH 512

static volatile sig_atomic_t interrupted;

struct run {
	struct sl_ctl *ctl;
	struct sl_wait *waits;
	size_t n;
	int64_t end_ms;	     /* -1: none */
	int64_t silent_ms;   /* since when the agent does not answer; -1: it does */
	int64_t reported_ms; /* -1: not yet */
	unsigned width;	     /* of the one line that is overwritten; 0: lines are kept */
	bool known;
	int exit_code;
};

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

void sl_wait_init(struct sl_wait *w, const struct sl_target *target, enum sl_goal_kind kind)
{
	*w = (struct sl_wait){ .target = target };
	w->goal.label = target->label;
	w->goal.name = target->backend;
	w->goal.kind = kind;
}

static unsigned line_width(const struct sl_ctl *ctl)
{
	const char *term = getenv("TERM");
	struct winsize ws;

	if (ctl->quiet || !isatty(STDERR_FILENO) || !term || !term[0] || !strcmp(term, "dumb") ||
	    ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) || ws.ws_col < 20)
		return 0;
	return ws.ws_col;
}

static void line_clear(const struct run *run)
{
	if (run->width)
		fputs("\r\033[K", stderr);
}

static int64_t left_ms(const struct run *run)
{
	int64_t left = run->end_ms - sl_clock_ms();

	return run->end_ms < 0 ? -1 : left > 0 ? left : 0;
}

static void finish(struct run *run, struct sl_wait *w, int exit_code)
{
	w->over = true;
	if (!run->exit_code)
		run->exit_code = exit_code;
}

/* An answer that is no 2xx or 404. A 503 (shutting down) counts as silence. */
static void refused(struct run *run, struct sl_wait *w, const struct sl_reply *reply)
{
	if (reply->status == 503 && run->known) {
		if (run->silent_ms < 0)
			run->silent_ms = sl_clock_ms();
		return;
	}
	line_clear(run);
	finish(run, w, sl_call_refused("GET", w->target->path, reply));
}

static void answered(struct run *run, struct sl_wait *w, const struct sl_reply *reply)
{
	char text[SL_GOAL_TEXT] = "";
	enum sl_verdict verdict;
	cJSON *root = NULL;
	int exit_code = 0;

	if (reply->status != 404 && reply->status / 100 != 2) {
		refused(run, w, reply);
		return;
	}
	if (reply->status != 404 &&
	    (sl_doc_parse(reply->body, reply->len, &root) || !cJSON_IsObject(root))) {
		line_clear(run);
		finish(run, w,
		       sl_fail(SL_EXIT_ERROR, "%s: the agent's answer is not understood",
			       w->target->label));
		goto out;
	}
	run->silent_ms = -1;
	run->known = true;
	verdict = sl_goal_judge(&w->goal, reply->status != 404, root, sl_clock_wall_ms(), text,
				&exit_code);
	if (verdict == SL_VERDICT_WAIT)
		goto out;
	line_clear(run);
	if (verdict == SL_VERDICT_DONE) {
		sl_say(run->ctl, "%s", text);
		if (run->ctl->output == SL_OUTPUT_JSON && root)
			sl_doc_print(stdout, reply->body, reply->len);
		if (run->ctl->output == SL_OUTPUT_NAME)
			printf("%s\n", w->target->label);
		sl_call_flush();
	} else {
		(void)sl_fail(exit_code, "%s", text);
	}
	finish(run, w, exit_code);
out:
	cJSON_Delete(root);
}

/* No answer. False: give up. */
static bool unanswered(struct run *run, int code, const struct sl_err *err)
{
	int64_t now = sl_clock_ms();

	if (code == -EINTR || (run->end_ms >= 0 && now >= run->end_ms))
		return true; /* the loop sees why */
	if (run->silent_ms < 0)
		run->silent_ms = now;
	if (run->known && (code == -ECONNREFUSED || code == -EPROTO || code == -ETIMEDOUT) &&
	    now - run->silent_ms < BEAR_MS)
		return true;
	line_clear(run);
	run->exit_code = sl_call_unanswered(code, err);
	return false;
}

static bool ask(struct run *run, struct sl_wait *w)
{
	int64_t left = left_ms(run);
	unsigned limit =
		left >= 0 && left < SL_HTTP_TOTAL_MS ? (unsigned)left + 1 : SL_HTTP_TOTAL_MS;
	struct sl_reply reply = { 0 };
	struct sl_err err = { 0 };
	int r;

	r = sl_http_do(run->ctl->http, "GET", w->target->path, NULL, limit, &reply, &err);
	if (r)
		return unanswered(run, r, &err);
	answered(run, w, &reply);
	sl_reply_done(&reply);
	return true;
}

static void report_line(const struct run *run)
{
	char line[LINE_LENGTH] = "", one[SL_GOAL_TEXT], clean[LINE_LENGTH];
	size_t i, used = 0;

	for (i = 0; i < run->n && used < sizeof(line) - 1; i++) {
		if (run->waits[i].over)
			continue;
		sl_goal_progress(&run->waits[i].goal, sl_clock_wall_ms(), left_ms(run), one);
		snprintf(line + used, sizeof(line) - used, "%s%s", used ? "; " : "", one);
		used = strlen(line);
	}
	if (run->silent_ms >= 0)
		snprintf(line, sizeof(line), "the agent does not answer, trying again");
	(void)sl_text_clean(line, false, clean, sizeof(clean));
	/* One column stays free, or the terminal would wrap. Names are ASCII: bytes are columns. */
	fprintf(stderr, "\r\033[K%.*s", (int)run->width - 1, clean);
}

static void report(struct run *run)
{
	int64_t now = sl_clock_ms();
	char text[SL_GOAL_TEXT];
	size_t i;

	if (run->width) {
		report_line(run);
		return;
	}
	if (run->reported_ms >= 0 && now - run->reported_ms < REPORT_MS)
		return;
	run->reported_ms = now;
	if (run->silent_ms >= 0)
		sl_say(run->ctl, "the agent does not answer, trying again");
	for (i = 0; i < run->n && run->silent_ms < 0; i++) {
		if (run->waits[i].over)
			continue;
		sl_goal_progress(&run->waits[i].goal, sl_clock_wall_ms(), left_ms(run), text);
		sl_say(run->ctl, "%s", text);
	}
}

/* ^C or the time limit, for all that is not over. */
static void leave(struct run *run, bool stopped)
{
	const char *word, *label;
	char text[SL_GOAL_TEXT];
	size_t i;

	line_clear(run);
	for (i = 0; i < run->n; i++) {
		if (run->waits[i].over)
			continue;
		label = run->waits[i].target->label;
		word = sl_goal_word(run->waits[i].goal.kind);
		if (!stopped) {
			sl_goal_timed_out(&run->waits[i].goal, text);
			(void)sl_fail(0, "%s", text);
		} else if (run->waits[i].goal.began) {
			(void)sl_fail(0, "no longer waiting; the drain of %s goes on", label);
		} else {
			(void)sl_fail(0, "no longer waiting for %s", label);
		}
		sl_hint("Continue: sluicectl wait %s --for %s", label, word);
		if (run->waits[i].goal.began)
			sl_hint("%s: sluicectl backend %s %s", stopped ? "Undo" : "Force",
				stopped ? "ready" : "maint", label);
		finish(run, &run->waits[i], stopped ? SL_EXIT_STOPPED : SL_EXIT_TIMED_OUT);
	}
	if (stopped)
		run->exit_code = SL_EXIT_STOPPED;
}

static size_t count_left(const struct run *run)
{
	size_t i, n = 0;

	for (i = 0; i < run->n; i++)
		n += !run->waits[i].over;
	return n;
}

static void loop(struct run *run)
{
	struct timespec pause;
	int64_t left;
	size_t i;

	for (;;) {
		for (i = 0; i < run->n && !interrupted; i++)
			if (!run->waits[i].over && !ask(run, &run->waits[i]))
				return;
		if (!count_left(run))
			return;
		left = left_ms(run);
		if (interrupted || !left) {
			leave(run, interrupted);
			return;
		}
		report(run);
		if (left < 0 || left > POLL_MS)
			left = POLL_MS;
		pause = (struct timespec){ left / 1000, left % 1000 * 1000000L };
		(void)nanosleep(&pause, NULL); /* cut short by ^C */
	}
}

int sl_wait_all(struct sl_ctl *ctl, struct sl_wait *waits, size_t n, uint64_t limit_ms, bool known)
{
	struct run run = { .ctl = ctl,
			   .waits = waits,
			   .n = n,
			   .silent_ms = -1,
			   .reported_ms = -1,
			   .known = known,
			   .end_ms = -1,
			   .width = line_width(ctl) };
	struct sigaction act = { .sa_handler = on_interrupt }, old;

	if (limit_ms)
		run.end_ms = sl_clock_ms() + (int64_t)limit_ms;
	(void)sigemptyset(&act.sa_mask);
	(void)sigaction(SIGINT, &act, &old); /* no SA_RESTART: sleeping ends */
	sl_http_stop_on(ctl->http, &interrupted);
	loop(&run);
	sl_http_stop_on(ctl->http, NULL);
	(void)sigaction(SIGINT, &old, NULL);
	return run.exit_code;
}

const struct sl_flag sl_cmd_wait_flags[] = {
	{ "for", 0, "STATE", "drained, up, down or deleted" },
	{ "timeout", 0, "SPAN", "exit code 8 after it (default 2m; 0: no limit)" },
	{ NULL, 0, NULL, NULL },
};

int sl_cmd_wait(struct sl_ctl *ctl)
{
	const char *word = sl_args_value(&ctl->args, "for");
	size_t i, n = ctl->args.n_words;
	struct sl_target *targets = NULL;
	struct sl_wait *waits = NULL;
	uint64_t limit_ms = LIMIT_MS;
	enum sl_goal_kind kind;
	int r;

	if (!word || !sl_goal_parse(word, &kind))
		return sl_fail_usage(ctl, "wait needs --for drained, up, down or deleted");
	r = sl_name_span(ctl, "timeout", &limit_ms);
	if (!r)
		r = sl_name_backends(ctl, &targets);
	if (r)
		return r;
	waits = calloc(n, sizeof(*waits));
	if (!waits) {
		r = sl_fail(SL_EXIT_ERROR, "out of memory");
		goto out;
	}
	for (i = 0; i < n; i++)
		sl_wait_init(&waits[i], &targets[i], kind);
	r = sl_wait_all(ctl, waits, n, limit_ms, false);
out:
	free(waits);
	free(targets);
	return r;
}
