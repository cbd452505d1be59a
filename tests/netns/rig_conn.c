/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/netns/rig_conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/netns/rig_options.h"
#include "tests/netns/rig_report.h"

static int ep = -1;
static uint64_t busy;
static uint32_t next_source;

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t rig_now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

static void log_end(const struct rig_conn *c, const char *result, const char *why)
{
	if (rig_opt.log)
		fprintf(rig_opt.log, "%lld %lld %s %s %s %s\n", (long long)c->start_ms,
			(long long)clock_ms(CLOCK_REALTIME), c->held ? "held" : "new", result,
			c->peer < 0 ? "-" : rig_peers[c->peer].name, why);
}

static void conn_close(struct rig_conn *c)
{
	if (c->phase == RIG_CONNECTING || c->phase == RIG_WAITING)
		busy--;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->phase = RIG_CLOSED;
}

void rig_conn_lost(struct rig_conn *c, const char *why)
{
	const char *result = "failed";

	if (!c->held) {
		rig_counts.failed++;
	} else if (c->peer >= 0 && rig_peers[c->peer].may_go) {
		rig_counts.gone++;
		result = "gone";
	} else {
		rig_counts.broken++;
		result = "broken";
	}
	if (c->held && c->peer >= 0) {
		rig_peers[c->peer].lost++;
		rig_counts.held_up--;
	}
	log_end(c, result, why);
	conn_close(c);
}

void rig_conn_ask(struct rig_conn *c, int64_t now_ms)
{
	char req[512];
	int len =
		snprintf(req, sizeof(req), "GET %s%cc=%u&n=%u HTTP/1.1\r\nHost: sluice-rig\r\n\r\n",
			 rig_opt.path, strchr(rig_opt.path, '?') ? '&' : '?', c->id, ++c->seq);

	if (send(c->fd, req, (size_t)len, MSG_NOSIGNAL) != len) {
		rig_conn_lost(c, "cannot send");
		return;
	}
	if (c->phase != RIG_CONNECTING)
		busy++;
	c->phase = RIG_WAITING;
	c->sent_ms = now_ms;
	if (c->held)
		c->deadline_ms = now_ms + rig_opt.stall_ms;
	c->len = c->skip = 0;
}

void rig_conn_open(struct rig_conn *c, uint32_t id, bool held, int64_t now_ms)
{
	struct epoll_event ev = { .events = EPOLLOUT, .data.ptr = c };
	int one = 1;

	*c = (struct rig_conn){ .fd = -1, .peer = -1, .held = held, .id = id, .sent_ms = now_ms };
	c->start_ms = clock_ms(CLOCK_REALTIME);
	c->deadline_ms = now_ms + (held ? rig_opt.stall_ms : rig_opt.new_ms);
	c->phase = RIG_CONNECTING;
	busy++;
	c->fd = socket(rig_opt.target.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0) {
		rig_conn_lost(c, "no socket");
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (rig_opt.n_sources) {
		/* The port is chosen at connect: otherwise 28,000 per address is all. */
		setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
		if (bind(c->fd, (void *)&rig_opt.sources[next_source++ % rig_opt.n_sources],
			 rig_opt.target_len)) {
			rig_conn_lost(c, "cannot bind to a source address");
			return;
		}
	}
	if (connect(c->fd, (void *)&rig_opt.target, rig_opt.target_len) && errno != EINPROGRESS)
		rig_conn_lost(c, strerror(errno));
	else if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev))
		rig_conn_lost(c, "epoll");
}

void rig_conn_answered(struct rig_conn *c)
{
	int64_t now = rig_now_ms();

	rig_counts.requests++;
	rig_peers[c->peer].answers++;
	if (now - c->sent_ms > rig_counts.max_ms)
		rig_counts.max_ms = now - c->sent_ms;
	if (c->held) {
		busy--;
		c->phase = RIG_RESTING;
		c->next_ms = c->sent_ms + rig_opt.interval_ms;
		return;
	}
	rig_counts.new_ok++;
	rig_peers[c->peer].fresh++;
	log_end(c, "ok", "");
	conn_close(c);
}

static void conn_event(struct rig_conn *c, uint32_t events)
{
	static char data[65536];
	const char *why = NULL;
	ssize_t n;

	if (c->phase == RIG_CONNECTING) {
		struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };
		socklen_t len = sizeof(int);
		int err = 0;

		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
		if (err)
			rig_conn_lost(c, strerror(err));
		else if (events & EPOLLOUT && !epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev))
			rig_conn_ask(c, rig_now_ms());
		return;
	}
	while (c->phase != RIG_CLOSED && !why) {
		n = recv(c->fd, data, sizeof(data), 0);
		if (n > 0)
			why = rig_answer_feed(c, data, (size_t)n);
		else if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		else
			why = n ? strerror(errno) : "closed by the other side";
	}
	if (why)
		rig_conn_lost(c, why);
}

int rig_conn_start(void)
{
	ep = epoll_create1(EPOLL_CLOEXEC);
	return ep < 0 ? -errno : 0;
}

uint64_t rig_conn_busy(void)
{
	return busy;
}

void rig_conn_wait(int timeout_ms)
{
	struct epoll_event ev[256];
	struct rig_conn *c;
	int i, n;

	n = epoll_wait(ep, ev, 256, timeout_ms);
	for (i = 0; i < n; i++) {
		c = ev[i].data.ptr;
		if (c->phase != RIG_CLOSED)
			conn_event(c, ev[i].events);
	}
}
