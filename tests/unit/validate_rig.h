/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_VALIDATE_RIG_H
#define TESTS_UNIT_VALIDATE_RIG_H

/* validate_rig: services and backends to be judged, and what is said of them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/validate.h"

static inline struct sl_addr addr(const char *text)
{
	struct sl_addr a = { 0 };

	cr_assert(!*text || sl_addr_parse(text, &a) == 0, "%s", text);
	return a;
}

static inline struct sl_backend backend(const char *name, const char *address)
{
	struct sl_backend b;

	sl_backend_defaults(&b);
	snprintf(b.name, sizeof(b.name), "%s", name);
	b.addr = addr(address);
	return b;
}

static inline struct sl_service service(const char *name, const char *address, uint16_t port)
{
	struct sl_service s;

	sl_service_defaults(&s);
	snprintf(s.name, sizeof(s.name), "%s", name);
	s.addr = addr(address);
	s.port = port;
	return s;
}

static inline void add(struct sl_service *s, const char *name, const char *address)
{
	struct sl_backend b = backend(name, address);

	cr_assert_eq(sl_service_add(s, &b), 0);
}

static inline void expect(int r, const struct sl_err *e, int code, const char *slug,
			  const char *pointer, const char *word)
{
	cr_assert_eq(r, code, "%d for %s: %s", r, pointer, e->detail);
	cr_assert_eq(e->code, code);
	cr_assert_str_eq(e->slug, slug);
	cr_assert_str_eq(e->pointer, pointer);
	cr_assert_not_null(strstr(e->detail, word), "\"%s\" is not in: %s", word, e->detail);
}

#define INVALID -EINVAL, "validation-failed"

#endif
