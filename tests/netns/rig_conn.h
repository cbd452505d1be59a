/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_NETNS_RIG_CONN_H
#define TESTS_NETNS_RIG_CONN_H

/* rig_conn: one connection, from connect to its end. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RIG_BUF_LEN 2048 /* an answer's header fits; bodies are thrown away */

enum rig_phase { RIG_CLOSED, RIG_CONNECTING, RIG_WAITING, RIG_RESTING };

struct rig_conn {
	int fd;
	enum rig_phase phase;
	bool held;
	int peer; /* who answered first, -1: nobody yet */
	uint32_t id;
	uint32_t seq;
	int64_t start_ms;    /* of the connection, as wall clock */
	int64_t sent_ms;     /* of the request, or of the connect */
	int64_t next_ms;     /* when to ask again */
	int64_t deadline_ms; /* of what is awaited */
	size_t len, skip;    /* bytes of header gathered; of body still to come */
	char buf[RIG_BUF_LEN];
};

/* The monotonic clock. */
int64_t rig_now_ms(void);

/* The epoll set for all connections; 0 or negative errno. */
int rig_conn_start(void);
/* How many await something: a connect or an answer. */
uint64_t rig_conn_busy(void);
/* Waits up to @timeout_ms and serves what happened. */
void rig_conn_wait(int timeout_ms);

void rig_conn_open(struct rig_conn *c, uint32_t id, bool held, int64_t now_ms);
void rig_conn_ask(struct rig_conn *c, int64_t now_ms);
/* The answer is complete. */
void rig_conn_answered(struct rig_conn *c);
/* Counts the connection as broken, gone or failed, and closes it. */
void rig_conn_lost(struct rig_conn *c, const char *why);

/* rig_answer.c: takes received bytes. Returns NULL, or why the connection is no good. */
const char *rig_answer_feed(struct rig_conn *c, const char *data, size_t n);

#endif
