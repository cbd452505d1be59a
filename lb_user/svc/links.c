/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/svc/links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct table {
	struct sl_netlink_link *link;
	size_t count, room;
	bool failed; /* a row could not be stored */
};

struct sl_links {
	struct table known;
	sl_link_fn fn;
	void *user;
};

static struct sl_netlink_link *table_find(const struct table *t, uint32_t ifindex)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (t->link[i].ifindex == ifindex)
			return &t->link[i];
	return NULL;
}

static void table_add(struct table *t, const struct sl_netlink_link *link)
{
	if (t->count == t->room) {
		size_t room = t->room ? 2 * t->room : 16;
		struct sl_netlink_link *bigger = reallocarray(t->link, room, sizeof(*bigger));

		if (!bigger) {
			t->failed = true;
			return;
		}
		t->link = bigger;
		t->room = room;
	}
	t->link[t->count++] = *link;
}

static void table_done(struct table *t)
{
	free(t->link);
	memset(t, 0, sizeof(*t));
}

static void on_each(void *user, const struct sl_netlink_link *link)
{
	table_add(user, link);
}

static int table_read(struct sl_netlink *nl, struct table *ret)
{
	struct table t = { .link = NULL };
	int r = sl_netlink_link_each(nl, on_each, &t);

	if (r == 0 && t.failed)
		r = -ENOMEM;
	if (r < 0)
		table_done(&t);
	else
		*ret = t;
	return r;
}

int sl_links_new(struct sl_netlink *nl, sl_link_fn fn, void *user, struct sl_links **ret)
{
	struct sl_links *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->fn = fn;
	l->user = user;
	r = table_read(nl, &l->known);
	if (r < 0)
		sl_links_free(l);
	else
		*ret = l;
	return r;
}

void sl_links_free(struct sl_links *l)
{
	if (!l)
		return;
	table_done(&l->known);
	free(l);
}

static enum sl_links_change compare(const struct sl_netlink_link *a,
				    const struct sl_netlink_link *b)
{
	if (a->up != b->up || a->running != b->running)
		return SL_LINKS_STATE;
	if (strcmp(a->name, b->name) != 0 || a->mtu != b->mtu || a->ethernet != b->ethernet ||
	    memcmp(a->mac, b->mac, sizeof(a->mac)) != 0 || a->vlan != b->vlan ||
	    a->vlan_id != b->vlan_id || a->parent != b->parent)
		return SL_LINKS_MINOR;
	return SL_LINKS_SAME;
}

static void tell(struct sl_links *l, const struct sl_netlink_link *link, bool exists)
{
	if (l->fn)
		l->fn(l->user, link->ifindex, link->name, exists);
}

enum sl_links_change sl_links_apply(struct sl_links *l, const struct sl_netlink_link *link,
				    bool gone)
{
	struct sl_netlink_link *known = table_find(&l->known, link->ifindex);
	enum sl_links_change change;
	struct sl_netlink_link before;

	if (!known && gone)
		return SL_LINKS_SAME;
	if (!known) {
		/* Without memory for it, it is only told again with each notification. */
		table_add(&l->known, link);
		tell(l, link, true);
		return SL_LINKS_STATE;
	}

	before = *known;
	if (gone) {
		*known = l->known.link[--l->known.count];
		tell(l, &before, false);
		return SL_LINKS_STATE;
	}

	change = compare(known, link);
	*known = *link;
	if (change == SL_LINKS_SAME)
		return change;
	/* The old name exists no longer; whoever waits for interfaces by name must know. */
	if (strcmp(before.name, link->name) != 0)
		tell(l, &before, false);
	tell(l, link, true);
	return change;
}

int sl_links_resync(struct sl_links *l, struct sl_netlink *nl)
{
	struct table now, before = { .link = NULL };
	size_t i;
	int r = table_read(nl, &now);

	if (r < 0)
		return r;
	/* Those that went first: their names may live on with another index. */
	for (i = 0; i < l->known.count; i++)
		if (!table_find(&now, l->known.link[i].ifindex))
			table_add(&before, &l->known.link[i]);
	for (i = 0; i < before.count; i++)
		(void)sl_links_apply(l, &before.link[i], true); /* told by fn */
	for (i = 0; i < now.count; i++)
		(void)sl_links_apply(l, &now.link[i], false);
	r = before.failed ? -ENOMEM : 0;
	table_done(&before);
	table_done(&now);
	return r;
}
