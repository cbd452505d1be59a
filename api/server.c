/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/server.h"

/*
 * One libmicrohttpd daemon per listener, driven from the loop: its epoll
 * descriptor is watched, and its next timeout is a timer. Both are needed: the
 * descriptor alone stays silent when work is left over inside the library.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "api/conns.h"
#include "api/listen.h"
#include "api/router.h"
#include "lb_user/base/clock.h"
#include "lb_user/base/log.h"

#define IDLE_TIMEOUT_S	  15u /* no byte in either direction */
#define CONNECTIONS_MAX	  64u
#define TCP_PER_IP_MAX	  16u
#define CONNECTION_MEMORY ((size_t)64 * 1024) /* head and one piece of the body */

/* One request and its answer. */
struct exchange {
	struct listener *listener;
	struct sl_conn *conn;
	struct sl_request request;
	bool has_head;
	bool unloaded;
};

struct listener {
	struct sl_server *server; /* NULL while closing */
	struct MHD_Daemon *daemon;
	struct sl_conns conns;
	bool tcp;
	unsigned handles; /* not closed yet; the last one frees */
	uv_poll_t events;
	uv_timer_t due, sweep;
};

struct sl_server {
	struct sl_api api;
	struct sl_server_options opt;
	struct listener *listener[2];
	struct sl_listen_file file;
	bool unloaded;
};

/* ---- connections ---------------------------------------------------------------- */

static void on_connection(void *user, struct MHD_Connection *mhd, void **socket_context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct listener *l = user;
	const union MHD_ConnectionInfo *info;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		/* Without a context its first request is refused. */
		info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		*socket_context = info ? sl_conns_open(&l->conns, info->connect_fd) : NULL;
	} else {
		sl_conns_close(&l->conns, *socket_context);
		*socket_context = NULL;
	}
}

/* ---- a request -------------------------------------------------------------------- */

/* The request line has been read; what is returned is the request's context. */
static void *on_target(void *user, const char *target, struct MHD_Connection *mhd)
{
	struct listener *l = user;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct sl_conn *c = info ? info->socket_context : NULL;
	struct exchange *x = c ? calloc(1, sizeof(*x)) : NULL;

	if (!x)
		return NULL;
	if (!c->since_ms)
		c->since_ms = sl_clock_ms();
	x->listener = l;
	x->conn = c;
	sl_request_init(&x->request, l->tcp);
	sl_request_target(&x->request, target);
	return x;
}

/* Paths are decoded by request.c, once; the library must leave them alone. */
static size_t keep_escapes(void *user, struct MHD_Connection *mhd, char *text)
{
	(void)user;
	(void)mhd;
	return strlen(text);
}

static enum MHD_Result on_header(void *user, enum MHD_ValueKind kind, const char *name,
				 const char *value)
{
	(void)kind;
	sl_request_header(user, name, value);
	return MHD_YES;
}

static struct MHD_Response *make_response(struct sl_reply *reply)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(reply->len, reply->body, MHD_RESPMEM_MUST_FREE);
	bool whole;

	if (!response)
		return NULL;
	reply->body = NULL; /* the response's now */
	whole = MHD_add_response_header(response, "Cache-Control", "no-store") &&
		MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (reply->content_type)
		whole = whole && MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
							 reply->content_type);
	if (reply->close)
		whole = whole &&
			MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	for (size_t i = 0; i < reply->n_headers; i++)
		whole = whole && MHD_add_response_header(response, reply->header[i].name,
							 reply->header[i].value);
	if (whole)
		return response;
	MHD_destroy_response(response);
	return NULL;
}

/* Who changed what, or tried to. The path is as it came; sl_log masks control characters. */
static void log_write(const struct exchange *x, const char *path, unsigned status)
{
	if (!sl_method_writes(x->request.method))
		return;
	if (x->conn->uid >= 0)
		sl_info("api: %s %.200s: %u, uid %ld", sl_method_name(x->request.method), path,
			status, x->conn->uid);
	else
		sl_info("api: %s %.200s: %u, over TCP", sl_method_name(x->request.method), path,
			status);
}

static enum MHD_Result answer(struct exchange *x, struct MHD_Connection *mhd, const char *path,
			      bool at_once)
{
	struct sl_api *api = &x->listener->server->api;
	enum MHD_Result result = MHD_NO;
	struct MHD_Response *response;
	struct sl_reply reply;

	sl_reply_init(&reply);
	if (x->request.refusal.status)
		sl_reply_refuse(&reply, &x->request.refusal);
	else
		sl_router_handle(api, &x->request, &reply);
	sl_conn_begin_answer(x->conn);
	reply.close = reply.close || at_once;
	x->unloaded = reply.unloaded;
	sl_router_count(api, x->request.method, reply.status);
	log_write(x, path, reply.status);
	response = make_response(&reply);
	if (response) {
		result = MHD_queue_response(mhd, reply.status, response);
		MHD_destroy_response(response);
	}
	sl_reply_done(&reply);
	sl_request_done(&x->request);
	return result;
}

/*
 * Called once with the head, then for each piece of the body, then once more
 * without one. An answer in the first call ends the connection, so it is given
 * there only when the rest must not be read.
 */
static enum MHD_Result on_request(void *user, struct MHD_Connection *mhd, const char *path,
				  const char *method, const char *version, const char *data,
				  size_t *data_len, void **context)
{
	struct exchange *x = *context;

	(void)user;
	(void)version;
	if (!x)
		return MHD_NO; /* no memory for it: the connection is closed */
	if (!x->has_head) {
		x->has_head = true;
		sl_request_method(&x->request, method);
		(void)MHD_get_connection_values(mhd, MHD_HEADER_KIND, on_header, &x->request);
		if (sl_request_admit(&x->request))
			return MHD_YES;
		return answer(x, mhd, path, true);
	}
	if (*data_len > 0) {
		sl_request_body(&x->request, data, *data_len);
		*data_len = 0;
		return MHD_YES;
	}
	return answer(x, mhd, path, false);
}

/* The last byte is sent, or the client is gone. */
static void on_completed(void *user, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode why)
{
	struct exchange *x = *context;
	struct listener *l = user;

	(void)mhd;
	(void)why;
	if (!x)
		return;
	*context = NULL;
	sl_conn_end_request(x->conn);
	if (x->unloaded && l->server)
		l->server->unloaded = true;
	sl_request_done(&x->request);
	free(x);
}

/* ---- the loop ---------------------------------------------------------------------- */

static void on_due(uv_timer_t *timer);

static void arm(struct listener *l)
{
	MHD_UNSIGNED_LONG_LONG wait_ms = 0;

	/*
	 * At its connection limit the library stops watching the listening socket
	 * and looks at that again only when it runs: without one more run after
	 * connections have gone, who waits in the queue waits for a timeout.
	 */
	if (l->conns.n_closed == 0 && MHD_get_timeout(l->daemon, &wait_ms) != MHD_YES) {
		(void)uv_timer_stop(&l->due);
		return;
	}
	(void)uv_timer_start(&l->due, on_due, wait_ms, 0);
}

static void run(struct listener *l)
{
	struct sl_server *s = l->server;

	sl_conns_note_bytes(&l->conns);
	l->conns.n_closed = 0;
	(void)MHD_run(l->daemon);
	arm(l);
	/* Last, and outside the library: the owner may free the server in it. */
	if (s->unloaded) {
		s->unloaded = false;
		if (s->opt.on_detach)
			s->opt.on_detach(s->opt.user);
	}
}

static void on_due(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_events(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

/* ---- life --------------------------------------------------------------------------- */

static void log_library(void *user, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
static void log_library(void *user, const char *fmt, va_list ap)
{
	char text[256];
	size_t len;

	(void)user;
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		return;
	len = strcspn(text, "\n");
	sl_debug("api: libmicrohttpd: %.*s", (int)len, text);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct listener *l = handle->data;

	if (--l->handles == 0)
		free(l);
}

static void close_handle(struct listener *l, uv_handle_t *handle)
{
	handle->data = l;
	l->handles++;
	uv_close(handle, on_handle_closed);
}

static void listener_free(struct listener *l, bool has_events)
{
	if (!l)
		return;
	if (has_events)
		close_handle(l, (uv_handle_t *)&l->events);
	close_handle(l, (uv_handle_t *)&l->due);
	close_handle(l, (uv_handle_t *)&l->sweep);
	l->server = NULL;
	if (l->daemon)
		MHD_stop_daemon(l->daemon); /* also closes the listening socket */
	l->daemon = NULL;
}

static struct MHD_Daemon *start_daemon(struct listener *l, int fd)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, l,
		/* First, so that it also has what goes wrong with the others. */
		MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		l->tcp ? TCP_PER_IP_MAX : 0u, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, l, MHD_OPTION_UNESCAPE_CALLBACK,
		keep_escapes, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, l,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, l, MHD_OPTION_END);
}

/* Takes @fd, also on error. */
static int listener_new(struct sl_server *s, uv_loop_t *loop, int fd, bool tcp,
			struct listener **ret, struct sl_err *err)
{
	struct listener *l = calloc(1, sizeof(*l));
	const union MHD_DaemonInfo *info;
	int r;

	if (!l) {
		(void)close(fd);
		return sl_err_set(err, -ENOMEM, "out-of-memory", "API: out of memory");
	}
	l->server = s;
	l->tcp = tcp;
	(void)uv_timer_init(loop, &l->due); /* never fails */
	(void)uv_timer_init(loop, &l->sweep);
	l->due.data = l;
	l->conns.sweep = &l->sweep;
	l->conns.has_peers = !tcp;
	l->conns.limit = tcp ? TCP_PER_IP_MAX : CONNECTIONS_MAX;
	l->daemon = start_daemon(l, fd);
	if (!l->daemon) {
		(void)close(fd);
		r = sl_err_set(
			err, -EIO, "listen-failed",
			"API: libmicrohttpd did not start; run with debug logging to see why");
		goto failed;
	}
	info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	r = info ? uv_poll_init(loop, &l->events, info->epoll_fd) : -ENOTSUP;
	if (r < 0) {
		(void)sl_err_set(err, r, "listen-failed", "API: cannot watch libmicrohttpd: %s",
				 strerror(-r));
		goto failed;
	}
	l->events.data = l;
	(void)uv_poll_start(&l->events, UV_READABLE, on_events); /* only adds to a list */
	arm(l);
	*ret = l;
	return 0;
failed:
	listener_free(l, false);
	return r;
}

int sl_server_new(uv_loop_t *loop, struct sl_control *control, const struct sl_server_options *opt,
		  struct sl_server **ret, struct sl_err *err)
{
	struct sl_server *s = calloc(1, sizeof(*s));
	int fd = -1, r = 0;

	if (!s)
		return sl_err_set(err, -ENOMEM, "out-of-memory", "API: out of memory");
	s->api.control = control;
	s->api.started_wall_ms = sl_clock_wall_ms();
	s->opt = *opt;
	if (opt->unix_path) {
		r = sl_listen_unix(opt->unix_path, &fd, &s->file, err);
		if (r == 0)
			r = listener_new(s, loop, fd, false, &s->listener[0], err);
	}
	if (r == 0 && opt->tcp_listen) {
		r = sl_listen_tcp(opt->tcp_listen, &fd, err);
		if (r == 0)
			r = listener_new(s, loop, fd, true, &s->listener[1], err);
	}
	if (r < 0) {
		sl_server_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void sl_server_free(struct sl_server *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < sizeof(s->listener) / sizeof(s->listener[0]); i++)
		listener_free(s->listener[i], true);
	sl_listen_remove(&s->file);
	free(s);
}
