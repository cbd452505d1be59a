/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_trace: what the packet path tells of single packets: fields of events,
 * bytes before and after, filters, exact counts, a full ring, a deadline that
 * passes; and that it is silent, and packets fare the same, when nobody listens.
 */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/prog/fixture.h"
#include "tests/prog/pool.h"
#include "tests/prog/tap.h"

#define FAR	UINT64_MAX
#define CAPTURE 77u
#define KEPT	8u

/* What came through the ring since it was last emptied. */
static struct {
	unsigned n;
	struct sl_event event[KEPT];
	uint8_t bytes[KEPT][2 * SL_SNAP_MAX];
} got;

static struct sl_rig rig;
static struct sl_trace *want;

static void on_event(void *user, const struct sl_event *e)
{
	unsigned i = got.n++;

	(void)user;
	if (i >= KEPT)
		return;
	got.event[i] = *e;
	memcpy(got.bytes[i], e + 1, e->before_bytes + e->after_bytes);
}

static unsigned drain(void)
{
	unsigned before;

	got.n = 0;
	do { /* a reading is bounded */
		before = got.n;
		rig.dp->ops->events_read(rig.dp);
	} while (got.n != before);
	return got.n;
}

static void quiet(void)
{
	memset(want, 0, sizeof(*want));
	(void)drain();
}

static void listen_to(uint32_t kinds)
{
	quiet();
	want->kinds = kinds;
	want->sample = 1;
	want->until = FAR;
}

static void capture(int64_t count, uint32_t service, uint32_t reason, uint32_t snap)
{
	quiet();
	want->capture_service = service;
	want->capture_reason = reason;
	want->capture_snap = snap;
	want->capture_left = count;
	want->capture = CAPTURE;
	want->until = FAR;
}

static void run(const struct sl_packet *p, struct sl_rig_out *out)
{
	static struct sl_rig_out unused;

	sl_rig_run(&rig, p->byte, p->len, out ? out : &unused);
}

/* ---- events ----------------------------------------------------------------- */

static void silent(void)
{
	struct sl_packet syn = sl_fix_packet(SL_FIX_TCP4, SL_TCP_SYN);
	struct sl_packet bad = sl_fix_packet(SL_FIX_TCP6, SL_TCP_SYN | SL_TCP_FIN);

	quiet();
	want->kinds = SL_EV_ALL;
	want->capture = CAPTURE;
	want->capture_left = 10;
	want->capture_snap = 100;
	for (int i = 0; i < 100; i++) {
		run(&syn, NULL);
		run(&bad, NULL);
	}
	sl_tap(!drain() && !want->emitted && want->capture_left == 10,
	       "off: 200 packets, nothing is told", "%u records", got.n);
}

static void deadline(void)
{
	struct sl_packet syn = sl_fix_packet(SL_FIX_TCP4, SL_TCP_SYN);
	struct timespec pause = { 0, 10000000 };
	uint64_t now = 0, first;
	unsigned told = 0, late = 0;

	listen_to(SL_EV_ALL);
	rig.dp->ops->jiffies(rig.dp, &now);
	first = now;
	want->until = now + 20;
	while (now < first + 40) {
		run(&syn, NULL);
		if (drain()) {
			told++;
			late += now > first + 20;
		}
		nanosleep(&pause, NULL);
		rig.dp->ops->jiffies(rig.dp, &now);
	}
	sl_tap(told && !late, "a listener that is gone: telling ends by itself",
	       "told %u times, %u of them after the deadline", told, late);
}

/* What every event of the client's packets to service @id says. */
static const char *flow_differs(const struct sl_event *e, enum sl_fix id, const struct sl_packet *p)
{
	static char why[160];
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	int family = e->flags & SL_EVF_V6 ? AF_INET6 : AF_INET;

	inet_ntop(family, e->saddr_be, from, sizeof(from));
	inet_ntop(family, e->daddr_be, to, sizeof(to));
	if (!strcmp(from, p->is_v6 ? SL_FIX_CLIENT_V6 : SL_FIX_CLIENT_V4) &&
	    !strcmp(to, sl_fix_address(id)) && ntohs(e->sport_be) == 40000 &&
	    ntohs(e->dport_be) == sl_fix_port(id) && e->proto == p->proto && e->service == id &&
	    e->frame_bytes == p->len && e->cpu == rig.row && e->ifindex == SL_RIG_LO && e->time_ns)
		return NULL;
	snprintf(why, sizeof(why), "%s:%u > %s:%u proto %u service %u bytes %u cpu %u if %u", from,
		 ntohs(e->sport_be), to, ntohs(e->dport_be), e->proto, e->service, e->frame_bytes,
		 e->cpu, e->ifindex);
	return why;
}

static void new_flow(enum sl_fix id, const char *name)
{
	struct sl_packet p = sl_fix_packet(id, SL_TCP_SYN);
	const struct sl_event *e = got.event;
	const char *wrong;

	listen_to(SL_EV_ALL);
	memset(rig.mem->exceptions, 0, sizeof(*rig.mem->exceptions) * SL_EXC_SETS);
	run(&p, NULL);
	drain();
	wrong = flow_differs(e, id, &p);
	sl_tap(got.n == 1 && !wrong && e->kinds == SL_EV_NEW_FLOW && e->reason == SL_R_SENT &&
		       e->backend == sl_fix_backend(id) && (e->flags & SL_EVF_SENT) &&
		       e->sent_bytes == p.len && !e->capture && !e->before_bytes &&
		       !e->after_bytes && e->action == XDP_TX &&
		       e->tcp_flags == (p.proto == IPPROTO_TCP ? SL_TCP_SYN : 0),
	       name, "%u records, kinds %#x reason %u backend %u flags %#x: %s", got.n, e->kinds,
	       e->reason, e->backend, e->flags, wrong ? wrong : "");
}

static void drops(void)
{
	struct sl_packet_spec spec = sl_fix_spec(SL_FIX_TCP4, SL_TCP_SYN);
	struct sl_packet ack = sl_fix_packet(SL_FIX_TCP4, SL_TCP_ACK), p;
	const struct sl_event *e = got.event;
	const char *wrong;

	listen_to(SL_EV_ALL);
	run(&ack, NULL);
	sl_tap(!drain(), "an ordinary packet is no event", "%u records", got.n);
	p = sl_fix_packet(SL_FIX_TCP6, SL_TCP_SYN | SL_TCP_FIN);
	run(&p, NULL);
	drain();
	wrong = flow_differs(e, SL_FIX_TCP6, &p);
	sl_tap(got.n == 1 && !wrong && e->kinds == SL_EV_DROP && e->reason == SL_R_TCP_BAD &&
		       !(e->flags & SL_EVF_SENT) && !e->sent_bytes && !e->backend &&
		       e->action == XDP_DROP && e->tcp_flags == (SL_TCP_SYN | SL_TCP_FIN),
	       "drop: its reason, its service", "%u records, reason %u: %s", got.n, e->reason,
	       wrong ? wrong : "");
	spec.to = "192.0.2.99";
	p = sl_fix_build(&spec);
	run(&p, NULL);
	sl_tap(!drain(), "a packet that is passed is no event", "%u records", got.n);
}

static void filters(void)
{
	struct sl_packet a = sl_fix_packet(SL_FIX_TCP4, SL_TCP_SYN);
	struct sl_packet b = sl_fix_packet(SL_FIX_TCP6, SL_TCP_SYN);
	struct sl_packet bad = sl_fix_packet(SL_FIX_TCP6, SL_TCP_SYN | SL_TCP_FIN);
	unsigned n;

	listen_to(SL_EV_NEW_FLOW);
	run(&a, NULL);
	run(&bad, NULL);
	sl_tap(drain() == 1 && got.event->reason == SL_R_SENT, "kinds: one of two", "%u", got.n);
	listen_to(SL_EV_ALL);
	want->service = SL_FIX_TCP6;
	run(&a, NULL);
	run(&b, NULL);
	run(&bad, NULL);
	sl_tap(drain() == 2 && got.event->service == SL_FIX_TCP6, "one service: two of three", "%u",
	       got.n);
	listen_to(SL_EV_ALL);
	want->sample = 8;
	for (int i = 0; i < 8000; i++)
		run(&a, NULL);
	n = drain();
	sl_tap(n > 800 && n < 1200, "a sample of 1 in 8: about 1,000 of 8,000", "%u", n);
}

static void reschedule(struct sl_pool *pool)
{
	const struct sl_event *e = got.event;
	struct sl_pool_sent sent;
	uint64_t hash;

	sl_pool_reset(pool, SL_POOL_TCP, false);
	hash = sl_pool_flow(pool, 1);
	*sl_pool_slot(pool, hash) = SL_SLOT(SL_POOL_A, false, SL_POOL_A);
	sl_pool_state(pool, SL_POOL_A, SL_DP_DOWN);
	sl_pool_flags(pool, SL_TCP_ACK);
	listen_to(SL_EV_ALL);
	sent = sl_pool_send(pool);
	drain();
	sl_tap(got.n == 1 && e->kinds == SL_EV_RESCHEDULE && e->rescheduled_from == SL_POOL_A &&
		       e->backend == sent.backend && sent.backend >= SL_POOL_REST,
	       "reschedule: from whom, to whom", "%u records, kinds %#x from %u to %u", got.n,
	       e->kinds, e->rescheduled_from, e->backend);
}

static void eviction(struct sl_pool *pool)
{
	const struct sl_event *e = got.event;
	struct sl_pool_sent sent;
	uint64_t hash;

	sl_pool_reset(pool, SL_POOL_TCP, true);
	hash = sl_pool_flow(pool, 2);
	*sl_pool_slot(pool, hash) = SL_SLOT(SL_POOL_B, true, SL_POOL_A);
	rig.mem->services[pool->service].idle_ticks = SL_POOL_IDLE;
	for (unsigned way = 0; way < SL_EXC_WAYS; way++) /* other tags, the same set */
		sl_pool_remember(pool, hash ^ (uint64_t)(way + 1) << 40, way, SL_POOL_C, way != 5,
				 1);
	sl_pool_flags(pool, SL_TCP_SYN);
	listen_to(SL_EV_ALL);
	sent = sl_pool_send(pool);
	drain();
	sl_tap(got.n == 1 && e->kinds == (SL_EV_EVICTION | SL_EV_NEW_FLOW) &&
		       e->evicted == SL_POOL_C && e->backend == SL_POOL_B &&
		       sent.backend == SL_POOL_B,
	       "eviction: one record for what it and its flow did", "%u records, kinds %#x of %u",
	       got.n, e->kinds, e->evicted);
	run(&pool->packet, NULL);
	sl_tap(drain() == 1 && e->kinds == SL_EV_NEW_FLOW, "the next one evicts nobody",
	       "%u records, kinds %#x", got.n, e->kinds);
}

/* ---- captures --------------------------------------------------------------- */

static void before_and_after(enum sl_fix id, const char *name)
{
	struct sl_packet p = sl_fix_packet(id, SL_TCP_ACK);
	const struct sl_event *e = got.event;
	static struct sl_rig_out out;

	capture(1, 0, 0, SL_SNAP_MAX);
	run(&p, &out);
	drain();
	sl_tap(got.n == 1 && e->capture == CAPTURE && !e->kinds && e->before_bytes == p.len &&
		       e->after_bytes == out.len && e->sent_bytes == out.len &&
		       !memcmp(got.bytes[0], p.byte, p.len) &&
		       !memcmp(got.bytes[0] + p.len, out.byte, out.len) &&
		       memcmp(p.byte, out.byte, 12) != 0,
	       name, "%u records, %u and %u bytes of %u and %u", got.n, e->before_bytes,
	       e->after_bytes, p.len, out.len);
}

static void captures(void)
{
	struct sl_packet_spec spec = sl_fix_spec(SL_FIX_TCP4, SL_TCP_ACK);
	struct sl_packet tcp4 = sl_fix_packet(SL_FIX_TCP4, SL_TCP_ACK), p;
	struct sl_packet tcp6 = sl_fix_packet(SL_FIX_TCP6, SL_TCP_ACK);
	struct sl_packet bad = sl_fix_packet(SL_FIX_TCP4, SL_TCP_SYN | SL_TCP_FIN);
	const struct sl_event *e = got.event;

	capture(3, 0, 0, 100);
	for (int i = 0; i < 10; i++)
		run(&tcp4, NULL);
	sl_tap(drain() == 3 && want->emitted == 3 && want->capture_left == 0,
	       "3 of 10 packets, no more", "%u, left %lld", got.n, (long long)want->capture_left);

	capture(10, SL_FIX_TCP6, 0, 100);
	for (int i = 0; i < 4; i++) {
		run(&tcp4, NULL);
		run(&tcp6, NULL);
	}
	sl_tap(drain() == 4 && e->service == SL_FIX_TCP6 && want->capture_left == 6,
	       "of one service: 4 of 8", "%u", got.n);

	capture(10, SL_FIX_TCP4, SL_R_TCP_BAD, 100);
	run(&tcp4, NULL);
	run(&bad, NULL);
	run(&tcp6, NULL);
	sl_tap(drain() == 1 && e->reason == SL_R_TCP_BAD && e->before_bytes == bad.len &&
		       !e->after_bytes && !memcmp(got.bytes[0], bad.byte, bad.len),
	       "of one reason: a drop, as it came in", "%u records, reason %u, %u and %u bytes",
	       got.n, e->reason, e->before_bytes, e->after_bytes);

	capture(10, 0, SL_R_NOT_IP, 100);
	spec.ethertype = 0x0806;
	p = sl_fix_build(&spec);
	run(&p, NULL);
	sl_tap(drain() == 1 && e->reason == SL_R_NOT_IP && !e->service && !e->proto &&
		       !memcmp(got.bytes[0], p.byte, p.len) && e->action == XDP_PASS,
	       "what is passed can be captured too", "%u records, reason %u", got.n, e->reason);

	spec = sl_fix_spec(SL_FIX_TCP4, SL_TCP_ACK);
	spec.payload = 2500;
	p = sl_fix_build(&spec);
	capture(10, 0, 0, SL_SNAP_MAX);
	run(&p, NULL);
	sl_tap(drain() == 1 && e->before_bytes == SL_SNAP_MAX && e->after_bytes == SL_SNAP_MAX &&
		       e->frame_bytes == p.len && !memcmp(got.bytes[0], p.byte, SL_SNAP_MAX),
	       "a long frame: 2,048 bytes twice, and its length", "%u and %u of %u",
	       e->before_bytes, e->after_bytes, e->frame_bytes);
	capture(10, 0, 0, 14);
	run(&p, NULL);
	sl_tap(drain() == 1 && e->before_bytes == 14 && e->after_bytes == 14 &&
		       e->frame_bytes == p.len,
	       "as few bytes as are asked for", "%u and %u", e->before_bytes, e->after_bytes);
}

static void full_ring(void)
{
	struct sl_packet syn = sl_fix_packet(SL_FIX_TCP4, SL_TCP_SYN);
	struct sl_packet_spec spec = sl_fix_spec(SL_FIX_TCP4, SL_TCP_ACK);
	unsigned sent = SL_EVENTS_BYTES / sizeof(struct sl_event) + 100;
	struct sl_packet p;

	listen_to(SL_EV_ALL);
	for (unsigned i = 0; i < sent; i++)
		run(&syn, NULL);
	sl_tap(want->lost_events && want->emitted + want->lost_events == sent &&
		       drain() == want->emitted,
	       "a full ring: every event is told or counted as lost", "%llu told, %llu lost of %u",
	       (unsigned long long)want->emitted, (unsigned long long)want->lost_events, sent);

	spec.payload = 2500;
	p = sl_fix_build(&spec);
	capture(1000, 0, 0, SL_SNAP_MAX);
	for (unsigned i = 0; i < 600; i++)
		run(&p, NULL);
	sl_tap(want->lost_captures && want->emitted + want->lost_captures == 600 &&
		       want->capture_left == 1000 - (int64_t)want->emitted &&
		       drain() == want->emitted,
	       "what found no room does not count as captured", "%llu and %llu lost, %lld left",
	       (unsigned long long)want->emitted, (unsigned long long)want->lost_captures,
	       (long long)want->capture_left);
	run(&p, NULL);
	sl_tap(drain() == 1, "and it goes on once there is room", "%u", got.n);
}

int main(void)
{
	struct sl_err err = {};
	struct sl_pool pool;
	int fd;

	sl_rig_open(&rig);
	if (rig.dp->ops->specialise && rig.dp->ops->specialise(rig.dp, SL_FEAT_ALL, &err) < 0)
		sl_tap_bail("load with tracing", "%s", err.detail);
	rig.fd = sl_dp_program_fd(rig.dp);
	want = rig.mem->trace;
	if (rig.dp->ops->events_open(rig.dp, on_event, NULL, &fd, &err) < 0)
		sl_tap_bail("open the ring", "%s", err.detail);
	sl_fix_services(&rig);
	sl_fix_backends(&rig, SL_RIG_LO, 0);
	silent();
	deadline();
	new_flow(SL_FIX_TCP4, "new flow, IPv4 TCP");
	new_flow(SL_FIX_TCP6, "new flow, IPv6 TCP");
	new_flow(SL_FIX_FLOW4, "new flow, IPv4 UDP");
	new_flow(SL_FIX_FLOW6, "new flow, IPv6 UDP");
	drops();
	filters();
	before_and_after(SL_FIX_TCP4, "before and after, IPv4 TCP");
	before_and_after(SL_FIX_TCP6, "before and after, IPv6 TCP");
	before_and_after(SL_FIX_UDP4, "before and after, IPv4 UDP");
	before_and_after(SL_FIX_HASH6, "before and after, IPv6 UDP");
	captures();
	full_ring();
	sl_pool_open(&pool, &rig);
	reschedule(&pool);
	eviction(&pool);
	rig.dp->ops->events_close(rig.dp);
	sl_rig_close(&rig);
	return sl_tap_done();
}
