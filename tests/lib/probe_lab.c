/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/probe_lab.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Linked to programs without Criterion as well: a lab that is not as it should be ends the test. */
#define CHECK(cond)                                                                \
	do {                                                                       \
		if (!(cond)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                   \
		}                                                                  \
	} while (0)

struct conn {
	uv_tcp_t tcp;
	uv_timer_t drip;
	uv_write_t write;
	struct lab_site *site;
	size_t sent;
	int handles;
};

static char filler[65536];

int lab_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void on_conn_closed(uv_handle_t *h)
{
	struct conn *c = h->data;

	if (--c->handles == 0)
		free(c);
}

static void conn_close(struct conn *c)
{
	if (uv_is_closing((uv_handle_t *)&c->tcp))
		return;
	uv_close((uv_handle_t *)&c->tcp, on_conn_closed);
	uv_close((uv_handle_t *)&c->drip, on_conn_closed);
}

static void on_alloc(uv_handle_t *h, size_t want, uv_buf_t *ret)
{
	static char buf[2048];

	(void)h;
	(void)want;
	*ret = uv_buf_init(buf, sizeof(buf) - 1);
}

static void on_drip(uv_timer_t *t)
{
	struct conn *c = t->data;
	uv_buf_t b = uv_buf_init((char *)c->site->text + c->sent, 1);

	if (c->sent >= strlen(c->site->text) || uv_try_write((uv_stream_t *)&c->tcp, &b, 1) != 1) {
		uv_timer_stop(t);
		return;
	}
	c->sent++;
}

static void on_filled(uv_write_t *req, int status)
{
	struct conn *c = req->data;
	uv_buf_t b = uv_buf_init(filler, sizeof(filler));

	if (status < 0 || uv_is_closing((uv_handle_t *)&c->tcp)) {
		conn_close(c);
		return;
	}
	c->site->bytes_sent += sizeof(filler);
	if (uv_write(req, (uv_stream_t *)&c->tcp, &b, 1, on_filled) < 0)
		conn_close(c);
}

static void act(struct conn *c)
{
	uv_buf_t b = uv_buf_init((char *)c->site->text, (unsigned)strlen(c->site->text));

	switch (c->site->temper) {
	case LAB_SILENT:
		break;
	case LAB_DRIP:
		uv_timer_start(&c->drip, on_drip, 10, 10);
		break;
	case LAB_RESET:
		if (b.len)
			uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
		uv_close((uv_handle_t *)&c->drip, on_conn_closed);
		uv_tcp_close_reset(&c->tcp, on_conn_closed);
		break;
	case LAB_ENDLESS:
		uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
		on_filled(&c->write, 0);
		break;
	case LAB_REPLY:
	case LAB_HANGUP:
		if (b.len)
			uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
		if (c->site->temper == LAB_HANGUP)
			conn_close(c);
	}
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = s->data;

	if (n < 0) {
		c->site->resets += n == UV_ECONNRESET;
		conn_close(c);
		return;
	}
	if (n == 0)
		return;
	c->site->requests++;
	buf->base[n] = 0;
	(void)snprintf(c->site->request, sizeof(c->site->request), "%s", buf->base);
	act(c);
}

static void on_connection(uv_stream_t *s, int status)
{
	struct lab_site *site = s->data;
	struct conn *c = calloc(1, sizeof(*c));

	CHECK(c);
	if (status < 0) {
		free(c);
		return;
	}
	uv_tcp_init(s->loop, &c->tcp);
	uv_timer_init(s->loop, &c->drip);
	c->tcp.data = c->drip.data = c->write.data = c;
	c->handles = 2;
	c->site = site;
	site->connections++;
	if (uv_accept(s, (uv_stream_t *)&c->tcp) < 0)
		conn_close(c);
	else
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static uint16_t port_of(const struct sockaddr_storage *ss)
{
	/* sin_port and sin6_port are at the same place. */
	return ntohs(((const struct sockaddr_in *)ss)->sin_port);
}

int lab_reserve(const char *addr, uint16_t *ret_port)
{
	struct sockaddr_storage ss;
	struct sl_addr a;
	socklen_t len;
	int fd;

	CHECK(!sl_addr_parse(addr, &a));
	len = sl_addr_sockaddr(&a, 0, &ss);
	fd = socket(a.family, SOCK_STREAM, 0);
	CHECK(fd >= 0);
	CHECK(!bind(fd, (struct sockaddr *)&ss, len));
	CHECK(!getsockname(fd, (struct sockaddr *)&ss, &len));
	*ret_port = port_of(&ss);
	return fd;
}

void lab_listen(struct lab *lab, struct lab_site *site, const char *addr, enum lab_temper temper,
		const char *text)
{
	struct sockaddr_storage ss;
	int len = sizeof(ss);

	memset(site, 0, sizeof(*site));
	site->temper = temper;
	site->text = text;
	CHECK(!sl_addr_parse(addr, &site->addr));
	(void)sl_addr_sockaddr(&site->addr, 0, &ss);
	CHECK(!uv_tcp_init(&lab->loop, &site->tcp));
	site->tcp.data = site;
	CHECK(!uv_tcp_bind(&site->tcp, (struct sockaddr *)&ss, 0));
	CHECK(!uv_listen((uv_stream_t *)&site->tcp, 1024, on_connection));
	CHECK(!uv_tcp_getsockname(&site->tcp, (struct sockaddr *)&ss, &len));
	site->port = port_of(&ss);
}

static void on_tick(uv_timer_t *t)
{
	(void)t;
}

void lab_init(struct lab *lab)
{
	memset(lab, 0, sizeof(*lab));
	memset(filler, 'x', sizeof(filler));
	/* The first loop of a process opens descriptors that stay. */
	CHECK(!uv_loop_init(&lab->loop));
	CHECK(!uv_loop_close(&lab->loop));
	lab->fds = lab_fds();
	CHECK(!uv_loop_init(&lab->loop));
	CHECK(!uv_timer_init(&lab->loop, &lab->tick));
	CHECK(!uv_timer_start(&lab->tick, on_tick, 2, 2));
	CHECK(!sl_prober_new(&lab->loop, &lab->prober));
}

static void close_own(uv_handle_t *h, void *user)
{
	struct lab *lab = user;

	if (h == (uv_handle_t *)&lab->tick)
		uv_close(h, NULL);
	else if (h->type == UV_TCP && ((uv_tcp_t *)h)->connection_cb && !uv_is_closing(h))
		uv_close(h, NULL);
	else if (h->type == UV_TCP && !uv_is_closing(h))
		conn_close(h->data);
}

void lab_done(struct lab *lab)
{
	sl_prober_free(lab->prober);
	uv_walk(&lab->loop, close_own, lab);
	CHECK(!uv_run(&lab->loop, UV_RUN_DEFAULT));
	CHECK(uv_loop_close(&lab->loop) == 0);
	CHECK(lab_fds() == lab->fds);
}

struct sl_check lab_check(enum sl_check_type type, uint32_t interval_ms, uint32_t timeout_ms)
{
	return (struct sl_check){ .type = type,
				  .status_low = 200,
				  .status_high = 399,
				  .interval_ms = interval_ms,
				  .timeout_ms = timeout_ms,
				  .rise = 1,
				  .fall = 1,
				  .path = "/health" };
}

static void on_result(void *user, const struct sl_probe_result *res)
{
	struct lab_seen *seen = user;
	size_t i;

	if (seen->n < 64)
		seen->began_ms[seen->n] = uv_now(&seen->lab->loop) - res->duration_ms;
	seen->n++;
	seen->last = *res;
	for (i = 0; i < seen->n_stop; i++) {
		sl_probe_stop(seen->stop[i]);
		seen->stop[i] = NULL;
	}
}

void lab_probe(struct lab *lab, struct lab_seen *seen, const struct sl_check *check,
	       const struct sl_addr *addr, uint16_t port)
{
	unsigned before = seen->n;

	seen->lab = lab;
	CHECK(!sl_probe_start(lab->prober, check, addr, port, on_result, seen, &seen->probe));
	CHECK(seen->n == before);
}

bool lab_run(struct lab *lab, const unsigned *counter, unsigned n, uint64_t ms)
{
	uint64_t until = uv_hrtime() / 1000000 + ms;

	while ((!counter || *counter < n) && uv_hrtime() / 1000000 < until)
		uv_run(&lab->loop, UV_RUN_ONCE);
	return counter && *counter >= n;
}

struct sl_probe_result lab_once(struct lab *lab, const struct lab_site *site,
				const struct sl_check *check)
{
	struct lab_seen seen = { 0 };

	lab_probe(lab, &seen, check, &site->addr, site->port);
	CHECK(lab_run(lab, &seen.n, 1, check->timeout_ms + 2000));
	sl_probe_stop(seen.probe);
	lab_run(lab, NULL, 0, 10); /* the listener sees the close */
	return seen.last;
}
