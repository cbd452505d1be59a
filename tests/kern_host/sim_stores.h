/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_KERN_HOST_SIM_STORES_H
#define TESTS_KERN_HOST_SIM_STORES_H

/*
 * sim_stores: included in front of lb_user/domain/slots.c and exceptions.c, which
 * stay as they are: before each of their atomic accesses packets may run.
 */
#include <stdint.h>

extern uint32_t sim_stores_left; /* accesses until the next interruption; 0: none will come */
void sim_stores_interrupt(const volatile void *at);

static inline void sim_stores_point(const volatile void *at)
{
	if (__builtin_expect(sim_stores_left && --sim_stores_left == 0, 0))
		sim_stores_interrupt(at);
}

#define __atomic_load_n(at, order) (sim_stores_point(at), __atomic_load_n(at, order))
#define __atomic_store_n(at, value, order) \
	(sim_stores_point(at), __atomic_store_n(at, value, order))
#define __atomic_compare_exchange_n(at, ...) \
	(sim_stores_point(at), __atomic_compare_exchange_n(at, __VA_ARGS__))

#endif
