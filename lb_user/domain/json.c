/* SPDX-License-Identifier: BSD-2-Clause */
/* json: the parse guard, text to a tree that can be trusted as far as JSON goes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/codec_internal.h"

/* Up to here pairs are compared; beyond, names are sorted. */
#define PAIRS_MAX 16

static const char *twin_by_pairs(const cJSON *object)
{
	const cJSON *a, *b;

	for (a = object->child; a; a = a->next)
		for (b = object->child; b != a; b = b->next)
			if (!strcmp(a->string, b->string))
				return a->string;
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns 0 with the name that is there twice or NULL, or -ENOMEM. */
static int find_twin(const cJSON *object, const char **ret_name)
{
	const char **names;
	const cJSON *m;
	size_t n = 0, i = 0;

	*ret_name = NULL;
	for (m = object->child; m; m = m->next)
		n++;
	if (n <= PAIRS_MAX) {
		*ret_name = twin_by_pairs(object);
		return 0;
	}
	names = calloc(n, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (m = object->child; m; m = m->next)
		names[i++] = m->string;
	qsort(names, n, sizeof(*names), by_text);
	for (i = 1; i < n && !*ret_name; i++)
		if (!strcmp(names[i - 1], names[i]))
			*ret_name = names[i];
	free(names);
	return 0;
}

/* Recursion ends at SL_JSON_DEPTH_MAX: the scan has been here before. */
static int refuse_twins(const struct sl_at *at, struct sl_err *err)
{
	struct sl_at inner = { .up = at };
	const char *name = NULL;
	char pointer[SL_POINTER_ROOM];
	int r;

	if (cJSON_IsObject(at->node)) {
		r = find_twin(at->node, &name);
		if (r < 0)
			return sl_err_set(err, r, "out-of-memory", "out of memory");
	}
	if (name) {
		sl_at_pointer(at, name, pointer, sizeof(pointer));
		return sl_err_at(err, -EBADMSG, "invalid-json", pointer,
				 "member \"%.*s\" is there twice; remove one",
				 sl_text_clip(name, 64), name);
	}
	for (inner.node = at->node->child; inner.node; inner.node = inner.node->next) {
		inner.key = cJSON_IsObject(at->node) ? inner.node->string : NULL;
		r = inner.node->child ? refuse_twins(&inner, err) : 0;
		if (r < 0)
			return r;
		inner.index++;
	}
	return 0;
}

int sl_json_parse_bounded(const char *text, size_t len, size_t nodes_max, struct cJSON **ret,
			  struct sl_err *err)
{
	struct sl_json_fault fault;
	struct sl_at root = { 0 };
	cJSON *tree;
	int r;

	if (!text || !len)
		return sl_err_set(err, -EBADMSG, "invalid-json",
				  "the document is empty; send a JSON object");
	r = sl_json_scan(text, len, nodes_max, &fault);
	if (r < 0)
		return sl_err_set(err, r, "invalid-json", "line %zu, column %zu: %s", fault.line,
				  fault.column, fault.why);
	/* It is JSON, so there is only one reason left to fail. */
	tree = cJSON_ParseWithLengthOpts(text, len, NULL, 0);
	if (!tree)
		return sl_err_set(err, -ENOMEM, "out-of-memory", "out of memory");
	root.node = tree;
	r = refuse_twins(&root, err);
	if (r < 0) {
		cJSON_Delete(tree);
		return r;
	}
	*ret = tree;
	return 0;
}

int sl_json_parse(const char *text, size_t len, struct cJSON **ret, struct sl_err *err)
{
	return sl_json_parse_bounded(text, len, SL_JSON_NODES_MAX, ret, err);
}
