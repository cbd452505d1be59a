/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_packets N [SEED] [--whole] [--all] [--alone]: N frames by chance through the program in
 * the kernel, the oracle and, when linked, the walk compiled for the host.
 * They must agree on verdict, bytes, reason, counters and flow memory.
 *
 * The same seed gives the same frames and configurations; only the clock
 * differs. --whole compares all memory after every packet, which says what a
 * difference at the end of a round comes from, at a hundred packets a second.
 * --all goes on after ten differences, which get a line each from then on.
 * --alone leaves the programs out: what the generator reaches in the oracle.
 * --self puts the oracle in their place: whether controls work without one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/oracle/fuzz.h"
#include "tests/prog/tap.h"

#define ROUND	20000u	 /* packets with one configuration */
#define REACH	1000000u /* packets that must have met everything */
#define MISSING 600

static void run(struct sl_fuzz *f, uint64_t n, bool go_on)
{
	for (f->index = 0; f->index < n && (go_on || f->differences < SL_FUZZ_REPORTS);
	     f->index++) {
		if (f->index % ROUND == 0) {
			(void)(f->index && sl_fuzz_whole(f));
			sl_fuzz_round(f);
		}
		sl_fuzz_packet(f);
		if ((f->index + 1) % 1000000 == 0) {
			printf("# %llu packets, %llu differences\n",
			       (unsigned long long)f->index + 1,
			       (unsigned long long)f->differences);
			fflush(stdout);
		}
	}
	if (f->index)
		(void)sl_fuzz_whole(f);
}

/* One line of the histogram; what was never met goes to @missing. */
static void count_line(const char *what, uint64_t n, char missing[MISSING])
{
	size_t used = strlen(missing);

	printf("# %-36s %10llu\n", what, (unsigned long long)n);
	if (!n)
		snprintf(missing + used, MISSING - used, " '%s'", what);
}

/* Two need a kernel that makes frames of two buffers, two a clock that can be put where it wraps.
 */
static bool can_reach(const struct sl_fuzz *f, enum sl_oracle_branch branch)
{
	if (branch == SL_BRANCH_BUFFERS || branch == SL_BRANCH_BIG_CUT)
		return f->opt.buffers;
	if (branch == SL_BRANCH_GUARD_WRAP || branch == SL_BRANCH_SHARE_WRAP)
		return f->n_subjects > 1 && f->subject[1].one_buffer;
	return true;
}

/* Every reason of the specification, in a run long enough to meet all. */
static void check_reach(const struct sl_fuzz *f, uint64_t n)
{
	static const char *const by[] = { [SL_BY_PORTS] = "sent, by ports",
					  [SL_BY_FRAGMENT] = "sent, fragments",
					  [SL_BY_ERROR] = "sent, errors" };
	char missing[MISSING] = "";

	for (enum sl_oracle_why why = SL_WHY_NONE + 1; why < SL_WHY_END; why++)
		count_line(sl_oracle_label(why), f->histogram[why], missing);
	for (enum sl_oracle_by i = SL_BY_PORTS; i < SL_BY_END; i++)
		count_line(by[i], f->sent_by[i], missing);
	count_line("places taken over", f->evictions, missing);
	count_line("moved, owner DOWN", f->moved, missing);
	for (enum sl_oracle_branch i = 0; i < SL_BRANCH_END; i++)
		if (can_reach(f, i))
			count_line(sl_oracle_branch(i), f->reach[i], missing);
	if (n >= REACH || !missing[0])
		sl_tap(!missing[0], "every reason and branch of WALK.md was met", "not met:%s",
		       missing);
}

static bool number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 0);
	return !errno && end != text && !*end;
}

int main(int argc, char **argv)
{
	struct sl_fuzz *f = calloc(1, sizeof(*f));
	uint64_t n = 0, seed = (uint64_t)time(NULL);
	char name[120];
	int words = 0;
	bool ok = true, one_idle = false, go_on = false;

	for (int i = 1; i < argc && ok; i++) {
		if (f && !strcmp(argv[i], "--whole"))
			f->whole = true;
		else if (f && !strcmp(argv[i], "--alone"))
			f->alone = true;
		else if (f && !strcmp(argv[i], "--all"))
			go_on = true;
		else if (f && !strcmp(argv[i], "--self"))
			f->begin = 1;
		else if (f && !strcmp(argv[i], "--one-idle"))
			one_idle = true;
		else
			ok = number(argv[i], words++ ? &seed : &n);
	}
	if (!f || !ok || !n || words > 2) {
		fprintf(stderr,
			"usage: %s N [SEED] [--whole] [--all] [--alone] [--self] [--one-idle]\n",
			argv[0]);
		return 2;
	}
	f->seed = seed;
	sl_gen_seed(&f->gen, seed);
	f->gen.o = &f->model;
	sl_subject_kernel(&f->subject[f->n_subjects++], seed, &f->opt);
	f->opt.one_idle = one_idle;
	f->model.key[0] = f->subject[0].mem->info->key[0];
	f->model.key[1] = f->subject[0].mem->info->key[1];
	f->model.tick_shift = f->subject[0].mem->info->tick_shift;
	sl_world_alloc(&f->want, f->subject[0].mem);
	if (f->begin)
		sl_subject_self(&f->subject[f->n_subjects++], &f->subject[0], &f->model);
	else
		f->n_subjects += sl_subject_host(&f->subject[1], &f->subject[0], f->model.egress);
	printf("# seed %llu, %u programs beside the oracle\n", (unsigned long long)seed,
	       f->alone ? 0 : f->n_subjects - f->begin);
	sl_selftest_all();
	if (!f->alone)
		sl_control_all(f);
	sl_gen_seed(&f->gen, seed);
	run(f, n, go_on);
	check_reach(f, f->index);
	snprintf(name, sizeof(name), "%llu packets, %llu differences (seed %llu)",
		 (unsigned long long)f->index, (unsigned long long)f->differences,
		 (unsigned long long)seed);
	sl_tap(!f->differences, name, "see above");
	for (unsigned i = 0; i < f->n_subjects; i++)
		sl_subject_close(&f->subject[i]);
	sl_world_free(&f->want);
	free(f);
	return sl_tap_done();
}
