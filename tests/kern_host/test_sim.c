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

#include "tests/kern_host/sim.h"
#include "tests/prog/tap.h"

typedef unsigned long long llu;

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
		sim_history(history, modes, SIM_OK, packets ? packets : SIM_HISTORY_PACKETS);
		sim_report("one history", &sim.stats, false);
		return sl_tap_done();
	}
	printf("# seed %llu\n", (llu)seed);
	if (!packets)
		packets = 2500000;
	sim_histories(seed * 1000000, 0, "one at a time", packets);
	sim_histories(seed * 1000000, SIM_BETWEEN, "packets between the agent's stores", packets);
	sim_histories(seed * 1000000, SIM_MID, "the agent within a packet", packets);
	sim_histories(seed * 1000000, SIM_BETWEEN | SIM_MID | SIM_CLOCK, "both, while time passes",
		      packets);
	sim_histories(seed * 1000000, SIM_AWAY, "the agent away for longer than ages can tell",
		      packets);
	sim_scenes(seed, false);
	sim_controls(seed, false);
	return sl_tap_done();
}
