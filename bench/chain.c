/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chain: frames a second over a whole path of veth pairs, on one core, against
 * a program that only rewrites MACs and redirects. README.md says how it is
 * measured and what voids it.
 *
 *	chain CHAIN.bpf.o RESULT.json	QUICK=1: fewer and shorter samples
 *					BATCH=N: frames under way at once
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/lib/chain_net.h"
#include "bench/lib/chain_path.h"
#include "bench/lib/chain_subject.h"
#include "bench/lib/guard.h"
#include "bench/lib/machine.h"
#include "bench/lib/report.h"
#include "bench/lib/stats.h"

#define N(a)	     (sizeof(a) / sizeof((a)[0]))
#define BLOCKS_MAX   40u
#define BATCH	     64u  /* README.md, decision 7 */
#define TRIES	     3u	  /* of a sample that was disturbed */
#define AA_TOLERANCE 0.01 /* two loads of the bare program may differ by this much */

/* PLAIN of them are loaded side by side; the agent's, for itself, in between. */
enum { FIRST, SECOND, L2DSR, IPIP, PLAIN, AGENT = PLAIN, SUBJECTS };

struct row {
	struct sl_chain_work work;
	/* per block: */
	double ns[BLOCKS_MAX], mpps[BLOCKS_MAX];
	double ratio[BLOCKS_MAX];	  /* of its rate to the control's */
	uint64_t frames;		  /* generated, in all samples */
	uint64_t lost_before, lost_after; /* on the way to the program, and from it to the sink */
	uint64_t elsewhere;		  /* on another CPU, or later: not in the time */
	unsigned disturbed;		  /* samples that were, in all their tries */
};

static struct row rows[SUBJECTS] = {
	[FIRST].work = { .name = "bare", .bare = true },
	[SECOND].work = { .name = "bare-again", .bare = true },
	[L2DSR].work = { .name = "ipv4-tcp-l2dsr", .fwd = SL_FWD_L2 },
	[IPIP].work = { .name = "ipv4-tcp-ipip",
			.fwd = SL_FWD_IPIP,
			.outer = CHAIN_OUTER,
			.features = SL_FEAT_IPIP },
	[AGENT].work = { .name = "l2dsr-as-agent", .fwd = SL_FWD_L2, .agent = true },
};

static struct {
	const char *programs, *result;
	pid_t owner; /* in the names of the namespaces */
	struct sl_machine machine;
	struct sl_chain_net net;
	struct sl_chain_path path;
	struct sl_chain_subject subject[SUBJECTS];
	unsigned cpu;
	uint32_t repeat, batch; /* frames of a sample, and under way at once */
	unsigned blocks, blocks_wanted;
	double seconds_max;
	double control_mpps[BLOCKS_MAX], aa[BLOCKS_MAX];
	uint64_t looked; /* frames that were compared byte by byte where it matters */
} bench;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* @n frames through subject @which, counted everywhere. 0, or -1 where a frame went wrong. */
static int send_frames(unsigned which, uint32_t n, struct sl_chain_sent *ret)
{
	struct sl_chain_subject *s = &bench.subject[which];
	struct sl_chain_sums before, after;
	struct row *row = &rows[which];
	uint64_t handled;

	sl_chain_subject_read(s, bench.cpu, &before);
	if (sl_chain_path_send(&bench.path, n, bench.cpu, ret))
		return -1;
	sl_chain_subject_read(s, bench.cpu, &after);
	if (sl_chain_subject_check(s, n, &before, &after))
		return -1;
	handled = s->dp ? after.sent - before.sent : n; /* the bare one does not count */
	if (ret->arrived > handled) {
		fprintf(stderr, "bench: %s: %llu frames arrived of %llu that were sent\n",
			row->work.name, (unsigned long long)ret->arrived,
			(unsigned long long)handled);
		return -1;
	}
	row->frames += n;
	row->lost_before += n - handled;
	row->lost_after += handled - ret->arrived;
	row->elsewhere += ret->elsewhere + (after.elsewhere - before.elsewhere);
	return 0;
}

/* A sample, again while something disturbed it; then the least, and noted. ns, or -1. */
static double sample(unsigned which)
{
	double least = INFINITY;

	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t before = sl_machine_disturbances();
		struct sl_chain_sent sent;

		if (send_frames(which, bench.repeat, &sent))
			return -1;
		if (!sent.disturbed && sl_machine_disturbances() == before)
			return sent.ns;
		least = fmin(least, sent.ns);
	}
	rows[which].disturbed++;
	return least;
}

/* Every flow once, each frame looked at when it arrives; and once without, to warm up. */
static int prove(unsigned which)
{
	const struct sl_chain_work *w = &rows[which].work;
	struct sl_chain_sent sent;

	if (sl_chain_path_look(&bench.path, true, w->outer) ||
	    send_frames(which, CHAIN_FLOWS, &sent))
		return -1;
	if (sent.arrived == CHAIN_FLOWS && sent.right != sent.arrived) {
		fprintf(stderr, "bench: %s: of %u frames %llu arrived as they must\n", w->name,
			CHAIN_FLOWS, (unsigned long long)sent.right);
		return -1;
	}
	bench.looked += sent.right;
	if (sl_chain_path_look(&bench.path, false, 0))
		return -1;
	return send_frames(which, CHAIN_FLOWS, &sent);
}

static int load(unsigned which)
{
	return sl_chain_subject_load(&bench.subject[which], &rows[which].work, &bench.net,
				     bench.programs, bench.path.shared->tuple);
}

/* Its two samples, and nothing of it before or after. */
static double measure_agent(void)
{
	double first = -1, second = -1;

	if (!sl_chain_path_put(&bench.path, -1) && !load(AGENT) && !prove(AGENT)) {
		first = sample(AGENT);
		second = first < 0 ? -1 : sample(AGENT);
	}
	sl_chain_subject_unload(&bench.subject[AGENT]);
	return second < 0 ? -1 : first + second;
}

/* Everything twice, the second time in opposite order, so that a drift falls on all alike. */
static int sample_all(unsigned block, double sum[SUBJECTS])
{
	static const uint8_t order[2][2 * PLAIN] = {
		{ FIRST, L2DSR, IPIP, SECOND, SECOND, IPIP, L2DSR, FIRST },
		{ SECOND, IPIP, L2DSR, FIRST, FIRST, L2DSR, IPIP, SECOND },
	};

	for (unsigned i = 0; i < 2 * PLAIN; i++) {
		unsigned which = order[block & 1][i];
		double ns;

		if (i == PLAIN) {
			sum[AGENT] = measure_agent();
			if (sum[AGENT] < 0)
				return -1;
		}
		if (sl_chain_path_put(&bench.path, bench.subject[which].fd))
			return -1;
		ns = sample(which);
		if (ns < 0)
			return -1;
		sum[which] += ns;
	}
	return 0;
}

static int measure(unsigned block)
{
	double sum[SUBJECTS] = {}, control;

	for (unsigned i = 0; i < PLAIN; i++)
		if (sl_chain_path_put(&bench.path, bench.subject[i].fd) || prove(i))
			return -1;
	if (sample_all(block, sum))
		return -1;
	control = (sum[FIRST] + sum[SECOND]) / 2;
	for (unsigned i = 0; i < SUBJECTS; i++) {
		rows[i].ns[block] = sum[i] / 2;
		rows[i].mpps[block] = 2e3 / sum[i];
		rows[i].ratio[block] = control / sum[i];
	}
	bench.control_mpps[block] = 2e3 / control;
	bench.aa[block] = sum[SECOND] / sum[FIRST];
	return 0;
}

static int run_block(unsigned block)
{
	int r = sl_chain_path_load(&bench.path, &bench.net, bench.programs, bench.batch);

	for (unsigned i = 0; i < PLAIN && !r; i++)
		r = load(i);
	if (!r)
		r = measure(block);
	sl_chain_path_unload(&bench.path);
	for (unsigned i = 0; i < PLAIN; i++)
		sl_chain_subject_unload(&bench.subject[i]);
	return r;
}

/* ---- what came of it ------------------------------------------------------------ */

/* Why nothing of this run may be quoted; "": it may. */
static const char *void_of_run(void)
{
	static char text[160];
	double aa = sl_stats_median(bench.aa, bench.blocks);
	uint64_t lost = 0, elsewhere = 0;

	for (unsigned i = 0; i < SUBJECTS; i++) {
		lost += rows[i].lost_before + rows[i].lost_after;
		elsewhere += rows[i].elsewhere;
	}
	if (bench.machine.unfit)
		return bench.machine.unfit;
	if (lost)
		snprintf(text, sizeof(text), "%llu frames were lost: rates of different work",
			 (unsigned long long)lost);
	else if (elsewhere)
		snprintf(text, sizeof(text),
			 "%llu frames were worked off by somebody else: not in the time",
			 (unsigned long long)elsewhere);
	else if (fabs(aa - 1) > AA_TOLERANCE)
		snprintf(text, sizeof(text), "two loads of the bare program differ by %.1f %%",
			 100 * fabs(aa - 1));
	return text;
}

static void print_line(const char *name, const double *mpps, const double *ratio, const char *tail)
{
	double rate[2], share[2];

	sl_stats_ci95(mpps, bench.blocks, rate);
	sl_stats_ci95(ratio, bench.blocks, share);
	printf("%-16s %7.3f %7.3f-%-7.3f %7.3f %7.3f-%-7.3f %s\n", name,
	       sl_stats_median(mpps, bench.blocks), rate[0], rate[1],
	       sl_stats_median(ratio, bench.blocks), share[0], share[1], tail);
}

static void print_table(void)
{
	const char *why = void_of_run();
	char tail[64];

	sl_report_machine(stdout, &bench.machine);
	printf("%-26s %u blocks of %u frames per sample, %u at once; %u flows, %u backends, frames "
	       "of %u bytes; %llu frames looked at\n\n",
	       "run", bench.blocks, bench.repeat, bench.batch, CHAIN_FLOWS, SL_CHAIN_BACKENDS,
	       CHAIN_BYTES, (unsigned long long)bench.looked);
	printf("%-16s %7s %15s %7s %15s %10s %6s %s\n", "work", "Mpps", "95 %", "ratio", "95 %",
	       "frames", "lost", "disturbed");
	for (unsigned i = 0; i < SUBJECTS; i++) {
		const struct row *row = &rows[i];

		snprintf(tail, sizeof(tail), "%10llu %6llu %u", (unsigned long long)row->frames,
			 (unsigned long long)(row->lost_before + row->lost_after), row->disturbed);
		print_line(row->work.name, row->mpps, row->ratio, tail);
	}
	printf("%-16s %7.3f Mpps; ratio is to this: both loads of the bare program\n", "control",
	       sl_stats_median(bench.control_mpps, bench.blocks));
	printf("%-16s %7.3f\n", "A/A", sl_stats_median(bench.aa, bench.blocks));
	if (why[0])
		printf("\nVOID: %s\n", why);
}

static void put_row(FILE *f, const struct row *row)
{
	double rate[2], share[2];

	sl_stats_ci95(row->mpps, bench.blocks, rate);
	sl_stats_ci95(row->ratio, bench.blocks, share);
	fprintf(f, "{\"work\":\"%s\",\"control\":%s,\"features\":%u,", row->work.name,
		row->work.bare ? "true" : "false", row->work.features);
	fprintf(f, "\"mpps\":%.4f,\"mpps_ci95\":[%.4f,%.4f],\"ns\":%.3f,",
		sl_stats_median(row->mpps, bench.blocks), rate[0], rate[1],
		sl_stats_median(row->ns, bench.blocks));
	fprintf(f, "\"ratio\":%.4f,\"ratio_ci95\":[%.4f,%.4f],\"frames\":%llu,",
		sl_stats_median(row->ratio, bench.blocks), share[0], share[1],
		(unsigned long long)row->frames);
	fprintf(f, "\"lost_before\":%llu,\"lost_after\":%llu,\"elsewhere\":%llu,\"disturbed\":%u}",
		(unsigned long long)row->lost_before, (unsigned long long)row->lost_after,
		(unsigned long long)row->elsewhere, row->disturbed);
}

static void put_all(FILE *f)
{
	fputs("{\"meta\":{", f);
	sl_report_meta(f, &bench.machine);
	fprintf(f, "\"blocks\":%u,\"repeat\":%u,\"batch\":%u,\"bytes\":%u,\"flows\":%u,",
		bench.blocks, bench.repeat, bench.batch, CHAIN_BYTES, CHAIN_FLOWS);
	fprintf(f, "\"backends\":%u,\"table\":%u,\"control_mpps\":%.4f,\"aa_ratio\":%.4f,\"void\":",
		SL_CHAIN_BACKENDS, SL_CHAIN_SLOTS,
		sl_stats_median(bench.control_mpps, bench.blocks),
		sl_stats_median(bench.aa, bench.blocks));
	sl_report_string(f, void_of_run());
	fputs("},\n\"rows\":[\n", f);
	for (unsigned i = 0; i < SUBJECTS; i++) {
		put_row(f, &rows[i]);
		fputs(i + 1 < SUBJECTS ? ",\n" : "\n]}\n", f);
	}
}

static int write_json(void)
{
	FILE *f = fopen(bench.result, "w");
	bool failed = !f;

	if (f) {
		put_all(f);
		failed = ferror(f);
		failed |= fclose(f) != 0;
	}
	if (failed)
		fprintf(stderr, "bench: %s: %s\n", bench.result, strerror(errno));
	return failed ? -1 : 0;
}

/* ---- the run ---------------------------------------------------------------------- */

static int work(void *user)
{
	double start = seconds(), last;
	int cpu;

	(void)user;
	sl_machine_read(&bench.machine);
	cpu = sl_machine_pin(&bench.machine);
	if (cpu < 0) {
		fprintf(stderr, "bench: cannot pin to one CPU\n");
		return 1;
	}
	bench.cpu = (unsigned)cpu;
	if (sl_chain_net_make(&bench.net, bench.owner) || sl_chain_subject_pins())
		return 1;
	do {
		last = seconds();
		if (run_block(bench.blocks))
			return 1;
		bench.blocks++;
		last = seconds() - last;
	} while (bench.blocks < bench.blocks_wanted &&
		 seconds() + last - start < bench.seconds_max);
	print_table();
	return write_json() ? 1 : 0;
}

static void clean(void *user)
{
	(void)user;
	sl_chain_net_remove(bench.owner);
}

int main(int argc, char **argv)
{
	bool quick = getenv("QUICK") && strcmp(getenv("QUICK"), "0");
	const char *batch = getenv("BATCH");

	if (argc != 3) {
		fprintf(stderr, "usage: chain CHAIN.bpf.o RESULT.json\n");
		return 2;
	}
	bench.programs = argv[1];
	bench.result = argv[2];
	bench.owner = getpid();
	bench.repeat = quick ? 1u << 18 : 1u << 19;
	bench.batch = batch ? (uint32_t)strtoul(batch, NULL, 10) : BATCH;
	bench.blocks_wanted = quick ? 6 : 20;
	bench.seconds_max = quick ? 15 : 60;
	if (!bench.batch || bench.batch > 256) {
		fprintf(stderr, "bench: BATCH=%s: 1 to 256\n", batch);
		return 2;
	}
	return sl_guard_run(work, clean, NULL);
}
