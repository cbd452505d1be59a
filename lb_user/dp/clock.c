/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock: the packet path measures time in jiffies, the cheapest clock a BPF
 * program has. User space cannot read it, so a second program of the object
 * tells it through BPF_PROG_TEST_RUN.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "lb_user/dp/internal.h"

int sl_dp_clock_read(int prog_fd, uint64_t *ret_jiffies)
{
	uint64_t packet[8] = {}, out[8] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .data_out = out, .data_size_out = sizeof(out), .repeat = 1);
	int r = bpf_prog_test_run_opts(prog_fd, &opts);

	if (r < 0)
		return r;
	*ret_jiffies = out[0];
	return 0;
}

/*
 * The shift that makes a tick about four seconds. The coarse clock advances
 * once a jiffy, so its resolution is the length of one: no need to know HZ.
 */
uint32_t sl_dp_clock_shift(uint32_t *ret_tick_ms)
{
	struct timespec res = { .tv_nsec = 4000000 };
	uint32_t shift = 2; /* a drain's finer tick takes two bits off */

	clock_getres(CLOCK_MONOTONIC_COARSE, &res);
	/* 3.56 s or more: SL_IDLE_TIMEOUT_MAX_S must fit SL_IDLE_TICKS_MAX, with HZ=300 too */
	while (((uint64_t)res.tv_nsec << shift) < 3750000000ull)
		shift++;
	*ret_tick_ms = (uint32_t)(((uint64_t)res.tv_nsec << shift) / 1000000);
	return shift;
}
