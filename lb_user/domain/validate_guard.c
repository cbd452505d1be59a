/* SPDX-License-Identifier: BSD-2-Clause */
/* validate_guard: limits that mean what they say, and lists without contradiction. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/validate.h"

#define INVALID(err, pointer, ...) \
	sl_err_at(err, -EINVAL, "validation-failed", pointer, __VA_ARGS__)

struct place { /* of one rate in the document */
	const char *service, *whose, *what;
};

static uint32_t min_burst(uint32_t per_s)
{
	return per_s / SL_GUARD_BURST_MIN_HZ + !!(per_s % SL_GUARD_BURST_MIN_HZ);
}

static int check_rate(const struct place *at, const struct sl_rate *r, uint32_t max,
		      struct sl_err *err)
{
	uint64_t burst_max = (uint64_t)r->per_s * SL_GUARD_BURST_MAX_S;
	char pointer[64];

	snprintf(pointer, sizeof(pointer), "/guard/%s/%s_per_s", at->whose, at->what);
	if (r->per_s > max)
		return INVALID(
			err, pointer,
			"service \"%s\": %u %s a second of a %s are more than %u, the most "
			"that the packet path's clock tells apart; take less, or 0 for no limit",
			at->service, r->per_s, at->what, at->whose, max);
	snprintf(pointer, sizeof(pointer), "/guard/%s/%s_burst", at->whose, at->what);
	if (!r->per_s && r->burst)
		return INVALID(err, pointer,
			       "service \"%s\": a burst without %s_per_s limits nothing; give the "
			       "rate too, or leave it out",
			       at->service, at->what);
	if (r->per_s && r->burst < min_burst(r->per_s))
		return INVALID(err, pointer,
			       "service \"%s\": a burst of %u is less than comes in 10 ms at %u a "
			       "second, the longest step of the packet path's clock, so that the "
			       "rate would not be reached; give at least %u",
			       at->service, r->burst, r->per_s, min_burst(r->per_s));
	if (r->burst > burst_max)
		return INVALID(err, pointer,
			       "service \"%s\": a burst of %u is more than comes in %u s at %u a "
			       "second; give at most %llu",
			       at->service, r->burst, SL_GUARD_BURST_MAX_S, r->per_s,
			       (unsigned long long)burst_max);
	return 0;
}

static int check_rates(const struct sl_service *s, const char *whose, const struct sl_rates *r,
		       uint32_t max, struct sl_err *err)
{
	const struct place flows = { s->name, whose, "flows" },
			   packets = { s->name, whose, "packets" };
	char pointer[64];
	int e = check_rate(&packets, &r->packets, max, err);

	if (!e)
		e = check_rate(&flows, &r->flows, max, err);
	if (e || !r->flows.per_s || s->proto != SL_PROTO_UDP || s->udp_flows != SL_UDP_NONE)
		return e;
	snprintf(pointer, sizeof(pointer), "/guard/%s/flows_per_s", whose);
	return INVALID(err, pointer,
		       "service \"%s\": with udp_flows none nobody knows where a flow begins; "
		       "limit packets_per_s instead",
		       s->name);
}

int sl_validate_guard(const struct sl_service *s, struct sl_err *err)
{
	const struct sl_service_guard *g = &s->guard;
	int r = check_rates(s, "source", &g->source, SL_GUARD_SOURCE_RATE_MAX, err);

	if (!r)
		r = check_rates(s, "network", &g->network, SL_GUARD_SOURCE_RATE_MAX, err);
	if (!r)
		r = check_rates(s, "service", &g->service, SL_GUARD_SERVICE_RATE_MAX, err);
	return r;
}

/* ---- lists ------------------------------------------------------------------- */

static int by_prefix(const void *a, const void *b)
{
	const struct sl_prefix *x = *(const struct sl_prefix *const *)a;
	const struct sl_prefix *y = *(const struct sl_prefix *const *)b;
	int order = sl_prefix_order(x, y);

	return order ? order : (x > y) - (x < y);
}

static bool is_in(const struct sl_prefix *p, const struct sl_prefix *list, size_t n)
{
	return n && p >= list && p < list + n;
}

/* "/deny/3" */
static void point(const struct sl_guard_lists *l, const struct sl_prefix *p, char *buf, size_t size)
{
	bool allowed = is_in(p, l->allow, l->n_allow);

	snprintf(buf, size, "/%s/%zu", allowed ? "allow" : "deny",
		 (size_t)(p - (allowed ? l->allow : l->deny)));
}

static int refuse_twins(const struct sl_guard_lists *l, const struct sl_prefix *first,
			const struct sl_prefix *second, struct sl_err *err)
{
	char text[SL_PREFIX_STRLEN], pointer[48];
	bool same = is_in(first, l->allow, l->n_allow) == is_in(second, l->allow, l->n_allow);

	if (!same && is_in(second, l->allow, l->n_allow)) /* they lie in no order: the denied one */
		second = first;
	point(l, second, pointer, sizeof(pointer));
	return INVALID(err, pointer, "guard: prefix %s is %s; remove one",
		       sl_prefix_format(second, text),
		       same ? "there twice" : "both allowed and denied");
}

int sl_validate_lists(const struct sl_guard_lists *l, struct sl_err *err)
{
	size_t n = l->n_allow + l->n_deny;
	const struct sl_prefix **all;
	int r = 0;

	if (n > SL_PREFIXES_MAX)
		return INVALID(err, l->n_deny > l->n_allow ? "/deny" : "/allow",
			       "guard: %zu prefixes are more than %u; join neighbours into "
			       "shorter ones",
			       n, SL_PREFIXES_MAX);
	all = calloc(n + 1, sizeof(*all));
	if (!all)
		return sl_err_set(err, -ENOMEM, "out-of-memory", "out of memory");
	for (size_t i = 0; i < l->n_allow; i++)
		all[i] = &l->allow[i];
	for (size_t i = 0; i < l->n_deny; i++)
		all[l->n_allow + i] = &l->deny[i];
	qsort(all, n, sizeof(*all), by_prefix);
	for (size_t i = 1; i < n && !r; i++)
		if (sl_prefix_equal(all[i - 1], all[i]))
			r = refuse_twins(l, all[i - 1], all[i], err);
	free(all);
	return r;
}
