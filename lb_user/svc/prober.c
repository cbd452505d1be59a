/* SPDX-License-Identifier: BSD-2-Clause */

/* prober: when a probe is due, how long it may take, and whom to tell. */
#include "lb_user/svc/prober.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "lb_user/svc/probe.h"
#include "lb_user/svc/probe_curl.h"

/* A deadline noticed later than this means that the loop stood still. */
#define LATE_MS 10

struct sl_prober {
	uv_loop_t *loop;
	struct sl_probe_curl *curl;
};

static void on_due(uv_timer_t *timer);

/* The loop's clock, brought up to date: callbacks before us may have taken long. */
static uint64_t now_ms(uv_loop_t *loop)
{
	uv_update_time(loop);
	return uv_now(loop);
}

/* splitmix64 fills the state, xorshift64 moves it: enough to spread starts in time. */
static uint64_t rng_seed(const void *unique)
{
	uint64_t x;

	if (getrandom(&x, sizeof(x), GRND_NONBLOCK) != (ssize_t)sizeof(x))
		x = uv_hrtime() ^ (uint64_t)(uintptr_t)unique;
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	x ^= x >> 31;
	return x ? x : 1;
}

static uint64_t rng_next(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x >> 16; /* the low bits are the weaker ones */
}

/* An attempt that outlived its interval is followed by the next without a pause. */
static void schedule_next(struct sl_probe *probe)
{
	uint64_t interval = probe->check.interval_ms;
	uint64_t jitter = rng_next(&probe->rng) % (interval / 10 + 1);
	uint64_t due = probe->started_ms + interval - jitter;
	uint64_t now = now_ms(probe->loop);

	/* Fails only for a timer that is being closed or has no callback. */
	(void)uv_timer_start(&probe->timer, on_due, due > now ? due - now : 0, 0);
}

static void on_deadline(uv_timer_t *timer)
{
	struct sl_probe *probe = timer->data;
	struct sl_probe_result res;
	uint64_t now = now_ms(probe->loop), late;

	/*
	 * Timers run before sockets. When the agent itself was held up the
	 * answer may be waiting unread, and without this every backend would
	 * look dead at once: the time lost is given back, once.
	 */
	late = now > probe->deadline_ms ? now - probe->deadline_ms : 0;
	if (late > LATE_MS && !probe->excused) {
		probe->excused = true;
		if (late > probe->check.timeout_ms)
			late = probe->check.timeout_ms;
		probe->deadline_ms = now + late;
		(void)uv_timer_start(timer, on_deadline, late, 0); /* as in schedule_next */
		return;
	}
	probe->kind->expire(probe, &res);
	probe->kind->cancel(probe);
	sl_probe_finish(probe, &res);
}

static void on_due(uv_timer_t *timer)
{
	struct sl_probe *probe = timer->data;

	probe->started_ms = now_ms(probe->loop);
	probe->deadline_ms = probe->started_ms + probe->check.timeout_ms;
	probe->excused = false;
	(void)uv_timer_start(timer, on_deadline, probe->check.timeout_ms, 0); /* as above */
	probe->kind->start(probe);
}

void sl_probe_finish(struct sl_probe *probe, const struct sl_probe_result *result)
{
	schedule_next(probe);
	probe->fn(probe->user, result);
}

uint32_t sl_probe_elapsed_ms(const struct sl_probe *probe)
{
	return (uint32_t)(now_ms(probe->loop) - probe->started_ms);
}

int sl_probe_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

	return fd >= 0 ? fd : -errno;
}

void sl_probe_say(const struct sl_probe *probe, struct sl_probe_result *ret, const char *status,
		  const char *reason, const char *fmt, ...)
{
	va_list ap;

	*ret = (struct sl_probe_result){
		.success = !*reason,
		.duration_ms = sl_probe_elapsed_ms(probe),
		.reason = reason,
	};
	(void)snprintf(ret->status, sizeof(ret->status), "%s", status);
	va_start(ap, fmt);
	(void)vsnprintf(ret->message, sizeof(ret->message), fmt, ap); /* cut is fine */
	va_end(ap);
}

void sl_probe_say_unconnected(const struct sl_probe *probe, struct sl_probe_result *ret, int error)
{
	const char *status = "L4CON", *reason, *advice = "";
	char text[128];

	switch (-error) {
	case ECONNREFUSED:
	case ECONNRESET:
	case ECONNABORTED:
		reason = "target.connect_refused";
		break;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
		reason = "target.no_route";
		break;
	case ETIMEDOUT:
		status = "L4TOUT";
		reason = "target.timeout";
		break;
	case EMFILE:
	case ENFILE:
		advice = "; raise the agent's limit of open files (LimitNOFILE)";
		/* fall through */
	default:
		status = "SOCKERR";
		reason = "lb.internal";
	}
	sl_probe_say(probe, ret, status, reason, "connect to %s: %s%s", probe->target,
		     uv_strerror_r(error, text, sizeof(text)), advice);
}

int sl_prober_new(uv_loop_t *loop, struct sl_prober **ret)
{
	struct sl_prober *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->loop = loop;
	r = sl_probe_curl_new(loop, &p->curl);
	if (r < 0) {
		free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void sl_prober_free(struct sl_prober *p)
{
	if (!p)
		return;
	sl_probe_curl_free(p->curl);
	free(p);
}

static const struct sl_probe_kind *kind_of(enum sl_check_type type)
{
	switch (type) {
	case SL_CHECK_TCP:
		return &sl_probe_tcp;
	case SL_CHECK_HTTP:
		return &sl_probe_get;
	case SL_CHECK_NONE:
		break;
	}
	return NULL;
}

int sl_probe_start(struct sl_prober *p, const struct sl_check *check, const struct sl_addr *addr,
		   uint16_t port, sl_probe_fn fn, void *user, struct sl_probe **ret)
{
	const struct sl_probe_kind *kind = kind_of(check->type);
	struct sl_probe *probe;
	char text[SL_ADDR_STRLEN];
	int r;

	if (!kind || !port || !fn || !check->interval_ms || !check->timeout_ms ||
	    (addr->family != AF_INET && addr->family != AF_INET6))
		return -EINVAL;
	probe = calloc(1, sizeof(*probe));
	if (!probe)
		return -ENOMEM;
	probe->loop = p->loop;
	probe->kind = kind;
	probe->curl = p->curl;
	probe->fn = fn;
	probe->user = user;
	probe->check = *check;
	probe->addr = *addr;
	probe->port = port;
	probe->rng = rng_seed(probe);
	(void)snprintf(probe->target, sizeof(probe->target),
		       addr->family == AF_INET6 ? "[%s]:%u" : "%s:%u", sl_addr_format(addr, text),
		       (unsigned)port);
	r = uv_timer_init(p->loop, &probe->timer);
	if (r < 0) {
		free(probe);
		return r;
	}
	probe->timer.data = probe;
	(void)uv_timer_start(&probe->timer, on_due, 0, 0); /* as in schedule_next */
	*ret = probe;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void sl_probe_stop(struct sl_probe *probe)
{
	if (!probe)
		return;
	probe->kind->cancel(probe);
	uv_close((uv_handle_t *)&probe->timer, on_closed);
}
