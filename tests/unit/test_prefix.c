/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>

#include "lb_user/base/prefix.h"

struct row {
	const char *text;
	int r;
	const char *is; /* canonical, where there is one */
};

static const struct row rows[] = {
	{ "192.0.2.0/24", 0, "192.0.2.0/24" },
	{ "192.0.2.1", 0, "192.0.2.1/32" },
	{ "0.0.0.0/0", 0, "0.0.0.0/0" },
	{ "192.0.2.128/25", 0, "192.0.2.128/25" },
	{ "192.0.2.1/24", -ERANGE, "192.0.2.0/24" },
	{ "192.0.2.129/25", -ERANGE, "192.0.2.128/25" },
	{ "2001:DB8::/32", 0, "2001:db8::/32" },
	{ "2001:db8::1", 0, "2001:db8::1/128" },
	{ "::/0", 0, "::/0" },
	{ "2001:db8::8000/113", 0, "2001:db8::8000/113" },
	{ "2001:db8::8001/113", -ERANGE, "2001:db8::8000/113" },
	{ "192.0.2.0/33", -EINVAL, NULL },
	{ "2001:db8::/129", -EINVAL, NULL },
	{ "192.0.2.0/", -EINVAL, NULL },
	{ "192.0.2.0/024", -EINVAL, NULL },
	{ "192.0.2.0/-1", -EINVAL, NULL },
	{ "192.0.2.0/+8", -EINVAL, NULL },
	{ "192.0.2.0/8 ", -EINVAL, NULL },
	{ "192.0.2.0/4294967320", -EINVAL, NULL },
	{ "192.0.2/24", -EINVAL, NULL },
	{ "/24", -EINVAL, NULL },
	{ "", -EINVAL, NULL },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000/1", -EINVAL, NULL },
};

Test(prefix, parse_and_format)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sl_prefix p = { .len = 77 };
		char buf[SL_PREFIX_STRLEN];
		int r = sl_prefix_parse(rows[i].text, &p);

		cr_expect_eq(r, rows[i].r, "%s: %d", rows[i].text, r);
		if (rows[i].is)
			cr_expect_str_eq(sl_prefix_format(&p, buf), rows[i].is);
		else
			cr_expect_eq(p.len, 77, "%s: written", rows[i].text);
	}
}

static bool covers(const char *prefix, const char *addr)
{
	struct sl_prefix p;
	struct sl_addr a;

	cr_assert_eq(sl_prefix_parse(prefix, &p), 0);
	cr_assert_eq(sl_addr_parse(addr, &a), 0);
	return sl_prefix_covers(&p, &a);
}

Test(prefix, covers)
{
	cr_expect(covers("192.0.2.0/24", "192.0.2.255"));
	cr_expect_not(covers("192.0.2.0/24", "192.0.3.0"));
	cr_expect(covers("0.0.0.0/0", "255.1.2.3"));
	cr_expect_not(covers("0.0.0.0/0", "::1"));
	cr_expect(covers("192.0.2.1/32", "192.0.2.1"));
	cr_expect_not(covers("192.0.2.1/32", "192.0.2.0"));
	cr_expect(covers("2001:db8:0:fffe::/63", "2001:db8:0:ffff::1"));
	cr_expect_not(covers("2001:db8:0:fffe::/63", "2001:db8:0:fffd::1"));
}
