/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define ETH_BYTES	14
#define TCP_BYTES	20
#define UDP_BYTES	8
#define ICMP_BYTES	8
#define EXT_BYTES	8
#define ROUTING_HEADER	43
#define FRAGMENT_HEADER 44

static const uint8_t macs[12] = { 0x02, 0x53, 0x4c, 0, 0, 0x01, 0x02, 0x53, 0x4c, 0, 0, 0x02 };

void sl_packet_put16(uint8_t *at, uint16_t host)
{
	at[0] = (uint8_t)(host >> 8);
	at[1] = (uint8_t)host;
}

uint16_t sl_packet_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The Internet checksum (RFC 1071), not yet complemented, going on from @sum. */
static uint32_t sum_add(uint32_t sum, const uint8_t *at, uint32_t n)
{
	for (uint32_t i = 0; i + 1 < n; i += 2)
		sum += sl_packet_get16(at + i);
	if (n & 1)
		sum += (uint32_t)at[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint32_t ip_bytes(const struct sl_packet *p)
{
	const uint8_t *ip = p->byte + p->l3;

	return p->is_v6 ? 40u + sl_packet_get16(ip + 4) : sl_packet_get16(ip + 2);
}

static uint32_t l4_bytes(const struct sl_packet *p)
{
	return p->l3 + ip_bytes(p) - p->l4;
}

static bool is_icmp(const struct sl_packet *p)
{
	return p->proto == (p->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

/* Sum over pseudo header, transport header and payload; ICMP of IPv4 has no pseudo header. */
static uint32_t l4_sum(const struct sl_packet *p)
{
	const uint8_t *ip = p->byte + p->l3;
	uint32_t n = l4_bytes(p), sum = p->proto + n;

	if (p->is_v6)
		sum = sum_add(sum, ip + 8, 32);
	else
		sum = is_icmp(p) ? 0 : sum_add(sum, ip + 12, 8);
	return sum_add(sum, p->byte + p->l4, n);
}

static uint8_t *l4_check(struct sl_packet *p)
{
	if (p->proto == IPPROTO_TCP)
		return p->byte + p->l4 + 16;
	if (is_icmp(p))
		return p->byte + p->l4 + 2;
	return p->proto == IPPROTO_UDP ? p->byte + p->l4 + 6 : NULL;
}

void sl_packet_seal(struct sl_packet *p)
{
	uint8_t *ip = p->byte + p->l3, *l4 = l4_check(p);
	uint16_t sum;

	if (!p->is_v6) {
		sl_packet_put16(ip + 10, 0);
		sl_packet_put16(ip + 10, (uint16_t)~sum_add(0, ip, (ip[0] & 15u) * 4));
	}
	if (!l4)
		return;
	sl_packet_put16(l4, 0);
	sum = (uint16_t)~l4_sum(p);
	sl_packet_put16(l4, !sum && p->proto == IPPROTO_UDP ? 0xffff : sum);
}

bool sl_packet_sums_fit(const struct sl_packet *p)
{
	const uint8_t *ip = p->byte + p->l3;

	if (!p->is_v6 && sum_add(0, ip, (ip[0] & 15u) * 4) != 0xffff)
		return false;
	return (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP && !is_icmp(p)) ||
	       l4_sum(p) == 0xffff;
}

static uint32_t l4_header(const struct sl_packet_spec *s)
{
	switch (s->proto) {
	case IPPROTO_TCP:
		return TCP_BYTES + s->tcp_options;
	case IPPROTO_UDP:
		return UDP_BYTES;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return ICMP_BYTES;
	default:
		return 0;
	}
}

static uint32_t payload_of(const struct sl_packet_spec *s)
{
	uint32_t whole = s->quoted ? s->quoted->len - s->quoted->l3 : s->payload;

	return s->payload && s->payload < whole ? s->payload : whole;
}

static uint32_t ext_bytes(const struct sl_packet_spec *s)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < s->n_ext; i++)
		n += EXT_BYTES * (s->ext[i] == FRAGMENT_HEADER ? 1 : 1u + s->ext_more);
	return n;
}

static void put_eth(struct sl_packet *p, const struct sl_packet_spec *s)
{
	uint16_t type = p->is_v6 ? 0x86dd : 0x0800;
	uint32_t at = 12;

	memcpy(p->byte, macs, sizeof(macs));
	for (unsigned i = 0; i < s->vlans; i++, at += 4) {
		sl_packet_put16(p->byte + at, !i && s->tag_type ? s->tag_type : 0x8100);
		sl_packet_put16(p->byte + at + 2, (uint16_t)(100 + i));
	}
	sl_packet_put16(p->byte + at, s->ethertype ? s->ethertype : type);
	p->l3 = at + 2;
}

static void put_ipv4(struct sl_packet *p, const struct sl_packet_spec *s, const uint8_t from[16],
		     const uint8_t to[16], uint32_t body)
{
	uint8_t *ip = p->byte + p->l3;
	uint32_t header = 20u + s->ip_options;

	ip[0] = (uint8_t)(0x40 | header / 4);
	sl_packet_put16(ip + 2, (uint16_t)(header + body));
	sl_packet_put16(ip + 4, 0x5ca1);
	sl_packet_put16(ip + 6, s->frag);
	ip[8] = 64;
	ip[9] = s->proto;
	memcpy(ip + 12, from, 4);
	memcpy(ip + 16, to, 4);
	memset(ip + 20, 1, s->ip_options); /* option 1: no operation */
	p->l4 = p->l3 + header;
}

/* Options are one PadN over the whole header; a routing header has no segments left. */
static void put_ext(struct sl_packet *p, const struct sl_packet_spec *s, unsigned i)
{
	uint8_t *ext = p->byte + p->l4, more = s->ext_more;

	ext[0] = i + 1 < s->n_ext ? s->ext[i + 1] : s->proto;
	p->l4 += EXT_BYTES;
	if (s->ext[i] == FRAGMENT_HEADER) {
		sl_packet_put16(ext + 2, s->frag);
		return;
	}
	ext[1] = more;
	if (s->ext[i] != ROUTING_HEADER) {
		ext[2] = 1;
		ext[3] = (uint8_t)(4 + EXT_BYTES * more);
	}
	p->l4 += EXT_BYTES * more;
}

static void put_ipv6(struct sl_packet *p, const struct sl_packet_spec *s, const uint8_t from[16],
		     const uint8_t to[16], uint32_t body)
{
	uint8_t *ip = p->byte + p->l3;

	ip[0] = 0x60;
	sl_packet_put16(ip + 4, (uint16_t)(body + ext_bytes(s)));
	ip[6] = s->n_ext ? s->ext[0] : s->proto;
	ip[7] = 64;
	memcpy(ip + 8, from, 16);
	memcpy(ip + 24, to, 16);
	p->l4 = p->l3 + 40;
	for (unsigned i = 0; i < s->n_ext; i++)
		put_ext(p, s, i);
}

static void put_tcp(uint8_t *l4, const struct sl_packet_spec *s)
{
	sl_packet_put16(l4 + 6, 0x1001); /* sequence number, any */
	l4[12] = (uint8_t)((TCP_BYTES + s->tcp_options) / 4 << 4);
	l4[13] = s->tcp_flags;
	sl_packet_put16(l4 + 14, 65535);
	memset(l4 + TCP_BYTES, 1, s->tcp_options);
}

static void put_l4(struct sl_packet *p, const struct sl_packet_spec *s)
{
	uint8_t *l4 = p->byte + p->l4;
	uint32_t n = payload_of(s);

	if (s->proto == IPPROTO_TCP || s->proto == IPPROTO_UDP) {
		sl_packet_put16(l4, s->sport);
		sl_packet_put16(l4 + 2, s->dport);
	}
	if (s->proto == IPPROTO_TCP) {
		put_tcp(l4, s);
	} else if (s->proto == IPPROTO_UDP) {
		sl_packet_put16(l4 + 4, (uint16_t)(UDP_BYTES + n));
	} else if (l4_header(s)) {
		l4[0] = s->icmp_type;
		l4[1] = s->icmp_code;
		sl_packet_put16(l4 + 4, (uint16_t)(s->icmp_rest >> 16));
		sl_packet_put16(l4 + 6, (uint16_t)s->icmp_rest);
	}
	l4 += l4_header(s);
	if (s->quoted)
		memcpy(l4, s->quoted->byte + s->quoted->l3, n);
	for (uint32_t i = 0; i < n && !s->quoted; i++)
		l4[i] = (uint8_t)('a' + i % 26);
}

/* Returns the family, or 0. */
static int parse(const char *text, uint8_t ret[16])
{
	if (inet_pton(AF_INET, text, ret) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, text, ret) == 1 ? AF_INET6 : 0;
}

int sl_packet_build(const struct sl_packet_spec *s, struct sl_packet *ret)
{
	uint32_t body = l4_header(s) + payload_of(s);
	uint8_t from[16] = {}, to[16] = {};
	int family = parse(s->from, from);
	struct sl_packet p = { .is_v6 = family == AF_INET6, .proto = s->proto };

	if (!family || parse(s->to, to) != family || s->ip_options % 4 || s->ip_options > 40 ||
	    s->tcp_options % 4 || s->tcp_options > 40 || s->n_ext > SL_PACKET_EXT)
		return -EINVAL;
	if (ETH_BYTES + 4u * s->vlans + 60 + ext_bytes(s) + body > sizeof(p.byte) ||
	    s->pad_to > sizeof(p.byte))
		return -EMSGSIZE;
	put_eth(&p, s);
	if (p.is_v6)
		put_ipv6(&p, s, from, to, body);
	else
		put_ipv4(&p, s, from, to, body);
	put_l4(&p, s);
	p.len = p.l4 + body;
	sl_packet_seal(&p);
	if (p.len < s->pad_to)
		p.len = s->pad_to;
	*ret = p;
	return 0;
}

void sl_packet_flow(struct sl_packet *p, uint64_t n)
{
	uint8_t *ip = p->byte + p->l3, *addr = p->is_v6 ? ip + 8 + 12 : ip + 12;
	uint32_t low = (uint32_t)(n / 32768);

	/* 32,768 ports to an address of 10.0.0.0/8 (IPv6: of the last 32 bits) */
	addr[0] = p->is_v6 ? (uint8_t)(low >> 24) : 10;
	addr[1] = (uint8_t)(low >> 16);
	addr[2] = (uint8_t)(low >> 8);
	addr[3] = (uint8_t)low;
	sl_packet_put16(p->byte + p->l4, (uint16_t)(1024 + n % 32768));
	sl_packet_seal(p);
}

static void swap(uint8_t *a, uint8_t *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t x = a[i];

		a[i] = b[i];
		b[i] = x;
	}
}

void sl_packet_turn(struct sl_packet *p)
{
	uint8_t *ip = p->byte + p->l3, *l4 = p->byte + p->l4;

	if (p->is_v6)
		swap(ip + 8, ip + 24, 16);
	else
		swap(ip + 12, ip + 16, 4);
	swap(l4, l4 + 2, 2);
	sl_packet_seal(p);
}

uint32_t sl_packet_bytes(const struct sl_packet *p)
{
	const uint8_t *ip = p->byte + p->l3;

	return p->l3 + (p->is_v6 ? 40u + sl_packet_get16(ip + 4) : sl_packet_get16(ip + 2));
}
