/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/ctl/http.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <curl/curl.h>

#include "lb_user/base/addr.h"
#include "lb_user/ctl/text.h"

#define URL_LEN 512

struct sl_http {
	CURL *easy;
	struct curl_slist *headers;
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "": TCP */
	char base[80];						  /* "http://127.0.0.1:7600" */
	volatile sig_atomic_t *stop;
};

struct body {
	char *text;
	size_t len, size;
	bool too_big, no_memory;
};

static int where_unix(struct sl_http *h, const char *path, struct sl_err *err)
{
	if (path[0] != '/')
		return sl_err_set(err, -EINVAL, "usage", "unix:%s: the path must start with /",
				  path);
	if (strlen(path) >= sizeof(h->socket))
		return sl_err_set(err, -EINVAL, "usage",
				  "the path of a Unix socket has at most %zu bytes, this has %zu",
				  sizeof(h->socket) - 1, strlen(path));
	snprintf(h->socket, sizeof(h->socket), "%s", path);
	snprintf(h->base, sizeof(h->base), "http://localhost");
	return 0;
}

/* @text: what follows "http://". Nothing but loopback: there is no TLS and no token. */
static int where_tcp(struct sl_http *h, const char *text, struct sl_err *err)
{
	char host[SL_ADDR_STRLEN], num[SL_ADDR_STRLEN];
	const char *colon = strrchr(text, ':');
	struct sl_addr addr;
	uint64_t port;
	size_t len;

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		goto bad;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	snprintf(num, sizeof(num), "%s", colon + 1);
	len = strlen(num);
	if (len && num[len - 1] == '/')
		num[len - 1] = '\0';
	if (sl_text_parse_number(num, 65535, &port) || !port || strlen(colon) > 7)
		goto bad;
	len = strlen(host);
	if (!strcmp(host, "localhost")) {
		snprintf(h->base, sizeof(h->base), "http://localhost:%u", (unsigned)port);
		return 0;
	}
	if (host[0] == '[' && len > 2 && host[len - 1] == ']') {
		host[len - 1] = '\0';
		memmove(host, host + 1, len - 1);
		if (sl_addr_parse(host, &addr) || addr.family != AF_INET6)
			goto bad;
	} else if (sl_addr_parse(host, &addr) || addr.family != AF_INET) {
		goto bad;
	}
	if (!sl_addr_is_loopback(&addr))
		return sl_err_set(err, -EINVAL, "usage",
				  "http://%s: only loopback addresses, for there is no TLS; from "
				  "afar: ssh -L 7600:/run/sluice/api.sock HOST, then --server "
				  "http://127.0.0.1:7600",
				  text);
	snprintf(h->base, sizeof(h->base),
		 addr.family == AF_INET6 ? "http://[%s]:%u" : "http://%s:%u",
		 sl_addr_format(&addr, host), (unsigned)port);
	return 0;
bad:
	return sl_err_set(err, -EINVAL, "usage",
			  "http://%s: not of the form http://127.0.0.1:PORT or http://[::1]:PORT",
			  text);
}

static int where_read(struct sl_http *h, const char *where, struct sl_err *err)
{
	if (!strncmp(where, "unix:", 5))
		return where_unix(h, where + 5, err);
	if (!strncmp(where, "http://", 7))
		return where_tcp(h, where + 7, err);
	return sl_err_set(err, -EINVAL, "usage",
			  "\"%s\" is no address of the agent: unix:/path or http://127.0.0.1:PORT",
			  where);
}

int sl_http_new(const char *where, struct sl_http **ret, struct sl_err *err)
{
	struct sl_http *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return sl_err_set(err, -ENOMEM, "no-memory", "out of memory");
	r = where_read(h, where, err);
	if (r)
		goto out;
	r = sl_err_set(err, -ENOMEM, "no-memory", "libcurl cannot start: out of memory");
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		goto out;
	h->easy = curl_easy_init();
	h->headers = curl_slist_append(NULL, "Expect:"); /* never wait for "100 Continue" */
	if (!h->easy || !h->headers ||
	    !curl_slist_append(h->headers, "Content-Type: application/json") ||
	    !curl_slist_append(h->headers, "Accept: application/json, text/plain;q=0.5"))
		goto out;
	*ret = h;
	h = NULL;
	r = 0;
out:
	sl_http_free(h);
	return r;
}

void sl_http_free(struct sl_http *h)
{
	if (!h)
		return;
	curl_slist_free_all(h->headers);
	if (h->easy)
		curl_easy_cleanup(h->easy);
	free(h);
}

void sl_http_stop_on(struct sl_http *h, volatile sig_atomic_t *stop)
{
	h->stop = stop;
}

static size_t on_data(char *data, size_t one, size_t n, void *user)
{
	struct body *b = user;
	size_t size;
	char *text;

	n *= one;
	if (n > SL_HTTP_BODY_MAX - b->len) {
		b->too_big = true;
		return 0;
	}
	if (b->len + n + 1 > b->size) {
		size = (b->len + n + 1) * 2;
		text = realloc(b->text, size);
		if (!text) {
			b->no_memory = true;
			return 0;
		}
		b->text = text;
		b->size = size;
	}
	memcpy(b->text + b->len, data, n);
	b->len += n;
	b->text[b->len] = '\0';
	return n;
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct sl_http *h = user;

	(void)a, (void)b, (void)c, (void)d;
	return h->stop && *h->stop;
}

static void request_options(struct sl_http *h, const char *method, const char *url,
			    const char *body, unsigned limit_ms, struct body *into)
{
	CURL *e = h->easy;
	unsigned connect_ms = limit_ms < SL_HTTP_CONNECT_MS ? limit_ms : SL_HTTP_CONNECT_MS;

	/* Options fail only for a libcurl without the feature; Debian's has all of these. */
	curl_easy_reset(e);
	if (h->socket[0])
		(void)curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, h->socket);
	(void)curl_easy_setopt(e, CURLOPT_URL, url);
	(void)curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http");
	(void)curl_easy_setopt(e, CURLOPT_PROXY, ""); /* not even by environment */
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)limit_ms);
	(void)curl_easy_setopt(e, CURLOPT_USERAGENT, "sluicectl/" SL_VERSION);
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, h->headers);
	(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, method);
	if (body) {
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, body);
	}
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_data);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, into);
	(void)curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(e, CURLOPT_XFERINFODATA, h);
}

static int connect_failed(struct sl_http *h, struct sl_err *err)
{
	const char *where = h->socket[0] ? h->socket : h->base;
	long cause = 0;

	(void)curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &cause);
	if (cause == EACCES || cause == EPERM)
		return sl_err_set(err, -EACCES, "denied", "cannot connect to %s: permission denied",
				  where);
	return sl_err_set(err, -ECONNREFUSED, "no-connection", "cannot connect to %s: %s", where,
			  cause ? strerror((int)cause) : "nobody answers");
}

/* What libcurl reports, in our words. */
static int request_failed(struct sl_http *h, CURLcode code, const struct body *b, unsigned limit_ms,
			  const char *curl_text, struct sl_err *err)
{
	const char *where = h->socket[0] ? h->socket : h->base;
	char span[SL_TEXT_SHORT];

	if (b->no_memory || code == CURLE_OUT_OF_MEMORY)
		return sl_err_set(err, -ENOMEM, "no-memory", "out of memory");
	if (b->too_big)
		return sl_err_set(err, -EFBIG, "too-big",
				  "the answer of %s is larger than %u MiB; given up", where,
				  SL_HTTP_BODY_MAX >> 20);
	switch (code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return connect_failed(h, err);
	case CURLE_OPERATION_TIMEDOUT:
		return sl_err_set(err, -ETIMEDOUT, "no-answer", "no answer from %s within %s",
				  where, sl_text_format_span(limit_ms, span));
	case CURLE_ABORTED_BY_CALLBACK:
		return sl_err_set(err, -EINTR, "stopped", "interrupted");
	default:
		return sl_err_set(err, -EPROTO, "bad-answer",
				  "%s does not answer as an agent does: %s", where,
				  curl_text[0] ? curl_text : curl_easy_strerror(code));
	}
}

int sl_http_do(struct sl_http *h, const char *method, const char *path, const char *body,
	       unsigned limit_ms, struct sl_reply *ret, struct sl_err *err)
{
	char url[URL_LEN], curl_text[CURL_ERROR_SIZE] = "";
	struct body b = { 0 };
	long status = 0;
	CURLcode code;
	int r;

	if ((size_t)snprintf(url, sizeof(url), "%s%s", h->base, path) >= sizeof(url))
		return sl_err_set(err, -EPROTO, "bad-path", "the path of the request is too long");
	b.size = 4096;
	b.text = calloc(1, b.size);
	if (!b.text)
		return sl_err_set(err, -ENOMEM, "no-memory", "out of memory");
	request_options(h, method, url, body, limit_ms, &b);
	(void)curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, curl_text);
	code = curl_easy_perform(h->easy);
	(void)curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, NULL);
	if (code) {
		r = request_failed(h, code, &b, limit_ms, curl_text, err);
		goto out;
	}
	(void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 100 || status > 599) {
		r = sl_err_set(err, -EPROTO, "bad-answer", "an answer with HTTP status %ld",
			       status);
		goto out;
	}
	ret->status = (unsigned)status;
	ret->body = b.text;
	ret->len = b.len;
	b.text = NULL;
	r = 0;
out:
	free(b.text);
	return r;
}

void sl_reply_done(struct sl_reply *r)
{
	free(r->body);
	*r = (struct sl_reply){ 0 };
}
