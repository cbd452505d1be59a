/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/ctl/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lb_user/domain/model.h"

#define SPAN_MAX_MS (10ull * 365 * 86400 * 1000)
#define WORD_MAX    32

/* Length of the well-formed UTF-8 sequence at @p, 0 if there is none. */
static size_t utf8_read(const unsigned char *p, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t cp;
	size_t len, i;

	if (p[0] < 0x80) {
		*ret = p[0];
		return 1;
	}
	if ((p[0] & 0xe0) == 0xc0)
		len = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		len = 3;
	else if ((p[0] & 0xf8) == 0xf0)
		len = 4;
	else
		return 0;
	cp = p[0] & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80) /* stops at the final 0 as well */
			return 0;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < least[len] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret = cp;
	return len;
}

static bool is_safe(uint32_t cp)
{
	static const struct {
		uint32_t first, last;
	} bad[] = {
		{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad }, /* controls, soft hyphen */
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, /* zero width, bidi */
		{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (cp >= bad[i].first && cp <= bad[i].last)
			return false;
	return true;
}

size_t sl_text_step(const char *p, bool *ret_safe)
{
	uint32_t cp = 0;
	size_t len = utf8_read((const unsigned char *)p, &cp);

	*ret_safe = len && is_safe(cp);
	return len ? len : 1;
}

size_t sl_text_clean(const char *in, bool keep_lines, char *out, size_t size)
{
	size_t n = 0, len;
	bool safe;

	if (!size)
		return 0;
	for (; *in; in += len) {
		len = sl_text_step(in, &safe);
		if (keep_lines && (*in == '\n' || *in == '\t'))
			safe = true;
		if (n + (safe ? len : 1) >= size)
			break;
		if (safe) {
			memcpy(out + n, in, len);
			n += len;
		} else {
			out[n++] = '?';
		}
	}
	out[n] = '\0';
	return n;
}

size_t sl_text_width(const char *clean)
{
	size_t n = 0;

	for (; *clean; clean++)
		n += ((unsigned char)*clean & 0xc0) != 0x80;
	return n;
}

const char *sl_text_format_count(double n, char buf[SL_TEXT_SHORT])
{
	static const char units[] = "KMGTPE";
	size_t u = 0;

	if (!(n > 0)) /* also NaN */
		n = 0;
	n = floor(n);
	if (n < 1000) {
		snprintf(buf, SL_TEXT_SHORT, "%.0f", n);
		return buf;
	}
	/* 999.5 of a unit would print as 1000 */
	for (n /= 1000; n >= 999.5 && units[u + 1]; n /= 1000)
		u++;
	if (n >= 999999)
		n = 999999;
	snprintf(buf, SL_TEXT_SHORT,
		 n < 9.995   ? "%.2f%c"
		 : n < 99.95 ? "%.1f%c"
			     : "%.0f%c",
		 n, units[u]);
	return buf;
}

const char *sl_text_format_span(int64_t ms, char buf[SL_TEXT_SHORT])
{
	static const struct {
		unsigned long long seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	unsigned long long s = ms > 0 ? (unsigned long long)ms / 1000 : 0, second;
	size_t u;
	int n;

	for (u = 0; u < 3 && s < units[u].seconds; u++)
		;
	n = snprintf(buf, SL_TEXT_SHORT, "%llu%c", s / units[u].seconds, units[u].unit);
	second = u < 3 ? s % units[u].seconds / units[u + 1].seconds : 0;
	if (second)
		snprintf(buf + n, SL_TEXT_SHORT - (size_t)n, "%llu%c", second, units[u + 1].unit);
	return buf;
}

/* Reads digits at *@p, at least one and at most 15 (so nothing overflows later). */
static int digits_read(const char **p, uint64_t *ret)
{
	uint64_t n = 0;
	int count = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++) {
		if (++count > 15)
			return -EINVAL;
		n = n * 10 + (uint64_t)(**p - '0');
	}
	if (!count)
		return -EINVAL;
	*ret = n;
	return 0;
}

static uint64_t unit_read(const char **p)
{
	static const struct {
		const char *name; /* "ms" before "m" */
		uint64_t ms;
	} units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }
	};
	size_t i, len;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		len = strlen(units[i].name);
		if (!strncmp(*p, units[i].name, len)) {
			*p += len;
			return units[i].ms;
		}
	}
	return 0;
}

int sl_text_parse_span(const char *text, uint64_t *ret_ms)
{
	uint64_t total = 0, n, unit, last = UINT64_MAX;

	if (!sl_text_parse_number(text, SPAN_MAX_MS / 1000, &n)) {
		*ret_ms = n * 1000;
		return 0;
	}
	do {
		if (digits_read(&text, &n))
			return -EINVAL;
		unit = unit_read(&text);
		if (!unit || unit >= last || n > SPAN_MAX_MS / unit) /* large before small */
			return -EINVAL;
		total += n * unit;
		last = unit;
	} while (*text);
	if (total > SPAN_MAX_MS)
		return -EINVAL;
	*ret_ms = total;
	return 0;
}

int sl_text_parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t n;

	if (digits_read(&text, &n) || *text || n > max)
		return -EINVAL;
	*ret = n;
	return 0;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool sl_text_is_name(const char *text, size_t len)
{
	size_t i;

	if (!len || len >= SL_NAME_LEN || !is_alnum(text[0]) || !is_alnum(text[len - 1]))
		return false;
	for (i = 0; i < len; i++)
		if (!is_alnum(text[i]) && text[i] != '.' && text[i] != '_' && text[i] != '-')
			return false;
	return true;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

size_t sl_text_distance(const char *a, const char *b)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1], la = strlen(a), lb = strlen(b), i, j;

	if (la > WORD_MAX || lb > WORD_MAX)
		return SIZE_MAX;
	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (j = 0; j <= lb; j++)
		d[0][j] = j;
	for (i = 1; i <= la; i++) {
		for (j = 1; j <= lb; j++) {
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
				       d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[la][lb];
}
