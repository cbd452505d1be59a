/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_DECAP_PKT_H
#define LB_KERN_DECAP_PKT_H

/* decap_pkt: what the backend's program knows of one packet so far. Its parsers see no map. */
#include <sluice/decap.h>

#include "lb_kern/pkt.h"

#define DECAP_STEP(call)                    \
	do {                                \
		why = (call);               \
		if (why != SL_DECAP_R_NEXT) \
			return why;         \
	} while (0)

struct decap {
	struct pkt outer;
	void *inner;	   /* inner network header */
	__u32 inner_bytes; /* room for it, by the outer header */
	__u32 inner_is_v6;
};

#endif
