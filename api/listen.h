/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef API_LISTEN_H
#define API_LISTEN_H

/* listen: the sockets that the API is served on, ready to accept. */
#include <sys/types.h>

#include "lb_user/base/err.h"

/* A socket file, to be removed at the end if it is still the same one. */
struct sl_listen_file {
	char path[108]; /* sun_path; "": none */
	dev_t dev;
	ino_t ino;
};

/*
 * Makes the last folder of @path (0750) if it is missing and the socket in it
 * (0660). A socket file that is there is replaced only if nobody answers on it.
 * Returns 0 or a negative errno with @err.
 */
int sl_listen_unix(const char *path, int *ret_fd, struct sl_listen_file *ret_file,
		   struct sl_err *err);
void sl_listen_remove(struct sl_listen_file *file);

/* @text: "127.0.0.1:PORT" or "[::1]:PORT". */
int sl_listen_tcp(const char *text, int *ret_fd, struct sl_err *err);

#endif
