/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracle/oracle.h"

#include <stddef.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/oracle/owner.h"
#include "tests/oracle/walk.h"

#define ICMP4 1
#define ICMP6 58
#define FIN   0x01
#define SYN   0x02
#define RST   0x04
#define ACK   0x10

uint32_t sl_oracle_tick(const struct sl_oracle *o)
{
	return (uint32_t)(o->jiffies >> o->tick_shift);
}

uint16_t sl_oracle_fine_tick(const struct sl_oracle *o)
{
	return (uint16_t)(o->jiffies >> (o->tick_shift - 2)) & SL_DRAIN_TICK_MASK;
}

const char *sl_oracle_label(enum sl_oracle_why why)
{
	static const char *const label[SL_WHY_END] = {
#define LABEL(sym, text) [SL_WHY_##sym] = text,
		SL_ORACLE_WHYS(LABEL)
#undef LABEL
	};

	return why > SL_WHY_NONE && why < SL_WHY_END ? label[why] : "?";
}

const char *sl_oracle_branch(enum sl_oracle_branch branch)
{
	static const char *const label[] = {
#define LABEL(sym, text) [SL_BRANCH_##sym] = text,
		SL_ORACLE_BRANCHES(LABEL)
#undef LABEL
	};

	return label[branch];
}

const char *sl_oracle_error(enum sl_oracle_wrong wrong)
{
	static const char *const label[] = { [SL_WRONG_NOTHING] = "errs in nothing",
#define LABEL(sym, text) [SL_WRONG_##sym] = text,
					     SL_ORACLE_WRONGS(LABEL)
#undef LABEL
	};

	return label[wrong];
}

/* Section 5.1. -1: none; port 0 is no service's. */
int sl_walk_service(const struct sl_oracle *o, bool v6, const uint8_t *addr, uint32_t port,
		    bool udp)
{
	for (unsigned i = 0; i < o->n_services; i++) {
		const struct sl_oracle_service *s = &o->service[i];

		if (port && s->v6 == v6 && s->port == port && s->udp == udp &&
		    !memcmp(s->addr, addr, sl_addr_len(v6)))
			return (int)i;
	}
	return -1;
}

const struct sl_oracle_address *sl_walk_address(const struct sl_oracle *o, bool v6,
						const uint8_t *addr)
{
	for (unsigned i = 0; i < o->n_addresses; i++)
		if (o->address[i].v6 == v6 && !memcmp(o->address[i].addr, addr, sl_addr_len(v6)))
			return &o->address[i];
	return NULL;
}

uint64_t sl_walk_salt(const struct sl_oracle *o, const struct sl_oracle_service *s)
{
	__u64 addr[2] = {}, key[2] = { o->key[0], o->key[1] };

	memcpy(addr, s->addr, sl_addr_len(s->v6));
	return sl_hash_salt(addr, __builtin_bswap16(s->port), s->udp ? SL_UDP : SL_TCP, key);
}

uint64_t sl_walk_hash(const struct sl_oracle *o, const struct sl_oracle_service *s,
		      const uint8_t *client, uint32_t port)
{
	uint16_t port_be = s->hash3 ? 0 : __builtin_bswap16((uint16_t)port);
	__u64 salt = sl_walk_salt(o, s), key[2] = { o->key[0], o->key[1] }, six[2];
	uint32_t four;

	if (s->v6) {
		memcpy(six, client, 16);
		return sl_hash_flow(sl_hash_source6(six, key), port_be, salt);
	}
	memcpy(&four, client, 4);
	return sl_hash_flow(sl_hash_source4(four, key), port_be, salt);
}

/* Section 5.2. */
enum sl_oracle_why sl_walk_length(const struct sl_oracle_packet *p)
{
	if (p->ip.l4_len <= p->len - p->ip.l4)
		return SL_WHY_NONE;
	return p->ip.v6 ? SL_WHY_IP6_LENGTH : SL_WHY_IP4_LENGTH;
}

bool sl_walk_is_reflected(const struct sl_oracle_packet *p)
{
	return !memcmp(p->ip.source, p->ip.target, sl_addr_len(p->ip.v6));
}

/* What a packet that went to a backend leaves in the cells of a drain. */
static void mark_drain(struct sl_oracle_packet *p, const struct sl_oracle_backend *b,
		       uint32_t tcp_flags)
{
	uint32_t index = (uint32_t)(p->out->hash >> 24) & (SL_DRAIN_CELLS - 1);
	uint16_t was;

	if (!b->drain_track || b->state != SL_DP_DRAINING)
		return;
	was = p->o->cell[b->drain_track][index];
	p->out->marks = true;
	p->out->track = b->drain_track;
	p->out->index = (uint16_t)index;
	p->out->cell = SL_DRAIN_VALID | sl_oracle_fine_tick(p->o);
	if (tcp_flags & FIN || was & SL_DRAIN_CLOSING)
		p->out->cell |= SL_DRAIN_CLOSING;
	if (tcp_flags & RST)
		p->out->cell = 0;
}

/* To the backend that @kind of packet finds. */
static enum sl_oracle_why to_backend(struct sl_oracle_packet *p, uint64_t hash,
				     enum sl_oracle_kind kind, uint32_t tcp_flags)
{
	const struct sl_oracle_service *s = &p->o->service[p->out->service];
	enum sl_oracle_why why;

	sl_owner_look(p, s, hash);
	why = sl_guard_enter(p, kind == SL_KIND_SYN && !p->is_error);
	if (!why)
		why = sl_owner_choose(p, s, kind);
	if (why)
		return why;
	if (!p->is_error)
		mark_drain(p, &p->o->backend[p->out->backend], tcp_flags);
	return sl_send(p);
}

static enum sl_oracle_kind udp_kind(const struct sl_oracle_service *s)
{
	if (s->quic)
		return SL_KIND_QUIC;
	return s->remember ? SL_KIND_UDP_FLOW : SL_KIND_UDP_NONE;
}

enum sl_oracle_why sl_walk_error(struct sl_oracle_packet *p, const uint8_t *client, uint32_t port)
{
	const struct sl_oracle_service *s = &p->o->service[p->out->service];

	p->is_error = true;
	return to_backend(p, sl_walk_hash(p->o, s, client, port),
			  s->udp ? udp_kind(s) : SL_KIND_TCP, 0);
}

/* Section 5.5. */
static enum sl_oracle_why check_tcp(const struct sl_oracle_packet *p)
{
	const uint8_t *l4 = p->frame + p->ip.l4;
	uint32_t header, flags;

	if (sl_packet_l4(p) < 20 || p->ip.l4_len < 20)
		return SL_WHY_TCP_BAD;
	header = (l4[12] >> 4) * 4u;
	flags = l4[13];
	if (header < 20 || header > p->ip.l4_len || !(flags & (SYN | ACK | FIN | RST)))
		return SL_WHY_TCP_BAD;
	return flags & SYN && flags & (FIN | RST) ? SL_WHY_TCP_BAD : SL_WHY_NONE;
}

/* Section 5.6. */
static enum sl_oracle_why check_udp(const struct sl_oracle_packet *p)
{
	uint32_t length;

	if (sl_packet_l4(p) < 8 || p->ip.l4_len < 8)
		return SL_WHY_UDP_BAD;
	length = sl_parse_be16(p->frame + p->ip.l4 + 4);
	if (length < 8 || (length > p->ip.l4_len && p->ip.frag != SL_FRAG_FIRST))
		return SL_WHY_UDP_BAD;
	return SL_WHY_NONE;
}

/* Sections 4.3 and 5. */
static enum sl_oracle_why walk_ports(struct sl_oracle_packet *p)
{
	const uint8_t *l4 = p->frame + p->ip.l4;
	const struct sl_oracle_service *s;
	bool udp = p->ip.proto == SL_UDP;
	enum sl_oracle_kind kind;
	enum sl_oracle_why why;
	uint64_t hash;

	if (sl_packet_l4(p) < 4)
		return SL_WHY_L4_SHORT;
	p->out->service = sl_walk_service(p->o, p->ip.v6, p->ip.target, sl_parse_be16(l4 + 2), udp);
	if (p->out->service < 0)
		return SL_WHY_NO_SERVICE;
	s = &p->o->service[p->out->service];
	why = sl_walk_length(p);
	if (why)
		return why;
	if (sl_walk_is_reflected(p))
		return SL_WHY_SOURCE_BAD;
	if (!sl_parse_be16(l4))
		return SL_WHY_PORT_ZERO;
	why = udp ? check_udp(p) : check_tcp(p);
	if (why)
		return why;
	p->out->by = SL_BY_PORTS;
	hash = sl_walk_hash(p->o, s, p->ip.source, sl_parse_be16(l4));
	if (!udp) {
		kind = (l4[13] & (SYN | ACK)) == SYN ? SL_KIND_SYN : SL_KIND_TCP;
		return to_backend(p, hash, kind, l4[13]);
	}
	kind = s->quic && sl_quic_is_initial(p) ? SL_KIND_QUIC_INITIAL : udp_kind(s);
	return to_backend(p, hash, kind, 0);
}

/* Section 6. */
static enum sl_oracle_why walk_later(struct sl_oracle_packet *p)
{
	const struct sl_oracle_address *a = sl_walk_address(p->o, p->ip.v6, p->ip.target);
	const struct sl_oracle_service *s;
	enum sl_oracle_port0 port0;
	enum sl_oracle_why why;

	port0 = a ? a->port0[p->ip.proto == SL_UDP] : SL_PORT0_NOTHING;
	if (port0 == SL_PORT0_NOTHING)
		return SL_WHY_FRAGMENT;
	if (port0 == SL_PORT0_ADDRESS)
		return SL_WHY_FRAGMENT_DROPPED;
	p->out->service = a->hash3;
	p->out->by = SL_BY_FRAGMENT;
	s = &p->o->service[a->hash3];
	why = sl_walk_length(p);
	if (why)
		return why;
	if (sl_walk_is_reflected(p))
		return SL_WHY_SOURCE_BAD;
	return to_backend(p, sl_walk_hash(p->o, s, p->ip.source, 0), udp_kind(s), 0);
}

static enum sl_oracle_why walk_frame(struct sl_oracle_packet *p)
{
	enum sl_oracle_why why;
	uint32_t at;
	bool v6;

	why = sl_parse_eth(p->frame, p->first, &at, &v6);
	if (!why)
		why = sl_parse_ip(p->frame, p->first, at, v6, &p->ip);
	if (why)
		return why;
	if (p->ip.proto == (v6 ? ICMP6 : ICMP4))
		return sl_icmp_walk(p);
	if (p->ip.proto != SL_TCP && p->ip.proto != SL_UDP)
		return SL_WHY_L4_OTHER;
	return p->ip.frag == SL_FRAG_LATER ? walk_later(p) : walk_ports(p);
}

static bool is_drop(enum sl_oracle_why why)
{
	switch (why) {
	case SL_WHY_FRAGMENT_DROPPED:
	case SL_WHY_IP4_LENGTH:
	case SL_WHY_IP6_LENGTH:
	case SL_WHY_SOURCE_BAD:
	case SL_WHY_PORT_ZERO:
	case SL_WHY_TCP_BAD:
	case SL_WHY_UDP_BAD:
	case SL_WHY_ECHO_LIMITED:
	case SL_WHY_SLOT_EMPTY:
	case SL_WHY_NO_BACKEND:
	case SL_WHY_BACKEND_DOWN:
	case SL_WHY_NO_NEXT_HOP:
	case SL_WHY_TOO_BIG:
	case SL_WHY_TOO_BIG_LIMITED:
	case SL_WHY_NO_PORT:
	case SL_WHY_GUARD_DENIED:
	case SL_WHY_GUARD_SOURCE:
	case SL_WHY_GUARD_SERVICE:
		return true;
	default:
		return false;
	}
}

/* WALK.md 8.7. */
static uint32_t bytes_of(const struct sl_oracle_packet *p)
{
	const uint8_t *ip = p->frame + p->ip.at;

	if (p->out->why != SL_WHY_SENT)
		return 0;
	return p->ip.at + (p->ip.v6 ? 40 + sl_parse_be16(ip + 4) : sl_parse_be16(ip + 2));
}

void sl_oracle_walk(const struct sl_oracle *o, const uint8_t *frame, uint32_t len, uint32_t first,
		    uint32_t ingress, struct sl_oracle_out *ret)
{
	struct sl_oracle_packet p = {
		.o = o, .frame = frame, .len = len, .first = first, .ingress = ingress, .out = ret
	};

	memset(ret, 0, offsetof(struct sl_oracle_out, byte));
	memset(&ret->is_flow, 0, sizeof(*ret) - offsetof(struct sl_oracle_out, is_flow));
	ret->service = -1;
	ret->len = len;
	ret->why = walk_frame(&p);
	ret->bytes = o->wrong == SL_WRONG_BYTES ? len : bytes_of(&p);
	if (is_drop(ret->why))
		ret->verdict = SL_ORACLE_DROP;
}

void sl_oracle_commit(struct sl_oracle *o, const struct sl_oracle_out *out, unsigned way)
{
	struct sl_oracle_slot *slot;

	if (out->has_limit)
		o->limit = out->limit;
	if (out->guard.asked) {
		const struct sl_oracle_guard *guard = &out->guard;
		struct sl_oracle_service *s = &o->service[out->service];

		for (unsigned i = 0; i < SL_GUARD_LEVELS; i++)
			o->guard_set[guard->set[i]] = guard->after[i];
		memcpy(s->pool, guard->pool, sizeof(s->pool));
		memcpy(s->credit, guard->credit, sizeof(s->credit));
	}
	if (!out->has_hash)
		return;
	memcpy(o->entry[out->set], out->after, sizeof(out->after));
	if (out->ways)
		o->entry[out->set][way] = out->insert;
	slot = &o->service[out->service].slot[out->slot];
	if (out->seen)
		slot->seen = (uint16_t)sl_oracle_tick(o);
	if (out->marks)
		o->cell[out->track][out->index] = out->cell;
}
