/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef API_SERVER_H
#define API_SERVER_H

/*
 * server: HTTP on the agent's loop (libmicrohttpd with external epoll). Knows
 * connections, limits and bodies; what a request means is the router's.
 */
#include <uv.h>

#include "lb_user/base/err.h"
#include "lb_user/svc/control.h"

struct sl_server;

struct sl_server_options {
	/* NULL: none. Mode 0660; a stale socket is replaced. */
	const char *unix_path;
	/* NULL: none. "127.0.0.1:7600" or "[::1]:7600"; anything else is refused. */
	const char *tcp_listen;
	/*
	 * DELETE /api/v1/dataplane has unloaded everything, and that was answered:
	 * time to exit. The server may be freed in it.
	 */
	void (*on_detach)(void *user);
	void *user;
};

int sl_server_new(uv_loop_t *loop, struct sl_control *control, const struct sl_server_options *opt,
		  struct sl_server **ret, struct sl_err *err);

/* Handles close on the next turns of the loop, after a failed sl_server_new() as well. */
void sl_server_free(struct sl_server *s);

#endif
