/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "lb_user/base/idpool.h"

Test(idpool, lowest_first_and_never_0)
{
	struct sl_idpool *p;
	uint32_t id, i;

	cr_assert_eq(sl_idpool_new(200, &p), 0);
	for (i = 1; i < 200; i++) {
		cr_assert_eq(sl_idpool_take(p, &id), 0);
		cr_assert_eq(id, i);
	}
	id = 77;
	cr_assert_eq(sl_idpool_take(p, &id), -ENOSPC);
	cr_assert_eq(id, 77, "written although it failed");
	sl_idpool_give(p, 150);
	sl_idpool_give(p, 3);
	cr_assert_eq(sl_idpool_take(p, &id), 0);
	cr_assert_eq(id, 3);
	cr_assert_eq(sl_idpool_take(p, &id), 0);
	cr_assert_eq(id, 150);
	cr_assert_eq(sl_idpool_take(p, &id), -ENOSPC);
	sl_idpool_free(p);
	sl_idpool_free(NULL);
}

Test(idpool, bounds)
{
	static const uint32_t sizes[] = { 0, 1, 2, 63, 64, 65, 128, 32768 };
	struct sl_idpool *p;
	uint32_t id, n;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		cr_assert_eq(sl_idpool_new(sizes[i], &p), 0);
		cr_assert_eq(sl_idpool_claim(p, 0), -ERANGE);
		cr_assert_eq(sl_idpool_claim(p, sizes[i]), -ERANGE);
		cr_assert_eq(sl_idpool_claim(p, UINT32_MAX), -ERANGE);
		sl_idpool_give(p, 0);
		sl_idpool_give(p, sizes[i]);
		sl_idpool_give(p, UINT32_MAX);
		cr_assert_not(sl_idpool_taken(p, 0));
		cr_assert_not(sl_idpool_taken(p, sizes[i]));
		for (n = 0; sl_idpool_take(p, &id) == 0; n++)
			cr_assert(id > 0 && id < sizes[i], "%u of %u", id, sizes[i]);
		cr_assert_eq(n, sizes[i] ? sizes[i] - 1 : 0, "%u of %u", n, sizes[i]);
		sl_idpool_free(p);
	}
}

Test(idpool, claimed_ids_are_not_given)
{
	struct sl_idpool *p;
	uint32_t id;

	cr_assert_eq(sl_idpool_new(10, &p), 0);
	cr_assert_eq(sl_idpool_claim(p, 2), 0);
	cr_assert_eq(sl_idpool_claim(p, 2), -EEXIST);
	cr_assert(sl_idpool_taken(p, 2));
	cr_assert_eq(sl_idpool_take(p, &id), 0);
	cr_assert_eq(id, 1);
	cr_assert_eq(sl_idpool_claim(p, 1), -EEXIST);
	cr_assert_eq(sl_idpool_take(p, &id), 0);
	cr_assert_eq(id, 3);
	sl_idpool_give(p, 2);
	sl_idpool_give(p, 2);
	cr_assert_not(sl_idpool_taken(p, 2));
	cr_assert_eq(sl_idpool_take(p, &id), 0);
	cr_assert_eq(id, 2);
	cr_assert_eq(sl_idpool_take(p, &id), 0);
	cr_assert_eq(id, 4, "given twice, taken twice");
	sl_idpool_free(p);
}

Test(idpool, random_history_against_an_array)
{
	enum { MAX = 300 };
	bool taken[MAX] = { [0] = true };
	uint64_t x = 0x2545f4914f6cdd1dull;
	struct sl_idpool *p;
	uint32_t id, want, i;
	int step, r;

	cr_assert_eq(sl_idpool_new(MAX, &p), 0);
	for (step = 0; step < 200000; step++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		i = (uint32_t)(x >> 32) % MAX;
		switch (x % 5) {
		case 0:
		case 1:
			for (want = 1; want < MAX && taken[want]; want++)
				;
			r = sl_idpool_take(p, &id);
			cr_assert_eq(r, want < MAX ? 0 : -ENOSPC, "step %d", step);
			if (!r) {
				cr_assert_eq(id, want, "step %d", step);
				taken[id] = true;
			}
			break;
		case 2:
			r = sl_idpool_claim(p, i);
			cr_assert_eq(r, !i ? -ERANGE : taken[i] ? -EEXIST : 0, "step %d", step);
			taken[i] = true;
			break;
		default:
			sl_idpool_give(p, i);
			taken[i] = !i;
		}
		cr_assert_eq(sl_idpool_taken(p, i), i && taken[i], "step %d", step);
	}
	sl_idpool_free(p);
}
