/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_kernel: the packet path is the program in the kernel. Its maps, mapped,
 * are the simulator's memory, so the agent's stores reach it as they do in
 * life; each packet is a frame that goes through BPF_PROG_TEST_RUN.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lb_user/domain/svctab.h"
#include "tests/kern_host/sim.h"
#include "tests/kern_host/sim_frame.h"
#include "tests/kern_host/sim_program.h"
#include "tests/prog/tap.h"

static struct sl_dp *dp;
static unsigned row;
static uint64_t flows_so_far[SL_BACKENDS_MAX];

/* Whatever id and protocol a history's services have, frames find them. */
static void publish_services(void)
{
	static const uint16_t ids[] = { 1, 2, SL_SERVICES_MAX - 3, SL_SERVICES_MAX - 2 };
	struct sl_svctab tab = { .svc4 = dp->mem.svc4, .svc6 = dp->mem.svc6 };

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		for (int k = 0; k < 4; k++) {
			struct sl_addr addr;
			int r;

			sim_frame_address(ids[i], k & 1, &addr);
			r = sl_svctab_put(&tab, &addr, SIM_FRAME_PORT,
					  k & 2 ? SL_PROTO_UDP : SL_PROTO_TCP, ids[i]);
			if (r < 0)
				sl_tap_bail("publish a service", "%s", strerror(-r));
		}
}

void sim_kernel_open(void)
{
	dp = sim_program_open((const uint64_t *)sim_key, &row);
	sl_services = dp->mem.services;
	sl_slots = dp->mem.slots;
	sl_seen = dp->mem.seen;
	sl_backends = dp->mem.backends;
	sl_exceptions = dp->mem.exceptions;
	sl_cnt_exc = dp->mem.cnt_exc + row;
	sim_tick_shift_only = dp->mem.info->tick_shift;
	publish_services();
}

void sim_kernel_close(void)
{
	sim_program_close();
}

void sim_mid_arm(uint32_t accesses)
{
	if (accesses)
		sl_tap_bail("interrupt a packet", "the kernel runs it in one go");
}

/* The reason counted since @was. */
static enum sl_reason reason_since(const struct sl_reason_cnt *was)
{
	const struct sl_reason_cnt *is = &dp->mem.cnt_reason[row];

	for (unsigned i = 0; i < SL_REASONS_MAX; i++)
		if (is->packets[i] != was->packets[i])
			return (enum sl_reason)i;
	return SL_R_NEXT;
}

static bool began_flow(uint32_t id)
{
	uint64_t was = flows_so_far[id];

	flows_so_far[id] = dp->mem.cnt_backend[(size_t)row * SL_BACKENDS_MAX + id].flows;
	return flows_so_far[id] != was;
}

/* What the walk would tell a caller, from what the program did to the frame and counted. */
enum sl_reason sim_pick(struct pkt *p, uint16_t service)
{
	struct sl_reason_cnt was = dp->mem.cnt_reason[row];
	uint8_t out[SIM_PROGRAM_FRAME];
	enum sim_verdict verdict;
	struct sim_frame in;
	uint64_t mac = 0;

	sim_frame_build(p, service, sl_services[service].salt, &in);
	verdict = sim_program_run(platform_jiffies, in.byte, in.len, out);
	if (verdict == SIM_DROPPED)
		return reason_since(&was);
	memcpy(&mac, out, 6);
	p->backend = (uint32_t)(mac >> 16) & SL_BACKEND_MASK;
	if (verdict != SIM_SENT || mac != (SIM_MAC(p->backend) & 0xffffffffffffull))
		sl_tap_bail("run one packet", "neither sent to a backend nor dropped: reason %u",
			    reason_since(&was));
	p->new_flow = began_flow(p->backend);
	return SL_R_NEXT;
}
