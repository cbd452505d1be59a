/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_sim: random histories on both sides of the slot rules, then the same
 * with each rule broken once. Everything follows from the seed.
 *
 *   test_sim [--seed N] [--packets N]          all of it; N packets per mode
 *   test_sim --history N --modes N [--packets N] [--trace] [--watch FLOW]    one history again
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/kern_host/sim.h"
#include "tests/prog/tap.h"

#define HISTORY_PACKETS 60000

typedef unsigned long long llu;

static void held(bool ok, const char *what, const char *figures)
{
	char line[400];

	snprintf(line, sizeof(line), "%s: %s", what, figures);
	sl_tap(ok, line, "see the story above; the history's seed repeats it");
}

/* @is_sum: of many histories, so that each thing must have happened at all. */
static void report(const char *mode, const struct sim_stats *st, bool is_sum)
{
	char what[120], figures[240];

	snprintf(what, sizeof(what), "affinity, %s", mode);
	snprintf(figures, sizeof(figures),
		 "%llu packets, %llu bound to a backend, %llu misrouted, %llu to another service; "
		 "%llu evicted, %llu not remembered",
		 (llu)st->packets, (llu)st->checked, (llu)st->misrouted, (llu)st->foreign,
		 (llu)st->exc.evicted_unconfirmed, (llu)st->exc.failed);
	held(!st->misrouted && !st->foreign && !st->exc.evicted_unconfirmed && !st->exc.failed &&
		     (!is_sum || st->checked > st->packets / 4),
	     what, figures);

	snprintf(what, sizeof(what), "drain, %s", mode);
	snprintf(figures, sizeof(figures),
		 "%llu new flows (%llu on a tuple still remembered), %llu to a backend that takes "
		 "none, %llu refused without need",
		 (llu)st->new_flows, (llu)st->reused, (llu)st->undrained, (llu)st->refused);
	held(!st->undrained && !st->refused && (!is_sum || st->reused), what, figures);

	snprintf(what, sizeof(what), "agreement, spread and neutral restart, %s", mode);
	snprintf(
		figures, sizeof(figures),
		"%llu tables after %llu changes, %llu differ, %llu shares off; %llu restarts, %llu "
		"changed a slot",
		(llu)st->tables, (llu)st->changes, (llu)st->disagreed, (llu)st->unspread,
		(llu)st->restarts, (llu)st->not_neutral);
	held(!st->disagreed && !st->unspread && !st->not_neutral && (!is_sum || st->restarts), what,
	     figures);

	snprintf(what, sizeof(what), "settled slots, %s", mode);
	snprintf(figures, sizeof(figures),
		 "%llu packets, %llu touched flow memory; elsewhere %llu lookups, %llu inserts, "
		 "%llu moved as their backend was down; %llu ICMP errors, %llu left a trace",
		 (llu)st->quiet, (llu)st->quiet_touched, (llu)st->exc.lookups, (llu)st->exc.inserts,
		 (llu)st->exc.rescheduled, (llu)st->quoted, (llu)st->quoted_wrote);
	held(!st->quiet_touched && !st->quoted_wrote && (!is_sum || (st->quiet && st->quoted)),
	     what, figures);
}

static void histories(uint64_t seed, uint32_t modes, const char *mode, uint64_t packets)
{
	struct sim_stats sum = {};
	uint64_t n = 0;

	for (; sum.packets < packets; n++) {
		struct sim_stats one;

		if (!sim_history(seed + n, modes, SIM_OK, HISTORY_PACKETS))
			printf("# went wrong: --history %llu --modes %u\n", (llu)(seed + n), modes);
		one = sim.stats;
		sim_stats_add(&sum, &one);
	}
	printf("# %s: histories %llu to %llu; %llu interruptions of the agent, %llu of packets, "
	       "%llu holds after an absence\n",
	       mode, (llu)seed, (llu)(seed + n - 1), (llu)sum.between, (llu)sum.mid, (llu)sum.held);
	report(mode, &sum, true);
}

static const struct option options[] = {
	{ "seed", required_argument, NULL, 's' },
	{ "packets", required_argument, NULL, 'p' },
	{ "history", required_argument, NULL, 'h' },
	{ "modes", required_argument, NULL, 'm' },
	{ "trace", no_argument, NULL, 't' },
	{ "watch", required_argument, NULL, 'w' },
	{},
};

int main(int argc, char **argv)
{
	uint64_t seed = 1, packets = 0, history = 0;
	bool is_one = false;
	uint32_t modes = 0;
	int c;

	sim.watch = SIM_NONE;
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		uint64_t n = optarg ? strtoull(optarg, NULL, 0) : 0;

		if (c == 's')
			seed = n;
		else if (c == 'p')
			packets = n;
		else if (c == 'h')
			history = n, is_one = true;
		else if (c == 'm')
			modes = (uint32_t)n;
		else if (c == 't')
			sim.trace = true;
		else if (c == 'w')
			sim.watch = (uint32_t)n;
		else
			return 2;
	}
	sim_memory_init();
	if (is_one) {
		sim_history(history, modes, SIM_OK, packets ? packets : HISTORY_PACKETS);
		report("one history", &sim.stats, false);
		return sl_tap_done();
	}
	printf("# seed %llu\n", (llu)seed);
	if (!packets)
		packets = 2500000;
	histories(seed * 1000000, 0, "one at a time", packets);
	histories(seed * 1000000, SIM_BETWEEN, "packets between the agent's stores", packets);
	histories(seed * 1000000, SIM_MID, "the agent within a packet", packets);
	histories(seed * 1000000, SIM_BETWEEN | SIM_MID | SIM_CLOCK, "both, while time passes",
		  packets);
	histories(seed * 1000000, SIM_AWAY, "the agent away for longer than ages can tell",
		  packets);
	sim_scenes(seed);
	sim_controls(seed);
	return sl_tap_done();
}
