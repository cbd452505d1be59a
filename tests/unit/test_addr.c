/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lb_user/base/addr.h"

Test(addr, canonical_text)
{
	static const struct {
		const char *in, *out;
		int family;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", AF_INET },
		{ "0.0.0.0", "0.0.0.0", AF_INET },
		{ "255.255.255.255", "255.255.255.255", AF_INET },
		{ "::", "::", AF_INET6 },
		{ "::1", "::1", AF_INET6 },
		{ "1::", "1::", AF_INET6 },
		{ "2001:DB8::A", "2001:db8::a", AF_INET6 },
		{ "2001:0db8:0:0:0:0:0:0001", "2001:db8::1", AF_INET6 },
		/* RFC 5952: a single zero group stays, the longest run goes, of equals the first */
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", AF_INET6 },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1", AF_INET6 },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", AF_INET6 },
		{ "0:0:1:2:3:4:0:0", "::1:2:3:4:0:0", AF_INET6 },
		{ "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::", AF_INET6 },
		{ "::1:2", "::1:2", AF_INET6 },
		{ "::192.0.2.1", "::c000:201", AF_INET6 },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AF_INET6 },
	};
	char buf[SL_ADDR_STRLEN];
	struct sl_addr a, b;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(sl_addr_parse(rows[i].in, &a), 0, "%s", rows[i].in);
		cr_assert_eq(a.family, rows[i].family, "%s", rows[i].in);
		cr_assert_eq(sl_addr_format(&a, buf), buf);
		cr_assert_str_eq(buf, rows[i].out, "%s gave %s", rows[i].in, buf);
		cr_assert_eq(sl_addr_parse(buf, &b), 0, "%s", buf);
		cr_assert(sl_addr_equal(&a, &b), "%s", buf);
	}
}

Test(addr, refused_text_leaves_the_output_alone)
{
	static const char *const rows[] = {
		"",
		" ",
		"192.0.2",
		"192.0.2.1.",
		"192.0.2.256",
		"192.0.2.01",
		"0300.0.2.1",
		"0xc0.0.2.1",
		"3221225985",
		"192.0.2.1/32",
		"192.0.2.1:80",
		" 192.0.2.1",
		"192.0.2.1 ",
		"localhost",
		"fe80::1%eth0",
		"[::1]",
		"::ffff:192.0.2.1",
		"::ffff:c000:201",
		"0:0:0:0:0:ffff:1:2",
		":::",
		"1::2::3",
		"12345::",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"192.0.2.-1",
		"g::",
	};
	struct sl_addr a, before;
	size_t i;

	memset(&before, 0x5a, sizeof(before));
	a = before;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(sl_addr_parse(rows[i], &a), -EINVAL, "\"%s\"", rows[i]);
		cr_assert(!memcmp(&a, &before, sizeof(a)), "\"%s\"", rows[i]);
	}
	cr_assert_eq(sl_addr_parse(NULL, &a), -EINVAL);
}

Test(addr, random_ipv6_agrees_with_inet_pton)
{
	uint64_t x = 0x9e3779b97f4a7c15ull;
	char buf[SL_ADDR_STRLEN];
	struct sl_addr a, b;
	uint8_t raw[16];
	int i, k;

	for (i = 0; i < 20000; i++) {
		memset(&a, 0, sizeof(a));
		a.family = AF_INET6;
		for (k = 0; k < 16; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			/* many zero groups, or runs are never met */
			a.byte_be[k] = x >> 60 < 11 ? 0 : (uint8_t)(x >> 32);
		}
		sl_addr_format(&a, buf);
		cr_assert_eq(inet_pton(AF_INET6, buf, raw), 1, "%s", buf);
		cr_assert(!memcmp(raw, a.byte_be, 16), "%s", buf);
		if (sl_addr_parse(buf, &b) == 0)
			cr_assert(sl_addr_equal(&a, &b), "%s", buf);
	}
}

Test(addr, none_has_no_text_and_no_socket_address)
{
	struct sl_addr none = { 0 };
	struct sockaddr_storage ss;
	char buf[SL_ADDR_STRLEN] = "x";

	cr_assert_str_eq(sl_addr_format(&none, buf), "");
	cr_assert_eq(sl_addr_sockaddr(&none, 80, &ss), 0);
	cr_assert_eq(ss.ss_family, AF_UNSPEC);
	cr_assert_not(sl_addr_is_unspecified(&none));
}

Test(addr, families_are_never_equal)
{
	struct sl_addr any4, any6;

	cr_assert_eq(sl_addr_parse("0.0.0.0", &any4), 0);
	cr_assert_eq(sl_addr_parse("::", &any6), 0);
	cr_assert_not(sl_addr_equal(&any4, &any6));
	cr_assert(sl_addr_equal(&any4, &any4));
}

Test(addr, kinds)
{
	enum { LOOP = 1, MULTI = 2, LINK = 4, ANY = 8 };
	static const struct {
		const char *text;
		int kind;
	} rows[] = {
		{ "127.0.0.1", LOOP },
		{ "127.255.255.255", LOOP },
		{ "126.255.255.255", 0 },
		{ "128.0.0.0", 0 },
		{ "::1", LOOP },
		{ "::2", 0 },
		{ "224.0.0.1", MULTI },
		{ "239.255.255.255", MULTI },
		{ "223.255.255.255", 0 },
		{ "240.0.0.1", 0 },
		{ "255.255.255.255", MULTI },
		{ "255.255.255.254", 0 },
		{ "ff02::1", MULTI },
		{ "fe00::", 0 },
		{ "169.254.0.1", LINK },
		{ "169.253.0.1", 0 },
		{ "fe80::1", LINK },
		{ "febf::1", LINK },
		{ "fec0::1", 0 },
		{ "0.0.0.0", ANY },
		{ "0.1.2.3", ANY },
		{ "1.0.0.0", 0 },
		{ "::", ANY },
		{ "192.0.2.1", 0 },
		{ "2001:db8::1", 0 },
	};
	struct sl_addr a;
	size_t i;
	int kind;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(sl_addr_parse(rows[i].text, &a), 0, "%s", rows[i].text);
		kind = (sl_addr_is_loopback(&a) ? LOOP : 0) |
		       (sl_addr_is_multicast(&a) ? MULTI : 0) |
		       (sl_addr_is_linklocal(&a) ? LINK : 0) |
		       (sl_addr_is_unspecified(&a) ? ANY : 0);
		cr_assert_eq(kind, rows[i].kind, "%s: %d", rows[i].text, kind);
	}
}

Test(addr, socket_addresses)
{
	struct sockaddr_storage ss;
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;
	struct sl_addr a;

	cr_assert_eq(sl_addr_parse("192.0.2.7", &a), 0);
	cr_assert_eq(sl_addr_sockaddr(&a, 8080, &ss), sizeof(sin));
	memcpy(&sin, &ss, sizeof(sin));
	cr_assert_eq(sin.sin_family, AF_INET);
	cr_assert_eq(sin.sin_port, htons(8080));
	cr_assert_eq(sin.sin_addr.s_addr, htonl(0xc0000207));

	cr_assert_eq(sl_addr_parse("2001:db8::7", &a), 0);
	cr_assert_eq(sl_addr_sockaddr(&a, 443, &ss), sizeof(sin6));
	memcpy(&sin6, &ss, sizeof(sin6));
	cr_assert_eq(sin6.sin6_family, AF_INET6);
	cr_assert_eq(sin6.sin6_port, htons(443));
	cr_assert_eq(sin6.sin6_scope_id, 0);
	cr_assert(!memcmp(&sin6.sin6_addr, a.byte_be, 16));
}
