/* SPDX-License-Identifier: BSD-2-Clause */
/* What a configuration asks of the packet path. */
#include <criterion/criterion.h>
#include <string.h>

#include "lb_user/domain/features.h"

static struct sl_service service[2];
static struct sl_backend backend[2][2];
static struct sl_config config;

static void start(void)
{
	for (int i = 0; i < 2; i++) {
		sl_service_defaults(&service[i]);
		for (int k = 0; k < 2; k++)
			sl_backend_defaults(&backend[i][k]);
		service[i].backends = backend[i];
		service[i].n_backends = 2;
	}
	config = (struct sl_config){ .services = service, .n_services = 2 };
}

TestSuite(features, .init = start);

Test(features, plain_services_need_none)
{
	struct sl_config empty = { .revision = 0 };

	cr_assert_eq(sl_features_needed(&empty), 0);
	service[0].udp_flows = SL_UDP_NONE;
	service[1].oversize = SL_OVERSIZE_SEND;
	backend[1][1].forward = SL_FORWARD_IPIP; /* not its own: the service's counts */
	backend[1][1].gue_port = 1;
	cr_assert_eq(sl_features_needed(&config), 0);
}

Test(features, each_backend_and_service_counts)
{
	backend[1][1].forward_own = true;
	backend[1][1].forward = SL_FORWARD_IPIP;
	cr_assert_eq(sl_features_needed(&config), SL_FEAT_IPIP);
	service[0].forward = SL_FORWARD_GUE;
	cr_assert_eq(sl_features_needed(&config), SL_FEAT_IPIP | SL_FEAT_GUE);
	backend[0][0].forward_own = backend[0][1].forward_own = true; /* l2dsr, both */
	cr_assert_eq(sl_features_needed(&config), SL_FEAT_IPIP);
	service[1].udp_flows = SL_UDP_QUIC;
	cr_assert_eq(sl_features_needed(&config), SL_FEAT_IPIP | SL_FEAT_QUIC);
	backend[0][1].vlan = 0; /* none leaves: the tags must go */
	cr_assert_eq(sl_features_needed(&config), SL_FEAT_IPIP | SL_FEAT_QUIC | SL_FEAT_VLAN);
	backend[0][1].vlan = SL_VLAN_KEEP;
	backend[1][0].vlan = 4094;
	cr_assert_eq(sl_features_needed(&config), SL_FEAT_IPIP | SL_FEAT_QUIC | SL_FEAT_VLAN);
}
