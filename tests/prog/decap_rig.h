/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROG_DECAP_RIG_H
#define TESTS_PROG_DECAP_RIG_H

/*
 * decap_rig: the backend's program in the kernel, one frame at a time: verdict,
 * bytes, and exactly one counter.
 */
#include <stdbool.h>

#include "lb_user/dp/decap.h"
#include "tests/prog/decap_frame.h"

#define SL_DECAP_LB4	   "10.0.0.7" /* told, as 10.0.0.0/24 */
#define SL_DECAP_LB6	   "2001:db8:1::7"
#define SL_DECAP_US4	   "10.0.1.1"
#define SL_DECAP_US6	   "2001:db8:2::1"
#define SL_DECAP_STRANGER4 "10.0.9.7" /* told to nobody but @open */
#define SL_DECAP_STRANGER6 "2001:db8:9::7"

struct sl_decap_rig {
	struct sl_decap_prog *strict; /* the balancers, to us alone */
	struct sl_decap_prog *open;   /* the strangers too, to anybody: what a refusal is
				       * compared with */
	bool use_open;		      /* run that one */
	bool reached[SL_DECAP_REASONS_MAX];
	struct sl_decap_frame frame, out;
};

void sl_decap_rig_open(struct sl_decap_rig *r);
void sl_decap_rig_close(struct sl_decap_rig *r);

const char *sl_decap_label(unsigned why);
const char *sl_decap_family(bool is_v6);

/* A balancer's outer header to us; a packet for a service, without addresses in @s. */
struct sl_decap_outer sl_decap_outer_of(bool is_v6, bool gue);
struct sl_packet sl_decap_inner_of(struct sl_packet_spec s, bool is_v6);
struct sl_packet sl_decap_inner_tcp(bool is_v6, uint8_t vlans);

/*
 * Each runs @frame. NULL: it left for @want, that alone was counted, and the
 * frame was not written to, or is now @byte. Else what is wrong.
 */
const char *sl_decap_untouched(struct sl_decap_rig *r, enum sl_decap_reason want);
const char *sl_decap_becomes(struct sl_decap_rig *r, enum sl_decap_reason want, const uint8_t *byte,
			     uint32_t len);
/* The same: its Ethernet header with the inner family's type, and what follows the outer headers.
 */
const char *sl_decap_taken(struct sl_decap_rig *r);

/* The case's line; @why: NULL if all is well. */
void sl_decap_expect(const char *name, const char *why);

#endif
