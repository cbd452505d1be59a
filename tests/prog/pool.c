/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/pool.h"

#include <linux/bpf.h>
#include <netinet/in.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/prog/tap.h"

static uint16_t service_id(enum sl_pool_kind kind, bool is_v6)
{
	return (uint16_t)(kind + (is_v6 ? 10 : 0));
}

static struct sl_packet_spec spec_of(enum sl_pool_kind kind, bool is_v6)
{
	return (struct sl_packet_spec){
		.from = is_v6 ? "2001:db8:ffff::1" : "198.51.100.1",
		.to = is_v6 ? "2001:db8::5" : "192.0.2.5",
		.sport = 1024,
		.dport = (uint16_t)(8000 + kind),
		.proto = kind == SL_POOL_TCP ? IPPROTO_TCP : IPPROTO_UDP,
		.tcp_flags = SL_TCP_ACK,
	};
}

void sl_pool_open(struct sl_pool *p, struct sl_rig *r)
{
	*p = (struct sl_pool){ .rig = r };
	for (unsigned i = 0; i < 2 * (SL_POOL_KINDS - SL_POOL_TCP); i++) {
		enum sl_pool_kind kind = SL_POOL_TCP + i / 2;
		bool is_v6 = i & 1;
		struct sl_packet_spec spec = spec_of(kind, is_v6);

		sl_rig_service(r, &(struct sl_rig_service){
					  .id = service_id(kind, is_v6),
					  .addr = spec.to,
					  .port = spec.dport,
					  .proto = spec.proto,
					  .base = 10000u + 2000u * service_id(kind, is_v6),
					  .count = SL_POOL_SLOTS,
					  .flags = kind == SL_POOL_FLOW ? SL_SF_UDP_FLOW : 0,
					  .idle_ticks = SL_POOL_IDLE,
				  });
	}
}

void sl_pool_reset(struct sl_pool *p, enum sl_pool_kind kind, bool is_v6)
{
	struct sl_packet_spec spec = spec_of(kind, is_v6);
	struct sl_dp_mem *m = p->rig->mem;
	struct sl_service_rec *rec;

	p->service = service_id(kind, is_v6);
	if (sl_packet_build(&spec, &p->packet))
		sl_tap_bail("build a packet", "to %s", spec.to);
	rec = &m->services[p->service];
	rec->flags &= SL_SF_UDP_FLOW;
	memset(rec->spare, 0, sizeof(rec->spare));
	for (uint32_t i = 0; i < SL_POOL_SLOTS; i++) {
		uint32_t owner = SL_POOL_REST + i % (SL_POOL_LAST - SL_POOL_REST + 1);

		m->slots[rec->slot_base + i] = SL_SLOT(owner, false, owner);
	}
	memset(m->seen, 0, sizeof(*m->seen) * SL_SLOTS_TOTAL);
	memset(m->exceptions, 0, sizeof(*m->exceptions) * SL_EXC_SETS);
	memset(m->drains, 0, sizeof(*m->drains) * SL_DRAIN_TRACKS * SL_DRAIN_CELLS);
	memset(m->backends, 0, sizeof(*m->backends) * SL_BACKENDS_MAX);
	for (uint16_t id = SL_POOL_A; id <= SL_POOL_LAST; id++) {
		sl_rig_backend(p->rig, id, SL_DP_UP, SL_RIG_LO, 0);
		m->backends[id].service = p->service;
	}
	p->tick = sl_rig_tick(p->rig, &p->drain_tick);
}

bool sl_pool_steady(const struct sl_pool *p)
{
	uint32_t shift = p->rig->mem->info->tick_shift;
	uint64_t jiffies;

	if (p->rig->dp->ops->jiffies(p->rig->dp, &jiffies))
		sl_tap_bail("read the clock", "the clock program does not run");
	/* within a drain's tick is within a tick */
	return (uint32_t)(jiffies >> shift) == p->tick &&
	       ((jiffies >> (shift - 2)) & SL_DRAIN_TICK_MASK) == p->drain_tick;
}

uint64_t sl_pool_flow(struct sl_pool *p, uint64_t n)
{
	sl_packet_flow(&p->packet, n);
	return sl_rig_hash(p->rig, p->service, &p->packet);
}

void sl_pool_flags(struct sl_pool *p, uint8_t tcp_flags)
{
	if (p->packet.proto == IPPROTO_TCP)
		p->packet.byte[p->packet.l4 + 13] = tcp_flags;
}

uint32_t *sl_pool_slot(const struct sl_pool *p, uint64_t hash)
{
	return &p->rig->mem->slots[sl_rig_slot(p->rig, p->service, hash)];
}

uint16_t *sl_pool_seen(const struct sl_pool *p, uint64_t hash)
{
	return &p->rig->mem->seen[sl_rig_slot(p->rig, p->service, hash)];
}

void sl_pool_state(const struct sl_pool *p, uint16_t backend, uint8_t state)
{
	p->rig->mem->backends[backend].state = state;
}

static struct sl_exc_set *set_of(const struct sl_pool *p, uint64_t hash)
{
	return &p->rig->mem->exceptions[sl_hash_exc_set(hash, SL_EXC_SETS)];
}

uint64_t *sl_pool_entry(const struct sl_pool *p, uint64_t hash)
{
	struct sl_exc_set *set = set_of(p, hash);

	for (unsigned i = 0; i < SL_EXC_WAYS; i++)
		if (set->entry[i] && (set->entry[i] & SL_EXC_TAG_MASK) == sl_hash_exc_tag(hash))
			return (uint64_t *)&set->entry[i];
	return NULL;
}

void sl_pool_remember(const struct sl_pool *p, uint64_t hash, unsigned way, uint16_t backend,
		      bool confirmed, unsigned ticks_ago)
{
	set_of(p, hash)->entry[way] =
		SL_EXC(sl_hash_exc_tag(hash), backend, confirmed, p->tick - ticks_ago);
}

uint16_t sl_pool_probe(const struct sl_pool *p, uint64_t hash)
{
	const struct sl_service_rec *rec = &p->rig->mem->services[p->service];

	for (uint32_t n = 1; n <= SL_PROBES_MAX; n++) {
		uint16_t id = SL_SLOT_CUR(*sl_pool_slot(p, sl_hash_again(hash, n)));

		if (p->rig->mem->backends[id].state == SL_DP_UP)
			return id;
	}
	for (uint32_t n = 0; n < SL_SPARES; n++) {
		uint16_t id = rec->spare[((hash >> 8) + n) % SL_SPARES];

		if (id && p->rig->mem->backends[id].state == SL_DP_UP)
			return id;
	}
	return 0;
}

#define POOL_IDS 1024u /* of backends, above any that a test makes */

/* What this CPU counted of all that were sent; the program counts them with their backends alone.
 */
static struct sl_cnt all_sent(const struct sl_rig *r)
{
	const struct sl_cnt *row = &r->mem->cnt_backend[r->row * SL_BACKENDS_MAX];
	struct sl_cnt sum = {};

	for (uint16_t id = 0; id < POOL_IDS; id++) {
		sum.packets += row[id].packets;
		sum.flows += row[id].flows;
	}
	return sum;
}

struct sl_pool_sent sl_pool_send(struct sl_pool *p)
{
	struct sl_rig *r = p->rig;
	struct sl_reason_cnt before = r->mem->cnt_reason[r->row];
	const struct sl_cnt *cnt = &r->mem->cnt_service[r->row * SL_SERVICES_MAX + p->service];
	struct sl_cnt was = *cnt, sent_before = all_sent(r), sent_after;
	static struct sl_rig_out out;
	struct sl_pool_sent sent = {};
	uint64_t counted = 0;

	sl_rig_run(r, p->packet.byte, p->packet.len, &out);
	for (int i = 0; i < SL_REASONS_MAX; i++) {
		uint64_t n = r->mem->cnt_reason[r->row].packets[i] - before.packets[i];

		counted += n;
		if (n)
			sent.reason = (enum sl_reason)i;
	}
	sent_after = all_sent(r);
	if (sent_after.packets != sent_before.packets) {
		counted += sent_after.packets - sent_before.packets;
		sent.reason = SL_R_SENT;
	}
	if (counted != 1 || (out.verdict == XDP_TX) != (sent.reason == SL_R_SENT))
		sl_tap_bail("count a packet once",
			    "verdict %d to %u, counted %llu times, last as %s", out.verdict,
			    sl_rig_went_to(&out), (unsigned long long)counted,
			    sl_rig_label(sent.reason));
	if (out.verdict == XDP_TX)
		sent.backend = sl_rig_went_to(&out);
	sent.flows = sent_after.flows - sent_before.flows;
	sent.dropped = cnt->dropped - was.dropped;
	return sent;
}
