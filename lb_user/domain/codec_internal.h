/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_CODEC_INTERNAL_H
#define LB_USER_DOMAIN_CODEC_INTERNAL_H

/* codec_internal: what the files of the codec share. Nobody else includes it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "lb_user/base/err.h"
#include "lb_user/domain/codec.h"

#define SL_JSON_DEPTH_MAX	 16u
#define SL_JSON_NODES_MAX	 20000u	  /* of a request */
#define SL_JSON_NODES_MAX_CONFIG 4000000u /* of a whole configuration: 32767 backends fit */

/* ---- json_scan.c: grammar ------------------------------------------------ */

struct sl_json_fault {
	const char *why;
	size_t line, column; /* from 1; the column counts bytes */
};

/*
 * Whether @text is one JSON document (RFC 8259) and nothing else: cJSON takes
 * raw control characters, bad UTF-8, "01", "1." and trailing text, and cuts
 * strings at \u0000. Returns 0 or -EBADMSG.
 */
int sl_json_scan(const char *text, size_t len, size_t nodes_max, struct sl_json_fault *ret_fault);

/* ---- json.c -------------------------------------------------------------- */

/* sl_json_parse() with another bound. */
int sl_json_parse_bounded(const char *text, size_t len, size_t nodes_max, struct cJSON **ret,
			  struct sl_err *err);

/* ---- codec_field.c, codec_known.c: members of one object ------------------ */

/* Where we are in the document; a chain up to its root, on the stack. */
struct sl_at {
	const struct sl_at *up; /* NULL at the root */
	const char *key;	/* member of @up, or NULL: element @index of it */
	size_t index;
	const cJSON *node;
	const char *subject; /* what it describes, 'service "web"', for messages */
};

/* More than sl_err keeps, so that it is sl_err which cuts, between characters. */
#define SL_POINTER_ROOM 512

/* RFC 6901 pointer of member @key (NULL: of the place itself), cut if it is too long. */
void sl_at_pointer(const struct sl_at *at, const char *key, char *buf, size_t size);

/* Fills @err with the pointer of member @key and "subject: text". Returns @code. */
int sl_at_fail(const struct sl_at *at, const char *key, int code, struct sl_err *err,
	       const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* -EPROTO unless it is an object. */
int sl_field_object(const struct sl_at *at, struct sl_err *err);

/* -ENOKEY at the first member that is in none of the lists (@ignored may be NULL). */
int sl_field_known(const struct sl_at *at, const char *const known[], const char *const ignored[],
		   struct sl_err *err);

/* -EINVAL where member @key is missing. */
int sl_field_required(const struct sl_at *at, const char *key, struct sl_err *err);

/*
 * Each reads member @key, or leaves the output alone where it is absent.
 * Return 1 read, 0 absent, or -EPROTO, -EINVAL.
 */
int sl_field_text(const struct sl_at *at, const char *key, char *ret, size_t size,
		  struct sl_err *err);
int sl_field_number(const struct sl_at *at, const char *key, uint64_t min, uint64_t max,
		    uint64_t *ret, struct sl_err *err);
int sl_field_u16(const struct sl_at *at, const char *key, uint16_t min, uint16_t max, uint16_t *ret,
		 struct sl_err *err);
int sl_field_u32(const struct sl_at *at, const char *key, uint32_t *ret, struct sl_err *err);
int sl_field_addr(const struct sl_at *at, const char *key, struct sl_addr *ret, struct sl_err *err);
int sl_field_ms(const struct sl_at *at, const char *key, uint32_t *ret, struct sl_err *err);
int sl_field_s(const struct sl_at *at, const char *key, uint32_t *ret, struct sl_err *err);

/* An address alone is a prefix of its full length. */
int sl_field_prefix(const struct sl_at *at, const char *key, struct sl_prefix *ret,
		    struct sl_err *err);

struct sl_word {
	const char *word;
	int value;
};
/* One of @words, ended by a NULL word. */
int sl_field_word(const struct sl_at *at, const char *key, const struct sl_word *words, int *ret,
		  struct sl_err *err);

/* The member as an object or array: fills @ret, whose node is NULL where it is absent. */
int sl_field_inner(const struct sl_at *at, const char *key, bool array, struct sl_at *ret,
		   struct sl_err *err);

/* Bytes of @text up to @max, without cutting a UTF-8 character; for "%.*s". */
int sl_text_clip(const char *text, size_t max);

/* ---- codec_backend.c ----------------------------------------------------- */

/* 'backend "b1" of service "web"' */
#define SL_SUBJECT_LEN 192

/*
 * Names @node, which has not been read yet, in @buf: @kind, its name if it is a
 * good one, and @of (a subject, or NULL).
 */
void sl_codec_subject(const cJSON *node, const char *kind, const char *name_wanted, const char *of,
		      char buf[SL_SUBJECT_LEN]);

/* Member "name"; @name_wanted as in codec.h. */
int sl_codec_name(const struct sl_at *at, const char *name_wanted, char ret[SL_NAME_LEN],
		  struct sl_err *err);

/* @at->subject is set here. */
int sl_codec_backend(struct sl_at *at, const char *name_wanted, const struct sl_service *s,
		     struct sl_backend *ret, struct sl_err *err);

/* ---- codec_forward.c ----------------------------------------------------- */

/* Each reads members of @at, "forwarding" and the like. Return 0 or an error. */
int sl_codec_service_forwarding(const struct sl_at *at, struct sl_service *s, struct sl_err *err);
int sl_codec_backend_forwarding(const struct sl_at *at, struct sl_backend *b, struct sl_err *err);
int sl_codec_encapsulation(const struct sl_at *root, struct sl_encapsulation *ret,
			   struct sl_err *err);
/* ---- codec_guard.c --------------------------------------------------------- */

/* Member "guard" of a service; of a configuration: the lists, validated before they are sorted. */
int sl_codec_service_guard(const struct sl_at *at, struct sl_service_guard *ret,
			   struct sl_err *err);
int sl_codec_guard_lists(const struct sl_at *root, struct sl_guard_lists *ret, struct sl_err *err);
/* Add nothing where nothing is declared. False: no memory. */
bool sl_codec_add_service_guard(cJSON *to, const struct sl_service_guard *g);
bool sl_codec_add_guard_lists(cJSON *to, const struct sl_guard_lists *l);

/* Members that GET adds and PUT ignores. */
extern const char *const sl_codec_readonly[];

#endif
