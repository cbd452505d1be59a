/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "lb_user/base/err.h"

Test(err, filled_and_returned)
{
	struct sl_err e;

	memset(&e, 0x5a, sizeof(e));
	cr_assert_eq(sl_err_set(&e, -EINVAL, "validation-failed", "port %d", 7), -EINVAL);
	cr_assert_eq(e.code, -EINVAL);
	cr_assert_str_eq(e.slug, "validation-failed");
	cr_assert_str_eq(e.pointer, "");
	cr_assert_str_eq(e.detail, "port 7");
	cr_assert_eq(sl_err_at(&e, -EPROTO, "wrong-type", "/port", "%s", "x"), -EPROTO);
	cr_assert_str_eq(e.pointer, "/port");
	cr_assert_str_eq(e.detail, "x");
}

Test(err, nobody_listens)
{
	cr_assert_eq(sl_err_set(NULL, -EIO, "a", "b"), -EIO);
	cr_assert_eq(sl_err_at(NULL, -EIO, "a", "/p", "b"), -EIO);
	sl_err_nest(NULL, "/x");
}

Test(err, may_quote_itself)
{
	struct sl_err e;

	sl_err_at(&e, -EIO, "dataplane-error", "/a", "map is full");
	sl_err_at(&e, e.code, e.slug, e.pointer, "service \"web\": %s", e.detail);
	cr_assert_str_eq(e.detail, "service \"web\": map is full");
	cr_assert_str_eq(e.slug, "dataplane-error");
	cr_assert_str_eq(e.pointer, "/a");
}

Test(err, nesting)
{
	struct sl_err e;

	sl_err_at(&e, -EINVAL, "validation-failed", "/weight", "x");
	sl_err_nest(&e, "/backends/2");
	sl_err_nest(&e, "/services/0");
	cr_assert_str_eq(e.pointer, "/services/0/backends/2/weight");
	sl_err_nest(&e, NULL);
	sl_err_nest(&e, "");
	cr_assert_str_eq(e.pointer, "/services/0/backends/2/weight");
}

/* Detail and pointer become JSON, which must be UTF-8: no character is cut in two. */
Test(err, long_text_is_cut_between_characters)
{
	char text[1200];
	struct sl_err e;
	size_t shift, i, len;

	for (shift = 0; shift < 4; shift++) {
		memset(text, 'a', shift);
		for (i = shift; i + 4 < sizeof(text); i += 4)
			memcpy(text + i, "\xf0\x9f\x90\x8c", 4);
		text[i] = 0;
		sl_err_at(&e, -EINVAL, text, text, "%s", text);
		len = strlen(e.detail);
		cr_assert(len < sizeof(e.detail) && len >= sizeof(e.detail) - 4);
		cr_assert_eq((len - shift) % 4, 0, "shift %zu: %zu", shift, len);
		cr_assert_eq((strlen(e.pointer) - shift) % 4, 0);
		cr_assert_eq((strlen(e.slug) - shift) % 4, 0);
		sl_err_nest(&e, text);
		len = strlen(e.pointer);
		cr_assert(len < sizeof(e.pointer));
		cr_assert_eq((len - shift) % 4, 0);
	}
	memset(text, 'x', sizeof(e.detail) - 1);
	text[sizeof(e.detail) - 1] = 0;
	sl_err_set(&e, -EINVAL, "a", "%s", text);
	cr_assert_str_eq(e.detail, text, "what fits exactly is not cut");
}
