/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_KERN_HOST_SIM_PROGRAM_H
#define TESTS_KERN_HOST_SIM_PROGRAM_H

/* sim_program: the program in the kernel, with a clock that the test turns. */
#include <stdint.h>

#include "lb_user/dp/dp.h"

#define SIM_PROGRAM_FRAME 256 /* bytes that what comes out has at most */

enum sim_verdict { SIM_SENT /* by XDP_TX */, SIM_DROPPED, SIM_OTHER };

/*
 * Loads it, with maps of its own, and pins this process to one CPU, whose row
 * of the counters is @ret_row. Ends the process when it cannot.
 */
struct sl_dp *sim_program_open(const uint64_t key[2], unsigned *ret_row);
void sim_program_close(void);

/* One frame, at that time. */
enum sim_verdict sim_program_run(uint64_t jiffies, const void *frame, uint32_t len,
				 uint8_t ret_frame[SIM_PROGRAM_FRAME]);

#endif
