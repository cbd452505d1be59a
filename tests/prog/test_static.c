/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_static: what the kernel made of the programs: how long they are, how
 * much work the verifier had, and which functions they call. Every call costs
 * about 6 ns on current x86, so there is one: the redirect. That XDP_TX makes
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

/* Budgets by program; the verifier's own limit is 10^6. clang 14 and Linux 6.18 give: */
struct budget {
	unsigned verified, xlated, jited;
};

static const struct budget hot_budget = { 20000, 5300, 22800 };	   /* 8,671, 3,957, 17,084 */
static const struct budget rare_budget = { 100000, 10000, 42000 }; /* 61,210, 7,507, 31,550 */

/* Counters of packets, of flow memory, scratch, echo, the guard (31 in sl_rare). */
#define CPU_NUMBERS_MAX 40u

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

struct calls {
	unsigned subprograms, kfuncs, tail_calls, cpu_numbers;
	unsigned others, kinds; /* of other helpers: how many calls, of how many functions */
	int other;		/* one of them */
};

static void note_helper(struct calls *c, int imm, int cpu_number)
{
	if (imm == BPF_FUNC_tail_call) {
		c->tail_calls++;
	} else if (cpu_number && imm == cpu_number) {
		c->cpu_numbers++;
	} else {
		c->kinds += !c->others || imm != c->other;
		c->other = imm;
		c->others++;
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

/*
 * The redirect is inlined at some places; whichever they are, no other function is called, but by
 * the rare program the lookup of a listed prefix, once.
 */
static void redirect_alone(const char *which, const struct calls *c, bool asks_lists)
{
	char name[64], what[120];

	if (asks_lists) {
		snprintf(what, sizeof(what), "%s: %u calls, at most one beside the redirect", which,
			 c->others);
		sl_tap(c->others <= 2 && c->kinds == c->others, what, "of %u functions", c->kinds);
		return;
	}
	snprintf(what, sizeof(what), "%s: %u calls, all of one function", which, c->others);
	if (!sl_tap(c->kinds == 1, what, "of %u or more", c->kinds))
		return;
	if (!function_name(c->other, name)) {
		sl_tap_note("kernel addresses are hidden: %s's call goes unnamed", which);
		return;
	}
	snprintf(what, sizeof(what), "%s: that one is the redirect", which);
	sl_tap(!strcmp(name, "dev_map_redirect"), what, "it is %s", name);
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

static void check(const char *which, int fd, unsigned tail_calls, const struct budget *b)
{
	struct program p;
	struct calls c;
	char what[120];
	int cpu_number = cpu_number_call();

	read_program(fd, &p);
	c = find_calls(&p, cpu_number);
	snprintf(what, sizeof(what), "%s: no call between BPF functions, none of the kernel's",
		 which);
	sl_tap(!c.subprograms && !c.kfuncs, what, "%u and %u", c.subprograms, c.kfuncs);
	snprintf(what, sizeof(what), "%s: %u tail call", which, tail_calls);
	sl_tap(c.tail_calls == tail_calls, what, "%u", c.tail_calls);
	redirect_alone(which, &c, !tail_calls);
	if (cpu_number)
		budget(which, "calls for the CPU's number, which this kernel does not inline",
		       c.cpu_numbers, CPU_NUMBERS_MAX);
	if (tail_calls) /* the hot one; the other may keep its verdict where paths cannot see */
		tx_calls_nothing(which, &p, cpu_number);
	budget(which, "instructions the verifier went through", p.info.verified_insns, b->verified);
	budget(which, "instructions after translation", p.n, b->xlated);
	budget(which, "bytes of machine code", p.info.jited_prog_len, b->jited);
	free(p.insn);
}

int main(void)
{
	struct sl_rig r;

	sl_rig_open(&r);
	check("sl_xdp", r.fd, 1, &hot_budget);
	check("sl_rare", r.rare_fd, 0, &rare_budget);
	sl_rig_close(&r);
	return sl_tap_done();
}
