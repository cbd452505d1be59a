/* SPDX-License-Identifier: BSD-2-Clause */
/* Traces and captures over HTTP, with a data plane whose events the test makes up. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lib/http.h"

#define JSON	 "application/json"
#define TRACES	 "/api/v1/traces"
#define CAPTURES "/api/v1/captures"

static struct sl_http h;
static struct sl_trace *want;

static const char web[] = "{\"name\":\"%s\",\"address\":\"192.0.2.%u\",\"port\":443,"
			  "\"table\":{\"size\":251},\"health_check\":{\"type\":\"none\"},"
			  "\"backends\":[{\"name\":\"b1\",\"address\":\"198.51.100.1\"}]}";

static void make(const char *name, unsigned n)
{
	char body[512];

	snprintf(body, sizeof(body), web, name, n);
	cr_assert(eq(int, sl_http_ask(&h, "POST", "/api/v1/services", JSON, body), 201), "%s",
		  h.raw);
}

static void setup(void)
{
	sl_http_init(&h, NULL);
	make("web", 10);
	make("other", 11);
	want = h.fake->dp.mem.trace;
}

static void teardown(void)
{
	sl_http_done(&h);
}

TestSuite(traces, .init = setup, .fini = teardown);

#define ASK(status, ...) cr_expect(eq(int, sl_http_ask(&h, __VA_ARGS__), status), "%s", h.raw)
#define MEMBER(path, want_text) \
	cr_expect(eq(str, (char *)sl_http_member(&h, path), (char *)want_text), "%s", h.raw)

/* The id the data plane knows the service of 192.0.2.@n by. */
static uint16_t service_id(unsigned n)
{
	for (unsigned i = 0; i < SL_SVC4_BUCKETS; i++)
		for (unsigned w = 0; w < SL_SVC4_WAYS; w++) {
			uint64_t word = h.fake->dp.mem.svc4[i].word[w];

			if (word >> 32 == htonl(0xc0000200 + n) && (word >> 16 & 0xffff))
				return word & SL_SERVICE_MASK;
		}
	return 0;
}

static uint16_t backend_of(uint16_t service)
{
	for (uint16_t i = 1; i < 16; i++)
		if (h.fake->dp.mem.backends[i].service == service)
			return i;
	return 0;
}

static uint64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* A packet of client 203.0.113.9:1234, as the packet path tells of it. */
static struct sl_event event(unsigned n, uint8_t kinds)
{
	struct sl_event e = { .time_ns = mono_ns(),
			      .kinds = kinds,
			      .reason = SL_R_SENT,
			      .proto = 6,
			      .tcp_flags = 0x12,
			      .sport_be = htons(1234),
			      .dport_be = htons(443),
			      .service = service_id(n),
			      .frame_bytes = 74,
			      .ifindex = 3,
			      .cpu = 1 };

	e.backend = backend_of(e.service);
	e.saddr_be[0] = htonl(0xcb007109);
	e.daddr_be[0] = htonl(0xc0000200 + n);
	return e;
}

static void tell(const struct sl_event *e)
{
	if (h.fake->on_event)
		h.fake->on_event(h.fake->on_event_user, e);
}

/* Path of the trace or capture that was just made. */
static char *made(const char *of, const char *more)
{
	static char path[4][96];
	static unsigned i;
	char *to = path[i++ % 4];

	snprintf(to, 96, "%s/%s%s", of, sl_http_member(&h, "id"), more);
	return to;
}

Test(traces, off_until_asked_for_and_after)
{
	char *path;

	cr_expect(eq(u64, want->until, 0));
	cr_expect(zero(ptr, (void *)h.fake->on_event));
	ASK(201, "POST", TRACES, JSON, "{\"kinds\":[\"drop\"],\"sample\":4,\"service\":\"web\"}");
	cr_expect(eq(str, (char *)sl_http_header(&h, "Location"), made(TRACES, "")));
	path = made(TRACES, "");
	cr_expect(want->until > h.fake->jiffies && want->kinds == SL_EV_DROP && want->sample == 4);
	cr_expect(want->service == service_id(10) && !want->capture);
	cr_expect(h.fake->on_event != NULL);
	/* renewed while it lasts, about three seconds ahead of a clock of 256 a second */
	h.fake->jiffies += 256;
	sl_http_turn(&h, 300);
	cr_expect(want->until > h.fake->jiffies + 2 * 256 &&
		  want->until < h.fake->jiffies + 4 * 256);
	ASK(204, "DELETE", path, NULL, NULL);
	cr_expect(eq(u64, want->until, 0));
	cr_expect(eq(u32, want->kinds, 0));
	ASK(404, "DELETE", path, NULL, NULL);
	MEMBER("code", "not-found");
}

Test(traces, an_event_in_all_its_members)
{
	struct sl_event e;
	char *events, after[128];

	ASK(201, "POST", TRACES, NULL, NULL);
	events = made(TRACES, "/events");
	e = event(10, SL_EV_NEW_FLOW | SL_EV_EVICTION);
	e.evicted = e.backend;
	tell(&e);
	e = event(11, SL_EV_DROP);
	e.reason = SL_R_TCP_BAD;
	e.backend = 0;
	tell(&e);
	e.time_ns = 1; /* before anybody asked: a former agent's */
	tell(&e);
	ASK(200, "GET", events, NULL, NULL);
	MEMBER("events.0.number", "1");
	MEMBER("events.0.kinds", "[\"new_flow\",\"eviction\"]");
	MEMBER("events.0.reason", "sent");
	MEMBER("events.0.service", "web");
	MEMBER("events.0.backend", "b1");
	MEMBER("events.0.evicted", "b1");
	MEMBER("events.0.rescheduled_from", "null");
	MEMBER("events.0.protocol", "6");
	MEMBER("events.0.source", "203.0.113.9");
	MEMBER("events.0.source_port", "1234");
	MEMBER("events.0.destination", "192.0.2.10");
	MEMBER("events.0.destination_port", "443");
	MEMBER("events.0.tcp_flags", "SA");
	MEMBER("events.0.quoted", "false");
	MEMBER("events.0.frame_bytes", "74");
	MEMBER("events.0.ifindex", "3");
	MEMBER("events.0.cpu", "1");
	MEMBER("events.1.kinds", "[\"drop\"]");
	MEMBER("events.1.reason", "tcp_bad");
	MEMBER("events.1.service", "other");
	MEMBER("events.1.backend", "null");
	MEMBER("events.2", "(none)");
	MEMBER("lost", "0");
	snprintf(after, sizeof(after), "%s?after=1", events);
	ASK(200, "GET", after, NULL, NULL);
	MEMBER("events.0.number", "2");
	MEMBER("events.1", "(none)");
	want->lost_events = 5;
	snprintf(after, sizeof(after), "%s?after=2", events);
	ASK(200, "GET", after, NULL, NULL);
	MEMBER("events", "[]");
	MEMBER("lost", "5");
	snprintf(after, sizeof(after), "%s?after=x", events);
	ASK(400, "GET", after, NULL, NULL);
}

Test(traces, several_each_get_their_own)
{
	char *all, *web_only, *rare;
	struct sl_event a, b;

	ASK(201, "POST", TRACES, JSON, "{\"kinds\":[\"new_flow\"],\"service\":\"web\"}");
	web_only = made(TRACES, "/events");
	cr_expect(eq(u32, want->service, service_id(10)));
	ASK(201, "POST", TRACES, JSON, "{\"sample\":10}");
	rare = made(TRACES, "/events");
	cr_expect(eq(u32, want->service, 0));
	cr_expect(eq(u32, want->kinds, SL_EV_ALL));
	cr_expect(eq(u32, want->sample, 1));
	a = event(10, SL_EV_NEW_FLOW);
	b = event(11, SL_EV_DROP);
	for (int i = 0; i < 10; i++) {
		tell(&a);
		tell(&b);
	}
	ASK(200, "GET", web_only, NULL, NULL);
	MEMBER("events.9.number", "10");
	MEMBER("events.10", "(none)");
	ASK(200, "GET", rare, NULL, NULL);
	MEMBER("events.1.number", "2");
	MEMBER("events.2", "(none)");
	for (int i = 0; i < 6; i++)
		ASK(201, "POST", TRACES, NULL, NULL);
	all = made(TRACES, "");
	ASK(409, "POST", TRACES, NULL, NULL);
	MEMBER("code", "trace-busy");
	ASK(204, "DELETE", all, NULL, NULL);
	ASK(201, "POST", TRACES, NULL, NULL);
}

Test(traces, who_does_not_ask_loses_the_oldest)
{
	struct sl_event e = { 0 };
	char *events;

	ASK(201, "POST", TRACES, NULL, NULL);
	events = made(TRACES, "/events");
	e = event(10, SL_EV_NEW_FLOW);
	for (int i = 0; i < 4096 + 7; i++)
		tell(&e);
	ASK(200, "GET", events, NULL, NULL);
	MEMBER("events.0.number", "8");
	MEMBER("events.999.number", "1007");
	MEMBER("events.1000", "(none)");
	MEMBER("lost", "7");
}

Test(traces, what_is_refused)
{
	ASK(404, "POST", TRACES, JSON, "{\"service\":\"nobody\"}");
	MEMBER("errors.0.pointer", "/service");
	ASK(404, "POST", CAPTURES, JSON, "{\"service\":\"nobody\"}");
	ASK(422, "POST", CAPTURES, JSON, "{\"reason\":\"nothing\"}");
	ASK(422, "POST", CAPTURES, JSON, "{\"snap\":1}");
	ASK(415, "POST", CAPTURES, "text/plain", "{}");
	ASK(400, "POST", CAPTURES "?count=3", NULL, NULL);
	ASK(405, "GET", CAPTURES, NULL, NULL);
	ASK(404, "GET", CAPTURES "/7", NULL, NULL);
	ASK(404, "GET", CAPTURES "/web", NULL, NULL);
	ASK(404, "GET", TRACES "/99999999999999999999/events", NULL, NULL);
	cr_expect(eq(u64, want->until, 0));
	cr_expect(zero(ptr, (void *)h.fake->on_event));
}

/* With frames of 60 and 80 bytes behind it. */
static void tell_captured(uint32_t id)
{
	struct {
		struct sl_event e;
		uint8_t bytes[140];
	} r = { .e = event(10, 0) };

	r.e.capture = id;
	r.e.before_bytes = 60;
	r.e.after_bytes = 80;
	r.e.sent_bytes = 94;
	r.e.flags = SL_EVF_SENT;
	memset(r.bytes, 'B', 60);
	memset(r.bytes + 60, 'A', 80);
	tell(&r.e);
}

static bool body_has(const char *text)
{
	size_t len = h.len - (size_t)(h.body - h.raw);

	return memmem(h.body, len, text, strlen(text)) != NULL;
}

Test(traces, a_capture_from_beginning_to_end)
{
	char *path, *file, at[128];
	size_t head;
	uint32_t id;

	ASK(201, "POST", CAPTURES, JSON,
	    "{\"service\":\"web\",\"reason\":\"sent\",\"count\":2,\"snap\":100}");
	path = made(CAPTURES, "");
	file = made(CAPTURES, "/file");
	id = (uint32_t)strtoul(sl_http_member(&h, "id"), NULL, 10);
	head = strtoul(sl_http_member(&h, "bytes"), NULL, 10);
	MEMBER("state", "running");
	cr_expect(want->capture == id && want->capture_service == service_id(10) &&
		  want->capture_reason == SL_R_SENT && want->capture_snap == 100 &&
		  want->capture_left == 2 && want->until);
	ASK(409, "POST", CAPTURES, NULL, NULL);
	MEMBER("code", "trace-busy");
	tell_captured(id + 1); /* another one's, from before */
	tell_captured(id);
	ASK(200, "GET", path, NULL, NULL);
	MEMBER("packets", "1");
	MEMBER("state", "running");
	tell_captured(id);
	tell_captured(id);
	ASK(200, "GET", path, NULL, NULL);
	MEMBER("packets", "2");
	MEMBER("state", "complete");
	MEMBER("ended_by", "count");
	ASK(200, "GET", file, NULL, NULL);
	cr_expect(eq(str, (char *)sl_http_header(&h, "Content-Type"),
		     (char *)"application/x-pcapng"));
	cr_expect(body_has("\x0a\x0d\x0d\x0a") && body_has("before") && body_has("BBBB"));
	snprintf(at, sizeof(at), "%s?offset=%zu", file, head);
	ASK(200, "GET", at, NULL, NULL);
	cr_expect(body_has("AAAA") && !body_has("sluiced") &&
		  body_has("reason=sent service=web backend=b1"));
	snprintf(at, sizeof(at), "%s?offset=99999", file);
	ASK(422, "GET", at, NULL, NULL);
	snprintf(at, sizeof(at), "%s?offset=-1", file);
	ASK(400, "GET", at, NULL, NULL);
	ASK(204, "DELETE", path, NULL, NULL);
	ASK(404, "GET", path, NULL, NULL);
	sl_http_turn(&h, 300);
	cr_expect(eq(u64, want->until, 0));
}

Test(traces, a_capture_ends_by_time)
{
	char *path;

	ASK(201, "POST", CAPTURES, JSON, "{\"timeout_s\":1}");
	path = made(CAPTURES, "");
	sl_http_turn(&h, 1400);
	ASK(200, "GET", path, NULL, NULL);
	MEMBER("ended_by", "timeout");
	cr_expect(eq(u32, want->capture, 0));
	/* the next one takes its place */
	ASK(201, "POST", CAPTURES, NULL, NULL);
	ASK(404, "GET", path, NULL, NULL);
}

Test(traces, a_capture_is_ended_and_kept)
{
	char *path, keep[128];

	ASK(201, "POST", CAPTURES, JSON, "{\"service\":\"web\"}");
	path = made(CAPTURES, "");
	snprintf(keep, sizeof(keep), "%s?keep=yes", path);
	ASK(400, "DELETE", keep, NULL, NULL);
	snprintf(keep, sizeof(keep), "%s?keep=true", path);
	ASK(204, "DELETE", keep, NULL, NULL);
	ASK(200, "GET", path, NULL, NULL);
	MEMBER("ended_by", "request");
	ASK(204, "DELETE", path, NULL, NULL);
	ASK(201, "POST", CAPTURES, JSON, "{\"service\":\"web\"}");
	path = made(CAPTURES, "");
	ASK(204, "DELETE", "/api/v1/services/web", NULL, NULL);
	sl_http_turn(&h, 300);
	ASK(200, "GET", path, NULL, NULL);
	MEMBER("ended_by", "service");
}
