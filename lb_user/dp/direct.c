/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * direct: maps that the program addresses as memory, without a lookup.
 *
 * The object names such a map and adds offsets to it. libbpf resolves the name
 * to the map's descriptor; just before loading, each reference is turned into
 * the address of the map's only value (BPF_PSEUDO_MAP_VALUE, linux/bpf.h), as
 * is done for global variables. A map is direct when it is an mmapable array
 * of one entry, so the rewrite needs no list.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sluice/names.h>

#include "lb_user/dp/internal.h"

#define SECTION "sluice" /* of the programs in lb_kern */

static size_t page_round(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

static size_t map_bytes(const char *name, unsigned cpus)
{
	static const struct {
		const char *name;
		size_t bytes;
		bool per_cpu;
	} size[] = {
		{ "sl_info", sizeof(struct sl_info), false },
		{ "sl_svc4", sizeof(struct sl_svc4_bucket) * SL_SVC4_BUCKETS, false },
		{ "sl_svc6", sizeof(struct sl_svc6_bucket) * SL_SVC6_BUCKETS, false },
		{ "sl_services", sizeof(struct sl_service_rec) * SL_SERVICES_MAX, false },
		{ "sl_slots", sizeof(uint32_t) * SL_SLOTS_TOTAL, false },
		{ "sl_seen", sizeof(uint16_t) * SL_SLOTS_TOTAL, false },
		{ "sl_backends", sizeof(struct sl_backend_rec) * SL_BACKENDS_MAX, false },
		{ "sl_tunnels", sizeof(struct sl_tunnel_rec) * SL_BACKENDS_MAX, false },
		{ "sl_exceptions", sizeof(struct sl_exc_set) * SL_EXC_SETS, false },
		{ "sl_drains", sizeof(uint16_t) * SL_DRAIN_TRACKS * SL_DRAIN_CELLS, false },
		{ "sl_cnt_service", sizeof(struct sl_cnt) * SL_SERVICES_MAX, true },
		{ "sl_cnt_backend", sizeof(struct sl_cnt) * SL_BACKENDS_MAX, true },
		{ "sl_cnt_reason", sizeof(struct sl_reason_cnt), true },
		{ "sl_cnt_exc", sizeof(struct sl_exc_cnt), true },
		{ "sl_limits", sizeof(struct sl_limit), true },
		{ "sl_labels", sizeof(struct sl_label) * SL_BACKENDS_MAX, false },
		{ "sl_trace", sizeof(struct sl_trace), false },
		{ "sl_trace_row", sizeof(struct sl_trace_row), true },
		{ "sl_guards", sizeof(struct sl_guard_rec) * SL_SERVICES_MAX, false },
		{ "sl_guard_sets", sizeof(struct sl_guard_set) * SL_GUARD_SETS, false },
		{ "sl_guard_pools", sizeof(struct sl_guard_pool) * SL_SERVICES_MAX, false },
		{ "sl_guard_credit", sizeof(struct sl_guard_credit) * SL_SERVICES_MAX, true },
		{ "sl_guard_index", sizeof(uint64_t) * SL_GUARD_INDEX_WORDS, false },
		{ "sl_cnt_guard", sizeof(struct sl_guard_cnt), true },
	};

	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++)
		if (!strcmp(size[i].name, name))
			return size[i].bytes * (size[i].per_cpu ? cpus : 1);
	return 0;
}

size_t sl_direct_maps(unsigned cpus, const struct sl_direct_map **ret)
{
	static struct sl_direct_map maps[] = {
#define ROW(symbol) { "sl_" #symbol, 0, offsetof(struct sl_dp_mem, symbol) },
		SL_DIRECT_MAPS(ROW)
#undef ROW
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		maps[i].bytes = map_bytes(maps[i].name, cpus);
	*ret = maps;
	return sizeof(maps) / sizeof(maps[0]);
}

static bool is_direct(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return false;
	return info.type == BPF_MAP_TYPE_ARRAY && info.max_entries == 1 &&
	       (info.map_flags & BPF_F_MMAPABLE);
}

static int rewrite(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	size_t n = bpf_program__insn_cnt(prog);
	struct bpf_insn *insns;
	int r;

	(void)cookie;
	/* frames of several buffers; all programs of a tail call must agree on it */
	opts->prog_flags |= BPF_F_XDP_HAS_FRAGS;
	insns = malloc(n * sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(prog), n * sizeof(*insns));
	for (size_t i = 0; i + 1 < n; i++) {
		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_MAP_FD && is_direct(insns[i].imm)) {
			insns[i].src_reg = BPF_PSEUDO_MAP_VALUE;
			insns[i + 1].imm = 0;
		}
		i++; /* the second half */
	}
	r = bpf_program__set_insns(prog, insns, n);
	free(insns); /* libbpf took a copy */
	return r;
}

int sl_direct_register(void)
{
	static int registered;
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = rewrite);
	int r;

	if (registered)
		return 0;
	r = libbpf_register_prog_handler(SECTION, BPF_PROG_TYPE_XDP, BPF_XDP, &opts);
	if (r < 0)
		return r;
	registered = 1;
	return 0;
}

static void **slot_of(const struct sl_direct_map *m, struct sl_dp_mem *mem)
{
	return (void **)((char *)mem + m->mem_offset);
}

int sl_direct_map_into(const struct sl_direct_map *m, int fd, struct sl_dp_mem *mem)
{
	void *at = mmap(NULL, page_round(m->bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	*slot_of(m, mem) = at;
	return 0;
}

void sl_direct_unmap(const struct sl_direct_map *maps, size_t n, struct sl_dp_mem *mem)
{
	for (size_t i = 0; i < n; i++) {
		void **at = slot_of(&maps[i], mem);

		if (*at)
			munmap(*at, page_round(maps[i].bytes));
		*at = NULL;
	}
}
