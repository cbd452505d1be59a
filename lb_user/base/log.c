/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb_user/base/clock.h"

/* A longer line is cut; one write() of it is not torn apart by other writers of a pipe. */
#define LINE_MAX_LEN 2048

static enum sl_log_level level_max = SL_LOG_INFO;

void sl_log_level_set(enum sl_log_level level)
{
	level_max = level;
}

static const char *level_name(enum sl_log_level level)
{
	switch (level) {
	case SL_LOG_ERROR:
		return "error";
	case SL_LOG_WARN:
		return "warn";
	case SL_LOG_INFO:
		return "info";
	case SL_LOG_DEBUG:
		return "debug";
	}
	return "?";
}

/*
 * A name from outside must not fake a line or drive a terminal: C0, DEL, and
 * C1 in its UTF-8 form (c2 80..9f).
 */
static void defuse(char *text)
{
	unsigned char *p = (unsigned char *)text;

	for (; *p; p++) {
		if (*p < 0x20 || *p == 0x7f) {
			*p = '?';
		} else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) {
			*p++ = '?';
			*p = '?';
		}
	}
}

static size_t prefix(char *buf, size_t size, enum sl_log_level level)
{
	const char *journal = getenv("JOURNAL_STREAM");
	char when[SL_CLOCK_STRLEN];
	int n;

	if (journal && *journal)
		n = snprintf(buf, size, "<%d>%s ", (int)level, level_name(level));
	else
		n = snprintf(buf, size, "%s %s ", sl_clock_format(sl_clock_wall_ms(), when),
			     level_name(level));
	return n < 0 ? 0 : (size_t)n;
}

void sl_log(enum sl_log_level level, const char *fmt, ...)
{
	int saved = errno;
	char line[LINE_MAX_LEN];
	const char *p = line;
	size_t left;
	va_list args;
	ssize_t n;

	if (level > level_max)
		return;
	left = prefix(line, sizeof(line), level);
	errno = saved; /* for %m */
	va_start(args, fmt);
	if (vsnprintf(line + left, sizeof(line) - left - 1, fmt, args) < 0)
		line[left] = 0;
	va_end(args);
	defuse(line + left);
	left = strlen(line);
	line[left++] = '\n';
	while (left) {
		n = write(STDERR_FILENO, p, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* nobody to tell */
		p += n;
		left -= (size_t)n;
	}
	errno = saved;
}
