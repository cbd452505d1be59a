/* SPDX-License-Identifier: BSD-2-Clause */
/* effect: what one packet may touch in memory, compared with what it must. */
#include <stdio.h>
#include <string.h>

#include "tests/oracle/world.h"

int sl_world_reason(enum sl_oracle_why why)
{
	static const struct {
		int number;
		const char *label;
	} rows[] = {
#define ROW(sym, num, act, text) { num, text },
		SL_REASONS(ROW)
#undef ROW
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].label, sl_oracle_label(why)))
			return rows[i].number;
	return -1;
}

static int number_of(enum sl_oracle_why why)
{
	static int cache[SL_WHY_END];

	if (!cache[why])
		cache[why] = sl_world_reason(why) + 2;
	return cache[why] - 2;
}

/* The counters that change. */
struct counts {
	struct sl_reason_cnt reason;
	struct sl_exc_cnt exc;
	struct sl_cnt service, backend;
};

static struct sl_cnt *service_row(const struct sl_dp_mem *m, const struct sl_oracle *o,
				  const struct sl_oracle_out *out, unsigned row)
{
	return &m->cnt_service[row * SL_SERVICES_MAX + o->service[out->service].id];
}

static struct sl_cnt *backend_row(const struct sl_dp_mem *m, const struct sl_oracle_out *out,
				  unsigned row)
{
	return &m->cnt_backend[row * SL_BACKENDS_MAX + out->backend];
}

static void read_counts(const struct sl_dp_mem *m, const struct sl_oracle *o,
			const struct sl_oracle_out *out, unsigned row, struct counts *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->reason = m->cnt_reason[row];
	ret->exc = m->cnt_exc[row];
	if (out->service >= 0)
		ret->service = *service_row(m, o, out, row);
	if (out->backend)
		ret->backend = *backend_row(m, out, row);
}

/* WALK.md 10. */
static void add_counts(struct counts *c, const struct sl_oracle *o, const struct sl_oracle_out *out)
{
	const __u64 *more = (const __u64 *)&out->exc;
	__u64 *sum = (__u64 *)&c->exc;

	for (size_t i = 0; i < sizeof(out->exc) / sizeof(*sum); i++)
		sum[i] += more[i];
	if (out->why != SL_WHY_SENT || o->wrong == SL_WRONG_SENT)
		c->reason.packets[number_of(out->why) & (SL_REASONS_MAX - 1)]++;
	if (out->why != SL_WHY_SENT) {
		c->service.dropped += out->service >= 0;
		return;
	}
	c->backend.packets++;
	c->backend.bytes += out->bytes;
	c->backend.flows += out->is_flow;
	c->service.packets += o->wrong == SL_WRONG_SERVICE;
}

static bool check_counts(const struct counts *is, const struct counts *want,
			 char text[SL_WORLD_TEXT])
{
	static const char *const of_exc[] = { "lookups",     "hits",   "inserts",     "expired",
					      "unconfirmed", "failed", "rescheduled", "pad" };
	static const char *const of_cnt[] = { "packets", "bytes", "flows", "dropped" };
	const __u64 *a = (const __u64 *)is, *b = (const __u64 *)want;

	for (size_t i = 0; i < sizeof(*is) / 8; i++) {
		size_t k = i - sizeof(is->reason) / 8;
		const char *area = "reason", *name = "";

		if (a[i] == b[i])
			continue;
		if (k < 8 && i >= 64) {
			area = "exceptions";
			name = of_exc[k];
		} else if (i >= 64) {
			area = k < 12 ? "service" : "backend";
			name = of_cnt[k & 3];
		}
		snprintf(text, SL_WORLD_TEXT, "counter %s %s[%zu] is %lld from what it should be",
			 area, name, i, (long long)(a[i] - b[i]));
		return false;
	}
	return true;
}

static uint64_t word_of(const struct sl_oracle_entry *e)
{
	return e->backend ? SL_EXC(e->tag, e->backend, e->confirmed, e->age) : 0;
}

/* The set must be out->after but for one of the places where the insert may go. */
static bool check_set(const uint64_t *is, const struct sl_oracle_out *out, unsigned *ret_way,
		      char text[SL_WORLD_TEXT])
{
	bool placed = !out->ways;

	for (unsigned w = 0; w < SL_EXC_WAYS; w++) {
		uint64_t want = word_of(&out->after[w]);

		if (is[w] == want)
			continue;
		if (!placed && out->ways & 1u << w && is[w] == word_of(&out->insert)) {
			placed = true;
			*ret_way = w;
			continue;
		}
		snprintf(text, SL_WORLD_TEXT,
			 "entry %u of set %#x is %#llx, should be %#llx (insert %#llx in %#x)", w,
			 out->set, (unsigned long long)is[w], (unsigned long long)want,
			 (unsigned long long)word_of(&out->insert), out->ways);
		return false;
	}
	/* an entry put in over its own equal changes nothing */
	for (unsigned w = 0; !placed && w < SL_EXC_WAYS; w++)
		if (out->ways & 1u << w && is[w] == word_of(&out->insert)) {
			placed = true;
			*ret_way = w;
		}
	if (!placed)
		snprintf(text, SL_WORLD_TEXT, "entry %#llx of set %#x is not there",
			 (unsigned long long)word_of(&out->insert), out->set);
	return placed;
}

static bool check_memory(const struct sl_dp_mem *is, const struct sl_dp_mem *want,
			 const struct sl_oracle *o, const struct sl_oracle_out *out,
			 unsigned *ret_way, char text[SL_WORLD_TEXT])
{
	uint32_t slot = o->service[out->service].base + out->slot;
	uint16_t seen = out->seen ? (uint16_t)sl_oracle_tick(o) : want->seen[slot];
	uint32_t cell = out->track * SL_DRAIN_CELLS + out->index;

	if (!check_set((const uint64_t *)is->exceptions[out->set].entry, out, ret_way, text))
		return false;
	if (is->slots[slot] != want->slots[slot]) {
		snprintf(text, SL_WORLD_TEXT, "slot %u is %#x, should be %#x", slot,
			 is->slots[slot], want->slots[slot]);
		return false;
	}
	if (is->seen[slot] != seen) {
		snprintf(text, SL_WORLD_TEXT, "seen of slot %u is %#x, should be %#x", slot,
			 is->seen[slot], seen);
		return false;
	}
	if (out->marks && is->drains[cell] != out->cell) {
		snprintf(text, SL_WORLD_TEXT, "cell %u of track %u is %#x, should be %#x (was %#x)",
			 out->index, out->track, is->drains[cell], out->cell, want->drains[cell]);
		return false;
	}
	return true;
}

/* What the row of limits must be; the words behind are the program's scratch. */
static bool check_limit(const struct sl_limit *is, const struct sl_limit *was,
			const struct sl_oracle_out *out, char text[SL_WORLD_TEXT])
{
	struct sl_oracle_limit want = { was->window, was->echo_count, was->too_big_count };

	if (out->has_limit)
		want = out->limit;
	if (is->window == want.window && sl_world_count(is->echo_count, SL_ECHO_MAX) == want.echo &&
	    sl_world_count(is->too_big_count, SL_TOO_BIG_MAX) == want.too_big)
		return true;
	snprintf(text, SL_WORLD_TEXT,
		 "limits: window %#x echo %u too big %u, should be window %#x echo %u too big %u",
		 is->window, is->echo_count, is->too_big_count, want.window, want.echo,
		 want.too_big);
	return false;
}

bool sl_world_check(const struct sl_dp_mem *is, const struct sl_dp_mem *want,
		    const struct sl_oracle *o, const struct sl_oracle_out *out, unsigned row,
		    unsigned *ret_way, char ret_text[SL_WORLD_TEXT])
{
	struct counts have, should;

	read_counts(is, o, out, row, &have);
	read_counts(want, o, out, row, &should);
	add_counts(&should, o, out);
	return check_counts(&have, &should, ret_text) &&
	       check_limit(&is->limits[row], &want->limits[row], out, ret_text) &&
	       sl_world_check_guard(is, want, o, out, row, ret_text) &&
	       (!out->has_hash || check_memory(is, want, o, out, ret_way, ret_text));
}

void sl_world_commit(struct sl_dp_mem *want, const struct sl_oracle *o,
		     const struct sl_oracle_out *out, unsigned row, unsigned way)
{
	struct counts c;

	read_counts(want, o, out, row, &c);
	add_counts(&c, o, out);
	want->cnt_reason[row] = c.reason;
	want->cnt_exc[row] = c.exc;
	if (out->service >= 0)
		*service_row(want, o, out, row) = c.service;
	if (out->backend)
		*backend_row(want, out, row) = c.backend;
	if (out->has_limit)
		sl_world_write_limit(want, &out->limit, row);
	sl_world_commit_guard(want, o, out, row);
	if (!out->has_hash)
		return;
	for (unsigned w = 0; w < SL_EXC_WAYS; w++)
		want->exceptions[out->set].entry[w] =
			word_of(out->ways && w == way ? &out->insert : &out->after[w]);
	if (out->seen)
		want->seen[o->service[out->service].base + out->slot] = (uint16_t)sl_oracle_tick(o);
	if (out->marks)
		want->drains[out->track * SL_DRAIN_CELLS + out->index] = out->cell;
}
