/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef API_REPLY_H
#define API_REPLY_H

/*
 * reply: what is answered, as plain data: status, headers, body. Builds the
 * JSON documents and the problem documents (RFC 9457), and is the one place
 * where an error of the floors below becomes an HTTP status.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/request.h"
#include "lb_user/base/err.h"

struct cJSON;

#define SL_HEADERS_MAX	  4u
#define SL_HEADER_ROOM	  192u /* "/api/v1/services/", two names of 63, "/backends/" */
#define SL_CONTENT_JSON	  "application/json"
#define SL_CONTENT_TEXT	  "text/plain; charset=utf-8"
#define SL_CONTENT_PCAPNG "application/x-pcapng"
#define SL_CONTENT_METRIC "text/plain; version=0.0.4; charset=utf-8"

struct sl_reply {
	unsigned status;
	const char *content_type; /* static; NULL: no body */
	char *body;		  /* malloc'd */
	size_t len;
	struct {
		const char *name; /* static */
		char value[SL_HEADER_ROOM];
	} header[SL_HEADERS_MAX];
	size_t n_headers;
	bool close;	/* the connection, after the answer */
	bool unloaded;	/* the data plane is gone: the agent is to exit once this is sent */
	bool no_memory; /* a member could not be added: the document is not whole */
};

void sl_reply_init(struct sl_reply *r);
void sl_reply_done(struct sl_reply *r);

/* @name is static. A value that does not fit is left out. */
void sl_reply_header(struct sl_reply *r, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- whole answers ---------------------------------------------------------- */

void sl_reply_empty(struct sl_reply *r, unsigned status);

/* Takes @body (malloc'd; NULL: memory was short). @content_type is static. */
void sl_reply_text(struct sl_reply *r, unsigned status, const char *content_type, char *body,
		   size_t len);

/* Takes @root. */
void sl_reply_json(struct sl_reply *r, unsigned status, struct cJSON *root);

void sl_reply_problem(struct sl_reply *r, unsigned status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void sl_reply_error(struct sl_reply *r, const struct sl_err *err);
void sl_reply_refuse(struct sl_reply *r, const struct sl_refusal *why);

/* ---- members of a document --------------------------------------------------- */

/*
 * Each adds to @to, an object (@name) or an array (@name NULL). What cannot be
 * added for want of memory is noted in @r and answered with 500 at the end, so
 * no caller has to check; NULL as @to is fine for the same reason.
 */
struct cJSON *sl_reply_new_object(struct sl_reply *r);
struct cJSON *sl_reply_object(struct sl_reply *r, struct cJSON *to, const char *name);
struct cJSON *sl_reply_array(struct sl_reply *r, struct cJSON *to, const char *name);
void sl_reply_attach(struct sl_reply *r, struct cJSON *to, const char *name, struct cJSON *item);
void sl_reply_str(struct sl_reply *r, struct cJSON *to, const char *name, const char *value);
void sl_reply_uint(struct sl_reply *r, struct cJSON *to, const char *name, uint64_t value);
void sl_reply_bool(struct sl_reply *r, struct cJSON *to, const char *name, bool value);
void sl_reply_null(struct sl_reply *r, struct cJSON *to, const char *name);
/* RFC 3339; null for 0 or less. */
void sl_reply_time(struct sl_reply *r, struct cJSON *to, const char *name, int64_t wall_ms);

#endif
