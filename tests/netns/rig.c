/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig: the client of the lab. It holds many keep-alive HTTP/1.1 connections and
 * sends numbered requests over each; every answer must come from the backend
 * that gave the first one and must quote the number. Beside them it opens new
 * connections at a steady rate, one request each.
 *
 * broken: a held connection was reset, closed, stood still, or was answered by
 *         another backend. It is not opened again.
 * failed: a new connection did not get its answer.
 * gone:   a held connection broke on a backend named in --expect-gone.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/netns/rig_conn.h"
#include "tests/netns/rig_options.h"
#include "tests/netns/rig_report.h"

#define TICK_MS	  5
#define HOLD_STEP 20 /* connections opened per tick while the held ones come up */

static struct rig_conn *conns; /* the held ones first */
static uint32_t n_conns, n_opened;
static volatile sig_atomic_t stop;

/* What is due by time: requests of held connections, deadlines. */
static void scan(int64_t now, bool asking)
{
	static int64_t next;
	uint32_t i;

	if (now < next)
		return;
	next = now + TICK_MS;
	for (i = 0; i < n_conns; i++) {
		struct rig_conn *c = &conns[i];

		if (c->phase == RIG_RESTING && asking && now >= c->next_ms)
			rig_conn_ask(c, now);
		else if ((c->phase == RIG_CONNECTING || c->phase == RIG_WAITING) &&
			 now >= c->deadline_ms)
			rig_conn_lost(c, c->phase == RIG_CONNECTING ? "no connection in time"
								    : "no answer in time");
	}
}

static void open_at(uint32_t at, bool held, int64_t now)
{
	rig_conn_open(&conns[at], at, held, now);
}

static void open_new(int64_t now, int64_t start)
{
	static uint32_t place;
	uint64_t want = (uint64_t)(now - start) * rig_opt.rate / 1000;
	uint32_t room = n_conns - rig_opt.hold, tries;

	if (rig_opt.new_max && want > rig_opt.new_max)
		want = rig_opt.new_max;
	while (rig_counts.new_begun < want) {
		for (tries = 0; tries < room; tries++)
			if (conns[rig_opt.hold + place++ % room].phase == RIG_CLOSED)
				break;
		if (tries == room)
			return; /* later: every place ends by its deadline */
		rig_counts.new_begun++;
		open_at(rig_opt.hold + (place - 1) % room, false, now);
	}
}

/* Every held connection has come up or has already broken. */
static bool all_held(void)
{
	return n_opened == rig_opt.hold &&
	       rig_counts.held_up + rig_counts.broken + rig_counts.gone >= rig_opt.hold;
}

/* All the new connections that were asked for have ended, and none is held. */
static bool all_new_done(void)
{
	return rig_opt.new_max && !rig_opt.hold &&
	       rig_counts.new_ok + rig_counts.failed >= rig_opt.new_max;
}

static void run(void)
{
	enum { RAMP, GO, FINISH } stage = RAMP;
	int64_t now = rig_now_ms(), start = 0;
	int i;

	while (stage != FINISH || rig_conn_busy()) {
		rig_conn_wait(TICK_MS);
		now = rig_now_ms();
		scan(now, stage != FINISH);
		for (i = 0; stage == RAMP && i < HOLD_STEP && n_opened < rig_opt.hold; i++)
			open_at(n_opened++, true, now);
		if (stage == RAMP && all_held()) {
			stage = GO;
			start = now;
			rig_report_ready();
		}
		if (stage == GO && rig_opt.rate)
			open_new(now, start);
		if (stop || (stage == GO && (now - start >= rig_opt.duration_ms || all_new_done())))
			stage = FINISH;
		rig_report_progress(now, false);
	}
	rig_report_progress(now, true);
}

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* A new connection lives at most new_ms, so this many can be open at once. */
static void make_room(void)
{
	struct rlimit lim;
	uint32_t i;

	n_conns = rig_opt.hold + rig_opt.rate * (uint32_t)(rig_opt.new_ms / 1000 + 1);
	if (!getrlimit(RLIMIT_NOFILE, &lim) && lim.rlim_cur < n_conns + 32) {
		lim.rlim_cur = n_conns + 32;
		if (lim.rlim_max < lim.rlim_cur)
			lim.rlim_max = lim.rlim_cur;
		if (setrlimit(RLIMIT_NOFILE, &lim))
			rig_die("cannot raise the number of open files", strerror(errno));
	}
	conns = calloc(n_conns ? n_conns : 1, sizeof(*conns));
	if (!conns)
		rig_die("cannot start", strerror(ENOMEM));
	for (i = 0; i < n_conns; i++)
		conns[i].fd = -1;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	uint32_t i;
	int err;

	rig_options_parse(argc, argv);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	make_room();
	err = rig_conn_start();
	if (err)
		rig_die("cannot start", strerror(-err));
	run();
	rig_report_text(rig_opt.json ? stderr : stdout);
	if (rig_opt.json)
		rig_report_json();
	if (rig_opt.log)
		fclose(rig_opt.log);
	for (i = 0; i < n_conns; i++)
		if (conns[i].fd >= 0)
			close(conns[i].fd);
	free(conns);
	return rig_counts.broken || rig_counts.failed ? 1 : 0;
}
