/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_BASE_PREFIX_H
#define LB_USER_BASE_PREFIX_H

/* prefix: the addresses that begin with the same bits, as a value (RFC 4632, RFC 4291). */
#include "lb_user/base/addr.h"

#define SL_PREFIX_STRLEN (SL_ADDR_STRLEN + 4)

struct sl_prefix {
	struct sl_addr addr; /* bits below len are 0; family 0: no prefix */
	uint8_t len;	     /* 0..32 or 0..128 */
};

/*
 * "192.0.2.0/24"; an address alone is a prefix of its full length. -EINVAL:
 * not a prefix; -ERANGE: bits are set behind it ("192.0.2.1/24"), and *@ret is
 * the one that was perhaps meant. Else 0; @ret is written in these two cases.
 */
int sl_prefix_parse(const char *text, struct sl_prefix *ret);

/* Always with the length: "192.0.2.1/32". Returns @buf. */
const char *sl_prefix_format(const struct sl_prefix *p, char buf[SL_PREFIX_STRLEN]);

bool sl_prefix_equal(const struct sl_prefix *a, const struct sl_prefix *b);
/* For sorting: IPv4 first, by address, shorter ones first; 0 if equal. */
int sl_prefix_order(const struct sl_prefix *a, const struct sl_prefix *b);
bool sl_prefix_covers(const struct sl_prefix *p, const struct sl_addr *addr);

#endif
