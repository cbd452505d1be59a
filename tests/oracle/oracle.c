/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracle/oracle.h"

#include <stddef.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/oracle/owner.h"
#include "tests/oracle/parse.h"

#define TCP   6
#define UDP   17
#define ICMP4 1
#define ICMP6 58
#define FIN   0x01
#define SYN   0x02
#define RST   0x04
#define ACK   0x10

/* A frame on its way. */
struct walk {
	const struct sl_oracle *o;
	const uint8_t *frame;
	uint32_t len, ingress;
	struct sl_oracle_ip ip;
	struct sl_oracle_out *out;
};

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

static uint32_t addr_len(bool v6)
{
	return v6 ? 16 : 4;
}

/* Bytes of the frame from the start of L4 on. */
static uint32_t l4_left(const struct walk *w)
{
	return w->len - w->ip.l4;
}

/* Section 5.1. -1: none; port 0 is no service's. */
static int service_of(const struct sl_oracle *o, bool v6, const uint8_t *addr, uint32_t port,
		      bool udp)
{
	for (unsigned i = 0; i < o->n_services; i++) {
		const struct sl_oracle_service *s = &o->service[i];

		if (port && s->v6 == v6 && s->port == port && s->udp == udp &&
		    !memcmp(s->addr, addr, addr_len(v6)))
			return (int)i;
	}
	return -1;
}

static const struct sl_oracle_address *address_of(const struct sl_oracle *o, bool v6,
						  const uint8_t *addr)
{
	for (unsigned i = 0; i < o->n_addresses; i++)
		if (o->address[i].v6 == v6 && !memcmp(o->address[i].addr, addr, addr_len(v6)))
			return &o->address[i];
	return NULL;
}

static uint64_t hash_of(const struct sl_oracle *o, const struct sl_oracle_service *s,
			const uint8_t *client, uint32_t port)
{
	uint16_t port_be = s->hash3 ? 0 : __builtin_bswap16((uint16_t)port);
	__u64 salt, addr[2] = {}, key[2] = { o->key[0], o->key[1] }, six[2];
	uint32_t four;

	memcpy(addr, s->addr, addr_len(s->v6));
	salt = sl_hash_salt(addr, __builtin_bswap16(s->port), s->udp ? UDP : TCP, key);
	if (s->v6) {
		memcpy(six, client, 16);
		return sl_hash_flow(sl_hash_source6(six, key), port_be, salt);
	}
	memcpy(&four, client, 4);
	return sl_hash_flow(sl_hash_source4(four, key), port_be, salt);
}

/* Section 5.2. */
static enum sl_oracle_why check_length(const struct walk *w)
{
	if (w->ip.l4_len <= l4_left(w))
		return SL_WHY_NONE;
	return w->ip.v6 ? SL_WHY_IP6_LENGTH : SL_WHY_IP4_LENGTH;
}

static bool source_is_target(const struct walk *w)
{
	return !memcmp(w->ip.source, w->ip.target, addr_len(w->ip.v6));
}

/* What a packet that went to a backend leaves in the cells of a drain. */
static void mark_drain(struct walk *w, const struct sl_oracle_backend *b, int tcp_flags)
{
	uint32_t index = (uint32_t)(w->out->hash >> 24) & (SL_DRAIN_CELLS - 1);
	uint16_t was;

	if (!b->drain_track || b->state != SL_DP_DRAINING)
		return;
	was = w->o->cell[b->drain_track][index];
	w->out->marks = true;
	w->out->track = b->drain_track;
	w->out->index = (uint16_t)index;
	w->out->cell = SL_DRAIN_VALID | sl_oracle_fine_tick(w->o);
	if (tcp_flags & FIN || was & SL_DRAIN_CLOSING)
		w->out->cell |= SL_DRAIN_CLOSING;
	if (tcp_flags & RST)
		w->out->cell = 0;
}

/* Section 8. @tcp_flags: -1 for what is no packet of the flow (an ICMP error). */
static enum sl_oracle_why send_out(struct walk *w, int tcp_flags)
{
	const struct sl_oracle_backend *b = &w->o->backend[w->out->backend];
	struct sl_oracle_out *out = w->out;

	if (tcp_flags >= 0)
		mark_drain(w, b, tcp_flags);
	if (b->ifindex == w->ingress) {
		out->verdict = SL_ORACLE_TX;
	} else if (b->port < SL_PORTS_MAX && w->o->egress[b->port]) {
		out->verdict = SL_ORACLE_REDIRECT;
		out->port = b->port;
	} else {
		out->may_be_written = true;
		return SL_WHY_NO_PORT;
	}
	memcpy(out->byte, b->macs, 12);
	return SL_WHY_SENT;
}

static enum sl_oracle_why to_backend(struct walk *w, uint64_t hash, enum sl_oracle_kind kind,
				     bool quoted, int tcp_flags)
{
	enum sl_oracle_why why =
		sl_owner_choose(w->o, &w->o->service[w->out->service], hash, kind, quoted, w->out);

	return why ? why : send_out(w, quoted ? -1 : tcp_flags);
}

static enum sl_oracle_kind udp_kind(const struct sl_oracle_service *s)
{
	return s->remember ? SL_KIND_UDP_FLOW : SL_KIND_UDP_NONE;
}

/* Section 5.5. */
static enum sl_oracle_why check_tcp(const struct walk *w)
{
	const uint8_t *l4 = w->frame + w->ip.l4;
	uint32_t header, flags;

	if (l4_left(w) < 20 || w->ip.l4_len < 20)
		return SL_WHY_TCP_BAD;
	header = (l4[12] >> 4) * 4u;
	flags = l4[13];
	if (header < 20 || header > w->ip.l4_len || !(flags & (SYN | ACK | FIN | RST)))
		return SL_WHY_TCP_BAD;
	return flags & SYN && flags & (FIN | RST) ? SL_WHY_TCP_BAD : SL_WHY_NONE;
}

/* Section 5.6. */
static enum sl_oracle_why check_udp(const struct walk *w)
{
	uint32_t length;

	if (l4_left(w) < 8 || w->ip.l4_len < 8)
		return SL_WHY_UDP_BAD;
	length = sl_parse_be16(w->frame + w->ip.l4 + 4);
	if (length < 8 || (length > w->ip.l4_len && w->ip.frag != SL_FRAG_FIRST))
		return SL_WHY_UDP_BAD;
	return SL_WHY_NONE;
}

/* Sections 4.3 and 5. */
static enum sl_oracle_why walk_ports(struct walk *w)
{
	const uint8_t *l4 = w->frame + w->ip.l4;
	const struct sl_oracle_service *s;
	bool udp = w->ip.proto == UDP;
	enum sl_oracle_why why;
	uint64_t hash;

	if (l4_left(w) < 4)
		return SL_WHY_L4_SHORT;
	w->out->service = service_of(w->o, w->ip.v6, w->ip.target, sl_parse_be16(l4 + 2), udp);
	if (w->out->service < 0)
		return SL_WHY_NO_SERVICE;
	s = &w->o->service[w->out->service];
	why = check_length(w);
	if (why)
		return why;
	if (source_is_target(w))
		return SL_WHY_SOURCE_BAD;
	if (!sl_parse_be16(l4))
		return SL_WHY_PORT_ZERO;
	why = udp ? check_udp(w) : check_tcp(w);
	if (why)
		return why;
	w->out->by = SL_BY_PORTS;
	hash = hash_of(w->o, s, w->ip.source, sl_parse_be16(l4));
	if (udp)
		return to_backend(w, hash, udp_kind(s), false, 0);
	return to_backend(w, hash, (l4[13] & (SYN | ACK)) == SYN ? SL_KIND_SYN : SL_KIND_TCP, false,
			  l4[13]);
}

/* Section 6. */
static enum sl_oracle_why walk_later(struct walk *w)
{
	const struct sl_oracle_address *a = address_of(w->o, w->ip.v6, w->ip.target);
	const struct sl_oracle_service *s;
	enum sl_oracle_port0 port0;
	enum sl_oracle_why why;

	port0 = a ? a->port0[w->ip.proto == UDP] : SL_PORT0_NOTHING;
	if (port0 == SL_PORT0_NOTHING)
		return SL_WHY_FRAGMENT;
	if (port0 == SL_PORT0_ADDRESS)
		return SL_WHY_FRAGMENT_DROPPED;
	w->out->service = a->hash3;
	w->out->by = SL_BY_FRAGMENT;
	s = &w->o->service[a->hash3];
	why = check_length(w);
	if (why)
		return why;
	if (source_is_target(w))
		return SL_WHY_SOURCE_BAD;
	return to_backend(w, hash_of(w->o, s, w->ip.source, 0), udp_kind(s), false, 0);
}

/* Section 7.2. */
static enum sl_oracle_why walk_error(struct walk *w)
{
	const struct sl_oracle_service *s;
	struct sl_oracle_ip in;
	enum sl_oracle_why why;
	const uint8_t *l4;

	if (sl_parse_ip(w->frame, w->len, w->ip.l4 + 8, w->ip.v6, &in) ||
	    (in.proto != TCP && in.proto != UDP) || in.frag == SL_FRAG_LATER ||
	    w->len - in.l4 < 8 || memcmp(in.source, w->ip.target, addr_len(in.v6)))
		return SL_WHY_ICMP_OTHER;
	l4 = w->frame + in.l4;
	w->out->service = service_of(w->o, in.v6, in.source, sl_parse_be16(l4), in.proto == UDP);
	if (w->out->service < 0)
		return SL_WHY_NO_SERVICE;
	s = &w->o->service[w->out->service];
	why = check_length(w);
	if (why)
		return why;
	w->out->by = SL_BY_ERROR;
	return to_backend(w, hash_of(w->o, s, in.target, sl_parse_be16(l4 + 2)),
			  s->udp ? udp_kind(s) : SL_KIND_TCP, true, 0);
}

/* RFC 1624, equation 3: a checksum at @at after a word became another. */
static void resum(uint8_t *at, uint32_t was, uint32_t is)
{
	uint32_t sum = (sl_parse_be16(at) ^ 0xffff) + (was ^ 0xffff) + is;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum ^= 0xffff;
	at[0] = (uint8_t)(sum >> 8);
	at[1] = (uint8_t)sum;
}

static void swap(uint8_t *a, uint8_t *b, uint32_t n)
{
	uint8_t keep[16];

	memcpy(keep, a, n);
	memcpy(a, b, n);
	memcpy(b, keep, n);
}

static void answer_echo(struct walk *w)
{
	uint8_t *ip = w->out->byte + w->ip.at, *icmp = w->out->byte + w->ip.l4;
	uint32_t was;

	swap(w->out->byte, w->out->byte + 6, 6);
	was = sl_parse_be16(icmp);
	icmp[0] = w->ip.v6 ? 129 : 0;
	resum(icmp + 2, was, sl_parse_be16(icmp));
	if (w->ip.v6) {
		swap(ip + 8, ip + 24, 16);
		ip[7] = 64;
		return;
	}
	swap(ip + 12, ip + 16, 4);
	was = sl_parse_be16(ip + 8);
	ip[8] = 64;
	resum(ip + 10, was, sl_parse_be16(ip + 8));
}

static bool is_echo_source(const struct walk *w)
{
	static const uint8_t zero[16], ones[4] = { 255, 255, 255, 255 };
	const uint8_t *a = w->ip.source;

	if (source_is_target(w) || !memcmp(a, zero, addr_len(w->ip.v6)) || w->frame[0] & 1)
		return false;
	if (w->ip.v6)
		return a[0] != 0xff;
	return a[0] >> 4 != 14 && memcmp(a, ones, 4);
}

/* Section 7.3. */
static enum sl_oracle_why walk_echo(struct walk *w)
{
	const struct sl_oracle_address *a = address_of(w->o, w->ip.v6, w->ip.target);
	enum sl_oracle_why why;

	if (!a || (a->port0[0] == SL_PORT0_NOTHING && a->port0[1] == SL_PORT0_NOTHING))
		return SL_WHY_ICMP_OTHER;
	why = check_length(w);
	if (why)
		return why;
	if (!is_echo_source(w))
		return SL_WHY_SOURCE_BAD;
	w->out->may_be_limited = true;
	w->out->verdict = SL_ORACLE_TX;
	answer_echo(w);
	return SL_WHY_ECHOED;
}

/* Section 7. */
static enum sl_oracle_why walk_icmp(struct walk *w)
{
	const uint8_t *icmp = w->frame + w->ip.l4;

	if (w->ip.frag)
		return SL_WHY_FRAGMENT;
	if (l4_left(w) < 8)
		return SL_WHY_L4_SHORT;
	if (w->ip.v6 ? icmp[0] >= 1 && icmp[0] <= 4
		     : icmp[0] == 3 || icmp[0] == 11 || icmp[0] == 12)
		return walk_error(w);
	if (icmp[0] == (w->ip.v6 ? 128 : 8) && !icmp[1])
		return walk_echo(w);
	return SL_WHY_ICMP_OTHER;
}

static enum sl_oracle_why walk_frame(struct walk *w)
{
	enum sl_oracle_why why;
	uint32_t at;
	bool v6;

	why = sl_parse_eth(w->frame, w->len, &at, &v6);
	if (!why)
		why = sl_parse_ip(w->frame, w->len, at, v6, &w->ip);
	if (why)
		return why;
	if (w->ip.proto == (v6 ? ICMP6 : ICMP4))
		return walk_icmp(w);
	if (w->ip.proto != TCP && w->ip.proto != UDP)
		return SL_WHY_L4_OTHER;
	return w->ip.frag == SL_FRAG_LATER ? walk_later(w) : walk_ports(w);
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
	case SL_WHY_NO_PORT:
		return true;
	default:
		return false;
	}
}

void sl_oracle_walk(const struct sl_oracle *o, const uint8_t *frame, uint32_t len, uint32_t ingress,
		    struct sl_oracle_out *ret)
{
	struct walk w = { .o = o, .frame = frame, .len = len, .ingress = ingress, .out = ret };

	memset(ret, 0, offsetof(struct sl_oracle_out, byte));
	memset(&ret->is_flow, 0, sizeof(*ret) - offsetof(struct sl_oracle_out, is_flow));
	ret->service = -1;
	ret->len = len;
	memcpy(ret->byte, frame, len);
	ret->why = walk_frame(&w);
	if (is_drop(ret->why))
		ret->verdict = SL_ORACLE_DROP;
}

void sl_oracle_commit(struct sl_oracle *o, const struct sl_oracle_out *out, unsigned way)
{
	struct sl_oracle_slot *slot;

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
