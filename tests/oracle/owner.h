/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_OWNER_H
#define TESTS_ORACLE_OWNER_H

/* owner: the slot rules of lb_kern/README.md and DESIGN.md section 5: who gets a packet. */
#include "tests/oracle/walk.h"

enum sl_oracle_kind {
	SL_KIND_SYN,	  /* TCP, SYN without ACK */
	SL_KIND_TCP,	  /* TCP, other */
	SL_KIND_UDP_FLOW, /* a service that remembers flows */
	SL_KIND_UDP_NONE,
	SL_KIND_QUIC_INITIAL,
	SL_KIND_QUIC, /* other, or not known */
};

/* Where the flow of @hash lies in memory, and that nothing changes there. */
void sl_owner_look(struct sl_oracle_packet *p, const struct sl_oracle_service *s, uint64_t hash);

/*
 * Fills in the backend and the effects on flow memory, after sl_owner_look().
 * An ICMP error quotes a packet of the flow: memory is only read.
 * Returns SL_WHY_NONE when there is a backend.
 */
enum sl_oracle_why sl_owner_choose(struct sl_oracle_packet *p, const struct sl_oracle_service *s,
				   enum sl_oracle_kind kind);

#endif
