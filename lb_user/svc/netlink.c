/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/svc/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/svc/netlink_read.h"

#define READS_MAX	1024	  /* of one dump; a read holds several messages */
#define EVENT_READS_MAX 64	  /* per call, so that the loop gets its turn */
#define RECV_BYTES	(1 << 20) /* for bursts of notifications */

struct sl_netlink {
	struct mnl_socket *sock;
	uint32_t seq;
	bool lost; /* the kernel says so once, and goes on losing until all is read */
	_Alignas(8) char request[512];
	_Alignas(8) char buf[32768]; /* what the kernel fills at most in one read */
};

/* ---- questions ------------------------------------------------------------ */

typedef int (*reply_fn)(void *data, const struct nlmsghdr *nlh);

/* Returns 1 to read on, 0 at the end, negative errno. */
static int replies_read(struct sl_netlink *nl, int len, reply_fn fn, void *data)
{
	const struct nlmsghdr *nlh = (const void *)nl->buf;
	int r;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq != nl->seq)
			continue; /* left over from a question that was given up */
		if (nlh->nlmsg_type == NLMSG_DONE)
			return 0;
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

			if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
				return -EIO;
			return e->error > 0 ? -EIO : e->error;
		}
		r = fn ? fn(data, nlh) : 0;
		if (r < 0 || !(nlh->nlmsg_flags & NLM_F_MULTI))
			return r;
	}
	return 1;
}

static int ask_kernel(struct sl_netlink *nl, struct nlmsghdr *nlh, reply_fn fn, void *data)
{
	ssize_t len;
	int i, r;

	nlh->nlmsg_flags |= NLM_F_REQUEST;
	nlh->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0)
		return -EIO;
	for (i = 0; i < READS_MAX; i++) {
		len = mnl_socket_recvfrom(nl->sock, nl->buf, sizeof(nl->buf));
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -EIO;
		r = replies_read(nl, (int)len, fn, data);
		if (r <= 0)
			return r;
	}
	return -EIO;
}

static struct nlmsghdr *request_new(struct sl_netlink *nl, uint16_t type)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->request);

	nlh->nlmsg_type = type;
	return nlh;
}

static size_t addr_len(const struct sl_addr *addr)
{
	return addr->family == AF_INET ? 4 : 16;
}

struct route_answer {
	bool have;
	struct sl_netlink_route route;
};

static int on_route(void *data, const struct nlmsghdr *nlh)
{
	struct route_answer *a = data;
	int r;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return -EIO;
	r = sl_netlink_read_route(nlh, &a->route);
	a->have = r == 0;
	return r;
}

int sl_netlink_route_get(struct sl_netlink *nl, const struct sl_addr *addr,
			 struct sl_netlink_route *ret)
{
	struct nlmsghdr *nlh = request_new(nl, RTM_GETROUTE);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));
	struct route_answer a = { .have = false };
	size_t len = addr_len(addr);
	int r;

	rt->rtm_family = (unsigned char)addr->family;
	rt->rtm_dst_len = (unsigned char)(8 * len);
	mnl_attr_put(nlh, RTA_DST, len, addr->byte_be);
	r = ask_kernel(nl, nlh, on_route, &a);
	if (r == 0 && !a.have)
		r = -EIO;
	if (r == 0)
		*ret = a.route;
	return r;
}

struct link_answer {
	bool have;
	struct sl_netlink_link link;
	sl_netlink_link_fn fn;
	void *user;
};

static int on_link(void *data, const struct nlmsghdr *nlh)
{
	struct link_answer *a = data;
	int r = nlh->nlmsg_type == RTM_NEWLINK ? sl_netlink_read_link(nlh, &a->link) : -EIO;

	a->have = r == 0;
	if (a->have && a->fn)
		a->fn(a->user, &a->link);
	return a->fn ? 0 : r; /* in a dump one that cannot be read is not the end */
}

int sl_netlink_link_get(struct sl_netlink *nl, uint32_t ifindex, struct sl_netlink_link *ret)
{
	struct nlmsghdr *nlh = request_new(nl, RTM_GETLINK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	struct link_answer a = { .have = false };
	int r;

	ifi->ifi_index = (int)ifindex;
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	r = ask_kernel(nl, nlh, on_link, &a);
	if (r == 0 && !a.have)
		r = -EIO;
	if (r == 0)
		*ret = a.link;
	return r;
}

int sl_netlink_link_each(struct sl_netlink *nl, sl_netlink_link_fn fn, void *user)
{
	struct nlmsghdr *nlh = request_new(nl, RTM_GETLINK);
	struct link_answer a = { .fn = fn, .user = user };

	(void)mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg)); /* zeroed: all */
	nlh->nlmsg_flags = NLM_F_DUMP;
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return ask_kernel(nl, nlh, on_link, &a);
}

struct neigh_answer {
	bool have;
	struct sl_netlink_neigh neigh;
};

static int on_neigh(void *data, const struct nlmsghdr *nlh)
{
	struct neigh_answer *a = data;
	int r = nlh->nlmsg_type == RTM_NEWNEIGH ? sl_netlink_read_neigh(nlh, &a->neigh) : -EIO;

	a->have = r == 0;
	return r;
}

static struct nlmsghdr *neigh_request(struct sl_netlink *nl, uint16_t type, uint32_t ifindex,
				      const struct sl_addr *addr, struct ndmsg **ret)
{
	struct nlmsghdr *nlh = request_new(nl, type);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));

	ndm->ndm_family = (uint8_t)addr->family;
	ndm->ndm_ifindex = (int)ifindex;
	mnl_attr_put(nlh, NDA_DST, addr_len(addr), addr->byte_be);
	*ret = ndm;
	return nlh;
}

int sl_netlink_neigh_get(struct sl_netlink *nl, uint32_t ifindex, const struct sl_addr *addr,
			 struct sl_netlink_neigh *ret)
{
	struct ndmsg *ndm;
	struct nlmsghdr *nlh = neigh_request(nl, RTM_GETNEIGH, ifindex, addr, &ndm);
	struct neigh_answer a = { .have = false };
	int r = ask_kernel(nl, nlh, on_neigh, &a);

	if (r == 0 && !a.have)
		r = -EIO;
	if (r == 0)
		*ret = a.neigh;
	return r;
}

int sl_netlink_neigh_ask(struct sl_netlink *nl, const struct sl_netlink_neigh *seen, bool managed)
{
	struct ndmsg *ndm;
	struct nlmsghdr *nlh = neigh_request(nl, RTM_NEWNEIGH, seen->ifindex, &seen->addr, &ndm);

	/*
	 * NTF_USE goes along with "managed": a kernel that does not know the
	 * latter ignores its attribute, and would take a request with neither
	 * flag as "make this entry state 0".
	 */
	nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_ACK;
	ndm->ndm_flags = NTF_USE | (seen->learned ? NTF_EXT_LEARNED : 0);
	if (managed)
		mnl_attr_put_u32(nlh, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	return ask_kernel(nl, nlh, NULL, NULL);
}

/* ---- notifications -------------------------------------------------------- */

bool sl_netlink_event_covers(const struct sl_netlink_event *ev, const struct sl_addr *addr)
{
	unsigned whole = ev->prefix_len / 8, rest = ev->prefix_len % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);
	const uint8_t *a = ev->prefix.byte_be, *b = addr->byte_be;

	return ev->prefix.family == addr->family && memcmp(a, b, whole) == 0 &&
	       (!rest || ((a[whole] ^ b[whole]) & mask) == 0);
}

static bool events_pass_on(const struct nlmsghdr *nlh, int len, sl_netlink_event_fn fn, void *user)
{
	struct sl_netlink_event ev;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
		if (sl_netlink_read_event(nlh, &ev) == 0 && !fn(user, &ev))
			return false;
	return true;
}

int sl_netlink_events(struct sl_netlink *nl, sl_netlink_event_fn fn, void *user)
{
	ssize_t len;
	int i;

	for (i = 0; i < EVENT_READS_MAX; i++) {
		len = mnl_socket_recvfrom(nl->sock, nl->buf, sizeof(nl->buf));
		if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			bool lost = nl->lost;

			nl->lost = false;
			return lost ? -ENOBUFS : 0;
		}
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			nl->lost = true; /* ENOBUFS, or ENOSPC: one too long to read */
		else if (!nl->lost && !events_pass_on((const void *)nl->buf, (int)len, fn, user))
			break;
	}
	return 0;
}

/* ---- life ----------------------------------------------------------------- */

static int groups_join(struct sl_netlink *nl)
{
	static const int must[] = { RTNLGRP_LINK,	RTNLGRP_NEIGH,	     RTNLGRP_IPV4_IFADDR,
				    RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE };
	static const int may[] = { RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_NEXTHOP };
	size_t i;
	int group;

	for (i = 0; i < sizeof(must) / sizeof(must[0]); i++) {
		group = must[i];
		if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) <
		    0)
			return -errno;
	}
	for (i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
		group = may[i];
		/* Not in every kernel; without them the slow look finds such changes. */
		(void)mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group,
					    sizeof(group));
	}
	return 0;
}

int sl_netlink_open(bool events, struct sl_netlink **ret)
{
	struct sl_netlink *nl = calloc(1, sizeof(*nl));
	int size = RECV_BYTES;
	int r = 0;

	if (!nl)
		return -ENOMEM;
	nl->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		goto out;
	}
	/* More room is only a convenience: what is lost is looked up again. */
	if (setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) < 0)
		(void)setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof(size));
	if (events)
		r = groups_join(nl);
	if (r < 0)
		goto out;
	*ret = nl;
	nl = NULL;
out:
	sl_netlink_close(nl);
	return r;
}

void sl_netlink_close(struct sl_netlink *nl)
{
	if (!nl)
		return;
	if (nl->sock)
		(void)mnl_socket_close(nl->sock); /* nothing was written that could be lost */
	free(nl);
}

int sl_netlink_fd(const struct sl_netlink *nl)
{
	return mnl_socket_get_fd(nl->sock);
}
