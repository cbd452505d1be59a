/* SPDX-License-Identifier: BSD-2-Clause */
/* codec_guard: a service's limits, and the lists of prefixes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/codec_internal.h"
#include "lb_user/domain/validate.h"

/* ---- limits ------------------------------------------------------------------ */

/* The burst is what a second brings, unless it is given. */
static int read_rate(const struct sl_at *at, const char *per_s, const char *burst,
		     struct sl_rate *ret, struct sl_err *err)
{
	int r = sl_field_u32(at, per_s, &ret->per_s, err);

	if (r < 0)
		return r;
	ret->burst = ret->per_s;
	r = sl_field_u32(at, burst, &ret->burst, err);
	return r < 0 ? r : 0;
}

static int read_rates(const struct sl_at *at, const char *whose, struct sl_rates *ret,
		      struct sl_err *err)
{
	static const char *const known[] = { "flows_per_s", "flows_burst", "packets_per_s",
					     "packets_burst", NULL };
	struct sl_at inner;
	int r = sl_field_inner(at, whose, false, &inner, err);

	if (r <= 0)
		return r;
	if ((r = sl_field_known(&inner, known, NULL, err)) < 0 ||
	    (r = read_rate(&inner, "flows_per_s", "flows_burst", &ret->flows, err)) < 0)
		return r;
	return read_rate(&inner, "packets_per_s", "packets_burst", &ret->packets, err);
}

static int read_limits(const struct sl_at *at, struct sl_service_guard *ret, struct sl_err *err)
{
	static const char *const known[] = { "dry_run", "source", "network", "service", NULL };
	static const char *const ignored[] = { "status", NULL };
	struct sl_service_guard g = {};
	const cJSON *dry_run;
	int r;

	if ((r = sl_field_object(at, err)) < 0 ||
	    (r = sl_field_known(at, known, ignored, err)) < 0 ||
	    (r = read_rates(at, "source", &g.source, err)) < 0 ||
	    (r = read_rates(at, "network", &g.network, err)) < 0 ||
	    (r = read_rates(at, "service", &g.service, err)) < 0)
		return r;
	dry_run = cJSON_GetObjectItemCaseSensitive(at->node, "dry_run");
	if (dry_run && !cJSON_IsBool(dry_run))
		return sl_at_fail(at, "dry_run", -EPROTO, err, "dry_run must be true or false");
	g.dry_run = cJSON_IsTrue(dry_run);
	*ret = g;
	return 0;
}

int sl_codec_service_guard(const struct sl_at *at, struct sl_service_guard *ret, struct sl_err *err)
{
	struct sl_at inner;
	int r = sl_field_inner(at, "guard", false, &inner, err);

	return r <= 0 ? r : read_limits(&inner, ret, err);
}

int sl_codec_read_service_guard(const char *text, size_t len, const struct sl_service *s,
				struct sl_service_guard *ret, struct sl_err *err)
{
	char subject[SL_SUBJECT_LEN];
	struct sl_at root = { .subject = subject };
	struct sl_service probe = *s; /* its backends are not looked at */
	cJSON *tree;
	int r = sl_json_parse(text, len, &tree, err);

	if (r < 0)
		return r;
	snprintf(subject, sizeof(subject), "service \"%s\"", s->name);
	root.node = tree;
	r = read_limits(&root, &probe.guard, err);
	if (!r) {
		r = sl_validate_guard(&probe, err);
		/* the document is the guard itself */
		if (r < 0 && err && !strncmp(err->pointer, "/guard", 6))
			memmove(err->pointer, err->pointer + 6, strlen(err->pointer + 6) + 1);
	}
	if (!r)
		*ret = probe.guard;
	cJSON_Delete(tree);
	return r;
}

static bool add_rate(cJSON *to, const char *per_s, const char *burst, const struct sl_rate *r)
{
	return !r->per_s || (cJSON_AddNumberToObject(to, per_s, r->per_s) &&
			     cJSON_AddNumberToObject(to, burst, r->burst));
}

static bool add_rates(cJSON *to, const char *whose, const struct sl_rates *r)
{
	cJSON *o;

	if (!r->flows.per_s && !r->packets.per_s)
		return true;
	o = cJSON_AddObjectToObject(to, whose);
	return o && add_rate(o, "flows_per_s", "flows_burst", &r->flows) &&
	       add_rate(o, "packets_per_s", "packets_burst", &r->packets);
}

struct cJSON *sl_codec_write_service_guard(const struct sl_service_guard *g)
{
	cJSON *o = cJSON_CreateObject();

	if (cJSON_AddBoolToObject(o, "dry_run", g->dry_run) && add_rates(o, "source", &g->source) &&
	    add_rates(o, "network", &g->network) && add_rates(o, "service", &g->service))
		return o;
	cJSON_Delete(o);
	return NULL;
}

/* Takes @item, which may be NULL. */
static bool attach(cJSON *to, const char *key, cJSON *item)
{
	if (item && cJSON_AddItemToObject(to, key, item))
		return true;
	cJSON_Delete(item);
	return false;
}

bool sl_codec_add_service_guard(cJSON *to, const struct sl_service_guard *g)
{
	static const struct sl_service_guard none;

	if (!g->dry_run && !memcmp(&g->source, &none.source, sizeof(none.source)) &&
	    !memcmp(&g->network, &none.network, sizeof(none.network)) &&
	    !memcmp(&g->service, &none.service, sizeof(none.service)))
		return true;
	return attach(to, "guard", sl_codec_write_service_guard(g));
}

/* ---- lists ------------------------------------------------------------------- */

static int read_prefix(const struct sl_at *at, struct sl_prefix *ret, struct sl_err *err)
{
	char text[SL_PREFIX_STRLEN];
	int r;

	if (!cJSON_IsString(at->node))
		return sl_at_fail(at, NULL, -EPROTO, err,
				  "a prefix must be a string such as \"192.0.2.0/24\"");
	r = sl_prefix_parse(at->node->valuestring, ret);
	if (r == -ERANGE)
		return sl_at_fail(at, NULL, -EINVAL, err,
				  "\"%.*s\" has bits behind its length; was %s meant?",
				  sl_text_clip(at->node->valuestring, 64), at->node->valuestring,
				  sl_prefix_format(ret, text));
	if (r < 0)
		return sl_at_fail(at, NULL, -EINVAL, err,
				  "\"%.*s\" is not a prefix; write an address and a length, such "
				  "as \"192.0.2.0/24\" or \"2001:db8::/32\"",
				  sl_text_clip(at->node->valuestring, 64), at->node->valuestring);
	return 0;
}

static int read_list(const struct sl_at *at, const char *key, struct sl_prefix **ret, size_t *ret_n,
		     struct sl_err *err)
{
	struct sl_at array, at_one = { .up = &array, .subject = at->subject };
	int n, r = sl_field_inner(at, key, true, &array, err);

	if (r <= 0)
		return r;
	n = cJSON_GetArraySize(array.node);
	if (!n)
		return 0;
	*ret = calloc((size_t)n, sizeof(**ret));
	if (!*ret)
		return sl_err_set(err, -ENOMEM, "out-of-memory", "out of memory");
	for (at_one.node = array.node->child; at_one.node; at_one.node = at_one.node->next) {
		r = read_prefix(&at_one, &(*ret)[at_one.index], err);
		if (r < 0)
			return r;
		*ret_n = ++at_one.index;
	}
	return 0;
}

static int by_prefix(const void *a, const void *b)
{
	return sl_prefix_order(a, b);
}

static int read_lists(const struct sl_at *at, struct sl_guard_lists *ret, struct sl_err *err)
{
	static const char *const known[] = { "allow", "deny", NULL };
	static const char *const ignored[] = { "status", NULL };
	struct sl_guard_lists l = {};
	int r;

	if ((r = sl_field_object(at, err)) < 0 ||
	    (r = sl_field_known(at, known, ignored, err)) < 0 ||
	    (r = read_list(at, "allow", &l.allow, &l.n_allow, err)) < 0 ||
	    (r = read_list(at, "deny", &l.deny, &l.n_deny, err)) < 0 ||
	    (r = sl_validate_lists(&l, err)) < 0) {
		sl_guard_lists_done(&l);
		return r;
	}
	if (l.n_allow)
		qsort(l.allow, l.n_allow, sizeof(*l.allow), by_prefix);
	if (l.n_deny)
		qsort(l.deny, l.n_deny, sizeof(*l.deny), by_prefix);
	*ret = l;
	return 0;
}

int sl_codec_guard_lists(const struct sl_at *root, struct sl_guard_lists *ret, struct sl_err *err)
{
	struct sl_at inner;
	int r = sl_field_inner(root, "guard", false, &inner, err);

	inner.subject = "guard";
	if (r <= 0)
		return r;
	r = read_lists(&inner, ret, err);
	/* what validation says points into the lists */
	if (r < 0 && err &&
	    (!strncmp(err->pointer, "/allow", 6) || !strncmp(err->pointer, "/deny", 5)))
		sl_err_nest(err, "/guard");
	return r;
}

int sl_codec_read_guard_lists(const char *text, size_t len, struct sl_guard_lists *ret,
			      struct sl_err *err)
{
	struct sl_at root = { .subject = "guard" };
	cJSON *tree;
	int r = sl_json_parse(text, len, &tree, err);

	if (r < 0)
		return r;
	root.node = tree;
	r = read_lists(&root, ret, err);
	cJSON_Delete(tree);
	return r;
}

static bool add_list(cJSON *to, const char *key, const struct sl_prefix *list, size_t n)
{
	cJSON *array = cJSON_AddArrayToObject(to, key), *one;
	char text[SL_PREFIX_STRLEN];

	for (size_t i = 0; array && i < n; i++) {
		one = cJSON_CreateString(sl_prefix_format(&list[i], text));
		if (!one || !cJSON_AddItemToArray(array, one)) {
			cJSON_Delete(one);
			return false;
		}
	}
	return array;
}

struct cJSON *sl_codec_write_guard_lists(const struct sl_guard_lists *l)
{
	cJSON *o = cJSON_CreateObject();

	if (add_list(o, "allow", l->allow, l->n_allow) && add_list(o, "deny", l->deny, l->n_deny))
		return o;
	cJSON_Delete(o);
	return NULL;
}

bool sl_codec_add_guard_lists(cJSON *to, const struct sl_guard_lists *l)
{
	if (!l->n_allow && !l->n_deny)
		return true;
	return attach(to, "guard", sl_codec_write_guard_lists(l));
}
