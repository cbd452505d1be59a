/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_CTL_GOAL_H
#define LB_USER_CTL_GOAL_H

/*
 * goal: whether a backend has reached what is waited for. Judges one answer
 * after the other; asks nobody and waits for nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

enum sl_goal_kind { SL_GOAL_DRAINED, SL_GOAL_UP, SL_GOAL_DOWN, SL_GOAL_DELETED };
enum sl_verdict { SL_VERDICT_WAIT, SL_VERDICT_DONE, SL_VERDICT_FAILED };

#define SL_GOAL_TEXT 400

struct sl_goal {
	const char *label; /* "web/web-2" */
	const char *name;  /* "web-2" */
	enum sl_goal_kind kind;
	bool began;    /* the drain was seen, or is ours; set it for our own */
	char then[16]; /* of the drain, "" while unknown */
	/* of the latest answer: */
	bool counted, has_start, has_deadline;
	double active, at_start;
	int64_t deadline_ms;
	char state[32], check[200];
};

/*
 * @exists: the answer was not "not found"; then @backend is its object.
 * @now_ms: wall clock. *ret_exit and @text (what to tell) go with DONE and FAILED.
 */
enum sl_verdict sl_goal_judge(struct sl_goal *g, bool exists, const cJSON *backend, int64_t now_ms,
			      char text[SL_GOAL_TEXT], int *ret_exit);

/* "draining web-2: 1893 -> 412 flows, 1m12s left"; @left_ms of the waiting, < 0: no limit. */
void sl_goal_progress(const struct sl_goal *g, int64_t now_ms, int64_t left_ms,
		      char text[SL_GOAL_TEXT]);

/* "timed out with 37 flows left; still draining" and so on. */
void sl_goal_timed_out(const struct sl_goal *g, char text[SL_GOAL_TEXT]);

/* "drained", "up"...; false: no such word. */
bool sl_goal_parse(const char *word, enum sl_goal_kind *ret);
const char *sl_goal_word(enum sl_goal_kind kind);

#endif
