/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/lib/report.h"

#include <stdlib.h>

void sl_report_machine(FILE *f, const struct sl_machine *m)
{
	for (unsigned i = 0; i < m->n; i++)
		fprintf(f, "%-26s %s\n", m->fact[i].name, m->fact[i].text);
}

void sl_report_string(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', f);
		if ((unsigned char)*text >= ' ')
			fputc(*text, f);
	}
	fputc('"', f);
}

void sl_report_meta(FILE *f, const struct sl_machine *m)
{
	const char *commit = getenv("SL_COMMIT");

	for (unsigned i = 0; i < m->n; i++) {
		fprintf(f, "\"%s\":", m->fact[i].name);
		sl_report_string(f, m->fact[i].text);
		fputs(",\n", f);
	}
	fputs("\"commit\":", f);
	sl_report_string(f, commit ? commit : "?");
	fputs(",\n", f);
}
