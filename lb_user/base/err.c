/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/base/err.h"

#include <stdio.h>
#include <string.h>

/* Copies what fits. A UTF-8 character is kept whole or left out: this text ends up in JSON. */
static void put(char *buf, size_t size, const char *text)
{
	size_t len = strnlen(text, size);

	if (len == size) {
		len = size - 1;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(buf, text, len);
	buf[len] = 0;
}

static void fill(struct sl_err *err, int code, const char *slug, const char *pointer,
		 const char *fmt, va_list args) __attribute__((format(printf, 5, 0)));

static void fill(struct sl_err *err, int code, const char *slug, const char *pointer,
		 const char *fmt, va_list args)
{
	/* Arguments may lie in @err itself ("... : %s", err->detail), so it is written last. */
	struct sl_err fresh = { .code = code };
	char text[sizeof(fresh.detail) + 4];

	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = 0;
	put(fresh.slug, sizeof(fresh.slug), slug ? slug : "");
	put(fresh.pointer, sizeof(fresh.pointer), pointer ? pointer : "");
	put(fresh.detail, sizeof(fresh.detail), text);
	*err = fresh;
}

int sl_err_set(struct sl_err *err, int code, const char *slug, const char *fmt, ...)
{
	va_list args;

	if (err) {
		va_start(args, fmt);
		fill(err, code, slug, "", fmt, args);
		va_end(args);
	}
	return code;
}

int sl_err_at(struct sl_err *err, int code, const char *slug, const char *pointer, const char *fmt,
	      ...)
{
	va_list args;

	if (err) {
		va_start(args, fmt);
		fill(err, code, slug, pointer, fmt, args);
		va_end(args);
	}
	return code;
}

void sl_err_nest(struct sl_err *err, const char *prefix)
{
	char joined[2 * sizeof(err->pointer) + 4];

	if (!err || !prefix)
		return;
	snprintf(joined, sizeof(joined), "%.*s%s", (int)sizeof(err->pointer) + 3, prefix,
		 err->pointer);
	put(err->pointer, sizeof(err->pointer), joined);
}
