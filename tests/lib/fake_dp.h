/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIB_FAKE_DP_H
#define TESTS_LIB_FAKE_DP_H

/* fake_dp: a data plane of plain memory behind the port, for tests of the floors above it. */
#include <uv.h>

#include "lb_user/dp/dp.h"
#include "lb_user/svc/control.h"

#define SL_FAKE_PREFIXES 64

struct sl_fake_dp {
	struct sl_dp dp;	    /* first */
	uint64_t jiffies;	    /* what the packet path's clock shows */
	int fail_port, fail_attach; /* negative errno to return, 0: succeed */
	char attached[8][SL_IFNAME_LEN];
	uint32_t port_ifindex[SL_PORTS_MAX];
	struct sl_transmit_error transmit[4];
	size_t n_transmit;
	const char *transmit_blind;
	unsigned unloads;
	int fail_specialise;	     /* negative errno to return, 0: succeed */
	unsigned specialised;	     /* calls that changed something */
	uint32_t specialised_to[16]; /* what was asked by the first of them */
	void (*on_specialise)(struct sl_fake_dp *f, uint32_t features); /* before it takes effect */
	sl_dp_event_fn on_event; /* who reads the ring: tests call it; NULL: nobody */
	void *on_event_user;
	int events_fd;
	struct sl_guard_prefix prefixes[SL_FAKE_PREFIXES]; /* listed now, in any order */
	size_t n_prefixes;
	unsigned prefix_calls;
	int fail_prefixes; /* negative errno to return after half of them */
};

/* Freed by dp->ops->close(). Tick: 1024 jiffies, 4 s. */
struct sl_fake_dp *sl_fake_dp_new(void);

/* A control on @fake with its state file in @dir. No interfaces, no services; NULL on error. */
struct sl_control *sl_fake_control_new(uv_loop_t *loop, struct sl_fake_dp *fake, const char *dir);

#endif
