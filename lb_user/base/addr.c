/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static bool is_mapped(const uint8_t byte_be[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(byte_be, mapped, sizeof(mapped));
}

int sl_addr_parse(const char *text, struct sl_addr *ret)
{
	struct sl_addr a = { 0 };

	if (!text)
		return -EINVAL;
	if (inet_pton(AF_INET, text, a.byte_be) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, text, a.byte_be) == 1 && !is_mapped(a.byte_be))
		a.family = AF_INET6;
	else
		return -EINVAL;
	*ret = a;
	return 0;
}

/*
 * Own code for IPv6, since inet_ntop writes ::1:2 as ::0.1.0.2, which RFC 5952
 * keeps for prefixes known to embed IPv4.
 */
static void format6(const uint8_t b[16], char buf[SL_ADDR_STRLEN])
{
	int at = -1, len = 1, i, run; /* the first longest run of at least two zero groups */
	size_t used = 0;

	for (i = 0; i < 8; i += run + 1) {
		for (run = 0; i + run < 8 && !b[2 * (i + run)] && !b[2 * (i + run) + 1]; run++)
			;
		if (run > len) {
			at = i;
			len = run;
		}
	}
	buf[0] = 0;
	for (i = 0; i < 8; i++) {
		if (i == at) {
			used += (size_t)snprintf(buf + used, SL_ADDR_STRLEN - used, "::");
			i += len - 1;
			continue;
		}
		used += (size_t)snprintf(buf + used, SL_ADDR_STRLEN - used, "%s%x",
					 i && buf[used - 1] != ':' ? ":" : "",
					 (unsigned)(b[2 * i] << 8 | b[2 * i + 1]));
	}
}

const char *sl_addr_format(const struct sl_addr *addr, char buf[SL_ADDR_STRLEN])
{
	const uint8_t *b = addr->byte_be;

	buf[0] = 0;
	if (addr->family == AF_INET)
		snprintf(buf, SL_ADDR_STRLEN, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	else if (addr->family == AF_INET6)
		format6(b, buf);
	return buf;
}

bool sl_addr_equal(const struct sl_addr *a, const struct sl_addr *b)
{
	return a->family == b->family && !memcmp(a->byte_be, b->byte_be, sizeof(a->byte_be));
}

bool sl_addr_is_loopback(const struct sl_addr *a)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (a->family == AF_INET)
		return a->byte_be[0] == 127;
	return a->family == AF_INET6 && !memcmp(a->byte_be, loopback6, sizeof(loopback6));
}

bool sl_addr_is_multicast(const struct sl_addr *a)
{
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };

	if (a->family == AF_INET)
		return (a->byte_be[0] & 0xf0) == 0xe0 ||
		       !memcmp(a->byte_be, broadcast, sizeof(broadcast));
	return a->family == AF_INET6 && a->byte_be[0] == 0xff;
}

bool sl_addr_is_linklocal(const struct sl_addr *a)
{
	if (a->family == AF_INET)
		return a->byte_be[0] == 169 && a->byte_be[1] == 254;
	return a->family == AF_INET6 && a->byte_be[0] == 0xfe && (a->byte_be[1] & 0xc0) == 0x80;
}

bool sl_addr_is_unspecified(const struct sl_addr *a)
{
	static const uint8_t any[16];

	if (a->family == AF_INET)
		return a->byte_be[0] == 0;
	return a->family == AF_INET6 && !memcmp(a->byte_be, any, sizeof(any));
}

socklen_t sl_addr_sockaddr(const struct sl_addr *addr, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	memset(ret, 0, sizeof(*ret));
	switch (addr->family) {
	case AF_INET:
		memcpy(&sin.sin_addr, addr->byte_be, sizeof(sin.sin_addr));
		memcpy(ret, &sin, sizeof(sin));
		return sizeof(sin);
	case AF_INET6:
		memcpy(&sin6.sin6_addr, addr->byte_be, sizeof(sin6.sin6_addr));
		memcpy(ret, &sin6, sizeof(sin6));
		return sizeof(sin6);
	}
	return 0;
}
