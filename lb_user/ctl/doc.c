/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/ctl/doc.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/ctl/text.h"

#define MEMBER_LEN 64

/* Position after the string that starts at @p (its opening quote). */
static const char *string_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\' && p + 1 < end)
			p++;
	return p < end ? p + 1 : end;
}

/* An upper bound of the values in @text, so that a small body cannot become a huge tree. */
static size_t count_nodes(const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	size_t n = 1;

	while (p < end) {
		if (*p == '"') {
			p = string_end(p, end);
			continue;
		}
		n += *p == ',' || *p == '{' || *p == '[';
		p++;
	}
	return n;
}

int sl_doc_parse(const char *text, size_t len, cJSON **ret)
{
	cJSON *root;

	if (memchr(text, '\0', len))
		return -EBADMSG;
	if (count_nodes(text, len) > SL_DOC_NODES_MAX)
		return -E2BIG;
	root = cJSON_ParseWithLengthOpts(text, len + 1, NULL, true);
	if (!root)
		return -EBADMSG;
	*ret = root;
	return 0;
}

/* One string, made harmless: cJSON lets raw control bytes and bad UTF-8 through. */
static void print_string(FILE *to, const char *p, const char *end)
{
	bool safe;
	size_t len;

	while (p < end) {
		len = sl_text_step(p, &safe);
		if (safe)
			fwrite(p, 1, len, to);
		else if (len == 1 && (unsigned char)*p < 0x80)
			fprintf(to, "\\u%04x", (unsigned)(unsigned char)*p);
		else if (len == 2)
			fprintf(to, "\\u%04x",
				((unsigned)p[0] & 0x1f) << 6 | ((unsigned)p[1] & 0x3f));
		else if (len == 3)
			fprintf(to, "\\u%04x",
				((unsigned)p[0] & 0xf) << 12 | ((unsigned)p[1] & 0x3f) << 6 |
					((unsigned)p[2] & 0x3f));
		else
			fputs("\\ufffd", to);
		p += len;
	}
}

static void print_break(FILE *to, unsigned depth)
{
	fputc('\n', to);
	for (; depth; depth--)
		fputs("  ", to);
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (unsigned char)*p <= ' ')
		p++;
	return p;
}

void sl_doc_print(FILE *to, const char *text, size_t len)
{
	const char *end = text + len, *p = text, *next;
	unsigned depth = 0;

	for (p = skip_space(p, end); p < end; p = skip_space(p, end)) {
		if (*p == '"') {
			next = string_end(p, end);
			print_string(to, p, next);
			p = next;
			continue;
		}
		if (*p == '{' || *p == '[') {
			fputc(*p, to);
			next = skip_space(p + 1, end);
			if (next < end && (*next == '}' || *next == ']')) {
				fputc(*next, to);
				p = next + 1;
				continue;
			}
			print_break(to, ++depth);
		} else if (*p == '}' || *p == ']') {
			print_break(to, depth ? --depth : 0);
			fputc(*p, to);
		} else if (*p == ',') {
			fputc(*p, to);
			print_break(to, depth);
		} else if (*p == ':') {
			fputs(": ", to);
		} else if ((unsigned char)*p < 0x7f) { /* numbers and words; a BOM is left out */
			fputc(*p, to);
		}
		p++;
	}
	fputc('\n', to);
}

const cJSON *sl_doc_get(const cJSON *from, const char *path)
{
	char name[MEMBER_LEN];
	size_t len;

	while (from && *path) {
		len = strcspn(path, ".");
		if (len >= sizeof(name))
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		from = cJSON_IsObject(from) ? cJSON_GetObjectItemCaseSensitive(from, name) : NULL;
		path += len + (path[len] == '.');
	}
	return cJSON_IsNull(from) ? NULL : from;
}

const cJSON *sl_doc_list(const cJSON *from, const char *path)
{
	const cJSON *list = sl_doc_get(from, path);

	return cJSON_IsArray(list) ? list : NULL;
}

const char *sl_doc_text(const cJSON *from, const char *path)
{
	const char *text = cJSON_GetStringValue(sl_doc_get(from, path));

	return text ? text : "";
}

bool sl_doc_is(const cJSON *from, const char *path)
{
	return cJSON_IsTrue(sl_doc_get(from, path));
}

bool sl_doc_is_false(const cJSON *from, const char *path)
{
	return cJSON_IsFalse(sl_doc_get(from, path));
}

bool sl_doc_number(const cJSON *from, const char *path, double *ret)
{
	const cJSON *item = sl_doc_get(from, path);

	if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
		return false;
	*ret = item->valuedouble;
	return true;
}

double sl_doc_count(const cJSON *from, const char *path)
{
	double n;

	return sl_doc_number(from, path, &n) && n > 0 ? n : 0;
}

bool sl_doc_time(const cJSON *from, const char *path, int64_t *ret_wall_ms)
{
	return !sl_clock_parse(sl_doc_text(from, path), ret_wall_ms);
}
