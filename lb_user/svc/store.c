/* SPDX-License-Identifier: BSD-2-Clause */

/* store: the state file, whole or not at all. */
#include "lb_user/svc/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLUG	       "state-file-error"
#define SIZE_MAX_BYTES (16u << 20)

static const char *advice(int error)
{
	switch (-error) {
	case ENOSPC:
	case EDQUOT:
		return "free space on its file system";
	case ENOENT:
	case ENOTDIR:
		return "create its folder";
	case EACCES:
	case EPERM:
	case EROFS:
		return "let the agent write to its folder";
	default:
		return "see the kernel's log for errors of the disk";
	}
}

/*
 * Writers answer -EIO whatever the cause: an absent folder must not reach a
 * client of the API as "not found". The cause is in the text, which a long
 * path must not push out.
 */
static int write_failed(struct sl_err *err, const char *path, const char *what, int error)
{
	return sl_err_set(err, -EIO, SLUG, "state file %.160s: cannot %s: %s; %s", path, what,
			  strerror(-error), advice(error));
}

static int tmp_path(const char *path, char ret[PATH_MAX])
{
	int n = snprintf(ret, PATH_MAX, "%s.tmp", path);

	return n > 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* ---- reading ----------------------------------------------------------------- */

/* Fills @ret_text (freed by the caller) up to the end of the file. */
static int read_all(int fd, size_t expect, char **ret_text, size_t *ret_len)
{
	size_t len = 0, room = expect + 1;
	char *text = malloc(room), *more;
	ssize_t n;
	int r;

	if (!text)
		return -ENOMEM;
	for (;;) {
		if (len + 1 >= room) { /* it grew while we read, or its size was not told */
			room = room < 4096 ? 8192 : 2 * room;
			more = realloc(text, room);
			r = -ENOMEM;
			if (!more)
				goto out;
			text = more;
		}
		n = read(fd, text + len, room - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : 0;
		if (n <= 0)
			break;
		len += (size_t)n;
		r = -EFBIG;
		if (len > SIZE_MAX_BYTES)
			goto out;
	}
	if (r < 0)
		goto out;
	text[len] = 0;
	*ret_text = text;
	*ret_len = len;
	return 0;
out:
	free(text);
	return r;
}

int sl_store_read(const char *path, char **ret_text, size_t *ret_len, struct sl_err *err)
{
	struct stat st;
	int fd, r;

	/* Non-blocking: opening a pipe by mistake must not hang the agent. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		r = -errno;
		if (r == -ENOENT)
			return r;
		return sl_err_set(err, r, SLUG, "file %.160s: cannot open it: %s", path,
				  strerror(-r));
	}
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	else if (st.st_size > (off_t)SIZE_MAX_BYTES)
		r = -EFBIG;
	else
		r = read_all(fd, (size_t)st.st_size + 1, ret_text, ret_len);
	(void)close(fd); /* nothing was written */
	if (r == -EFBIG)
		return sl_err_set(err, r, SLUG,
				  "file %.160s: larger than %u MiB, so it is not one of ours", path,
				  SIZE_MAX_BYTES >> 20);
	if (r == -EINVAL)
		return sl_err_set(err, r, SLUG, "file %.160s: not a regular file", path);
	if (r < 0)
		return sl_err_set(err, r, SLUG, "file %.160s: cannot read it: %s", path,
				  strerror(-r));
	return 0;
}

/* ---- writing ------------------------------------------------------------------ */

static int write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int sl_store_prepare(const char *path, const char *text, size_t len, struct sl_err *err)
{
	char tmp[PATH_MAX];
	int fd, r;

	if (len > SIZE_MAX_BYTES)
		return write_failed(err, path, "be read back at this size", -EFBIG);
	r = tmp_path(path, tmp);
	if (r < 0)
		return write_failed(err, path, "write beside it", r);
	/* What a crash left. A new file, so that neither its mode nor a link is taken over. */
	if (unlink(tmp) < 0 && errno != ENOENT)
		return write_failed(err, path, "replace the old .tmp file", -errno);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return write_failed(err, path, "create the .tmp file", -errno);
	r = write_all(fd, text, len);
	if (!r && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && !r)
		r = -errno;
	if (r < 0) {
		(void)unlink(tmp); /* the first error is the one to tell */
		return write_failed(err, path, "write the .tmp file", r);
	}
	return 0;
}

/* The folder that @path is in, opened; or a negative errno. */
static int open_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	int fd;

	if (len >= sizeof(folder))
		return -ENAMETOOLONG;
	if (!slash)
		(void)snprintf(folder, sizeof(folder), ".");
	else
		(void)snprintf(folder, sizeof(folder), "%.*s", len ? (int)len : 1, path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

enum undo { UNDO_EXCHANGE, UNDO_RENAME, UNDO_NOT };

/*
 * Puts the new document in place. Exchanging keeps the old one at hand for the
 * case that the folder cannot be synced; without an old one, or on a file
 * system that cannot exchange, it is renamed.
 */
static int put_in_place(const char *tmp, const char *path, enum undo *ret_undo)
{
	struct stat st;
	bool existed = lstat(path, &st) == 0;

	if (existed && S_ISREG(st.st_mode) &&
	    !renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_EXCHANGE)) {
		*ret_undo = UNDO_EXCHANGE;
		return 0;
	}
	if (rename(tmp, path) < 0)
		return -errno;
	*ret_undo = existed ? UNDO_NOT : UNDO_RENAME;
	return 0;
}

/* Whether the old state is back; the new document is then the .tmp file again. */
static bool take_back(const char *tmp, const char *path, enum undo undo)
{
	switch (undo) {
	case UNDO_EXCHANGE:
		return renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_EXCHANGE) == 0;
	case UNDO_RENAME:
		return rename(path, tmp) == 0;
	case UNDO_NOT:
		break;
	}
	return false;
}

int sl_store_commit(const char *path, struct sl_err *err)
{
	char tmp[PATH_MAX];
	enum undo undo = UNDO_NOT;
	int folder, r;

	r = tmp_path(path, tmp);
	if (r < 0)
		return write_failed(err, path, "name the .tmp file", r);
	folder = open_folder(path);
	if (folder < 0)
		return write_failed(err, path, "open its folder", folder);
	r = put_in_place(tmp, path, &undo);
	if (r < 0) {
		(void)close(folder); /* nothing was written through it, here and below */
		return write_failed(err, path, "put the new one in place", r);
	}
	/* EINVAL: a file system whose folders need no sync. */
	if (fsync(folder) < 0 && errno != EINVAL)
		r = -errno;
	(void)close(folder);
	if (!r) {
		if (undo == UNDO_EXCHANGE)
			(void)unlink(tmp); /* the old document; else the next prepare does it */
		return 0;
	}
	/* Not known to last: the caller will undo the change, so the file must follow. */
	if (take_back(tmp, path, undo))
		return write_failed(err, path, "sync its folder", r);
	return write_failed(err, path, "sync its folder (yet the new one is in place)", r);
}

void sl_store_abandon(const char *path)
{
	char tmp[PATH_MAX];

	if (!tmp_path(path, tmp))
		(void)unlink(tmp); /* may not be there */
}
