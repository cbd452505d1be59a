/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_API_RIG_H
#define TESTS_UNIT_API_RIG_H

/* api_rig: the API over its socket, with a service "web" of two backends. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/http.h"

#define JSON "application/json"
#define WEB  "/api/v1/services/web"
#define B1   WEB "/backends/b1"

static struct sl_http h;

static inline void setup(void)
{
	sl_http_init(&h, NULL);
}

static inline void teardown(void)
{
	sl_http_done(&h);
}

static const char web[] =
	"{\"name\":\"web\",\"address\":\"192.0.2.10\",\"port\":443,\"protocol\":\"tcp\","
	"\"table\":{\"size\":251},\"health_check\":{\"type\":\"none\"},\"backends\":["
	"{\"name\":\"b1\",\"address\":\"198.51.100.1\"},"
	"{\"name\":\"b2\",\"address\":\"198.51.100.2\",\"weight\":50}]}";

static inline void make_web(void)
{
	cr_assert(eq(int, sl_http_ask(&h, "POST", "/api/v1/services", JSON, web), 201), "%s",
		  h.raw);
}

#define ASK(want, ...) cr_expect(eq(int, sl_http_ask(&h, __VA_ARGS__), want), "%s", h.raw)
#define HEADER(name, want) \
	cr_expect(eq(str, (char *)sl_http_header(&h, name), (char *)want), "%s", h.raw)
#define MEMBER(path, want) \
	cr_expect(eq(str, (char *)sl_http_member(&h, path), (char *)want), "%s", h.raw)

static inline bool has(const char *text)
{
	return strstr(h.raw, text) != NULL;
}

#endif
