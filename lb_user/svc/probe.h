/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_PROBE_H
#define LB_USER_SVC_PROBE_H

/*
 * probe: what prober.c (when to ask, whom to tell) and the kinds of probe (how
 * to ask; one file each) share. Nobody else includes it.
 *
 * One timer per probe serves both waits, for the next start and for the end of
 * the time allowed, since only one attempt runs at a time.
 */
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lb_user/base/addr.h"
#include "lb_user/domain/model.h"
#include "lb_user/svc/prober.h"

struct sl_probe_curl; /* probe_curl.h; shared by all HTTP probes */

struct sl_probe_kind {
	/* Begins an attempt. It ends with sl_probe_finish(), perhaps before this returns. */
	void (*start)(struct sl_probe *probe);
	/* Drops the attempt, if one runs, and everything it holds. */
	void (*cancel)(struct sl_probe *probe);
	/* The time is up: what to report of the running attempt. cancel follows. */
	void (*expire)(struct sl_probe *probe, struct sl_probe_result *ret);
};

struct sl_probe {
	uv_timer_t timer;
	uv_loop_t *loop;
	const struct sl_probe_kind *kind;
	struct sl_probe_curl *curl;
	void *attempt; /* the kind's own; NULL: none runs */
	sl_probe_fn fn;
	void *user;
	struct sl_check check;
	struct sl_addr addr;
	uint16_t port;
	bool excused;	      /* this attempt was given back what the loop stood still */
	uint64_t rng;	      /* state of the jitter's generator, never 0 */
	uint64_t started_ms;  /* loop time at which the attempt began */
	uint64_t deadline_ms; /* loop time at which it is given up */
	char target[SL_ADDR_STRLEN + 10]; /* "10.0.0.11:80", "[2001:db8::1]:80" */
};

extern const struct sl_probe_kind sl_probe_tcp;
extern const struct sl_probe_kind sl_probe_get;

/* A TCP socket, non-blocking, closed on exec; or a negative errno. */
int sl_probe_socket(int family);

/* Milliseconds since the attempt began. */
uint32_t sl_probe_elapsed_ms(const struct sl_probe *probe);

/* Fills @ret for the end of an attempt; an empty @reason means success. */
void sl_probe_say(const struct sl_probe *probe, struct sl_probe_result *ret, const char *status,
		  const char *reason, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The same for a connection that failed with @error (a negative errno). */
void sl_probe_say_unconnected(const struct sl_probe *probe, struct sl_probe_result *ret, int error);

/*
 * The attempt is over and its memory gone (probe->attempt is NULL): schedules
 * the next and reports. The caller must not touch the probe afterwards, it may
 * have been stopped.
 */
void sl_probe_finish(struct sl_probe *probe, const struct sl_probe_result *result);

#endif
