/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIB_PACKET_H
#define TESTS_LIB_PACKET_H

/*
 * packet: builds frames for tests, correct unless asked otherwise: lengths and
 * checksums fit, so that a test breaks exactly the one thing it means to break.
 *
 *	struct sl_packet p;
 *	sl_packet_build(&(struct sl_packet_spec){ .proto = 6, .from = "198.51.100.1",
 *			.to = "192.0.2.10", .sport = 1234, .dport = 443,
 *			.tcp_flags = SL_TCP_SYN }, &p);
 */
#include <stdbool.h>
#include <stdint.h>

#define SL_PACKET_MAX 3072
#define SL_PACKET_EXT 6

#define SL_TCP_FIN 0x01
#define SL_TCP_SYN 0x02
#define SL_TCP_RST 0x04
#define SL_TCP_PSH 0x08
#define SL_TCP_ACK 0x10
#define SL_TCP_URG 0x20

struct sl_packet;

struct sl_packet_spec {
	const char *from, *to; /* both IPv4 or both IPv6, numeric */
	uint16_t sport, dport;
	uint8_t proto; /* 6, 17 and ICMP get their header, others only the payload */
	uint8_t tcp_flags;
	uint8_t vlans;		    /* tags in front */
	uint16_t tag_type;	    /* of the first tag; 0: 802.1Q, as the others */
	uint8_t ip_options;	    /* IPv4: bytes of options, a multiple of 4 up to 40 */
	uint8_t tcp_options;	    /* the same for TCP */
	uint8_t ext[SL_PACKET_EXT]; /* IPv6: extension headers, by number */
	uint8_t n_ext;		    /* how many of them */
	uint8_t ext_more;	    /* each is longer by so many times 8 bytes, but for fragment */
	uint16_t frag;		    /* the word of flags and offset; IPv6: with a 44 in @ext */
	uint8_t icmp_type, icmp_code;
	uint32_t icmp_rest;		/* the second word of the ICMP header */
	const struct sl_packet *quoted; /* the payload is this one from its network header on */
	uint16_t payload;   /* bytes after the transport header; with @quoted at most, 0: all */
	uint16_t ethertype; /* 0: as the addresses say */
	uint16_t pad_to;    /* zeros behind the datagram, as a network card pads short frames */
};

struct sl_packet {
	uint8_t byte[SL_PACKET_MAX];
	uint32_t len;
	uint32_t l3, l4; /* where the headers begin */
	bool is_v6;
	uint8_t proto;
};

/*
 * Returns 0, -EINVAL (an address, or a mixture of families) or -EMSGSIZE.
 * @ret is written only on success.
 */
int sl_packet_build(const struct sl_packet_spec *spec, struct sl_packet *ret);

/*
 * Gives it the source of flow number @n: address and port, both different for
 * every @n below 2^39, never zero. Checksums follow.
 */
void sl_packet_flow(struct sl_packet *p, uint64_t n);

/* Turns it around: what the other side would answer, as far as addresses and ports go. */
void sl_packet_turn(struct sl_packet *p);

/* Whether the IPv4 header's and the TCP, UDP or ICMP checksum fit. */
bool sl_packet_sums_fit(const struct sl_packet *p);

/* Bytes of the frame up to the end of the packet, as its network header says. */
uint32_t sl_packet_bytes(const struct sl_packet *p);

/* Makes them fit again. */
void sl_packet_seal(struct sl_packet *p);

/* A 16-bit word in network order, at any address. */
void sl_packet_put16(uint8_t *at, uint16_t host);
uint16_t sl_packet_get16(const uint8_t *at);

#endif
