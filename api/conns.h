/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef API_CONNS_H
#define API_CONNS_H

/*
 * conns: the connections of one listener and the deadlines that the library does
 * not have. A sweep each second shuts down the sockets of connections whose time
 * is over; the library sees the end of the stream and closes them.
 */
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct sl_conns;

struct sl_conn {
	struct sl_conns *all;
	struct sl_conn *next, *previous;
	int fd;
	int64_t since_ms; /* first byte of the request at hand; 0: none has come yet */
	int64_t idle_ms;  /* since when none has */
	bool answering;	  /* the whole request is there */
	long uid;	  /* of the peer; -1: not known (TCP) */
};

struct sl_conns {
	struct sl_conn *first;
	unsigned n, limit; /* at the limit, idle ones make room */
	unsigned n_closed; /* since the owner last set it to 0 */
	bool has_peers;	   /* a Unix socket: the kernel knows who it is */
	uv_timer_t *sweep; /* the owner's; runs while there are connections */
};

/* NULL when memory is short. @fd stays the library's. */
struct sl_conn *sl_conns_open(struct sl_conns *all, int fd);
/* @c may be NULL: one that sl_conns_open() had no memory for. */
void sl_conns_close(struct sl_conns *all, struct sl_conn *c);

/* Before the library reads: bytes are waiting, so a request's time begins. */
void sl_conns_note_bytes(struct sl_conns *all);

/* A request is there as a whole; its answer is sent or cannot be any more. */
void sl_conn_begin_answer(struct sl_conn *c);
void sl_conn_end_request(struct sl_conn *c);

#endif
