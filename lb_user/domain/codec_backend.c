/* SPDX-License-Identifier: BSD-2-Clause */
/* codec_backend: a declared backend, and what may be asked of one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/domain/codec_internal.h"
#include "lb_user/domain/validate.h"

static const struct sl_word words_admin[] = {
	{ "ready", SL_ADMIN_READY },
	{ "drain", SL_ADMIN_DRAIN },
	{ "maint", SL_ADMIN_MAINT },
	{ NULL, 0 },
};

static const struct sl_word words_then[] = {
	{ "drain", SL_THEN_DRAIN },
	{ "maint", SL_THEN_MAINT },
	{ "delete", SL_THEN_DELETE },
	{ NULL, 0 },
};

const char *const sl_codec_readonly[] = { "status", "id", "revision", NULL };

void sl_codec_subject(const cJSON *node, const char *kind, const char *name_wanted, const char *of,
		      char buf[SL_SUBJECT_LEN])
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(node, "name");
	const char *name = name_wanted ? name_wanted : cJSON_GetStringValue(member);
	const char *link = of ? " of " : "";

	if (!of)
		of = "";
	if (sl_name_valid(name))
		snprintf(buf, SL_SUBJECT_LEN, "%s \"%s\"%s%s", kind, name, link, of);
	else
		snprintf(buf, SL_SUBJECT_LEN, "%s%s%s", kind, link, of);
}

static int refuse_name(const struct sl_at *at, const char *name, struct sl_err *err)
{
	return sl_at_fail(at, "name", -EINVAL, err, "name \"%.*s\" is not allowed; " SL_NAME_RULE,
			  sl_text_clip(name, 64), name);
}

int sl_codec_name(const struct sl_at *at, const char *name_wanted, char ret[SL_NAME_LEN],
		  struct sl_err *err)
{
	char name[SL_NAME_LEN];
	int r;

	if (name_wanted && !sl_name_valid(name_wanted))
		return refuse_name(at, name_wanted, err);
	if (!name_wanted) {
		r = sl_field_required(at, "name", err);
		if (r < 0)
			return r;
	}
	r = sl_field_text(at, "name", name, sizeof(name), err);
	if (r < 0)
		return r;
	if (!r)
		memcpy(name, name_wanted, strlen(name_wanted) + 1);
	if (!sl_name_valid(name))
		return refuse_name(at, name, err);
	if (name_wanted && strcmp(name, name_wanted))
		return sl_at_fail(at, "name", -EINVAL, err,
				  "name \"%s\" differs from \"%s\" in the URL; a name cannot be "
				  "changed",
				  name, name_wanted);
	memcpy(ret, name, sizeof(name));
	return 0;
}

/* RFC 3339 text; null where @nullable, read as 0. */
static int field_time(const struct sl_at *at, const char *key, bool nullable, int64_t *ret,
		      struct sl_err *err)
{
	char text[SL_CLOCK_STRLEN + 8];
	int64_t ms;
	int r;

	if (nullable && cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(at->node, key)))
		return 0;
	r = sl_field_text(at, key, text, sizeof(text), err);
	if (r <= 0)
		return r;
	if (sl_clock_parse(text, &ms) < 0 || ms < 0)
		return sl_at_fail(at, key, -EINVAL, err,
				  "%s \"%s\" is not a time; write it as "
				  "\"2026-11-23T15:48:28.123Z\"",
				  key, text);
	*ret = ms;
	return 1;
}

static int read_drain_state(const struct sl_at *at, struct sl_backend *b, struct sl_err *err)
{
	static const char *const known[] = { "since", "deadline", "then", NULL };
	struct sl_at drain;
	int then = b->drain_then, r;

	r = sl_field_inner(at, "drain", false, &drain, err);
	if (r <= 0)
		return r;
	if (b->admin != SL_ADMIN_DRAIN)
		return sl_at_fail(at, "drain", -EINVAL, err,
				  "drain is there although admin_state is \"%s\"; remove it",
				  sl_admin_name(b->admin));
	if ((r = sl_field_known(&drain, known, NULL, err)) < 0 ||
	    (r = field_time(&drain, "since", false, &b->drain_since_wall_ms, err)) < 0 ||
	    (r = field_time(&drain, "deadline", true, &b->drain_deadline_wall_ms, err)) < 0 ||
	    (r = sl_field_word(&drain, "then", words_then, &then, err)) < 0)
		return r;
	b->drain_then = (enum sl_drain_then)then;
	return 0;
}

static int field_admin(const struct sl_at *at, enum sl_admin *ret, struct sl_err *err)
{
	int admin = 0;
	int r = sl_field_word(at, "admin_state", words_admin, &admin, err);

	if (r > 0)
		*ret = (enum sl_admin)admin;
	return r;
}

int sl_codec_backend(struct sl_at *at, const char *name_wanted, const struct sl_service *s,
		     struct sl_backend *ret, struct sl_err *err)
{
	static const char *const known[] = { "name",  "address", "port",	"forwarding",
					     "vlan",  "weight",	 "admin_state", "reason",
					     "drain", NULL };
	char subject[SL_SUBJECT_LEN];
	const char *of = at->subject;
	struct sl_backend b;
	int r;

	sl_codec_subject(at->node, "backend", name_wanted, of, subject);
	at->subject = subject;
	sl_backend_defaults(&b);
	b.port = s->port;
	if ((r = sl_field_object(at, err)) < 0 ||
	    (r = sl_field_known(at, known, sl_codec_readonly, err)) < 0 ||
	    (r = sl_codec_name(at, name_wanted, b.name, err)) < 0 ||
	    (r = sl_field_required(at, "address", err)) < 0 ||
	    (r = sl_field_addr(at, "address", &b.addr, err)) < 0 ||
	    (r = sl_field_u16(at, "port", 1, UINT16_MAX, &b.port, err)) < 0 ||
	    (r = sl_codec_backend_forwarding(at, &b, err)) < 0 ||
	    (r = sl_field_u16(at, "weight", 0, SL_WEIGHT_MAX, &b.weight, err)) < 0 ||
	    (r = field_admin(at, &b.admin, err)) < 0 ||
	    (r = sl_field_text(at, "reason", b.reason, sizeof(b.reason), err)) < 0 ||
	    (r = read_drain_state(at, &b, err)) < 0)
		goto out;
	sl_backend_inherit(&b, s);
	*ret = b;
	r = 0;
out:
	at->subject = of;
	return r;
}

int sl_codec_read_backend(const char *text, size_t len, const char *name_wanted,
			  const struct sl_service *s, struct sl_backend *ret, struct sl_err *err)
{
	char of[SL_SUBJECT_LEN];
	struct sl_at root = { .subject = of };
	cJSON *tree;
	int r;

	r = sl_json_parse(text, len, &tree, err);
	if (r < 0)
		return r;
	root.node = tree;
	snprintf(of, sizeof(of), "service \"%s\"", s->name);
	r = sl_codec_backend(&root, name_wanted, s, ret, err);
	cJSON_Delete(tree);
	return r;
}

/* Members that a backend has but PATCH leaves to PUT. */
static int refuse_put_only(const struct sl_at *at, struct sl_err *err)
{
	static const char *const keys[] = { "name", "address", "port", "forwarding",
					    "vlan", "drain",   NULL };
	size_t i;

	for (i = 0; keys[i]; i++)
		if (cJSON_GetObjectItemCaseSensitive(at->node, keys[i]))
			return sl_at_fail(at, keys[i], -ENOKEY, err,
					  "%s cannot be patched; replace the whole backend (PUT)",
					  keys[i]);
	return 0;
}

/* The subject of a request whose path names the backend. */
static void whose(const char *what, const char *service, const char *backend,
		  char buf[SL_SUBJECT_LEN])
{
	snprintf(buf, SL_SUBJECT_LEN, "%sbackend \"%.63s\" of service \"%.63s\"", what, backend,
		 service);
}

int sl_codec_read_patch(const char *text, size_t len, const char *service, const char *backend,
			struct sl_backend_patch *ret, struct sl_err *err)
{
	static const char *const known[] = { "weight", "admin_state", "reason", NULL };
	struct sl_backend_patch p = { 0 };
	char subject[SL_SUBJECT_LEN];
	struct sl_at root = { .subject = subject };
	int weight, admin, reason, r;
	cJSON *tree;

	r = sl_json_parse(text, len, &tree, err);
	if (r < 0)
		return r;
	root.node = tree;
	whose("", service, backend, subject);
	if ((r = sl_field_object(&root, err)) < 0 || (r = refuse_put_only(&root, err)) < 0 ||
	    (r = sl_field_known(&root, known, sl_codec_readonly, err)) < 0 ||
	    (r = weight = sl_field_u16(&root, "weight", 0, SL_WEIGHT_MAX, &p.weight, err)) < 0 ||
	    (r = admin = field_admin(&root, &p.admin, err)) < 0 ||
	    (r = reason = sl_field_text(&root, "reason", p.reason, sizeof(p.reason), err)) < 0)
		goto out;
	p.has_weight = weight;
	p.has_admin = admin;
	p.has_reason = reason;
	*ret = p;
	r = 0;
out:
	cJSON_Delete(tree);
	return r;
}

int sl_codec_read_drain(const char *text, size_t len, const char *service, const char *backend,
			struct sl_drain_request *ret, struct sl_err *err)
{
	static const char *const known[] = { "timeout_s", "then", "reason", NULL };
	struct sl_drain_request q = { .then = SL_THEN_DRAIN };
	char subject[SL_SUBJECT_LEN];
	struct sl_at root = { .subject = subject };
	int timeout, then = SL_THEN_DRAIN, r;
	cJSON *tree;

	if (!len) {
		*ret = q;
		return 0;
	}
	r = sl_json_parse(text, len, &tree, err);
	if (r < 0)
		return r;
	root.node = tree;
	whose("drain of ", service, backend, subject);
	if ((r = sl_field_object(&root, err)) < 0 ||
	    (r = sl_field_known(&root, known, NULL, err)) < 0 ||
	    (r = timeout = sl_field_u32(&root, "timeout_s", &q.timeout_s, err)) < 0 ||
	    (r = sl_field_word(&root, "then", words_then, &then, err)) < 0 ||
	    (r = sl_field_text(&root, "reason", q.reason, sizeof(q.reason), err)) < 0)
		goto out;
	q.has_timeout = timeout;
	q.then = (enum sl_drain_then)then;
	*ret = q;
	r = 0;
out:
	cJSON_Delete(tree);
	return r;
}
