/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_sim_kernel [--seed N] [--packets N]: the simulator's histories against the
 * program in the kernel, N packets in all, then with each rule broken. Needs root.
 *
 *   test_sim_kernel --history N --modes N [--packets N] [--trace] [--watch FLOW]  one again
 *
 * The same seed is the same history as test_sim's where HZ is the kernel's.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/kern_host/sim.h"
#include "tests/prog/tap.h"

#define PACKETS 1500000 /* with these each kind of thing happens at least once */

static const struct {
	uint32_t modes;
	const char *name;
} kinds[] = {
	{ 0, "one at a time" },
	{ SIM_BETWEEN, "packets between the agent's stores" },
	{ SIM_BETWEEN | SIM_CLOCK, "the same, while time passes" },
	{ SIM_AWAY, "the agent away for longer than ages can tell" },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

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
	sim_kernel_open();
	if (is_one) {
		sim_history(history, modes, SIM_OK, packets ? packets : SIM_HISTORY_PACKETS);
		sim_report("one history", &sim.stats, false);
	} else {
		printf("# seed %llu\n", (unsigned long long)seed);
		packets = packets ? packets : PACKETS;
		for (size_t i = 0; i < N_KINDS; i++)
			sim_histories(seed * 1000000, kinds[i].modes, kinds[i].name,
				      (packets + N_KINDS - 1) / N_KINDS);
		sim_scenes(seed, true);
		sim_controls(seed, true);
	}
	sim_kernel_close();
	return sl_tap_done();
}
