/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_FEATURES_H
#define LB_USER_DOMAIN_FEATURES_H

/* features: what a configuration asks of the packet path. */
#include <stdint.h>

#include <sluice/features.h>

#include "lb_user/domain/model.h"

/*
 * SL_FEAT_* that the declared backends and services need. What only shows
 * itself at run time (a next hop behind a VLAN device) is svc's to add.
 */
uint32_t sl_features_needed(const struct sl_config *c);

#endif
