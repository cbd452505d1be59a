/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/guard_rig.h"

#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TRIES 5

struct sl_rig sl_guard_rig;

const char *const sl_guard_hosts[2][3] = {
	{ "198.51.100.1", "198.51.100.255", "198.51.101.1" },
	{ "2001:db8:ffff:1::1", "2001:db8:ffff:2::1", "2001:db9::1" },
};

const char *sl_guard_wrong(const char *fmt, ...)
{
	static char why[200];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return why;
}

void sl_guard_open(void)
{
	sl_rig_open(&sl_guard_rig);
	sl_fix_services(&sl_guard_rig);
	sl_fix_backends(&sl_guard_rig, SL_RIG_LO, 0);
}

uint64_t sl_guard_jiffies(void)
{
	uint64_t now;

	if (sl_guard_rig.dp->ops->jiffies(sl_guard_rig.dp, &now))
		sl_tap_bail("read the clock", "the clock program does not run");
	return now;
}

struct sl_guard_machine sl_guard_here(void)
{
	const struct sl_info *info = sl_guard_rig.mem->info;

	return sl_guard_machine_of(info->tick_shift, info->tick_ms, info->cpus);
}

/* All as if nobody had been limited yet. */
void sl_guard_anew(void)
{
	struct sl_dp_mem *m = sl_guard_rig.mem;
	struct sl_err err = {};

	memset(m->guards, 0, sizeof(*m->guards) * SL_SERVICES_MAX);
	memset(m->guard_sets, 0, sizeof(*m->guard_sets) * SL_GUARD_SETS);
	memset(m->guard_pools, 0, sizeof(*m->guard_pools) * SL_SERVICES_MAX);
	memset(m->guard_credit, 0, sizeof(*m->guard_credit) * SL_SERVICES_MAX * m->info->cpus);
	memset(m->guard_index, 0, sizeof(*m->guard_index) * SL_GUARD_INDEX_WORDS);
	memset(m->exceptions, 0, sizeof(*m->exceptions) * SL_EXC_SETS);
	for (enum sl_fix id = SL_FIX_TCP4; id < SL_FIX_END; id++)
		m->services[id].flags &= (uint16_t) ~(SL_SF_GUARD | SL_SF_GUARD_DRY);
	if (sl_guard_rig.dp->ops->prefixes(sl_guard_rig.dp, NULL, 0, true, &err))
		sl_tap_bail("empty the lists", "%s", err.detail);
}

void sl_guard_limit(enum sl_fix id, const struct sl_service_guard *g)
{
	struct sl_guard_machine m = sl_guard_here();

	sl_guard_fill(g, &m, &sl_guard_rig.mem->guards[id]);
	sl_guard_rig.mem->services[id].flags |= SL_SF_GUARD | (g->dry_run ? SL_SF_GUARD_DRY : 0);
}

void sl_guard_list(const char *const *allow, size_t n_allow, const char *const *deny, size_t n_deny)
{
	struct sl_guard_prefix entry[16];
	struct sl_prefix prefix[16];
	struct sl_guard_lists l = {
		.allow = prefix, .deny = prefix + n_allow, .n_allow = n_allow, .n_deny = n_deny
	};
	struct sl_err err = {};

	for (size_t i = 0; i < n_allow + n_deny; i++)
		if (sl_prefix_parse(i < n_allow ? allow[i] : deny[i - n_allow], &prefix[i]))
			sl_tap_bail("list a prefix", "number %zu is none", i);
	sl_guard_entries(&l, entry);
	sl_guard_fill_index(&l, sl_guard_rig.mem->guard_index);
	if (sl_guard_rig.dp->ops->prefixes(sl_guard_rig.dp, entry, n_allow + n_deny, true, &err))
		sl_tap_bail("list prefixes", "%s", err.detail);
}

#define IDS_MAX 4096u /* of backends, above any that a test makes */

/* What was sent; it counts with the backends alone. */
static uint64_t all_sent(void)
{
	const struct sl_cnt *row =
		&sl_guard_rig.mem->cnt_backend[sl_guard_rig.row * SL_BACKENDS_MAX];
	uint64_t sum = 0;

	for (uint32_t id = 0; id < IDS_MAX; id++)
		sum += row[id].packets;
	return sum;
}

/* The reason it leaves with. */
enum sl_reason sl_guard_run(const struct sl_packet *p)
{
	struct sl_reason_cnt was = sl_guard_rig.mem->cnt_reason[sl_guard_rig.row];
	uint64_t sent = all_sent();
	static struct sl_rig_out out;
	int found = -1;

	sl_rig_run(&sl_guard_rig, p->byte, p->len, &out);
	if (all_sent() != sent)
		found = SL_R_SENT;
	for (int i = 0; i < SL_REASONS_MAX; i++)
		if (sl_guard_rig.mem->cnt_reason[sl_guard_rig.row].packets[i] != was.packets[i]) {
			if (found >= 0)
				sl_tap_bail("count a packet once", "reasons %d and %d", found, i);
			found = i;
		}
	if (found < 0 ||
	    (out.verdict == XDP_DROP) != (sl_rig_action((enum sl_reason)found) == SL_A_DROP))
		sl_tap_bail("count a packet", "verdict %d, reason %d", out.verdict, found);
	return (enum sl_reason)found;
}

struct sl_packet sl_guard_packet(enum sl_fix id, uint8_t flags, const char *from, uint16_t sport)
{
	struct sl_packet_spec spec = sl_fix_spec(id, flags);

	if (from)
		spec.from = from;
	spec.sport = sport;
	return sl_fix_build(&spec);
}

enum sl_reason sl_guard_ask(enum sl_fix id, uint8_t flags, const char *from, uint16_t sport)
{
	struct sl_packet p = sl_guard_packet(id, flags, from, sport);

	return sl_guard_run(&p);
}

/* How many of @n packets are sent, each from a port of its own; the others must leave as @else_as.
 */
int sl_guard_sent(enum sl_fix id, uint8_t flags, const char *from, int n, enum sl_reason else_as)
{
	int good = 0;

	for (int i = 0; i < n; i++) {
		enum sl_reason r = sl_guard_ask(id, flags, from, (uint16_t)(1000 + i));

		if (r != SL_R_SENT && r != else_as)
			sl_tap_bail("send", "packet %d left as %s", i, sl_rig_label(r));
		good += r == SL_R_SENT;
	}
	return good;
}

void sl_guard_check(const char *name, const char *(*fn)(enum sl_fix), const enum sl_fix *ids,
		    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int tries = TRIES;
		const char *wrong;
		char what[160];
		uint64_t start;

		do {
			start = sl_guard_jiffies();
			wrong = fn(ids[i]);
		} while (wrong && sl_guard_jiffies() - start > sl_guard_here().hz / 2 && --tries);
		snprintf(what, sizeof(what), "%s, service %d", name, (int)ids[i]);
		sl_tap(!wrong, what, "%s", wrong);
	}
}
