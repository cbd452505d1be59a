/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_GEN_H
#define TESTS_ORACLE_GEN_H

/*
 * gen: frames by chance, most of them nearly right: headers are built in order,
 * for the services of a model, then one or two things are spoiled. The same
 * seed gives the same frames.
 */
#include <stdbool.h>
#include <stdint.h>

#include "tests/oracle/oracle.h"

#define SL_GEN_FIELDS 96u

struct sl_gen {
	uint64_t x; /* xorshift; never 0 */
	const struct sl_oracle *o;
	unsigned n_fields;
	struct {
		uint16_t at;
		uint8_t bytes;
	} field[SL_GEN_FIELDS]; /* worth spoiling */
	uint32_t n;
	uint8_t *byte; /* the frame in the making */
	bool is_first; /* what is put is a first fragment */
};

void sl_gen_seed(struct sl_gen *g, uint64_t seed);
uint64_t sl_gen_next(struct sl_gen *g);
/* Below @n; 0 if @n is 0. */
uint32_t sl_gen_below(struct sl_gen *g, uint32_t n);
bool sl_gen_one_in(struct sl_gen *g, uint32_t n);

/* A frame of 14 to SL_ORACLE_FRAME bytes. Returns its length. */
uint32_t sl_gen_frame(struct sl_gen *g, uint8_t ret[SL_ORACLE_FRAME]);

/* How much of the frame just made is in its first buffer; mostly all of it. */
uint32_t sl_gen_first(struct sl_gen *g);

/* An address that packets of the family use as their source. */
void sl_gen_client(struct sl_gen *g, bool v6, uint8_t ret[16]);

/* gen_l4.c: what follows an IP header, for gen.c. */
struct sl_gen_flow {
	bool v6, udp;
	uint8_t client[16], target[16];
	uint16_t cport, tport;
};

enum sl_gen_l4 {
	SL_GEN_TRANSPORT, /* TCP or UDP as the flow says */
	SL_GEN_ECHO,
	SL_GEN_ERROR,
	SL_GEN_ICMP, /* neither */
	SL_GEN_OTHER,
};

void sl_gen_flow(struct sl_gen *g, struct sl_gen_flow *ret);
/* An IP packet; @quoted: one that the flow's service sent, inside an error. */
void sl_gen_ip(struct sl_gen *g, const struct sl_gen_flow *f, bool quoted);
uint8_t sl_gen_l4_proto(struct sl_gen *g, const struct sl_gen_flow *f, enum sl_gen_l4 kind);
/* @ip: offset of its IP header, for checksums. */
void sl_gen_l4_put(struct sl_gen *g, const struct sl_gen_flow *f, enum sl_gen_l4 kind, bool quoted,
		   uint32_t ip);

/* Appends @n zeros (as far as there is room). Returns their offset. */
uint32_t sl_gen_room(struct sl_gen *g, uint32_t n);
void sl_gen_put(struct sl_gen *g, uint32_t at, unsigned bytes, uint32_t value);
void sl_gen_note(struct sl_gen *g, uint32_t at, unsigned bytes);

#endif
