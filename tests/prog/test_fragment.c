/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_fragment: a service with hash3 has one backend for all that a client
 * sends it: the pieces of a datagram, and datagrams from any port. Without
 * hash3 the first piece is balanced and the others are dropped.
 */
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/prog/fixture.h"
#include "tests/prog/tap.h"

#define BACKENDS 16u
#define SLOTS	 1021u
#define CLIENTS	 3000u
#define FIRST_ID 200u /* of the backends */

static struct sl_rig rig;

static void service(uint16_t id, const char *addr, uint16_t flags)
{
	sl_rig_service(&rig, &(struct sl_rig_service){ .id = id,
						       .addr = addr,
						       .port = 53,
						       .proto = IPPROTO_UDP,
						       .base = 4000u * id,
						       .count = SLOTS,
						       .flags = flags });
	for (uint32_t i = 0; i < SLOTS; i++) {
		uint32_t owner = FIRST_ID + i % BACKENDS;

		rig.mem->slots[4000u * id + i] = SL_SLOT(owner, false, owner);
	}
	sl_rig_address(&rig, addr, flags & SL_SF_HASH3 ? id : SL_SERVICE_ADDRESS);
}

/* One piece of client @n's datagram: offset in units of 8 bytes, more to come or not. */
static struct sl_packet piece(const char *to, uint64_t n, uint16_t sport, uint16_t offset,
			      bool more)
{
	bool is_v6 = strchr(to, ':');
	struct sl_packet_spec spec = {
		.from = is_v6 ? SL_FIX_CLIENT_V6 : SL_FIX_CLIENT_V4,
		.to = to,
		.dport = 53,
		.proto = IPPROTO_UDP,
		.payload = 16,
		.ext = { 44 },
		.n_ext = is_v6 && (offset || more),
		.frag = (uint16_t)(is_v6 ? offset << 3 | more : offset | (more ? 0x2000 : 0)),
	};
	struct sl_packet p = sl_fix_build(&spec);

	sl_packet_flow(&p, n * 32768); /* another address each time */
	sl_packet_put16(p.byte + p.l4, sport);
	if (more && !offset)
		sl_packet_put16(p.byte + p.l4 + 4, 3000); /* the whole datagram's */
	if (offset)
		for (unsigned i = 0; i < 8; i++) /* data, which are no ports */
			p.byte[p.l4 + i] = (uint8_t)(n * 31 + i * offset);
	return p;
}

/* The backend it went to; 0: it did not. */
static uint16_t went(const struct sl_packet *p)
{
	static struct sl_rig_out out;

	sl_rig_run(&rig, p->byte, p->len, &out);
	return out.verdict == XDP_TX ? sl_rig_went_to(&out) : 0;
}

static void together(uint16_t id, const char *addr)
{
	unsigned apart = 0, astray = 0, per[BACKENDS] = {}, used = 0;
	char name[100];

	for (uint64_t n = 0; n < CLIENTS; n++) {
		struct sl_packet first = piece(addr, n, 5353, 0, true);
		struct sl_packet middle = piece(addr, n, 0, 3, true);
		struct sl_packet last = piece(addr, n, 0, 185, false);
		struct sl_packet other = piece(addr, n, (uint16_t)(1024 + n), 0, false);
		uint16_t owner = (uint16_t)(FIRST_ID +
					    (sl_rig_slot(&rig, id, sl_rig_hash(&rig, id, &first)) -
					     4000u * id) %
						    BACKENDS);

		astray += went(&first) != owner;
		apart += went(&middle) != owner;
		apart += went(&last) != owner;
		apart += went(&other) != owner;
		per[owner - FIRST_ID]++;
	}
	for (unsigned i = 0; i < BACKENDS; i++)
		used += per[i] > CLIENTS / BACKENDS / 2;
	snprintf(name, sizeof(name), "%s: %u first fragments go by address alone", addr, CLIENTS);
	sl_tap(!astray && used == BACKENDS, name, "%u do not, %u backends used", astray, used);
	snprintf(name, sizeof(name), "%s: later ones and other datagrams of the client follow",
		 addr);
	sl_tap(!apart, name, "%u of %u do not", apart, 3 * CLIENTS);
}

static void without(uint16_t id, const char *addr)
{
	unsigned astray = 0, sent = 0;
	struct sl_packet p;
	char name[100];

	sl_rig_mark(&rig);
	for (uint64_t n = 0; n < CLIENTS; n++) {
		p = piece(addr, n, (uint16_t)(1024 + n), 0, true);
		astray += went(&p) != FIRST_ID + (sl_rig_slot(&rig, id, sl_rig_hash(&rig, id, &p)) -
						  4000u * id) %
							 BACKENDS;
		p = piece(addr, n, 0, 3, true);
		sent += went(&p) > 0;
		p = piece(addr, n, 0, 185, false);
		sent += went(&p) > 0;
	}
	snprintf(name, sizeof(name), "%s, without hash3: first fragments go by address and port",
		 addr);
	sl_tap(!astray, name, "%u do not", astray);
	snprintf(name, sizeof(name), "%s, without hash3: later ones are dropped and counted", addr);
	sl_tap(!sent && sl_rig_reason(&rig, SL_R_FRAGMENT_DROPPED) == 2 * CLIENTS, name,
	       "%u were sent", sent);
}

int main(void)
{
	sl_rig_open(&rig);
	for (uint16_t i = 0; i < BACKENDS; i++)
		sl_rig_backend(&rig, (uint16_t)(FIRST_ID + i), SL_DP_UP, SL_RIG_LO, 0);
	service(1, SL_FIX_HASH_V4, SL_SF_HASH3);
	service(2, SL_FIX_HASH_V6, SL_SF_HASH3);
	service(3, SL_FIX_V4, 0);
	service(4, SL_FIX_V6, 0);
	together(1, SL_FIX_HASH_V4);
	together(2, SL_FIX_HASH_V6);
	without(3, SL_FIX_V4);
	without(4, SL_FIX_V6);
	sl_rig_close(&rig);
	return sl_tap_done();
}
