/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_static: what the kernel made of the program: how long it is, how much
 * work the verifier had, and which functions it calls. Every call costs about
 * 6 ns on current x86, so there is one: the redirect. XDP_TX is thereby free
 * of calls.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/prog/rig.h"
#include "tests/prog/tap.h"

/* Budgets: a third above what clang 14 and Linux 6.18 give; the verifier's own limit is 10^6. */
#define VERIFIED_MAX 100000u
#define XLATED_MAX   2600u
#define JITED_MAX    12000u

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

static bool is_call(const struct bpf_insn *i)
{
	__u8 class = BPF_CLASS(i->code);

	return (class == BPF_JMP || class == BPF_JMP32) && BPF_OP(i->code) == BPF_CALL;
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

static void calls(const struct program *p)
{
	unsigned helpers = 0, subprograms = 0, kfuncs = 0, tail_calls = 0, at = 0;
	char name[64] = "";

	for (unsigned i = 0; i < p->n; i++) {
		if (p->insn[i].code == (BPF_LD | BPF_IMM | BPF_DW)) {
			i++; /* the second half */
			continue;
		}
		if (!is_call(&p->insn[i]))
			continue;
		subprograms += p->insn[i].src_reg == BPF_PSEUDO_CALL;
		kfuncs += p->insn[i].src_reg == BPF_PSEUDO_KFUNC_CALL;
		tail_calls += !p->insn[i].src_reg && p->insn[i].imm == BPF_FUNC_tail_call;
		helpers += !p->insn[i].src_reg;
		if (!p->insn[i].src_reg)
			at = i;
	}
	sl_tap(!subprograms, "no call between BPF functions", "%u", subprograms);
	sl_tap(!kfuncs && !tail_calls, "no kernel function, no tail call", "%u and %u", kfuncs,
	       tail_calls);
	/* CPU number and jiffies are inlined by the kernel: they are no calls here */
	sl_tap(helpers == 1, "one helper call in the whole program", "%u", helpers);
	if (helpers != 1)
		return;
	if (!function_name(p->insn[at].imm, name)) {
		sl_tap_note("kernel addresses are hidden: the call at %u goes unnamed", at);
		return;
	}
	sl_tap(!strcmp(name, "dev_map_redirect"), "that call is the redirect: XDP_TX calls nothing",
	       "it is %s", name);
}

static void budget(const char *what, unsigned is, unsigned max)
{
	char name[80];

	snprintf(name, sizeof(name), "%s: %u, at most %u", what, is, max);
	sl_tap(is && is <= max, name, "change the budget only with a reason");
}

int main(void)
{
	struct program p;
	struct sl_rig r;

	sl_rig_open(&r);
	read_program(r.fd, &p);
	calls(&p);
	budget("instructions the verifier went through", p.info.verified_insns, VERIFIED_MAX);
	budget("instructions after translation", p.n, XLATED_MAX);
	budget("bytes of machine code", p.info.jited_prog_len, JITED_MAX);
	free(p.insn);
	sl_rig_close(&r);
	return sl_tap_done();
}
