/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make_corpus [SEED]: prints tests/fuzz/corpus/packet.hex. The oracle's generator
 * makes frames for the fuzz worlds' services; of each world, reason, backend
 * and family the shortest is kept, with whether the hot walk took it.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz_walk.h"
#include "tests/oracle/gen.h"

#define TRIES 60000u /* of each world */

struct kept {
	uint32_t len;
	uint8_t byte[SL_ORACLE_FRAME];
};

/* What the generator wants to know: services and addresses. */
static struct sl_oracle *model(void)
{
	struct sl_oracle *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	for (unsigned i = 0; i < FUZZ_SERVICES; i++) {
		const struct fuzz_service *f = &fuzz_services[i];
		struct sl_oracle_service *s = &o->service[i];
		unsigned a;

		s->id = (uint16_t)(i + 1);
		s->v6 = strchr(f->addr, ':');
		s->udp = f->proto == IPPROTO_UDP;
		s->port = f->port;
		s->hash3 = f->flags & SL_SF_HASH3;
		inet_pton(s->v6 ? AF_INET6 : AF_INET, f->addr, s->addr);
		for (a = 0; a < o->n_addresses; a++)
			if (o->address[a].v6 == s->v6 && !memcmp(o->address[a].addr, s->addr, 16))
				break;
		if (a == SL_ORACLE_ADDRESSES)
			abort();
		o->address[a].v6 = s->v6;
		memcpy(o->address[a].addr, s->addr, 16);
		if (a == o->n_addresses)
			o->n_addresses++;
	}
	o->n_services = FUZZ_SERVICES;
	return o;
}

static void keep(struct kept *k, const uint8_t *frame, uint32_t len)
{
	if (k->len && k->len <= len)
		return;
	k->len = len;
	memcpy(k->byte, frame, len);
}

static void try(unsigned world, const uint8_t *frame, uint32_t len, struct kept *kept)
{
	const struct fuzz_world *w = fuzz_world(world);
	struct fuzz_walked hot, any;
	unsigned row;

	fuzz_world_begin(w);
	fuzz_walk(w, frame, len, false, &hot);
	fuzz_world_begin(w);
	fuzz_walk(w, frame, len, true, &any);
	row = any.backend ? SL_REASONS_MAX + any.backend : any.reason;
	keep(&kept[4 * row + 2 * (hot.action == FUZZ_LEFT) + (len > 13 && frame[12] == 0x86)],
	     frame, len);
	free(hot.block);
	free(any.block);
}

int main(int argc, char **argv)
{
	static struct kept kept[4 * (SL_REASONS_MAX + FUZZ_BACKENDS + 1)];
	static uint8_t frame[SL_ORACLE_FRAME];
	struct sl_gen gen;

	sl_gen_seed(&gen, argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
	gen.o = model();
	for (unsigned world = 0; world < FUZZ_WORLDS; world++) {
		memset(kept, 0, sizeof(kept));
		for (unsigned i = 0; i < TRIES; i++) {
			uint32_t len = sl_gen_frame(&gen, frame);

			try(world, frame, len, kept);
		}
		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
			if (!kept[i].len || (world && i < 4 * SL_R_SLOT_EMPTY))
				continue; /* what does not depend on the world, once */
			printf("%02x", world);
			for (uint32_t n = 0; n < kept[i].len; n++)
				printf("%02x", kept[i].byte[n]);
			putchar('\n');
		}
	}
	free((void *)gen.o);
	return 0;
}
