/* SPDX-License-Identifier: BSD-2-Clause */
/* The packet path has the features that records need, before they are written. */
#include "tests/unit/control_rig.h"

TestSuite(control_features, .init = start, .fini = stop, .timeout = 60);

static uint32_t words[SLOTS];

static void to_quic(struct sl_config *next)
{
	next->services[0].udp_flows = SL_UDP_QUIC;
}

Test(control_features, a_refused_feature_refuses_the_change)
{
	struct sl_service s = web(SL_FORWARD_L2DSR);
	struct sl_backend tunnelled = backend("b", "10.1.0.3");
	struct sl_backend_rec before;
	uint64_t revision;
	bool created;

	declare(SL_FORWARD_L2DSR, "10.1.0.2");
	UNTIL(REC->state == SL_DP_UP, 3000);
	memcpy(words, table(), sizeof(words));
	before = *REC;
	revision = sl_control_config(control)->revision;
	fake->fail_specialise = -EIO;

	cr_assert_eq(alter(to_gue), -EIO);
	cr_assert_not_null(strstr(err.detail, "features 0x2"), "%s", err.detail);
	cr_assert_eq(alter(to_vlan), -EIO);
	cr_assert_eq(alter(to_quic), -EIO);
	tunnelled.forward_own = true;
	tunnelled.forward = SL_FORWARD_IPIP;
	cr_assert_eq(sl_control_backend_create(control, "web", &tunnelled, &err), -EIO);

	cr_assert_arr_eq(REC, &before, sizeof(before));
	cr_assert_arr_eq(words, table(), sizeof(words));
	cr_assert_eq(fake->dp.mem.services[1].flags & SL_SF_QUIC, 0);
	cr_assert_eq(fake->dp.mem.labels[2].name[0], 0);
	cr_assert_eq(sl_control_config(control)->revision, revision);
	cr_assert_eq(sl_control_config(control)->n_services, 1);
	cr_assert_eq(sl_control_config(control)->services[0].forward, SL_FORWARD_L2DSR);

	/* What needs nothing new goes on, and the same again works once it can. */
	s.idle_timeout_s = 60;
	s.backends = control->config.services[0].backends;
	s.n_backends = 1;
	cr_assert_eq(sl_control_service_replace(control, &s, &created, &err), 0, "%s", err.detail);
	fake->fail_specialise = 0;
	cr_assert_eq(alter(to_gue), 0, "%s", err.detail);
}

/* As when a next hop turns out to be behind a VLAN device: nothing that is declared told. */
Test(control_features, a_feature_refused_at_run_time_is_a_missing_next_hop)
{
	declare(SL_FORWARD_IPIP, "10.1.0.2");
	UNTIL(REC->state == SL_DP_UP, 3000);
	fake->dp.mem.info->features = 0;
	fake->fail_specialise = -EIO;
	ns_here("ip link set va mtu 1400");
	UNTIL(REC->state == SL_DP_DOWN, 1000);
	cr_assert_not_null(strstr(status().message, "features 0x1"), "%s", status().message);
	cr_assert_eq(REC->mtu, 1480, "stored although the program cannot do it");
	fake->fail_specialise = 0;
	UNTIL(REC->state == SL_DP_UP, 7000);
	cr_assert_eq(REC->mtu, 1380);
	cr_assert_eq(fake->dp.mem.info->features, SL_FEAT_IPIP);
	cr_assert_eq(status().message[0], 0);
}

Test(control_features, unused_features_go_after_ten_seconds)
{
	const struct sl_info *info = fake->dp.mem.info;

	declare(SL_FORWARD_IPIP, "10.1.0.2");
	UNTIL(REC->state == SL_DP_UP, 3000);
	cr_assert_eq(alter(to_gue), 0);
	cr_assert_eq(info->features, SL_FEAT_IPIP | SL_FEAT_GUE);
	/* the timer's own looks, now, are before those of the test's clock */
	sl_feature_relax(control, 1000000000);
	control->spare_since_ms = 1000000000;
	sl_feature_relax(control, 1000009999);
	cr_assert_eq(info->features, SL_FEAT_IPIP | SL_FEAT_GUE);
	/* needed again in between: from the beginning */
	REC->fwd = SL_FWD_IPIP;
	sl_feature_relax(control, 1000009999);
	REC->fwd = SL_FWD_GUE;
	sl_feature_relax(control, 1000010000);
	sl_feature_relax(control, 1000019999);
	cr_assert_eq(info->features, SL_FEAT_IPIP | SL_FEAT_GUE);
	fake->fail_specialise = -EIO;
	sl_feature_relax(control, 1000020000);
	cr_assert_eq(info->features, SL_FEAT_IPIP | SL_FEAT_GUE);
	fake->fail_specialise = 0;
	sl_feature_relax(control, 1000030000);
	cr_assert_eq(info->features, SL_FEAT_GUE);

	/* what a record says counts, although nobody declared it: a VLAN device's */
	fake->dp.mem.info->features |= SL_FEAT_VLAN;
	REC->flags |= SL_BF_VLAN;
	cr_assert_eq(sl_feature_needed(control), SL_FEAT_GUE | SL_FEAT_VLAN);
	sl_feature_relax(control, 1000100000);
	sl_feature_relax(control, 1000200000);
	cr_assert_eq(info->features, SL_FEAT_GUE | SL_FEAT_VLAN);
}
