/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * controls: a comparison that cannot fail proves nothing. The model is made
 * wrong in one thing, memory is not, or the oracle breaks one rule (reach.h);
 * packets must show it.
 */
#include <stdio.h>
#include <string.h>

#include "tests/oracle/fuzz.h"
#include "tests/prog/tap.h"

#define ROUNDS	8u /* a configuration may lack what the control needs */
#define PACKETS 20000u

static void wrong_key(struct sl_oracle *o)
{
	o->key[1] ^= 1ull << 40;
}

static void wrong_idle(struct sl_oracle *o)
{
	for (unsigned i = 0; i < o->n_services; i++)
		o->service[i].idle_ticks++;
}

static void wrong_udp_flows(struct sl_oracle *o)
{
	for (unsigned i = 0; i < o->n_services; i++)
		o->service[i].remember = o->service[i].udp && !o->service[i].remember;
}

static void wrong_on_down(struct sl_oracle *o)
{
	for (unsigned i = 0; i < o->n_services; i++)
		o->service[i].down_drop = !o->service[i].down_drop;
}

static void wrong_spares(struct sl_oracle *o)
{
	for (unsigned i = 0; i < o->n_services; i++)
		memset(o->service[i].spare, 0, sizeof(o->service[i].spare));
}

static void wrong_hash3(struct sl_oracle *o)
{
	for (unsigned i = 0; i < o->n_services; i++)
		o->service[i].hash3 = false;
}

static void wrong_port0(struct sl_oracle *o)
{
	for (unsigned i = 0; i < o->n_addresses; i++)
		for (unsigned udp = 0; udp < 2; udp++)
			if (o->address[i].port0[udp] == SL_PORT0_ADDRESS)
				o->address[i].port0[udp] = SL_PORT0_NOTHING;
}

static void wrong_port(struct sl_oracle *o)
{
	o->service[0].port ^= 1;
}

static void wrong_transition(struct sl_oracle *o)
{
	for (uint32_t k = 0; k < o->service[1].n_slots; k++)
		o->service[1].slot[k].t = !o->service[1].slot[k].t;
}

static void wrong_egress(struct sl_oracle *o)
{
	o->egress[2] = 0;
}

/* Every backend of every service. */
static void each_backend(struct sl_oracle *o, void (*change)(struct sl_oracle_backend *b))
{
	for (unsigned i = 0; i < o->n_services; i++)
		for (unsigned k = 0; k < o->service[i].n_own; k++)
			change(&o->backend[o->service[i].own[k]]);
}

static void change_mac(struct sl_oracle_backend *b)
{
	b->macs[11] ^= 1;
}

static void change_state(struct sl_oracle_backend *b)
{
	if (b->state == SL_DP_DRAINING)
		b->state = SL_DP_DOWN;
}

static void change_track(struct sl_oracle_backend *b)
{
	b->drain_track = 0;
}

static void change_vlan(struct sl_oracle_backend *b)
{
	b->vlan ^= 1;
}

static void change_retags(struct sl_oracle_backend *b)
{
	b->retags = !b->retags;
}

static void change_target(struct sl_oracle_backend *b)
{
	b->daddr[3] ^= 1;
}

static void change_dport(struct sl_oracle_backend *b)
{
	b->dport ^= 1;
}

static void change_fwd(struct sl_oracle_backend *b)
{
	b->fwd = b->fwd == SL_FWD_GUE ? SL_FWD_IPIP : b->fwd;
}

static void wrong_vlan(struct sl_oracle *o)
{
	each_backend(o, change_vlan);
}

static void wrong_retags(struct sl_oracle *o)
{
	each_backend(o, change_retags);
}

static void wrong_target(struct sl_oracle *o)
{
	each_backend(o, change_target);
}

static void wrong_dport(struct sl_oracle *o)
{
	each_backend(o, change_dport);
}

static void wrong_fwd(struct sl_oracle *o)
{
	each_backend(o, change_fwd);
}

static void wrong_oversize(struct sl_oracle *o)
{
	for (unsigned i = 0; i < o->n_services; i++)
		o->service[i].oversize = !o->service[i].oversize;
}

static void wrong_quic(struct sl_oracle *o)
{
	for (unsigned i = 0; i < o->n_services; i++)
		o->service[i].quic = false;
}

static void wrong_mac(struct sl_oracle *o)
{
	each_backend(o, change_mac);
}

static void wrong_state(struct sl_oracle *o)
{
	each_backend(o, change_state);
}

static void wrong_track(struct sl_oracle *o)
{
	each_backend(o, change_track);
}

static const struct {
	const char *what;
	void (*make)(struct sl_oracle *o);
} controls[] = {
	{ "another key", wrong_key },
	{ "idle timeouts of a tick more", wrong_idle },
	{ "udp_flows the other way round", wrong_udp_flows },
	{ "on_down the other way round", wrong_on_down },
	{ "no spare lists", wrong_spares },
	{ "no hash3", wrong_hash3 },
	{ "addresses without services", wrong_port0 },
	{ "a service on another port", wrong_port },
	{ "T the other way round", wrong_transition },
	{ "an egress missing", wrong_egress },
	{ "other MACs", wrong_mac },
	{ "DRAINING taken for DOWN", wrong_state },
	{ "drains that are not counted", wrong_track },
	{ "other VLANs", wrong_vlan },
	{ "VLANs the other way round", wrong_retags },
	{ "other tunnels' ends", wrong_target },
	{ "other ports of tunnels", wrong_dport },
	{ "IPIP for GUE", wrong_fwd },
	{ "oversize the other way round", wrong_oversize },
	{ "QUIC as any UDP", wrong_quic },
};

/* Packets until a difference, with configurations that @make makes wrong. */
static uint64_t search(struct sl_fuzz *f, void (*make)(struct sl_oracle *o))
{
	uint64_t key[2] = { f->model.key[0], f->model.key[1] }, n;

	f->differences = 0;
	for (n = 0; n < ROUNDS * PACKETS && !f->differences; n++) {
		if (n % PACKETS == 0) {
			sl_fuzz_round(f);
			if (make)
				make(&f->model);
		}
		sl_fuzz_packet(f);
		if (n % PACKETS == PACKETS - 1)
			(void)sl_fuzz_whole(f); /* for what no packet is compared by */
	}
	memcpy(f->model.key, key, sizeof(key));
	return n;
}

static void found(struct sl_fuzz *f, const char *kind, const char *what, uint64_t n)
{
	char name[120];

	snprintf(name, sizeof(name), "%s %s is found out by packet %llu", kind, what,
		 (unsigned long long)n);
	sl_tap(f->differences > 0, name, "it is not");
}

void sl_control_all(struct sl_fuzz *f)
{
	enum sl_oracle_wrong wrong;

	f->quiet = true;
	/* the oracle in the program's place has the model that is made wrong */
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]) && !f->begin; i++)
		found(f, "a model with", controls[i].what, search(f, controls[i].make));
	for (wrong = SL_WRONG_NOTHING + 1; wrong < SL_WRONG_END; wrong++) {
		f->model.wrong = wrong;
		found(f, "an oracle that", sl_oracle_error(wrong), search(f, NULL));
	}
	f->model.wrong = SL_WRONG_NOTHING;
	memset(f->histogram, 0, sizeof(f->histogram));
	memset(f->sent_by, 0, sizeof(f->sent_by));
	memset(f->reach, 0, sizeof(f->reach));
	f->evictions = f->moved = f->differences = 0;
	f->quiet = false;
}
