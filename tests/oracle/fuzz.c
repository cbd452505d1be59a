/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracle/fuzz.h"

#include <stdio.h>
#include <string.h>

void sl_fuzz_restore(struct sl_fuzz *f, const struct sl_subject *s)
{
	sl_world_copy(s->mem, &f->want);
}

/* Whether what @s did is right, had the clock read @jiffies. */
static bool judge(struct sl_fuzz *f, const struct sl_subject *s, uint64_t jiffies,
		  unsigned *ret_way)
{
	f->model.jiffies = jiffies;
	f->model.hint = s->mem->guard_sets;
	sl_oracle_walk(&f->model, f->frame, f->len, f->first, f->ingress, &f->out);
	f->model.hint = NULL;
	*ret_way = 0;
	return sl_subject_check(&f->is, &f->out, f->frame, f->len, f->text) &&
	       sl_world_check(s->mem, &f->want, &f->model, &f->out, s->row, ret_way, f->text);
}

/*
 * The kernel's clock runs: the packet met a jiffy between the last one read
 * and the one read after a difference showed. Mostly it is one of these two or
 * the one before; else memory is put back and it is sent again. So a difference
 * counts when the clock stood still.
 */
bool sl_fuzz_try(struct sl_fuzz *f, const struct sl_subject *s, unsigned *ret_way)
{
	for (;;) {
		uint64_t was = f->model.jiffies, now;

		s->run(s, f->frame, f->len, f->first, f->ingress, was, &f->is);
		if (judge(f, s, was, ret_way))
			return true;
		if (s != &f->subject[0]) /* the host's stands still anyhow */
			return false;
		now = sl_subject_jiffies(s);
		if (now == was)
			return false;
		if (judge(f, s, now, ret_way) || (now - was > 1 && judge(f, s, now - 1, ret_way)))
			return true;
		sl_fuzz_restore(f, s);
		f->model.jiffies = sl_subject_jiffies(s);
	}
}

static void difference(struct sl_fuzz *f, const struct sl_subject *s)
{
	f->differences++;
	if (!f->quiet && f->differences <= SL_FUZZ_REPORTS)
		sl_fuzz_report(f, s);
	else if (!f->quiet)
		sl_fuzz_summary(f, s);
	for (unsigned i = 0; i < f->n_subjects; i++)
		sl_fuzz_restore(f, &f->subject[i]);
}

static void write_change(const struct sl_fuzz *f, struct sl_dp_mem *m,
			 const struct sl_setup_change *c)
{
	if (c->set != UINT32_MAX)
		sl_world_write_set(m, &f->model, c->set);
	if (c->slot != UINT32_MAX)
		sl_world_write_slot(m, &f->model, (unsigned)f->out.service, c->slot);
	for (unsigned i = 0; i < 2; i++)
		if (c->backend[i])
			sl_world_write_backend(m, &f->model, c->backend[i]);
	if (c->lists)
		sl_world_write_index(m, &f->model);
	if (c->guard) {
		unsigned service = (unsigned)f->out.service;

		sl_world_write_limits(m, &f->model, service);
		sl_world_write_used(m, &f->model, service, f->subject[0].row);
		for (unsigned i = 0; i < SL_GUARD_LEVELS; i++)
			sl_world_write_words(m, &f->model, f->out.guard.set[i]);
	}
	if (c->limit)
		sl_world_write_limit(m, &f->model.limit, f->subject[0].row);
}

/* To the programs; the index is memory. */
static void list_prefixes(struct sl_fuzz *f)
{
	unsigned n = sl_world_prefixes(&f->model, f->prefix);

	for (unsigned i = 0; i < f->n_subjects && !f->alone; i++)
		sl_subject_list(&f->subject[i], f->prefix, n);
}

/* So that what is set to an edge is there still when the packet comes; a clock of our own moves. */
static void read_clock(struct sl_fuzz *f)
{
	if (f->drifts)
		f->model.jiffies += sl_gen_below(&f->gen, 3);
	else
		f->model.jiffies = sl_subject_jiffies(&f->subject[0]);
}

static void make_packet(struct sl_fuzz *f)
{
	struct sl_setup_change c;

	f->len = sl_gen_frame(&f->gen, f->frame);
	f->first = f->opt.buffers ? sl_gen_first(&f->gen) : f->len;
	if (f->drifts)
		f->first = f->len; /* the host knows one buffer */
	f->ingress = f->opt.ifindex[sl_gen_below(&f->gen, 2)];
	sl_oracle_walk(&f->model, f->frame, f->len, f->first, f->ingress, &f->out);
	if (!sl_gen_one_in(&f->gen, 2))
		return;
	read_clock(f);
	c = sl_setup_disturb(&f->gen, &f->model, &f->out);
	write_change(f, &f->want, &c);
	for (unsigned i = 0; i < f->n_subjects && !f->alone; i++)
		write_change(f, f->subject[i].mem, &c);
	if (c.lists)
		list_prefixes(f);
}

static void take_stock(struct sl_fuzz *f)
{
	f->histogram[f->out.why]++;
	f->sent_by[f->out.by] += f->out.why == SL_WHY_SENT;
	f->evictions += f->out.exc.evicted_expired + f->out.exc.evicted_unconfirmed;
	f->moved += f->out.exc.rescheduled;
	for (unsigned i = 0; i < SL_BRANCH_END; i++)
		f->reach[i] += f->out.reach[i];
}

bool sl_fuzz_whole(struct sl_fuzz *f)
{
	bool same = true;

	for (unsigned i = f->begin; i < f->n_subjects && !f->alone; i++) {
		const struct sl_subject *s = &f->subject[i];

		if (sl_world_same(s->mem, &f->want, f->text))
			continue;
		f->differences++;
		same = false;
		if (!f->quiet)
			printf("# difference: seed %llu, after packet %llu, %s: %s\n",
			       (unsigned long long)f->seed, (unsigned long long)f->index, s->name,
			       f->text);
		sl_fuzz_restore(f, s);
	}
	return same;
}

/* What the oracle says of itself, and of an answer's checksums, besides. */
static bool sums_right(struct sl_fuzz *f)
{
	const char *wrong = NULL;

	if (f->out.sum_wrong)
		wrong = "8a and the sum of all bytes do not agree";
	else if (f->out.why == SL_WHY_ECHOED && !f->alone &&
		 !sl_echo_sums_kept(f->frame, f->is.byte, f->len))
		wrong = "the answer's checksums do not fit, the request's did";
	if (wrong)
		snprintf(f->text, sizeof(f->text), "%s", wrong);
	return !wrong;
}

/* Without a program: any allowed way will do. */
static void walk_alone(struct sl_fuzz *f, unsigned *ret_way)
{
	sl_oracle_walk(&f->model, f->frame, f->len, f->first, f->ingress, &f->out);
	*ret_way = f->out.ways ? (unsigned)__builtin_ctz(f->out.ways) : 0;
}

void sl_fuzz_packet(struct sl_fuzz *f)
{
	unsigned way = 0, at;

	make_packet(f);
	for (unsigned i = 0; i < f->n_subjects; i++)
		f->subject[i].traced = f->index & 1;
	if (f->alone)
		walk_alone(f, &way);
	for (unsigned i = f->begin; i < f->n_subjects && !f->alone; i++) {
		const struct sl_subject *s = &f->subject[i];

		if (s->one_buffer && f->first < f->len) {
			sl_world_commit(s->mem, &f->model, &f->out, s->row, way);
			continue;
		}
		if (!sl_fuzz_try(f, s, &at)) {
			difference(f, s);
			return;
		}
		if (i == f->begin)
			way = at;
	}
	if (!sums_right(f)) {
		difference(f, &f->subject[0]);
		return;
	}
	take_stock(f);
	sl_world_commit(&f->want, &f->model, &f->out, f->subject[0].row, way);
	sl_oracle_commit(&f->model, &f->out, way);
	if (f->whole && !sl_fuzz_whole(f) && !f->quiet && f->differences <= SL_FUZZ_REPORTS)
		sl_fuzz_report(f, &f->subject[0]);
}

/*
 * Every eighth round is the host's alone: its clock can be any, so it is one
 * before a time of the guard's wraps (2^24 jiffies, 2^36).
 */
static void begin_clock(struct sl_fuzz *f)
{
	bool host = f->n_subjects > 1 && f->subject[1].one_buffer;

	f->drifts = host && !f->quiet && f->rounds++ % 8 == 7;
	if (host)
		f->begin = f->drifts;
	f->model.jiffies = sl_subject_jiffies(&f->subject[0]);
	if (f->drifts)
		f->model.jiffies = (1ull << (sl_gen_one_in(&f->gen, 2) ? 24 : 36)) - 5000;
}

void sl_fuzz_round(struct sl_fuzz *f)
{
	begin_clock(f);
	sl_setup_model(&f->gen, &f->opt, &f->model);
	sl_world_write(&f->want, &f->model);
	for (unsigned i = 0; i < f->n_subjects; i++)
		sl_fuzz_restore(f, &f->subject[i]);
	list_prefixes(f);
}
