/* SPDX-License-Identifier: BSD-2-Clause */
/* maglev: what the header promises, but for how few slots move (test_maglev_moves.c). */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/maglev.h"
#include "tests/unit/maglev_members.h"

/* ---- shares -------------------------------------------------------------- */

static void check_shares(uint32_t n, uint32_t slots)
{
	static uint32_t count[SL_BACKENDS_MAX];
	uint16_t *owners = fill(n, key0, slots);
	uint64_t sum = 0, total = 0;
	bool small = false;

	count_owners(owners, slots, count);
	for (uint32_t i = 0; i < n; i++)
		sum += members[i].weight;
	for (uint32_t i = 0; i < n; i++)
		small = small || (uint64_t)slots * members[i].weight < sum;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t c = count[members[i].id], exact = (uint64_t)slots * members[i].weight;

		total += c;
		cr_assert_geq(c, 1, "%s has no slot", members[i].name);
		if (exact < sum)
			cr_assert_eq(c, 1, "%s: below one slot, but has %u", members[i].name,
				     (unsigned)c);
		/* c/1 against exact/sum, both directions, less than one slot apart */
		if (!small || c > 1)
			cr_assert(c * sum < exact + sum, "%s: %u slots are too many",
				  members[i].name, (unsigned)c);
		if (!small)
			cr_assert(c * sum + sum > exact, "%s: %u slots are too few",
				  members[i].name, (unsigned)c);
	}
	cr_assert_eq(total, slots);
	free(owners);
}

Test(maglev, shares_are_exact_to_less_than_a_slot)
{
	static const uint32_t sizes[] = { 2, 3, 13, 251, 1021, 4093, 16381 };

	random_state = 7;
	for (uint32_t round = 0; round < 400; round++) {
		uint32_t slots = sizes[below(sizeof(sizes) / sizeof(sizes[0]))];
		uint32_t n = 1 + below(slots < MEMBERS_MAX ? slots : MEMBERS_MAX);

		members_random(n);
		check_shares(n, slots);
	}
	members_random(1000);
	check_shares(1000, 65537);
}

Test(maglev, edge_shares)
{
	static uint32_t count[SL_BACKENDS_MAX];
	uint16_t *owners;

	/* one backend owns all, whatever its weight */
	member_set(0, "a", 7, 3);
	owners = fill(1, key0, 251);
	for (uint32_t i = 0; i < 251; i++)
		cr_assert_eq(owners[i], 7);
	free(owners);

	/* as many backends as slots: one each, however unequal they are */
	members_plain(251, 1);
	members[100].weight = SL_WEIGHT_MAX;
	owners = fill(251, key0, 251);
	count_owners(owners, 251, count);
	for (uint32_t id = 1; id <= 251; id++)
		cr_assert_eq(count[id], 1, "id %u", id);
	free(owners);

	/* 1 : 256 in 251 slots: the light one is below one slot and still has it */
	members_plain(2, 1);
	members[1].weight = SL_WEIGHT_MAX;
	owners = fill(2, key0, 251);
	count_owners(owners, 251, count);
	cr_assert_eq(count[1], 1);
	cr_assert_eq(count[2], 250);
	free(owners);

	/* the smallest table there is */
	members_plain(2, 50);
	owners = fill(2, key0, 2);
	count_owners(owners, 2, count);
	cr_assert_eq(count[1], 1);
	cr_assert_eq(count[2], 1);
	free(owners);

	/* ties go to the earlier names: 13 slots for 5 equals are 3 3 3 2 2 */
	members_plain(5, 9);
	shuffle(5);
	owners = fill(5, key0, 13);
	count_owners(owners, 13, count);
	for (uint32_t id = 1; id <= 5; id++)
		cr_assert_eq(count[id], id <= 3 ? 3 : 2, "id %u has %u", id, count[id]);
	free(owners);
}

Test(maglev, nobody)
{
	uint16_t *owners = fill(0, key0, 101);

	for (uint32_t i = 0; i < 101; i++)
		cr_assert_eq(owners[i], 0);
	free(owners);
	owners = fill(0, key0, 2);
	cr_assert_eq(sl_maglev_fill(NULL, 0, key0, 2, owners, NULL), 0);
	free(owners);
}

/* ---- only names, weights, size and key decide ----------------------------- */

Test(maglev, order_and_ids_do_not_matter)
{
	static const char *name_of[2][SL_BACKENDS_MAX];

	random_state = 5;
	for (uint32_t round = 0; round < 50; round++) {
		uint32_t n = 1 + below(200);
		uint16_t *a, *b;

		members_random(n);
		a = fill(n, key0, 1021);
		for (uint32_t i = 0; i < n; i++)
			name_of[0][members[i].id] = members[i].name;
		shuffle(n);
		for (uint32_t i = 0; i < n; i++) {
			members[i].id = (uint16_t)(SL_BACKENDS_MAX - 1 - i * 31);
			name_of[1][members[i].id] = members[i].name;
		}
		b = fill(n, key0, 1021);
		for (uint32_t i = 0; i < 1021; i++)
			cr_assert_str_eq(name_of[0][a[i]], name_of[1][b[i]], "slot %u", i);
		free(a);
		free(b);
	}
}

/* Two unrelated tables of 10 agree in a tenth of the slots, by chance. */
Test(maglev, another_key_gives_another_table)
{
	static const uint64_t keys[3][2] = {
		{ 0x0123456789abcdeeull, 0xfedcba9876543210ull }, /* one bit */
		{ 0x0123456789abcdefull, 0x7edcba9876543210ull },
		{ 0, 0 },
	};
	uint16_t *a, *b;

	members_plain(10, 100);
	a = fill(10, key0, 16381);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t d;

		b = fill(10, keys[i], 16381);
		d = differing(a, b, 16381);
		cr_assert(d > 14300 && d < 15200, "key %u: %u of 16381 differ", i, d);
		free(b);
	}
	free(a);
}

/* A name is hashed with all its bytes: padding, length and order count. */
Test(maglev, similar_names_are_strangers)
{
	static const char *const pairs[][2] = {
		{ "be-1", "be-2" },
		{ "a", "aa" },
		{ "12345678", "123456780" },
		{ "abcdefgh1", "1abcdefgh" },
		{ "0123456789abcdef", "89abcdef01234567" },
	};

	for (uint32_t p = 0; p < sizeof(pairs) / sizeof(pairs[0]); p++) {
		uint16_t *a, *b;
		uint32_t d;

		members_plain(10, 100);
		member_set(0, pairs[p][0], 1, 100);
		a = fill(10, key0, 16381);
		member_set(0, pairs[p][1], 1, 100);
		b = fill(10, key0, 16381);
		d = differing(a, b, 16381);
		/* the renamed one leaves 9/10 of its tenth and takes as much elsewhere */
		cr_assert(d > 2500 && d < 3500, "%s, %s: %u differ", pairs[p][0], pairs[p][1], d);
		free(a);
		free(b);
	}
}

/* ---- errors -------------------------------------------------------------- */

static void check_error(uint32_t n, uint32_t slots, int want, const char *word)
{
	uint16_t owners[101];
	struct sl_err err = { 0 };
	int r;

	memset(owners, 0xa5, sizeof(owners));
	r = sl_maglev_fill(members, n, key0, slots, owners, &err);
	cr_assert_eq(r, want, "%d, not %d", r, want);
	cr_assert_eq(err.code, want);
	cr_assert_not_null(strstr(err.detail, word), "\"%s\" does not say %s", err.detail, word);
	for (uint32_t i = 0; i < 101; i++)
		cr_assert_eq(owners[i], 0xa5a5, "slot %u was written", i);
	cr_assert_eq(sl_maglev_fill(members, n, key0, slots, owners, NULL), want, "without err");
}

Test(maglev, refusals)
{
	static const uint32_t not_prime[] = { 0,  1,  4,  6,	 9,	15,	   25,	   49,
					      51, 91, 99, 65535, 65536, 65539 * 3, 4194304 };

	members_plain(4, 100);
	for (uint32_t i = 0; i < sizeof(not_prime) / sizeof(not_prime[0]); i++)
		check_error(1, not_prime[i], -EINVAL, "prime");
	check_error(1, 4194319, -EINVAL, "prime");     /* a prime, beyond the slots there are */
	check_error(1, 4294967291u, -EINVAL, "prime"); /* the largest prime of 32 bits */
	check_error(4, 3, -EINVAL, "4 backends");
	check_error(3, 2, -EINVAL, "larger table");

	members[2].id = 0;
	check_error(4, 101, -EINVAL, "be-002");
	members[2].id = SL_BACKENDS_MAX;
	check_error(4, 101, -EINVAL, "be-002");
	members[2].id = members[0].id;
	check_error(4, 101, -EEXIST, "be-002");
	members[2].id = 3;
	members[1].weight = 0;
	check_error(4, 101, -EINVAL, "be-001");
	members[1].weight = SL_WEIGHT_MAX + 1;
	check_error(4, 101, -EINVAL, "weight 257");
	members[1].weight = 100;
	members[3].name = "be-000";
	check_error(4, 101, -EEXIST, "be-000");
	members[3].name = "be-003";
	members[0].name = "be-003";
	check_error(4, 101, -EEXIST, "be-003");
	members[0].name = "be-000";
	members[3].name = NULL;
	check_error(4, 101, -EINVAL, "name");
}
