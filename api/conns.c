/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/conns.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lb_user/base/clock.h"
#include "lb_user/base/log.h"

#define REQUEST_LIMIT_MS 30000 /* from the first byte of a request to the last of its answer */
#define FULL_IDLE_MS	 1000  /* between requests, when all connections are taken */
#define SWEEP_MS	 1000

/*
 * The library's own timeout is about silence: a byte now and then defeats it, and
 * until it ends, clients that just sit there keep all others waiting. It also
 * misses the end of a TCP stream that came together with data (it takes a short
 * read for an empty socket, and the edge is gone).
 */
static bool is_over(const struct sl_conn *c, int64_t now_ms)
{
	char byte;

	if (c->since_ms && now_ms - c->since_ms > REQUEST_LIMIT_MS)
		return true;
	if (!c->since_ms && c->all->n >= c->all->limit && now_ms - c->idle_ms > FULL_IDLE_MS)
		return true;
	return !c->answering && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void sweep(uv_timer_t *timer)
{
	struct sl_conns *all = timer->data;
	int64_t now_ms = sl_clock_ms();

	for (struct sl_conn *c = all->first; c; c = c->next) {
		if (!is_over(c, now_ms))
			continue;
		sl_debug("api: connection closed: too slow, idle while others wait, or left");
		(void)shutdown(c->fd, SHUT_RDWR);
	}
}

struct sl_conn *sl_conns_open(struct sl_conns *all, int fd)
{
	struct sl_conn *c = calloc(1, sizeof(*c));
	socklen_t len = sizeof(struct ucred);
	struct ucred peer;

	if (!c)
		return NULL;
	c->all = all;
	c->fd = fd;
	c->uid = -1;
	c->idle_ms = sl_clock_ms();
	if (all->has_peers && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		c->uid = (long)peer.uid;
	c->next = all->first;
	if (c->next)
		c->next->previous = c;
	all->first = c;
	if (all->n++ == 0) {
		all->sweep->data = all;
		(void)uv_timer_start(all->sweep, sweep, SWEEP_MS, SWEEP_MS);
	}
	return c;
}

void sl_conns_close(struct sl_conns *all, struct sl_conn *c)
{
	all->n_closed++;
	if (!c)
		return;
	if (c->previous)
		c->previous->next = c->next;
	else
		all->first = c->next;
	if (c->next)
		c->next->previous = c->previous;
	if (--all->n == 0)
		(void)uv_timer_stop(all->sweep);
	free(c);
}

void sl_conns_note_bytes(struct sl_conns *all)
{
	int64_t now_ms = 0;
	int waiting;

	for (struct sl_conn *c = all->first; c; c = c->next) {
		if (c->since_ms || ioctl(c->fd, FIONREAD, &waiting) < 0 || waiting <= 0)
			continue;
		if (!now_ms)
			now_ms = sl_clock_ms();
		c->since_ms = now_ms;
	}
}

void sl_conn_begin_answer(struct sl_conn *c)
{
	c->answering = true;
}

void sl_conn_end_request(struct sl_conn *c)
{
	c->since_ms = 0;
	c->answering = false;
	c->idle_ms = sl_clock_ms();
}
