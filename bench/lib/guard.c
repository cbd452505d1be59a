/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/lib/guard.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Signals that end us, and the child's end, which are waited for. */
static void awaited(sigset_t *ret)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD };

	sigemptyset(ret);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(ret, signals[i]);
}

/* The child has ended, or is made to. Returns the exit status. */
static int wait_for(pid_t child, const sigset_t *set)
{
	int status = 0, by = 0;

	while (waitpid(child, &status, by ? 0 : WNOHANG) != child) {
		int got = 0;

		if (by || sigwait(set, &got) || got == SIGCHLD)
			continue;
		by = got;
		kill(child, SIGKILL);
	}
	if (by)
		return 128 + by;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int sl_guard_run(int (*work)(void *user), void (*clean)(void *user), void *user)
{
	pid_t parent = getpid(), child;
	sigset_t set, before;
	int r = 1;

	awaited(&set);
	sigprocmask(SIG_BLOCK, &set, &before);
	fflush(NULL);
	child = fork();
	if (!child) {
		/* first, so that a signal in between finds a child that dies of it */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		sigprocmask(SIG_SETMASK, &before, NULL);
		exit(work(user));
	}
	if (child < 0)
		fprintf(stderr, "bench: fork: %s\n", strerror(errno));
	else
		r = wait_for(child, &set);
	clean(user);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}
