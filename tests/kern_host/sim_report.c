/* SPDX-License-Identifier: BSD-2-Clause */
/* sim_report: many histories, added up and told. */
#include <stdio.h>

#include "tests/kern_host/sim.h"
#include "tests/prog/tap.h"

typedef unsigned long long llu;

static void held(bool ok, const char *what, const char *figures)
{
	char line[400];

	snprintf(line, sizeof(line), "%s: %s", what, figures);
	sl_tap(ok, line, "see the story above; the history's seed repeats it");
}

/* @is_sum: of many histories, so that each thing must have happened at all. */
void sim_report(const char *mode, const struct sim_stats *st, bool is_sum)
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

void sim_histories(uint64_t seed, uint32_t modes, const char *mode, uint64_t packets)
{
	struct sim_stats sum = {};
	uint64_t n = 0;

	for (; sum.packets < packets; n++) {
		struct sim_stats one;

		if (!sim_history(seed + n, modes, SIM_OK, SIM_HISTORY_PACKETS))
			printf("# went wrong: --history %llu --modes %u\n", (llu)(seed + n), modes);
		one = sim.stats;
		sim_stats_add(&sum, &one);
	}
	printf("# %s: histories %llu to %llu; %llu interruptions of the agent, %llu of packets, "
	       "%llu holds after an absence\n",
	       mode, (llu)seed, (llu)(seed + n - 1), (llu)sum.between, (llu)sum.mid, (llu)sum.held);
	sim_report(mode, &sum, true);
}
