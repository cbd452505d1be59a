/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "lb_user/domain/state.h"

#define READY SL_ADMIN_READY
#define DRAIN SL_ADMIN_DRAIN
#define MAINT SL_ADMIN_MAINT
#define NEW   SL_HEALTH_UNKNOWN
#define UP    SL_HEALTH_UP
#define DOWN  SL_HEALTH_DOWN
#define ANY   (-1)

struct row {
	int admin, health, has_next_hop, drain_complete; /* ANY: all values */
	enum sl_state state;
	enum sl_dp_state dp;
};

/* Every combination is in exactly one row. */
static const struct row rows[] = {
	{ MAINT, ANY, ANY, ANY, SL_STATE_MAINT, SL_DP_DOWN },
	{ DRAIN, UP, true, false, SL_STATE_DRAINING, SL_DP_DRAINING },
	{ DRAIN, UP, true, true, SL_STATE_DRAINED, SL_DP_DRAINING },
	{ DRAIN, UP, false, false, SL_STATE_DRAINING, SL_DP_DOWN },
	{ DRAIN, UP, false, true, SL_STATE_DRAINED, SL_DP_DOWN },
	{ DRAIN, DOWN, ANY, false, SL_STATE_DRAINING, SL_DP_DOWN },
	{ DRAIN, DOWN, ANY, true, SL_STATE_DRAINED, SL_DP_DOWN },
	{ DRAIN, NEW, true, false, SL_STATE_DRAINING, SL_DP_DRAINING },
	{ DRAIN, NEW, true, true, SL_STATE_DRAINED, SL_DP_DRAINING },
	{ DRAIN, NEW, false, false, SL_STATE_DRAINING, SL_DP_DOWN },
	{ DRAIN, NEW, false, true, SL_STATE_DRAINED, SL_DP_DOWN },
	{ READY, NEW, ANY, ANY, SL_STATE_CHECKING, SL_DP_DOWN },
	{ READY, DOWN, ANY, ANY, SL_STATE_DOWN, SL_DP_DOWN },
	{ READY, UP, false, ANY, SL_STATE_DOWN, SL_DP_DOWN },
	{ READY, UP, true, ANY, SL_STATE_UP, SL_DP_UP },
};

static bool fits(int want, int value)
{
	return want == ANY || want == value;
}

Test(state, every_combination)
{
	static const int admins[] = { READY, DRAIN, MAINT }, healths[] = { NEW, UP, DOWN };
	unsigned n, i;

	for (n = 0; n < 36; n++) {
		struct sl_state_facts f = {
			.admin = (enum sl_admin)admins[n % 3],
			.health = (enum sl_health)healths[n / 3 % 3],
			.has_next_hop = n / 9 % 2,
			.drain_complete = n / 18 % 2,
		};
		unsigned found = 0;

		for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			const struct row *r = &rows[i];

			if (!fits(r->admin, f.admin) || !fits(r->health, f.health) ||
			    !fits(r->has_next_hop, f.has_next_hop) ||
			    !fits(r->drain_complete, f.drain_complete))
				continue;
			found++;
			cr_assert_eq(sl_state_derive(&f), r->state, "row %u: shown as %s", i,
				     sl_state_name(sl_state_derive(&f)));
			cr_assert_eq(sl_state_dp(&f), r->dp, "row %u: dp %d", i, sl_state_dp(&f));
		}
		cr_assert_eq(found, 1u, "combination %u is in %u rows", n, found);
	}
}

/* What the rows above must never say, whatever they are edited to. */
Test(state, only_a_ready_healthy_reachable_backend_takes_new_flows)
{
	unsigned i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		if (r->dp == SL_DP_UP)
			cr_assert(r->admin == READY && r->health == UP && r->has_next_hop == true);
		cr_assert_eq(r->dp == SL_DP_UP, r->state == SL_STATE_UP, "row %u", i);
		if (r->health == DOWN || r->has_next_hop == false)
			cr_assert_eq(r->dp, SL_DP_DOWN, "row %u", i);
	}
}

Test(state, names)
{
	cr_assert_str_eq(sl_state_name(SL_STATE_CHECKING), "checking");
	cr_assert_str_eq(sl_state_name(SL_STATE_UP), "up");
	cr_assert_str_eq(sl_state_name(SL_STATE_DRAINING), "draining");
	cr_assert_str_eq(sl_state_name(SL_STATE_DRAINED), "drained");
	cr_assert_str_eq(sl_state_name(SL_STATE_DOWN), "down");
	cr_assert_str_eq(sl_state_name(SL_STATE_MAINT), "maint");
	cr_assert_str_eq(sl_state_name((enum sl_state)99), "unknown");
}

Test(state, while_nothing_is_known_of_its_next_hop_a_backend_is_checking)
{
	struct sl_state_facts f = { .admin = SL_ADMIN_READY,
				    .health = SL_HEALTH_UP,
				    .hop_pending = true };

	cr_assert_eq(sl_state_derive(&f), SL_STATE_CHECKING);
	cr_assert_eq(sl_state_dp(&f), SL_DP_DOWN);
	f.hop_pending = false;
	cr_assert_eq(sl_state_derive(&f), SL_STATE_DOWN);
	f.has_next_hop = true;
	cr_assert_eq(sl_state_derive(&f), SL_STATE_UP);
}
