/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * probe_http: a backend is well if GET answers with an accepted status. The
 * status alone decides, as soon as the header is complete; a small body is
 * still read so that closing sends no reset, a large or endless one is cut.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lb_user/svc/probe.h"
#include "lb_user/svc/probe_curl.h"

#define BODY_MAX   4096
#define HEADER_MAX 16384

struct attempt {
	struct sl_transfer transfer; /* first: done() is given a pointer to it */
	struct sl_probe *probe;
	struct curl_slist *headers;
	size_t header_bytes, body_bytes;
	bool answered;	      /* the final header is complete, the status known */
	uint32_t answered_ms; /* when, since the start */
};

/* ---- one attempt ------------------------------------------------------------ */

static void attempt_free(struct attempt *a)
{
	if (a->transfer.easy) {
		sl_probe_curl_remove(a->probe->curl, &a->transfer);
		curl_easy_cleanup(a->transfer.easy);
	}
	curl_slist_free_all(a->headers);
	a->probe->attempt = NULL;
	free(a);
}

static size_t on_header(char *text, size_t size, size_t n, void *user)
{
	struct attempt *a = user;
	size_t len = size * n;
	long code = 0;

	a->header_bytes += len;
	if (a->header_bytes > HEADER_MAX)
		return 0;
	if (a->answered || len > 2 || (text[0] != '\r' && text[0] != '\n'))
		return len;
	/* The empty line. After an interim status (1xx) another header follows, save for 101. */
	(void)curl_easy_getinfo(a->transfer.easy, CURLINFO_RESPONSE_CODE, &code);
	if (code >= 200 || code == 101) {
		a->answered = true;
		a->answered_ms = sl_probe_elapsed_ms(a->probe);
	}
	return len;
}

static size_t on_body(char *text, size_t size, size_t n, void *user)
{
	struct attempt *a = user;

	(void)text;
	a->body_bytes += size * n;
	return a->body_bytes < BODY_MAX ? size * n : 0; /* 0 ends the transfer */
}

static bool add_header(struct attempt *a, const char *line)
{
	struct curl_slist *list = curl_slist_append(a->headers, line);

	if (list)
		a->headers = list;
	return list != NULL;
}

/* What is asked: an address literal, so no resolver, and the path byte for byte. */
static bool set_request(struct attempt *a)
{
	const struct sl_check *check = &a->probe->check;
	char url[sizeof(a->probe->target) + 16], host[SL_TEXT_LEN + 8];
	CURL *e = a->transfer.easy;

	(void)snprintf(url, sizeof(url), "http://%s/", a->probe->target);
	(void)snprintf(host, sizeof(host), "Host: %s", check->host);
	return add_header(a, "Connection: close") && (!*check->host || add_header(a, host)) &&
	       !curl_easy_setopt(e, CURLOPT_URL, url) &&
	       !curl_easy_setopt(e, CURLOPT_REQUEST_TARGET, *check->path ? check->path : "/") &&
	       !curl_easy_setopt(e, CURLOPT_HTTPHEADER, a->headers) &&
	       !curl_easy_setopt(e, CURLOPT_USERAGENT, "sluice-probe");
}

/* How: straight to the backend, on a connection of its own, nothing followed. */
static bool set_transfer(struct attempt *a)
{
	CURL *e = a->transfer.easy;

	return !curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http") &&
	       !curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       !curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L) &&
	       !curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) &&
	       !curl_easy_setopt(e, CURLOPT_PROXY, "") &&
	       !curl_easy_setopt(e, CURLOPT_NOPROXY, "*") &&
	       !curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L) &&
	       !curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L) &&
	       /* else every probe would walk the others' entries */
	       !curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, 0L) &&
	       !curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)BODY_MAX) &&
	       /* The probe's own deadline comes first; 0 would mean 300 s. */
	       !curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
				 2L * a->probe->check.timeout_ms + 1000) &&
	       !curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) &&
	       !curl_easy_setopt(e, CURLOPT_HEADERDATA, a) &&
	       !curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) &&
	       !curl_easy_setopt(e, CURLOPT_WRITEDATA, a);
}

/* ---- the verdict ------------------------------------------------------------ */

/* "GET http://10.0.0.11:80/health: ..."; a long path is cut, not the explanation. */
#define SAY(a, ret, status, reason, fmt, ...)                                     \
	sl_probe_say((a)->probe, ret, status, reason, "GET http://%s%.80s: " fmt, \
		     (a)->probe->target, (a)->probe->check.path, ##__VA_ARGS__)

static void say_status(struct attempt *a, struct sl_probe_result *ret)
{
	const struct sl_check *check = &a->probe->check;
	unsigned low = check->status_low, high = check->status_high;
	long code = 0;

	(void)curl_easy_getinfo(a->transfer.easy, CURLINFO_RESPONSE_CODE, &code);
	if (code >= (long)low && code <= (long)high)
		SAY(a, ret, "L7OK", "", "status %ld", code);
	else if (low == high)
		SAY(a, ret, "L7STS", "target.bad_status", "status %ld, expected %u", code, low);
	else
		SAY(a, ret, "L7STS", "target.bad_status", "status %ld, expected %u-%u", code, low,
		    high);
	ret->code = (uint16_t)code;
	ret->duration_ms = a->answered_ms;
}

static bool connected(const struct attempt *a)
{
	curl_off_t after_us = 0;

	return !curl_easy_getinfo(a->transfer.easy, CURLINFO_CONNECT_TIME_T, &after_us) &&
	       after_us > 0;
}

/* The transfer ended without a whole header. */
static void say_unanswered(struct attempt *a, CURLcode rc, struct sl_probe_result *ret)
{
	char text[128];
	long error = 0;

	(void)curl_easy_getinfo(a->transfer.easy, CURLINFO_OS_ERRNO, &error);
	switch (rc) {
	case CURLE_OK: /* so libcurl takes an end inside the header */
	case CURLE_GOT_NOTHING:
		SAY(a, ret, "L7RSP", "target.bad_response", "closed %s",
		    a->header_bytes ? "inside the header of the answer" : "without an answer");
		break;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		SAY(a, ret, "L7RSP", "target.bad_response", "connection lost before the answer: %s",
		    error ? uv_strerror_r(-(int)error, text, sizeof(text)) : "closed");
		break;
	case CURLE_WRITE_ERROR:
		SAY(a, ret, "L7RSP", "target.bad_response", "header of the answer above %u bytes",
		    (unsigned)HEADER_MAX);
		break;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, that is anything */
	case CURLE_WEIRD_SERVER_REPLY:
		SAY(a, ret, "L7RSP", "target.bad_response", "the answer is not HTTP/1");
		break;
	case CURLE_OPERATION_TIMEDOUT: /* the kernel gave up before we did */
		sl_probe_say_unconnected(a->probe, ret, -ETIMEDOUT);
		break;
	default:
		/* Whatever follows the handshake is the backend's doing: it must not pass as ours.
		 */
		if (connected(a))
			SAY(a, ret, "L7RSP", "target.bad_response", "the answer cannot be read: %s",
			    curl_easy_strerror(rc));
		else
			SAY(a, ret, "SOCKERR", "lb.internal", "%s", curl_easy_strerror(rc));
	}
}

static void judge(struct attempt *a, CURLcode rc, struct sl_probe_result *ret)
{
	long error = 0;

	if (a->answered) {
		say_status(a, ret);
	} else if (a->transfer.local_error) {
		sl_probe_say_unconnected(a->probe, ret, a->transfer.local_error);
	} else if (rc == CURLE_COULDNT_CONNECT) {
		(void)curl_easy_getinfo(a->transfer.easy, CURLINFO_OS_ERRNO, &error);
		sl_probe_say_unconnected(a->probe, ret, error ? -(int)error : -ECONNREFUSED);
	} else {
		say_unanswered(a, rc, ret);
	}
}

/* ---- the kind --------------------------------------------------------------- */

static void on_done(struct sl_transfer *t, CURLcode rc)
{
	struct attempt *a = (struct attempt *)t;
	struct sl_probe *probe = a->probe;
	struct sl_probe_result res;

	judge(a, rc, &res);
	attempt_free(a);
	sl_probe_finish(probe, &res);
}

static void get_start(struct sl_probe *probe)
{
	struct attempt *a = calloc(1, sizeof(*a));
	struct sl_probe_result res;

	if (a) {
		a->probe = probe;
		probe->attempt = a;
		a->transfer.done = on_done;
		a->transfer.easy = curl_easy_init();
		if (a->transfer.easy && set_request(a) && set_transfer(a) &&
		    !sl_probe_curl_add(probe->curl, &a->transfer))
			return;
		attempt_free(a);
	}
	sl_probe_say_unconnected(probe, &res, -ENOMEM);
	sl_probe_finish(probe, &res);
}

static void get_cancel(struct sl_probe *probe)
{
	if (probe->attempt)
		attempt_free(probe->attempt);
}

static void get_expire(struct sl_probe *probe, struct sl_probe_result *ret)
{
	struct attempt *a = probe->attempt;

	if (a->answered || a->transfer.local_error)
		judge(a, CURLE_OPERATION_TIMEDOUT, ret);
	else if (connected(a))
		SAY(a, ret, "L7TOUT", "target.timeout", "no answer within %u ms",
		    probe->check.timeout_ms);
	else
		sl_probe_say(probe, ret, "L4TOUT", "target.timeout",
			     "connect to %s: no answer within %u ms", probe->target,
			     probe->check.timeout_ms);
}

const struct sl_probe_kind sl_probe_get = {
	.start = get_start,
	.cancel = get_cancel,
	.expire = get_expire,
};
