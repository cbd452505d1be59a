/* SPDX-License-Identifier: BSD-2-Clause */

/* request: what is refused before anybody looks at what it means. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/request.h"

TestSuite(request);

static struct sl_request r;

static void target(const char *text)
{
	sl_request_init(&r, false);
	sl_request_target(&r, text);
}

Test(request, path_is_split_and_decoded_once)
{
	target("/api/v1/services/w%65b/backends/%25%41?force=tr%75e&verbose&x=");
	cr_expect(eq(uint, r.refusal.status, 0));
	cr_assert(eq(sz, r.n_segments, 6));
	cr_expect(eq(str, (char *)r.segment[0], "api"));
	cr_expect(eq(str, (char *)r.segment[3], "web"));
	cr_expect(eq(str, (char *)r.segment[5], "%A"), "decoded once, not twice");
	cr_assert(eq(sz, r.n_queries, 3));
	cr_expect(eq(str, (char *)sl_request_query(&r, "force"), "true"));
	cr_expect(eq(str, (char *)sl_request_query(&r, "verbose"), ""));
	cr_expect(eq(str, (char *)sl_request_query(&r, "x"), ""));
	cr_expect(eq(ptr, (void *)sl_request_query(&r, "y"), NULL));
}

Test(request, paths_that_are_short_long_or_empty)
{
	char longest[SL_TARGET_MAX + 1];

	target("/");
	cr_expect(eq(sz, r.n_segments, 1));
	cr_expect(eq(str, (char *)r.segment[0], ""));
	target("/a//b/");
	cr_expect(eq(sz, r.n_segments, 4));
	target("/1/2/3/4/5/6/7/8/9/10/11");
	cr_expect(eq(sz, r.n_segments, SL_SEGMENTS_MAX + 1));
	cr_expect(eq(uint, r.refusal.status, 0));

	memset(longest, '/', sizeof(longest));
	longest[SL_TARGET_MAX] = '\0';
	target(longest);
	cr_expect(eq(uint, r.refusal.status, 414));
	longest[SL_TARGET_MAX - 1] = '\0';
	target(longest);
	cr_expect(eq(uint, r.refusal.status, 0), "1023 slashes, 1024 empty segments");
	target("*");
	cr_expect(r.asterisk);
	cr_expect(eq(uint, r.refusal.status, 0));
}

Test(request, targets_that_are_refused)
{
	static const char *const bad[] = {
		"",
		"a",
		"http://localhost/livez",
		"/%",
		"/%4",
		"/%zz",
		"/%0",
		"/a%00b",
		"/a%2fb",
		"/a%0ab",
		"/\xc3\xa9",
		"/%ff",
		"/a\x01",
		"/a?x=%",
		"/a?x=1&x=2",
		"/a?%00=1",
		"**",
		"/a%7f",
		"/?1&2&3&4&5&6&7&8&9",
	};

	target(NULL);
	cr_expect(eq(uint, r.refusal.status, 400));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		target(bad[i]);
		cr_expect(eq(uint, r.refusal.status, 400), "\"%s\"", bad[i]);
		cr_expect(eq(str, (char *)r.refusal.code, "bad-request"), "\"%s\"", bad[i]);
	}
}

/* What a request with these headers ("name:value", "|" between) is answered with; 0: admitted. */
static unsigned verdict(bool over_tcp, const char *method, const char *headers)
{
	char *text = strdup(headers), *rest = NULL;
	bool admitted;

	sl_request_init(&r, over_tcp);
	sl_request_target(&r, "/livez");
	sl_request_method(&r, method);
	for (char *h = strtok_r(text, "|", &rest); h; h = strtok_r(NULL, "|", &rest)) {
		char *colon = strchr(h, ':');

		*colon = '\0';
		sl_request_header(&r, h, colon + 1);
	}
	admitted = sl_request_admit(&r);
	free(text);
	cr_expect(eq(int, admitted, r.refusal.status == 0));
	return r.refusal.status;
}

Test(request, framing)
{
	static const struct {
		const char *headers;
		unsigned want;
	} rows[] = {
		{ "Content-Length:0", 0 },
		{ "content-length:1048576", 0 },
		{ "Content-Length:1048577", 413 },
		{ "Content-Length:18446744073709551615", 400 },
		{ "Content-Length:18446744073709551616", 400 },
		{ "Content-Length:", 400 },
		{ "Content-Length:+1", 400 },
		{ "Content-Length:1 ", 400 },
		{ "Content-Length:1,1", 400 },
		{ "Content-Length:1|Content-Length:1", 400 },
		{ "Content-Length:1|CONTENT-LENGTH:2", 400 },
		{ "Content-Length:1|Transfer-Encoding:chunked", 400 },
		{ "Transfer-Encoding:chunked|Content-Length:1", 400 },
		{ "Transfer-Encoding:Chunked", 0 },
		{ "Transfer-Encoding:chunked|Transfer-Encoding:chunked", 400 },
		{ "Transfer-Encoding:gzip, chunked", 400 },
		{ "Transfer-Encoding:identity", 400 },
		{ "Content-Length :1", 400 },
		{ " X:1", 400 },
		{ "X\tY:1", 400 },
		{ "Host:a|Host:a", 400 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect(eq(uint, verdict(false, "POST", rows[i].headers), rows[i].want), "%s",
			  rows[i].headers);
	}
	sl_request_init(&r, false);
	sl_request_header(&r, "X-Fine!#$%&'*+.^_`|~", "1");
	cr_expect(not(r.bad_header));
}

Test(request, hosts_of_the_tcp_listener)
{
	static const struct {
		const char *headers;
		unsigned want;
	} rows[] = {
		{ "Host:localhost", 0 },
		{ "Host:LocalHost:7600", 0 },
		{ "Host:127.0.0.1", 0 },
		{ "Host:127.0.0.1:1", 0 },
		{ "Host:[::1]", 0 },
		{ "Host:[::1]:65535", 0 },
		{ "Host:", 421 },
		{ "X:1", 421 },
		{ "Host:localhost:", 421 },
		{ "Host:localhost:1x", 421 },
		{ "Host:localhost:123456", 421 },
		{ "Host:localhost.evil.example", 421 },
		{ "Host:evil.example", 421 },
		{ "Host:127.0.0.1.evil.example:80", 421 },
		{ "Host:localhost@evil", 421 },
		{ "Host:127.0.0.2", 421 },
		{ "Host:::1", 421 },
		{ "Host:0.0.0.0", 421 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect(eq(uint, verdict(true, "GET", rows[i].headers), rows[i].want), "%s",
			  rows[i].headers);
		cr_expect(eq(uint, verdict(false, "GET", rows[i].headers), 0), "Unix: %s",
			  rows[i].headers);
	}
}

Test(request, origins)
{
	static const struct {
		const char *method, *headers;
		unsigned want;
	} rows[] = {
		{ "GET", "Host:localhost:1|Origin:http://evil", 0 },
		{ "HEAD", "Host:localhost:1|Origin:http://evil", 0 },
		{ "OPTIONS", "Host:localhost:1|Origin:http://evil", 0 },
		{ "POST", "Host:localhost:1|Origin:http://localhost:1", 0 },
		{ "POST", "Host:localhost:1|Origin:https://LOCALHOST:1", 0 },
		{ "POST", "Host:localhost:1|Origin:http://localhost:2", 403 },
		{ "PUT", "Host:localhost:1|Origin:http://localhost", 403 },
		{ "PATCH", "Host:localhost:1|Origin:null", 403 },
		{ "DELETE", "Host:localhost:1|Origin:", 403 },
		{ "DELETE", "Host:localhost:1|Origin:localhost:1", 403 },
		{ "BREW", "Host:localhost:1|Origin:http://evil", 403 },
		{ "DELETE", "Host:localhost:1|Sec-Fetch-Site:cross-site", 403 },
		{ "DELETE", "Host:localhost:1|Sec-Fetch-Site:same-site", 403 },
		{ "DELETE", "Host:localhost:1|Sec-Fetch-Site:same-origin", 0 },
		{ "DELETE", "Host:localhost:1|Sec-Fetch-Site:none", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect(eq(uint, verdict(false, rows[i].method, rows[i].headers), rows[i].want),
			  "%s %s", rows[i].method, rows[i].headers);
}

Test(request, what_decides_about_the_connection_goes_first)
{
	target("/%zz");
	sl_request_method(&r, "POST");
	cr_expect(sl_request_admit(&r), "a bad path is answered after the body");
	cr_expect(eq(uint, r.refusal.status, 400));
	target("/%zz");
	sl_request_header(&r, "Content-Length", "99999999");
	cr_expect(not(sl_request_admit(&r)));
	cr_expect(eq(uint, r.refusal.status, 413));
}

Test(request, media_types)
{
	static const struct {
		const char *value;
		enum sl_media want;
	} rows[] = {
		{ "application/json", SL_MEDIA_JSON },
		{ "Application/JSON", SL_MEDIA_JSON },
		{ "application/json;charset=utf-8", SL_MEDIA_JSON },
		{ "application/json ; charset=\"UTF-8\"", SL_MEDIA_JSON },
		{ "application/json;", SL_MEDIA_JSON },
		{ "application/merge-patch+json", SL_MEDIA_MERGE_PATCH },
		{ "application/json; charset=latin1", SL_MEDIA_OTHER },
		{ "application/json, text/plain", SL_MEDIA_OTHER },
		{ "application/json text/plain", SL_MEDIA_OTHER },
		{ "application/jsonp", SL_MEDIA_OTHER },
		{ "text/plain", SL_MEDIA_OTHER },
		{ "", SL_MEDIA_OTHER },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sl_request_init(&r, false);
		sl_request_header(&r, "Content-Type", rows[i].value);
		cr_expect(eq(int, r.media, rows[i].want), "\"%s\"", rows[i].value);
	}
	sl_request_header(&r, "Content-Type", "application/json");
	cr_expect(eq(int, r.media, SL_MEDIA_OTHER), "two of them");
	sl_request_init(&r, false);
	cr_expect(eq(int, r.media, SL_MEDIA_NONE));
}

Test(request, body_up_to_the_limit_and_not_a_byte_more)
{
	char *piece = calloc(1, 1000);

	target("/");
	memset(piece, 'x', 1000);
	for (unsigned i = 0; i < SL_BODY_MAX / 1000; i++)
		sl_request_body(&r, piece, 1000);
	sl_request_body(&r, piece, SL_BODY_MAX % 1000);
	cr_expect(eq(uint, r.refusal.status, 0));
	cr_assert(eq(sz, r.body_len, SL_BODY_MAX));
	cr_expect(eq(chr, r.body[SL_BODY_MAX - 1], 'x'));
	sl_request_body(&r, piece, 1);
	cr_expect(eq(uint, r.refusal.status, 413));
	cr_expect(eq(ptr, r.body, NULL), "memory is given back");
	sl_request_body(&r, piece, 1000);
	cr_expect(eq(sz, r.body_len, 0), "the rest is dropped");
	sl_request_done(&r);
	free(piece);
}
