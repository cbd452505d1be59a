/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_LAUNDER_H
#define LB_KERN_LAUNDER_H

/*
 * launder: makes the verifier forget by which way a packet was read.
 *
 * The rare walk has hundreds of ways through tags, options, extension headers
 * and quotes, and the verifier would check all that follows once for each
 * (601,279 instructions). What was read is written to this CPU's scratch
 * memory and read back: every way then looks the same, and what follows is
 * checked once. Pointers become their distance from the frame's start.
 */
#include "lb_kern/maps.h"
#include "lb_kern/pkt.h"

#define LAUNDER_OFFSET_MASK 0x3fff /* above 22 + 40 + 4 x 2,048 bytes of headers */

static __always_inline __u32 launder_offset(const struct pkt *p, void *at)
{
	asm volatile("" : "+r"(at)); /* or clang would remember what it was made of */
	return platform_bounded((__u32)((char *)at - (char *)p->data), LAUNDER_OFFSET_MASK);
}

/* Held in a register of its own: taken from the word at each use, it would be a new unknown each
 * time. */
static __always_inline __u32 launder_part(__u64 word, __u32 shift, __u32 mask)
{
	__u32 part = (word >> shift) & mask;

	asm volatile("" : "+r"(part));
	return part;
}

static __always_inline volatile __u64 *launder_scratch(void)
{
	return (maps_limits() + maps_row())->scratch;
}

static __always_inline void launder_save(const struct pkt *p, volatile __u64 *scratch)
{
	scratch[0] = p->saddr_be[0];
	scratch[1] = p->saddr_be[1];
	scratch[2] = p->daddr_be[0];
	scratch[3] = p->daddr_be[1];
	scratch[4] = (__u64)p->l4_bytes << 32 | p->sport_be << 16 | p->dport_be;
	scratch[5] = (__u64)p->service << 32 | p->tcp_flags << 24 | p->is_exempt << 20 |
		     p->is_initial << 19 | p->is_echo << 18 | p->is_quoted << 17 | p->is_v6 << 16 |
		     p->fragment << 8 | p->proto;
	scratch[6] = (__u64)p->l3_bytes << 32 | p->backend;
}

static __always_inline void launder_load(struct pkt *p, const volatile __u64 *scratch)
{
	p->saddr_be[0] = scratch[0];
	p->saddr_be[1] = scratch[1];
	p->daddr_be[0] = scratch[2];
	p->daddr_be[1] = scratch[3];
	p->l4_bytes = launder_part(scratch[4], 32, 0xffffffff);
	p->sport_be = launder_part(scratch[4], 16, 0xffff);
	p->dport_be = launder_part(scratch[4], 0, 0xffff);
	p->proto = launder_part(scratch[5], 0, 0xff);
	p->fragment = launder_part(scratch[5], 8, 0xff);
	p->is_v6 = launder_part(scratch[5], 16, 1);
	p->is_quoted = launder_part(scratch[5], 17, 1);
	p->is_echo = launder_part(scratch[5], 18, 1);
	p->is_initial = launder_part(scratch[5], 19, 1);
	p->is_exempt = launder_part(scratch[5], 20, 1);
	p->tcp_flags = launder_part(scratch[5], 24, 0xff);
	p->service = launder_part(scratch[5], 32, 0xffffffff);
	p->l3_bytes = launder_part(scratch[6], 32, 0xffffffff);
	p->backend = launder_part(scratch[6], 0, 0xffffffff);
}

/* @data, @end: the frame's again, read from the context anew: how much of it was checked is
 * forgotten too. */
static __always_inline void launder_pkt(struct pkt *p, void *data, void *end)
{
	volatile __u64 *scratch = launder_scratch();

	launder_save(p, scratch);
	launder_load(p, scratch);
	p->l3 = data + launder_offset(p, p->l3);
	p->l4 = data + launder_offset(p, p->l4);
	p->data = data;
	p->end = end;
}

/* All of it, for the next program. */
static __always_inline void launder_hand_on(const struct pkt *p)
{
	volatile __u64 *scratch = launder_scratch();

	launder_save(p, scratch);
	scratch[7] = p->hash;
	scratch[8] = (__u64)launder_offset(p, p->l3) << 32 | launder_offset(p, p->l4);
	scratch[9] = (__u64)p->frame_bytes << 32 | p->new_flow;
}

static __always_inline void launder_take_over(struct pkt *p, void *data, void *end)
{
	const volatile __u64 *scratch = launder_scratch();

	launder_load(p, scratch);
	p->hash = scratch[7];
	p->l3 = data + launder_part(scratch[8], 32, LAUNDER_OFFSET_MASK);
	p->l4 = data + launder_part(scratch[8], 0, LAUNDER_OFFSET_MASK);
	p->frame_bytes = launder_part(scratch[9], 32, 0xffffffff);
	p->new_flow = launder_part(scratch[9], 0, 1);
	p->data = data;
	p->end = end;
}

#endif
