/* SPDX-License-Identifier: BSD-2-Clause */
/* decap: the backend's program on interfaces, by pinned links. */
#include "lb_user/dp/decap.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PATH_LEN 256
#define PIN	 "link"
#define DOT	 ':' /* bpffs refuses names with dots; interfaces cannot have a colon */

struct place { /* of one interface */
	const char *ifname;
	char dir[PATH_LEN], pin[PATH_LEN + sizeof("/" PIN)];
};

struct found { /* a link that is pinned there */
	int fd;
	unsigned ifindex;
	uint32_t prog;
	enum sl_decap_where where;
	bool generic;
};

static void exchange(char *text, char from, char to)
{
	for (char *at = strchr(text, from); at; at = strchr(at, from))
		*at = to;
}

static bool is_ifname(const char *name)
{
	return name[0] && strlen(name) < IF_NAMESIZE && !strpbrk(name, "/:") && strcmp(name, ".") &&
	       strcmp(name, "..");
}

static int place_init(struct place *p, const char *pin_dir, const char *ifname, struct sl_err *err)
{
	if (!is_ifname(ifname))
		return sl_err_set(err, -EINVAL, "validation-failed",
				  "\"%s\" is no name of an interface; see: ip link", ifname);
	p->ifname = ifname;
	if (snprintf(p->dir, sizeof(p->dir), "%s/%s", pin_dir, ifname) >= (int)sizeof(p->dir))
		return sl_err_set(err, -ENAMETOOLONG, "validation-failed",
				  "pin folder %s: the name is too long", pin_dir);
	exchange(p->dir + strlen(pin_dir), '.', DOT);
	snprintf(p->pin, sizeof(p->pin), "%s/" PIN, p->dir);
	return 0;
}

static int on_bpffs(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs))
		return -errno;
	return (unsigned long)fs.f_type == BPF_FS_MAGIC ? 0 : -ENOTDIR;
}

static int explain_folder(const char *pin_dir, int r, struct sl_err *err)
{
	if (r == -EACCES || r == -EPERM)
		return sl_err_set(err, -EACCES, "denied", "pin folder %s: %s; run it as root",
				  pin_dir, strerror(-r));
	if (r == -ENOTDIR || r == -ENOENT)
		return sl_err_set(err, -ENOTDIR, "dataplane-error",
				  "pin folder %s is not on a bpf file system; mount one: "
				  "mount -t bpf bpf /sys/fs/bpf",
				  pin_dir);
	return sl_err_set(err, r, "dataplane-error", "pin folder %s: %s", pin_dir, strerror(-r));
}

/* Makes the folder if @make, and holds its lock while the descriptor is open. */
static int folder_lock(const char *pin_dir, bool make, int *ret_fd, struct sl_err *err)
{
	bool made = make && !mkdir(pin_dir, 0700);
	int r = make && !made && errno != EEXIST ? -errno : on_bpffs(pin_dir), fd;
	struct stat st;

	if (geteuid() && r == -ENOENT)
		r = -EACCES; /* the folder above may be closed to others */
	if (r < 0) {
		if (made)
			rmdir(pin_dir);
		return !make && r == -ENOENT ? r : explain_folder(pin_dir, r, err);
	}
	fd = open(pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) || fstat(fd, &st)) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return explain_folder(pin_dir, r, err);
	}
	if (!st.st_nlink) { /* whoever held the lock removed the folder */
		close(fd);
		return folder_lock(pin_dir, make, ret_fd, err);
	}
	*ret_fd = fd;
	return 0;
}

/* Whether the link's program is what the kernel runs on the link's interface, seen from here. */
static void found_look(struct found *f)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	f->where = SL_DECAP_GONE;
	if (bpf_obj_get_info_by_fd(f->fd, &info, &len))
		return;
	f->ifindex = info.xdp.ifindex;
	f->prog = info.prog_id;
	if (!f->ifindex)
		return;
	f->where = SL_DECAP_ELSEWHERE;
	if (bpf_xdp_query((int)f->ifindex, 0, &opts))
		return;
	f->generic = opts.skb_prog_id == f->prog;
	if (f->generic || opts.drv_prog_id == f->prog)
		f->where = SL_DECAP_ON;
}

/* -ENOENT without words: nothing is pinned there. */
static int found_open(const struct place *p, struct found *ret, struct sl_err *err)
{
	*ret = (struct found){ .fd = bpf_obj_get(p->pin) };
	if (ret->fd == -ENOENT)
		return -ENOENT;
	if (ret->fd == -EACCES || ret->fd == -EPERM)
		return sl_err_set(err, -EACCES, "denied", "interface %s: %s: %s; run it as root",
				  p->ifname, p->pin, strerror(-ret->fd));
	if (ret->fd < 0)
		return sl_err_set(err, ret->fd, "dataplane-error", "interface %s: %s: %s",
				  p->ifname, p->pin, strerror(-ret->fd));
	found_look(ret);
	return 0;
}

/* Whether the pin is of the interface that has this name now, in the mode wanted. */
static int found_check(const struct found *f, const struct place *p, unsigned ifindex, bool generic,
		       struct sl_err *err)
{
	if (f->where == SL_DECAP_ELSEWHERE || f->ifindex != ifindex)
		return sl_err_set(
			err, -EBUSY, "conflict",
			"interface %s: %s is of another interface (renamed, or in another "
			"network namespace); take that one off first, or use another "
			"folder with --pin-dir",
			p->ifname, p->pin);
	if (f->generic != generic)
		return sl_err_set(
			err, -EBUSY, "conflict",
			"interface %s: the program runs there in %s mode; the mode cannot "
			"be changed without a gap: sluicectl decap %s --off, then again",
			p->ifname, f->generic ? "generic" : "native", p->ifname);
	return 0;
}

static int explain_attach(int r, const char *ifname, bool generic, struct sl_err *err)
{
	switch (r) {
	case -EBUSY:
	case -EEXIST:
		return sl_err_set(err, -EBUSY, "conflict",
				  "interface %s: another XDP program is attached; remove it first: "
				  "ip link set dev %s xdp off",
				  ifname, ifname);
	case -EOPNOTSUPP:
		return sl_err_set(err, r, "dataplane-error",
				  "interface %s: its driver has no native XDP; add --generic "
				  "(slower) or use another interface",
				  ifname);
	case -EPERM:
	case -EACCES:
		return sl_err_set(err, -EACCES, "denied", "interface %s: %s; run it as root",
				  ifname, strerror(-r));
	default:
		return sl_err_set(err, r, "dataplane-error",
				  "interface %s: %s XDP refused (%s): check MTU, LRO and queue "
				  "settings, ethtool -k %s",
				  ifname, generic ? "generic" : "native", strerror(-r), ifname);
	}
}

static int attach(const struct place *p, unsigned ifindex, bool generic, int prog,
		  struct sl_err *err)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(prog, (int)ifindex, BPF_XDP, &opts), r;

	if (fd < 0)
		return explain_attach(fd, p->ifname, generic, err);
	r = mkdir(p->dir, 0700) && errno != EEXIST ? -errno : bpf_obj_pin(fd, p->pin);
	close(fd); /* unpinned, this takes the program off again */
	if (r < 0) {
		rmdir(p->dir);
		return sl_err_set(err, r, "dataplane-error", "interface %s: pinning %s: %s",
				  p->ifname, p->pin, strerror(-r));
	}
	return 0;
}

/* @f: the program that is there, NULL: none. */
static int load_and_put(const struct place *p, const struct found *f, unsigned ifindex,
			const struct sl_decap_told *told, bool generic, struct sl_err *err)
{
	int counters = f ? sl_decap_prog_counters(f->prog) : -1, r;
	struct sl_decap_prog *prog = NULL;

	r = sl_decap_prog_load(told, counters, NULL, &prog, err);
	if (counters >= 0)
		close(counters);
	if (r < 0)
		return r;
	if (f) {
		r = bpf_link_update(f->fd, sl_decap_prog_fd(prog), NULL);
		if (r < 0)
			r = sl_err_set(err, r, "dataplane-error",
				       "interface %s: replacing the program: %s", p->ifname,
				       strerror(-r));
	} else {
		r = attach(p, ifindex, generic, sl_decap_prog_fd(prog), err);
	}
	sl_decap_prog_free(prog);
	return r;
}

int sl_decap_apply(const char *pin_dir, const char *ifname, const struct sl_decap_told *told,
		   bool generic, bool *ret_replaced, struct sl_err *err)
{
	struct found f = { .fd = -1 };
	unsigned ifindex;
	struct place p;
	int lock, r;

	r = place_init(&p, pin_dir, ifname, err);
	if (r < 0)
		return r;
	ifindex = if_nametoindex(ifname);
	if (!ifindex)
		return sl_err_set(err, -ENODEV, "not-found",
				  "interface %s does not exist; see: ip link", ifname);
	r = folder_lock(pin_dir, true, &lock, err);
	if (r < 0)
		return r;
	r = found_open(&p, &f, err);
	if (!r && f.where == SL_DECAP_GONE) {
		close(f.fd); /* an interface of this name was deleted, and the program with it */
		f.fd = -1;
		unlink(p.pin);
		r = -ENOENT;
	}
	if (!r)
		r = found_check(&f, &p, ifindex, generic, err);
	if (!r || r == -ENOENT) {
		*ret_replaced = !r;
		r = load_and_put(&p, r ? NULL : &f, ifindex, told, generic, err);
	}
	if (f.fd >= 0)
		close(f.fd);
	close(lock);
	if (r < 0)
		rmdir(pin_dir); /* only if it is empty */
	return r;
}

static int explain_absent(const char *ifname, struct sl_err *err)
{
	return sl_err_set(err, -ENOENT, "not-found",
			  "interface %s: decap is not on it; which have it: sluicectl decap",
			  ifname);
}

int sl_decap_off(const char *pin_dir, const char *ifname, struct sl_err *err)
{
	struct found f;
	struct place p;
	int lock, r;

	r = place_init(&p, pin_dir, ifname, err);
	if (r < 0)
		return r;
	r = folder_lock(pin_dir, false, &lock, err);
	if (r < 0)
		return r == -ENOENT ? explain_absent(ifname, err) : r;
	r = found_open(&p, &f, err);
	if (!r) {
		r = bpf_link_detach(f.fd);
		close(f.fd);
		/* -ENOLINK: the interface is gone, and the program with it */
		if (r < 0 && r != -ENOLINK)
			r = sl_err_set(err, r, "dataplane-error", "interface %s: detaching: %s",
				       ifname, strerror(-r));
		else
			r = unlink(p.pin) ? explain_folder(p.pin, -errno, err) : 0;
		if (!r)
			rmdir(p.dir);
	} else if (r == -ENOENT) {
		r = explain_absent(ifname, err);
	}
	close(lock);
	rmdir(pin_dir); /* only if it is empty */
	return r;
}

int sl_decap_read(const char *pin_dir, const char *ifname, struct sl_decap_state *ret,
		  struct sl_err *err)
{
	struct sl_decap_state s = {};
	struct found f;
	struct place p;
	int r;

	r = place_init(&p, pin_dir, ifname, err);
	if (r < 0)
		return r;
	r = found_open(&p, &f, err);
	if (r < 0)
		return r == -ENOENT ? explain_absent(ifname, err) : r;
	close(f.fd);
	snprintf(s.ifname, sizeof(s.ifname), "%s", ifname);
	s.ifindex = f.ifindex;
	s.where = f.where;
	s.generic = f.generic;
	r = sl_decap_prog_read(f.prog, &s.told, s.cnt, err);
	if (!r)
		*ret = s;
	return r;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

int sl_decap_list(const char *pin_dir, char (**ret)[IF_NAMESIZE], struct sl_err *err)
{
	char(*names)[IF_NAMESIZE] = NULL, (*more)[IF_NAMESIZE];
	DIR *d = opendir(pin_dir);
	struct dirent *e;
	int n = 0;

	*ret = NULL;
	if (!d)
		return errno == ENOENT ? 0 : explain_folder(pin_dir, -errno, err);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' || strlen(e->d_name) >= IF_NAMESIZE)
			continue;
		more = realloc(names, sizeof(*names) * (size_t)(n + 1));
		if (!more) {
			n = sl_err_set(err, -ENOMEM, "no-memory", "no memory");
			break;
		}
		names = more;
		memcpy(names[n], e->d_name, strlen(e->d_name) + 1);
		exchange(names[n++], DOT, '.');
	}
	closedir(d);
	if (n < 0) {
		free(names);
		return n;
	}
	if (n)
		qsort(names, (size_t)n, sizeof(*names), compare_names);
	*ret = names;
	return n;
}
