/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "lb_user/domain/exceptions.h"

Test(exceptions, a_sweep_removes_what_expired_by_its_own_service)
{
	struct sl_exc_set *sets = calloc(2, sizeof(*sets));
	struct sl_backend_rec *backends = calloc(SL_BACKENDS_MAX, sizeof(*backends));
	struct sl_service_rec *services = calloc(SL_SERVICES_MAX, sizeof(*services));
	__u64 young, edge, ahead;

	backends[1].service = 1;
	backends[2].service = 2;
	services[1].idle_ticks = 10;
	services[2].idle_ticks = 50;
	sets[0].entry[0] = young = SL_EXC(1ull << 24, 1, 1, 250);
	sets[0].entry[1] = SL_EXC(2ull << 24, 1, 1, 230);
	sets[1].entry[7] = edge = SL_EXC(3ull << 24, 2, 0, 210);
	/* written by a CPU that saw the clock turn first */
	sets[1].entry[5] = ahead = SL_EXC(5ull << 24, 1, 1, 5);
	sets[1].entry[6] = SL_EXC(4ull << 24, 3, 1, 4); /* of a backend without a service */
	/* tick 260: 4 in eight bits; ages 10, 30, 50, 0 */
	cr_assert_eq(sl_exceptions_sweep(sets, 2, backends, services, 260), 3);
	cr_assert_eq(sets[1].entry[5], ahead);
	cr_assert_eq(sets[0].entry[0], young);
	cr_assert_eq(sets[0].entry[1], 0);
	cr_assert_eq(sets[1].entry[7], edge);
	cr_assert_eq(sets[1].entry[6], 0);
	cr_assert_eq(sl_exceptions_purge(sets, 2, 2), 1);
	cr_assert_eq(sets[1].entry[7], 0);
	cr_assert_eq(sets[0].entry[0], young);
	free(sets);
	free(backends);
	free(services);
}

Test(exceptions, what_ages_can_tell_depends_on_the_timeout)
{
	cr_assert_not(sl_exceptions_doubtful(0, 252));
	cr_assert_not(sl_exceptions_doubtful(179, 73));
	cr_assert(sl_exceptions_doubtful(180, 73));
	cr_assert(sl_exceptions_doubtful(1ull << 40, 2));
}
