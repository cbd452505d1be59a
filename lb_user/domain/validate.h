/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_VALIDATE_H
#define LB_USER_DOMAIN_VALIDATE_H

/*
 * validate: whether a declaration makes sense, alone and beside the others.
 * Each returns 0 or a negative errno with @err naming the member (a JSON
 * pointer relative to the object) and the remedy:
 *   -EINVAL  "validation-failed"   a value out of range, an address of the wrong kind
 *   -EADDRINUSE "listener-conflict" two services on one address, port and protocol
 *   -EEXIST  "already-exists"      a name used twice
 */
#include "lb_user/base/err.h"
#include "lb_user/domain/model.h"

/* Names: 1..63 of [a-z0-9._-], first and last of [a-z0-9]. */
bool sl_name_valid(const char *name);

/* The same for people, to end a message with. */
#define SL_NAME_RULE \
	"use 1 to 63 of the characters a-z 0-9 . _ -, the first and last of them a-z or 0-9"

/* A backend of @s: of the service's address family unless a tunnel leads to it, not the VIP
 * itself, unicast, not loopback or unspecified, weight in range, port 0 or the service's. */
int sl_validate_backend(const struct sl_service *s, const struct sl_backend *b, struct sl_err *err);

/* The service's limits: rates and bursts that the packet path can tell apart (limits.h). */
int sl_validate_guard(const struct sl_service *s, struct sl_err *err);

/* No prefix twice, not more than SL_PREFIXES_MAX. Pointers: /allow/N, /deny/N. */
int sl_validate_lists(const struct sl_guard_lists *l, struct sl_err *err);

/* A service with all its backends: also that no two backends share an address. */
int sl_validate_service(const struct sl_service *s, struct sl_err *err);

/* @s against the others of @c; a service of the same name in @c is skipped (replacement).
 * No VIP may be a backend of any service and the other way round, and no VIP and no end of a
 * tunnel may lie in @c's encapsulation sources. */
int sl_validate_beside(const struct sl_config *c, const struct sl_service *s, struct sl_err *err);

/* All of the above, the interfaces, the sources of tunnels. Pointers start with /services/N,
 * /interfaces/N or /encapsulation. */
int sl_validate_config(const struct sl_config *c, struct sl_err *err);

#endif
