/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_static: what the kernel made of the program: how long it is, how much
 * work the verifier had, and which functions it calls. Every call costs about
 * 6 ns on current x86, so there is one: the redirect. XDP_TX is thereby free
 * of calls. Kernels before 6.10 do not inline the CPU's number: there, and
 * only there, these are calls too, one of them on every packet's way.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/prog/rig.h"
#include "tests/prog/tap.h"

/*
 * Budgets: a third above what clang 14 and Linux 6.18 give; the verifier's own
 * limit is 10^6. Linux 6.1 goes through 81,000 where 6.18 does through 54,000.
 */
#define VERIFIED_MAX 100000u
#define XLATED_MAX   2600u
#define JITED_MAX    12000u
/* The counters of packets and, where flow memory is used, its own. */
#define CPU_NUMBERS_MAX 8u

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
		if (is_call(&p.insn[i]))
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

static void budget(const char *what, unsigned is, unsigned max)
{
	char name[80];

	snprintf(name, sizeof(name), "%s: %u, at most %u", what, is, max);
	sl_tap(is && is <= max, name, "change the budget only with a reason");
}

static void calls(const struct program *p)
{
	unsigned helpers = 0, subprograms = 0, kfuncs = 0, tail_calls = 0, cpu_numbers = 0, at = 0;
	const __s32 cpu_number = cpu_number_call();
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
		if (p->insn[i].src_reg)
			continue;
		if (cpu_number && p->insn[i].imm == cpu_number) {
			cpu_numbers++;
			continue;
		}
		helpers++;
		at = i;
	}
	sl_tap(!subprograms, "no call between BPF functions", "%u", subprograms);
	sl_tap(!kfuncs && !tail_calls, "no kernel function, no tail call", "%u and %u", kfuncs,
	       tail_calls);
	/* jiffies are inlined by every kernel, the CPU's number by new ones: no calls then */
	if (cpu_number)
		budget("this kernel calls for the CPU's number, in places", cpu_numbers,
		       CPU_NUMBERS_MAX);
	sl_tap(helpers == 1,
	       cpu_number ? "one helper call besides it" : "one helper call in the whole program",
	       "%u", helpers);
	if (helpers != 1)
		return;
	if (!function_name(p->insn[at].imm, name)) {
		sl_tap_note("kernel addresses are hidden: the call at %u goes unnamed", at);
		return;
	}
	sl_tap(!strcmp(name, "dev_map_redirect"),
	       cpu_number ? "that call is the redirect: XDP_TX calls nothing else"
			  : "that call is the redirect: XDP_TX calls nothing",
	       "it is %s", name);
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
