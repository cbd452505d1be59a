/* SPDX-License-Identifier: BSD-2-Clause */
/* say: messages on stderr. They may quote the agent, so all are cleaned. */
#include <stdarg.h>
#include <stdio.h>

#include "lb_user/ctl/ctl.h"
#include "lb_user/ctl/text.h"

#define LINE_MAX_LEN 2048

__attribute__((format(printf, 2, 0))) static void say_line(const char *before, const char *fmt,
							   va_list ap)
{
	char draft[LINE_MAX_LEN], clean[LINE_MAX_LEN];

	if (vsnprintf(draft, sizeof(draft), fmt, ap) < 0)
		draft[0] = '\0';
	(void)sl_text_clean(draft, false, clean, sizeof(clean));
	fprintf(stderr, "%s%s\n", before, clean);
}

void sl_say(const struct sl_ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	if (ctl->quiet)
		return;
	va_start(ap, fmt);
	say_line("", fmt, ap);
	va_end(ap);
}

int sl_fail(int exit_code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line("sluicectl: ", fmt, ap);
	va_end(ap);
	return exit_code;
}

void sl_hint(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line("  ", fmt, ap);
	va_end(ap);
}

int sl_fail_usage(const struct sl_ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line("sluicectl: ", fmt, ap);
	va_end(ap);
	if (ctl->command)
		sl_hint("usage: sluicectl %s%s%s   (more: sluicectl help %s)", ctl->command->words,
			ctl->command->usage[0] ? " " : "", ctl->command->usage,
			ctl->command->words);
	return SL_EXIT_USAGE;
}
