/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap: the same programs, built for other features, in place of those that
 * run. The object is loaded a second time on the maps of the first, so
 * counters, flows and tables are the very ones; then the table of tail calls
 * and each link change by one store each. Two versions run side by side for a
 * moment and decide alike: what a feature is needed for is written later, and
 * what one was needed for is gone (sluice/features.h).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "lb_user/dp/internal.h"
#include "sluice.skel.h"

static int share_maps(const struct sl_dp_kernel *k, struct sluice_bpf *next, struct sl_err *err)
{
	const char *name;

	for (size_t i = 0; (name = sl_kernel_map_name(k, i)); i++) {
		struct bpf_map *to = bpf_object__find_map_by_name(next->obj, name);
		struct bpf_map *from = bpf_object__find_map_by_name(k->skel->obj, name);
		int r = bpf_map__reuse_fd(to, bpf_map__fd(from));

		if (r < 0)
			return sl_err_set(err, r, "dataplane-error", "map %s: %s", name,
					  strerror(-r));
	}
	return 0;
}

static int load_next(const struct sl_dp_kernel *k, uint32_t features, struct sluice_bpf **ret,
		     struct sl_err *err)
{
	struct sluice_bpf *next = sluice_bpf__open();
	int r;

	if (!next)
		return sl_kernel_explain_load(-errno, err);
	r = sl_kernel_set_sizes(k, next, err);
	if (!r)
		r = share_maps(k, next, err);
	if (!r) {
		sl_kernel_set_constants(next, k->dp.mem.info, features);
		r = bpf_object__load(next->obj);
		if (r < 0)
			r = sl_kernel_explain_load(r, err);
	}
	if (r < 0)
		sluice_bpf__destroy(next);
	else
		*ret = next;
	return r;
}

int sl_swap(struct sl_dp_kernel *k, uint32_t features, struct sl_err *err)
{
	struct sl_info *info = k->dp.mem.info;
	struct sluice_bpf *next = NULL;
	int r;

	if (features & ~SL_FEAT_ALL)
		return sl_err_set(err, -EINVAL, "dataplane-error",
				  "features %#x: this version knows %#x", features, SL_FEAT_ALL);
	if (features == info->features)
		return 0;
	r = load_next(k, features, &next, err);
	if (r < 0)
		return r;
	r = sl_kernel_set_tails(k, next, err);
	if (!r && k->dir[0])
		r = sl_link_replace_all(k->dir, bpf_program__fd(next->progs.sl_xdp),
					bpf_program__fd(k->skel->progs.sl_xdp), err);
	if (r < 0) {
		(void)sl_kernel_set_tails(k, k->skel, NULL);
		sluice_bpf__destroy(next);
		return r;
	}
	info->features = features;
	sluice_bpf__destroy(k->skel);
	k->skel = next;
	return 0;
}
