/* SPDX-License-Identifier: BSD-2-Clause */
/* guard: WALK.md 5a: limits of sources, their networks and whole services. */
#include <string.h>

#include "tests/oracle/walk.h"

#define MASK40 ((1ull << 40) - 1)

static const struct sl_oracle_service *service_of(const struct sl_oracle_packet *p)
{
	return &p->o->service[p->out->service];
}

static uint64_t now_of(const struct sl_oracle_packet *p)
{
	return p->o->jiffies << 16 & MASK40;
}

/* 5a.4: the source's sets, as they are. */
static void look(struct sl_oracle_packet *p)
{
	static const uint8_t bytes[SL_GUARD_LEVELS][2] = { { 4, 8 }, { 3, 6 } };
	const struct sl_oracle_service *s = service_of(p);
	__u64 salt = sl_walk_salt(p->o, s), key[2] = { p->o->key[0], p->o->key[1] };
	struct sl_oracle_guard *guard = &p->out->guard;

	guard->asked = true;
	for (unsigned i = 0; i < SL_GUARD_LEVELS; i++) {
		unsigned n = bytes[i][p->ip.v6];
		__u64 bits = 0;

		if (i == SL_GUARD_WIDE && sl_packet_is_wrong(p, SL_WRONG_GUARD_WIDE))
			n--;
		memcpy(&bits, p->ip.source, n);
		guard->hash[i] = sl_guard_hash(bits, (enum sl_guard_level)i, salt, key);
		guard->set[i] = (uint32_t)(guard->hash[i] % SL_GUARD_SETS);
		guard->after[i] = p->o->guard_set[guard->set[i]];
	}
	memcpy(guard->pool, s->pool, sizeof(guard->pool));
	memcpy(guard->credit, s->credit, sizeof(guard->credit));
}

/* One limit of a source, in the making. */
struct charge {
	struct sl_oracle_packet *p;
	struct sl_guard_set *set;
	const struct sl_guard_set *hint; /* NULL: none */
	struct sl_oracle_rate rate;
	uint64_t now, tag;
};

static bool is_past(const struct charge *c, uint64_t word)
{
	unsigned bits = 32 - sl_packet_is_wrong(c->p, SL_WRONG_GUARD_LIVE);

	return !(word >> 62) || ((word - c->now) & MASK40) >> bits;
}

/* 4b. false: refused. */
static bool charge_word(const struct charge *c, uint64_t time, uint64_t *ret_word)
{
	uint64_t ahead = (time - c->now) & MASK40;

	if (ahead > c->rate.burst) {
		if (ahead >> 32 == 0 && sl_packet_is_wrong(c->p, SL_WRONG_GUARD_FAR))
			return false;
		ahead = 0;
	}
	*ret_word = c->tag | ((c->now + ahead + c->rate.cost) & MASK40);
	return ahead + c->rate.cost + sl_packet_is_wrong(c->p, SL_WRONG_GUARD_EDGE) <=
	       c->rate.burst;
}

/*
 * 4a: of the places @ways, which the text leaves open, the one that the
 * program took; of several words of a source one that refuses, if none changed.
 */
static unsigned choose(const struct charge *c, unsigned ways, bool own)
{
	unsigned first = (unsigned)__builtin_ctz(ways), refusing = SL_GUARD_WAYS;
	uint64_t word;

	for (unsigned w = 0; w < SL_GUARD_WAYS && c->hint; w++) {
		if (!(ways >> w & 1))
			continue;
		if (!charge_word(c, own ? c->set->word[w] : c->now, &word))
			refusing = w;
		else if (c->hint->word[w] == word)
			return w;
	}
	return refusing < SL_GUARD_WAYS ? refusing : first;
}

static void note_time(const struct charge *c, uint64_t time)
{
	uint64_t ahead = (time - c->now) & MASK40;

	if (ahead > MASK40 / 2)
		sl_packet_reach(c->p, SL_BRANCH_GUARD_PAST);
	else if (ahead > c->rate.burst && !(ahead >> 32))
		sl_packet_reach(c->p, SL_BRANCH_GUARD_FAR);
	else if (ahead + c->rate.cost == c->rate.burst)
		sl_packet_reach(c->p, SL_BRANCH_GUARD_EDGE);
	else if (ahead + c->rate.cost == c->rate.burst + 1ull)
		sl_packet_reach(c->p, SL_BRANCH_GUARD_OVER);
	if ((c->now + ahead) >> 40 && ahead <= c->rate.burst)
		sl_packet_reach(c->p, SL_BRANCH_GUARD_WRAP);
}

static void note_place(const struct charge *c, uint64_t word)
{
	sl_packet_reach(c->p, !word	   ? SL_BRANCH_GUARD_FREE
			      : word >> 62 ? SL_BRANCH_GUARD_OLD
					   : SL_BRANCH_GUARD_KINDLESS);
}

/* 4. false: refused. */
static bool charge(const struct charge *c)
{
	unsigned own = 0, places = 0, way;
	uint64_t word, time;

	for (unsigned w = 0; w < SL_GUARD_WAYS; w++) {
		if ((c->set->word[w] & ~MASK40) == c->tag)
			own |= 1u << w;
		if (is_past(c, c->set->word[w]))
			places |= 1u << w;
	}
	if (!own && !places) {
		sl_packet_reach(c->p, SL_BRANCH_GUARD_FULL);
		c->p->out->guard.cnt.table_full +=
			!sl_packet_is_wrong(c->p, SL_WRONG_GUARD_FULL_COUNT);
		return !sl_packet_is_wrong(c->p, SL_WRONG_GUARD_FULL);
	}
	way = choose(c, own ? own : places, own);
	time = own ? c->set->word[way] : c->now;
	if (own)
		note_time(c, time);
	else
		note_place(c, c->set->word[way]);
	if (own & (own - 1))
		sl_packet_reach(c->p, SL_BRANCH_GUARD_TWICE);
	if (charge_word(c, time, &word)) {
		c->set->word[way] = word;
		return true;
	}
	if (sl_packet_is_wrong(c->p, SL_WRONG_GUARD_CHARGE))
		c->set->word[way] = word;
	return false;
}

/* One of the four limits of a source. false: refused. */
static bool ask_source(struct sl_oracle_packet *p, unsigned level, unsigned kind)
{
	struct sl_oracle_guard *guard = &p->out->guard;
	struct charge c = { .p = p,
			    .set = &guard->after[level],
			    .hint = p->o->hint ? &p->o->hint[guard->set[level]] : NULL,
			    .rate = service_of(p)->source[level][kind],
			    .now = now_of(p),
			    .tag = (kind + 1ull) << 62 | guard->hash[level] >> 42 << 40 };
	bool let;

	if (!c.rate.cost)
		return true;
	let = charge(&c);
	if (guard->set[0] == guard->set[1])
		guard->after[!level] = guard->after[level];
	sl_packet_reach(p, (let ? SL_BRANCH_GUARD_LET_0 : SL_BRANCH_GUARD_NO_0) + 2 * level + kind);
	if (let && p->ip.frag == SL_FRAG_LATER)
		sl_packet_reach(p, SL_BRANCH_GUARD_LATER);
	return let;
}

/* 5. false: refused. */
static bool ask_share(struct sl_oracle_packet *p, unsigned kind)
{
	const struct sl_oracle_share *share = &service_of(p)->share[kind];
	struct sl_oracle_guard *guard = &p->out->guard;
	uint64_t now = p->o->jiffies << 28, ahead = guard->pool[kind] - now, n = share->batch;

	if (!share->cost)
		return true;
	if (guard->credit[kind] && !sl_packet_is_wrong(p, SL_WRONG_SHARE_CREDIT)) {
		guard->credit[kind]--;
		sl_packet_reach(p, SL_BRANCH_SHARE_CREDIT_0 + kind);
		return true;
	}
	if (ahead > share->burst) {
		bool far = !(ahead >> 63);

		if (far)
			sl_packet_reach(p, SL_BRANCH_SHARE_FAR);
		if (far && sl_packet_is_wrong(p, SL_WRONG_SHARE_FAR))
			return false;
		ahead = 0;
	} else if (now + ahead < now) {
		sl_packet_reach(p, SL_BRANCH_SHARE_WRAP);
	}
	if (ahead + n * share->cost > share->burst && !sl_packet_is_wrong(p, SL_WRONG_SHARE_BATCH))
		n = 1;
	if (ahead + n * share->cost > share->burst) {
		sl_packet_reach(p, SL_BRANCH_SHARE_NO_0 + kind);
		return false;
	}
	if (ahead + n * share->cost == share->burst)
		sl_packet_reach(p, SL_BRANCH_SHARE_EDGE);
	sl_packet_reach(p, (n < share->batch ? SL_BRANCH_SHARE_LAST_0 : SL_BRANCH_SHARE_BATCH_0) +
				   kind);
	guard->pool[kind] = now + ahead + n * share->cost;
	guard->credit[kind] = (uint32_t)n - 1;
	return true;
}

/* 2: the three limits of a kind. */
static enum sl_oracle_why ask(struct sl_oracle_packet *p, unsigned kind)
{
	unsigned first = sl_packet_is_wrong(p, SL_WRONG_GUARD_LEVELS);

	if ((!p->is_error || sl_packet_is_wrong(p, SL_WRONG_GUARD_ERROR)) &&
	    (!ask_source(p, first, kind) || !ask_source(p, !first, kind)))
		return SL_WHY_GUARD_SOURCE;
	if (p->is_error && service_of(p)->share[kind].cost)
		sl_packet_reach(p, SL_BRANCH_GUARD_ERROR);
	return ask_share(p, kind) ? SL_WHY_NONE : SL_WHY_GUARD_SERVICE;
}

/* 6. @was: before anything was charged. */
static enum sl_oracle_why refuse(struct sl_oracle_packet *p, enum sl_oracle_why why,
				 const struct sl_oracle_guard *was)
{
	struct sl_oracle_guard *guard = &p->out->guard;

	if (memcmp(guard->after, was->after, sizeof(was->after)))
		sl_packet_reach(p, SL_BRANCH_GUARD_CHARGED);
	if (sl_packet_is_wrong(p, SL_WRONG_GUARD_UNDO))
		*guard = *was;
	if (p->is_error && why == SL_WHY_GUARD_SERVICE)
		sl_packet_reach(p, SL_BRANCH_GUARD_ERROR_NO);
	if (!service_of(p)->dry)
		return why;
	guard->exempt = !sl_packet_is_wrong(p, SL_WRONG_GUARD_DRY);
	if (why == SL_WHY_GUARD_DENIED) {
		guard->cnt.would_deny++;
		sl_packet_reach(p, SL_BRANCH_LIST_DRY);
		return sl_packet_is_wrong(p, SL_WRONG_GUARD_DRY_DENY) ? why : SL_WHY_NONE;
	}
	if (why == SL_WHY_GUARD_SOURCE)
		guard->cnt.would_source++;
	else
		guard->cnt.would_service++;
	sl_packet_reach(p, why == SL_WHY_GUARD_SOURCE ? SL_BRANCH_GUARD_DRY_SOURCE
						      : SL_BRANCH_GUARD_DRY_SERVICE);
	return SL_WHY_NONE;
}

enum sl_oracle_why sl_guard_enter(struct sl_oracle_packet *p, bool syn)
{
	struct sl_oracle_guard *guard = &p->out->guard, was;
	enum sl_guard_verdict listed;
	enum sl_oracle_why why = SL_WHY_NONE;

	look(p);
	was = *guard;
	listed = sl_list_verdict(p);
	if (listed == SL_GUARD_DENY && !service_of(p)->guard)
		sl_packet_reach(p, SL_BRANCH_LIST_FREE);
	if (listed == SL_GUARD_DENY)
		return refuse(p, SL_WHY_GUARD_DENIED, &was);
	guard->exempt = listed == SL_GUARD_ALLOW || !service_of(p)->guard;
	if (guard->exempt)
		return SL_WHY_NONE;
	if (syn)
		sl_packet_reach(p, SL_BRANCH_GUARD_SYN);
	if (syn && sl_packet_is_wrong(p, SL_WRONG_GUARD_KINDS)) {
		why = ask(p, SL_GUARD_FLOWS);
		syn = false;
	}
	if (!why)
		why = ask(p, SL_GUARD_PACKETS);
	if (why)
		why = refuse(p, why, &was);
	if (!why && syn && !guard->exempt) {
		why = ask(p, SL_GUARD_FLOWS);
		if (why)
			why = refuse(p, why, &was);
	}
	return why;
}

enum sl_oracle_why sl_guard_flow(struct sl_oracle_packet *p)
{
	struct sl_oracle_guard *guard = &p->out->guard, was = *guard;
	enum sl_oracle_why why;

	if (guard->exempt) {
		if (guard->cnt.would_source || guard->cnt.would_service)
			sl_packet_reach(p, SL_BRANCH_GUARD_DRY_FLOW);
		return SL_WHY_NONE;
	}
	sl_packet_reach(p, service_of(p)->quic ? SL_BRANCH_GUARD_INITIAL : SL_BRANCH_GUARD_UDP);
	if (p->ip.frag == SL_FRAG_LATER)
		sl_packet_reach(p, SL_BRANCH_GUARD_UDP_LATER);
	why = ask(p, SL_GUARD_FLOWS);
	if (!why)
		return SL_WHY_NONE;
	why = refuse(p, why, &was);
	if (why)
		sl_packet_reach(p, SL_BRANCH_GUARD_UDP_NO);
	return why;
}
