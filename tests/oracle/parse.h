/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_PARSE_H
#define TESTS_ORACLE_PARSE_H

/* parse: sections 1 to 3 of lb_kern/WALK.md: where the headers of a frame are. */
#include "tests/oracle/oracle.h"

enum sl_oracle_frag { SL_FRAG_NONE, SL_FRAG_FIRST, SL_FRAG_LATER };

struct sl_oracle_ip {
	bool v6;
	const uint8_t *source, *target; /* 4 or 16 bytes */
	uint32_t at;			/* of the header */
	uint32_t l4;			/* offset of L4 */
	uint32_t l4_len;		/* as the header claims, may have wrapped */
	uint8_t proto;
	enum sl_oracle_frag frag;
};

/* Section 1. @ret_at: where the IP header begins. */
enum sl_oracle_why sl_parse_eth(const uint8_t *frame, uint32_t len, uint32_t *ret_at, bool *ret_v6);

/* Sections 2 and 3: the header at @at. */
enum sl_oracle_why sl_parse_ip(const uint8_t *frame, uint32_t len, uint32_t at, bool v6,
			       struct sl_oracle_ip *ret);

uint32_t sl_parse_be16(const uint8_t *at);

#endif
