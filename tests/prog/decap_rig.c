/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/decap_rig.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/prog/tap.h"

const char *sl_decap_label(unsigned why)
{
	static const char *const labels[SL_DECAP_REASONS_MAX] = {
#define LABEL(sym, num, act, label) [num] = label,
		SL_DECAP_REASONS(LABEL)
#undef LABEL
	};

	return why < SL_DECAP_REASONS_MAX && labels[why] ? labels[why] : "none";
}

const char *sl_decap_family(bool is_v6)
{
	return is_v6 ? "IPv6" : "IPv4";
}

void sl_decap_expect(const char *name, const char *why)
{
	sl_tap(!why, name, "%s", why ? why : "");
}

/* ---- programs ------------------------------------------------------------------ */

static void tell(struct sl_decap_prefixes *list, const char *text)
{
	if (sl_prefix_parse(text, &list->at[list->n++]))
		sl_tap_bail("prefix of a test", "%s", text);
}

/* Of a refused program, the verifier's log. */
__attribute__((format(printf, 1, 0))) static void hear(const char *fmt, va_list ap)
{
	vfprintf(stdout, fmt, ap);
}

static struct sl_decap_prog *load(const struct sl_decap_told *told)
{
	struct sl_decap_prog *p = NULL;
	struct sl_err err = {};

	if (sl_decap_prog_load(told, -1, hear, &p, &err))
		sl_tap_bail("load the program", "%s", err.detail);
	return p;
}

void sl_decap_rig_open(struct sl_decap_rig *r)
{
	static struct sl_decap_told told = { .gue_port = SL_DECAP_GUE_PORT }, all;

	tell(&told.from, "10.0.0.0/24");
	tell(&told.from, SL_DECAP_LB6);
	all = told;
	tell(&told.to, SL_DECAP_US4);
	tell(&told.to, SL_DECAP_US6);
	tell(&all.from, "10.0.9.0/24");
	tell(&all.from, "2001:db8:9::/48");
	*r = (struct sl_decap_rig){ .strict = load(&told), .open = load(&all) };
}

void sl_decap_rig_close(struct sl_decap_rig *r)
{
	sl_decap_prog_free(r->strict);
	sl_decap_prog_free(r->open);
}

/* ---- frames -------------------------------------------------------------------- */

struct sl_decap_outer sl_decap_outer_of(bool is_v6, bool gue)
{
	return (struct sl_decap_outer){ .from = is_v6 ? SL_DECAP_LB6 : SL_DECAP_LB4,
					.to = is_v6 ? SL_DECAP_US6 : SL_DECAP_US4,
					.gue = gue };
}

struct sl_packet sl_decap_inner_of(struct sl_packet_spec s, bool is_v6)
{
	struct sl_packet p;

	s.from = is_v6 ? "2001:db8:c::1" : "198.51.100.1";
	s.to = is_v6 ? "2001:db8:100::1" : "192.0.2.10";
	if (sl_packet_build(&s, &p))
		sl_tap_bail("inner packet of a test", "cannot be built");
	return p;
}

struct sl_packet sl_decap_inner_tcp(bool is_v6, uint8_t vlans)
{
	return sl_decap_inner_of((struct sl_packet_spec){ .proto = IPPROTO_TCP,
							  .sport = 1234,
							  .dport = 80,
							  .tcp_flags = SL_TCP_ACK,
							  .payload = 99,
							  .vlans = vlans },
				 is_v6);
}

/* ---- runs ---------------------------------------------------------------------- */

static void read_counters(const struct sl_decap_prog *p, struct sl_decap_cnt *ret)
{
	static struct sl_decap_told told;
	struct bpf_prog_info info = {};
	struct sl_err err = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(sl_decap_prog_fd(p), &info, &len) ||
	    sl_decap_prog_read(info.id, &told, ret, &err))
		sl_tap_bail("read the counters", "%s", err.detail);
}

/* NULL: what was added is one packet of @bytes for @want. */
static const char *compare(const struct sl_decap_cnt *before, const struct sl_decap_cnt *after,
			   enum sl_decap_reason want, uint32_t bytes)
{
	static char why[200];

	for (unsigned i = 0; i < SL_DECAP_REASONS_MAX; i++) {
		uint64_t packets = after[i].packets - before[i].packets;
		uint64_t more = after[i].bytes - before[i].bytes;

		if (packets == (i == want) && more == (i == want ? bytes : 0))
			continue;
		snprintf(why, sizeof(why), "%u bytes: %s counts %llu packets, %llu bytes; want %s",
			 bytes, sl_decap_label(i), (unsigned long long)packets,
			 (unsigned long long)more, sl_decap_label(want));
		return why;
	}
	return NULL;
}

static const char *run(struct sl_decap_rig *r, enum sl_decap_reason want)
{
	const struct sl_decap_prog *p = r->use_open ? r->open : r->strict;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = r->frame.byte, .data_size_in = r->frame.len,
		    .data_out = r->out.byte, .data_size_out = sizeof(r->out.byte), .repeat = 1);
	static struct sl_decap_cnt before[SL_DECAP_REASONS_MAX], after[SL_DECAP_REASONS_MAX];
	bool passes = want <= SL_DECAP_R_GUE;
	const char *why;
	int e;

	read_counters(p, before);
	e = bpf_prog_test_run_opts(sl_decap_prog_fd(p), &opts);
	if (e < 0)
		sl_tap_bail("run one packet", "%u bytes: %s", r->frame.len, strerror(-e));
	read_counters(p, after);
	r->out.len = opts.data_size_out;
	why = compare(before, after, want, r->frame.len);
	if (why)
		return why;
	r->reached[want] = true;
	return opts.retval == (passes ? XDP_PASS : XDP_DROP) ? NULL : "the verdict is another";
}

const char *sl_decap_untouched(struct sl_decap_rig *r, enum sl_decap_reason want)
{
	return sl_decap_becomes(r, want, r->frame.byte, r->frame.len);
}

const char *sl_decap_becomes(struct sl_decap_rig *r, enum sl_decap_reason want, const uint8_t *byte,
			     uint32_t len)
{
	const char *why = run(r, want);

	if (!why && (r->out.len != len || memcmp(r->out.byte, byte, len)))
		why = "the bytes that are left are others";
	return why;
}

const char *sl_decap_taken(struct sl_decap_rig *r)
{
	static uint8_t want[SL_DECAP_FRAME_MAX];
	const struct sl_decap_frame *f = &r->frame;
	bool inner6 = f->byte[f->inner] >> 4 == 6;

	memcpy(want, f->byte, f->ip);
	sl_packet_put16(want + f->ip - 2, inner6 ? 0x86dd : 0x0800);
	memcpy(want + f->ip, f->byte + f->inner, f->len - f->inner);
	return sl_decap_becomes(r, f->udp ? SL_DECAP_R_GUE : SL_DECAP_R_IPIP, want,
				f->len - (f->inner - f->ip));
}
