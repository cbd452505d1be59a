/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/svctab.h"

static struct sl_svctab table(void)
{
	return (struct sl_svctab){ calloc(SL_SVC4_BUCKETS, sizeof(struct sl_svc4_bucket)),
				   calloc(SL_SVC6_BUCKETS, sizeof(struct sl_svc6_bucket)) };
}

static void release(struct sl_svctab *t)
{
	free(t->svc4);
	free(t->svc6);
}

static struct sl_addr address(bool v6, uint32_t n)
{
	struct sl_addr a = { .family = v6 ? AF_INET6 : AF_INET };

	a.byte_be[0] = v6 ? 0xfd : 10;
	memcpy(a.byte_be + (v6 ? 12 : 0), &n, 4);
	return a;
}

/* As people number them: in a row, by /24, by /16, by port, eight ports each; and scattered. */
static struct sl_addr nth(int pattern, bool v6, uint32_t n, uint16_t *port)
{
	*port = 80;
	switch (pattern) {
	case 0:
		return address(v6, htonl(n));
	case 1:
		return address(v6, htonl(n << 8));
	case 2:
		return address(v6, htonl(n << 16));
	case 3:
		*port = (uint16_t)(1000 + n);
		return address(v6, 1);
	case 4:
		*port = (uint16_t)(8000 + n % 8);
		return address(v6, htonl(n / 8));
	default:
		return address(v6, n * 2654435761u);
	}
}

Test(svctab, as_many_services_as_there_are_ids_fit_in_either_family)
{
	for (int i = 0; i < 12; i++) {
		struct sl_svctab t = table();
		int pattern = i / 2;
		bool v6 = i % 2;
		uint16_t port;

		for (uint16_t id = 1; id < SL_SERVICES_MAX; id++) {
			struct sl_addr a = nth(pattern, v6, id, &port);

			cr_assert_eq(sl_svctab_put(&t, &a, port, SL_PROTO_TCP, id), 0,
				     "pattern %d id %u", pattern, id);
		}
		for (uint16_t id = 1; id < SL_SERVICES_MAX; id++) {
			struct sl_addr a = nth(pattern, v6, id, &port);

			cr_assert_eq(sl_svctab_get(&t, &a, port, SL_PROTO_TCP), id);
			cr_assert_eq(sl_svctab_get(&t, &a, 7, SL_PROTO_TCP), 0);
			cr_assert_eq(sl_svctab_get(&t, &a, port, SL_PROTO_UDP), 0);
		}
		release(&t);
	}
}

Test(svctab, an_entry_is_put_once_and_deleted_once)
{
	struct sl_svctab t = table();
	struct sl_addr a = address(false, 7), b = address(true, 7);

	cr_assert_eq(sl_svctab_put(&t, &a, 53, SL_PROTO_UDP, 9), 0);
	cr_assert_eq(sl_svctab_put(&t, &a, 53, SL_PROTO_UDP, 10), -EEXIST);
	cr_assert_eq(sl_svctab_put(&t, &b, 53, SL_PROTO_UDP, 10), 0);
	cr_assert_eq(sl_svctab_del(&t, &a, 53, SL_PROTO_UDP), 9);
	cr_assert_eq(sl_svctab_del(&t, &a, 53, SL_PROTO_UDP), 0);
	cr_assert_eq(sl_svctab_get(&t, &b, 53, SL_PROTO_UDP), 10);
	release(&t);
}

static bool keep_third(void *user, const struct sl_addr *addr, uint16_t id)
{
	const struct sl_addr *third = user;

	cr_assert_eq(sl_addr_equal(addr, third), id == 3, "the address goes with the id");
	return id == 3;
}

Test(svctab, what_is_set_replaces)
{
	struct sl_svctab t = table();
	struct sl_addr a = address(true, 7);

	cr_assert_eq(sl_svctab_set(&t, &a, 0, SL_PROTO_UDP, 9), 0);
	cr_assert_eq(sl_svctab_set(&t, &a, 0, SL_PROTO_UDP, 10), 0);
	cr_assert_eq(sl_svctab_get(&t, &a, 0, SL_PROTO_UDP), 10);
	cr_assert_eq(sl_svctab_get(&t, &a, 0, SL_PROTO_TCP), 0);
	cr_assert_eq(sl_svctab_set(&t, &a, 0, SL_PROTO_UDP, 0), 0);
	cr_assert_eq(sl_svctab_get(&t, &a, 0, SL_PROTO_UDP), 0);
	cr_assert_eq(sl_svctab_set(&t, &a, 0, SL_PROTO_UDP, 0), 0);
	release(&t);
}

Test(svctab, only_what_is_kept_stays)
{
	struct sl_svctab t = table();
	struct sl_addr a = address(false, 1), b = address(true, 2), c = address(false, 3);

	sl_svctab_put(&t, &a, 1, SL_PROTO_TCP, 1);
	sl_svctab_put(&t, &b, 1, SL_PROTO_TCP, 2);
	sl_svctab_put(&t, &c, 1, SL_PROTO_TCP, 3);
	cr_assert_eq(sl_svctab_retain(&t, keep_third, &c), 2);
	cr_assert_eq(sl_svctab_get(&t, &a, 1, SL_PROTO_TCP), 0);
	cr_assert_eq(sl_svctab_get(&t, &b, 1, SL_PROTO_TCP), 0);
	cr_assert_eq(sl_svctab_get(&t, &c, 1, SL_PROTO_TCP), 3);
	release(&t);
}
