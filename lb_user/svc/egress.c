/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/svc/egress.h"

#include <arpa/inet.h>
#include <string.h>

/* ---- words ------------------------------------------------------------------ */

static uint16_t less(uint32_t mtu, uint32_t overhead)
{
	uint32_t left = mtu > overhead ? mtu - overhead : 0;

	return (uint16_t)(left < UINT16_MAX ? left : UINT16_MAX);
}

/* The frame's first twelve bytes. */
static void make_macs(const struct sl_nexthop_info *hop, struct sl_egress *ret)
{
	uint8_t image[12];

	memcpy(image, hop->dst_mac, 6);
	memcpy(image + 6, hop->src_mac, 6);
	memcpy(&ret->mac_lo, image, 8);
	memcpy(&ret->mac_hi, image + 8, 4);
}

/* Of an address's last four bytes, the bits behind the first @len of all. */
static uint32_t rest_be(uint16_t family, uint8_t len)
{
	unsigned before = family == AF_INET ? 0 : 96, in = len > before ? len - before : 0;

	return in >= 32 ? 0 : htonl(UINT32_MAX >> in);
}

static const char *make_source(const struct sl_encapsulation *enc,
			       const struct sl_nexthop_info *hop, uint16_t family,
			       struct sl_tunnel_rec *ret)
{
	const struct sl_prefix *want = family == AF_INET ? &enc->source4 : &enc->source6;

	if (want->addr.family) {
		memcpy(ret->saddr_be, want->addr.byte_be, sizeof(ret->saddr_be));
		ret->entropy_be = rest_be(family, want->len);
		return NULL;
	}
	if (hop->source.family != family)
		return family == AF_INET
			       ? "the tunnel to it has no source: this host has no IPv4 address "
				 "that reaches it; give it one, or declare one as source4 of "
				 "encapsulation"
			       : "the tunnel to it has no source: this host has no IPv6 address "
				 "that reaches it; give it one, or declare one as source6 of "
				 "encapsulation";
	memcpy(ret->saddr_be, hop->source.byte_be, sizeof(ret->saddr_be));
	return NULL;
}

static enum sl_fwd fwd_of(enum sl_forward f)
{
	switch (f) {
	case SL_FORWARD_IPIP:
		return SL_FWD_IPIP;
	case SL_FORWARD_GUE:
		return SL_FWD_GUE;
	case SL_FORWARD_L2DSR:
		break;
	}
	return SL_FWD_L2;
}

const char *sl_egress_make(const struct sl_service *s, const struct sl_backend *b,
			   const struct sl_encapsulation *enc, const struct sl_nexthop_info *hop,
			   struct sl_egress *ret)
{
	int32_t vlan = b->vlan != SL_VLAN_KEEP ? b->vlan : hop->vlan;
	uint32_t overhead;
	const char *why;

	memset(ret, 0, sizeof(*ret));
	make_macs(hop, ret);
	ret->ifindex = hop->ifindex;
	ret->fwd = (uint8_t)fwd_of(sl_backend_forward(s, b));
	if (vlan >= 0) {
		ret->flags |= SL_BF_VLAN;
		ret->vlan = (uint16_t)vlan;
	}
	if (ret->fwd != SL_FWD_L2) {
		if (b->addr.family == AF_INET6)
			ret->flags |= SL_BF_OUTER6;
		memcpy(ret->tunnel.daddr_be, b->addr.byte_be, sizeof(ret->tunnel.daddr_be));
		if (ret->fwd == SL_FWD_GUE)
			ret->tunnel.dport_be = htons(sl_backend_gue_port(s, b));
		why = make_source(enc, hop, b->addr.family, &ret->tunnel);
		if (why)
			return why;
	}
	overhead = SL_OVERHEAD(ret->fwd, ret->flags & SL_BF_OUTER6);
	ret->mtu = less(hop->mtu, overhead);
	ret->mtu_link = less(hop->mtu_link, overhead);
	return NULL;
}

uint32_t sl_egress_features(uint8_t fwd, uint8_t flags)
{
	return (fwd == SL_FWD_IPIP ? SL_FEAT_IPIP : 0) | (fwd == SL_FWD_GUE ? SL_FEAT_GUE : 0) |
	       (flags & SL_BF_VLAN ? SL_FEAT_VLAN : 0);
}

struct sl_prefix sl_egress_source(const struct sl_backend_rec *rec,
				  const struct sl_tunnel_rec *tunnel)
{
	struct sl_prefix p = { .len = 0 };

	if (rec->fwd == SL_FWD_L2)
		return p;
	p.addr.family = rec->flags & SL_BF_OUTER6 ? AF_INET6 : AF_INET;
	memcpy(p.addr.byte_be, tunnel->saddr_be, sizeof(p.addr.byte_be));
	p.len = (uint8_t)((p.addr.family == AF_INET ? 32 : 128) -
			  __builtin_popcount(tunnel->entropy_be));
	return p;
}

/* ---- stores ------------------------------------------------------------------- */

/* One word, unless it is so already: packets notice no store that changes nothing. */
#define PUT(word, value)                                                      \
	do {                                                                  \
		if ((word) != (value))                                        \
			__atomic_store_n(&(word), (value), __ATOMIC_RELEASE); \
	} while (0)

static bool tunnel_equal(const struct sl_tunnel_rec *a, const struct sl_tunnel_rec *b)
{
	return !memcmp(a->daddr_be, b->daddr_be, sizeof(a->daddr_be)) &&
	       !memcmp(a->saddr_be, b->saddr_be, sizeof(a->saddr_be)) &&
	       a->entropy_be == b->entropy_be && a->dport_be == b->dport_be;
}

static bool is_another_way(const struct sl_egress *e, const struct sl_backend_rec *rec,
			   const struct sl_tunnel_rec *tunnel)
{
	return rec->ifindex != e->ifindex || rec->port != e->port || rec->fwd != e->fwd ||
	       rec->flags != e->flags || rec->vlan != e->vlan || !tunnel_equal(tunnel, &e->tunnel);
}

static void store_tunnel(const struct sl_tunnel_rec *from, struct sl_tunnel_rec *to)
{
	for (int i = 0; i < 2; i++) {
		PUT(to->daddr_be[i], from->daddr_be[i]);
		PUT(to->saddr_be[i], from->saddr_be[i]);
	}
	PUT(to->entropy_be, from->entropy_be);
	PUT(to->dport_be, from->dport_be);
}

void sl_egress_store(const struct sl_egress *e, struct sl_backend_rec *rec,
		     struct sl_tunnel_rec *tunnel)
{
	bool moves = is_another_way(e, rec, tunnel);

	if (moves) {
		/* DOWN would move the flows; a packet dropped costs a retransmission */
		if (rec->ifindex)
			__atomic_store_n(&rec->ifindex, 0, __ATOMIC_SEQ_CST);
		PUT(rec->port, e->port);
		PUT(rec->fwd, e->fwd);
		PUT(rec->flags, e->flags);
		PUT(rec->vlan, e->vlan);
		store_tunnel(&e->tunnel, tunnel);
	}
	if (e->mtu > rec->mtu) {
		PUT(rec->mtu_link, e->mtu_link);
		PUT(rec->mtu, e->mtu);
	} else {
		PUT(rec->mtu, e->mtu);
		PUT(rec->mtu_link, e->mtu_link);
	}
	PUT(rec->mac_hi, e->mac_hi);
	PUT(rec->mac_lo, e->mac_lo);
	PUT(rec->ifindex, e->ifindex);
}
