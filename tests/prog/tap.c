/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned passed, failed;

static __attribute__((format(printf, 2, 0))) void print_failure(const char *name, const char *fmt,
								va_list ap)
{
	failed++;
	printf("not ok - %s: ", name);
	vprintf(fmt, ap);
	putchar('\n');
}

bool sl_tap(bool ok, const char *name, const char *fmt, ...)
{
	va_list ap;

	if (ok) {
		passed++;
		printf("ok - %s\n", name);
		return true;
	}
	va_start(ap, fmt);
	print_failure(name, fmt, ap);
	va_end(ap);
	return false;
}

void sl_tap_note(const char *fmt, ...)
{
	va_list ap;

	fputs("# ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void sl_tap_bail(const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_failure(name, fmt, ap);
	va_end(ap);
	exit(sl_tap_done());
}

int sl_tap_done(void)
{
	printf("%u passed, %u failed\n", passed, failed);
	fflush(stdout);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
