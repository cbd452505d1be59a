/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be asked for in a trace and a capture, and what is said to the rest. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>

#include <sluice/events.h>
#include <sluice/reasons.h>

#include "lb_user/domain/codec_trace.h"

Test(codec_trace, an_empty_body_is_all_defaults)
{
	struct sl_trace_request t;
	struct sl_capture_request c;

	cr_assert_eq(sl_codec_read_trace("", 0, &t, NULL), 0);
	cr_assert_eq(t.kinds, SL_EV_ALL);
	cr_assert_eq(t.sample, 1);
	cr_assert_str_empty(t.service);
	cr_assert_eq(sl_codec_read_capture("{}", 2, &c, NULL), 0);
	cr_assert_eq(c.count, 100);
	cr_assert_eq(c.snap, 2048);
	cr_assert_eq(c.timeout_s, 60);
	cr_assert_eq(c.reason, 0);
	cr_assert_str_empty(c.service);
}

Test(codec_trace, every_member)
{
	static const char trace[] =
		"{\"kinds\":[\"drop\",\"eviction\"],\"sample\":1000000,\"service\":\"web\"}";
	static const char capture[] = "{\"service\":\"web\",\"reason\":\"tcp_bad\",\"count\":10000,"
				      "\"snap\":14,\"timeout_s\":3600}";
	struct sl_trace_request t;
	struct sl_capture_request c;
	struct sl_err e = { 0 };

	cr_assert_eq(sl_codec_read_trace(trace, strlen(trace), &t, &e), 0, "%s", e.detail);
	cr_assert_eq(t.kinds, SL_EV_DROP | SL_EV_EVICTION);
	cr_assert_eq(t.sample, 1000000);
	cr_assert_str_eq(t.service, "web");
	cr_assert_eq(sl_codec_read_capture(capture, strlen(capture), &c, &e), 0, "%s", e.detail);
	cr_assert_str_eq(c.service, "web");
	cr_assert_eq(c.reason, SL_R_TCP_BAD);
	cr_assert_eq(c.count, 10000);
	cr_assert_eq(c.snap, 14);
	cr_assert_eq(c.timeout_s, 3600);
}

Test(codec_trace, what_is_wrong_is_named)
{
	static const struct {
		bool capture;
		const char *text;
		int code;
		const char *pointer, *says;
	} rows[] = {
		{ false, "{\"kinds\":[]}", -EINVAL, "/kinds", "empty" },
		{ false, "{\"kinds\":[\"drops\"]}", -EINVAL, "/kinds", "\"drops\"" },
		{ false, "{\"kinds\":[3]}", -EPROTO, "/kinds", "words" },
		{ false, "{\"kinds\":\"drop\"}", -EPROTO, "/kinds", "" },
		{ false, "{\"sample\":0}", -EINVAL, "/sample", "" },
		{ false, "{\"sample\":1000001}", -EINVAL, "/sample", "" },
		{ false, "{\"sampel\":2}", -ENOKEY, "/sampel", "\"sample\"" },
		{ false, "[]", -EPROTO, "", "" },
		{ true, "{\"reason\":\"bad\"}", -EINVAL, "/reason", "\"bad\"" },
		{ true, "{\"reason\":\"next\"}", -EINVAL, "/reason", "\"next\"" },
		{ true, "{\"count\":0}", -EINVAL, "/count", "" },
		{ true, "{\"count\":10001}", -EINVAL, "/count", "" },
		{ true, "{\"count\":1.5}", -EINVAL, "/count", "" },
		{ true, "{\"snap\":13}", -EINVAL, "/snap", "" },
		{ true, "{\"snap\":2049}", -EINVAL, "/snap", "" },
		{ true, "{\"timeout_s\":0}", -EINVAL, "/timeout_s", "" },
		{ true, "{\"timeout_s\":3601}", -EINVAL, "/timeout_s", "" },
		{ true, "{\"timeout\":1}", -ENOKEY, "/timeout", "timeout_s" },
		{ true, "{", -EBADMSG, "", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sl_trace_request t = { .sample = 99 };
		struct sl_capture_request c = { .count = 99 };
		struct sl_err e = { 0 };
		size_t len = strlen(rows[i].text);
		int r = rows[i].capture ? sl_codec_read_capture(rows[i].text, len, &c, &e)
					: sl_codec_read_trace(rows[i].text, len, &t, &e);

		cr_expect_eq(r, rows[i].code, "%s: %d %s", rows[i].text, r, e.detail);
		cr_expect_str_eq(e.pointer, rows[i].pointer, "%s", rows[i].text);
		cr_expect(strstr(e.detail, rows[i].says), "%s: %s", rows[i].text, e.detail);
		cr_expect(t.sample == 99 && c.count == 99, "%s: written", rows[i].text);
	}
}

Test(codec_trace, names_of_numbers)
{
	cr_assert_str_eq(sl_reason_name(SL_R_SENT), "sent");
	cr_assert_str_eq(sl_reason_name(63), "");
	cr_assert_str_eq(sl_event_kind_name(SL_EV_RESCHEDULE), "reschedule");
	cr_assert_str_eq(sl_event_kind_name(SL_EV_RESCHEDULE | SL_EV_DROP), "");
}
