/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lb_user/base/addr.h"

#define BACKLOG 128

static int fail(struct sl_err *err, int code, const char *where, const char *what)
{
	return sl_err_set(err, code, "listen-failed", "API listener %s: %s: %s", where, what,
			  strerror(-code));
}

/* ---- Unix ----------------------------------------------------------------------- */

static int make_folder(const char *path, struct sl_err *err)
{
	const char *slash = strrchr(path, '/');
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	size_t len = slash ? (size_t)(slash - path) : 0;
	int r;

	if (len == 0)
		return 0;
	memcpy(folder, path, len);
	folder[len] = '\0';
	if (mkdir(folder, 0750) == 0 || errno == EEXIST)
		return 0;
	r = -errno;
	return fail(err, r, path, "cannot make the folder it lies in");
}

/* 1: somebody answers, 0: nobody, or a negative errno. */
static int somebody_answers(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = 1;

	if (fd < 0)
		return -errno;
	/* EAGAIN: its queue is full, so it is alive all the same. */
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 && errno != EAGAIN)
		r = errno == ECONNREFUSED ? 0 : -errno;
	(void)close(fd);
	return r;
}

static int clear_stale(const struct sockaddr_un *addr, struct sl_err *err)
{
	const char *path = addr->sun_path;
	struct stat st;
	int r;

	if (lstat(path, &st) < 0) {
		if (errno == ENOENT)
			return 0;
		r = -errno;
		return fail(err, r, path, "cannot look at it");
	}
	if (!S_ISSOCK(st.st_mode))
		return sl_err_set(err, -EEXIST, "listen-failed",
				  "API listener %s: a file that is no socket is there; remove it "
				  "or choose another path",
				  path);
	r = somebody_answers(addr);
	if (r == 1)
		return sl_err_set(err, -EADDRINUSE, "listen-failed",
				  "another sluiced answers on %s; stop it or choose another path",
				  path);
	if (r < 0)
		return fail(err, r, path, "cannot tell whether the socket there is in use");
	if (unlink(path) < 0 && errno != ENOENT) {
		r = -errno;
		return fail(err, r, path, "cannot remove the stale socket");
	}
	return 0;
}

int sl_listen_unix(const char *path, int *ret_fd, struct sl_listen_file *ret_file,
		   struct sl_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	bool bound = false;
	struct stat st;
	mode_t mask;
	int fd = -1, r;

	_Static_assert(sizeof(addr.sun_path) == sizeof(ret_file->path), "one size for the path");
	if (len == 0 || len >= sizeof(addr.sun_path))
		return sl_err_set(err, -ENAMETOOLONG, "listen-failed",
				  "API listener: a socket path has 1 to %zu bytes, this one %zu",
				  sizeof(addr.sun_path) - 1, len);
	memcpy(addr.sun_path, path, len + 1);
	r = make_folder(path, err);
	if (r == 0)
		r = clear_stale(&addr, err);
	if (r < 0)
		return r;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		r = fail(err, -errno, path, "cannot make a socket");
		goto out;
	}
	/* The mode is right from the first moment on, without a chmod after the fact. */
	mask = umask(0117);
	r = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
	(void)umask(mask);
	if (r < 0) {
		(void)fail(err, r, path, "cannot bind");
		goto out;
	}
	bound = true;
	if (listen(fd, BACKLOG) < 0 || lstat(path, &st) < 0) {
		r = fail(err, -errno, path, "cannot listen");
		goto out;
	}
	memcpy(ret_file->path, addr.sun_path, sizeof(ret_file->path));
	ret_file->dev = st.st_dev;
	ret_file->ino = st.st_ino;
	*ret_fd = fd;
	fd = -1;
out:
	if (fd >= 0) {
		(void)close(fd);
		if (bound)
			(void)unlink(path);
	}
	return r;
}

/* Not somebody else's, who has put another in its place. */
void sl_listen_remove(struct sl_listen_file *file)
{
	struct stat st;

	if (file->path[0] && lstat(file->path, &st) == 0 && st.st_dev == file->dev &&
	    st.st_ino == file->ino)
		(void)unlink(file->path);
	file->path[0] = '\0';
}

/* ---- TCP ------------------------------------------------------------------------- */

/* Only these two: without TLS and tokens nothing else may be reachable. */
static int parse_listen(const char *text, struct sl_addr *ret_addr, uint16_t *ret_port)
{
	static const char *const hosts[] = { "127.0.0.1", "[::1]" };
	static const char *const addrs[] = { "127.0.0.1", "::1" };

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		size_t len = strlen(hosts[i]);
		const char *digits = text + len + 1;
		unsigned port = 0;

		if (strncmp(text, hosts[i], len) != 0 || text[len] != ':')
			continue;
		len = strspn(digits, "0123456789");
		if (len < 1 || len > 5 || digits[len] != '\0')
			return -EINVAL;
		for (; *digits; digits++)
			port = port * 10 + (unsigned)(*digits - '0');
		if (port < 1 || port > UINT16_MAX)
			return -EINVAL;
		*ret_port = (uint16_t)port;
		return sl_addr_parse(addrs[i], ret_addr);
	}
	return -EINVAL;
}

int sl_listen_tcp(const char *text, int *ret_fd, struct sl_err *err)
{
	struct sockaddr_storage sa;
	struct sl_addr addr;
	uint16_t port;
	socklen_t len;
	int fd, on = 1, r = 0;

	if (parse_listen(text, &addr, &port) < 0)
		return sl_err_set(err, -EINVAL, "listen-failed",
				  "API listener \"%.100s\": must be 127.0.0.1:PORT or [::1]:PORT; "
				  "the API has no TLS and no tokens yet, so it is not offered to "
				  "other machines (use SSH to forward it)",
				  text);
	len = sl_addr_sockaddr(&addr, port, &sa);
	fd = socket(addr.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(err, -errno, text, "cannot make a socket");
	/* A restart must not wait for TIME_WAIT; [::1] must not hold 127.0.0.1's port too. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (addr.family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, BACKLOG) < 0)
		r = fail(err, -errno, text, "cannot listen");
	if (r < 0)
		(void)close(fd);
	else
		*ret_fd = fd;
	return r;
}
