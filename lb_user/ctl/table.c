/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/ctl/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/ctl/text.h"

#define COLUMNS_MAX 16
#define CELL_MAX    1024 /* bytes; longer text is cut */

struct row {
	char *cells[COLUMNS_MAX];
	enum sl_style styles[COLUMNS_MAX];
	char *note;
};

struct sl_table {
	unsigned n_columns, indent, at; /* at: next cell of the last row */
	char *headers[COLUMNS_MAX];
	size_t widths[COLUMNS_MAX];
	struct row *rows;
	size_t n_rows, size;
	bool failed;
};

struct sl_table *sl_table_new(const char *columns, unsigned n_columns, unsigned indent)
{
	struct sl_table *t = calloc(1, sizeof(*t));
	unsigned i;
	size_t len;

	if (!t)
		return NULL;
	t->n_columns = n_columns < COLUMNS_MAX ? n_columns : COLUMNS_MAX;
	t->indent = indent;
	for (i = 0; i < t->n_columns; i++) {
		len = strcspn(columns, " ");
		t->headers[i] = strndup(columns, len);
		t->failed |= !t->headers[i];
		t->widths[i] = len;
		columns += len + (columns[len] == ' ');
	}
	return t;
}

void sl_table_free(struct sl_table *t)
{
	size_t i, k;

	if (!t)
		return;
	for (i = 0; i < t->n_rows; i++) {
		for (k = 0; k < t->n_columns; k++)
			free(t->rows[i].cells[k]);
		free(t->rows[i].note);
	}
	for (k = 0; k < t->n_columns; k++)
		free(t->headers[k]);
	free(t->rows);
	free(t);
}

void sl_table_row(struct sl_table *t)
{
	struct row *rows;
	size_t size;

	if (t->n_rows == t->size) {
		size = t->size ? t->size * 2 : 16;
		rows = realloc(t->rows, size * sizeof(*rows));
		if (!rows) {
			t->failed = true;
			t->at = t->n_columns; /* cells of the missing row go nowhere */
			return;
		}
		t->rows = rows;
		t->size = size;
	}
	t->rows[t->n_rows++] = (struct row){ 0 };
	t->at = 0;
}

__attribute__((format(printf, 1, 0))) static char *clean_vprintf(const char *fmt, va_list ap)
{
	char draft[CELL_MAX], clean[CELL_MAX];

	if (vsnprintf(draft, sizeof(draft), fmt, ap) < 0)
		draft[0] = '\0';
	(void)sl_text_clean(draft, false, clean, sizeof(clean));
	return strdup(clean);
}

void sl_table_cell(struct sl_table *t, enum sl_style style, const char *fmt, ...)
{
	struct row *row = t->n_rows ? &t->rows[t->n_rows - 1] : NULL;
	size_t width;
	va_list ap;

	if (!row || t->at >= t->n_columns)
		return;
	va_start(ap, fmt);
	row->cells[t->at] = clean_vprintf(fmt, ap);
	va_end(ap);
	row->styles[t->at] = style;
	if (!row->cells[t->at]) {
		t->failed = true;
		return;
	}
	width = sl_text_width(row->cells[t->at]);
	if (width > t->widths[t->at])
		t->widths[t->at] = width;
	t->at++;
}

void sl_table_note(struct sl_table *t, const char *fmt, ...)
{
	struct row *row = t->n_rows ? &t->rows[t->n_rows - 1] : NULL;
	char *more, *all = NULL;
	va_list ap;

	if (!row)
		return;
	va_start(ap, fmt);
	more = clean_vprintf(fmt, ap);
	va_end(ap);
	if (more && row->note && asprintf(&all, "%s, %s", row->note, more) < 0)
		all = NULL;
	if (!more || (row->note && !all)) {
		t->failed = true;
		free(more);
		return;
	}
	if (row->note) {
		free(row->note);
		free(more);
		more = all;
	}
	row->note = more;
}

size_t sl_table_rows(const struct sl_table *t)
{
	return t->n_rows;
}

bool sl_table_failed(const struct sl_table *t)
{
	return t->failed;
}

static const char *style_code(enum sl_style style)
{
	switch (style) {
	case SL_STYLE_GOOD:
		return "\033[32m";
	case SL_STYLE_WARN:
		return "\033[33m";
	case SL_STYLE_BAD:
		return "\033[31;1m";
	case SL_STYLE_DIM:
		return "\033[2m";
	case SL_STYLE_NONE:
		break;
	}
	return NULL;
}

/*
 * Two blanks between columns; one on a terminal where that would make lines too
 * long. Two columns are a list of facts: the second may wrap.
 */
static unsigned gap_of(const struct sl_table *t, const struct sl_look *look)
{
	size_t total = t->indent;
	unsigned k;

	for (k = 0; k < t->n_columns; k++)
		total += t->widths[k] + (k ? 2 : 0);
	return t->n_columns > 2 && look->width && total > look->width ? 1 : 2;
}

/* The number of cells of a row that are not empty at its end. */
static unsigned count_cells(const struct sl_table *t, char *const *cells)
{
	unsigned n = t->n_columns;

	while (n && (!cells[n - 1] || !cells[n - 1][0]))
		n--;
	return n;
}

/* How many of the first @n cells stay on the line; those past the terminal's edge go below. */
static unsigned count_fitting(const struct sl_table *t, char *const *cells, unsigned n,
			      const struct sl_look *look)
{
	size_t used = t->indent;
	unsigned k, gap = gap_of(t, look);

	for (k = 0; k < n && t->n_columns > 2 && look->width; k++) {
		if (k && used + sl_text_width(cells[k] ? cells[k] : "") > look->width)
			return k;
		used += t->widths[k] + gap;
	}
	return n;
}

/* The first @n cells, no blanks after the last. Returns the columns that were used. */
static size_t print_cells(const struct sl_table *t, char *const *cells, unsigned n,
			  const enum sl_style *styles, const struct sl_look *look, FILE *to)
{
	size_t used = t->indent, width, pad;
	unsigned k, gap = gap_of(t, look);
	const char *code;

	fprintf(to, "%*s", (int)t->indent, "");
	for (k = 0; k < n; k++) {
		const char *text = cells[k] ? cells[k] : "";

		code = look->color && styles ? style_code(styles[k]) : NULL;
		width = sl_text_width(text);
		pad = k + 1 < n ? t->widths[k] - width + gap : 0;
		fprintf(to, "%s%s%s%*s", code ? code : "", text, code ? "\033[0m" : "", (int)pad,
			"");
		used += width + pad;
	}
	return used;
}

void sl_table_print_header(const struct sl_table *t, const struct sl_look *look, FILE *to)
{
	unsigned n = count_fitting(t, t->headers, t->n_columns, look);

	if (!look->headers || !n || !t->headers[0] || !t->headers[0][0])
		return;
	(void)print_cells(t, t->headers, n, NULL, look, to);
	fputc('\n', to);
}

void sl_table_print_row(const struct sl_table *t, size_t i, const struct sl_look *look, FILE *to)
{
	const struct row *row = &t->rows[i];
	unsigned n = count_cells(t, row->cells), k = count_fitting(t, row->cells, n, look);
	size_t below = t->indent + t->widths[0] + gap_of(t, look);
	size_t used = print_cells(t, row->cells, k, row->styles, look, to);

	if (k < n) {
		fprintf(to, "\n%*s", (int)below, "");
		used = below;
	}
	for (; k < n; k++) {
		const char *text = row->cells[k] ? row->cells[k] : "";

		fprintf(to, "%s%s", text, k + 1 < n ? "  " : "");
		used += sl_text_width(text) + (k + 1 < n ? 2 : 0);
	}
	if (row->note && look->width && used + 4 + sl_text_width(row->note) > look->width)
		fprintf(to, "\n%*s(%s)", (int)below, "", row->note);
	else if (row->note)
		fprintf(to, "  (%s)", row->note);
	fputc('\n', to);
}

void sl_table_print(const struct sl_table *t, const struct sl_look *look, FILE *to)
{
	size_t i;

	sl_table_print_header(t, look, to);
	for (i = 0; i < t->n_rows; i++)
		sl_table_print_row(t, i, look, to);
}
