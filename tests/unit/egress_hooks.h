/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_EGRESS_HOOKS_H
#define TESTS_UNIT_EGRESS_HOOKS_H

/*
 * egress_hooks: put in front of lb_user/svc/egress.c by the compiler's
 * -include, for a second copy of it beside the shipped one (which the agent's
 * other files are linked with): it tells of each of its stores.
 */
void egress_stored(void);

#define sl_egress_make	   hooked_egress_make
#define sl_egress_features hooked_egress_features
#define sl_egress_store	   hooked_egress_store
#define sl_egress_source   hooked_egress_source

#define __atomic_store_n(at, value, order) \
	do {                               \
		*(at) = (value);           \
		egress_stored();           \
	} while (0)

#endif
