/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maglev: the table, exact enough to be written again from this page alone
 * (tests/unit/test_maglev.c does so, and compares slot by slot).
 *
 * m slots, numbered 0..m-1; members in ascending order of their names' bytes.
 * All arithmetic is on unsigned 64-bit words unless said otherwise.
 *
 * Hash of a name, keyed by k0 = key[0], k1 = key[1]; mix is sl_hash_mix:
 *     h = mix(k0 ^ length)
 *     for each 8 bytes, little-endian, the last padded with 0:
 *         h = mix(h ^ word) + k1
 *     again(j) = mix(h + j * 0x9e3779b97f4a7c15)             (sl_hash_again)
 *     offset = ((again(1) >> 32) * m) >> 32                   0..m-1
 *     skip   = (((again(2) >> 32) * (m - 1)) >> 32) + 1       1..m-1
 * A member's permutation is offset, offset + skip, offset + 2 skip ... mod m:
 * every slot once, as m is prime.
 *
 * Quotas. Members whose share of what is left is below one slot are settled
 * with one slot each and leave the sum; that shrinks what is left for the
 * others, so it is repeated until nobody is below. The others get the floor of
 * their share, and the slots still over go one each to the largest remainders,
 * ties to the earlier name.
 *
 * Turns. In each round every member, in order of name, that still lacks slots
 * adds its weight to its credit (which starts at 0); if the credit has reached
 * the largest weight of the set, that is subtracted, and the member takes the
 * next slot of its permutation that is free. Rounds go on until all is taken.
 *
 * The rounds are the published algorithm, and with equal weights the quotas
 * change nothing in it. With others they decide only who takes the last slots.
 * Measured, one of 100 removed, 65,537 slots, slots moved without need: random
 * weights 361 with quotas and 362 without; one of 256 beside 99 of 1: 301 and
 * 286, where the large one's share would otherwise be 60 slots off.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/hash.h>
#include <sluice/limits.h>

#include "lb_user/domain/maglev.h"

struct walker {
	const struct sl_maglev_member *member;
	uint32_t pos, skip; /* next slot to look at; < slots */
	uint32_t left;	    /* quota not yet taken */
	uint32_t credit;
	uint32_t weight;
};

struct remainder {
	uint64_t value;
	uint32_t index;
};

static bool is_prime(uint32_t n)
{
	uint32_t d;

	if (n < 4)
		return n >= 2;
	if (n % 2 == 0)
		return false;
	for (d = 3; d <= n / d; d += 2)
		if (n % d == 0)
			return false;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct walker *x = a, *y = b;

	return strcmp(x->member->name, y->member->name);
}

static int by_remainder(const void *a, const void *b)
{
	const struct remainder *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return x->index < y->index ? -1 : 1;
}

static uint64_t name_hash(const char *name, const uint64_t key[2])
{
	size_t len = strlen(name), i, j;
	uint64_t h = sl_hash_mix(key[0] ^ len);

	for (i = 0; i < len; i += 8) {
		uint64_t word = 0;

		for (j = 0; j < 8 && i + j < len; j++)
			word |= (uint64_t)(unsigned char)name[i + j] << (8 * j);
		h = sl_hash_mix(h ^ word) + key[1];
	}
	return h;
}

static int check_member(const struct sl_maglev_member *m, struct sl_err *err)
{
	if (!m->name)
		return sl_err_set(err, -EINVAL, "validation-failed",
				  "a backend without a name cannot own slots; give it one");
	if (m->id == 0 || m->id >= SL_BACKENDS_MAX)
		return sl_err_set(err, -EINVAL, "validation-failed",
				  "backend %s: id %u is not in 1..%u", m->name, m->id,
				  SL_BACKENDS_MAX - 1);
	if (m->weight == 0 || m->weight > SL_WEIGHT_MAX)
		return sl_err_set(err, -EINVAL, "validation-failed",
				  "backend %s: weight %u is not in 1..%u; leave out a backend "
				  "that must get no flows",
				  m->name, m->weight, SL_WEIGHT_MAX);
	return 0;
}

static int check_table(size_t n, uint32_t slots, struct sl_err *err)
{
	if (!is_prime(slots) || slots > SL_SLOTS_TOTAL)
		return sl_err_set(err, -EINVAL, "validation-failed",
				  "table size %u is not a prime up to %u; use one of those offered",
				  slots, SL_SLOTS_TOTAL);
	if (n > slots)
		return sl_err_set(err, -EINVAL, "validation-failed",
				  "%zu backends do not fit into a table of %u slots; use a larger "
				  "table",
				  n, slots);
	return 0;
}

/* Fills @w in order of name. @ids is a zeroed bitmap of SL_BACKENDS_MAX bits. */
static int gather(const struct sl_maglev_member *members, size_t n, struct walker *w, uint64_t *ids,
		  struct sl_err *err)
{
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		uint16_t id = members[i].id;

		r = check_member(&members[i], err);
		if (r < 0)
			return r;
		if (ids[id / 64] >> id % 64 & 1)
			return sl_err_set(err, -EEXIST, "already-exists",
					  "backend %s: id %u belongs to another backend too",
					  members[i].name, id);
		ids[id / 64] |= 1ull << id % 64;
		w[i].member = &members[i];
		w[i].weight = members[i].weight;
	}
	qsort(w, n, sizeof(*w), by_name);
	for (i = 1; i < n; i++)
		if (by_name(&w[i - 1], &w[i]) == 0)
			return sl_err_set(err, -EEXIST, "already-exists",
					  "backend %s is in the set twice; rename one",
					  w[i].member->name);
	return 0;
}

/*
 * Settles those whose share is below one slot; the others' left stays 0.
 * Equal weights fall together, so there are at most SL_WEIGHT_MAX passes, and
 * the heaviest never falls: its share is at least the mean, which is >= 1.
 */
static void quota_of_small(struct walker *w, size_t n, uint64_t *slots, uint64_t *sum)
{
	uint64_t slots_now, sum_now;
	size_t i;

	do {
		slots_now = *slots;
		sum_now = *sum;
		for (i = 0; i < n; i++) {
			if (w[i].left || slots_now * w[i].weight >= sum_now)
				continue;
			w[i].left = 1;
			*slots -= 1;
			*sum -= w[i].weight;
		}
	} while (*sum != sum_now);
}

/* @rest: room for @n entries. */
static void set_quotas(struct walker *w, size_t n, uint32_t table_slots, struct remainder *rest)
{
	uint64_t slots = table_slots, sum = 0, given = 0;
	size_t i, n_rest = 0;

	for (i = 0; i < n; i++)
		sum += w[i].weight;
	quota_of_small(w, n, &slots, &sum);
	for (i = 0; i < n; i++) {
		uint64_t share = slots * w[i].weight; /* in units of 1/sum slots */

		if (w[i].left)
			continue;
		w[i].left = (uint32_t)(share / sum);
		given += w[i].left;
		rest[n_rest].value = share % sum;
		rest[n_rest++].index = (uint32_t)i;
	}
	qsort(rest, n_rest, sizeof(*rest), by_remainder);
	for (i = 0; given < slots; i++, given++)
		w[rest[i].index].left++;
}

/* Additions instead of a modulo: pos and skip are below slots, so one subtraction is enough. */
static uint32_t take(struct walker *w, uint64_t *taken, uint32_t slots)
{
	uint32_t slot, pos = w->pos;

	do {
		slot = pos;
		pos += w->skip;
		if (pos >= slots)
			pos -= slots;
	} while (taken[slot / 64] >> slot % 64 & 1);
	taken[slot / 64] |= 1ull << slot % 64;
	w->pos = pos;
	w->left--;
	return slot;
}

static void deal(struct walker *w, size_t n, uint64_t *taken, uint32_t slots, uint16_t *ret_owners)
{
	uint32_t price = 0, free_slots = slots;
	size_t i;

	for (i = 0; i < n; i++)
		if (w[i].weight > price)
			price = w[i].weight;
	while (free_slots) {
		for (i = 0; i < n; i++) {
			if (!w[i].left)
				continue;
			w[i].credit += w[i].weight;
			if (w[i].credit < price)
				continue;
			w[i].credit -= price; /* below price again: no weight exceeds it */
			ret_owners[take(&w[i], taken, slots)] = w[i].member->id;
			free_slots--;
		}
	}
}

int sl_maglev_fill(const struct sl_maglev_member *members, size_t n, const uint64_t key[2],
		   uint32_t slots, uint16_t *ret_owners, struct sl_err *err)
{
	struct remainder *rest = NULL;
	struct walker *w = NULL;
	uint64_t *taken = NULL, *ids = NULL;
	size_t i;
	int r;

	r = check_table(n, slots, err);
	if (r < 0)
		return r;
	if (n == 0) {
		memset(ret_owners, 0, slots * sizeof(*ret_owners));
		return 0;
	}

	w = calloc(n, sizeof(*w));
	rest = calloc(n, sizeof(*rest));
	taken = calloc(slots / 64 + 1, sizeof(*taken));
	ids = calloc(SL_BACKENDS_MAX / 64, sizeof(*ids));
	if (!w || !rest || !taken || !ids) {
		r = sl_err_set(err, -ENOMEM, "out-of-memory",
			       "no memory for a table of %u slots; free some and try again", slots);
		goto out;
	}
	r = gather(members, n, w, ids, err);
	if (r < 0)
		goto out;

	set_quotas(w, n, slots, rest);
	for (i = 0; i < n; i++) {
		uint64_t h = name_hash(w[i].member->name, key);

		w[i].pos = sl_hash_range(sl_hash_again(h, 1), slots);
		w[i].skip = sl_hash_range(sl_hash_again(h, 2), slots - 1) + 1;
	}
	deal(w, n, taken, slots, ret_owners);
out:
	free(ids);
	free(taken);
	free(rest);
	free(w);
	return r;
}
