/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIB_PROBE_LAB_H
#define TESTS_LIB_PROBE_LAB_H

/*
 * probe_lab: a loop with a prober, listeners of many tempers on 127.0.0.1 and
 * ::1, and a recorder of results. Everything runs in the test's own thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "lb_user/svc/prober.h"

enum lab_temper {
	LAB_REPLY,   /* sends the text, keeps the connection */
	LAB_HANGUP,  /* sends the text (may be ""), closes */
	LAB_SILENT,  /* reads and says nothing */
	LAB_DRIP,    /* one byte of the text every 10 ms, then nothing */
	LAB_ENDLESS, /* the text, then 'x' for ever */
	LAB_RESET,   /* sends the text (may be ""), resets the connection */
};

struct lab_site {
	uv_tcp_t tcp;
	enum lab_temper temper;
	const char *text;
	struct sl_addr addr;
	uint16_t port;
	unsigned connections, requests, resets;
	uint64_t bytes_sent;
	char request[2048]; /* the last one */
};

struct lab {
	uv_loop_t loop;
	uv_timer_t tick; /* lets lab_run look at the time */
	struct sl_prober *prober;
	int fds; /* open before anything was made */
};

struct lab_seen {
	struct lab *lab;
	unsigned n;
	struct sl_probe_result last;
	uint64_t began_ms[64]; /* when each attempt began, by the loop's clock */
	struct sl_probe *probe;
	struct sl_probe **stop; /* probes to stop from within the callback */
	size_t n_stop;
};

void lab_init(struct lab *lab);
/* Stop all probes first. Asserts that no handle and no descriptor is left. */
void lab_done(struct lab *lab);

/* @text must outlive the lab. */
void lab_listen(struct lab *lab, struct lab_site *site, const char *addr, enum lab_temper temper,
		const char *text);

/* A port that stays closed: bound, so that nobody else is given it. Returns the socket. */
int lab_reserve(const char *addr, uint16_t *ret_port);

/* Descriptors open in this process. */
int lab_fds(void);

struct sl_check lab_check(enum sl_check_type type, uint32_t interval_ms, uint32_t timeout_ms);
void lab_probe(struct lab *lab, struct lab_seen *seen, const struct sl_check *check,
	       const struct sl_addr *addr, uint16_t port);

/* Turns the loop until *@counter >= @n (NULL: never) or @ms have passed; whether it was reached. */
bool lab_run(struct lab *lab, const unsigned *counter, unsigned n, uint64_t ms);

/* One probe of @site, its first result. */
struct sl_probe_result lab_once(struct lab *lab, const struct lab_site *site,
				const struct sl_check *check);

#endif
