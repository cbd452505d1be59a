/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const method_names[SL_METHODS] = {
	[SL_METHOD_GET] = "GET",	 [SL_METHOD_HEAD] = "HEAD",   [SL_METHOD_POST] = "POST",
	[SL_METHOD_PUT] = "PUT",	 [SL_METHOD_PATCH] = "PATCH", [SL_METHOD_DELETE] = "DELETE",
	[SL_METHOD_OPTIONS] = "OPTIONS", [SL_METHOD_OTHER] = "other",
};

/* The first objection is the one that is answered. */
static void refuse(struct sl_request *r, unsigned status, const char *code, const char *detail)
{
	if (r->refusal.status)
		return;
	r->refusal = (struct sl_refusal){ .status = status, .code = code, .detail = detail };
}

void sl_request_init(struct sl_request *r, bool over_tcp)
{
	memset(r, 0, sizeof(*r));
	r->method = SL_METHOD_OTHER;
	r->over_tcp = over_tcp;
}

void sl_request_done(struct sl_request *r)
{
	free(r->body);
	r->body = NULL;
	r->body_len = 0;
	r->body_room = 0;
}

const char *sl_method_name(enum sl_method m)
{
	return m < SL_METHODS ? method_names[m] : "other";
}

bool sl_method_writes(enum sl_method m)
{
	return m != SL_METHOD_GET && m != SL_METHOD_HEAD && m != SL_METHOD_OPTIONS;
}

void sl_request_method(struct sl_request *r, const char *method)
{
	r->method = SL_METHOD_OTHER;
	for (unsigned m = 0; m < SL_METHOD_OTHER; m++) {
		if (strcmp(method, method_names[m]) == 0)
			r->method = (enum sl_method)m;
	}
}

/* ---- target --------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * Decodes @n bytes once into r->text. NULL: an escape that is none, or a byte
 * that no name and no value of ours can hold; '/' and NUL are among them, so
 * that a decoded segment stays one segment.
 */
static const char *decode(struct sl_request *r, const char *s, size_t n)
{
	char *out = r->text + r->text_len;
	size_t len = 0;

	if (n + 1 > sizeof(r->text) - r->text_len)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)s[i];

		if (c == '%') {
			if (n - i < 3 || hex_digit(s[i + 1]) < 0 || hex_digit(s[i + 2]) < 0)
				return NULL;
			c = hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2]);
			i += 2;
		}
		if (c < 0x20 || c > 0x7e || c == '/')
			return NULL;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	r->text_len += len + 1;
	return out;
}

/* @path starts after the first '/'. */
static bool split_path(struct sl_request *r, const char *path, size_t len)
{
	for (;;) {
		const char *slash = memchr(path, '/', len);
		size_t n = slash ? (size_t)(slash - path) : len;
		const char *text = decode(r, path, n);

		if (!text)
			return false;
		if (r->n_segments < SL_SEGMENTS_MAX)
			r->segment[r->n_segments] = text;
		if (r->n_segments <= SL_SEGMENTS_MAX)
			r->n_segments++;
		if (!slash)
			return true;
		path += n + 1;
		len -= n + 1;
	}
}

static bool split_query(struct sl_request *r, const char *query)
{
	while (*query) {
		size_t n = strcspn(query, "&");
		const char *equals = memchr(query, '=', n);
		size_t name_len = equals ? (size_t)(equals - query) : n;
		struct sl_query q;

		if (n > 0) {
			if (r->n_queries == SL_QUERIES_MAX)
				return false;
			q.name = decode(r, query, name_len);
			q.value = equals ? decode(r, equals + 1, n - name_len - 1) : "";
			if (!q.name || !q.value || sl_request_query(r, q.name))
				return false;
			r->query[r->n_queries++] = q;
		}
		query += n;
		if (*query)
			query++;
	}
	return true;
}

void sl_request_target(struct sl_request *r, const char *target)
{
	size_t path_len;

	if (!target || (target[0] != '/' && strcmp(target, "*") != 0)) {
		refuse(r, 400, "bad-request",
		       "the request target must be a path that starts with \"/\"");
		return;
	}
	if (strnlen(target, SL_TARGET_MAX) == SL_TARGET_MAX) {
		refuse(r, 414, "uri-too-long", "path and query must stay below 1024 bytes");
		return;
	}
	if (target[0] == '*') {
		r->asterisk = true;
		return;
	}
	path_len = strcspn(target, "?");
	if (!split_path(r, target + 1, path_len - 1)) {
		refuse(r, 400, "bad-request",
		       "the path holds a malformed %-escape or a character that no name has");
		return;
	}
	if (target[path_len] == '?' && !split_query(r, target + path_len + 1))
		refuse(r, 400, "bad-request",
		       "the query is malformed, names a parameter twice or has more than 8");
}

const char *sl_request_query(const struct sl_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_queries; i++) {
		if (strcmp(r->query[i].name, name) == 0)
			return r->query[i].value;
	}
	return NULL;
}

/* ---- headers -------------------------------------------------------------- */

/* RFC 9110 token: anything else in a name ("Content-Length " with a space) is an attempt to be
 * understood differently by two parsers. */
static bool is_token(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++) {
		bool alnum = (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
			     (*s >= 'A' && *s <= 'Z');

		if (!alnum && !strchr("!#$%&'*+-.^_`|~", *s))
			return false;
	}
	return true;
}

static bool copy_text(char *to, size_t room, const char *from)
{
	size_t len = strlen(from);

	if (len >= room)
		return false;
	memcpy(to, from, len + 1);
	return true;
}

static void take_length(struct sl_request *r, const char *value)
{
	uint64_t length = 0;

	r->n_lengths++;
	if (!*value)
		r->bad_length = true;
	for (; *value; value++) {
		if (*value < '0' || *value > '9' || length > UINT64_MAX / 10 - 9) {
			r->bad_length = true;
			return;
		}
		length = length * 10 + (uint64_t)(*value - '0');
	}
	r->length = length;
}

/* Type and subtype, and a charset that is UTF-8 if one is named. */
static enum sl_media read_media(const char *value)
{
	static const struct {
		const char *name;
		enum sl_media media;
	} known[] = {
		{ "application/json", SL_MEDIA_JSON },
		{ "application/merge-patch+json", SL_MEDIA_MERGE_PATCH },
	};
	size_t len = strcspn(value, "; \t");
	const char *rest = value + len;

	rest += strspn(rest, " \t");
	if (*rest == ';') {
		rest++;
		rest += strspn(rest, " \t");
		if (*rest && strcasecmp(rest, "charset=utf-8") != 0 &&
		    strcasecmp(rest, "charset=\"utf-8\"") != 0)
			return SL_MEDIA_OTHER;
	} else if (*rest) {
		return SL_MEDIA_OTHER;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i].name) == len && strncasecmp(value, known[i].name, len) == 0)
			return known[i].media;
	}
	return SL_MEDIA_OTHER;
}

void sl_request_header(struct sl_request *r, const char *name, const char *value)
{
	if (!value)
		value = "";
	if (!is_token(name)) {
		r->bad_header = true;
	} else if (strcasecmp(name, "Content-Length") == 0) {
		take_length(r, value);
	} else if (strcasecmp(name, "Transfer-Encoding") == 0) {
		r->n_encodings++;
		if (strcasecmp(value, "chunked") != 0)
			r->bad_encoding = true;
	} else if (strcasecmp(name, "Host") == 0) {
		r->n_hosts++;
		if (!copy_text(r->host, sizeof(r->host), value))
			r->bad_header = true;
	} else if (strcasecmp(name, "Origin") == 0) {
		/* One that does not fit is nobody's we know. */
		r->has_origin = true;
		if (!copy_text(r->origin, sizeof(r->origin), value))
			r->cross_site = true;
	} else if (strcasecmp(name, "Sec-Fetch-Site") == 0) {
		if (strcasecmp(value, "same-origin") != 0 && strcasecmp(value, "none") != 0)
			r->cross_site = true;
	} else if (strcasecmp(name, "Content-Type") == 0) {
		r->media = r->n_types++ ? SL_MEDIA_OTHER : read_media(value);
	}
}

/*
 * A web page whose name was made to resolve to 127.0.0.1 still sends its own
 * name as Host: so only names that mean this machine are answered.
 */
static bool host_is_local(const char *host)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);
		const char *port = host + len;

		if (strncasecmp(host, names[i], len) != 0)
			continue;
		if (*port == '\0')
			return true;
		if (*port != ':')
			continue;
		len = strspn(port + 1, "0123456789");
		if (len >= 1 && len <= 5 && port[1 + len] == '\0')
			return true;
	}
	return false;
}

static bool origin_is_host(const struct sl_request *r)
{
	if (strncasecmp(r->origin, "http://", 7) == 0)
		return strcasecmp(r->origin + 7, r->host) == 0;
	if (strncasecmp(r->origin, "https://", 8) == 0)
		return strcasecmp(r->origin + 8, r->host) == 0;
	return false;
}

bool sl_request_admit(struct sl_request *r)
{
	struct sl_refusal earlier = r->refusal;

	/* What follows decides about the connection, so it goes before what the path said. */
	r->refusal = (struct sl_refusal){ 0 };
	if (r->bad_header || r->n_hosts > 1)
		refuse(r, 400, "bad-request",
		       "a header is malformed, or there is more than one Host");
	if (r->n_lengths > 1 || (r->n_lengths && r->n_encodings) || r->n_encodings > 1)
		refuse(r, 400, "bad-request",
		       "the length of the body is given twice (Content-Length, Transfer-Encoding)");
	if (r->bad_length)
		refuse(r, 400, "bad-request", "Content-Length is not a number");
	if (r->bad_encoding)
		refuse(r, 400, "bad-request", "the only Transfer-Encoding taken is \"chunked\"");
	if (r->over_tcp && !host_is_local(r->host))
		refuse(r, 421, "misdirected-request",
		       "Host must be localhost, 127.0.0.1 or [::1] on this listener");
	if (sl_method_writes(r->method) && (r->cross_site || (r->has_origin && !origin_is_host(r))))
		refuse(r, 403, "forbidden",
		       "a web page of another origin must not change anything");
	if (r->n_lengths && r->length > SL_BODY_MAX)
		refuse(r, 413, "body-too-large", "the body must not be larger than 1 MiB");
	if (r->refusal.status)
		return false;
	r->refusal = earlier;
	return true;
}

/* ---- body ----------------------------------------------------------------- */

void sl_request_body(struct sl_request *r, const char *data, size_t len)
{
	size_t room = r->body_room ? r->body_room : 1024;
	char *grown;

	if (r->refusal.status)
		return;
	if (len > SL_BODY_MAX - r->body_len) {
		refuse(r, 413, "body-too-large", "the body must not be larger than 1 MiB");
		sl_request_done(r);
		return;
	}
	while (room < r->body_len + len)
		room *= 2;
	if (room != r->body_room) {
		grown = realloc(r->body, room);
		if (!grown) {
			refuse(r, 500, "out-of-memory", "no memory for the body; try again later");
			sl_request_done(r);
			return;
		}
		r->body = grown;
		r->body_room = room;
	}
	memcpy(r->body + r->body_len, data, len);
	r->body_len += len;
}
