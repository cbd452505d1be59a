/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb_user/base/log.h"

static int pipe_fd[2], saved_stderr;

static void capture(void)
{
	cr_assert_eq(pipe(pipe_fd), 0);
	saved_stderr = dup(STDERR_FILENO);
	cr_assert_eq(dup2(pipe_fd[1], STDERR_FILENO), STDERR_FILENO);
	close(pipe_fd[1]);
}

/* All that was written since capture(). */
static const char *captured(char *buf, size_t size)
{
	size_t used = 0;
	ssize_t n;

	cr_assert_eq(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
	while (used + 1 < size && (n = read(pipe_fd[0], buf + used, size - used - 1)) > 0)
		used += (size_t)n;
	buf[used] = 0;
	close(pipe_fd[0]);
	return buf;
}

Test(log, journal_gets_a_priority)
{
	char buf[4096];

	setenv("JOURNAL_STREAM", "8:1", 1);
	capture();
	sl_error("a=%d", 1);
	sl_warn("b");
	sl_info("c");
	sl_debug("not shown");
	cr_assert_str_eq(captured(buf, sizeof(buf)), "<3>error a=1\n<4>warn b\n<6>info c\n");
}

Test(log, terminal_gets_a_time)
{
	char buf[4096];

	unsetenv("JOURNAL_STREAM");
	capture();
	sl_info("hello");
	captured(buf, sizeof(buf));
	cr_assert_eq(strlen(buf), 24 + strlen(" info hello\n"), "%s", buf);
	cr_assert_str_eq(buf + 23, "Z info hello\n");
}

Test(log, levels)
{
	char buf[4096];

	setenv("JOURNAL_STREAM", "8:1", 1);
	capture();
	sl_log_level_set(SL_LOG_DEBUG);
	sl_debug("x");
	sl_log_level_set(SL_LOG_ERROR);
	sl_warn("y");
	sl_error("z");
	cr_assert_str_eq(captured(buf, sizeof(buf)), "<7>debug x\n<3>error z\n");
}

Test(log, one_line_whatever_the_text)
{
	char buf[8192], longtext[5000];

	setenv("JOURNAL_STREAM", "8:1", 1);
	memset(longtext, 'q', sizeof(longtext) - 1);
	longtext[sizeof(longtext) - 1] = 0;
	capture();
	sl_info("a\nb\r\033[2J\x7f\xc2\x9b"
		"é");
	sl_info("%s", longtext);
	captured(buf, sizeof(buf));
	cr_assert(!strncmp(buf, "<6>info a?b??[2J???é\n<6>info qqq", 33), "%s", buf);
	cr_assert_eq(strchr(strchr(buf, '\n') + 1, '\n'), buf + strlen(buf) - 1);
	cr_assert(strlen(buf) < 2200);
}

Test(log, errno_is_left_alone_and_can_be_printed)
{
	char buf[4096];

	setenv("JOURNAL_STREAM", "8:1", 1);
	capture();
	errno = ENOENT;
	sl_error("open: %m");
	cr_assert_eq(errno, ENOENT);
	cr_assert_str_eq(captured(buf, sizeof(buf)), "<3>error open: No such file or directory\n");
}
