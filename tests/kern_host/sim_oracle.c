/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_oracle: what must be true, told from what was sent and what backends did,
 * without a look at slots or memory. It knows where each flow began.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/hash.h>

#include "lb_user/domain/maglev.h"
#include "tests/kern_host/sim.h"

#define STORIES_MAX 2 /* of one history */

/* What was so when the packet came in. */
struct before {
	uint64_t seq, now, packets, mid;
	uint32_t word;
	uint16_t seen;
	uint8_t state; /* of the backend the flow is with */
	bool quiet;    /* a settled slot whose owner is UP */
	uint64_t entry;
	struct sl_exc_set set;
	struct sl_exc_cnt cnt;
};

static void tell(const struct sim_flow *f, const struct before *was, const char *what,
		 enum sl_reason why, uint32_t to)
{
	if (sim.fault != SIM_OK || sim.stories++ >= STORIES_MAX)
		return;
	sim_story();
	printf("# %s: history seed %llu modes %u, packet %llu, flow %u of service %u\n", what,
	       (unsigned long long)sim.seed, sim.modes, (unsigned long long)sim.stats.packets,
	       (uint32_t)(f - sim.flow), f->service);
	printf("#   began on %u (state %u), last packet %.3f s ago of %u s; reason %u, to %u (state"
	       " %u)\n",
	       f->backend, sim_state(f->backend), (double)(platform_jiffies - f->last) / sim.hz,
	       sim.service[f->service].idle_s, why, to, sim_state(to));
	printf("#   slot cur=%u T=%d old=%u seen %d ticks ago of %u; memory %u age %llu\n",
	       SL_SLOT_CUR(was->word), !!(was->word & SL_SLOT_T), SL_SLOT_OLD(was->word),
	       (uint16_t)((was->now >> sl_tick_shift) - was->seen),
	       sim_idle_ticks(sim.service[f->service].idle_s), SL_EXC_BACKEND(was->entry),
	       (unsigned long long)(((was->now >> sl_tick_shift) - was->entry) & 0xff));
}

static void look_before(const struct sim_flow *f, struct before *was)
{
	const struct sim_service *s = &sim.service[f->service];
	uint32_t slot = sl_hash_range(f->hash, s->slots.count);

	was->seq = sim.seq;
	was->now = platform_jiffies;
	was->packets = sim.stats.packets;
	was->mid = sim.stats.mid;
	was->word = s->slots.word[slot];
	was->seen = s->slots.seen[slot];
	was->state = sim_state(f->backend);
	was->entry = sim_entry_of(f->hash);
	was->set = sl_exceptions[sl_hash_exc_set(f->hash, SL_EXC_SETS)];
	was->cnt = *sl_cnt_exc;
	was->quiet = s->kind == SIM_TCP && !(was->word & SL_SLOT_T) &&
		     sim_state(SL_SLOT_CUR(was->word)) == SL_DP_UP;
}

/* Flood: nobody reads or writes flow memory where nothing changes. */
static void check_quiet(const struct sim_flow *f, const struct before *was)
{
	const struct sl_exc_set *set = &sl_exceptions[sl_hash_exc_set(f->hash, SL_EXC_SETS)];

	if (!was->quiet || sim.stats.packets != was->packets || sim.stats.mid != was->mid)
		return;
	sim.stats.quiet++;
	sim.stats.quiet_touched += memcmp(set, &was->set, sizeof(*set)) ||
				   memcmp(sl_cnt_exc, &was->cnt, sizeof(was->cnt));
}

static bool was_up_meanwhile(uint32_t id, const struct before *was)
{
	return sim_state(id) == SL_DP_UP || sim.left_up[id] > was->seq;
}

static bool has_up_backend(const struct sim_service *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->backend[i].weight && sim_state(s->backend[i].id) == SL_DP_UP)
			return true;
	return false;
}

static void check_new(struct sim_flow *f, const struct before *was, enum sl_reason why, uint32_t to)
{
	const struct sim_service *s = &sim.service[f->service];

	sim.stats.new_flows++;
	f->lost = false;
	f->alive = why == SL_R_NEXT;
	if (f->alive) {
		f->backend = to;
		f->gen = sim.gen[to];
		if (!was_up_meanwhile(to, was)) {
			sim.stats.undrained++;
			tell(f, was, "new flow to who takes none", why, to);
		}
	} else if (sim.seq == was->seq && sim.stats.mid == was->mid && !sim.nested &&
		   has_up_backend(s)) {
		sim.stats.refused++;
		tell(f, was, "refused although a backend is UP", why, to);
	}
}

/* The shortest timeout that was promised since the flow's last packet. */
static uint64_t idle_limit(const struct sim_flow *f)
{
	const struct sim_service *s = &sim.service[f->service];

	return f->last < s->idle_changed ? s->idle_low : s->idle_jiffies;
}

/* Whether something is promised to this flow's packet. */
static bool is_bound(const struct sim_flow *f, const struct before *was)
{
	if (!f->alive || f->lost || f->gen != sim.gen[f->backend])
		return false;
	if (was->state == SL_DP_DOWN || sim.went_down[f->backend] > was->seq)
		return false;
	return platform_jiffies - f->last < idle_limit(f);
}

static void check_known(struct sim_flow *f, const struct before *was, enum sl_reason why,
			uint32_t to)
{
	if (!is_bound(f, was)) {
		f->lost = true;
		return;
	}
	sim.stats.checked++;
	if (why == SL_R_NEXT && to == f->backend)
		return;
	sim.stats.misrouted++;
	tell(f, was, "misrouted", why, to);
	f->lost = true;
}

/* As the walk has read it when it asks for a backend. */
static struct pkt packet_of(const struct sim_flow *f)
{
	const struct sim_service *s = &sim.service[f->service];

	return (struct pkt){ .hash = f->hash,
			     .service = s->id,
			     .proto = s->kind == SIM_TCP ? IPPROTO_TCP : IPPROTO_UDP,
			     .saddr_be = { sim_flow_addr_be(f) },
			     .sport_be = sim_flow_port_be(f) };
}

/* An error about the flow goes where the flow is, and leaves no trace. */
void sim_quote(struct sim_flow *f)
{
	struct sim_service *s = &sim.service[f->service];
	struct pkt p = packet_of(f);
	const uint16_t *seen = &s->slots.seen[sl_hash_range(f->hash, s->slots.count)];
	struct before was;
	enum sl_reason why;

	p.is_quoted = true;
	look_before(f, &was);
	why = sim_pick(&p, s->id);
	sim.stats.packets++;
	sim.stats.quoted++;
	sim.stats.quoted_wrote += *seen != was.seen || sim_entry_of(f->hash) != was.entry;
	if (is_bound(f, &was) && s->kind != SIM_UDP_NONE)
		check_known(f, &was, why, p.backend);
}

/* UDP has no SYN: who is not bound begins anew. */
static void check_udp(struct sim_flow *f, const struct before *was, enum sl_reason why,
		      const struct pkt *p)
{
	if (is_bound(f, was) && sim.service[f->service].kind == SIM_UDP_FLOW) {
		check_known(f, was, why, p->backend);
	} else if (p->new_flow || sim.service[f->service].kind == SIM_UDP_NONE) {
		check_new(f, was, why, p->backend);
	} else { /* still known, although nobody promised that it would be */
		f->alive = why == SL_R_NEXT;
		f->backend = p->backend;
		f->gen = sim.gen[p->backend];
	}
}

void sim_send(struct sim_flow *f, uint8_t tcp_flags)
{
	struct sim_service *s = &sim.service[f->service];
	struct pkt p = packet_of(f);
	bool arm = sim.mid_wanted && !sim.in_packet && !sim.in_event && !sim.nested;
	struct before was;
	enum sl_reason why;

	if (s->kind == SIM_TCP)
		p.tcp_flags = tcp_flags;
	sim.stats.packets++;
	if (arm && sim_chance(25))
		sim_last_jiffy();
	look_before(f, &was);
	f->busy = true;
	if (arm) {
		sim.in_packet = true;
		sim.step_budget = 2; /* a packet is on its way for microseconds */
		sim.focus = sim_chance(80) ? SL_SLOT_CUR(was.word) : SL_SLOT_OLD(was.word);
		sim_mid_arm(1 + sim_below(sim_chance(70) ? 5 : 30));
	}
	why = sim_pick(&p, s->id);
	if (arm) {
		sim.in_packet = false;
		sim.focus = 0;
		sim_mid_arm(0);
		sim.mid_wanted = sim.stats.mid == was.mid;
	}
	f->busy = false;
	sim_fault_after_packet(&p, was.entry);

	if ((uint32_t)(f - sim.flow) == sim.watch)
		sim_note("flow %u: flags %x, slot was cur=%u T=%d old=%u, memory was %u, is %u: to "
			 "%u",
			 sim.watch, tcp_flags, SL_SLOT_CUR(was.word), !!(was.word & SL_SLOT_T),
			 SL_SLOT_OLD(was.word), SL_EXC_BACKEND(was.entry),
			 SL_EXC_BACKEND(sim_entry_of(f->hash)), p.backend);
	check_quiet(f, &was);
	if (why == SL_R_NEXT && sim.owner[p.backend] != f->service + 1) {
		sim.stats.foreign++;
		tell(f, &was, "to another service's backend", why, p.backend);
	}
	if (s->kind != SIM_TCP)
		check_udp(f, &was, why, &p);
	else if (tcp_flags == PKT_TCP_SYN)
		sim.stats.reused += was.entry != 0, check_new(f, &was, why, p.backend);
	else
		check_known(f, &was, why, p.backend);
	f->last = was.now;
}

/* Agreement and spread. */
void sim_check_table(struct sim_service *s)
{
	static uint16_t owners[SL_SLOTS_TOTAL];
	static uint32_t owned[SL_BACKENDS_MAX];
	static const uint64_t key[2] = { 1, 2 };
	struct sl_maglev_member m[SIM_BACKENDS_MAX];
	uint32_t n = 0, sum = 0, shift = s->n ? sim_below(s->n) : 0, wrong = 0;

	for (uint32_t k = 0; k < s->n; k++) {
		const struct sim_backend *b = &s->backend[(k + shift) % s->n];

		owned[b->id] = 0;
		sum += b->weight;
		if (b->weight)
			m[n++] = (struct sl_maglev_member){ b->name, b->id, b->weight };
	}
	if (sl_maglev_fill(m, n, key, s->slots.count, owners, NULL) < 0)
		abort();
	for (uint32_t i = 0; i < s->slots.count; i++) {
		uint32_t cur = SL_SLOT_CUR(s->slots.word[i]);

		wrong += cur != owners[i];
		owned[cur]++;
	}
	sim.stats.tables++;
	sim.stats.disagreed += wrong != 0;
	for (uint32_t k = 0; k < n && s->slots.count >= 100 * n; k++) {
		double fair = (double)s->slots.count * m[k].weight / sum;
		double off = owned[m[k].id] - fair;

		if (off > 1 + fair / 100 || off < -1 - fair / 100)
			sim.stats.unspread++;
	}
}

bool sim_stats_good(const struct sim_stats *st)
{
	return !(st->misrouted || st->foreign || st->undrained || st->refused ||
		 st->quiet_touched || st->disagreed || st->unspread || st->not_neutral ||
		 st->exc.failed || st->exc.evicted_unconfirmed);
}
