/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIB_HTTP_H
#define TESTS_LIB_HTTP_H

/*
 * http: the whole API on a Unix socket and a loopback port, in front of a control
 * on a fake data plane, and a client that turns the same loop while it waits. All
 * in a network namespace of its own, so that no packet leaves the test.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "api/server.h"
#include "tests/lib/fake_dp.h"

struct sl_http {
	uv_loop_t loop;
	struct sl_fake_dp *fake;
	struct sl_control *control;
	struct sl_server *server;
	char dir[64], path[96], tcp[32];
	uint16_t port;
	unsigned detached;
	bool free_on_detach;

	/* of the last exchange, valid until the next */
	char *raw; /* everything that came, terminated */
	size_t len;
	int status;	  /* 0: no answer */
	const char *body; /* in raw */
	bool closed;	  /* the peer closed the connection */
};

/* @state: content of the state file, or NULL for none. */
void sl_http_init(struct sl_http *h, const char *state);
void sl_http_done(struct sl_http *h);

int sl_http_connect(struct sl_http *h, bool over_tcp);
void sl_http_send(struct sl_http *h, int fd, const char *data, size_t len);
/* Until @n answers are whole, the peer closes or @ms have passed; the fields are the first's. */
void sl_http_receive(struct sl_http *h, int fd, unsigned n, int ms);
/* Turns the loop for @ms. */
void sl_http_turn(struct sl_http *h, int ms);

/* One request on a connection of its own; @type and @body may be NULL. Returns the status. */
int sl_http_ask(struct sl_http *h, const char *method, const char *target, const char *type,
		const char *body);
/* The same with everything given: what is sent is @raw. */
int sl_http_raw(struct sl_http *h, bool over_tcp, const char *raw);

/* Value of a header in the last answer, "" if it is not there. Valid until the next call. */
const char *sl_http_header(struct sl_http *h, const char *name);
/* A member of the last answer's body, "status.counters.bytes", printed without spaces; "(none)". */
const char *sl_http_member(struct sl_http *h, const char *path);

#endif
