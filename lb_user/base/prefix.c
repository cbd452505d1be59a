/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/base/prefix.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static uint8_t full_len(const struct sl_addr *a)
{
	return a->family == AF_INET ? 32 : 128;
}

/* Of byte @i of an address, the bits that belong to a prefix of @len bits. */
static uint8_t mask_at(uint8_t len, unsigned i)
{
	if (len >= 8 * (i + 1))
		return 0xff;
	return len <= 8 * i ? 0 : (uint8_t)(0xff00 >> (len - 8 * i));
}

/* Decimal, no sign, no leading zero. */
static int parse_len(const char *text, uint8_t max, uint8_t *ret)
{
	unsigned len = 0;

	if (!*text || (*text == '0' && text[1]))
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		len = len * 10 + (unsigned)(*text - '0');
		if (len > max)
			return -EINVAL;
	}
	*ret = (uint8_t)len;
	return 0;
}

int sl_prefix_parse(const char *text, struct sl_prefix *ret)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char addr[SL_ADDR_STRLEN];
	struct sl_prefix p;
	bool rest = false;

	if (n >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (sl_addr_parse(addr, &p.addr) < 0)
		return -EINVAL;
	p.len = full_len(&p.addr);
	if (slash && parse_len(slash + 1, p.len, &p.len) < 0)
		return -EINVAL;
	for (unsigned i = 0; i < sizeof(p.addr.byte_be); i++) {
		uint8_t kept = p.addr.byte_be[i] & mask_at(p.len, i);

		rest |= kept != p.addr.byte_be[i];
		p.addr.byte_be[i] = kept;
	}
	*ret = p;
	return rest ? -ERANGE : 0;
}

const char *sl_prefix_format(const struct sl_prefix *p, char buf[SL_PREFIX_STRLEN])
{
	char addr[SL_ADDR_STRLEN];

	snprintf(buf, SL_PREFIX_STRLEN, "%s/%u", sl_addr_format(&p->addr, addr), p->len);
	return buf;
}

bool sl_prefix_equal(const struct sl_prefix *a, const struct sl_prefix *b)
{
	return a->len == b->len && sl_addr_equal(&a->addr, &b->addr);
}

bool sl_prefix_covers(const struct sl_prefix *p, const struct sl_addr *addr)
{
	if (p->addr.family != addr->family)
		return false;
	for (unsigned i = 0; i < sizeof(addr->byte_be); i++)
		if ((addr->byte_be[i] & mask_at(p->len, i)) != p->addr.byte_be[i])
			return false;
	return true;
}

int sl_prefix_order(const struct sl_prefix *a, const struct sl_prefix *b)
{
	int order = (a->addr.family > b->addr.family) - (a->addr.family < b->addr.family);

	if (!order)
		order = memcmp(a->addr.byte_be, b->addr.byte_be, sizeof(a->addr.byte_be));
	return order ? order : (a->len > b->len) - (a->len < b->len);
}
