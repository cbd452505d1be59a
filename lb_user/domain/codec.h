/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_CODEC_H
#define LB_USER_DOMAIN_CODEC_H

/*
 * codec: between JSON text and the model. Reading is strict: UTF-8, at most 16
 * deep and 20,000 nodes (a configuration: 4,000,000), nothing after the
 * document, no duplicate and no unknown member, integers as integers, durations
 * as "250ms", "2s", "5m", "1h".
 *
 * Reading returns 0 or
 *   -EBADMSG "invalid-json"      not JSON, too deep, bad UTF-8, a duplicate member
 *   -EPROTO  "wrong-type"        a member of the wrong JSON type
 *   -ENOKEY  "unknown-member"    a member that does not exist here
 *   -EINVAL  "validation-failed" a value that the member cannot hold, a missing member
 *   -ENOMEM
 * with the pointer of the member. Outputs are written only on success.
 * Read-only members (status, id, revision) are accepted and ignored in services
 * and backends, so that GET, edit, PUT works.
 *
 * Services and configurations have passed sl_validate_service() and
 * sl_validate_config() when they are returned (with their errors: -EEXIST,
 * -EADDRINUSE): before sorting, so that "/backends/2/address" is the third of
 * the document. What stands beside them, and a single backend, is for the
 * caller to validate.
 */
#include "lb_user/base/err.h"
#include "lb_user/domain/model.h"

struct cJSON;

/* The parse guard alone: text to a tree (cJSON_Delete frees it). */
int sl_json_parse(const char *text, size_t len, struct cJSON **ret, struct sl_err *err);

/*
 * @name_wanted: the name in the URL, or NULL. With it, a "name" member may be
 * left out and must agree; without it, it must be there (-EINVAL otherwise).
 */
int sl_codec_read_service(const char *text, size_t len, const char *name_wanted,
			  struct sl_service *ret, struct sl_err *err);

/* @s is the service it belongs to (whose port and forwarding are the defaults). */
int sl_codec_read_backend(const char *text, size_t len, const char *name_wanted,
			  const struct sl_service *s, struct sl_backend *ret, struct sl_err *err);

/* Members present in a PATCH (RFC 7396 for the members below; null is refused). */
struct sl_backend_patch {
	bool has_weight, has_admin, has_reason;
	uint16_t weight;
	enum sl_admin admin;
	char reason[SL_TEXT_LEN];
};
/* @service and @backend: as the URL names them, for messages. */
int sl_codec_read_patch(const char *text, size_t len, const char *service, const char *backend,
			struct sl_backend_patch *ret, struct sl_err *err);

/* Body of POST .../drain; an empty body (len 0) means all defaults. */
struct sl_drain_request {
	bool has_timeout;
	uint32_t timeout_s;	 /* 0: no deadline */
	enum sl_drain_then then; /* default SL_THEN_DRAIN */
	char reason[SL_TEXT_LEN];
};
int sl_codec_read_drain(const char *text, size_t len, const char *service, const char *backend,
			struct sl_drain_request *ret, struct sl_err *err);

/* A whole configuration: {"revision", "interfaces": [...], "encapsulation", "services": [...]}. */
int sl_codec_read_config(const char *text, size_t len, struct sl_config *ret, struct sl_err *err);

/*
 * Bodies of PUT .../guard: of the service @name, and {"allow": [...], "deny": [...]}. Validated;
 * the lists are in order.
 */
int sl_codec_read_service_guard(const char *text, size_t len, const struct sl_service *s,
				struct sl_service_guard *ret, struct sl_err *err);
int sl_codec_read_guard_lists(const char *text, size_t len, struct sl_guard_lists *ret,
			      struct sl_err *err);
/* Whole documents of the same, also of what is empty. NULL when memory is short. */
struct cJSON *sl_codec_write_service_guard(const struct sl_service_guard *g);
struct cJSON *sl_codec_write_guard_lists(const struct sl_guard_lists *l);

/*
 * Trees of the declared members, for the caller to add "status" to and print.
 * NULL when memory is short. A service's tree holds no "backends": callers add
 * them (sl_codec_write_config does).
 */
struct cJSON *sl_codec_write_service(const struct sl_service *s);
struct cJSON *sl_codec_write_backend(const struct sl_backend *b);

/* Pretty-printed text, newline at the end; free() it. Returns 0 or -ENOMEM. */
int sl_codec_write_config(const struct sl_config *c, char **ret_text, size_t *ret_len);

#endif
