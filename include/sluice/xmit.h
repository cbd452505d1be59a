/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SLUICE_XMIT_H
#define SLUICE_XMIT_H

/*
 * xmit: frames that the packet path had sent and counted as sent, and that an
 * interface then did not take. lb_kern/xmit.bpf.c counts them.
 */
#include <linux/types.h>

#include <sluice/types.h>

enum sl_xmit_kind {
	SL_XMIT_REDIRECT = 1, /* through the devmap */
	SL_XMIT_TX = 2,	      /* back out of the interface it came in by */
};

struct sl_xmit_key {
	__u32 ifindex; /* did not take it; 0: more of them than there are rows for */
	__u16 error;   /* errno; 0: its driver took fewer frames than it was given, and did not say
			  why */
	__u16 kind;    /* enum sl_xmit_kind */
};
SL_ASSERT_SIZE(struct sl_xmit_key, 8);

/* An interface the packet path is attached to: the number alone may be in use in any namespace. */
struct sl_xmit_from {
	__u64 netns; /* cookie */
	__u32 ifindex;
	__u32 pad;
};
SL_ASSERT_SIZE(struct sl_xmit_from, 16);

/* Errors times interfaces, those that are gone included. */
#define SL_XMIT_ROWS 1024u
/* Interfaces to count for. */
#define SL_XMIT_FROM 256u

#define SL_MAP_XMIT	 "sl_xmit"
#define SL_MAP_XMIT_FROM "sl_xmit_from"

#endif
