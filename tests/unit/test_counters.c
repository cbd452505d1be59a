/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>

#include <sluice/reasons.h>

#include "lb_user/domain/counters.h"

#define CPUS 2u

struct rows {
	struct sl_cnt *backend, *service;
	struct sl_reason_cnt reason[CPUS];
};

static void rows_init(struct rows *r)
{
	*r = (struct rows){ .backend = calloc(CPUS * SL_BACKENDS_MAX, sizeof(struct sl_cnt)),
			    .service = calloc(CPUS * SL_SERVICES_MAX, sizeof(struct sl_cnt)) };
	cr_assert(r->backend && r->service);
}

static void rows_done(struct rows *r)
{
	free(r->backend);
	free(r->service);
}

/* What a service with backends 5 and 6 has sent, as a reader adds it up. */
static struct sl_counters service_of(const struct rows *r)
{
	struct sl_counters sum = {};

	sl_counters_add(&sum, r->service, CPUS, SL_SERVICES_MAX, 9);
	sl_counters_add(&sum, r->backend, CPUS, SL_BACKENDS_MAX, 5);
	sl_counters_add(&sum, r->backend, CPUS, SL_BACKENDS_MAX, 6);
	return sum;
}

Test(counters, all_cpus_count)
{
	struct sl_counters sum = {};
	struct rows r;

	rows_init(&r);
	r.backend[5] = (struct sl_cnt){ 1, 10, 100, 1000 };
	r.backend[SL_BACKENDS_MAX + 5] = (struct sl_cnt){ 2, 20, 200, 2000 };
	r.backend[6].packets = 77;
	sl_counters_add(&sum, r.backend, CPUS, SL_BACKENDS_MAX, 5);
	cr_expect_eq(sum.packets, 3);
	cr_expect_eq(sum.bytes, 30);
	cr_expect_eq(sum.flows, 300);
	cr_expect_eq(sum.dropped, 3000);
	rows_done(&r);
}

Test(counters, a_sum_outlives_its_backends)
{
	struct sl_counters was, is;
	struct rows r;

	rows_init(&r);
	r.service[SL_SERVICES_MAX + 9].dropped = 4;
	r.backend[5] = (struct sl_cnt){ .packets = 1, .bytes = 10, .flows = 100 };
	r.backend[SL_BACKENDS_MAX + 5] = (struct sl_cnt){ .packets = 2, .bytes = 20, .flows = 200 };
	r.backend[6] = (struct sl_cnt){ .packets = 3 };
	was = service_of(&r);
	sl_counters_retire_backend(r.backend, r.service, CPUS, 5, 9);
	is = service_of(&r);
	cr_expect(!memcmp(&was, &is, sizeof(is)));
	cr_expect_eq(r.backend[5].packets + r.backend[SL_BACKENDS_MAX + 5].bytes, 0);
	cr_expect_eq(r.backend[6].packets, 3);

	sl_counters_retire_backend(r.backend, r.service, CPUS, 6, 9);
	sl_counters_retire_service(r.service, r.reason, CPUS, 9, SL_R_SENT);
	cr_expect_eq(r.reason[0].packets[SL_R_SENT], was.packets);
	is = service_of(&r);
	cr_expect_eq(is.packets + is.dropped, 0, "the id is clean for the next one");
	rows_done(&r);
}
