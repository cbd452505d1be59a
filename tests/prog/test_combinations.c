/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_combinations [all]: the programs load with none of the features, with
 * each alone, with all but each and with all ("all": with every combination),
 * and send a packet then. What one combination removes another one needs, and
 * verifiers differ: Linux 6.1 refused programs that later ones took.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/prog/rig.h"
#include "tests/prog/tap.h"

#define BACKEND	     7u
#define VERIFIED_MAX 100000u /* of the verifier's own limit of 10^6 */

static unsigned verified(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		sl_tap_bail("read the program back", "%s", strerror(errno));
	return info.verified_insns;
}

static void name(uint32_t features, char ret[80])
{
	static const char *const word[] = { "ipip", "gue", "vlan", "quic", "guard", "trace" };
	int at = 0;

	_Static_assert((1u << sizeof(word) / sizeof(word[0])) - 1 == SL_FEAT_ALL,
		       "a word for each");
	ret[0] = 0;
	for (unsigned i = 0; i < sizeof(word) / sizeof(word[0]); i++)
		if (features & 1u << i)
			at += snprintf(ret + at, 80 - (size_t)at, "%s%s", at ? " " : "", word[i]);
	if (!features)
		snprintf(ret, 80, "no feature");
}

static void service(struct sl_rig *r)
{
	struct sl_rig_service s = {
		.id = 1, .addr = "192.0.2.1", .port = 443, .proto = IPPROTO_TCP, .count = 251
	};

	sl_rig_service(r, &s);
	sl_rig_own(r, 1, BACKEND);
	sl_rig_backend(r, BACKEND, SL_DP_UP, SL_RIG_LO, SL_RIG_PORT);
}

static void sends(struct sl_rig *r, const char *with)
{
	struct sl_packet_spec spec = { .from = "198.51.100.7",
				       .to = "192.0.2.1",
				       .sport = 1024,
				       .dport = 443,
				       .proto = IPPROTO_TCP,
				       .tcp_flags = SL_TCP_ACK,
				       .payload = 5 };
	struct sl_rig_out out;
	struct sl_packet p;
	char what[160];

	if (sl_packet_build(&spec, &p))
		sl_tap_bail("build a packet", "%s", spec.to);
	sl_rig_run(r, p.byte, p.len, &out);
	snprintf(what, sizeof(what), "%s: a packet is sent", with);
	sl_tap(out.verdict == XDP_TX && sl_rig_went_to(&out) == BACKEND, what,
	       "verdict %d, to backend %u", out.verdict, sl_rig_went_to(&out));
}

static void combination(struct sl_rig *r, uint32_t features)
{
	struct sl_err err = {};
	char with[80], what[160];
	unsigned n[3];

	name(features, with);
	if (!sl_rig_try_features(r, features, &err)) {
		snprintf(what, sizeof(what), "%s: loads", with);
		sl_tap(false, what, "%s", err.detail);
		return;
	}
	n[0] = verified(r->fd);
	n[1] = verified(r->rare_fd);
	n[2] = verified(r->send_fd);
	snprintf(what, sizeof(what), "%s: loads; verified sl_xdp %u, sl_rare %u, sl_send %u", with,
		 n[0], n[1], n[2]);
	sl_tap(n[0] <= VERIFIED_MAX && n[1] <= VERIFIED_MAX && n[2] <= VERIFIED_MAX, what,
	       "above %u", VERIFIED_MAX);
	sends(r, with);
}

int main(int argc, char **argv)
{
	struct sl_rig r;

	sl_rig_open(&r);
	service(&r);
	if (argc > 1 && !strcmp(argv[1], "all")) {
		for (uint32_t f = 0; f <= SL_FEAT_ALL; f++)
			combination(&r, f);
	} else {
		combination(&r, 0);
		combination(&r, SL_FEAT_ALL);
		for (uint32_t f = 1; f <= SL_FEAT_ALL; f <<= 1) {
			combination(&r, f);
			combination(&r, SL_FEAT_ALL & ~f);
		}
	}
	sl_rig_close(&r);
	return sl_tap_done();
}
