/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_MAGLEV_MEMBERS_H
#define TESTS_UNIT_MAGLEV_MEMBERS_H

/* maglev_members: sets of members, tables made of them, and counts over tables. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/limits.h>

#include "lb_user/domain/maglev.h"

#define MEMBERS_MAX 1100

static struct sl_maglev_member members[MEMBERS_MAX];
static char names[MEMBERS_MAX][64];
static const uint64_t key0[2] = { 0x0123456789abcdefull, 0xfedcba9876543210ull };

static uint64_t random_state = 1;

static inline uint64_t random64(void) /* splitmix64 */
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static inline uint32_t below(uint32_t n)
{
	return (uint32_t)(random64() % n);
}

static inline void member_set(uint32_t i, const char *name, uint32_t id, uint32_t weight)
{
	snprintf(names[i], sizeof(names[i]), "%s", name);
	members[i] = (struct sl_maglev_member){ names[i], (uint16_t)id, (uint16_t)weight };
}

/* "be-000" ... with ids from 1. */
static inline void members_plain(uint32_t n, uint32_t weight)
{
	char name[64];
	uint32_t i;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "be-%03u", i);
		member_set(i, name, i + 1, weight);
	}
}

static inline uint32_t random_weight(uint32_t kind)
{
	switch (kind) {
	case 0:
		return 100;
	case 1:
		return below(4) ? 1 : SL_WEIGHT_MAX;
	case 2:
		return below(10) ? SL_WEIGHT_MAX : 1;
	case 3:
		return 90 + below(21);
	default:
		return 1 + below(SL_WEIGHT_MAX);
	}
}

/* Names of 1 to 63 bytes, not sorted, unique by their number; ids far apart. */
static inline void members_random(uint32_t n)
{
	uint32_t i, j, len, kind = below(5);
	char name[64];

	for (i = 0; i < n; i++) {
		int head = snprintf(name, sizeof(name), "%x%c", i * 7919 % 65521,
				    'g' + (int)below(20));

		len = (uint32_t)head + below((uint32_t)(64 - head));
		for (j = (uint32_t)head; j < len; j++)
			name[j] = "abcxyz0189._-"[below(13)];
		name[len] = 0;
		member_set(i, name, 1 + i * 29 % (SL_BACKENDS_MAX - 1), random_weight(kind));
	}
}

static inline void shuffle(uint32_t n)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = below(i);
		struct sl_maglev_member m = members[i - 1];

		members[i - 1] = members[j];
		members[j] = m;
	}
}

static inline uint16_t *fill(uint32_t n, const uint64_t key[2], uint32_t slots)
{
	uint16_t *owners = malloc(slots * sizeof(*owners));
	struct sl_err err = { 0 };
	int r;

	cr_assert_not_null(owners);
	memset(owners, 0xff, slots * sizeof(*owners));
	r = sl_maglev_fill(members, n, key, slots, owners, &err);
	cr_assert_eq(r, 0, "%u members, %u slots: %d %s", n, slots, r, err.detail);
	return owners;
}

static inline void count_owners(const uint16_t *owners, uint32_t slots, uint32_t *count)
{
	memset(count, 0, SL_BACKENDS_MAX * sizeof(*count));
	for (uint32_t i = 0; i < slots; i++) {
		cr_assert(owners[i] > 0 && owners[i] < SL_BACKENDS_MAX, "slot %u: %u", i,
			  owners[i]);
		count[owners[i]]++;
	}
}

static inline uint32_t differing(const uint16_t *a, const uint16_t *b, uint32_t slots)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < slots; i++)
		n += a[i] != b[i];
	return n;
}

#endif
