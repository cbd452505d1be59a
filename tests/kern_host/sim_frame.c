/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/kern_host/sim_frame.h"

#include <netinet/in.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/kern_host/sim.h"
#include "tests/prog/tap.h"

struct tuple {
	bool v6, is_udp;
	uint8_t client[16], service[16]; /* IPv4 in the first four */
	uint16_t port_be;		 /* the client's */
};

/* ---- a source for a hash -------------------------------------------------------- */

/* Such that @x * it is 1: each turn doubles the number of right bits. */
static uint64_t inverse(uint64_t x)
{
	uint64_t y = x;

	for (int i = 0; i < 6; i++)
		y *= 2 - x * y;
	return y;
}

/* sl_hash_mix(), back. */
static uint64_t unmix(uint64_t x)
{
	x ^= x >> 33;
	x *= inverse(0xc4ceb9fe1a85ec53ull);
	x ^= x >> 33;
	x *= inverse(0xff51afd7ed558ccdull);
	return x ^ x >> 33;
}

/* One of the sources whose flow from @port_be has this hash: its second half is chosen. */
static void source_of(uint64_t hash, uint64_t salt, uint16_t port_be, uint64_t ret[2])
{
	uint64_t source = (unmix(hash) - salt) ^ port_be, low;

	ret[1] = 0x0100000000000000ull | port_be;
	low = sl_hash_mix(ret[1] ^ sim_key[1]);
	ret[0] = unmix(source - (low << 1 | low >> 63)) ^ sim_key[0];
	source = sl_hash_source6((const __u64 *)ret, sim_key);
	if (sl_hash_flow(source, port_be, salt) != hash)
		sl_tap_bail("find a source address", "the hash is another one");
}

/* ---- bytes ---------------------------------------------------------------------------- */

static uint8_t *put16(uint8_t *at, uint32_t host)
{
	at[0] = (uint8_t)(host >> 8);
	at[1] = (uint8_t)host;
	return at + 2;
}

static uint8_t *put4(uint8_t *at, const uint8_t from[4], const uint8_t to[4], uint8_t proto,
		     uint32_t l4_bytes)
{
	memset(at, 0, 20);
	at[0] = 0x45;
	put16(at + 2, 20 + l4_bytes);
	at[8] = 64;
	at[9] = proto;
	memcpy(at + 12, from, 4);
	memcpy(at + 16, to, 4);
	return at + 20;
}

static uint8_t *put6(uint8_t *at, const uint8_t from[16], const uint8_t to[16], uint8_t proto,
		     uint32_t l4_bytes)
{
	memset(at, 0, 40);
	at[0] = 0x60;
	put16(at + 4, l4_bytes);
	at[6] = proto;
	at[7] = 64;
	memcpy(at + 8, from, 16);
	memcpy(at + 24, to, 16);
	return at + 40;
}

static uint8_t *put_ip(uint8_t *at, bool v6, const uint8_t *from, const uint8_t *to, uint8_t proto,
		       uint32_t l4_bytes)
{
	return v6 ? put6(at, from, to, proto, l4_bytes) : put4(at, from, to, proto, l4_bytes);
}

/* A TCP or UDP header with 4 bytes of payload. */
static uint8_t *put_l4(uint8_t *at, const struct tuple *t, uint32_t tcp_flags, uint32_t bytes)
{
	memset(at, 0, bytes);
	memcpy(at, &t->port_be, 2);
	put16(at + 2, SIM_FRAME_PORT);
	if (t->is_udp) {
		put16(at + 4, bytes);
	} else {
		at[12] = 0x50;
		at[13] = (uint8_t)tcp_flags;
	}
	return at + bytes;
}

/* An error of a router about a packet that the service sent to the client. */
static uint8_t *put_error(uint8_t *at, const struct tuple *t)
{
	static const uint8_t router4[4] = { 203, 0, 113, 1 };
	static const uint8_t router6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 1 };
	uint32_t ip_bytes = t->v6 ? 40 : 20;

	at = put_ip(at, t->v6, t->v6 ? router6 : router4, t->service,
		    t->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, 8 + ip_bytes + 8);
	memset(at, 0, 8);
	at[0] = t->v6 ? 1 : 3; /* destination unreachable */
	at = put_ip(at + 8, t->v6, t->service, t->client, t->is_udp ? IPPROTO_UDP : IPPROTO_TCP, 8);
	put16(at, SIM_FRAME_PORT);
	memcpy(at + 2, &t->port_be, 2);
	memset(at + 4, 0, 4);
	return at + 8;
}

/* ---- frames ----------------------------------------------------------------------------- */

void sim_frame_address(uint16_t id, bool v6, struct sl_addr *ret)
{
	static const uint8_t net6[4] = { 0x20, 0x01, 0x0d, 0xb8 };

	memset(ret, 0, sizeof(*ret));
	ret->family = v6 ? AF_INET6 : AF_INET;
	if (v6)
		memcpy(ret->byte_be, net6, 4);
	else
		ret->byte_be[0] = 10;
	put16(ret->byte_be + (v6 ? 14 : 2), id);
}

static void tuple_of(const struct pkt *p, uint16_t service, uint64_t salt, struct tuple *ret)
{
	bool known = p->saddr_be[0];
	struct sl_addr addr;
	uint64_t source[2] = {};

	*ret = (struct tuple){ .v6 = !known || p->hash & 1,
			       .is_udp = p->proto == IPPROTO_UDP,
			       .port_be = known ? (uint16_t)p->sport_be : htons(40000) };
	if (ret->v6)
		source_of(p->hash, salt, ret->port_be, source);
	else
		source[0] = p->saddr_be[0];
	memcpy(ret->client, source, 16);
	sim_frame_address(service, ret->v6, &addr);
	memcpy(ret->service, addr.byte_be, 16);
}

void sim_frame_build(const struct pkt *p, uint16_t service, uint64_t salt, struct sim_frame *ret)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	uint8_t *at = ret->byte + 14;
	struct tuple t;
	uint32_t bytes;

	tuple_of(p, service, salt, &t);
	memcpy(ret->byte, macs, 12);
	put16(ret->byte + 12, t.v6 ? 0x86dd : 0x0800);
	if (p->is_quoted) {
		at = put_error(at, &t);
	} else {
		bytes = (t.is_udp ? 8 : 20) + 4;
		at = put_ip(at, t.v6, t.client, t.service, t.is_udp ? IPPROTO_UDP : IPPROTO_TCP,
			    bytes);
		at = put_l4(at, &t, p->tcp_flags, bytes);
	}
	ret->len = (uint32_t)(at - ret->byte);
}
