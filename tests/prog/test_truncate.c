/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_truncate: frames that end anywhere, header fields at their edges, and
 * frames with random damage. Each is judged a second time by oracle.c. Never
 * an abort, never a byte written to a frame that is passed.
 */
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/prog/fixture.h"
#include "tests/prog/oracle.h"
#include "tests/prog/tap.h"
#include "tests/prog/walk_rows.h"

#define DAMAGED 300000u

static struct sl_rig rig;
static char why[200];

static uint32_t random_next(void)
{
	static uint64_t state = 0x9d5c0f3a1e77b24full; /* fixed: every run is the same */

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

/* As the oracle says, and once: what is sent counts with the service's only backend. */
struct counted {
	struct sl_reason_cnt reason;
	uint64_t sent;
};

static struct counted count(enum sl_fix service)
{
	uint16_t backend = service ? sl_fix_backend(service) : 0;

	return (struct counted){
		rig.mem->cnt_reason[rig.row],
		rig.mem->cnt_backend[rig.row * SL_BACKENDS_MAX + backend].packets,
	};
}

static bool counted_once(const struct counted *before, enum sl_reason reason, enum sl_fix service)
{
	struct counted want = *before, is = count(service);

	if (reason == SL_R_SENT)
		want.sent++;
	else
		want.reason.packets[reason]++;
	return !memcmp(&want, &is, sizeof(want));
}

static int verdict_of(enum sl_reason reason)
{
	enum sl_action action = sl_rig_action(reason);

	return action == SL_A_SEND ? XDP_TX : action == SL_A_DROP ? XDP_DROP : XDP_PASS;
}

/* Runs the frame and compares with @reason. true: as it should be. */
static bool becomes(const uint8_t *frame, uint32_t len, enum sl_reason reason, enum sl_fix service)
{
	struct counted before = count(service);
	static uint8_t expected[SL_PACKET_MAX];
	static struct sl_rig_out out;

	memcpy(expected, frame, len);
	sl_oracle_leaves(expected, reason, service);
	sl_rig_echo_anew(&rig);
	sl_rig_run(&rig, frame, len, &out);
	if (!counted_once(&before, reason, service)) {
		snprintf(why, sizeof(why), "%u bytes: not counted once as %s (verdict %d)", len,
			 sl_rig_label(reason), out.verdict);
		return false;
	}
	if (out.verdict != verdict_of(reason)) {
		snprintf(why, sizeof(why), "%u bytes: verdict %d after %s", len, out.verdict,
			 sl_rig_label(reason));
		return false;
	}
	if (out.verdict != XDP_DROP && (out.len != len || memcmp(out.byte, expected, len))) {
		snprintf(why, sizeof(why), "%u bytes: %s, but the frame is not as it should be",
			 len, sl_rig_label(reason));
		return false;
	}
	return true;
}

static bool as_oracle_says(const uint8_t *frame, uint32_t len)
{
	enum sl_fix service;
	enum sl_reason reason = sl_oracle_reason(frame, len, &service);

	return becomes(frame, len, reason, service);
}

#define SENT_BY(id, ...) \
	(&(const struct sl_walk_row){ .base = SL_FIX_##id, .turned = true, __VA_ARGS__ })

static const struct sl_walk_row samples[] = {
	{ "ipv4 tcp syn", SL_R_SENT, SL_FIX_TCP4,
	  .spec = { .tcp_flags = SL_TCP_SYN, .tcp_options = 20 } },
	{ "ipv4 tcp ack", SL_R_SENT, SL_FIX_TCP4, .spec = { .tcp_flags = SL_TCP_ACK } },
	{ "ipv4 tcp fin", SL_R_SENT, SL_FIX_TCP4,
	  .spec = { .tcp_flags = SL_TCP_FIN | SL_TCP_ACK, .tcp_options = 12 } },
	{ "ipv4 tcp rst", SL_R_SENT, SL_FIX_TCP4, .spec = { .tcp_flags = SL_TCP_RST } },
	{ "ipv4 options, tcp", SL_R_SENT, SL_FIX_TCP4,
	  .spec = { .ip_options = 40, .tcp_options = 40 } },
	{ "ipv4 udp", SL_R_SENT, SL_FIX_UDP4, .spec = { .payload = 5 } },
	{ "ipv4 udp, padded", SL_R_SENT, SL_FIX_UDP4, .spec = { .pad_to = 60 } },
	{ "ipv4 options, udp with flows", SL_R_SENT, SL_FIX_FLOW4, .spec = { .ip_options = 4 } },
	{ "ipv6 tcp syn", SL_R_SENT, SL_FIX_TCP6,
	  .spec = { .tcp_flags = SL_TCP_SYN, .tcp_options = 20 } },
	{ "ipv6 tcp ack", SL_R_SENT, SL_FIX_TCP6, .spec = { .tcp_flags = SL_TCP_ACK } },
	{ "ipv6 tcp fin", SL_R_SENT, SL_FIX_TCP6,
	  .spec = { .tcp_flags = SL_TCP_FIN | SL_TCP_ACK, .tcp_options = 12 } },
	{ "ipv6 udp", SL_R_SENT, SL_FIX_UDP6, .spec = { .payload = 5 } },
	{ "ipv6 udp with flows", SL_R_SENT, SL_FIX_FLOW6, .spec = { .pad_to = 80 } },
	{ "one tag", SL_R_SENT, SL_FIX_TCP4, .spec = { .vlans = 1 } },
	{ "two tags", SL_R_SENT, SL_FIX_UDP6, .spec = { .vlans = 2, .tag_type = 0x88a8 } },
	{ "one header", SL_R_SENT, SL_FIX_UDP6, .spec = { .ext = { 60 }, .n_ext = 1 } },
	{ "four headers, tag", SL_R_SENT, SL_FIX_TCP6,
	  .spec = { .vlans = 1, .ext = { 0, 43, 44, 60 }, .n_ext = 4, .ext_more = 1 } },
	{ "ipv4 first fragment", SL_R_SENT, SL_FIX_UDP4, .spec = { .frag = 0x2000 } },
	{ "ipv6 first fragment", SL_R_SENT, SL_FIX_HASH6,
	  .spec = { .ext = { 44 }, .n_ext = 1, .frag = 1 } },
	{ "ipv4 later fragment", SL_R_FRAGMENT_DROPPED, SL_FIX_UDP4, .spec = { .frag = 185 } },
	{ "ipv4 later fragment, hash3", SL_R_SENT, SL_FIX_HASH4, .spec = { .frag = 185 } },
	{ "ipv6 later fragment, hash3", SL_R_SENT, SL_FIX_HASH6,
	  .spec = { .ext = { 44 }, .n_ext = 1, .frag = 0xb9 } },
	{ "icmp error", SL_R_SENT, SL_FIX_TCP4,
	  .spec = { .proto = 1, .icmp_type = 3, .icmp_code = 4 }, .quotes = SENT_BY(TCP4) },
	{ "icmp error, options in and out, tag", SL_R_SENT, SL_FIX_UDP4,
	  .spec = { .proto = 1, .icmp_type = 11, .ip_options = 8, .vlans = 1 },
	  .quotes = SENT_BY(UDP4, .spec = { .ip_options = 20 }) },
	{ "icmpv6 error", SL_R_SENT, SL_FIX_TCP6, .spec = { .proto = 58, .icmp_type = 2 },
	  .quotes = SENT_BY(TCP6) },
	{ "icmpv6 error, headers in and out", SL_R_SENT, SL_FIX_FLOW6,
	  .spec = { .proto = 58, .icmp_type = 3, .ext = { 60, 0 }, .n_ext = 2 },
	  .quotes = SENT_BY(FLOW6, .spec = { .ext = { 60, 43, 44 }, .n_ext = 3 }) },
	{ "echo", SL_R_ECHOED, SL_FIX_TCP4, .spec = { .proto = 1, .icmp_type = 8 } },
	{ "echo, options, tags", SL_R_ECHOED, SL_FIX_HASH4,
	  .spec = { .proto = 1, .icmp_type = 8, .ip_options = 12, .vlans = 2 } },
	{ "echo, ipv6", SL_R_ECHOED, SL_FIX_TCP6, .spec = { .proto = 58, .icmp_type = 128 } },
	{ "echo, ipv6, headers", SL_R_ECHOED, SL_FIX_HASH6,
	  .spec = { .proto = 58, .icmp_type = 128, .ext = { 0, 44 }, .n_ext = 2 } },
};

#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))

static bool is_icmp(const struct sl_packet *p)
{
	return p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6;
}

static bool is_later(const struct sl_walk_row *s, const struct sl_packet *p)
{
	return s->spec.frag & (p->is_v6 ? 0xfff8 : 0x1fff);
}

/* Bytes of the datagram with its Ethernet header; padding comes after. */
static uint32_t whole(const struct sl_packet *p)
{
	const uint8_t *ip = p->byte + p->l3;

	return p->l3 + (p->is_v6 ? 40u + sl_packet_get16(ip + 4) : sl_packet_get16(ip + 2));
}

/* Where what an error must quote ends. */
static uint32_t quote_end(const struct sl_walk_row *s, const struct sl_packet *p)
{
	struct sl_packet quoted = sl_walk_packet(s->quotes);

	return p->l4 + 8 + quoted.l4 - quoted.l3 + 8;
}

/* What a cut frame must become, said without the oracle. */
static enum sl_reason cut_reason(const struct sl_walk_row *s, const struct sl_packet *p,
				 uint32_t len)
{
	if (len < p->l3)
		return SL_R_ETH_SHORT;
	if (len < p->l4)
		return p->is_v6 ? SL_R_IP6_SHORT : SL_R_IP4_SHORT;
	if (s->reason == SL_R_FRAGMENT_DROPPED)
		return s->reason;
	if (!is_later(s, p) && len < p->l4 + (is_icmp(p) ? 8 : 4))
		return SL_R_L4_SHORT;
	if (s->quotes && len < quote_end(s, p))
		return SL_R_ICMP_OTHER;
	if (len < whole(p))
		return p->is_v6 ? SL_R_IP6_LENGTH : SL_R_IP4_LENGTH;
	return s->reason;
}

/* The network header is made to fit the cut: then the transport header must notice. */
static enum sl_reason honest_reason(const struct sl_walk_row *s, const struct sl_packet *p,
				    uint32_t len)
{
	if (is_later(s, p))
		return s->reason;
	if (is_icmp(p) && len < p->l4 + 8)
		return SL_R_L4_SHORT;
	if (s->quotes && len < quote_end(s, p))
		return SL_R_ICMP_OTHER;
	if (p->proto == IPPROTO_TCP && len < p->l4 + (p->byte[p->l4 + 12] >> 4) * 4u)
		return SL_R_TCP_BAD;
	/* a first fragment need not hold all of the datagram */
	if (p->proto == IPPROTO_UDP && len < (s->spec.frag ? p->l4 + 8 : whole(p)))
		return SL_R_UDP_BAD;
	return s->reason;
}

static void set_length(struct sl_packet *p, uint32_t len)
{
	uint8_t *ip = p->byte + p->l3;

	if (p->is_v6)
		sl_packet_put16(ip + 4, (uint16_t)(len - p->l3 - 40));
	else
		sl_packet_put16(ip + 2, (uint16_t)(len - p->l3));
}

static void cuts(const struct sl_walk_row *s)
{
	struct sl_packet p = sl_walk_packet(s), honest = p;
	unsigned wrong = 0, n = 0;
	char name[100];

	for (uint32_t len = 14; len <= p.len; len++, n++)
		wrong += !becomes(p.byte, len, cut_reason(s, &p, len), s->base) ||
			 !as_oracle_says(p.byte, len);
	snprintf(name, sizeof(name), "%s: cut at each of %u bytes", s->name, n);
	sl_tap(!wrong, name, "%u wrong, the last: %s", wrong, why);

	wrong = n = 0;
	for (uint32_t len = p.l4 + 4; len <= whole(&p); len++, n++) {
		set_length(&honest, len);
		wrong += !becomes(honest.byte, len, honest_reason(s, &p, len), s->base) ||
			 !as_oracle_says(honest.byte, len);
	}
	snprintf(name, sizeof(name), "%s: cut at each of %u bytes, lengths fit", s->name, n);
	sl_tap(!wrong, name, "%u wrong, the last: %s", wrong, why);
}

/* Every value of one byte (or of a part of it, by @mask). */
static unsigned sweep_byte(struct sl_packet p, uint32_t at, uint8_t mask, unsigned *n)
{
	uint8_t was = p.byte[at];
	unsigned wrong = 0;

	for (unsigned v = 0; v < 256; v++) {
		if (v & (uint8_t)~mask)
			continue;
		p.byte[at] = (uint8_t)((was & ~mask) | v);
		wrong += !as_oracle_says(p.byte, p.len);
		++*n;
	}
	return wrong;
}

/* A 16-bit field: all values near its own and near the edges, the rest in steps. */
static unsigned sweep_word(struct sl_packet p, uint32_t at, unsigned *n)
{
	int was = sl_packet_get16(p.byte + at);
	unsigned wrong = 0;

	for (int v = 0; v < 65536; v++) {
		if (v % 97 && v > 130 && v < 65400 && (v < was - 70 || v > was + 70))
			continue;
		sl_packet_put16(p.byte + at, (uint16_t)v);
		wrong += !as_oracle_says(p.byte, p.len);
		++*n;
	}
	return wrong;
}

static void report_sweep(const struct sl_walk_row *s, const char *field, unsigned wrong, unsigned n)
{
	char name[100];

	snprintf(name, sizeof(name), "%s: %s, %u values", s->name, field, n);
	sl_tap(!wrong, name, "%u wrong, the last: %s", wrong, why);
}

static void fields(const struct sl_walk_row *s)
{
	struct sl_packet p = sl_walk_packet(s);
	bool tcp = p.proto == IPPROTO_TCP, udp = p.proto == IPPROTO_UDP, icmp = is_icmp(&p);
	bool tag = s->spec.vlans, ext = s->spec.n_ext, quote = s->quotes;
	uint32_t first = p.l3 + 40, q = p.l4 + 8; /* first extension header, quoted packet */
	uint32_t q4 = quote ? quote_end(s, &p) - 8 : 0;
	const struct {
		const char *field;
		bool on, is_word;
		uint32_t at;
		uint8_t mask;
	} row[] = {
		{ "first ethertype", true, true, 12, 0 },
		{ "last ethertype", tag, true, p.l3 - 2, 0 },
		{ "version", true, false, p.l3, 0xf0 },
		{ "version and ihl", !p.is_v6, false, p.l3, 0xff },
		{ "total length", !p.is_v6, true, p.l3 + 2, 0 },
		{ "fragment word", !p.is_v6, true, p.l3 + 6, 0 },
		{ "protocol", !p.is_v6, false, p.l3 + 9, 0xff },
		{ "payload length", p.is_v6, true, p.l3 + 4, 0 },
		{ "next header", p.is_v6, false, p.l3 + 6, 0xff },
		{ "next header of the first", ext, false, first, 0xff },
		{ "length of the first", ext, false, first + 1, 0xff },
		{ "fragment word of the first", ext, true, first + 2, 0 },
		{ "source, first byte", true, false, p.l3 + (p.is_v6 ? 8 : 12), 0xff },
		{ "destination, last byte", true, false, p.l3 + (p.is_v6 ? 39 : 19), 0xff },
		{ "source port", tcp || udp, true, p.l4, 0 },
		{ "destination port", tcp || udp, true, p.l4 + 2, 0 },
		{ "doff", tcp, false, p.l4 + 12, 0xff },
		{ "tcp flags", tcp, false, p.l4 + 13, 0xff },
		{ "udp length", udp, true, p.l4 + 4, 0 },
		{ "icmp type", icmp, false, p.l4, 0xff },
		{ "icmp code", icmp, false, p.l4 + 1, 0xff },
		{ "icmp checksum", icmp, true, p.l4 + 2, 0 },
		{ "quoted version", quote, false, q, 0xff },
		{ "quoted fragment word", quote && !p.is_v6, true, q + 6, 0 },
		{ "quoted protocol", quote, false, q + (p.is_v6 ? 6 : 9), 0xff },
		{ "quoted source, last byte", quote, false, q + (p.is_v6 ? 23 : 15), 0xff },
		{ "quoted header's word", quote && p.is_v6, true, q + 40, 0 },
		{ "quoted header's second word", quote && p.is_v6, true, q + 42, 0 },
		{ "quoted source port", quote, true, q4, 0 },
		{ "quoted destination port", quote, true, q4 + 2, 0 },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		unsigned n = 0, wrong;

		if (!row[i].on)
			continue;
		wrong = row[i].is_word ? sweep_word(p, row[i].at, &n)
				       : sweep_byte(p, row[i].at, row[i].mask, &n);
		report_sweep(s, row[i].field, wrong, n);
	}
}

/* Any, and every fourth time 0. */
static uint8_t random_byte(void)
{
	uint32_t n = random_next();

	return n & 3 ? (uint8_t)(n >> 8) : 0;
}

/* A few bytes of the headers overwritten, the end anywhere. */
static void damage(void)
{
	static struct sl_packet base[N_SAMPLES];
	unsigned wrong = 0, seen[SL_REASONS_MAX] = {}, kinds = 0;

	for (size_t i = 0; i < N_SAMPLES; i++)
		base[i] = sl_walk_packet(&samples[i]);
	for (unsigned i = 0; i < DAMAGED; i++) {
		struct sl_packet p = base[random_next() % N_SAMPLES];
		uint32_t headers = p.l4 + 70 < p.len ? p.l4 + 70 : p.len;
		enum sl_fix service;

		for (unsigned n = random_next() % 4; n; n--)
			p.byte[12 + random_next() % (headers - 12)] = random_byte();
		if (random_next() % 8 == 0) /* source is destination */
			memcpy(p.byte + p.l3 + (p.is_v6 ? 8 : 12),
			       p.byte + p.l3 + (p.is_v6 ? 24 : 16), p.is_v6 ? 16 : 4);
		p.byte[0] |= random_next() % 8 == 0; /* a group's address */
		if (random_next() % 4 == 0)
			p.len = 14 + random_next() % (p.len - 13);
		seen[sl_oracle_reason(p.byte, p.len, &service)]++;
		wrong += !as_oracle_says(p.byte, p.len);
	}
	for (int i = 0; i < SL_REASONS_MAX; i++)
		kinds += seen[i] > 0;
	sl_tap(!wrong, "300,000 damaged frames", "%u wrong, the last: %s", wrong, why);
	/* all but those about memory, which is sound here, and what no frame can be */
	sl_tap(kinds == 21, "they reach all 21 reasons that a frame alone can have", "%u", kinds);
}

/* The builder itself: what it builds is sound unless told otherwise. */
static void builder(void)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct sl_packet p = sl_walk_packet(&samples[i]);

		wrong += !sl_packet_sums_fit(&p);
		for (uint64_t n = 1; n < 1ull << 39; n = n * 3 + 1) {
			sl_packet_flow(&p, n);
			wrong += !sl_packet_sums_fit(&p);
		}
		p.byte[p.l4 + 7] ^= 1;
		wrong += sl_packet_sums_fit(&p);
	}
	sl_tap(!wrong, "built packets have checksums that fit", "%u do not", wrong);
}

int main(void)
{
	sl_rig_open(&rig);
	sl_fix_services(&rig);
	sl_fix_backends(&rig, SL_RIG_LO, 0);
	builder();
	for (size_t i = 0; i < N_SAMPLES; i++)
		cuts(&samples[i]);
	for (size_t i = 0; i < N_SAMPLES; i++)
		fields(&samples[i]);
	damage();
	sl_rig_close(&rig);
	return sl_tap_done();
}
