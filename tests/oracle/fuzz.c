/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracle/fuzz.h"

#include <stdio.h>
#include <string.h>

void sl_fuzz_restore(struct sl_fuzz *f, const struct sl_subject *s)
{
	sl_world_copy(s->mem, &f->want);
}

static bool run_once(struct sl_fuzz *f, const struct sl_subject *s, unsigned *ret_way)
{
	sl_oracle_walk(&f->model, f->frame, f->len, f->first, f->ingress, &f->out);
	s->run(s, f->frame, f->len, f->first, f->ingress, f->model.jiffies, &f->is);
	*ret_way = 0;
	return sl_subject_check(&f->is, &f->out, f->frame, f->len, f->text) &&
	       sl_world_check(s->mem, &f->want, &f->model, &f->out, s->row, ret_way, f->text);
}

static bool tick_changed(struct sl_fuzz *f)
{
	uint64_t was = f->model.jiffies;
	unsigned shift = f->model.tick_shift - 2; /* the drains' tick */

	f->model.jiffies = sl_subject_jiffies(&f->subject[0]);
	return was >> shift != f->model.jiffies >> shift;
}

/* A difference counts when the clock stood still: read before, and after it showed. */
bool sl_fuzz_try(struct sl_fuzz *f, const struct sl_subject *s, unsigned *ret_way)
{
	for (;;) {
		if (run_once(f, s, ret_way))
			return true;
		if (s != &f->subject[0] || !tick_changed(f)) /* the host's stands still anyhow */
			return false;
		sl_fuzz_restore(f, s);
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
	if (c->limit)
		sl_world_write_limit(m, &f->model.limit, f->subject[0].row);
}

static void make_packet(struct sl_fuzz *f)
{
	struct sl_setup_change c;

	f->len = sl_gen_frame(&f->gen, f->frame);
	f->first = f->opt.buffers ? sl_gen_first(&f->gen) : f->len;
	f->ingress = f->opt.ifindex[sl_gen_below(&f->gen, 2)];
	sl_oracle_walk(&f->model, f->frame, f->len, f->first, f->ingress, &f->out);
	if (!sl_gen_one_in(&f->gen, 2))
		return;
	c = sl_setup_disturb(&f->gen, &f->model, &f->out);
	write_change(f, &f->want, &c);
	for (unsigned i = 0; i < f->n_subjects && !f->alone; i++)
		write_change(f, f->subject[i].mem, &c);
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
	if (f->index % 256 == 0)
		f->model.jiffies = sl_subject_jiffies(&f->subject[0]);
	sl_oracle_walk(&f->model, f->frame, f->len, f->first, f->ingress, &f->out);
	*ret_way = f->out.ways ? (unsigned)__builtin_ctz(f->out.ways) : 0;
}

void sl_fuzz_packet(struct sl_fuzz *f)
{
	unsigned way = 0, at;

	make_packet(f);
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

void sl_fuzz_round(struct sl_fuzz *f)
{
	f->model.jiffies = sl_subject_jiffies(&f->subject[0]);
	sl_setup_model(&f->gen, &f->opt, &f->model);
	sl_world_write(&f->want, &f->model);
	for (unsigned i = 0; i < f->n_subjects; i++)
		sl_fuzz_restore(f, &f->subject[i]);
}
