/* SPDX-License-Identifier: BSD-2-Clause */
/* codec_known: members that nobody knows are refused, with the name that was perhaps meant. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lb_user/domain/codec_internal.h"

#define LEN_MAX 24 /* of a member name worth comparing */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* "Port" and "health-check" are the habits of other programs. */
static char fold(char c)
{
	return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

/*
 * Edits between two names: insert, delete, change, swap neighbours (optimal
 * string alignment). More than LEN_MAX where either is longer.
 */
static size_t distance(const char *a, const char *b)
{
	size_t rows[LEN_MAX + 1][LEN_MAX + 1];
	size_t n = strlen(a), m = strlen(b), i, k;

	if (n > LEN_MAX || m > LEN_MAX)
		return LEN_MAX + 1;
	for (i = 0; i <= n; i++)
		rows[i][0] = i;
	for (k = 0; k <= m; k++)
		rows[0][k] = k;
	for (i = 1; i <= n; i++) {
		for (k = 1; k <= m; k++) {
			rows[i][k] = min3(rows[i - 1][k] + 1, rows[i][k - 1] + 1,
					  rows[i - 1][k - 1] + (fold(a[i - 1]) != fold(b[k - 1])));
			if (i > 1 && k > 1 && fold(a[i - 1]) == fold(b[k - 2]) &&
			    fold(a[i - 2]) == fold(b[k - 1]) && rows[i - 2][k - 2] + 1 < rows[i][k])
				rows[i][k] = rows[i - 2][k - 2] + 1;
		}
	}
	return rows[n][m];
}

/* The known name that @name was perhaps meant to be, or NULL. */
static const char *closest(const char *name, const char *const known[])
{
	size_t len = strlen(name), best = len / 3 + 1, d, i;
	const char *found = NULL;

	if (best > 4)
		best = 4;
	for (i = 0; known[i]; i++) {
		d = distance(name, known[i]);
		if (len >= 3 && !strncmp(name, known[i], len) && d > 1)
			d = 1; /* "addr", "proto" */
		if (d < best || (d == best && !found && d < len)) {
			best = d;
			found = known[i];
		}
	}
	return found;
}

static bool listed(const char *name, const char *const list[])
{
	size_t i;

	for (i = 0; list && list[i]; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

int sl_field_known(const struct sl_at *at, const char *const known[], const char *const ignored[],
		   struct sl_err *err)
{
	char all[256] = "";
	const char *meant;
	const cJSON *m;
	size_t i, used = 0;
	int clip;

	for (m = at->node->child; m; m = m->next)
		if (!listed(m->string, known) && !listed(m->string, ignored))
			break;
	if (!m)
		return 0;
	clip = sl_text_clip(m->string, 64);
	meant = closest(m->string, known);
	if (meant)
		return sl_at_fail(at, m->string, -ENOKEY, err,
				  "there is no member \"%.*s\"; did you mean \"%s\"?", clip,
				  m->string, meant);
	for (i = 0; known[i] && used < sizeof(all); i++)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i ? ", " : "",
					 known[i]);
	return sl_at_fail(at, m->string, -ENOKEY, err,
			  "there is no member \"%.*s\"; remove it (known are: %s)", clip, m->string,
			  all);
}
