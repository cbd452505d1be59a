/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/svc/nexthop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "lb_user/base/log.h"
#include "lb_user/svc/hop.h"
#include "lb_user/svc/links.h"
#include "lb_user/svc/netlink.h"

/*
 * A notification never carries the answer: it only makes watches due, and a
 * due watch asks the kernel anew (hop.c). So a lost, late or misread one costs
 * time, never truth. Watches are found by walking all of them: 1,000 compares
 * take microseconds; what costs is asking, which is coalesced and in batches.
 */
#define SOON_MS 20    /* routes, links: they come in bursts */
#define SLOW_MS 10000 /* all of them, whatever was missed */
#define BATCH	64    /* watches per turn of the loop, about 1 ms */

struct sl_nexthop {
	TAILQ_ENTRY(sl_nexthop) entry;
	struct sl_nexthops *n;
	sl_nexthop_fn fn;
	void *user;
	bool ended; /* lingers until the slow look, see ended_sweep() */
	bool due;
	uint64_t due_ms;
	struct sl_hop hop;
	bool told;
	struct sl_nexthop_info info; /* what the user was told */
};

TAILQ_HEAD(sl_nexthop_list, sl_nexthop);

struct sl_nexthops {
	uv_loop_t *loop;
	struct sl_netlink *events, *questions;
	struct sl_links *links;
	struct sl_nexthop_list watches; /* least recently looked at first */
	uv_poll_t poll;
	uv_timer_t due_timer, slow_timer;
	uint64_t timer_ms;
	unsigned handles;
	bool closing;
	sl_link_fn on_link;
	void *user;
};

/* ---- when to look --------------------------------------------------------- */

static void on_due(uv_timer_t *t);

static void timer_arm(struct sl_nexthops *n, uint64_t at_ms)
{
	uint64_t now = uv_now(n->loop);

	if (n->closing || (uv_is_active((uv_handle_t *)&n->due_timer) && n->timer_ms <= at_ms))
		return;
	n->timer_ms = at_ms;
	/*
	 * Not 0: libuv would run a timer that is set to 0 by its own callback
	 * without a turn of the loop. Fails only for a handle being closed.
	 */
	(void)uv_timer_start(&n->due_timer, on_due, at_ms > now ? at_ms - now : 1, 0);
}

static void mark(struct sl_nexthop *w, uint64_t delay_ms)
{
	uint64_t at = uv_now(w->n->loop) + delay_ms;

	if (w->ended)
		return;
	if (!w->due || at < w->due_ms)
		w->due_ms = at;
	w->due = true;
	timer_arm(w->n, w->due_ms);
}

static void mark_all(struct sl_nexthops *n, uint64_t delay_ms)
{
	struct sl_nexthop *w;

	for (w = TAILQ_FIRST(&n->watches); w; w = TAILQ_NEXT(w, entry))
		mark(w, delay_ms);
}

static void mark_link(struct sl_nexthops *n, uint32_t ifindex)
{
	struct sl_nexthop *w;

	for (w = TAILQ_FIRST(&n->watches); w; w = TAILQ_NEXT(w, entry))
		if (w->hop.ifindex == ifindex || w->hop.parent == ifindex)
			mark(w, SOON_MS);
}

static void mark_neigh(struct sl_nexthops *n, const struct sl_netlink_neigh *neigh)
{
	struct sl_nexthop *w;

	for (w = TAILQ_FIRST(&n->watches); w; w = TAILQ_NEXT(w, entry))
		if (w->hop.ifindex == neigh->ifindex && sl_addr_equal(&w->hop.neigh, &neigh->addr))
			mark(w, 0);
}

static void mark_route(struct sl_nexthops *n, const struct sl_netlink_event *ev)
{
	struct sl_nexthop *w;

	for (w = TAILQ_FIRST(&n->watches); w; w = TAILQ_NEXT(w, entry))
		if (sl_netlink_event_covers(ev, &w->hop.addr))
			mark(w, SOON_MS);
}

/* ---- telling the user ----------------------------------------------------- */

static bool info_equal(const struct sl_nexthop_info *a, const struct sl_nexthop_info *b)
{
	return a->resolved == b->resolved && a->ifindex == b->ifindex &&
	       a->dev_ifindex == b->dev_ifindex && a->vlan == b->vlan && a->mtu == b->mtu &&
	       a->mtu_link == b->mtu_link && sl_addr_equal(&a->source, &b->source) &&
	       strcmp(a->ifname, b->ifname) == 0 &&
	       memcmp(a->dst_mac, b->dst_mac, sizeof(a->dst_mac)) == 0 &&
	       memcmp(a->src_mac, b->src_mac, sizeof(a->src_mac)) == 0 &&
	       strcmp(a->why ? a->why : "", b->why ? b->why : "") == 0;
}

/*
 * Reporting "not resolved" makes the data plane let go of flows, so a neighbour
 * that was only just asked (at the start, or because the route moved) gets a
 * moment to answer; but not if the way that was reported is itself gone.
 */
static bool hold_back(const struct sl_nexthop *w, enum sl_hop_answer answer,
		      struct sl_hop_moment *m)
{
	switch (answer) {
	case SL_HOP_SURE:
		return false;
	case SL_HOP_UNSURE:
		return w->told;
	case SL_HOP_WAITING:
		break;
	}
	return !w->told || !w->info.resolved || sl_hop_link_works(m, w->info.dev_ifindex);
}

/* The former neighbour, put where ended_sweep() finds it. */
static void hop_left(struct sl_nexthops *n, const struct sl_hop *former)
{
	struct sl_nexthop *gone = calloc(1, sizeof(*gone));

	if (!gone)
		return; /* it stays managed by the kernel: untidy, but harmless */
	gone->n = n;
	gone->hop = *former;
	gone->ended = true;
	TAILQ_INSERT_TAIL(&n->watches, gone, entry);
}

static void evaluate(struct sl_nexthop *w, struct sl_hop_moment *m)
{
	struct sl_hop former = w->hop;
	struct sl_nexthop_info info;
	enum sl_hop_answer answer;
	uint64_t again_ms;

	answer = sl_hop_look(&w->hop, m, &info, &again_ms);
	if (again_ms)
		mark(w, again_ms);
	if (former.ifindex && !sl_hop_same(&w->hop, &former))
		hop_left(w->n, &former);
	if (hold_back(w, answer, m) || (w->told && info_equal(&info, &w->info)))
		return;
	w->told = true;
	w->info = info;
	w->fn(w->user, &info);
}

static void on_due(uv_timer_t *t)
{
	struct sl_nexthops *n = t->data;
	struct sl_hop_moment m = { .nl = n->questions, .now_ms = uv_now(n->loop) };
	uint64_t next_ms = UINT64_MAX;
	struct sl_nexthop *w, *next;
	int done = 0;

	for (w = TAILQ_FIRST(&n->watches); w && done < BATCH; w = next) {
		/* Callbacks may append to the list, but nothing but the slow look unlinks. */
		next = TAILQ_NEXT(w, entry);
		if (w->ended || !w->due || w->due_ms > m.now_ms)
			continue;
		w->due = false;
		done++;
		TAILQ_REMOVE(&n->watches, w, entry);
		TAILQ_INSERT_TAIL(&n->watches, w, entry);
		evaluate(w, &m);
		if (n->closing)
			return;
	}
	for (w = TAILQ_FIRST(&n->watches); w; w = TAILQ_NEXT(w, entry))
		if (w->due && !w->ended && w->due_ms < next_ms)
			next_ms = w->due_ms;
	if (next_ms != UINT64_MAX)
		timer_arm(n, next_ms);
}

/* ---- events --------------------------------------------------------------- */

static void on_link_change(void *user, uint32_t ifindex, const char *name, bool exists)
{
	struct sl_nexthops *n = user;

	if (n->on_link && !n->closing)
		n->on_link(n->user, ifindex, name, exists);
}

static bool on_event(void *user, const struct sl_netlink_event *ev)
{
	struct sl_nexthops *n = user;
	enum sl_links_change change;

	switch (ev->kind) {
	case SL_NETLINK_LINK:
		change = sl_links_apply(n->links, &ev->link, ev->gone);
		if (n->closing)
			return false;
		if (change == SL_LINKS_STATE)
			mark_all(n, SOON_MS);
		else if (change == SL_LINKS_MINOR)
			mark_link(n, ev->link.ifindex);
		break;
	case SL_NETLINK_NEIGH:
		mark_neigh(n, &ev->neigh);
		break;
	case SL_NETLINK_ROUTE:
		mark_route(n, ev);
		break;
	case SL_NETLINK_OTHER:
		mark_all(n, SOON_MS);
		break;
	}
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct sl_nexthops *n = poll->data;
	int r;

	(void)events;
	r = sl_netlink_events(n->events, on_event, n);
	if (n->closing)
		return;
	/* libuv takes lost notifications for a broken descriptor, and stops polling it. */
	if (status < 0)
		(void)uv_poll_start(&n->poll, UV_READABLE, on_readable);
	if (r == 0)
		return;

	sl_warn("event=netlink-overflow msg=\"the kernel dropped notifications about links, "
		"routes and neighbours; looking all of them up again\"");
	r = sl_links_resync(n->links, n->questions);
	if (n->closing)
		return;
	if (r < 0)
		sl_error("event=netlink-resync error=\"%s\" msg=\"the interfaces could not be "
			 "read again; a change may have been missed\"",
			 strerror(-r));
	mark_all(n, 0);
}

/*
 * The kernel need not keep a neighbour fresh that nobody uses any more. It is
 * let go some seconds late on purpose: an agent that ends (unwatch, then free)
 * must leave the neighbours of its running data plane as they are.
 */
static void let_go(struct sl_nexthops *n, const struct sl_hop *former)
{
	const struct sl_nexthop *w;

	for (w = TAILQ_FIRST(&n->watches); w; w = TAILQ_NEXT(w, entry))
		if (!w->ended && sl_hop_same(&w->hop, former))
			return;
	sl_hop_release(n->questions, former->ifindex, &former->neigh);
}

static void ended_sweep(struct sl_nexthops *n, bool release)
{
	struct sl_nexthop *w, *next;

	for (w = TAILQ_FIRST(&n->watches); w; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (!w->ended)
			continue;
		TAILQ_REMOVE(&n->watches, w, entry);
		if (release && w->hop.ifindex)
			let_go(n, &w->hop);
		free(w);
	}
}

static void on_slow(uv_timer_t *t)
{
	struct sl_nexthops *n = t->data;

	ended_sweep(n, true);
	mark_all(n, 0);
}

/* ---- life ----------------------------------------------------------------- */

int sl_nexthop_watch(struct sl_nexthops *n, const struct sl_addr *addr, sl_nexthop_fn fn,
		     void *user, struct sl_nexthop **ret)
{
	struct sl_nexthop *w;

	if (addr->family != AF_INET && addr->family != AF_INET6)
		return -EAFNOSUPPORT;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->n = n;
	w->hop.addr = *addr;
	w->fn = fn;
	w->user = user;
	TAILQ_INSERT_TAIL(&n->watches, w, entry);
	mark(w, 0);
	*ret = w;
	return 0;
}

void sl_nexthop_unwatch(struct sl_nexthop *w)
{
	if (w)
		w->ended = true;
}

static void on_closed(uv_handle_t *h)
{
	struct sl_nexthops *n = h->data;

	if (--n->handles)
		return;
	ended_sweep(n, false);
	sl_links_free(n->links);
	sl_netlink_close(n->events);
	sl_netlink_close(n->questions);
	free(n);
}

void sl_nexthops_free(struct sl_nexthops *n)
{
	if (!n)
		return;
	n->closing = true;
	uv_close((uv_handle_t *)&n->poll, on_closed);
	uv_close((uv_handle_t *)&n->due_timer, on_closed);
	uv_close((uv_handle_t *)&n->slow_timer, on_closed);
}

/* From here on the handles are in the loop, and only sl_nexthops_free() ends them. */
static int handles_start(struct sl_nexthops *n)
{
	int r = uv_poll_init(n->loop, &n->poll, sl_netlink_fd(n->events));

	if (r < 0)
		return r;
	n->handles = 3;
	n->poll.data = n->due_timer.data = n->slow_timer.data = n;
	(void)uv_timer_init(n->loop, &n->due_timer); /* these never fail */
	(void)uv_timer_init(n->loop, &n->slow_timer);
	(void)uv_timer_start(&n->slow_timer, on_slow, SLOW_MS, SLOW_MS);
	(void)uv_poll_start(&n->poll, UV_READABLE, on_readable);
	return 0;
}

int sl_nexthops_new(uv_loop_t *loop, sl_link_fn on_link, void *user, struct sl_nexthops **ret,
		    struct sl_err *err)
{
	struct sl_nexthops *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return sl_err_set(err, -ENOMEM, "out-of-memory", "next hops: out of memory");
	n->loop = loop;
	n->on_link = on_link;
	n->user = user;
	TAILQ_INIT(&n->watches);
	/* Subscribed before the first question, so that no change falls in between. */
	r = sl_netlink_open(true, &n->events);
	if (r == 0)
		r = sl_netlink_open(false, &n->questions);
	if (r == 0)
		r = sl_links_new(n->questions, on_link_change, n, &n->links);
	if (r == 0)
		r = handles_start(n);
	if (r == 0) {
		*ret = n;
		return 0;
	}
	sl_links_free(n->links);
	sl_netlink_close(n->events);
	sl_netlink_close(n->questions);
	free(n);
	return sl_err_set(err, r, "netlink-failed",
			  "next hops: routes and neighbours cannot be followed by netlink: %s; "
			  "check that the service may open AF_NETLINK sockets",
			  strerror(-r));
}
