/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/domain/exceptions.h"

#include <stdbool.h>

static bool clear(__u64 *place, __u64 was)
{
	/* a packet may have used or taken the entry meanwhile: then it stays */
	return __atomic_compare_exchange_n(place, &was, 0, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

uint32_t sl_exceptions_sweep(struct sl_exc_set *sets, uint32_t n_sets,
			     const struct sl_backend_rec *backends,
			     const struct sl_service_rec *services, uint32_t tick)
{
	uint32_t left = 0;

	for (uint32_t s = 0; s < n_sets; s++)
		for (unsigned i = 0; i < SL_EXC_WAYS; i++) {
			__u64 e = __atomic_load_n(&sets[s].entry[i], __ATOMIC_ACQUIRE);
			uint16_t service;

			if (!e)
				continue;
			service = backends[SL_EXC_BACKEND(e)].service;
			if (service && SL_EXC_SILENT(e, tick) <= services[service].idle_ticks + 1u)
				left++;
			else if (!clear(&sets[s].entry[i], e))
				left++;
		}
	return left;
}

/* Retried, because a packet may touch the entry meanwhile: it must go all the same. */
static uint32_t purge_one(__u64 *place, uint16_t id)
{
	__u64 e = __atomic_load_n(place, __ATOMIC_ACQUIRE);
	uint32_t n = 0;

	while (e && SL_EXC_BACKEND(e) == id) {
		n += clear(place, e);
		e = __atomic_load_n(place, __ATOMIC_ACQUIRE);
	}
	return n;
}

uint32_t sl_exceptions_purge(struct sl_exc_set *sets, uint32_t n_sets, uint16_t id)
{
	uint32_t n = 0;

	for (uint32_t s = 0; s < n_sets; s++)
		for (unsigned i = 0; i < SL_EXC_WAYS; i++)
			n += purge_one(&sets[s].entry[i], id);
	return n;
}

uint32_t sl_exceptions_purge_all(struct sl_exc_set *sets, uint32_t n_sets, const bool *gone)
{
	uint32_t n = 0;

	for (uint32_t s = 0; s < n_sets; s++)
		for (unsigned i = 0; i < SL_EXC_WAYS; i++) {
			__u64 e = __atomic_load_n(&sets[s].entry[i], __ATOMIC_ACQUIRE);

			if (e && gone[SL_EXC_BACKEND(e)])
				n += purge_one(&sets[s].entry[i], (uint16_t)SL_EXC_BACKEND(e));
		}
	return n;
}
