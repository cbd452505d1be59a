/* SPDX-License-Identifier: BSD-2-Clause */
/* decap_prog: the backend's program and its maps, loaded and read; not where it is attached. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "decap.skel.h"
#include "lb_user/dp/decap.h"

#define MAPS_MAX 16 /* of a program; ours has six */

struct sl_decap_prog {
	struct decap_bpf *skel;
};

static char last_warning[200]; /* libbpf's own words, for the error it belongs to */
static void (*tracer)(const char *fmt, va_list ap);

static __attribute__((format(printf, 2, 0))) int keep_warning(enum libbpf_print_level level,
							      const char *fmt, va_list ap)
{
	va_list again;

	if (level != LIBBPF_WARN)
		return 0;
	if (tracer) {
		va_copy(again, ap);
		tracer(fmt, again);
		va_end(again);
	}
	if (!last_warning[0]) {
		vsnprintf(last_warning, sizeof(last_warning), fmt, ap);
		last_warning[strcspn(last_warning, "\n")] = '\0';
	}
	return 0;
}

static int explain_load(int r, struct sl_err *err)
{
	struct utsname u = {};

	if (r == -EPERM || r == -EACCES)
		return sl_err_set(err, -EACCES, "denied",
				  "the kernel refuses BPF to this process; run it as root");
	if (r == -ENOMEM)
		return sl_err_set(err, r, "dataplane-error", "no memory for the program's maps");
	uname(&u);
	return sl_err_set(err, -EOPNOTSUPP, "dataplane-error",
			  "kernel %s does not load the program (%s: %s); Linux 6.1 or newer with "
			  "BPF and XDP is needed",
			  u.release, strerror(-r), last_warning);
}

/* @fd4, @fd6: of the maps of one list. */
static int put_prefixes(const struct sl_decap_prefixes *list, int fd4, int fd6)
{
	const __u32 yes = 1;
	int r = 0;

	for (unsigned i = 0; i < list->n && !r; i++) {
		const struct sl_prefix *p = &list->at[i];
		struct sl_decap_key4 key4 = { .len = p->len };
		struct sl_decap_key6 key6 = { .len = p->len };

		memcpy(&key4.addr_be, p->addr.byte_be, sizeof(key4.addr_be));
		memcpy(key6.addr_be, p->addr.byte_be, sizeof(key6.addr_be));
		if (p->addr.family == AF_INET)
			r = bpf_map_update_elem(fd4, &key4, &yes, BPF_ANY);
		else
			r = bpf_map_update_elem(fd6, &key6, &yes, BPF_ANY);
	}
	return r;
}

/* Tells the program; from then on nobody can tell it otherwise. */
static int tell(struct decap_bpf *skel, const struct sl_decap_told *told)
{
	const struct sl_decap_conf conf = { .abi = SL_DECAP_ABI,
					    .gue_port_be = htons(told->gue_port),
					    .has_to = told->to.n != 0 };
	const int fds[] = { bpf_map__fd(skel->maps.decap_conf), bpf_map__fd(skel->maps.decap_from4),
			    bpf_map__fd(skel->maps.decap_from6), bpf_map__fd(skel->maps.decap_to4),
			    bpf_map__fd(skel->maps.decap_to6) };
	const __u32 first = 0;
	int r;

	r = bpf_map_update_elem(fds[0], &first, &conf, BPF_ANY);
	if (!r)
		r = put_prefixes(&told->from, fds[1], fds[2]);
	if (!r)
		r = put_prefixes(&told->to, fds[3], fds[4]);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]) && !r; i++)
		r = bpf_map_freeze(fds[i]);
	return r;
}

int sl_decap_prog_load(const struct sl_decap_told *told, int counters,
		       void (*trace)(const char *fmt, va_list ap), struct sl_decap_prog **ret,
		       struct sl_err *err)
{
	struct sl_decap_prog *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return sl_err_set(err, -ENOMEM, "dataplane-error", "no memory");
	last_warning[0] = '\0';
	tracer = trace;
	libbpf_set_print(keep_warning);
	p->skel = decap_bpf__open();
	r = p->skel ? 0 : -errno;
	if (!r && counters >= 0)
		r = bpf_map__reuse_fd(p->skel->maps.decap_count, counters);
	if (!r)
		r = decap_bpf__load(p->skel);
	tracer = NULL;
	if (r < 0) {
		r = explain_load(r, err);
		goto out;
	}
	r = tell(p->skel, told);
	if (r < 0) {
		r = sl_err_set(err, r, "dataplane-error", "writing the program's maps: %s",
			       strerror(-r));
		goto out;
	}
	*ret = p;
	p = NULL;
out:
	sl_decap_prog_free(p);
	return r;
}

void sl_decap_prog_free(struct sl_decap_prog *p)
{
	if (!p)
		return;
	decap_bpf__destroy(p->skel);
	free(p);
}

int sl_decap_prog_fd(const struct sl_decap_prog *p)
{
	return bpf_program__fd(p->skel->progs.sl_decap);
}

/* Descriptor of the map @name of program @id, if it has this layout; else -ENOENT. */
static int map_of(uint32_t id, const char *name, uint32_t key_bytes, uint32_t value_bytes)
{
	__u32 len = sizeof(struct bpf_prog_info), ids[MAPS_MAX] = {};
	struct bpf_prog_info prog = { .nr_map_ids = MAPS_MAX,
				      .map_ids = (__u64)(unsigned long)ids };
	int fd = bpf_prog_get_fd_by_id(id), r;

	if (fd < 0)
		return fd;
	r = bpf_obj_get_info_by_fd(fd, &prog, &len);
	close(fd);
	if (r < 0)
		return r;
	for (__u32 i = 0; i < prog.nr_map_ids && i < MAPS_MAX; i++) {
		struct bpf_map_info map = {};

		fd = bpf_map_get_fd_by_id(ids[i]);
		if (fd < 0)
			return fd;
		len = sizeof(map);
		if (!bpf_obj_get_info_by_fd(fd, &map, &len) && !strcmp(map.name, name) &&
		    map.key_size == key_bytes && map.value_size == value_bytes)
			return fd;
		close(fd);
	}
	return -ENOENT;
}

int sl_decap_prog_counters(uint32_t id)
{
	return map_of(id, SL_DECAP_MAP_COUNT, sizeof(__u32), sizeof(struct sl_decap_cnt));
}

static int read_counters(uint32_t id, struct sl_decap_cnt ret[SL_DECAP_REASONS_MAX])
{
	int cpus = libbpf_num_possible_cpus(), fd, r = 0;
	struct sl_decap_cnt *row;

	if (cpus < 0)
		return cpus;
	fd = sl_decap_prog_counters(id);
	if (fd < 0)
		return fd;
	row = calloc((size_t)cpus, sizeof(*row));
	if (!row)
		r = -ENOMEM;
	memset(ret, 0, sizeof(*ret) * SL_DECAP_REASONS_MAX);
	for (__u32 why = 0; why < SL_DECAP_REASONS_MAX && !r; why++) {
		r = bpf_map_lookup_elem(fd, &why, row);
		for (int i = 0; i < cpus && !r; i++) {
			ret[why].packets += row[i].packets;
			ret[why].bytes += row[i].bytes;
		}
	}
	free(row);
	close(fd);
	return r;
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct sl_prefix *p = a, *q = b;
	int d = p->addr.family - q->addr.family;

	if (!d)
		d = memcmp(p->addr.byte_be, q->addr.byte_be, sizeof(p->addr.byte_be));
	return d ? d : p->len - q->len;
}

/* Adds what one map holds; its keys are both kinds of struct sl_decap_key*. */
static int read_prefixes(uint32_t id, const char *name, uint16_t family,
			 struct sl_decap_prefixes *list)
{
	uint32_t bytes = family == AF_INET ? 4 : 16;
	struct sl_decap_key6 key = {}, last = {};
	int fd = map_of(id, name, sizeof(key.len) + bytes, sizeof(__u32)), r;

	if (fd < 0)
		return fd;
	r = bpf_map_get_next_key(fd, NULL, &key);
	while (!r && list->n < SL_DECAP_PREFIXES_MAX) {
		struct sl_prefix *p = &list->at[list->n++];

		*p = (struct sl_prefix){ .addr.family = family, .len = (uint8_t)key.len };
		memcpy(p->addr.byte_be, key.addr_be, bytes);
		last = key;
		r = bpf_map_get_next_key(fd, &last, &key);
	}
	close(fd);
	qsort(list->at, list->n, sizeof(list->at[0]), compare_prefixes);
	return r == -ENOENT ? 0 : r;
}

static int read_conf(uint32_t id, struct sl_decap_told *told)
{
	int fd = map_of(id, SL_DECAP_MAP_CONF, sizeof(__u32), sizeof(struct sl_decap_conf)), r;
	struct sl_decap_conf conf;
	const __u32 first = 0;

	if (fd < 0)
		return fd;
	r = bpf_map_lookup_elem(fd, &first, &conf);
	close(fd);
	if (r < 0)
		return r;
	if (conf.abi != SL_DECAP_ABI)
		return -ENOENT;
	told->gue_port = ntohs(conf.gue_port_be);
	return 0;
}

int sl_decap_prog_read(uint32_t id, struct sl_decap_told *ret_told,
		       struct sl_decap_cnt ret_cnt[SL_DECAP_REASONS_MAX], struct sl_err *err)
{
	int r;

	ret_told->from.n = ret_told->to.n = 0;
	r = read_conf(id, ret_told);
	if (!r)
		r = read_prefixes(id, SL_DECAP_MAP_FROM4, AF_INET, &ret_told->from);
	if (!r)
		r = read_prefixes(id, SL_DECAP_MAP_FROM6, AF_INET6, &ret_told->from);
	if (!r)
		r = read_prefixes(id, SL_DECAP_MAP_TO4, AF_INET, &ret_told->to);
	if (!r)
		r = read_prefixes(id, SL_DECAP_MAP_TO6, AF_INET6, &ret_told->to);
	if (!r)
		r = read_counters(id, ret_cnt);
	if (r == -EPERM || r == -EACCES)
		return sl_err_set(err, -EACCES, "denied",
				  "program %u: the kernel refuses to show it; run it as root", id);
	if (r == -ENOENT)
		return sl_err_set(err, -EPROTO, "dataplane-error",
				  "program %u was loaded by another version of sluicectl; give "
				  "--from again to replace it",
				  id);
	if (r < 0)
		return sl_err_set(err, r, "dataplane-error", "program %u: reading its maps: %s", id,
				  strerror(-r));
	return 0;
}
