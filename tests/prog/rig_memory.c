/* SPDX-License-Identifier: BSD-2-Clause */
/* rig_memory: what changed in the shared memory since the mark, to the byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/prog/rig.h"
#include "tests/prog/tap.h"

/* X(member of sl_dp_mem, elements): all that is not a counter of packets */
#define STATE(X)                                   \
	X(info, 1)                                 \
	X(svc4, SL_SVC4_BUCKETS)                   \
	X(svc6, SL_SVC6_BUCKETS)                   \
	X(services, SL_SERVICES_MAX)               \
	X(slots, SL_SLOTS_TOTAL)                   \
	X(seen, SL_SLOTS_TOTAL)                    \
	X(backends, SL_BACKENDS_MAX)               \
	X(tunnels, SL_BACKENDS_MAX)                \
	X(exceptions, SL_EXC_SETS)                 \
	X(drains, SL_DRAIN_TRACKS *SL_DRAIN_CELLS) \
	X(labels, SL_BACKENDS_MAX)                 \
	X(trace, 1)                                \
	X(guards, SL_SERVICES_MAX)                 \
	X(guard_sets, SL_GUARD_SETS)               \
	X(guard_pools, SL_SERVICES_MAX)            \
	X(guard_index, SL_GUARD_INDEX_WORDS)

#define COUNTERS(X, cpus)                      \
	X(cnt_service, (cpus)*SL_SERVICES_MAX) \
	X(cnt_backend, (cpus)*SL_BACKENDS_MAX) \
	X(cnt_reason, (cpus))                  \
	X(cnt_exc, (cpus))                     \
	X(cnt_guard, (cpus))                   \
	X(guard_credit, (cpus)*SL_SERVICES_MAX)

struct sl_rig_memory {
	unsigned n;	       /* marks made */
	bool sparse;	       /* of the last one's state nothing was copied */
	struct sl_dp_mem copy; /* pointers into what follows */
	uint64_t bytes[];
};

static void *take(uint8_t **at, size_t bytes)
{
	void *here = *at;

	*at += (bytes + 63) / 64 * 64;
	return here;
}

static size_t room_needed(const struct sl_dp_mem *m)
{
	size_t n = 0;

#define ADD(member, count) n += (sizeof(*m->member) * (count) + 63) / 64 * 64;
	STATE(ADD)
	COUNTERS(ADD, m->info->cpus)
#undef ADD
	return n;
}

static void prepare(struct sl_rig *r)
{
	uint8_t *at;

	r->mark = calloc(1, sizeof(*r->mark) + room_needed(r->mem));
	if (!r->mark)
		sl_tap_bail("copy the memory", "no memory");
	at = (uint8_t *)r->mark->bytes;
#define PLACE(member, count) r->mark->copy.member = take(&at, sizeof(*r->mem->member) * (count));
	STATE(PLACE)
	COUNTERS(PLACE, r->mem->info->cpus)
#undef PLACE
}

/* 50 MiB, twice a packet, is more than an emulated CPU can look at (tests/vm). */
static bool is_sparse(unsigned n)
{
	const char *every = getenv("SLUICE_RIG_EVERY");

	return every && n % (unsigned)strtoul(every, NULL, 10);
}

void sl_rig_mark(struct sl_rig *r)
{
	if (!r->mark)
		prepare(r);
	r->mark->sparse = is_sparse(r->mark->n++);
#define COPY(member, count) \
	memcpy(r->mark->copy.member, r->mem->member, sizeof(*r->mem->member) * (count));
	if (!r->mark->sparse) {
		STATE(COPY)
	}
	COUNTERS(COPY, r->mem->info->cpus)
#undef COPY
}

static char why[200];

/* The first 8 bytes that differ, named; sizes are multiples of 8 but for nothing here. */
static bool same(const char *name, const void *is, const void *want, size_t bytes, size_t elem)
{
	const uint64_t *a = is, *b = want;

	if (!memcmp(is, want, bytes))
		return true;
	for (size_t i = 0; i < bytes / 8; i++)
		if (a[i] != b[i]) {
			snprintf(why, sizeof(why), "%s[%zu]+%zu is %#llx, should be %#llx", name,
				 i * 8 / elem, i * 8 % elem, (unsigned long long)a[i],
				 (unsigned long long)b[i]);
			return false;
		}
	return false;
}

const char *sl_rig_untouched(struct sl_rig *r)
{
#define COMPARE(member, count)                                                 \
	if (!same(#member, r->mem->member, r->mark->copy.member,               \
		  sizeof(*r->mem->member) * (count), sizeof(*r->mem->member))) \
		return why;
	if (!r->mark->sparse) {
		STATE(COMPARE)
	}
	return NULL;
}

static void add_cnt(struct sl_cnt *to, const struct sl_cnt *n)
{
	to->packets += n->packets;
	to->bytes += n->bytes;
	to->flows += n->flows;
}

static void add_exc(struct sl_exc_cnt *to, const struct sl_exc_cnt *n)
{
	to->lookups += n->lookups;
	to->hits += n->hits;
	to->inserts += n->inserts;
	to->evicted_expired += n->evicted_expired;
	to->evicted_unconfirmed += n->evicted_unconfirmed;
	to->failed += n->failed;
	to->rescheduled += n->rescheduled;
}

/* Turns the mark's counters into what they should be now, compares, and marks anew. */
const char *sl_rig_counted(struct sl_rig *r, const struct sl_rig_want *want)
{
	struct sl_dp_mem *m = &r->mark->copy;
	struct sl_cnt *service = &m->cnt_service[r->row * SL_SERVICES_MAX + want->service];

	/* what was sent counts with its backend alone */
	if (want->reason != SL_R_SENT)
		m->cnt_reason[r->row].packets[want->reason] += want->packets ? want->packets : 1;
	if (want->service)
		service->dropped += want->sent.dropped;
	if (want->backend)
		add_cnt(&m->cnt_backend[r->row * SL_BACKENDS_MAX + want->backend], &want->sent);
	add_exc(&m->cnt_exc[r->row], &want->exc);
	COUNTERS(COMPARE, r->mem->info->cpus)
#undef COMPARE
	return NULL;
}

struct sl_dp_mem *sl_rig_marked(struct sl_rig *r)
{
	return &r->mark->copy;
}

struct sl_exc_cnt sl_rig_exc(const struct sl_rig *r)
{
	const struct sl_exc_cnt *a = &r->mem->cnt_exc[r->row], *b = &r->mark->copy.cnt_exc[r->row];

	return (struct sl_exc_cnt){
		.lookups = a->lookups - b->lookups,
		.hits = a->hits - b->hits,
		.inserts = a->inserts - b->inserts,
		.evicted_expired = a->evicted_expired - b->evicted_expired,
		.evicted_unconfirmed = a->evicted_unconfirmed - b->evicted_unconfirmed,
		.failed = a->failed - b->failed,
		.rescheduled = a->rescheduled - b->rescheduled,
	};
}

/* The program counts what it sent with the backends alone. */
static uint64_t sent(const struct sl_rig *r, const struct sl_dp_mem *m)
{
	const struct sl_cnt *row = &m->cnt_backend[r->row * SL_BACKENDS_MAX];
	uint64_t sum = 0;

	for (uint32_t id = 0; id < SL_BACKENDS_MAX; id++)
		sum += row[id].packets;
	return sum;
}

uint64_t sl_rig_reason(const struct sl_rig *r, enum sl_reason why_left)
{
	uint64_t n = r->mem->cnt_reason[r->row].packets[why_left] -
		     r->mark->copy.cnt_reason[r->row].packets[why_left];

	if (why_left == SL_R_SENT)
		n += sent(r, r->mem) - sent(r, &r->mark->copy);
	return n;
}

const char *sl_rig_label(enum sl_reason why_left)
{
	switch (why_left) {
#define LABEL(sym, num, act, label) \
	case SL_R_##sym:            \
		return label;
		SL_REASONS(LABEL)
#undef LABEL
	}
	return "?";
}

enum sl_action sl_rig_action(enum sl_reason why_left)
{
	switch (why_left) {
#define ACTION(sym, num, act, label) \
	case SL_R_##sym:             \
		return SL_A_##act;
		SL_REASONS(ACTION)
#undef ACTION
	}
	return SL_A_NONE;
}
