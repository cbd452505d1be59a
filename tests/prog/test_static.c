/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_static: what the kernel made of the programs: how long they are, how
 * much work the verifier had, and which functions they call. Every call costs
 * about 6 ns on current x86, so without features there is one on the common
 * path: the redirect. That XDP_TX makes
 * none is shown by walking all paths (paths.h): no path with a call on it ends
 * with XDP_TX, and one without ends so. Kernels before 6.10 do not inline the
 * CPU's number: there, and only there, these are calls too and do not count.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/prog/paths.h"
#include "tests/prog/rig.h"
#include "tests/prog/tap.h"

/* The verifier's own limit is 10^6. */
struct budget {
	unsigned verified, xlated, jited;
};

struct case_of {
	const char *name;
	enum which { HOT, RARE, SEND } which;
	uint32_t features;
	bool tx_is_free; /* XDP_TX is reached without a call, and never after one */
	const char *const *known;
	struct budget budget;
};

/* As the kernel names them; the tail call is no call. */
static const char *const redirect_alone[] = { "dev_map_redirect", NULL };
static const char *const frame_bytes[] = { "dev_map_redirect", "bpf_xdp_get_buff_len", NULL };
static const char *const answers[] = { "dev_map_redirect", "bpf_xdp_adjust_head",
				       "bpf_xdp_adjust_tail", NULL };
static const char *const all_rare[] = { "dev_map_redirect",   "bpf_xdp_get_buff_len",
					"bpf_ktime_get_ns",   "bpf_user_rnd_u32",
					"bpf_xdp_load_bytes", "bpf_ringbuf_output",
					"trie_lookup_elem",   NULL };
static const char *const all_send[] = {
	"dev_map_redirect",    "bpf_xdp_get_buff_len", "bpf_ktime_get_ns",
	"bpf_user_rnd_u32",    "bpf_xdp_load_bytes",   "bpf_ringbuf_output",
	"bpf_xdp_adjust_head", "bpf_xdp_adjust_tail",  NULL
};
static const char *const tunnels[] = { "dev_map_redirect", "bpf_xdp_adjust_head", NULL };

static const struct case_of cases[] = {
	{ "sl_xdp", HOT, 0, true, redirect_alone, { 20000, 2900, 12700 } },
	{ "sl_rare", RARE, 0, false, frame_bytes, { 60000, 5300, 23300 } },
	{ "sl_send", SEND, 0, false, answers, { 20000, 1500, 7000 } },
	{ "sl_xdp, every feature", HOT, SL_FEAT_ALL, false, tunnels, { 100000, 6200, 28000 } },
	{ "sl_rare, every feature", RARE, SL_FEAT_ALL, false, all_rare, { 100000, 8800, 37500 } },
	{ "sl_send, every feature", SEND, SL_FEAT_ALL, false, all_send, { 100000, 3500, 16000 } },
};

/* Counters of packets, of flow memory, scratch, echo, the guard, tracing (46 in sl_rare on 6.1). */
#define CPU_NUMBERS_MAX 56u

#define KINDS_MAX 12u

struct program {
	struct bpf_prog_info info;
	struct bpf_insn *insn;
	unsigned n;
};

/* One query for the sizes, one for the instructions. */
static void read_program(int fd, struct program *ret)
{
	__u32 len = sizeof(ret->info);
	__u32 bytes;

	*ret = (struct program){};
	if (bpf_obj_get_info_by_fd(fd, &ret->info, &len))
		sl_tap_bail("read the program back", "%s", strerror(errno));
	bytes = ret->info.xlated_prog_len;
	ret->insn = calloc(1, bytes + 1);
	if (!ret->insn)
		sl_tap_bail("read the program back", "no memory");
	ret->info = (struct bpf_prog_info){ .xlated_prog_len = bytes,
					    .xlated_prog_insns = (__u64)(unsigned long)ret->insn };
	len = sizeof(ret->info);
	if (bpf_obj_get_info_by_fd(fd, &ret->info, &len))
		sl_tap_bail("read the program back", "%s", strerror(errno));
	if (!ret->info.xlated_prog_insns)
		sl_tap_bail("read the program back",
			    "the kernel hides the instructions "
			    "(net.core.bpf_jit_harden or kernel.kptr_restrict)");
	ret->n = bytes / sizeof(*ret->insn);
}

/* How this kernel calls for the CPU's number; 0: it has it inlined. */
static __s32 cpu_number_call(void)
{
	const struct bpf_insn ask[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_smp_processor_id },
		{ .code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "sl_ask_cpu", "GPL", ask,
			       sizeof(ask) / sizeof(ask[0]), NULL);
	struct program p;
	__s32 call = 0;

	if (fd < 0)
		sl_tap_bail("load a program of one call", "%s", strerror(errno));
	read_program(fd, &p);
	for (unsigned i = 0; i < p.n; i++)
		if (sl_paths_is_call(&p.insn[i]))
			call = p.insn[i].imm;
	free(p.insn);
	close(fd);
	return call;
}

/* The name of the kernel function @offset bytes from __bpf_call_base; false: not to be had. */
static bool function_name(long offset, char ret[64])
{
	FILE *f = fopen("/proc/kallsyms", "r");
	unsigned long long at, base = 0, want;
	char line[256], name[64];
	bool found = false;

	for (int pass = 0; f && pass < 2 && !found; pass++) {
		rewind(f);
		while (!found && fgets(line, sizeof(line), f)) {
			if (sscanf(line, "%llx %*c %63s", &at, name) != 2 || !at)
				continue;
			if (!pass && !strcmp(name, "__bpf_call_base"))
				base = at;
			want = base + (unsigned long long)offset;
			if (pass && base && at == want) {
				memcpy(ret, name, sizeof(name));
				found = true;
			}
		}
	}
	if (f)
		fclose(f);
	return found;
}

#define KINDS_MAX 12u

struct calls {
	unsigned subprograms, kfuncs, tail_calls, cpu_numbers;
	unsigned kinds; /* of other helpers: how many functions */
	int other[KINDS_MAX];
};

static void note_helper(struct calls *c, int imm, int cpu_number)
{
	if (imm == BPF_FUNC_tail_call) {
		c->tail_calls++;
	} else if (cpu_number && imm == cpu_number) {
		c->cpu_numbers++;
	} else {
		for (unsigned i = 0; i < c->kinds; i++)
			if (c->other[i] == imm)
				return;
		if (c->kinds < KINDS_MAX)
			c->other[c->kinds++] = imm;
	}
}

static struct calls find_calls(const struct program *p, int cpu_number)
{
	struct calls c = {};

	for (unsigned i = 0; i < p->n; i++) {
		const struct bpf_insn *x = &p->insn[i];

		if (x->code == (BPF_LD | BPF_IMM | BPF_DW)) {
			i++; /* the second half */
			continue;
		}
		if (!sl_paths_is_call(x))
			continue;
		c.subprograms += x->src_reg == BPF_PSEUDO_CALL;
		c.kfuncs += x->src_reg == BPF_PSEUDO_KFUNC_CALL;
		if (!x->src_reg)
			note_helper(&c, x->imm, cpu_number);
	}
	return c;
}

/* The redirect is inlined at some places; whichever they are, no function but these is called. */
static void known_helpers(const char *which, const struct calls *c, const char *const known[])
{
	char name[64], what[120];
	unsigned n = 0;

	while (known[n])
		n++;
	snprintf(what, sizeof(what), "%s: calls of %u kernel functions", which, n);
	if (!sl_tap(c->kinds == n, what, "%u", c->kinds))
		return;
	for (unsigned i = 0; i < c->kinds; i++) {
		bool is_known = false;

		if (!function_name(c->other[i], name)) {
			sl_tap_note("kernel addresses are hidden: %s's calls go unnamed", which);
			return;
		}
		for (unsigned k = 0; k < n; k++)
			is_known |= !strcmp(name, known[k]);
		snprintf(what, sizeof(what), "%s: one of them is %s", which, name);
		sl_tap(is_known, what, "it is not expected");
	}
}

/* XDP_TX comes without a call, and what comes after a call is never XDP_TX. */
static void tx_calls_nothing(const char *which, const struct program *p, int cpu_number)
{
	struct sl_paths paths;
	char what[120];

	if (!sl_paths_walk(p->insn, p->n, cpu_number, &paths))
		sl_tap_bail("walk all paths", "%s: too many, or no memory", which);
	snprintf(what, sizeof(what), "%s: XDP_TX is reached without a call (%u states)", which,
		 paths.states);
	sl_tap(paths.free[XDP_TX], what, "no path without a call ends with it");
	snprintf(what, sizeof(what), "%s: after a call it is never XDP_TX", which);
	/* what the call returned is XDP_REDIRECT, or the walk ends as no_port */
	sl_tap(paths.called_result && !paths.called[XDP_TX] && !paths.called_unknown, what,
	       "the call's own %d, tx %d, one that cannot be told %d", paths.called_result,
	       paths.called[XDP_TX], paths.called_unknown);
}

static void budget(const char *which, const char *what, unsigned is, unsigned max)
{
	char name[120];

	snprintf(name, sizeof(name), "%s, %s: %u, at most %u", which, what, is, max);
	sl_tap(is && is <= max, name, "change the budget only with a reason");
}

static void check(const struct case_of *one, int fd)
{
	struct program p;
	struct calls c;
	char what[120];
	int cpu_number = cpu_number_call();

	read_program(fd, &p);
	c = find_calls(&p, cpu_number);
	snprintf(what, sizeof(what), "%s: no call between BPF functions, none of the kernel's",
		 one->name);
	sl_tap(!c.subprograms && !c.kfuncs, what, "%u and %u", c.subprograms, c.kfuncs);
	snprintf(what, sizeof(what), "%s: %u tail call", one->name, one->which != SEND);
	sl_tap(c.tail_calls == (one->which != SEND), what, "%u", c.tail_calls);
	known_helpers(one->name, &c, one->known);
	if (cpu_number)
		budget(one->name, "calls for the CPU's number, which this kernel does not inline",
		       c.cpu_numbers, CPU_NUMBERS_MAX);
	if (one->tx_is_free)
		tx_calls_nothing(one->name, &p, cpu_number);
	budget(one->name, "instructions the verifier went through", p.info.verified_insns,
	       one->budget.verified);
	budget(one->name, "instructions after translation", p.n, one->budget.xlated);
	budget(one->name, "bytes of machine code", p.info.jited_prog_len, one->budget.jited);
	free(p.insn);
}

int main(void)
{
	struct sl_rig r;

	sl_rig_open(&r);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sl_rig_features(&r, cases[i].features);
		check(&cases[i], cases[i].which == HOT	  ? r.fd
				 : cases[i].which == RARE ? r.rare_fd
							  : r.send_fd);
	}
	sl_rig_close(&r);
	return sl_tap_done();
}
