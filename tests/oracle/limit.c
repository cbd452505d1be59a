/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit: what the program answers by itself: so many of a kind in a fine tick
 * (WALK.md 9.6), counted as struct sl_limit says. A new tick forgets both counts.
 */
#include "tests/oracle/walk.h"

static uint32_t window_of(const struct sl_oracle *o)
{
	return (uint32_t)(o->jiffies >> (o->tick_shift - 2));
}

static struct sl_oracle_limit limit_now(const struct sl_oracle *o)
{
	struct sl_oracle_limit now = { .window = window_of(o) };

	return o->limit.window == now.window ? o->limit : now;
}

bool sl_limit_echo(struct sl_oracle_packet *p)
{
	struct sl_oracle_limit now = limit_now(p->o);

	if (now.echo >= SL_ECHO_MAX)
		return false;
	now.echo++;
	p->out->has_limit = true;
	p->out->limit = now;
	return true;
}

bool sl_limit_too_big(struct sl_oracle_packet *p)
{
	struct sl_oracle_limit now = limit_now(p->o);

	if (now.too_big >= SL_TOO_BIG_MAX + sl_packet_is_wrong(p, SL_WRONG_LIMIT))
		return false;
	now.too_big++;
	p->out->has_limit = true;
	p->out->limit = now;
	return true;
}
