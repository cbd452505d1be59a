/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/expo.h"

#include <inttypes.h>

void sl_expo_family(FILE *out, const char *name, const char *type, const char *help)
{
	(void)fprintf(out, "# HELP sluice_%s %s\n# TYPE sluice_%s %s\n", name, help, name, type);
}

static void label(FILE *out, char before, const char *key, const char *text)
{
	(void)fprintf(out, "%c%s=\"", before, key);
	for (; *text; text++) {
		if (*text == '\n')
			(void)fputs("\\n", out);
		else if (*text == '\\' || *text == '"')
			(void)fprintf(out, "\\%c", *text);
		else
			(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

void sl_expo_plain(FILE *out, const char *name, const char *type, const char *help, uint64_t value)
{
	sl_expo_family(out, name, type, help);
	(void)fprintf(out, "sluice_%s %" PRIu64 "\n", name, value);
}

void sl_expo_open(FILE *out, const char *name, const char *key, const char *text)
{
	(void)fprintf(out, "sluice_%s", name);
	label(out, '{', key, text);
}

void sl_expo_label(FILE *out, const char *key, const char *text)
{
	label(out, ',', key, text);
}

void sl_expo_close(FILE *out, uint64_t value)
{
	(void)fprintf(out, "} %" PRIu64 "\n", value);
}

void sl_expo_one(FILE *out, const char *name, const char *key, const char *text, uint64_t value)
{
	sl_expo_open(out, name, key, text);
	sl_expo_close(out, value);
}
