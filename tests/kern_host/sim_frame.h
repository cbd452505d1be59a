/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_KERN_HOST_SIM_FRAME_H
#define TESTS_KERN_HOST_SIM_FRAME_H

/*
 * sim_frame: the frame that the walk would read a given packet from. A flow
 * whose tuple is known goes by IPv4, or by IPv6 from a source address made so
 * that the flow's hash is the same; one of which only the hash is known goes
 * by IPv6.
 */
#include <stdbool.h>
#include <stdint.h>

#include "lb_kern/pkt.h"
#include "lb_user/base/addr.h"

#define SIM_FRAME_PORT 443 /* of every service */

struct sim_frame {
	uint32_t len;
	uint8_t byte[256];
};

/* The address of service @id. */
void sim_frame_address(uint16_t id, bool v6, struct sl_addr *ret);

/* @p: hash, proto, tcp_flags, is_quoted; saddr_be[0] and sport_be if known. */
void sim_frame_build(const struct pkt *p, uint16_t service, uint64_t salt, struct sim_frame *ret);

#endif
