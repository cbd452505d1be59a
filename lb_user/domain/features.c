/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/domain/features.h"

#include "lb_user/domain/guard.h"

static uint32_t of_backend(const struct sl_service *s, const struct sl_backend *b)
{
	uint32_t f = b->vlan == SL_VLAN_KEEP ? 0 : SL_FEAT_VLAN;

	switch (sl_backend_forward(s, b)) {
	case SL_FORWARD_IPIP:
		return f | SL_FEAT_IPIP;
	case SL_FORWARD_GUE:
		return f | SL_FEAT_GUE;
	case SL_FORWARD_L2DSR:
		break;
	}
	return f;
}

static uint32_t of_service(const struct sl_service *s)
{
	uint32_t f = s->udp_flows == SL_UDP_QUIC ? SL_FEAT_QUIC : 0;

	for (size_t i = 0; i < s->n_backends; i++)
		f |= of_backend(s, &s->backends[i]);
	return f;
}

uint32_t sl_features_needed(const struct sl_config *c)
{
	uint32_t f = sl_guard_needed(c) ? SL_FEAT_GUARD : 0;

	for (size_t i = 0; i < c->n_services; i++)
		f |= of_service(&c->services[i]);
	return f;
}
