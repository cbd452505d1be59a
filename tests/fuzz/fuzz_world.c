/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz_world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <sluice/hash.h>

#include "lb_user/domain/guard.h"
#include "lb_user/domain/svctab.h"

#define GUARDED 5u /* a world with limits, and one that is traced */
#define TRACED	6u
#define SLOTS	61u /* of each service */

const struct fuzz_service fuzz_services[FUZZ_SERVICES] = {
	{ "192.0.2.10", 443, IPPROTO_TCP, 0 },
	{ "2001:db8::10", 443, IPPROTO_TCP, 0 },
	{ "192.0.2.10", 53, IPPROTO_UDP, SL_SF_OVERSIZE },
	{ "2001:db8::10", 53, IPPROTO_UDP, 0 },
	{ "192.0.2.10", 4433, IPPROTO_UDP, SL_SF_UDP_FLOW | SL_SF_QUIC },
	{ "2001:db8::10", 4433, IPPROTO_UDP, SL_SF_UDP_FLOW | SL_SF_QUIC },
	{ "192.0.2.20", 53, IPPROTO_UDP, SL_SF_HASH3 | SL_SF_OVERSIZE },
	{ "2001:db8::20", 53, IPPROTO_UDP, SL_SF_HASH3 | SL_SF_UDP_FLOW },
	{ "192.0.2.30", 80, IPPROTO_TCP, SL_SF_DOWN_DROP },
	{ "2001:db8::30", 80, IPPROTO_TCP, SL_SF_DOWN_DROP },
};

/* Ids 1.. of every world. */
static const struct {
	uint8_t fwd, flags, state;
	uint32_t ifindex;
	uint16_t port, mtu, vlan;
} kinds[FUZZ_BACKENDS] = {
	{ SL_FWD_L2, 0, SL_DP_UP, FUZZ_INGRESS, 0, 1500, 0 },
	{ SL_FWD_L2, 0, SL_DP_UP, FUZZ_EGRESS, 1, 1500, 0 },
	{ SL_FWD_IPIP, 0, SL_DP_UP, FUZZ_INGRESS, 0, 1480, 0 },
	{ SL_FWD_IPIP, SL_BF_OUTER6, SL_DP_UP, FUZZ_EGRESS, 1, 1460, 0 },
	{ SL_FWD_GUE, 0, SL_DP_UP, FUZZ_INGRESS, 0, 1468, 0 },
	{ SL_FWD_GUE, SL_BF_OUTER6, SL_DP_UP, FUZZ_EGRESS, 1, 1448, 0 },
	{ SL_FWD_L2, SL_BF_VLAN, SL_DP_UP, FUZZ_INGRESS, 0, 1500, 7 },
	{ SL_FWD_GUE, SL_BF_VLAN | SL_BF_OUTER6, SL_DP_UP, FUZZ_INGRESS, 0, 1448, 0 },
	{ SL_FWD_L2, 0, SL_DP_UP, FUZZ_INGRESS, 0, 128, 0 },
	{ SL_FWD_IPIP, SL_BF_VLAN, SL_DP_UP, FUZZ_EGRESS, 1, 64, 9 },
	{ SL_FWD_L2, 0, SL_DP_DOWN, FUZZ_INGRESS, 0, 1500, 0 },
	{ SL_FWD_L2, 0, SL_DP_DRAINING, FUZZ_INGRESS, 0, 1500, 0 },
	{ SL_FWD_L2, 0, SL_DP_UP, 0, 0, 1500, 0 },		 /* no next hop */
	{ SL_FWD_GUE, SL_BF_VLAN, SL_DP_UP, 99, 5, 1500, 4094 }, /* no such port */
};

/* ---- memory -------------------------------------------------------------------- */

#define MAPS_FIXED(X)                \
	X(info, 1)                   \
	X(svc4, SL_SVC4_BUCKETS)     \
	X(svc6, SL_SVC6_BUCKETS)     \
	X(services, SL_SERVICES_MAX) \
	X(slots, SL_SLOTS_TOTAL)     \
	X(backends, SL_BACKENDS_MAX) \
	X(tunnels, SL_BACKENDS_MAX)  \
	X(labels, SL_BACKENDS_MAX)   \
	X(guards, SL_SERVICES_MAX)   \
	X(guard_index, SL_GUARD_INDEX_WORDS)

#define MAPS_WRITTEN(X)                            \
	X(seen, SL_SLOTS_TOTAL)                    \
	X(exceptions, SL_EXC_SETS)                 \
	X(drains, SL_DRAIN_TRACKS *SL_DRAIN_CELLS) \
	X(cnt_service, SL_SERVICES_MAX)            \
	X(cnt_backend, SL_BACKENDS_MAX)            \
	X(cnt_reason, 1)                           \
	X(cnt_exc, 1)                              \
	X(cnt_guard, 1)                            \
	X(limits, 1)                               \
	X(trace, 1)                                \
	X(trace_row, 1)                            \
	X(guard_sets, SL_GUARD_SETS)               \
	X(guard_pools, SL_SERVICES_MAX)            \
	X(guard_credit, SL_SERVICES_MAX)

#define PAGE		4096u
#define ROOM(member, n) +(sizeof(*((struct sl_dp_mem *)0)->member) * (n) + PAGE - 1) / PAGE *PAGE

static const size_t fixed_bytes = 0 MAPS_FIXED(ROOM), written_bytes = 0 MAPS_WRITTEN(ROOM);

static char *written; /* shared by all worlds */

static void *pages(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED) {
		perror("fuzz: memory");
		exit(EXIT_FAILURE);
	}
	return at;
}

static char *place(struct sl_dp_mem *m)
{
	char *fixed = pages(fixed_bytes), *at = fixed;

#define PLACE(member, n)        \
	m->member = (void *)at; \
	at += 0 ROOM(member, n);
	MAPS_FIXED(PLACE)
	if (!written)
		written = pages(written_bytes);
	at = written;
	MAPS_WRITTEN(PLACE)
#undef PLACE
	return fixed;
}

void fuzz_world_begin(const struct fuzz_world *w)
{
	if (madvise(written, written_bytes, MADV_DONTNEED))
		abort();
	if (w->is_traced) {
		w->mem.trace->until = UINT64_MAX;
		w->mem.trace->kinds = UINT32_MAX;
		w->mem.trace->capture = 1;
		w->mem.trace->capture_snap = 96;
		w->mem.trace->capture_left = 1;
	}
}

/* ---- configurations ---------------------------------------------------------------- */

static uint32_t slot_word(unsigned world, uint32_t i)
{
	uint32_t cur = 1 + world, old = cur;

	if (world == FUZZ_WORLDS - 1) { /* everybody, and nobody */
		cur = i % (FUZZ_BACKENDS + 1);
		old = i * 7 % (FUZZ_BACKENDS + 1);
	} else if (world == FUZZ_WORLDS - 2) {
		cur = 7 + i % 4;
	}
	return SL_SLOT(cur, i & 1, i & 1 ? old : cur);
}

static void put_service(const struct sl_dp_mem *m, uint16_t id, unsigned world)
{
	const struct fuzz_service *s = &fuzz_services[id - 1];
	struct sl_addr addr = { .family = strchr(s->addr, ':') ? AF_INET6 : AF_INET };
	struct sl_svctab tab = { .svc4 = m->svc4, .svc6 = m->svc6 };
	struct sl_service_rec *rec = &m->services[id];
	enum sl_proto proto = s->proto == IPPROTO_UDP ? SL_PROTO_UDP : SL_PROTO_TCP;
	const struct sl_service_guard limits = { .source.packets = { 1, 1 },
						 .service.flows = { 1000, 10 } };
	const struct sl_guard_machine machine = { .hz = 250, .cpus = 1 };
	uint64_t words[2];

	inet_pton(addr.family, s->addr, addr.byte_be);
	memcpy(words, addr.byte_be, 16);
	*rec = (struct sl_service_rec){ .salt = sl_hash_salt((const __u64 *)words, htons(s->port),
							     s->proto, m->info->key),
					.slot_base = id * 64u,
					.slot_count = SLOTS,
					.flags = s->flags,
					.idle_ticks = 75,
					.spare = { 1, 2, 11, 12 } };
	for (uint32_t i = 0; i < SLOTS; i++)
		m->slots[rec->slot_base + i] = slot_word(world, i);
	if (world == GUARDED) {
		sl_guard_fill(&limits, &machine, &m->guards[id]);
		rec->flags |= SL_SF_GUARD;
	}
	if (sl_svctab_put(&tab, &addr, s->port, proto, id) ||
	    sl_svctab_set(&tab, &addr, 0, SL_PROTO_TCP, SL_SERVICE_ADDRESS) ||
	    sl_svctab_set(&tab, &addr, 0, SL_PROTO_UDP,
			  s->flags & SL_SF_HASH3 ? id : SL_SERVICE_ADDRESS))
		abort();
}

static void put_backend(const struct sl_dp_mem *m, uint16_t id)
{
	__typeof__(kinds[0]) *k = &kinds[id - 1];

	m->backends[id] = (struct sl_backend_rec){
		.mac_lo = 0x010002000000be02ull | (uint64_t)id << 16,
		.mac_hi = 0x02000000u | id,
		.ifindex = k->ifindex,
		.state = k->state,
		.drain_track = k->state == SL_DP_DRAINING,
		.port = k->port,
		.service = 1,
		.fwd = k->fwd,
		.flags = k->flags,
		.mtu = k->mtu,
		.mtu_link = k->mtu > 1000 ? 1500 : 128,
		.vlan = k->vlan,
	};
	m->tunnels[id] = (struct sl_tunnel_rec){ .daddr_be = { 0x0200000ab80d0120ull, 1 },
						 .saddr_be = { 0x0100000ab80d0120ull, 2 },
						 .entropy_be = id & 1 ? 0xffff0000u : 0,
						 .dport_be = htons(6080) };
}

const struct fuzz_world *fuzz_world(unsigned n)
{
	static struct fuzz_world worlds[FUZZ_WORLDS];
	struct fuzz_world *w = &worlds[n];
	char *fixed;

	if (w->mem.info)
		return w;
	fixed = place(&w->mem);
	w->egress[1] = FUZZ_EGRESS;
	w->is_traced = n == TRACED;
	*w->mem.info = (struct sl_info){ .cpus = 1,
					 .tick_shift = 10,
					 .key = { 0x5c17b7a3d0f24e69ull, 7 } };
	for (uint16_t id = 1; id <= FUZZ_BACKENDS; id++)
		put_backend(&w->mem, id);
	for (uint16_t id = 1; id <= FUZZ_SERVICES; id++)
		put_service(&w->mem, id, n);
	if (mprotect(fixed, fixed_bytes, PROT_READ))
		abort();
	return w;
}
