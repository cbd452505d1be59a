/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracle/world.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/hash.h>

#include "lb_user/domain/svctab.h"
#include "tests/prog/tap.h"

/* X(member of sl_dp_mem, elements) */
#define STATE(X)                                   \
	X(svc4, SL_SVC4_BUCKETS)                   \
	X(svc6, SL_SVC6_BUCKETS)                   \
	X(services, SL_SERVICES_MAX)               \
	X(slots, SL_SLOTS_TOTAL)                   \
	X(seen, SL_SLOTS_TOTAL)                    \
	X(backends, SL_BACKENDS_MAX)               \
	X(tunnels, SL_BACKENDS_MAX)                \
	X(exceptions, SL_EXC_SETS)                 \
	X(drains, SL_DRAIN_TRACKS *SL_DRAIN_CELLS) \
	X(labels, SL_BACKENDS_MAX)                 \
	X(guards, SL_SERVICES_MAX)                 \
	X(guard_sets, SL_GUARD_SETS)               \
	X(guard_pools, SL_SERVICES_MAX)            \
	X(guard_index, SL_GUARD_INDEX_WORDS)

#define FIXED(X) X(info, 1)

#define COUNTERS(X, cpus)                      \
	X(cnt_service, (cpus)*SL_SERVICES_MAX) \
	X(cnt_backend, (cpus)*SL_BACKENDS_MAX) \
	X(cnt_reason, (cpus))                  \
	X(cnt_exc, (cpus))                     \
	X(cnt_guard, (cpus))                   \
	X(guard_credit, (cpus)*SL_SERVICES_MAX)

#define ALL(X, cpus) FIXED(X) STATE(X) COUNTERS(X, cpus)

/* Of the limits only the counts mean something to others: what is behind them is scratch. */
#define OWN(X, cpus)      \
	X(limits, (cpus)) \
	X(trace, 1)       \
	X(trace_row, (cpus))

uint32_t sl_world_count(uint32_t count, uint32_t max)
{
	return count < max ? count : max;
}

void sl_world_alloc(struct sl_dp_mem *ret, const struct sl_dp_mem *like)
{
	unsigned cpus = like->info->cpus;

#define ALLOC(member, count)                                 \
	ret->member = calloc((count), sizeof(*ret->member)); \
	if (!ret->member)                                    \
		sl_tap_bail("memory for an image", "%s", strerror(ENOMEM));
	ALL(ALLOC, cpus)
	OWN(ALLOC, cpus)
#undef ALLOC
	sl_world_copy(ret, like);
}

void sl_world_free(struct sl_dp_mem *m)
{
#define FREE(member, count) free(m->member);
	ALL(FREE, 0)
	OWN(FREE, 0)
#undef FREE
}

void sl_world_copy(struct sl_dp_mem *to, const struct sl_dp_mem *from)
{
	unsigned cpus = from->info->cpus;

#define COPY(member, count) memcpy(to->member, from->member, sizeof(*to->member) * (count));
	ALL(COPY, cpus)
#undef COPY
	for (unsigned i = 0; i < cpus; i++) {
		to->limits[i].window = from->limits[i].window;
		to->limits[i].echo_count = sl_world_count(from->limits[i].echo_count, SL_ECHO_MAX);
		to->limits[i].too_big_count =
			sl_world_count(from->limits[i].too_big_count, SL_TOO_BIG_MAX);
	}
}

static bool same(const char *name, const void *is, const void *want, size_t bytes, size_t elem,
		 char text[SL_WORLD_TEXT])
{
	const uint64_t *a = is, *b = want;
	size_t i = 0;

	if (!memcmp(is, want, bytes))
		return true;
	while (a[i] == b[i])
		i++;
	snprintf(text, SL_WORLD_TEXT, "%s[%zu]+%zu is %#llx, should be %#llx", name, i * 8 / elem,
		 i * 8 % elem, (unsigned long long)a[i], (unsigned long long)b[i]);
	return false;
}

bool sl_world_same(const struct sl_dp_mem *is, const struct sl_dp_mem *want,
		   char ret_text[SL_WORLD_TEXT])
{
	unsigned cpus = want->info->cpus;

#define COMPARE(member, count)                                                              \
	if (!same(#member, is->member, want->member, sizeof(*is->member) * (size_t)(count), \
		  sizeof(*is->member), ret_text))                                           \
		return false;
	ALL(COMPARE, cpus)
#undef COMPARE
	for (unsigned i = 0; i < cpus; i++) {
		struct sl_limit row = is->limits[i];

		row.echo_count = sl_world_count(row.echo_count, SL_ECHO_MAX);
		row.too_big_count = sl_world_count(row.too_big_count, SL_TOO_BIG_MAX);
		if (!same("limits", &row, &want->limits[i], offsetof(struct sl_limit, scratch),
			  sizeof(row), ret_text))
			return false;
	}
	return true;
}

static uint64_t entry_word(const struct sl_oracle_entry *e)
{
	return e->backend ? SL_EXC(e->tag, e->backend, e->confirmed, e->age) : 0;
}

void sl_world_write_set(struct sl_dp_mem *m, const struct sl_oracle *o, uint32_t set)
{
	for (unsigned w = 0; w < SL_EXC_WAYS; w++)
		m->exceptions[set].entry[w] = entry_word(&o->entry[set][w]);
}

void sl_world_write_slot(struct sl_dp_mem *m, const struct sl_oracle *o, unsigned service,
			 uint32_t slot)
{
	const struct sl_oracle_service *s = &o->service[service];
	const struct sl_oracle_slot *one = &s->slot[slot];

	m->slots[s->base + slot] = SL_SLOT(one->cur, one->t, one->old);
	m->seen[s->base + slot] = one->seen;
}

void sl_world_write_backend(struct sl_dp_mem *m, const struct sl_oracle *o, uint16_t id)
{
	const struct sl_oracle_backend *b = &o->backend[id];
	struct sl_backend_rec rec = { .ifindex = b->ifindex,
				      .state = b->state,
				      .drain_track = b->drain_track,
				      .port = b->port,
				      .service = b->service,
				      .fwd = b->fwd,
				      .mtu = b->mtu,
				      .mtu_link = b->mtu_link,
				      .vlan = b->vlan };
	struct sl_tunnel_rec tunnel = { .dport_be = htons(b->dport) };

	if (b->retags)
		rec.flags |= SL_BF_VLAN;
	if (b->outer6)
		rec.flags |= SL_BF_OUTER6;
	memcpy(&rec.mac_lo, b->macs, 8);
	memcpy(&rec.mac_hi, b->macs + 8, 4);
	memcpy(tunnel.daddr_be, b->daddr, 16);
	memcpy(tunnel.saddr_be, b->saddr, 16);
	memcpy(&tunnel.entropy_be, b->entropy, 4);
	m->backends[id] = rec;
	m->tunnels[id] = tunnel;
}

void sl_world_write_limit(struct sl_dp_mem *m, const struct sl_oracle_limit *limit, unsigned row)
{
	m->limits[row].window = limit->window;
	m->limits[row].echo_count = limit->echo;
	m->limits[row].too_big_count = limit->too_big;
}

static void publish(struct sl_dp_mem *m, bool v6, const uint8_t *addr, uint16_t port, bool udp,
		    uint16_t id)
{
	struct sl_svctab tab = { .svc4 = m->svc4, .svc6 = m->svc6 };
	struct sl_addr a = { .family = v6 ? AF_INET6 : AF_INET };
	int e;

	memcpy(a.byte_be, addr, v6 ? 16 : 4);
	e = sl_svctab_put(&tab, &a, port, udp ? SL_PROTO_UDP : SL_PROTO_TCP, id);
	if (e)
		sl_tap_bail("publish a service", "id %u port %u: %s", id, port, strerror(-e));
}

static void write_service(struct sl_dp_mem *m, const struct sl_oracle *o, unsigned i)
{
	const struct sl_oracle_service *s = &o->service[i];
	struct sl_service_rec *rec = &m->services[s->id];
	__u64 addr[2] = {}, key[2] = { o->key[0], o->key[1] };

	memcpy(addr, s->addr, s->v6 ? 16 : 4);
	rec->salt = sl_hash_salt(addr, htons(s->port), s->udp ? IPPROTO_UDP : IPPROTO_TCP, key);
	rec->slot_base = s->base;
	rec->slot_count = s->n_slots;
	rec->idle_ticks = s->idle_ticks;
	memcpy(rec->spare, s->spare, sizeof(rec->spare));
	if (s->remember)
		rec->flags |= SL_SF_UDP_FLOW;
	if (s->down_drop)
		rec->flags |= SL_SF_DOWN_DROP;
	if (s->hash3)
		rec->flags |= SL_SF_HASH3;
	if (s->quic)
		rec->flags |= SL_SF_QUIC;
	if (s->oversize)
		rec->flags |= SL_SF_OVERSIZE;
	sl_world_write_limits(m, o, i);
	for (uint32_t k = 0; k < s->n_slots; k++)
		sl_world_write_slot(m, o, i, k);
	for (unsigned k = 0; k < s->n_own; k++)
		sl_world_write_backend(m, o, s->own[k]);
	publish(m, s->v6, s->addr, s->port, s->udp, s->id);
}

static void write_address(struct sl_dp_mem *m, const struct sl_oracle *o,
			  const struct sl_oracle_address *a)
{
	for (int udp = 0; udp < 2; udp++)
		if (a->port0[udp] != SL_PORT0_NOTHING)
			publish(m, a->v6, a->addr, 0, udp,
				a->port0[udp] == SL_PORT0_SERVICE ? o->service[a->hash3].id
								  : SL_SERVICE_ADDRESS);
}

void sl_world_write(struct sl_dp_mem *want, const struct sl_oracle *o)
{
#define CLEAR(member, count) memset(want->member, 0, sizeof(*want->member) * (count));
	STATE(CLEAR)
#undef CLEAR
	for (unsigned i = 0; i < o->n_services; i++)
		write_service(want, o, i);
	for (unsigned i = 0; i < o->n_addresses; i++)
		write_address(want, o, &o->address[i]);
	for (uint32_t set = 0; set < SL_EXC_SETS; set++)
		sl_world_write_set(want, o, set);
	memcpy(want->drains, o->cell, sizeof(o->cell));
	memcpy(want->guard_sets, o->guard_set, sizeof(o->guard_set));
	sl_world_write_index(want, o);
	/* new services have used nothing yet */
	memset(want->guard_credit, 0,
	       sizeof(*want->guard_credit) * SL_SERVICES_MAX * want->info->cpus);
}
