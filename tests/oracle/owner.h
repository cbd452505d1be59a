/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_OWNER_H
#define TESTS_ORACLE_OWNER_H

/* owner: the slot rules of lb_kern/README.md and DESIGN.md section 5: who gets a packet. */
#include "tests/oracle/oracle.h"

enum sl_oracle_kind {
	SL_KIND_SYN,	  /* TCP, SYN without ACK */
	SL_KIND_TCP,	  /* TCP, other */
	SL_KIND_UDP_FLOW, /* a service that remembers flows */
	SL_KIND_UDP_NONE,
	SL_KIND_QUIC_INITIAL,
	SL_KIND_QUIC, /* other, or not known */
};

/*
 * Fills in the backend and the effects on flow memory. @quoted: an ICMP error
 * quotes a packet of the flow, so memory is only read.
 * Returns SL_WHY_NONE when there is a backend.
 */
enum sl_oracle_why sl_owner_choose(const struct sl_oracle *o, const struct sl_oracle_service *s,
				   uint64_t hash, enum sl_oracle_kind kind, bool quoted,
				   struct sl_oracle_out *out);

#endif
