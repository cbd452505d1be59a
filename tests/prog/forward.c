/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/forward.h"

#include <arpa/inet.h>
#include <string.h>

#include <sluice/hash.h>

#define GUE_PORT 6080

const struct sl_way sl_ways[SL_WAYS] = {
	{ "l2dsr", SL_FWD_L2, false },	       { "ipip in ipv4", SL_FWD_IPIP, false },
	{ "ipip in ipv6", SL_FWD_IPIP, true }, { "gue in ipv4", SL_FWD_GUE, false },
	{ "gue in ipv6", SL_FWD_GUE, true },
};

void sl_forward_backend(struct sl_rig *r, uint16_t backend, const struct sl_way *f, int vlan)
{
	struct sl_backend_rec *b = &r->mem->backends[backend];
	struct sl_tunnel_rec *t = &r->mem->tunnels[backend];

	b->fwd = f->fwd;
	b->flags = (f->outer6 ? SL_BF_OUTER6 : 0) | (vlan != SL_WAY_KEEP ? SL_BF_VLAN : 0);
	b->vlan = vlan != SL_WAY_KEEP ? (uint16_t)vlan : 0;
	b->mtu = b->mtu_link = UINT16_MAX;
	*t = (struct sl_tunnel_rec){ .dport_be = htons(GUE_PORT) };
	if (f->outer6) {
		inet_pton(AF_INET6, "2001:db8:9::ab:0", t->saddr_be);
		inet_pton(AF_INET6, "2001:db8:77::1", t->daddr_be);
		t->entropy_be = htonl(0xffff);
	} else {
		inet_pton(AF_INET, "10.9.128.0", t->saddr_be);
		inet_pton(AF_INET, "203.0.113.77", t->daddr_be);
		t->entropy_be = htonl(0x7fff);
	}
	((uint8_t *)t->daddr_be)[f->outer6 ? 15 : 3] = (uint8_t)backend;
}

static void put32(uint8_t *at, uint32_t host)
{
	sl_packet_put16(at, (uint16_t)(host >> 16));
	sl_packet_put16(at + 2, (uint16_t)host);
}

static uint32_t sum16(const uint8_t *at, uint32_t len)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < len; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Of @len bytes at @l4, under the pseudo header of the IPv6 header at @ip. */
static uint16_t sum6(const uint8_t *ip, uint8_t proto, const uint8_t *l4, uint32_t len)
{
	uint32_t sum = sum16(ip + 8, 32) + len + proto + sum16(l4, len);

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void source(uint8_t *at, const struct sl_tunnel_rec *t, uint32_t bytes, uint64_t hash)
{
	uint32_t entropy = sl_hash_entropy(hash), last;

	memcpy(at, t->saddr_be, bytes);
	memcpy(&last, at + bytes - 4, 4);
	last = (last & ~t->entropy_be) | (entropy & t->entropy_be);
	memcpy(at + bytes - 4, &last, 4);
}

/* The inner packet as its header says, without what pads the frame. */
static uint32_t length_of(const struct sl_packet *p)
{
	const uint8_t *ip = p->byte + p->l3;

	return p->is_v6 ? 40u + sl_packet_get16(ip + 4) : sl_packet_get16(ip + 2);
}

static uint8_t tos_of(const struct sl_packet *p)
{
	const uint8_t *ip = p->byte + p->l3;

	return p->is_v6 ? (uint8_t)(ip[0] << 4 | ip[1] >> 4) : ip[1];
}

static uint32_t outer4(uint8_t *at, const struct sl_packet *p, const struct sl_tunnel_rec *t,
		       uint8_t proto, uint32_t more, uint64_t hash)
{
	const uint8_t *ip = p->byte + p->l3;
	bool df = p->is_v6 || ip[6] & 0x40;

	memset(at, 0, 20);
	at[0] = 0x45;
	at[1] = tos_of(p);
	sl_packet_put16(at + 2, (uint16_t)(20 + more + length_of(p)));
	if (df) {
		at[6] = 0x40;
	} else {
		at[4] = ip[4] ^ (uint8_t)(hash >> 16);
		at[5] = ip[5] ^ (uint8_t)(hash >> 24);
	}
	at[8] = 64;
	at[9] = proto;
	source(at + 12, t, 4, hash);
	memcpy(at + 16, t->daddr_be, 4);
	sl_packet_put16(at + 10, (uint16_t)~sum16(at, 20));
	return 20;
}

static uint32_t outer6(uint8_t *at, const struct sl_packet *p, const struct sl_tunnel_rec *t,
		       uint8_t proto, uint32_t more, uint64_t hash)
{
	put32(at, 6u << 28 | (uint32_t)tos_of(p) << 20 | sl_hash_label(hash));
	sl_packet_put16(at + 4, (uint16_t)(more + length_of(p)));
	at[6] = proto;
	at[7] = 64;
	source(at + 8, t, 16, hash);
	memcpy(at + 24, t->daddr_be, 16);
	return 40;
}

static uint32_t gue(uint8_t *at, const struct sl_packet *p, uint64_t hash)
{
	sl_packet_put16(at, sl_hash_sport(hash));
	sl_packet_put16(at + 2, GUE_PORT);
	sl_packet_put16(at + 4, (uint16_t)(12 + length_of(p)));
	sl_packet_put16(at + 6, 0);
	at[8] = 0;
	at[9] = p->is_v6 ? 41 : 4;
	at[10] = at[11] = 0;
	return 12;
}

/* MACs and tags. Returns where the type of what follows goes. */
static uint8_t *head(struct sl_packet *out, const struct sl_packet *p, const uint8_t mac[12],
		     bool sets_vlan, uint16_t vlan)
{
	uint32_t tags = p->l3 - 14;
	uint8_t *at = out->byte + 12;
	uint16_t priority = tags ? sl_packet_get16(p->byte + 14) & 0xf000 : 0;

	memcpy(out->byte, mac, 12);
	if (!sets_vlan) {
		memcpy(at, p->byte + 12, tags);
		return at + tags;
	}
	if (!vlan)
		return at;
	sl_packet_put16(at, 0x8100);
	sl_packet_put16(at + 2, priority | vlan);
	return at + 4;
}

struct sl_packet sl_forward_want(const struct sl_rig *r, const struct sl_packet *p,
				 uint16_t backend, uint64_t hash)
{
	const struct sl_backend_rec *b = &r->mem->backends[backend];
	const struct sl_tunnel_rec *t = &r->mem->tunnels[backend];
	bool tunnel = b->fwd != SL_FWD_L2, is_gue = b->fwd == SL_FWD_GUE;
	bool v6 = tunnel ? b->flags & SL_BF_OUTER6 : p->is_v6;
	uint8_t proto = is_gue ? 17 : p->is_v6 ? 41 : 4, mac[12];
	struct sl_packet out = { .is_v6 = v6 };
	uint8_t *at, *ip, *udp;
	uint16_t csum;

	sl_rig_macs(backend, mac);
	at = head(&out, p, mac, b->flags & SL_BF_VLAN, b->vlan);
	sl_packet_put16(at, v6 ? 0x86dd : 0x0800);
	ip = at += 2;
	if (tunnel)
		at += (v6 ? outer6 : outer4)(at, p, t, proto, is_gue ? 12 : 0, hash);
	udp = at;
	if (is_gue)
		at += gue(at, p, hash);
	memcpy(at, p->byte + p->l3, p->len - p->l3);
	if (is_gue && v6) {
		csum = sum6(ip, 17, udp, 12 + length_of(p));
		sl_packet_put16(udp + 6, csum ? csum : 0xffff);
	}
	out.len = (uint32_t)(at - out.byte) + p->len - p->l3;
	return out;
}

struct sl_packet sl_forward_too_big(const struct sl_packet *p, uint32_t mtu)
{
	const uint8_t *was = p->byte + p->l3;
	uint32_t quote = p->is_v6 ? 128 : 68;
	struct sl_packet out = { .is_v6 = p->is_v6 };
	uint8_t mac[12], *ip, *icmp;

	memcpy(mac, p->byte + 6, 6);
	memcpy(mac + 6, p->byte, 6);
	ip = head(&out, p, mac, false, 0) + 2;
	sl_packet_put16(ip - 2, p->is_v6 ? 0x86dd : 0x0800);
	icmp = ip + (p->is_v6 ? 40 : 20);
	memcpy(icmp + 8, was, quote);
	if (p->is_v6) {
		put32(ip, 6u << 28);
		sl_packet_put16(ip + 4, 136);
		ip[6] = 58;
		ip[7] = 64;
		memcpy(ip + 8, was + 24, 16);
		memcpy(ip + 24, was + 8, 16);
		icmp[0] = 2;
		put32(icmp + 4, mtu);
		sl_packet_put16(icmp + 2, sum6(ip, 58, icmp, 136));
	} else {
		put32(ip, 0x45c00000 | 96);
		put32(ip + 4, 0x4000);
		ip[8] = 64;
		ip[9] = 1;
		memcpy(ip + 12, was + 16, 4);
		memcpy(ip + 16, was + 12, 4);
		sl_packet_put16(ip + 10, (uint16_t)~sum16(ip, 20));
		icmp[0] = 3;
		icmp[1] = 4;
		sl_packet_put16(icmp + 6, (uint16_t)mtu);
		sl_packet_put16(icmp + 2, (uint16_t)~sum16(icmp, 76));
	}
	out.len = (uint32_t)(icmp - out.byte) + 8 + quote;
	return out;
}
