/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * probe_curl: libcurl's callbacks only take notes; collect() hands over what
 * has ended once libcurl has returned.
 */
#include "lb_user/svc/probe_curl.h"

#include <errno.h>
#include <stdlib.h>

#include "lb_user/svc/probe.h"

struct sl_probe_curl {
	uv_timer_t timer; /* libcurl's */
	uv_loop_t *loop;
	CURLM *multi; /* NULL: freed, waiting for the timer to close */
};

/* One per socket that libcurl wants watched. */
struct watch {
	uv_poll_t poll;
	struct sl_probe_curl *curl;
	curl_socket_t fd;
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* What is done with a transfer may end others, and even free @c. */
static void collect(struct sl_probe_curl *c)
{
	struct sl_transfer *t;
	CURLMsg *msg;
	int left;

	while (c->multi && (msg = curl_multi_info_read(c->multi, &left))) {
		t = NULL;
		if (msg->msg == CURLMSG_DONE &&
		    !curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t) && t)
			t->done(t, msg->data.result);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	struct sl_probe_curl *c = w->curl;
	int flags = 0, running;

	/* libuv stops watching now: what there is to read before the error is read at once. */
	if (status < 0)
		flags = CURL_CSELECT_IN | CURL_CSELECT_OUT | CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(c->multi, w->fd, flags, &running); /* collect() tells */
	collect(c);
}

static struct watch *watch_new(struct sl_probe_curl *c, curl_socket_t fd, int *ret_error)
{
	struct watch *w = calloc(1, sizeof(*w));

	*ret_error = w ? uv_poll_init_socket(c->loop, &w->poll, fd) : -ENOMEM;
	if (*ret_error < 0) {
		free(w);
		return NULL;
	}
	w->poll.data = w;
	w->curl = c;
	w->fd = fd;
	return w;
}

static int on_want_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *assigned)
{
	struct sl_probe_curl *c = user;
	struct sl_transfer *t = NULL;
	struct watch *w = assigned;
	int events, r = 0;

	if (what == CURL_POLL_REMOVE) {
		if (w) {
			/* Fails only for sockets that libcurl does not know. */
			(void)curl_multi_assign(c->multi, fd, NULL);
			uv_close((uv_handle_t *)&w->poll, on_closed);
		}
		return 0;
	}
	if (!w) {
		w = watch_new(c, fd, &r);
		if (w)
			(void)curl_multi_assign(c->multi, fd, w); /* as above */
	}
	if (w) {
		events = (what & CURL_POLL_IN ? UV_READABLE : 0) |
			 (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
		r = uv_poll_start(&w->poll, events, on_poll);
	}
	/* An error returned here would end every transfer; a note ends only this one. */
	if (r < 0 && !curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t) && t)
		t->local_error = r;
	return 0;
}

static void on_timer(uv_timer_t *timer)
{
	struct sl_probe_curl *c = timer->data;
	int running;

	/* How transfers fared is for collect() to see. */
	(void)curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(c);
}

static int on_want_timer(CURLM *multi, long timeout_ms, void *user)
{
	struct sl_probe_curl *c = user;

	(void)multi;
	if (timeout_ms < 0)
		return uv_timer_stop(&c->timer);
	return uv_timer_start(&c->timer, on_timer, (uint64_t)timeout_ms, 0);
}

/* The socket is made here so that children do not inherit it and a failure keeps its cause. */
static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct sl_transfer *t = user;
	int fd = sl_probe_socket(addr->family);

	(void)purpose;
	if (fd >= 0)
		return fd;
	t->local_error = fd;
	return CURL_SOCKET_BAD;
}

int sl_probe_curl_new(uv_loop_t *loop, struct sl_probe_curl **ret)
{
	struct sl_probe_curl *c = calloc(1, sizeof(*c));
	int r = -ENOMEM;

	if (!c)
		return -ENOMEM;
	/* No TLS: only plain HTTP is asked. */
	if (curl_global_init(CURL_GLOBAL_NOTHING))
		goto out;
	c->loop = loop;
	c->multi = curl_multi_init();
	if (!c->multi || curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_want_socket) ||
	    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c) ||
	    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_want_timer) ||
	    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c))
		goto out_curl;
	r = uv_timer_init(loop, &c->timer);
	if (r < 0)
		goto out_curl;
	c->timer.data = c;
	*ret = c;
	return 0;
out_curl:
	(void)curl_multi_cleanup(c->multi); /* takes NULL */
	curl_global_cleanup();
out:
	free(c);
	return r;
}

void sl_probe_curl_free(struct sl_probe_curl *c)
{
	if (!c)
		return;
	(void)curl_multi_cleanup(c->multi); /* fails only if it is none */
	c->multi = NULL;
	curl_global_cleanup();
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

int sl_probe_curl_add(struct sl_probe_curl *c, struct sl_transfer *t)
{
	if (curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t) ||
	    curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, on_open) ||
	    curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t) ||
	    curl_multi_add_handle(c->multi, t->easy))
		return -ENOMEM;
	return 0;
}

void sl_probe_curl_remove(struct sl_probe_curl *c, struct sl_transfer *t)
{
	(void)curl_multi_remove_handle(c->multi, t->easy); /* one never added is fine */
}
