/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pins: the folder on a bpffs that outlives the agent. One agent at a time:
 * the folder is locked while one runs.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <sluice/names.h>

#include "lb_user/dp/internal.h"

static int check_bpffs(const char *dir, struct sl_err *err)
{
	struct statfs fs;

	if (statfs(dir, &fs))
		return sl_err_set(err, -errno, "dataplane-error", "pin folder %s: %s", dir,
				  strerror(errno));
	if ((unsigned long)fs.f_type != BPF_FS_MAGIC)
		return sl_err_set(err, -ENOTDIR, "dataplane-error",
				  "pin folder %s is not on a bpf file system; mount one: "
				  "mount -t bpf bpf /sys/fs/bpf",
				  dir);
	return 0;
}

int sl_pins_open(const char *dir, int *ret_lock_fd, struct sl_err *err)
{
	int fd, r;

	if (mkdir(dir, 0700) && errno != EEXIST) {
		r = -errno;
		return sl_err_set(err, r, "dataplane-error",
				  "pin folder %s cannot be made: %s; is a bpf file system mounted "
				  "there? mount -t bpf bpf /sys/fs/bpf",
				  dir, strerror(-r));
	}
	r = check_bpffs(dir, err);
	if (r < 0) {
		rmdir(dir); /* only if it is empty, so only if it was just made */
		return r;
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return sl_err_set(err, -errno, "dataplane-error", "pin folder %s: %s", dir,
				  strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return sl_err_set(err, -EBUSY, "dataplane-error",
				  "another sluiced is using the pin folder %s; stop it or choose "
				  "another with --pin-dir",
				  dir);
	}
	*ret_lock_fd = fd;
	return 0;
}

int sl_pins_path(const char *dir, const char *name, char ret[SL_DP_PATH], struct sl_err *err)
{
	if (snprintf(ret, SL_DP_PATH, "%s/%s", dir, name) >= SL_DP_PATH)
		return sl_err_set(err, -ENAMETOOLONG, "dataplane-error",
				  "pin folder %s: the name is too long", dir);
	return 0;
}

static __u32 key_bytes(const char *name)
{
	if (!strcmp(name, SL_MAP_EVENTS))
		return 0;
	return strcmp(name, SL_MAP_PREFIXES) ? 4 : sizeof(struct sl_guard_key);
}

int sl_pins_get_map(const char *dir, const char *name, size_t bytes, int *ret_fd,
		    struct sl_err *err)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	char path[SL_DP_PATH];
	int fd, r;

	r = sl_pins_path(dir, name, path, err);
	if (r < 0)
		return r;
	fd = bpf_obj_get(path);
	if (fd < 0) {
		r = fd;
		return sl_err_set(err, r, "dataplane-error", "pinned map %s: %s", path,
				  strerror(-r));
	}
	r = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (r || info.key_size != key_bytes(name) ||
	    (bytes && (info.type != BPF_MAP_TYPE_ARRAY || info.max_entries != 1 ||
		       info.value_size != bytes))) {
		close(fd);
		return sl_err_set(
			err, -EPROTO, "dataplane-error",
			"pinned map %s has another layout (%u bytes, expected %zu): it was "
			"made by another version; run that version, or drop the data plane "
			"with: sluiced --detach",
			path, info.value_size, bytes);
	}
	*ret_fd = fd;
	return 0;
}

int sl_pins_put(const char *dir, const char *name, int fd, struct sl_err *err)
{
	char path[SL_DP_PATH];
	int r = sl_pins_path(dir, name, path, err);

	if (r < 0)
		return r;
	r = bpf_obj_pin(fd, path);
	if (r < 0)
		return sl_err_set(err, r, "dataplane-error", "pinning %s: %s", path, strerror(-r));
	return 0;
}

static int each_pin(const char *dir, bool links, bool remove)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		bool is_link = !strncmp(e->d_name, "link-", 5);

		if (e->d_name[0] == '.' || is_link != links)
			continue;
		n++;
		if (remove)
			unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	return n;
}

bool sl_pins_any_link(const char *dir)
{
	return each_pin(dir, true, false) > 0;
}

int sl_pins_remove_maps(const char *dir)
{
	return each_pin(dir, false, true);
}
