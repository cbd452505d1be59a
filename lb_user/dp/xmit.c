/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xmit: the counters of lb_kern/xmit.bpf.c: loaded, adopted, pinned, read.
 *
 * Beside the data plane's pins lie the two maps and, for each tracepoint, a
 * link "watch-<tracepoint>-<tag>", the tag being the kernel's digest of the
 * program: a start that brings the same program leaves the link alone, another
 * version attaches its own before it takes the old one away. Counting goes on
 * while no agent runs. Nothing here is needed to forward: what cannot be had
 * is told, not fatal.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sluice/names.h>
#include <sluice/xmit.h>

#include "lb_user/dp/internal.h"
#include "xmit.skel.h"

#ifndef SO_NETNS_COOKIE /* Linux 5.14 */
#define SO_NETNS_COOKIE 71
#endif

#define TRACEPOINTS 4

struct sl_xmit {
	struct xmit_bpf *skel;
	char dir[SL_DP_PATH];
	char blind[200]; /* what is not counted, and why */
};

struct watch {
	const char *tracepoint;
	struct bpf_program *prog;
};

static void watches(const struct sl_xmit *x, struct watch ret[TRACEPOINTS])
{
	ret[0] = (struct watch){ "xdp_redirect_err", x->skel->progs.sl_xmit_refused };
	ret[1] = (struct watch){ "xdp_devmap_xmit", x->skel->progs.sl_xmit_devmap };
	ret[2] = (struct watch){ "xdp_bulk_tx", x->skel->progs.sl_xmit_bulk };
	ret[3] = (struct watch){ "xdp_exception", x->skel->progs.sl_xmit_except };
}

static __attribute__((format(printf, 2, 3))) void tell(struct sl_xmit *x, const char *fmt, ...)
{
	size_t len = strlen(x->blind);
	va_list ap;

	va_start(ap, fmt);
	if (len + 2 < sizeof(x->blind)) {
		if (len)
			len += (size_t)snprintf(x->blind + len, sizeof(x->blind) - len, "; ");
		vsnprintf(x->blind + len, sizeof(x->blind) - len, fmt, ap);
	}
	va_end(ap);
}

/* Programs whose tracepoint this kernel does not have are left out. */
static int choose(struct sl_xmit *x)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct watch w[TRACEPOINTS];
	char type[64];

	if (!kernel) {
		tell(x, "the kernel does not describe itself (no BTF): nothing is counted");
		return -ENOTSUP;
	}
	watches(x, w);
	for (size_t i = 0; i < TRACEPOINTS; i++) {
		snprintf(type, sizeof(type), "btf_trace_%s", w[i].tracepoint);
		if (btf__find_by_name_kind(kernel, type, BTF_KIND_TYPEDEF) > 0)
			continue;
		bpf_program__set_autoload(w[i].prog, false);
		tell(x, "the kernel has no tracepoint %s", w[i].tracepoint);
	}
	btf__free(kernel);
	return 0;
}

/* Takes over the pinned map; one of another shape, or none, is made anew. */
static void adopt_map(struct sl_xmit *x, struct bpf_map *map)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	char path[SL_DP_PATH];
	int fd;

	if (sl_pins_path(x->dir, bpf_map__name(map), path, NULL))
		return;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.type != bpf_map__type(map) ||
	    info.key_size != bpf_map__key_size(map) ||
	    info.value_size != bpf_map__value_size(map) ||
	    info.max_entries != bpf_map__max_entries(map) || bpf_map__reuse_fd(map, fd) < 0)
		unlink(path);
	close(fd); /* libbpf took a copy */
}

static int pin_map(struct sl_xmit *x, struct bpf_map *map)
{
	int r = sl_pins_put(x->dir, bpf_map__name(map), bpf_map__fd(map), NULL);

	return r == -EEXIST ? 0 : r;
}

/* Removes the pins of @tracepoint but for @keep. */
static void unpin_others(struct sl_xmit *x, const char *tracepoint, const char *keep)
{
	DIR *d = opendir(x->dir);
	char prefix[64];
	struct dirent *e;
	int n = snprintf(prefix, sizeof(prefix), "watch-%s-", tracepoint);

	if (!d)
		return;
	while ((e = readdir(d)))
		if (!strncmp(e->d_name, prefix, (size_t)n) && strcmp(e->d_name, keep) != 0)
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

static int watch_start(struct sl_xmit *x, const struct watch *w)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	char path[SL_DP_PATH], name[96];
	struct bpf_link *link;
	int r = bpf_obj_get_info_by_fd(bpf_program__fd(w->prog), &info, &len), n;

	if (r < 0)
		return r;
	n = snprintf(name, sizeof(name), "watch-%s-", w->tracepoint);
	for (size_t i = 0; i < sizeof(info.tag); i++)
		n += snprintf(name + n, sizeof(name) - (size_t)n, "%02x", info.tag[i]);
	r = sl_pins_path(x->dir, name, path, NULL);
	if (r < 0)
		return r;
	if (access(path, F_OK)) {
		link = bpf_program__attach(w->prog);
		if (!link)
			return -errno;
		r = bpf_link__pin(link, path);
		bpf_link__destroy(link); /* pinned, it stays */
	}
	if (!r)
		unpin_others(x, w->tracepoint, name);
	return r;
}

/* Where losses are counted for which there is no row left. */
static void make_last_rows(const struct sl_xmit *x)
{
	int fd = bpf_map__fd(x->skel->maps.sl_xmit);
	uint64_t none = 0;

	for (__u16 kind = SL_XMIT_REDIRECT; kind <= SL_XMIT_TX; kind++)
		(void)bpf_map_update_elem(fd, &(struct sl_xmit_key){ .kind = kind }, &none,
					  BPF_NOEXIST);
}

static int start(struct sl_xmit *x, int ports_fd)
{
	struct bpf_map_info ports = {};
	__u32 len = sizeof(ports);
	struct watch w[TRACEPOINTS];
	int r = bpf_obj_get_info_by_fd(ports_fd, &ports, &len);

	if (r < 0)
		return r;
	x->skel->rodata->sl_xmit_ports_id = ports.id;
	adopt_map(x, x->skel->maps.sl_xmit);
	adopt_map(x, x->skel->maps.sl_xmit_from);
	r = bpf_object__load(x->skel->obj);
	if (r < 0)
		return r;
	make_last_rows(x);
	r = pin_map(x, x->skel->maps.sl_xmit);
	if (!r)
		r = pin_map(x, x->skel->maps.sl_xmit_from);
	watches(x, w);
	for (size_t i = 0; !r && i < TRACEPOINTS; i++)
		if (bpf_program__autoload(w[i].prog))
			r = watch_start(x, &w[i]);
	return r;
}

struct sl_xmit *sl_xmit_open(const char *dir, int ports_fd)
{
	struct sl_xmit *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return NULL;
	snprintf(x->dir, sizeof(x->dir), "%s", dir);
	x->skel = xmit_bpf__open();
	r = x->skel ? choose(x) : -errno;
	if (!r) {
		r = start(x, ports_fd);
		if (r < 0)
			tell(x, "the kernel refuses the programs that count (%s)", strerror(-r));
	}
	if (r < 0) { /* half of it would be a wrong number */
		xmit_bpf__destroy(x->skel);
		x->skel = NULL;
	}
	return x;
}

void sl_xmit_close(struct sl_xmit *x)
{
	if (x)
		xmit_bpf__destroy(x->skel);
	free(x);
}

const char *sl_xmit_blind(const struct sl_xmit *x)
{
	return x ? x->blind : "nothing is pinned: nothing is counted";
}

/* ---- whose bundles are ours --------------------------------------------------- */

static uint64_t netns_cookie(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		cookie = 0;
	if (fd >= 0)
		close(fd);
	return cookie;
}

void sl_xmit_from_add(struct sl_xmit *x, unsigned ifindex)
{
	struct sl_xmit_from from = { .netns = netns_cookie(), .ifindex = ifindex };
	__u32 one = 1;

	if (x && x->skel && ifindex &&
	    bpf_map_update_elem(bpf_map__fd(x->skel->maps.sl_xmit_from), &from, &one, BPF_ANY) < 0)
		tell(x, "too many interfaces: ifindex %u is not counted", ifindex);
}

void sl_xmit_from_sync(struct sl_xmit *x)
{
	unsigned on[SL_XMIT_FROM];
	struct sl_xmit_from at, next;
	int fd, n, r;

	if (!x || !x->skel)
		return;
	fd = bpf_map__fd(x->skel->maps.sl_xmit_from);
	n = sl_link_list(x->dir, on, SL_XMIT_FROM);
	for (int i = 0; i < n; i++)
		sl_xmit_from_add(x, on[i]);
	for (r = bpf_map_get_next_key(fd, NULL, &next); !r;) {
		bool keep = false;

		at = next;
		r = bpf_map_get_next_key(fd, &at, &next);
		for (int i = 0; i < n; i++)
			keep |= on[i] == at.ifindex;
		if (!keep || at.netns != netns_cookie())
			bpf_map_delete_elem(fd, &at);
	}
}

int sl_xmit_read(const struct sl_xmit *x, struct sl_transmit_error *ret, size_t room)
{
	struct sl_xmit_key key;
	size_t n = 0;
	int fd, r;

	if (!x || !x->skel)
		return 0;
	fd = bpf_map__fd(x->skel->maps.sl_xmit);
	for (r = bpf_map_get_next_key(fd, NULL, &key); !r && n < room;
	     r = bpf_map_get_next_key(fd, &key, &key)) {
		uint64_t packets = 0;

		if (bpf_map_lookup_elem(fd, &key, &packets) < 0 || !packets)
			continue;
		ret[n++] = (struct sl_transmit_error){ .ifindex = key.ifindex,
						       .error = key.error,
						       .is_tx = key.kind == SL_XMIT_TX,
						       .packets = packets };
	}
	return (int)n;
}
