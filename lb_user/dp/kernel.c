/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel: the data plane itself behind the port: open the object, set sizes,
 * adopt or create its maps, load, map their memory, pin.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <sluice/names.h>

#include "lb_user/dp/internal.h"
#include "sluice.skel.h"

static char last_warning[200]; /* libbpf's own words, for the error it belongs to */
static void (*trace)(const char *fmt, va_list ap);

static __attribute__((format(printf, 2, 0))) int keep_warning(enum libbpf_print_level level,
							      const char *fmt, va_list ap)
{
	va_list again;

	if (level == LIBBPF_WARN && trace) {
		va_copy(again, ap);
		trace(fmt, again);
		va_end(again);
	}
	if (level == LIBBPF_WARN && !last_warning[0]) {
		vsnprintf(last_warning, sizeof(last_warning), fmt, ap);
		last_warning[strcspn(last_warning, "\n")] = '\0';
	}
	return 0;
}

/* Maps that are not memory. */
static const char *const plain_maps[] = { SL_MAP_PORTS, SL_MAP_TAILS, SL_MAP_EVENTS,
					  SL_MAP_PREFIXES };

#define N_PLAIN_MAPS (sizeof(plain_maps) / sizeof(plain_maps[0]))

const char *sl_kernel_map_name(const struct sl_dp_kernel *k, size_t i)
{
	if (i < k->n_maps)
		return k->maps[i].name;
	return i < k->n_maps + N_PLAIN_MAPS ? plain_maps[i - k->n_maps] : NULL;
}

static unsigned cpu_rows(void)
{
	int cpus = libbpf_num_possible_cpus();
	unsigned rows = 1;

	while ((int)rows < cpus)
		rows *= 2;
	return rows;
}

/* Takes over what is pinned: all of it, or nothing. Returns 1 when adopted, 0 when there is
 * nothing. */
static int adopt(struct sl_dp_kernel *k, struct sl_err *err)
{
	struct sl_err gone = {};
	size_t found = 0;
	int fd, r;

	for (size_t i = 0; i < k->n_maps + N_PLAIN_MAPS; i++) {
		const char *name = sl_kernel_map_name(k, i);

		r = sl_pins_get_map(k->dir, name, i < k->n_maps ? k->maps[i].bytes : 0, &fd, &gone);
		if (r == -ENOENT)
			continue;
		if (r < 0) {
			if (err)
				*err = gone;
			return r;
		}
		r = bpf_map__reuse_fd(bpf_object__find_map_by_name(k->skel->obj, name), fd);
		close(fd); /* libbpf took a copy */
		if (r < 0)
			return sl_err_set(err, r, "dataplane-error", "pinned map %s: %s", name,
					  strerror(-r));
		found++;
	}
	if (found == k->n_maps + N_PLAIN_MAPS)
		return 1;
	if (found && sl_pins_any_link(k->dir))
		return sl_err_set(err, -EPROTO, "dataplane-error",
				  "%s: %zu of %zu pinned maps are missing while the program is "
				  "attached; drop the data plane with: sluiced --detach",
				  k->dir, k->n_maps + N_PLAIN_MAPS - found,
				  k->n_maps + N_PLAIN_MAPS);
	return 0;
}

/* The pinned description, before anything is loaded by it. */
static int read_info(struct sl_dp_kernel *k, struct sl_info *ret, struct sl_err *err)
{
	__u32 first = 0;
	int r = bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.sl_info), &first, ret);

	if (r < 0)
		return sl_err_set(err, r, "dataplane-error", "reading sl_info: %s", strerror(-r));
	if (ret->magic == SL_ABI_MAGIC && ret->abi == SL_ABI_VERSION &&
	    ret->slots_total == SL_SLOTS_TOTAL && ret->exc_sets == SL_EXC_SETS &&
	    ret->cpus == cpu_rows())
		return 0;
	return sl_err_set(err, -EPROTO, "dataplane-error",
			  "%s: the pinned maps are of ABI %u, this sluiced is of ABI %u; run the "
			  "version that made them, or drop the data plane with: "
			  "sluiced --detach",
			  k->dir, ret->abi, SL_ABI_VERSION);
}

int sl_kernel_explain_load(int r, struct sl_err *err)
{
	struct utsname u = {};

	if (r == -EPERM)
		return sl_err_set(err, r, "dataplane-error",
				  "the kernel refuses BPF to this process; run sluiced as root or "
				  "with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON");
	if (r == -ENOMEM)
		return sl_err_set(err, r, "dataplane-error", "no memory for the maps");
	uname(&u);
	return sl_err_set(err, -EOPNOTSUPP, "dataplane-error",
			  "kernel %s does not load the program (%s: %s); Linux 6.1 or newer with "
			  "BPF and XDP is needed",
			  u.release, strerror(-r), last_warning);
}

static int map_memory(struct sl_dp_kernel *k, struct sl_err *err)
{
	for (size_t i = 0; i < k->n_maps; i++) {
		struct bpf_map *m = bpf_object__find_map_by_name(k->skel->obj, k->maps[i].name);
		int r = sl_direct_map_into(&k->maps[i], bpf_map__fd(m), &k->dp.mem);

		if (r < 0)
			return sl_err_set(err, r, "dataplane-error", "mapping %s: %s",
					  k->maps[i].name, strerror(-r));
	}
	return 0;
}

static int pin_one(struct sl_dp_kernel *k, const char *name, struct sl_err *err)
{
	return sl_pins_put(k->dir, name,
			   bpf_map__fd(bpf_object__find_map_by_name(k->skel->obj, name)), err);
}

static int pin_all(struct sl_dp_kernel *k, struct sl_err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < N_PLAIN_MAPS; i++)
		r = pin_one(k, plain_maps[i], err);
	for (size_t i = 0; !r && i < k->n_maps; i++)
		r = pin_one(k, k->maps[i].name, err);
	return r;
}

/*
 * Where the programs go on; an adopted table has another version's until now.
 * The last ones first: who comes from an old program finds the new next one,
 * and both decide alike.
 */
int sl_kernel_set_tails(const struct sl_dp_kernel *k, const struct sluice_bpf *of,
			struct sl_err *err)
{
	const int fd[SL_TAILS] = { [SL_TAIL_RARE] = bpf_program__fd(of->progs.sl_rare),
				   [SL_TAIL_SEND] = bpf_program__fd(of->progs.sl_send) };

	for (__u32 i = SL_TAILS; i-- > 0;) {
		int r = bpf_map_update_elem(bpf_map__fd(k->skel->maps.sl_tails), &i, &fd[i], 0);

		if (r < 0)
			return sl_err_set(err, r, "dataplane-error", "the table of tail calls: %s",
					  strerror(-r));
	}
	return 0;
}

int sl_kernel_set_sizes(const struct sl_dp_kernel *k, struct sluice_bpf *skel, struct sl_err *err)
{
	for (size_t i = 0; i < k->n_maps; i++) {
		struct bpf_map *m = bpf_object__find_map_by_name(skel->obj, k->maps[i].name);
		int r = m ? bpf_map__set_value_size(m, (__u32)k->maps[i].bytes) : -ENOENT;

		if (r < 0)
			return sl_err_set(err, r, "dataplane-error", "map %s: %s", k->maps[i].name,
					  strerror(-r));
	}
	return 0;
}

void sl_kernel_set_constants(struct sluice_bpf *skel, const struct sl_info *info, uint32_t features)
{
	skel->rodata->sl_cpu_mask = info->cpus - 1;
	skel->rodata->sl_tick_shift = info->tick_shift;
	skel->rodata->sl_features = features;
}

/* What is pinned goes on with the programs just loaded: tail calls first, then each interface. */
static int take_over(struct sl_dp_kernel *k, const struct sl_info *info, struct sl_err *err)
{
	int r = sl_kernel_set_tails(k, k->skel, err);

	if (r < 0)
		return r;
	k->dp.mem.info->features = info->features;
	/* an interface that refuses is told of by attach() */
	(void)sl_link_replace_all(k->dir, bpf_program__fd(k->skel->progs.sl_xdp), -1, NULL);
	return 0;
}

static int load(struct sl_dp_kernel *k, const uint64_t key[2], struct sl_err *err)
{
	struct sl_info info = { .magic = SL_ABI_MAGIC,
				.abi = SL_ABI_VERSION,
				.cpus = cpu_rows(),
				.slots_total = SL_SLOTS_TOTAL,
				.exc_sets = SL_EXC_SETS,
				.key = { key[0], key[1] } },
		       pinned;
	int r = sl_kernel_set_sizes(k, k->skel, err);

	if (r < 0)
		return r;
	info.tick_shift = sl_dp_clock_shift(&info.tick_ms);
	if (k->dir[0]) {
		r = adopt(k, err);
		if (r < 0)
			return r;
		k->dp.adopted = r;
		r = r ? read_info(k, &pinned, err) : 0;
		if (r < 0)
			return r;
	}
	if (k->dp.adopted)
		info.features = pinned.features & SL_FEAT_ALL;
	sl_kernel_set_constants(k->skel, &info, info.features);
	r = bpf_object__load(k->skel->obj);
	if (r < 0)
		return sl_kernel_explain_load(r, err);
	r = map_memory(k, err);
	if (r < 0)
		return r;
	if (k->dp.adopted)
		return take_over(k, &info, err);
	r = sl_kernel_set_tails(k, k->skel, err);
	if (r < 0)
		return r;
	*k->dp.mem.info = info;
	if (!k->dir[0])
		return 0;
	sl_pins_remove_maps(k->dir); /* what a start that died half-way left */
	return pin_all(k, err);
}

static struct sl_dp_kernel *kernel_of(struct sl_dp *dp)
{
	return (struct sl_dp_kernel *)dp;
}

static int op_attach(struct sl_dp *dp, const char *name, enum sl_mode mode, struct sl_err *err)
{
	struct sl_dp_kernel *k = kernel_of(dp);
	int r;

	sl_xmit_from_add(k->xmit, if_nametoindex(name));
	r = sl_link_attach(k->dir, bpf_program__fd(k->skel->progs.sl_xdp), name, mode, err);
	sl_xmit_from_sync(k->xmit);
	return r;
}

static int op_detach(struct sl_dp *dp, const char *name, struct sl_err *err)
{
	struct sl_dp_kernel *k = kernel_of(dp);
	int r = sl_link_detach(k->dir, name, err);

	sl_xmit_from_sync(k->xmit);
	return r;
}

static int op_transmit_errors(struct sl_dp *dp, struct sl_transmit_error *ret, size_t room)
{
	return sl_xmit_read(kernel_of(dp)->xmit, ret, room);
}

static const char *op_transmit_blind(struct sl_dp *dp)
{
	return sl_xmit_blind(kernel_of(dp)->xmit);
}

static unsigned op_attached(struct sl_dp *dp, const char *name)
{
	return sl_link_ifindex(kernel_of(dp)->dir, name);
}

static int op_port_set(struct sl_dp *dp, uint16_t port, uint32_t ifindex, struct sl_err *err)
{
	int fd = bpf_map__fd(kernel_of(dp)->skel->maps.sl_ports), r;
	__u32 key = port;

	r = ifindex ? bpf_map_update_elem(fd, &key, &ifindex, 0) : bpf_map_delete_elem(fd, &key);
	if (r < 0 && !(r == -ENOENT && !ifindex))
		return sl_err_set(err, r, "dataplane-error", "egress port %u (ifindex %u): %s",
				  port, ifindex, strerror(-r));
	return 0;
}

static int op_specialise(struct sl_dp *dp, uint32_t features, struct sl_err *err)
{
	last_warning[0] = '\0';
	return sl_swap(kernel_of(dp), features, err);
}

static int op_prefixes(struct sl_dp *dp, const struct sl_guard_prefix *list, size_t n, bool prune,
		       struct sl_err *err)
{
	return sl_prefixes_set(bpf_map__fd(kernel_of(dp)->skel->maps.sl_prefixes), list, n, prune,
			       err);
}

static int op_jiffies(struct sl_dp *dp, uint64_t *ret)
{
	return sl_dp_clock_read(bpf_program__fd(kernel_of(dp)->skel->progs.sl_clock), ret);
}

static int op_unload(struct sl_dp *dp, struct sl_err *err)
{
	struct sl_dp_kernel *k = kernel_of(dp);
	int r = sl_link_detach_all(k->dir, err);

	if (r < 0)
		return r;
	sl_pins_remove_maps(k->dir);
	rmdir(k->dir);
	return 0;
}

static void op_close(struct sl_dp *dp)
{
	struct sl_dp_kernel *k = kernel_of(dp);

	sl_events_close(dp);
	sl_direct_unmap(k->maps, k->n_maps, &k->dp.mem);
	sl_xmit_close(k->xmit);
	sluice_bpf__destroy(k->skel);
	if (k->lock_fd >= 0)
		close(k->lock_fd);
	free(k);
}

static const struct sl_dp_ops kernel_ops = {
	.attach = op_attach,
	.detach = op_detach,
	.attached = op_attached,
	.port_set = op_port_set,
	.specialise = op_specialise,
	.transmit_errors = op_transmit_errors,
	.transmit_blind = op_transmit_blind,
	.events_open = sl_events_open,
	.events_read = sl_events_read,
	.events_close = sl_events_close,
	.prefixes = op_prefixes,
	.jiffies = op_jiffies,
	.unload = op_unload,
	.close = op_close,
};

int sl_dp_open(const struct sl_dp_options *opt, struct sl_dp **ret, struct sl_err *err)
{
	struct sl_dp_kernel *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return sl_err_set(err, -ENOMEM, "dataplane-error", "no memory");
	k->dp.ops = &kernel_ops;
	k->lock_fd = -1;
	k->n_maps = sl_direct_maps(cpu_rows(), &k->maps);
	last_warning[0] = '\0';
	trace = opt->trace;
	libbpf_set_print(keep_warning);
	r = sl_direct_register();
	if (r < 0)
		goto out;
	if (opt->pin_dir) {
		if (snprintf(k->dir, sizeof(k->dir), "%s", opt->pin_dir) >= (int)sizeof(k->dir)) {
			r = sl_err_set(err, -ENAMETOOLONG, "dataplane-error",
				       "pin folder: the name is too long");
			goto out;
		}
		r = sl_pins_open(k->dir, &k->lock_fd, err);
		if (r < 0)
			goto out;
	}
	k->skel = sluice_bpf__open();
	if (!k->skel) {
		r = sl_kernel_explain_load(-errno, err);
		goto out;
	}
	r = load(k, opt->key, err);
	if (r < 0)
		goto out;
	if (k->dir[0]) {
		k->xmit = sl_xmit_open(k->dir, bpf_map__fd(k->skel->maps.sl_ports));
		sl_xmit_from_sync(k->xmit);
	}
	*ret = &k->dp;
	k = NULL;
	r = 0;
out:
	if (k)
		op_close(&k->dp);
	return r;
}

int sl_dp_unload(const char *pin_dir, struct sl_err *err)
{
	int lock_fd, r = sl_pins_open(pin_dir, &lock_fd, err);

	if (r < 0)
		return r;
	r = sl_link_detach_all(pin_dir, err);
	if (!r)
		sl_pins_remove_maps(pin_dir);
	close(lock_fd);
	if (!r)
		rmdir(pin_dir);
	return r;
}

int sl_dp_program_fd(const struct sl_dp *dp)
{
	return bpf_program__fd(((const struct sl_dp_kernel *)dp)->skel->progs.sl_xdp);
}
