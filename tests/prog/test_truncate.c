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

static bool counted_once(const struct sl_reason_cnt *before, enum sl_reason reason)
{
	struct sl_reason_cnt want = *before;

	want.packets[reason]++;
	return !memcmp(&want, &rig.mem->cnt_reason[rig.row], sizeof(want));
}

static int verdict_of(enum sl_reason reason)
{
	enum sl_action action = sl_rig_action(reason);

	return action == SL_A_SEND ? XDP_TX : action == SL_A_DROP ? XDP_DROP : XDP_PASS;
}

/* Runs the frame and compares with @reason. true: as it should be. */
static bool becomes(const uint8_t *frame, uint32_t len, enum sl_reason reason, enum sl_fix service)
{
	struct sl_reason_cnt before = rig.mem->cnt_reason[rig.row];
	static uint8_t expected[SL_PACKET_MAX];
	static struct sl_rig_out out;

	memcpy(expected, frame, len);
	if (reason == SL_R_SENT)
		sl_rig_macs(sl_fix_backend(service), expected);
	sl_rig_run(&rig, frame, len, &out);
	if (!counted_once(&before, reason)) {
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

struct sample {
	const char *name;
	enum sl_fix base;
	uint8_t tcp_flags, ip_options, tcp_options;
	uint16_t pad_to;
};

static const struct sample samples[] = {
	{ "ipv4 tcp syn", SL_FIX_TCP4, SL_TCP_SYN, 0, 20, 0 },
	{ "ipv4 tcp ack", SL_FIX_TCP4, SL_TCP_ACK, 0, 0, 0 },
	{ "ipv4 tcp fin", SL_FIX_TCP4, SL_TCP_FIN | SL_TCP_ACK, 0, 12, 0 },
	{ "ipv4 tcp rst", SL_FIX_TCP4, SL_TCP_RST, 0, 0, 0 },
	{ "ipv4 options, tcp", SL_FIX_TCP4, SL_TCP_ACK, 40, 40, 0 },
	{ "ipv4 udp", SL_FIX_UDP4, 0, 0, 0, 0 },
	{ "ipv4 udp, padded", SL_FIX_UDP4, 0, 0, 0, 60 },
	{ "ipv4 options, udp with flows", SL_FIX_FLOW4, 0, 4, 0, 0 },
	{ "ipv6 tcp syn", SL_FIX_TCP6, SL_TCP_SYN, 0, 20, 0 },
	{ "ipv6 tcp ack", SL_FIX_TCP6, SL_TCP_ACK, 0, 0, 0 },
	{ "ipv6 tcp fin", SL_FIX_TCP6, SL_TCP_FIN | SL_TCP_ACK, 0, 12, 0 },
	{ "ipv6 udp", SL_FIX_UDP6, 0, 0, 0, 0 },
	{ "ipv6 udp with flows", SL_FIX_FLOW6, 0, 0, 0, 80 },
};

#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))

static struct sl_packet build(const struct sample *s)
{
	struct sl_packet_spec spec = sl_fix_spec(s->base, s->tcp_flags);

	spec.ip_options = s->ip_options;
	spec.tcp_options = s->tcp_options;
	spec.pad_to = s->pad_to;
	return sl_fix_build(&spec);
}

/* Bytes of the datagram with its Ethernet header; padding comes after. */
static uint32_t whole(const struct sl_packet *p)
{
	const uint8_t *ip = p->byte + p->l3;

	return p->l3 + (p->is_v6 ? 40u + sl_packet_get16(ip + 4) : sl_packet_get16(ip + 2));
}

/* What a cut frame must become, said without the oracle. */
static enum sl_reason cut_reason(const struct sl_packet *p, uint32_t len)
{
	if (len < p->l3 + (p->is_v6 ? 40 : 20))
		return p->is_v6 ? SL_R_IP6_SHORT : SL_R_IP4_SHORT;
	if (len < p->l4 + 4)
		return SL_R_L4_SHORT;
	if (len < whole(p))
		return p->is_v6 ? SL_R_IP6_LENGTH : SL_R_IP4_LENGTH;
	return SL_R_SENT;
}

/* The network header is made to fit the cut: then the transport header must notice. */
static enum sl_reason honest_reason(const struct sl_packet *p, uint32_t len)
{
	uint32_t header = p->proto == IPPROTO_UDP ? 8 : (p->byte[p->l4 + 12] >> 4) * 4u;

	if (p->proto == IPPROTO_TCP)
		return len < p->l4 + header ? SL_R_TCP_BAD : SL_R_SENT;
	return len < whole(p) ? SL_R_UDP_BAD : SL_R_SENT;
}

static void set_length(struct sl_packet *p, uint32_t len)
{
	uint8_t *ip = p->byte + p->l3;

	if (p->is_v6)
		sl_packet_put16(ip + 4, (uint16_t)(len - p->l3 - 40));
	else
		sl_packet_put16(ip + 2, (uint16_t)(len - p->l3));
}

static void cuts(const struct sample *s)
{
	struct sl_packet p = build(s), honest = p;
	unsigned wrong = 0, n = 0;
	char name[100];

	for (uint32_t len = 14; len <= p.len; len++, n++)
		wrong += !becomes(p.byte, len, cut_reason(&p, len), s->base) ||
			 !as_oracle_says(p.byte, len);
	snprintf(name, sizeof(name), "%s: cut at each of %u bytes", s->name, n);
	sl_tap(!wrong, name, "%u wrong, the last: %s", wrong, why);

	wrong = n = 0;
	for (uint32_t len = p.l4 + 4; len <= whole(&p); len++, n++) {
		set_length(&honest, len);
		wrong += !becomes(honest.byte, len, honest_reason(&p, len), s->base) ||
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

static void report_sweep(const struct sample *s, const char *field, unsigned wrong, unsigned n)
{
	char name[100];

	snprintf(name, sizeof(name), "%s: %s, %u values", s->name, field, n);
	sl_tap(!wrong, name, "%u wrong, the last: %s", wrong, why);
}

static void fields(const struct sample *s)
{
	struct sl_packet p = build(s);
	const struct {
		const char *field;
		bool on, is_word;
		uint32_t at;
		uint8_t mask;
	} row[] = {
		{ "ethertype", true, true, 12, 0 },
		{ "version", true, false, p.l3, 0xf0 },
		{ "version and ihl", !p.is_v6, false, p.l3, 0xff },
		{ "total length", !p.is_v6, true, p.l3 + 2, 0 },
		{ "fragment word", !p.is_v6, true, p.l3 + 6, 0 },
		{ "protocol", !p.is_v6, false, p.l3 + 9, 0xff },
		{ "payload length", p.is_v6, true, p.l3 + 4, 0 },
		{ "next header", p.is_v6, false, p.l3 + 6, 0xff },
		{ "source port", true, true, p.l4, 0 },
		{ "destination port", true, true, p.l4 + 2, 0 },
		{ "doff", p.proto == IPPROTO_TCP, false, p.l4 + 12, 0xff },
		{ "tcp flags", p.proto == IPPROTO_TCP, false, p.l4 + 13, 0xff },
		{ "udp length", p.proto == IPPROTO_UDP, true, p.l4 + 4, 0 },
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
		base[i] = build(&samples[i]);
	for (unsigned i = 0; i < DAMAGED; i++) {
		struct sl_packet p = base[random_next() % N_SAMPLES];
		uint32_t headers = p.l4 + 20 < p.len ? p.l4 + 20 : p.len;
		enum sl_fix service;

		for (unsigned n = random_next() % 4; n; n--)
			p.byte[12 + random_next() % (headers - 12)] = random_byte();
		if (random_next() % 4 == 0)
			p.len = 14 + random_next() % (p.len - 13);
		seen[sl_oracle_reason(p.byte, p.len, &service)]++;
		wrong += !as_oracle_says(p.byte, p.len);
	}
	for (int i = 0; i < SL_REASONS_MAX; i++)
		kinds += seen[i] > 0;
	sl_tap(!wrong, "300,000 damaged frames", "%u wrong, the last: %s", wrong, why);
	/* all but those about memory, which is sound here, and what no frame can be */
	sl_tap(kinds == 15, "they reach all 15 reasons that a frame alone can have", "%u", kinds);
}

/* The builder itself: what it builds is sound unless told otherwise. */
static void builder(void)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct sl_packet p = build(&samples[i]);

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
