/* SPDX-License-Identifier: BSD-2-Clause */
/* guard_world: what the guard has in shared memory, and what one packet may change of it. */
#include <stdio.h>
#include <string.h>

#include "tests/oracle/world.h"

static struct sl_guard_credit *credit_of(const struct sl_dp_mem *m, unsigned row, uint16_t id)
{
	return &m->guard_credit[row * SL_SERVICES_MAX + id];
}

void sl_world_write_used(struct sl_dp_mem *m, const struct sl_oracle *o, unsigned service,
			 unsigned row)
{
	const struct sl_oracle_service *s = &o->service[service];

	for (unsigned kind = 0; kind < SL_GUARD_KINDS; kind++) {
		m->guard_pools[s->id].time[kind] = s->pool[kind];
		credit_of(m, row, s->id)->left[kind] = s->credit[kind];
	}
}

void sl_world_write_limits(struct sl_dp_mem *m, const struct sl_oracle *o, unsigned service)
{
	const struct sl_oracle_service *s = &o->service[service];
	struct sl_guard_rec *rec = &m->guards[s->id];
	uint16_t *flags = &m->services[s->id].flags;

	for (unsigned kind = 0; kind < SL_GUARD_KINDS; kind++) {
		for (unsigned i = 0; i < SL_GUARD_LEVELS; i++)
			rec->source[i][kind] =
				s->source[i][kind].cost | (uint64_t)s->source[i][kind].burst << 32;
		rec->share[kind] = s->share[kind].cost | (uint64_t)s->share[kind].batch << 48;
		if (!s->share[kind].cost)
			rec->share[kind] = 0;
		rec->burst[kind] = s->share[kind].burst;
	}
	*flags = (uint16_t)((*flags & ~(SL_SF_GUARD | SL_SF_GUARD_DRY)) |
			    (s->guard ? SL_SF_GUARD : 0) | (s->dry ? SL_SF_GUARD_DRY : 0));
}

void sl_world_write_words(struct sl_dp_mem *m, const struct sl_oracle *o, uint32_t set)
{
	m->guard_sets[set] = o->guard_set[set];
}

void sl_world_write_index(struct sl_dp_mem *m, const struct sl_oracle *o)
{
	memcpy(m->guard_index, o->index, sizeof(o->index));
}

unsigned sl_world_prefixes(const struct sl_oracle *o,
			   struct sl_guard_prefix ret[SL_ORACLE_PREFIXES])
{
	for (unsigned i = 0; i < o->n_prefixes; i++) {
		const struct sl_oracle_prefix *x = &o->prefix[i];

		ret[i] = (struct sl_guard_prefix){
			.key = { .bits = 32u + x->bits, .family = x->v6 ? 6 : 4 },
			.verdict = x->deny ? SL_GUARD_DENY : SL_GUARD_ALLOW
		};
		memcpy(ret[i].key.addr_be, x->addr, 16);
	}
	return o->n_prefixes;
}

static bool check_set(const struct sl_guard_set *is, const struct sl_guard_set *want, uint32_t set,
		      char text[SL_WORLD_TEXT])
{
	for (unsigned w = 0; w < SL_GUARD_WAYS; w++)
		if (is->word[w] != want->word[w]) {
			snprintf(text, SL_WORLD_TEXT,
				 "guard: word %u of set %u is %#llx, should be %#llx", w, set,
				 (unsigned long long)is->word[w],
				 (unsigned long long)want->word[w]);
			return false;
		}
	return true;
}

/* What is added: @is less @was, against @more. */
static bool check_counts(const struct sl_guard_cnt *is, const struct sl_guard_cnt *was,
			 const struct sl_guard_cnt *more, char text[SL_WORLD_TEXT])
{
	static const char *const name[] = { "would_deny", "would_source", "would_service",
					    "table_full", "raced",	  "pad" };
	const __u64 *a = (const __u64 *)is, *b = (const __u64 *)was, *c = (const __u64 *)more;

	for (size_t i = 0; i < sizeof(*is) / 8; i++)
		if (a[i] - b[i] != c[i]) {
			snprintf(text, SL_WORLD_TEXT, "guard: %s grew by %lld, should by %lld",
				 name[i < 5 ? i : 5], (long long)(a[i] - b[i]), (long long)c[i]);
			return false;
		}
	return true;
}

bool sl_world_check_guard(const struct sl_dp_mem *is, const struct sl_dp_mem *want,
			  const struct sl_oracle *o, const struct sl_oracle_out *out, unsigned row,
			  char ret_text[SL_WORLD_TEXT])
{
	const struct sl_oracle_guard *guard = &out->guard;
	uint16_t id;

	if (!check_counts(&is->cnt_guard[row], &want->cnt_guard[row], &guard->cnt, ret_text))
		return false;
	if (!guard->asked)
		return true;
	id = o->service[out->service].id;
	for (unsigned i = 0; i < SL_GUARD_LEVELS; i++)
		if (!check_set(&is->guard_sets[guard->set[i]], &guard->after[i], guard->set[i],
			       ret_text))
			return false;
	for (unsigned kind = 0; kind < SL_GUARD_KINDS; kind++) {
		uint64_t time = is->guard_pools[id].time[kind];
		uint32_t left = credit_of(is, row, id)->left[kind];

		if (time == guard->pool[kind] && left == guard->credit[kind])
			continue;
		snprintf(ret_text, SL_WORLD_TEXT,
			 "guard: pool %u is %#llx, credit %u; should be %#llx, %u", kind,
			 (unsigned long long)time, left, (unsigned long long)guard->pool[kind],
			 guard->credit[kind]);
		return false;
	}
	return true;
}

void sl_world_commit_guard(struct sl_dp_mem *want, const struct sl_oracle *o,
			   const struct sl_oracle_out *out, unsigned row)
{
	const struct sl_oracle_guard *guard = &out->guard;
	const __u64 *more = (const __u64 *)&guard->cnt;
	__u64 *sum = (__u64 *)&want->cnt_guard[row];
	uint16_t id;

	for (size_t i = 0; i < sizeof(guard->cnt) / 8; i++)
		sum[i] += more[i];
	if (!guard->asked)
		return;
	id = o->service[out->service].id;
	for (unsigned i = 0; i < SL_GUARD_LEVELS; i++)
		want->guard_sets[guard->set[i]] = guard->after[i];
	for (unsigned kind = 0; kind < SL_GUARD_KINDS; kind++) {
		want->guard_pools[id].time[kind] = guard->pool[kind];
		credit_of(want, row, id)->left[kind] = guard->credit[kind];
	}
}
