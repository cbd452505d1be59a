/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lists: listed prefixes, changed while packets look. What is new is added
 * first, what is no longer wanted is removed last; a prefix that stays is there
 * all the time. Until the commit, undoing is listing what was listed before.
 */
#include <errno.h>
#include <stdlib.h>

#include "lb_user/base/log.h"
#include "lb_user/domain/guard.h"
#include "lb_user/svc/runtime.h"

static bool is_as_listed(const struct sl_control *c, const struct sl_guard_lists *l)
{
	return c->lists_known && sl_guard_lists_equal(&c->config.guard, l);
}

/* @only_add: bits that are set stay. */
static void publish_index(struct sl_control *c, const uint64_t *index, bool only_add)
{
	for (size_t i = 0; i < SL_GUARD_INDEX_WORDS; i++) {
		uint64_t *word = &c->dp->mem.guard_index[i];
		uint64_t bits = only_add ? *word | index[i] : index[i];

		if (*word != bits)
			__atomic_store_n(word, bits, __ATOMIC_RELEASE);
	}
}

static int publish(struct sl_control *c, const struct sl_guard_lists *l, bool prune,
		   struct sl_err *err)
{
	size_t n = sl_guard_listed(l);
	struct sl_guard_prefix *entries = calloc(n + 1, sizeof(*entries));
	uint64_t *index = calloc(SL_GUARD_INDEX_WORDS, sizeof(*index));
	int r = -ENOMEM;

	if (!entries || !index) {
		sl_err_set(err, r, "dataplane-error", "no memory for %zu prefixes", n);
		goto out;
	}
	sl_guard_entries(l, entries);
	sl_guard_fill_index(l, index);
	publish_index(c, index, true);
	r = c->dp->ops->prefixes(c->dp, entries, n, prune, err);
	if (!r && prune)
		publish_index(c, index, false);
out:
	free(index);
	free(entries);
	return r;
}

int sl_lists_stage(struct sl_control *c, const struct sl_config *next, struct sl_err *err)
{
	return is_as_listed(c, &next->guard) ? 0 : publish(c, &next->guard, false, err);
}

/* Makes it so, or says that it is not and tries again with the next change. */
static void enforce(struct sl_control *c, const struct sl_guard_lists *l)
{
	struct sl_err err = {};

	c->lists_known = publish(c, l, true, &err) == 0;
	if (!c->lists_known)
		sl_error("event=guard \"prefixes that are no longer listed still hold: %s\"",
			 err.detail);
}

void sl_lists_unstage(struct sl_control *c, const struct sl_config *next)
{
	/* at a start, what was pinned is not known: what was added is declared and may stay */
	if (c->lists_known && !is_as_listed(c, &next->guard))
		enforce(c, &c->config.guard);
}

void sl_lists_settle(struct sl_control *c, const struct sl_config *next)
{
	if (!is_as_listed(c, &next->guard))
		enforce(c, &next->guard);
}
