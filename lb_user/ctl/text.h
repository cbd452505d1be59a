/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_CTL_TEXT_H
#define LB_USER_CTL_TEXT_H

/*
 * text: what people read and type: numbers, durations, names, and text of
 * others made safe for a terminal.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_TEXT_SHORT 32 /* enough for each sl_text_format_* */

/*
 * Copies @in so that a terminal only prints it: control characters, invisible
 * and direction-changing code points and bad UTF-8 become '?', one for each.
 * Never longer than @in; cut at a code point when @size is too small. Returns
 * the length. @keep_lines lets '\n' and '\t' through.
 */
size_t sl_text_clean(const char *in, bool keep_lines, char *out, size_t size);

/* Length of the code point at @p (bad bytes are 1 long); *ret_safe as above. @p is not at its end.
 */
size_t sl_text_step(const char *p, bool *ret_safe);

/* Code points of clean text: its columns, for the scripts that names are written in. */
size_t sl_text_width(const char *clean);

/* 0..999 as is, then three digits and K, M, G, T, P, E of 1000: "1.23K", "12.3M", "123G". */
const char *sl_text_format_count(double n, char buf[SL_TEXT_SHORT]);

/* The two largest units: "3d4h", "2m10s", "12s", "5m"; negative counts as 0. */
const char *sl_text_format_span(int64_t ms, char buf[SL_TEXT_SHORT]);

/*
 * "250ms", "2s", "5m", "1h", "1d", parts together ("1m30s"), a bare number is
 * seconds. At most ten years. Returns 0 or -EINVAL.
 */
int sl_text_parse_span(const char *text, uint64_t *ret_ms);

/* Decimal digits only, at most @max. Returns 0 or -EINVAL. */
int sl_text_parse_number(const char *text, uint64_t max, uint64_t *ret);

/* 1..63 of [a-z0-9._-], first and last alphanumeric: also safe as a part of a path. */
bool sl_text_is_name(const char *text, size_t len);

/* Number of edits (insert, delete, replace, swap neighbours) from @a to @b, long words: SIZE_MAX.
 */
size_t sl_text_distance(const char *a, const char *b);

#endif
