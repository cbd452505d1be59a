/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROG_DECAP_FRAME_H
#define TESTS_PROG_DECAP_FRAME_H

/*
 * decap_frame: tunnel packets, built around a frame of tests/lib/packet.h as
 * WALK.md section 8 says. Correct unless a test breaks one thing.
 */
#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/packet.h"

#define SL_DECAP_FRAME_MAX 9216

struct sl_decap_outer {
	const char *from, *to; /* both IPv4 or both IPv6 */
	bool gue;
	uint16_t dport;	    /* of GUE; 0: 6080 */
	uint8_t ecn;	    /* 0..3 */
	uint8_t ip_options; /* IPv4: bytes, a multiple of 4 */
	uint8_t ext;	    /* IPv6: one extension header of 8 bytes; 0: none */
	uint16_t frag;	    /* flags and offset; IPv6: needs ext 44 */
	uint16_t udp_check;
};

struct sl_decap_frame {
	uint8_t byte[SL_DECAP_FRAME_MAX];
	uint32_t len;
	uint32_t ip, udp, gue, inner; /* where they begin; udp and gue: 0 without */
	bool is_v6;
};

/* @inner with its Ethernet header, tags included; what follows its datagram is left out. */
void sl_decap_frame_wrap(const struct sl_packet *inner, const struct sl_decap_outer *outer,
			 struct sl_decap_frame *ret);

/* The outer IPv4 checksum fits again. */
void sl_decap_frame_seal(struct sl_decap_frame *f);

/*
 * Cuts it to @len bytes; with @told the outer headers say so, else they keep
 * saying what was there.
 */
void sl_decap_frame_cut(struct sl_decap_frame *f, uint32_t len, bool told);

#endif
