/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/reply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lb_user/base/clock.h"

static const struct {
	unsigned status;
	const char *title;
} titles[] = {
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
	{ 507, "Insufficient Storage" },
};

/* Codes of struct sl_err; what is not here is our own failure. */
static const struct {
	int code;
	unsigned status;
} statuses[] = {
	{ -EBADMSG, 400 }, { -EPROTO, 400 }, { -ENOKEY, 422 }, { -EINVAL, 422 },
	{ -ENOENT, 404 },  { -EEXIST, 409 }, { -EBUSY, 409 },  { -EADDRINUSE, 409 },
	{ -EUCLEAN, 422 }, { -ENOSPC, 507 }, { -EROFS, 503 },  { -EIO, 500 },
};

static const char no_memory_text[] =
	"{\"type\":\"about:blank\",\"title\":\"Internal Server Error\",\"status\":500,"
	"\"detail\":\"no memory for the answer; try again later\",\"code\":\"out-of-memory\"}";

void sl_reply_init(struct sl_reply *r)
{
	memset(r, 0, sizeof(*r));
}

static void drop_body(struct sl_reply *r)
{
	free(r->body);
	r->body = NULL;
	r->len = 0;
	r->content_type = NULL;
}

void sl_reply_done(struct sl_reply *r)
{
	drop_body(r);
	r->n_headers = 0;
}

void sl_reply_header(struct sl_reply *r, const char *name, const char *fmt, ...)
{
	va_list ap;
	int len;

	if (r->n_headers == SL_HEADERS_MAX)
		return;
	va_start(ap, fmt);
	len = vsnprintf(r->header[r->n_headers].value, SL_HEADER_ROOM, fmt, ap);
	va_end(ap);
	if (len < 0 || len >= (int)SL_HEADER_ROOM)
		return;
	r->header[r->n_headers++].name = name;
}

/* ---- whole answers ---------------------------------------------------------- */

void sl_reply_empty(struct sl_reply *r, unsigned status)
{
	drop_body(r);
	r->status = status;
}

void sl_reply_text(struct sl_reply *r, unsigned status, const char *content_type, char *body,
		   size_t len)
{
	drop_body(r);
	r->status = status;
	r->content_type = content_type;
	if (!body) {
		/* Without a body when not even these bytes can be had. */
		r->status = 500;
		r->content_type = "application/problem+json";
		body = strdup(no_memory_text);
		len = body ? sizeof(no_memory_text) - 1 : 0;
	}
	r->body = body;
	r->len = len;
}

static void send_tree(struct sl_reply *r, unsigned status, const char *content_type,
		      struct cJSON *root)
{
	char *text = NULL;

	if (root && !r->no_memory)
		text = cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	sl_reply_text(r, status, content_type, text, text ? strlen(text) : 0);
}

void sl_reply_json(struct sl_reply *r, unsigned status, struct cJSON *root)
{
	send_tree(r, status, SL_CONTENT_JSON, root);
}

static const char *title_of(unsigned status)
{
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		if (titles[i].status == status)
			return titles[i].title;
	}
	return "Error";
}

static void problem(struct sl_reply *r, unsigned status, const char *code, const char *pointer,
		    const char *detail)
{
	struct cJSON *root = sl_reply_new_object(r);

	sl_reply_str(r, root, "type", "about:blank");
	sl_reply_str(r, root, "title", title_of(status));
	sl_reply_uint(r, root, "status", status);
	sl_reply_str(r, root, "detail", detail);
	sl_reply_str(r, root, "code", code);
	if (*pointer) {
		struct cJSON *errors = sl_reply_array(r, root, "errors");
		struct cJSON *one = sl_reply_object(r, errors, NULL);

		sl_reply_str(r, one, "pointer", pointer);
		sl_reply_str(r, one, "detail", detail);
	}
	send_tree(r, status, "application/problem+json", root);
}

void sl_reply_problem(struct sl_reply *r, unsigned status, const char *code, const char *fmt, ...)
{
	char detail[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap); /* cut short is fine for a person */
	va_end(ap);
	problem(r, status, code, "", detail);
}

void sl_reply_error(struct sl_reply *r, const struct sl_err *err)
{
	unsigned status = 500;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].code == err->code)
			status = statuses[i].status;
	}
	problem(r, status, *err->slug ? err->slug : "internal-error", err->pointer,
		*err->detail ? err->detail : "the agent failed; its log may say more");
}

void sl_reply_refuse(struct sl_reply *r, const struct sl_refusal *why)
{
	problem(r, why->status, why->code, "", why->detail);
}

/* ---- members of a document --------------------------------------------------- */

struct cJSON *sl_reply_new_object(struct sl_reply *r)
{
	struct cJSON *root = cJSON_CreateObject();

	if (!root)
		r->no_memory = true;
	return root;
}

void sl_reply_attach(struct sl_reply *r, struct cJSON *to, const char *name, struct cJSON *item)
{
	bool added =
		to && item &&
		(name ? cJSON_AddItemToObject(to, name, item) : cJSON_AddItemToArray(to, item));

	if (added)
		return;
	cJSON_Delete(item);
	r->no_memory = true;
}

struct cJSON *sl_reply_object(struct sl_reply *r, struct cJSON *to, const char *name)
{
	struct cJSON *item = cJSON_CreateObject();

	sl_reply_attach(r, to, name, item);
	return r->no_memory ? NULL : item;
}

struct cJSON *sl_reply_array(struct sl_reply *r, struct cJSON *to, const char *name)
{
	struct cJSON *item = cJSON_CreateArray();

	sl_reply_attach(r, to, name, item);
	return r->no_memory ? NULL : item;
}

/* Length of the UTF-8 character at @s, 0 if it is none (overlong and surrogate included). */
static size_t utf8_len(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;
	uint32_t c = len > 1 ? s[0] & (0xffu >> (len + 1)) : s[0];

	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (len > 1 && (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)))
		return 0;
	return len;
}

/*
 * The document is UTF-8 whatever a detail quotes, even where a fixed buffer
 * below cut a character in two.
 */
void sl_reply_str(struct sl_reply *r, struct cJSON *to, const char *name, const char *value)
{
	struct cJSON *item = cJSON_CreateString(value ? value : "");
	size_t len;

	for (char *s = item ? item->valuestring : NULL; s && *s; s += len) {
		len = utf8_len((const unsigned char *)s);
		if (len == 0) {
			*s = '?';
			len = 1;
		}
	}
	sl_reply_attach(r, to, name, item);
}

/* As raw text: cJSON's numbers are doubles, a byte counter passes 2^53 within days. */
void sl_reply_uint(struct sl_reply *r, struct cJSON *to, const char *name, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	sl_reply_attach(r, to, name, cJSON_CreateRaw(text));
}

void sl_reply_bool(struct sl_reply *r, struct cJSON *to, const char *name, bool value)
{
	sl_reply_attach(r, to, name, cJSON_CreateBool(value));
}

void sl_reply_null(struct sl_reply *r, struct cJSON *to, const char *name)
{
	sl_reply_attach(r, to, name, cJSON_CreateNull());
}

void sl_reply_time(struct sl_reply *r, struct cJSON *to, const char *name, int64_t wall_ms)
{
	char text[SL_CLOCK_STRLEN];

	if (wall_ms <= 0)
		sl_reply_null(r, to, name);
	else
		sl_reply_str(r, to, name, sl_clock_format(wall_ms, text));
}
