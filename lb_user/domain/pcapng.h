/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_PCAPNG_H
#define LB_USER_DOMAIN_PCAPNG_H

/*
 * pcapng: a capture file in memory (draft-ietf-opsawg-pcapng), which libpcap,
 * tcpdump and Wireshark read. Two Ethernet interfaces tell frames apart:
 * "before", as they came in, and "after", as they left.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_PCAPNG_BEFORE  0u
#define SL_PCAPNG_AFTER	  1u
#define SL_PCAPNG_COMMENT 400u /* bytes kept of a comment */

struct sl_pcapng {
	uint8_t *data; /* heap; zeroed is a good start */
	size_t len, room;
};

struct sl_pcapng_packet {
	uint32_t interface; /* SL_PCAPNG_BEFORE or _AFTER */
	uint64_t wall_ns;   /* since 1970 */
	const uint8_t *bytes;
	uint32_t captured; /* bytes given */
	uint32_t length;   /* of the whole frame */
	uint64_t packet;   /* the same number for before and after of one packet */
	uint32_t verdict;  /* what the XDP program returned */
	const char *comment;
};

/* What a file starts with. Returns 0 or -ENOMEM, the file is then as before. */
int sl_pcapng_begin(struct sl_pcapng *f, uint32_t snap, const char *program);
int sl_pcapng_add(struct sl_pcapng *f, const struct sl_pcapng_packet *p);
void sl_pcapng_done(struct sl_pcapng *f);

#endif
