/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_CSUM_H
#define LB_KERN_CSUM_H

/* csum: the Internet checksum (RFC 1071), and changing it instead of computing it anew (RFC 1624,
 * equation 3). */
#include "lb_kern/platform.h"

/* A sum of 16-bit words, or of wider ones that are made of them, as one. */
static __always_inline __u16 csum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return (__u16)sum;
}

/* As a 16-bit word again; plain ~ would make an int of it. */
static __always_inline __u16 csum_not(__u16 sum)
{
	return (__u16)~sum;
}

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
