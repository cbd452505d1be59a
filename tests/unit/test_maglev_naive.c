/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The module is compared slot by slot with
 * an implementation written from its description alone and in another style:
 * whole permutations as arrays, modulo, 128-bit fractions, and "how many slots
 * should a member have after round r" in place of credits.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/maglev.h"
#include "tests/unit/maglev_members.h"

/* ---- the other implementation -------------------------------------------- */

static uint64_t naive_mix(uint64_t x)
{
	x = (x ^ (x >> 33)) * 18397679294719823053ull;
	x = (x ^ (x >> 33)) * 14181476777654086739ull;
	return x ^ (x >> 33);
}

static uint64_t naive_name(const char *name, const uint64_t key[2])
{
	unsigned char padded[72] = { 0 };
	size_t len = strlen(name), words = (len + 7) / 8;
	uint64_t h = naive_mix(key[0] ^ len);

	memcpy(padded, name, len);
	for (size_t i = 0; i < words; i++) {
		uint64_t word = 0;

		for (int j = 7; j >= 0; j--)
			word = word * 256 + padded[8 * i + (size_t)j];
		h = naive_mix(h ^ word) + key[1];
	}
	return h;
}

static uint32_t naive_range(uint64_t h, uint32_t n)
{
	return (uint32_t)(((unsigned __int128)(h & ~0xffffffffull) * n) >> 64);
}

/* Lightest first, one at a time: who is below one slot of what is left gets one. */
static void naive_quotas(const uint32_t *order, uint32_t n, uint32_t slots, uint32_t *quota)
{
	uint64_t left = slots, sum = 0, used = 0;
	unsigned char *fixed = calloc(n, 1), *more = calloc(n, 1);

	for (uint32_t i = 0; i < n; i++)
		sum += members[order[i]].weight;
	for (uint32_t w = 1; w <= SL_WEIGHT_MAX; w++) {
		for (uint32_t i = 0; i < n; i++) {
			if (members[order[i]].weight != w || left * w >= sum)
				continue;
			fixed[i] = 1;
			quota[i] = 1;
			left--;
			sum -= w;
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		if (!fixed[i])
			quota[i] = (uint32_t)(left * members[order[i]].weight / sum);
		used += fixed[i] ? 0 : quota[i];
	}
	for (; used < left; used++) {
		int64_t best = -1;

		for (uint32_t i = 0; i < n; i++) {
			if (fixed[i] || more[i])
				continue;
			if (best < 0 || left * members[order[i]].weight % sum >
						left * members[order[best]].weight % sum)
				best = i;
		}
		more[best] = 1;
		quota[best]++;
	}
	free(fixed);
	free(more);
}

static uint16_t *naive_fill(uint32_t n, const uint64_t key[2], uint32_t slots)
{
	uint16_t *owners = calloc(slots, sizeof(*owners));
	uint32_t *perm = malloc((size_t)n * slots * sizeof(*perm));
	uint32_t *order = calloc(n, sizeof(*order)), *quota = calloc(n, sizeof(*quota));
	uint32_t *have = calloc(n, sizeof(*have)), heaviest = 0, filled = 0;

	for (uint32_t i = 0; i < n; i++) { /* insertion sort */
		uint32_t j = i;

		for (; j > 0 && strcmp(members[order[j - 1]].name, members[i].name) > 0; j--)
			order[j] = order[j - 1];
		order[j] = i;
		if (members[i].weight > heaviest)
			heaviest = members[i].weight;
	}
	naive_quotas(order, n, slots, quota);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t h = naive_name(members[order[i]].name, key);
		uint64_t offset = naive_range(naive_mix(h + 0x9e3779b97f4a7c15ull), slots);
		uint64_t skip =
			naive_range(naive_mix(h + 2 * 0x9e3779b97f4a7c15ull), slots - 1) + 1;

		for (uint64_t k = 0; k < slots; k++)
			perm[(size_t)i * slots + k] = (uint32_t)((offset + k * skip) % slots);
	}
	for (uint64_t round = 1; filled < slots; round++) {
		for (uint32_t i = 0; i < n; i++) {
			uint64_t due = round * members[order[i]].weight / heaviest;
			uint32_t k = 0;

			if (have[i] >= due || have[i] == quota[i])
				continue;
			while (owners[perm[(size_t)i * slots + k]])
				k++;
			owners[perm[(size_t)i * slots + k]] = members[order[i]].id;
			have[i]++;
			filled++;
		}
	}
	free(perm);
	free(order);
	free(quota);
	free(have);
	return owners;
}

static void compare(uint32_t n, uint32_t slots)
{
	uint64_t key[2] = { random64(), random64() };
	uint16_t *got = fill(n, key, slots), *want = naive_fill(n, key, slots);

	for (uint32_t i = 0; i < slots; i++)
		cr_assert_eq(got[i], want[i], "%u members, %u slots: slot %u is %u, not %u", n,
			     slots, i, got[i], want[i]);
	free(got);
	free(want);
}

Test(maglev, agrees_with_the_other_implementation)
{
	static const uint32_t sizes[] = { 2, 3, 5, 7, 11, 13, 31, 61, 101, 127, 251 };

	for (uint32_t round = 0; round < 1500; round++) {
		uint32_t slots = sizes[below(sizeof(sizes) / sizeof(sizes[0]))];
		uint32_t n = 1 + below(slots);

		members_random(n);
		compare(n, slots);
	}
}

Test(maglev, agrees_with_the_other_implementation_when_large)
{
	random_state = 99;
	for (uint32_t round = 0; round < 12; round++) {
		uint32_t n = 1 + below(60);

		members_random(n);
		compare(n, 4093);
	}
	members_random(1021);
	compare(1021, 1021);
	members_random(1000);
	compare(1000, 1021);
	members_random(300);
	compare(300, 1021);
}

/* Tables are compared between nodes and releases: this number must never change. */
Test(maglev, digest)
{
	uint64_t digest = 0xcbf29ce484222325ull;
	uint16_t *owners;

	members_plain(12, 1);
	for (uint32_t i = 0; i < 12; i++)
		members[i].weight = (uint16_t)(1 + i * 23);
	owners = fill(12, key0, 16381);
	for (uint32_t i = 0; i < 16381; i++)
		digest = (digest ^ owners[i]) * 0x100000001b3ull;
	cr_assert_eq(digest, 0x202f3d94b3682761ull, "digest is %#llx", (unsigned long long)digest);
	free(owners);
}
