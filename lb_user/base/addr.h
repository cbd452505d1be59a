/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_BASE_ADDR_H
#define LB_USER_BASE_ADDR_H

/* addr: an IPv4 or IPv6 address as a value. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define SL_ADDR_STRLEN 46 /* as INET6_ADDRSTRLEN */

struct sl_addr {
	uint16_t family;     /* AF_INET or AF_INET6; 0: none */
	uint8_t byte_be[16]; /* network order; IPv4 in the first four, the rest 0 */
};

/*
 * Strict numeric form (inet_pton): no names, no zone, no leading zeros, no
 * IPv4-mapped IPv6 (::ffff:a.b.c.d would be a second name of one address).
 * Returns 0 or -EINVAL; @ret is written only on success.
 */
int sl_addr_parse(const char *text, struct sl_addr *ret);

/* Canonical text (RFC 5952). Returns @buf. */
const char *sl_addr_format(const struct sl_addr *addr, char buf[SL_ADDR_STRLEN]);

bool sl_addr_equal(const struct sl_addr *a, const struct sl_addr *b);

bool sl_addr_is_loopback(const struct sl_addr *a);
bool sl_addr_is_multicast(const struct sl_addr *a);   /* also 255.255.255.255 */
bool sl_addr_is_linklocal(const struct sl_addr *a);   /* 169.254/16, fe80::/10 */
bool sl_addr_is_unspecified(const struct sl_addr *a); /* 0/8, :: */

/* A socket address; @port in host order. Returns its length. */
socklen_t sl_addr_sockaddr(const struct sl_addr *addr, uint16_t port, struct sockaddr_storage *ret);

#endif
