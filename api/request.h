/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef API_REQUEST_H
#define API_REQUEST_H

/*
 * request: what a client asked for, as plain data, and the reasons to refuse it
 * before anybody looks at what it means: framing that two parsers could read
 * differently, a foreign Host or Origin, a body too large. Knows no HTTP
 * library: the server feeds it target, method, headers and body as they come.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_BODY_MAX	(1u << 20)
#define SL_TARGET_MAX	1024u /* path and query together */
#define SL_SEGMENTS_MAX 8u
#define SL_QUERIES_MAX	8u
#define SL_HOST_LEN	256u

enum sl_method {
	SL_METHOD_GET,
	SL_METHOD_HEAD,
	SL_METHOD_POST,
	SL_METHOD_PUT,
	SL_METHOD_PATCH,
	SL_METHOD_DELETE,
	SL_METHOD_OPTIONS,
	SL_METHOD_OTHER,
};
#define SL_METHODS 8u

enum sl_media { SL_MEDIA_NONE, SL_MEDIA_JSON, SL_MEDIA_MERGE_PATCH, SL_MEDIA_OTHER };

/* Why not; status 0: no objection. All text is static. */
struct sl_refusal {
	unsigned status;
	const char *code;
	const char *detail;
};

struct sl_query {
	const char *name, *value; /* decoded; value "" when there is no '=' */
};

struct sl_request {
	enum sl_method method;
	bool over_tcp;
	bool asterisk; /* the target of "OPTIONS *" */
	struct sl_refusal refusal;

	const char *segment[SL_SEGMENTS_MAX]; /* of the path, decoded once, printable ASCII */
	size_t n_segments;		      /* more than the maximum: SL_SEGMENTS_MAX + 1 */
	struct sl_query query[SL_QUERIES_MAX];
	size_t n_queries;
	char text[2 * SL_TARGET_MAX]; /* what segments and queries point into */
	size_t text_len;

	enum sl_media media;
	unsigned n_hosts, n_lengths, n_encodings, n_types;
	uint64_t length; /* by Content-Length */
	bool bad_header, bad_length, bad_encoding, cross_site, has_origin;
	char host[SL_HOST_LEN], origin[SL_HOST_LEN];

	char *body; /* not terminated */
	size_t body_len, body_room;
};

void sl_request_init(struct sl_request *r, bool over_tcp);
void sl_request_done(struct sl_request *r);

/* @target as it came, undecoded; NULL: there was none. */
void sl_request_target(struct sl_request *r, const char *target);
void sl_request_method(struct sl_request *r, const char *method);
void sl_request_header(struct sl_request *r, const char *name, const char *value);

/*
 * After the last header. True: go on and take the body. False: the refusal must
 * be answered at once and the connection closed, the body is not to be trusted.
 */
bool sl_request_admit(struct sl_request *r);

/* Keeps a piece of the body, or drops it when the request is refused anyhow. */
void sl_request_body(struct sl_request *r, const char *data, size_t len);

/* NULL if there is none of that name. */
const char *sl_request_query(const struct sl_request *r, const char *name);

bool sl_method_writes(enum sl_method m);
const char *sl_method_name(enum sl_method m);

#endif
