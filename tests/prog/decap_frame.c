/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/decap_frame.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/prog/tap.h"

static uint32_t datagram_bytes(const struct sl_packet *p)
{
	const uint8_t *ip = p->byte + p->l3;

	return p->is_v6 ? 40u + sl_packet_get16(ip + 4) : sl_packet_get16(ip + 2);
}

static void put_address(const char *text, int family, uint8_t *at)
{
	if (inet_pton(family, text, at) != 1)
		sl_tap_bail("outer header of a test", "%s is no address of its family", text);
}

static uint32_t put_ipv4(struct sl_decap_frame *f, const struct sl_decap_outer *o, uint8_t proto)
{
	uint8_t *ip = f->byte + f->ip;

	ip[0] = (uint8_t)(0x45 + o->ip_options / 4);
	ip[1] = o->ecn;
	sl_packet_put16(ip + 6, o->frag ? o->frag : 0x4000);
	ip[8] = 64;
	ip[9] = proto;
	put_address(o->from, AF_INET, ip + 12);
	put_address(o->to, AF_INET, ip + 16);
	memset(ip + 20, 1, o->ip_options);
	return f->ip + 20 + o->ip_options;
}

static uint32_t put_ipv6(struct sl_decap_frame *f, const struct sl_decap_outer *o, uint8_t proto)
{
	uint8_t *ip = f->byte + f->ip;

	sl_packet_put16(ip, (uint16_t)(0x6000 | o->ecn << 4 | 7)); /* and a flow label */
	ip[6] = o->ext ? o->ext : proto;
	ip[7] = 64;
	put_address(o->from, AF_INET6, ip + 8);
	put_address(o->to, AF_INET6, ip + 24);
	if (!o->ext)
		return f->ip + 40;
	ip[40] = proto;
	if (o->ext == 44)
		sl_packet_put16(ip + 42, o->frag);
	return f->ip + 48;
}

/* The lengths in the outer headers, of all that is there now. */
static void put_lengths(struct sl_decap_frame *f)
{
	if (f->is_v6)
		sl_packet_put16(f->byte + f->ip + 4, (uint16_t)(f->len - f->ip - 40));
	else
		sl_packet_put16(f->byte + f->ip + 2, (uint16_t)(f->len - f->ip));
	if (f->udp)
		sl_packet_put16(f->byte + f->udp + 4, (uint16_t)(f->len - f->udp));
	sl_decap_frame_seal(f);
}

void sl_decap_frame_wrap(const struct sl_packet *inner, const struct sl_decap_outer *o,
			 struct sl_decap_frame *f)
{
	uint8_t proto = inner->is_v6 ? 41 : 4;
	uint32_t n = datagram_bytes(inner), at;

	memset(f, 0, sizeof(*f));
	memcpy(f->byte, inner->byte, inner->l3);
	f->ip = inner->l3;
	f->is_v6 = strchr(o->from, ':') != NULL;
	sl_packet_put16(f->byte + f->ip - 2, f->is_v6 ? 0x86dd : 0x0800);
	at = f->is_v6 ? put_ipv6(f, o, o->gue ? 17 : proto) : put_ipv4(f, o, o->gue ? 17 : proto);
	if (o->gue) {
		f->udp = at;
		f->gue = at + 8;
		sl_packet_put16(f->byte + at, 0xc123);
		sl_packet_put16(f->byte + at + 2, o->dport ? o->dport : 6080);
		sl_packet_put16(f->byte + at + 6, o->udp_check);
		f->byte[f->gue + 1] = proto;
		at += 12;
	}
	f->inner = at;
	memcpy(f->byte + at, inner->byte + inner->l3, n);
	f->len = at + n;
	put_lengths(f);
}

void sl_decap_frame_seal(struct sl_decap_frame *f)
{
	uint8_t *ip = f->byte + f->ip;
	uint32_t sum = 0;

	if (f->is_v6)
		return;
	sl_packet_put16(ip + 10, 0);
	for (unsigned i = 0; i < (ip[0] & 15u) * 4; i += 2)
		sum += sl_packet_get16(ip + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sl_packet_put16(ip + 10, (uint16_t)~sum);
}

void sl_decap_frame_cut(struct sl_decap_frame *f, uint32_t len, bool told)
{
	f->len = len;
	if (told)
		put_lengths(f);
}
