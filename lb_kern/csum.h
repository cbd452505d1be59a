/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_CSUM_H
#define LB_KERN_CSUM_H

/* csum: the Internet checksum, changed and not computed anew (RFC 1624, equation 3). */
#include "lb_kern/platform.h"

/* @csum after one 16-bit word it covers went from @from to @to; byte order does not matter (RFC
 * 1071). */
static __always_inline __u16 csum_replace(__u16 csum, __u16 from, __u16 to)
{
	__u32 sum = (__u16)~csum + (__u16)~from + to;

	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return (__u16)~sum;
}

#endif
