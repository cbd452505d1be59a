/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_VALIDATE_INTERNAL_H
#define LB_USER_DOMAIN_VALIDATE_INTERNAL_H

/* validate_internal: what the files of validate share. Nobody else includes it. */
#include "lb_user/domain/validate.h"

/* What makes @a unfit to exchange packets with, "a loopback address", or NULL. */
const char *sl_validate_unfit(const struct sl_addr *a);

/* ---- validate_forward.c: each returns 0 or -EINVAL ------------------------ */

/* The members of a service, and of a backend of it, that say how packets get there. */
int sl_validate_forwarding(const struct sl_service *s, struct sl_err *err);
int sl_validate_path(const struct sl_service *s, const struct sl_backend *b, struct sl_err *err);

int sl_validate_encapsulation(const struct sl_encapsulation *e, struct sl_err *err);

/* No address of @s, and none a tunnel leads to, is one tunnels come from. @prefix: of pointers. */
int sl_validate_sources(const struct sl_encapsulation *e, const struct sl_service *s,
			const char *prefix, struct sl_err *err);

#endif
