/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_SERVICE_H
#define LB_KERN_SERVICE_H

/*
 * service: whose packet it is, exactly, by {address, port, protocol}. A
 * service sits in one of two buckets; the word that is compared carries the
 * id, so an entry can appear and vanish under our feet and never be misread.
 */
#include <linux/in.h>
#include <sluice/hash.h>

#include "lb_kern/maps.h"
#include "lb_kern/pkt.h"

static __always_inline __u32 service_in4(__u64 key, __u32 n)
{
	const struct sl_svc4_bucket *bucket =
		maps_svc4() + platform_bounded(sl_hash_svc4(key, n), SL_SVC4_BUCKETS - 1);

	PLATFORM_UNROLL
	for (int i = 0; i < (int)SL_SVC4_WAYS; i++) {
		__u64 id = READ_ONCE(bucket->word[i]) ^ key;

		if (id < SL_SERVICES_MAX)
			return (__u32)id;
	}
	return 0;
}

static __always_inline __u32 service_in6(const __u64 addr_be[2], __u64 meta, __u32 n)
{
	const struct sl_svc6_bucket *bucket =
		maps_svc6() + platform_bounded(sl_hash_svc6(addr_be, meta, n), SL_SVC6_BUCKETS - 1);

	PLATFORM_UNROLL
	for (int i = 0; i < (int)SL_SVC6_WAYS; i++) {
		const struct sl_svc6_entry *e = &bucket->entry[i];
		/* the id before the address: a place that is being reused then fails the address */
		__u64 id = READ_ONCE(e->meta) ^ meta;

		if (id < SL_SERVICES_MAX && READ_ONCE(e->addr_be[0]) == addr_be[0] &&
		    READ_ONCE(e->addr_be[1]) == addr_be[1])
			return (__u32)id;
	}
	return 0;
}

/* The id behind {the packet's destination address, @port_be, @is_udp}; 0: none. */
static __always_inline __u32 service_lookup(const struct pkt *p, __u16 port_be, bool is_udp)
{
	__u32 id;

	if (p->is_v6) {
		__u64 meta = SL_SVC6_META(port_be, is_udp);

		id = service_in6(p->daddr_be, meta, 0);
		return id ? id : service_in6(p->daddr_be, meta, 1);
	}

	__u64 key = SL_SVC4_KEY(p->daddr_be[0], port_be, is_udp);

	id = service_in4(key, 0);
	return id ? id : service_in4(key, 1);
}

static __always_inline bool service_owns_address(const struct pkt *p)
{
	return service_lookup(p, 0, false) || service_lookup(p, 0, true);
}

static __always_inline enum sl_reason service_find(struct pkt *p)
{
	__u32 id = service_lookup(p, p->dport_be, p->proto == IPPROTO_UDP);
	bool later = p->fragment == PKT_LATER;

	if (unlikely(!id))
		return later ? SL_R_FRAGMENT : SL_R_NO_SERVICE;
	if (unlikely(id == SL_SERVICE_ADDRESS)) /* found by port 0 */
		return later ? SL_R_FRAGMENT_DROPPED : SL_R_NO_SERVICE;
	if (unlikely(!p->dport_be && !later)) /* nobody declares port 0 */
		return SL_R_NO_SERVICE;
	p->service = id;
	return SL_R_NEXT;
}

/* The flow's hash; the source part does not wait for the service. */
static __always_inline void service_hash(struct pkt *p, const struct sl_service_rec *service)
{
	const __u64 *key = maps_info()->key;
	__u64 source = p->is_v6 ? sl_hash_source6(p->saddr_be, key)
				: sl_hash_source4((__u32)p->saddr_be[0], key);
	__u16 sport_be = unlikely(service->flags & SL_SF_HASH3) ? 0 : p->sport_be;

	p->hash = sl_hash_flow(source, sport_be, service->salt);
}

#endif
