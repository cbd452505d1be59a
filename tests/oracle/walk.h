/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_WALK_H
#define TESTS_ORACLE_WALK_H

/* walk: a packet on its way, for the files that each hold a part of lb_kern/WALK.md. */
#include "tests/oracle/parse.h"

#define SL_TCP 6
#define SL_UDP 17

struct sl_oracle_packet {
	const struct sl_oracle *o;
	const uint8_t *frame;
	uint32_t len;	/* of all its buffers */
	uint32_t first; /* of the first, in which whatever is read must lie */
	uint32_t ingress;
	struct sl_oracle_ip ip;
	bool is_error; /* an ICMP error, forwarded for what it quotes */
	struct sl_oracle_out *out;
};

static inline uint32_t sl_addr_len(bool v6)
{
	return v6 ? 16 : 4;
}

/* Bytes from the start of L4 on that can be read. */
static inline uint32_t sl_packet_l4(const struct sl_oracle_packet *p)
{
	return p->first - p->ip.l4;
}

static inline void sl_packet_reach(struct sl_oracle_packet *p, enum sl_oracle_branch branch)
{
	p->out->reach[branch] = true;
}

static inline bool sl_packet_is_wrong(const struct sl_oracle_packet *p, enum sl_oracle_wrong wrong)
{
	return p->o->wrong == wrong;
}

/* oracle.c, section 5. -1: none. */
int sl_walk_service(const struct sl_oracle *o, bool v6, const uint8_t *addr, uint32_t port,
		    bool udp);
/* NULL: none of its services is ours. */
const struct sl_oracle_address *sl_walk_address(const struct sl_oracle *o, bool v6,
						const uint8_t *addr);
uint64_t sl_walk_salt(const struct sl_oracle *o, const struct sl_oracle_service *s);
uint64_t sl_walk_hash(const struct sl_oracle *o, const struct sl_oracle_service *s,
		      const uint8_t *client, uint32_t port);
/* 5.2 */
enum sl_oracle_why sl_walk_length(const struct sl_oracle_packet *p);
/* 5.3 */
bool sl_walk_is_reflected(const struct sl_oracle_packet *p);

/* An ICMP error, to whom the flow of @client and its service has; 7.2 after it is known to be ours.
 */
enum sl_oracle_why sl_walk_error(struct sl_oracle_packet *p, const uint8_t *client, uint32_t port);

/* icmp.c: section 7. */
enum sl_oracle_why sl_icmp_walk(struct sl_oracle_packet *p);
/* What makes the source one that is not answered (7.3). @ret_group: it is the destination MAC. */
bool sl_icmp_is_refused(const struct sl_oracle_packet *p, bool *ret_group);

/* guard.c: 5a, before the backend is chosen. @syn: the packet begins a flow. */
enum sl_oracle_why sl_guard_enter(struct sl_oracle_packet *p, bool syn);
/* The same of a UDP flow that is about to be remembered. */
enum sl_oracle_why sl_guard_flow(struct sl_oracle_packet *p);

/* list.c: 5a.1. 0: no prefix decides. */
enum sl_guard_verdict sl_list_verdict(struct sl_oracle_packet *p);
bool sl_list_has(const struct sl_oracle_prefix *x, bool v6, const uint8_t *addr);
uint32_t sl_list_index(bool v6, const uint8_t *addr);

/* quic.c: 5.8. */
bool sl_quic_is_initial(struct sl_oracle_packet *p);

/* limit.c: one answer more; false: too many in this fine tick. */
bool sl_limit_echo(struct sl_oracle_packet *p);
bool sl_limit_too_big(struct sl_oracle_packet *p);

/* send.c: section 8, to the backend that was chosen, with the hash of @p->out. */
enum sl_oracle_why sl_send(struct sl_oracle_packet *p);

/* too_big.c: 8.2. SL_WHY_NONE: it is sent. */
enum sl_oracle_why sl_too_big(struct sl_oracle_packet *p, const struct sl_oracle_backend *b);
/* Whether an IPv4 packet says that it must not be fragmented. */
bool sl_too_big_has_df(const struct sl_oracle_packet *p);

/* outer.c: 8.4: the outer headers at @at, the packet behind them. Returns the frame's end. */
uint32_t sl_outer_put(struct sl_oracle_packet *p, const struct sl_oracle_backend *b, uint32_t at);

/* outer_sum.c: 8a, for the IPv6 header at @outer, its UDP checksum still 0. */
uint32_t sl_outer_sum(struct sl_oracle_packet *p, uint32_t outer);

#endif
