/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_CTL_TABLE_H
#define LB_USER_CTL_TABLE_H

/*
 * table: aligned columns. Cells are cleaned for the terminal when they are
 * added. Memory trouble is remembered and reported once, by sl_table_failed().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum sl_style { SL_STYLE_NONE, SL_STYLE_GOOD, SL_STYLE_WARN, SL_STYLE_BAD, SL_STYLE_DIM };

struct sl_look {
	bool headers, color;
	unsigned width; /* of the terminal; 0: not one, lines may be of any length */
};

struct sl_table;

/* @columns: space-separated, at most 16, "" for no header line. NULL if memory is short. */
struct sl_table *sl_table_new(const char *columns, unsigned n_columns, unsigned indent);
void sl_table_free(struct sl_table *t);

void sl_table_row(struct sl_table *t);
void sl_table_cell(struct sl_table *t, enum sl_style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Text in brackets after the last cell; more notes of a row are joined by ", ". */
void sl_table_note(struct sl_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

size_t sl_table_rows(const struct sl_table *t);
bool sl_table_failed(const struct sl_table *t);

void sl_table_print_header(const struct sl_table *t, const struct sl_look *look, FILE *to);
void sl_table_print_row(const struct sl_table *t, size_t row, const struct sl_look *look, FILE *to);
void sl_table_print(const struct sl_table *t, const struct sl_look *look, FILE *to);

#endif
