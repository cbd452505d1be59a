/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/ctl/stop.h"

#include <signal.h>
#include <time.h>

static volatile sig_atomic_t stopped;
static struct sigaction old_int, old_term;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

void sl_stop_begin(struct sl_ctl *ctl)
{
	struct sigaction act = { .sa_handler = on_signal }; /* no SA_RESTART: sleeping ends */

	(void)sigemptyset(&act.sa_mask);
	(void)sigaction(SIGINT, &act, &old_int);
	(void)sigaction(SIGTERM, &act, &old_term);
	sl_http_stop_on(ctl->http, &stopped);
}

bool sl_stop_wanted(void)
{
	return stopped;
}

void sl_stop_end(struct sl_ctl *ctl)
{
	sl_http_stop_on(ctl->http, NULL);
	(void)sigaction(SIGINT, &old_int, NULL);
	(void)sigaction(SIGTERM, &old_term, NULL);
}

void sl_stop_pause(unsigned ms)
{
	const struct timespec pause = { ms / 1000, ms % 1000 * 1000000L };

	(void)nanosleep(&pause, NULL);
}
