/* SPDX-License-Identifier: BSD-2-Clause */
/* rig_answer: reads answers and finds the backend and the request they are from. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/netns/rig_conn.h"
#include "tests/netns/rig_options.h"
#include "tests/netns/rig_report.h"

/* The value of a header line, or NULL. The buffer ends in a 0. */
static const char *header(const char *buf, const char *name, size_t *ret_len)
{
	size_t len = strlen(name);
	const char *p = buf;

	while ((p = strstr(p, "\r\n"))) {
		p += 2;
		if (!strncasecmp(p, name, len) && p[len] == ':') {
			p += len + 1;
			p += strspn(p, " ");
			*ret_len = strcspn(p, "\r");
			return p;
		}
	}
	return NULL;
}

/* Looks at a complete header. Returns NULL, or what is wrong with it. */
static const char *answer_check(struct rig_conn *c)
{
	const char *v;
	size_t len;
	int peer;

	if (strncmp(c->buf, "HTTP/1.1 200 ", 13))
		return "status is not 200";
	v = header(c->buf, "content-length", &len);
	if (!v)
		return "no Content-Length";
	c->skip = strtoul(v, NULL, 10);
	v = header(c->buf, "x-seq", &len);
	if (v && strtoul(v, NULL, 10) != c->seq)
		return "answer to another request";
	v = header(c->buf, "x-backend", &len);
	peer = v ? rig_peer_find(v, len) : rig_peer_find("?", 1);
	if (c->peer >= 0 && c->peer != peer)
		return "answered by another backend";
	if (c->peer < 0 && c->held) {
		rig_peers[peer].held++;
		rig_counts.held_up++;
	}
	c->peer = peer;
	return NULL;
}

const char *rig_answer_feed(struct rig_conn *c, const char *data, size_t n)
{
	const char *end, *why;
	size_t take, head;

	if (c->phase != RIG_WAITING)
		return "bytes nobody asked for";
	if (c->held) /* it moves */
		c->deadline_ms = rig_now_ms() + rig_opt.stall_ms;
	if (!c->skip) {
		take = n < RIG_BUF_LEN - 1 - c->len ? n : RIG_BUF_LEN - 1 - c->len;
		memcpy(c->buf + c->len, data, take);
		c->buf[c->len + take] = 0;
		end = strstr(c->buf, "\r\n\r\n");
		if (!end) {
			c->len += take;
			return c->len == RIG_BUF_LEN - 1 ? "header too long" : NULL;
		}
		head = (size_t)(end + 4 - c->buf) - c->len;
		why = answer_check(c);
		if (why)
			return why;
		data += head;
		n -= head;
	}
	if (n > c->skip)
		return "more bytes than Content-Length";
	c->skip -= n;
	if (!c->skip)
		rig_conn_answered(c);
	return NULL;
}
