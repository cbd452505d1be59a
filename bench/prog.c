/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prog: nanoseconds per packet of the packet program, net of the driver and of
 * BPF_PROG_TEST_RUN. README.md says how it is measured and what voids it.
 *
 *	prog DRIVER.bpf.o RESULT.json		QUICK=1: fewer and shorter samples
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/lib/machine.h"
#include "bench/lib/report.h"
#include "bench/lib/stats.h"
#include "bench/lib/subject.h"

#define N(a)	     (sizeof(a) / sizeof((a)[0]))
#define BLOCKS_MAX   40u
#define PARTS_MAX    8u	  /* samples that it takes to go through all flows */
#define TRIES	     3u	  /* of a sample that was disturbed */
#define AA_TOLERANCE 0.01 /* two loads of one program may differ by this much */

struct row {
	const char *name;
	struct sl_bench_work work;
	/* per block, ns: */
	double net[BLOCKS_MAX], control[BLOCKS_MAX], aa[BLOCKS_MAX];
	unsigned disturbed; /* samples that were, in all their tries */
	/* Where the packets of one sample go, for each part of the flows that it may be. */
	struct sl_bench_spread expected[PARTS_MAX];
	bool predicted;
};

#define ROW(what, n, ...)                                                            \
	{                                                                            \
		.name = what, .work = { .flows = (n), .table = 16381, __VA_ARGS__ }, \
	}
#define AT_64KI(what, ...) ROW(what, 1 << 16, __VA_ARGS__)
#define SIZES(what, ...) \
	ROW(what, 1, __VA_ARGS__), ROW(what, 1 << 16, __VA_ARGS__), ROW(what, 1 << 20, __VA_ARGS__)

static struct row rows[] = {
	SIZES("ipv4-tcp-l2dsr", .redirect = false),
	{ .name = "ipv4-tcp-l2dsr", .work = { .flows = 1 << 16, .table = 65537 } },
	SIZES("ipv4-tcp-l2dsr", .redirect = true),
	SIZES("ipv6-tcp-l2dsr", .is_v6 = true),
	SIZES("ipv4-tcp-ipip", .redirect = true, .fwd = SL_FWD_IPIP, .features = SL_FEAT_IPIP),
	SIZES("ipv6-tcp-6in6", .redirect = true, .is_v6 = true, .fwd = SL_FWD_IPIP, .outer6 = true,
	      .features = SL_FEAT_IPIP),
	AT_64KI("ipv4-tcp-gue", .redirect = true, .fwd = SL_FWD_GUE, .features = SL_FEAT_GUE),
	AT_64KI("ipv4-tcp-gue6", .redirect = true, .fwd = SL_FWD_GUE, .outer6 = true,
		.features = SL_FEAT_GUE),
	AT_64KI("ipv4-tcp-tag", .tag = true),
	AT_64KI("ipv4-tcp-moved", .transition = true),
	AT_64KI("ipv4-udp-flows", .udp = true),
	AT_64KI("512-services", .many = true),
	AT_64KI("stop-no-service", .stop = SL_BENCH_NO_SERVICE),
	AT_64KI("stop-tcp-bad", .stop = SL_BENCH_TCP_BAD),
	AT_64KI("all-features", .features = SL_FEAT_ALL & ~SL_FEAT_TRACE),
};

enum { FIRST, SECOND, CONTROL, SUBJECTS };

static struct {
	struct sl_bench_subject subject[SUBJECTS];
	const char *driver;
	struct bench_shared *shared;
	uint32_t repeat; /* packets per sample */
	unsigned blocks, blocks_wanted;
	double seconds_max;
	uint64_t packets; /* counted and compared, all rows */
} bench;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned backends(const struct row *row)
{
	return row->work.many ? SL_BENCH_MANY * SL_BENCH_EACH : SL_BENCH_BACKENDS;
}

/* Every packet counted as sent, and each backend got those of its flows, to the last one. */
static int check_spread(const struct row *row, const struct sl_bench_spread *before,
			const struct sl_bench_spread *after, unsigned part)
{
	unsigned used = 0;

	for (unsigned id = 1; id < SL_BENCH_IDS; id++) {
		uint64_t got = after->packets[id] - before->packets[id];

		used += got > 0;
		if (got == row->expected[part].packets[id])
			continue;
		fprintf(stderr, "bench: backend %u got %llu packets instead of %llu\n", id,
			(unsigned long long)got,
			(unsigned long long)row->expected[part].packets[id]);
		return -1;
	}
	if (row->work.flows > 10000 && !row->work.stop && used != backends(row)) {
		fprintf(stderr, "bench: only %u of %u backends were used\n", used, backends(row));
		return -1;
	}
	return 0;
}

static void predict(struct row *row)
{
	const struct sl_bench_subject *s = &bench.subject[FIRST];

	if (row->predicted)
		return;
	for (uint32_t part = 0; part < PARTS_MAX; part++)
		sl_bench_predict(s, &row->work, part * bench.repeat, bench.repeat,
				 &row->expected[part]);
	row->predicted = true;
}

/* One sample of @s, its packets checked. 0 or -1. */
static int sample_once(struct row *row, struct sl_bench_subject *s, struct sl_bench_time *ret)
{
	uint64_t sent = 0, other = 0, sent_before = 0, other_before = 0;
	struct sl_bench_spread before, after;
	unsigned part = bench.shared->cursor % row->work.flows / bench.repeat;

	if (s->dp)
		sl_bench_counted(s, &before, &sent_before, &other_before);
	if (sl_bench_run(s, &row->work, bench.repeat, ret))
		return -1;
	if (!s->dp)
		return 0;
	sl_bench_counted(s, &after, &sent, &other);
	if (sent - sent_before != (row->work.stop ? 0 : bench.repeat) ||
	    other - other_before != (row->work.stop ? bench.repeat : 0)) {
		fprintf(stderr, "bench: of %u packets %llu were counted as sent, %llu otherwise\n",
			bench.repeat, (unsigned long long)(sent - sent_before),
			(unsigned long long)(other - other_before));
		return -1;
	}
	bench.packets += bench.repeat;
	return check_spread(row, &before, &after, part);
}

/* The same, again while something disturbed it; then the least, and noted. ns, or -1. */
static double sample(struct row *row, unsigned which)
{
	double least = INFINITY;

	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t before = sl_machine_disturbances();
		struct sl_bench_time t;

		if (sample_once(row, &bench.subject[which], &t))
			return -1;
		if (!t.disturbed && sl_machine_disturbances() == before)
			return t.ns;
		least = t.ns < least ? t.ns : least;
	}
	row->disturbed++;
	return least;
}

/*
 * One row in one block: every subject twice, the second time in opposite
 * order, so that a drift of the machine falls on all alike.
 */
static int measure(struct row *row, unsigned block)
{
	static const uint8_t order[2][6] = {
		{ FIRST, CONTROL, SECOND, SECOND, CONTROL, FIRST },
		{ SECOND, CONTROL, FIRST, FIRST, CONTROL, SECOND },
	};
	double sum[SUBJECTS] = {};

	for (unsigned i = 0; i < SUBJECTS; i++) {
		struct sl_bench_time warm_up;

		if (sl_bench_prepare(&bench.subject[i], &row->work))
			return -1;
		if (sl_bench_run(&bench.subject[i], &row->work, bench.repeat / 4, &warm_up))
			return -1;
	}
	bench.shared->cursor = 0;
	predict(row);
	for (unsigned i = 0; i < 6; i++) {
		double ns = sample(row, order[block & 1][i]);

		if (ns < 0)
			return -1;
		sum[order[block & 1][i]] += ns / 2;
	}
	row->control[block] = sum[CONTROL];
	row->net[block] = (sum[FIRST] + sum[SECOND]) / 2 - sum[CONTROL];
	row->aa[block] = sum[FIRST] / sum[SECOND];
	return 0;
}

static int run_block(unsigned block)
{
	int r = 0;

	for (unsigned i = 0; i < SUBJECTS && !r; i++)
		r = sl_bench_load(&bench.subject[i], bench.driver, i == CONTROL);
	for (unsigned i = 0; i < N(rows) && !r; i++)
		r = measure(&rows[i], block);
	for (unsigned i = 0; i < SUBJECTS; i++)
		sl_bench_unload(&bench.subject[i]);
	return r;
}

static const char *action(const struct row *row)
{
	if (row->work.stop)
		return row->work.stop == SL_BENCH_NO_SERVICE ? "pass" : "drop";
	return row->work.redirect ? "redirect" : "tx";
}

static bool aa_holds(const struct row *row)
{
	return fabs(sl_stats_median(row->aa, bench.blocks) - 1) <= AA_TOLERANCE;
}

static void print_table(const struct sl_machine *m)
{
	sl_report_machine(stdout, m);
	printf("%-26s %u blocks of %u packets per sample, %u backends; %llu packets checked\n\n",
	       "run", bench.blocks, bench.repeat, SL_BENCH_BACKENDS,
	       (unsigned long long)bench.packets);
	printf("%-15s %-8s %8s %6s %8s %15s %7s %8s %7s %s\n", "work", "action", "flows", "slots",
	       "net ns", "95 %", "least", "control", "A/A", "disturbed");
	for (unsigned i = 0; i < N(rows); i++) {
		const struct row *row = &rows[i];
		double ci[2];

		sl_stats_ci95(row->net, bench.blocks, ci);
		printf("%-15s %-8s %8u %6u %8.1f %7.1f-%-7.1f %7.1f %8.1f %7.3f %u%s\n", row->name,
		       action(row), row->work.flows, row->work.table,
		       sl_stats_median(row->net, bench.blocks), ci[0], ci[1],
		       sl_stats_min(row->net, bench.blocks),
		       sl_stats_median(row->control, bench.blocks),
		       sl_stats_median(row->aa, bench.blocks), row->disturbed,
		       aa_holds(row) ? "" : "  VOID: two loads of one program differ");
	}
	if (m->unfit)
		printf("\nVOID: %s\n", m->unfit);
}

static void put_meta(FILE *f, const struct sl_machine *m)
{
	fputs("{\"meta\":{", f);
	sl_report_meta(f, m);
	fprintf(f, "\"blocks\":%u,\"repeat\":%u,\"backends\":%u,\"void\":", bench.blocks,
		bench.repeat, SL_BENCH_BACKENDS);
	sl_report_string(f, m->unfit ? m->unfit : "");
	fputs("},\n\"rows\":[\n", f);
}

static void put_row(FILE *f, const struct row *row)
{
	double ci[2];

	sl_stats_ci95(row->net, bench.blocks, ci);
	fprintf(f, "{\"work\":\"%s\",\"action\":\"%s\",\"flows\":%u,\"table\":%u,", row->name,
		action(row), row->work.flows, row->work.table);
	fprintf(f, "\"net_ns\":%.3f,\"least_ns\":%.3f,\"control_ns\":%.3f,\"aa_ratio\":%.4f,",
		sl_stats_median(row->net, bench.blocks), sl_stats_min(row->net, bench.blocks),
		sl_stats_median(row->control, bench.blocks),
		sl_stats_median(row->aa, bench.blocks));
	fprintf(f, "\"ci95\":[%.3f,%.3f],\"disturbed\":%u,\"void\":%s}", ci[0], ci[1],
		row->disturbed, aa_holds(row) ? "false" : "true");
}

static int write_json(const struct sl_machine *m, const char *path)
{
	FILE *f = fopen(path, "w");
	bool failed = !f;

	if (f) {
		put_meta(f, m);
		for (unsigned i = 0; i < N(rows); i++) {
			put_row(f, &rows[i]);
			fputs(i + 1 < N(rows) ? ",\n" : "\n]}\n", f);
		}
		failed = ferror(f);
		failed |= fclose(f) != 0;
	}
	if (failed)
		fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
	return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
	bool quick = getenv("QUICK") && strcmp(getenv("QUICK"), "0");
	double start = seconds(), last;
	struct sl_machine machine;

	if (argc != 3) {
		fprintf(stderr, "usage: prog DRIVER.bpf.o RESULT.json\n");
		return 2;
	}
	bench.driver = argv[1];
	bench.repeat = quick ? 1u << 17 : 1u << 18;
	bench.blocks_wanted = quick ? 6 : 20;
	bench.seconds_max = quick ? 40 : 300;
	sl_machine_read(&machine);
	if (sl_machine_pin(&machine) < 0) {
		fprintf(stderr, "bench: cannot pin to one CPU\n");
		return 1;
	}
	bench.shared = sl_bench_share(bench.driver);
	if (!bench.shared)
		return 1;
	do {
		last = seconds();
		if (run_block(bench.blocks))
			return 1;
		bench.blocks++;
		last = seconds() - last;
	} while (bench.blocks < bench.blocks_wanted &&
		 seconds() + last - start < bench.seconds_max);
	sl_bench_unshare();
	print_table(&machine);
	return write_json(&machine, argv[2]) ? 1 : 0;
}
