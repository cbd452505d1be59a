/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link: the program on interfaces, by pinned bpf_link, named
 * "link-<mode>-<interface>". A link is made once, then only its program is
 * replaced, atomically: there is never a moment without one.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb_user/dp/internal.h"

#define PIN_DOT ':' /* bpffs refuses names with dots; interfaces cannot have a colon */

static int link_path(const char *dir, const char *ifname, enum sl_mode mode, char ret[SL_DP_PATH])
{
	char name[64];

	snprintf(name, sizeof(name), "link-%s-%s", sl_mode_name(mode), ifname);
	for (char *dot = strchr(name, '.'); dot; dot = strchr(dot, '.'))
		*dot = PIN_DOT;
	return sl_pins_path(dir, name, ret, NULL);
}

/* ifindex a link is on; 0 when its interface is gone. */
static unsigned link_target(int fd)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.xdp.ifindex;
}

static int explain_create(int r, const char *ifname, enum sl_mode mode, struct sl_err *err)
{
	switch (r) {
	case -EBUSY:
	case -EEXIST:
		return sl_err_set(err, r, "dataplane-error",
				  "interface %s: another XDP program is attached; remove it first: "
				  "ip link set dev %s xdp off",
				  ifname, ifname);
	case -EOPNOTSUPP:
		return sl_err_set(err, r, "dataplane-error",
				  "interface %s: its driver has no %s XDP; set its mode to generic "
				  "(slower) or use another interface",
				  ifname, sl_mode_name(mode));
	case -ERANGE:
	case -EINVAL:
		return sl_err_set(
			err, r, "dataplane-error",
			"interface %s: %s XDP refused (%s): lower the interface's MTU (its "
			"driver may not take XDP frames of several buffers), and check LRO "
			"and queue settings; on veth it is the peer's MTU, and tens of "
			"thousands are taken",
			ifname, sl_mode_name(mode), strerror(-r));
	default:
		return sl_err_set(err, r, "dataplane-error", "interface %s: attaching: %s", ifname,
				  strerror(-r));
	}
}

static int link_create(const char *path, int prog_fd, const char *ifname, unsigned ifindex,
		       enum sl_mode mode, struct sl_err *err)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = mode == SL_MODE_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(prog_fd, (int)ifindex, BPF_XDP, &opts), r;

	if (fd < 0)
		return explain_create(fd, ifname, mode, err);
	r = bpf_obj_pin(fd, path);
	close(fd); /* unpinned, this takes the program off again */
	if (r < 0)
		return sl_err_set(err, r, "dataplane-error", "pinning %s: %s", path, strerror(-r));
	return 0;
}

int sl_link_attach(const char *dir, int prog_fd, const char *ifname, enum sl_mode mode,
		   struct sl_err *err)
{
	enum sl_mode other = mode == SL_MODE_NATIVE ? SL_MODE_GENERIC : SL_MODE_NATIVE;
	unsigned ifindex = if_nametoindex(ifname);
	char path[SL_DP_PATH], other_path[SL_DP_PATH];
	int fd, r;

	if (!ifindex)
		return sl_err_set(err, -ENODEV, "validation-failed",
				  "interface %s does not exist; see: ip link", ifname);
	r = link_path(dir, ifname, mode, path);
	if (r < 0)
		return r;
	if (!link_path(dir, ifname, other, other_path))
		unlink(other_path); /* the mode was changed */
	fd = bpf_obj_get(path);
	if (fd >= 0) {
		if (link_target(fd) == ifindex) {
			r = bpf_link_update(fd, prog_fd, NULL);
			close(fd);
			if (r < 0)
				return sl_err_set(err, r, "dataplane-error",
						  "interface %s: replacing the program: %s", ifname,
						  strerror(-r));
			return 0;
		}
		close(fd); /* of an interface of this name that is gone */
		unlink(path);
	}
	return link_create(path, prog_fd, ifname, ifindex, mode, err);
}

static int link_open(const char *dir, const char *ifname, char path[SL_DP_PATH])
{
	int fd = -ENOENT;

	if (!link_path(dir, ifname, SL_MODE_NATIVE, path))
		fd = bpf_obj_get(path);
	if (fd < 0 && !link_path(dir, ifname, SL_MODE_GENERIC, path))
		fd = bpf_obj_get(path);
	return fd;
}

int sl_link_detach(const char *dir, const char *ifname, struct sl_err *err)
{
	char path[SL_DP_PATH];
	int fd = link_open(dir, ifname, path), r;

	if (fd < 0)
		return sl_err_set(err, -ENOENT, "not-found", "interface %s: not attached", ifname);
	r = bpf_link_detach(fd);
	close(fd);
	unlink(path);
	/* -ENOLINK: the interface is gone, and the program with it */
	return r < 0 && r != -ENOLINK
		       ? sl_err_set(err, r, "dataplane-error", "interface %s: detaching: %s",
				    ifname, strerror(-r))
		       : 0;
}

unsigned sl_link_ifindex(const char *dir, const char *ifname)
{
	char path[SL_DP_PATH];
	int fd = link_open(dir, ifname, path);
	unsigned ifindex;

	if (fd < 0)
		return 0;
	ifindex = link_target(fd);
	close(fd);
	return ifindex;
}

/* The interface a pin is for; false: it is no link's. */
static bool pin_ifname(const char *pin, char ret[SL_IFNAME_LEN])
{
	const char *name = NULL;

	if (!strncmp(pin, "link-native-", 12))
		name = pin + 12;
	else if (!strncmp(pin, "link-generic-", 13))
		name = pin + 13;
	if (!name)
		return false;
	snprintf(ret, SL_IFNAME_LEN, "%s", name);
	for (char *dot = strchr(ret, PIN_DOT); dot; dot = strchr(dot, PIN_DOT))
		*dot = '.';
	return true;
}

/* A link whose program has been replaced. */
struct replaced {
	struct replaced *next;
	int fd;
};

static int replace_one(const char *dir, const char *pin, int prog_fd, int old_fd,
		       struct replaced **done, struct sl_err *err)
{
	LIBBPF_OPTS(bpf_link_update_opts, opts);
	struct replaced *one = calloc(1, sizeof(*one));
	char path[SL_DP_PATH], ifname[SL_IFNAME_LEN] = "";
	int r = one ? sl_pins_path(dir, pin, path, err) : -ENOMEM;

	pin_ifname(pin, ifname);
	if (!r)
		r = one->fd = bpf_obj_get(path);
	if (r >= 0) {
		if (old_fd >= 0) {
			opts.flags = BPF_F_REPLACE;
			opts.old_prog_fd = (__u32)old_fd;
		}
		r = bpf_link_update(one->fd, prog_fd, &opts);
		if (!r) {
			one->next = *done;
			*done = one;
			return 0;
		}
		close(one->fd);
	}
	free(one);
	if (r == -ENOLINK) /* the interface is gone, and the program with it */
		return 0;
	return sl_err_set(err, r, "dataplane-error", "interface %s: replacing the program: %s%s",
			  ifname, strerror(-r),
			  r == -EPERM ? "; its link holds a program that this agent did not put "
					"there: restart sluiced, which takes it over"
				      : "");
}

int sl_link_replace_all(const char *dir, int prog_fd, int old_fd, struct sl_err *err)
{
	struct replaced *done = NULL;
	char ifname[SL_IFNAME_LEN];
	DIR *d = opendir(dir);
	struct dirent *e;
	int r = 0;

	if (!d)
		return sl_err_set(err, -errno, "dataplane-error", "pin folder %s: %s", dir,
				  strerror(errno));
	while ((!r || old_fd < 0) && (e = readdir(d)))
		if (pin_ifname(e->d_name, ifname))
			r = replace_one(dir, e->d_name, prog_fd, old_fd, &done, err);
	closedir(d);
	while (done) {
		struct replaced *one = done;

		done = one->next;
		if (r < 0 && old_fd >= 0) /* back: whoever it was, it decides as this one does */
			(void)bpf_link_update(one->fd, old_fd, NULL);
		close(one->fd);
		free(one);
	}
	return r;
}

int sl_link_list(const char *dir, unsigned *ret, int room)
{
	char path[SL_DP_PATH], ifname[SL_IFNAME_LEN];
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	while (d && n < room && (e = readdir(d))) {
		int fd;

		if (!pin_ifname(e->d_name, ifname) || sl_pins_path(dir, e->d_name, path, NULL))
			continue;
		fd = bpf_obj_get(path);
		if (fd < 0)
			continue;
		ret[n] = link_target(fd);
		n += ret[n] != 0;
		close(fd);
	}
	if (d)
		closedir(d);
	return n;
}

int sl_link_detach_all(const char *dir, struct sl_err *err)
{
	char ifname[SL_IFNAME_LEN];
	DIR *d = opendir(dir);
	struct dirent *e;
	int r = 0;

	if (!d)
		return sl_err_set(err, -errno, "dataplane-error", "pin folder %s: %s", dir,
				  strerror(errno));
	while ((e = readdir(d))) {
		if (pin_ifname(e->d_name, ifname)) {
			int one = sl_link_detach(dir, ifname, err);

			r = one < 0 ? one : r;
		}
	}
	closedir(d);
	return r;
}
