/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_program: the shipped program, loaded by the shipped loader, but for its
 * clock: see patch_clock(). Apart from the simulator, because linux/bpf.h and
 * the host half of lb_kern/platform.h both define XDP_*.
 */
#include "tests/kern_host/sim_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/prog/tap.h"

static struct sl_dp *dp;
static int clock_fd = -1;
static volatile uint64_t *clock_word;
static unsigned clock_reads; /* replaced */

/* ---- the clock ------------------------------------------------------------------ */

static void open_clock(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	void *at;

	clock_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "sim_clock", 4, 8, 1, &opts);
	if (clock_fd < 0)
		sl_tap_bail("make the clock", "%s", strerror(errno));
	at = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, clock_fd,
		  0);
	if (at == MAP_FAILED)
		sl_tap_bail("map the clock", "%s", strerror(errno));
	clock_word = at;
}

static bool reads_clock(const struct bpf_insn *in)
{
	return in->code == (BPF_JMP | BPF_CALL) && !in->src_reg && in->imm == BPF_FUNC_jiffies64;
}

/*
 * The kernel itself turns bpf_jiffies64() into "r0 = &jiffies; r0 = *r0" when it
 * loads a program. Here the same two instructions read a word of ours: behind
 * the program's end, so that nothing in it moves, with a jump there in the
 * call's place and one back. No other instruction differs.
 */
static size_t patch_clock(struct bpf_insn *in, size_t n)
{
	size_t end = n;

	for (size_t i = 0; i < n; i++) {
		if (in[i].code == (BPF_LD | BPF_IMM | BPF_DW)) {
			i++;
			continue;
		}
		if (!reads_clock(&in[i]))
			continue;
		in[i] = (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = (__s16)(end - i - 1) };
		in[end++] = (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW,
					       .src_reg = BPF_PSEUDO_MAP_VALUE,
					       .imm = clock_fd };
		in[end++] = (struct bpf_insn){};
		in[end++] = (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_DW };
		in[end] = (struct bpf_insn){ .code = BPF_JMP | BPF_JA,
					     .off = (__s16)((long)i - (long)end) };
		end++;
		clock_reads++;
	}
	return end;
}

int __real_bpf_program__set_insns(struct bpf_program *prog, struct bpf_insn *in, size_t n);
int __wrap_bpf_program__set_insns(struct bpf_program *prog, struct bpf_insn *in, size_t n);

/* The last thing that lb_user/dp/direct.c does before a program is loaded (the linker's --wrap). */
int __wrap_bpf_program__set_insns(struct bpf_program *prog, struct bpf_insn *in, size_t n)
{
	struct bpf_insn *patched = calloc(5 * n, sizeof(*in));
	int r;

	if (!patched)
		return -ENOMEM;
	memcpy(patched, in, n * sizeof(*in));
	r = __real_bpf_program__set_insns(prog, patched, patch_clock(patched, n));
	free(patched);
	return r;
}

/* ---- the program ------------------------------------------------------------------- */

static unsigned pin(void)
{
	cpu_set_t set;
	unsigned cpu = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		sl_tap_bail("pin to one CPU", "%s", strerror(errno));
	while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &set))
		cpu++;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		sl_tap_bail("pin to one CPU", "%s", strerror(errno));
	return cpu;
}

static void check_clock(void)
{
	uint64_t jiffies = 0;

	*clock_word = 0x123456789abcull;
	if (dp->ops->jiffies(dp, &jiffies) || jiffies != *clock_word)
		sl_tap_bail("turn the clock", "the program does not read it (%u calls replaced)",
			    clock_reads);
}

struct sl_dp *sim_program_open(const uint64_t key[2], unsigned *ret_row)
{
	struct sl_dp_options opt = { .key = { key[0], key[1] } };
	struct sl_err err = {};

	open_clock();
	if (sl_dp_open(&opt, &dp, &err))
		sl_tap_bail("load the program", "%s", err.detail);
	check_clock();
	*ret_row = pin() & (dp->mem.info->cpus - 1);
	sl_tap_note("the clock is read by %u instructions, replaced; a tick is %u ms", clock_reads,
		    dp->mem.info->tick_ms);
	return dp;
}

void sim_program_close(void)
{
	dp->ops->close(dp);
	munmap((void *)clock_word, (size_t)sysconf(_SC_PAGESIZE));
	close(clock_fd);
}

enum sim_verdict sim_program_run(uint64_t jiffies, const void *frame, uint32_t len,
				 uint8_t ret_frame[SIM_PROGRAM_FRAME])
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = len,
		    .data_out = ret_frame, .data_size_out = SIM_PROGRAM_FRAME, .repeat = 1);
	int r;

	*clock_word = jiffies;
	r = bpf_prog_test_run_opts(sl_dp_program_fd(dp), &opts);
	if (r < 0)
		sl_tap_bail("run one packet", "%s", strerror(-r));
	return opts.retval == XDP_TX ? SIM_SENT : opts.retval == XDP_DROP ? SIM_DROPPED : SIM_OTHER;
}
