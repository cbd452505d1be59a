/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * probe_tcp: a backend is well if it completes the handshake. The connection is
 * closed in the ordinary way (FIN), so that backends log no reset.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lb_user/svc/probe.h"

/* Outlives its probe by the turn of the loop that closing a handle takes. */
struct attempt {
	uv_poll_t poll;
	struct sl_probe *probe;
	int fd;
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void tcp_cancel(struct sl_probe *probe)
{
	struct attempt *a = probe->attempt;

	if (!a)
		return;
	probe->attempt = NULL;
	(void)uv_poll_stop(&a->poll); /* cannot fail; the socket may be closed after it */
	(void)close(a->fd);
	uv_close((uv_handle_t *)&a->poll, on_closed);
}

/* @error: 0 or a negative errno. */
static void finish(struct sl_probe *probe, int error)
{
	struct sl_probe_result res;

	if (error)
		sl_probe_say_unconnected(probe, &res, error);
	else
		sl_probe_say(probe, &res, "L4OK", "", "connect to %s: connected", probe->target);
	sl_probe_finish(probe, &res);
}

static void on_connected(uv_poll_t *poll, int status, int events)
{
	struct attempt *a = poll->data;
	struct sl_probe *probe = a->probe;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)events;
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	/* libuv reports every socket error as EBADF: only the socket knows which. */
	error = error ? -error : status;
	tcp_cancel(probe);
	finish(probe, error);
}

static int attempt_new(struct sl_probe *probe, int fd)
{
	struct attempt *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	r = uv_poll_init(probe->loop, &a->poll, fd);
	if (r < 0) {
		free(a);
		return r;
	}
	a->poll.data = a;
	a->probe = probe;
	a->fd = fd;
	probe->attempt = a;
	return uv_poll_start(&a->poll, UV_WRITABLE, on_connected);
}

static void tcp_start(struct sl_probe *probe)
{
	struct sockaddr_storage to;
	socklen_t len = sl_addr_sockaddr(&probe->addr, probe->port, &to);
	int fd, r = 0;

	fd = sl_probe_socket(probe->addr.family);
	if (fd < 0) {
		finish(probe, fd);
		return;
	}
	if (connect(fd, (struct sockaddr *)&to, len) < 0)
		r = -errno;
	if (r == -EINPROGRESS) {
		r = attempt_new(probe, fd);
		if (!r)
			return;
	}
	if (probe->attempt)
		tcp_cancel(probe); /* closes the socket */
	else
		(void)close(fd);
	finish(probe, r);
}

static void tcp_expire(struct sl_probe *probe, struct sl_probe_result *ret)
{
	sl_probe_say(probe, ret, "L4TOUT", "target.timeout",
		     "connect to %s: no answer within %u ms", probe->target,
		     probe->check.timeout_ms);
}

const struct sl_probe_kind sl_probe_tcp = {
	.start = tcp_start,
	.cancel = tcp_cancel,
	.expire = tcp_expire,
};
