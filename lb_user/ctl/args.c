/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/ctl/args.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/ctl/text.h"

#define CANDIDATES_MAX 64

void sl_args_find(int argc, char **argv, bool (*takes_value)(const char *name, size_t len),
		  struct sl_args_start *ret)
{
	struct sl_args_start start = { .at = { -1, -1 } };
	bool ended = false;
	int i, n = 0;

	for (i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (!ended && !strcmp(a, "--")) {
			ended = true;
		} else if (!ended && (!strcmp(a, "-h") || !strcmp(a, "--help"))) {
			start.help = true;
		} else if (!ended && !strncmp(a, "--", 2)) {
			if (!strchr(a, '=') && takes_value(a + 2, strlen(a + 2)))
				i++;
		} else if (!ended && a[0] == '-' && a[1]) {
			/* -qo json: the value may follow the last letter */
			for (a++; *a && !takes_value(a, 1); a++)
				start.help |= *a == 'h';
			i += *a && !a[1];
		} else if (n < 2) {
			start.words[n] = a;
			start.at[n++] = i;
		}
	}
	*ret = start;
}

/* By name when @len > 1 or the name is that short, by letter with @len 1. */
static const struct sl_flag *flag_find(const struct sl_flag *const lists[], size_t n_lists,
				       const char *name, size_t len, bool letter)
{
	const struct sl_flag *f;
	size_t i;

	for (i = 0; i < n_lists; i++)
		for (f = lists[i]; f && f->name; f++)
			if (letter ? f->letter == name[0]
				   : !strncmp(f->name, name, len) && !f->name[len])
				return f;
	return NULL;
}

static int flag_unknown(const struct sl_flag *const lists[], size_t n_lists, const char *given,
			const char *name, size_t len, struct sl_err *err)
{
	const char *candidates[CANDIDATES_MAX + 1], *nearest;
	const struct sl_flag *f;
	char word[64] = "";
	size_t i, n = 0;

	for (i = 0; i < n_lists; i++)
		for (f = lists[i]; f && f->name && n < CANDIDATES_MAX; f++)
			candidates[n++] = f->name;
	candidates[n] = NULL;
	if (len < sizeof(word))
		memcpy(word, name, len);
	nearest = len > 1 ? sl_args_nearest(word, candidates) : NULL;
	if (nearest)
		return sl_err_set(err, -EINVAL, "usage", "unknown flag %s; did you mean --%s?",
				  given, nearest);
	return sl_err_set(err, -EINVAL, "usage", "unknown flag %s", given);
}

static void args_add(struct sl_args *a, const struct sl_flag *flag, const char *value)
{
	a->flags[a->n_flags] = flag;
	a->values[a->n_flags++] = value;
}

/* The argument after *@i, which moves on. */
static int value_next(int argc, char **argv, int *i, const struct sl_flag *flag, const char **ret,
		      struct sl_err *err)
{
	int k = *i + 1;

	while (k < argc && !argv[k]) /* a word of the command */
		k++;
	if (k >= argc)
		return sl_err_set(err, -EINVAL, "usage", "--%s needs a value: --%s %s", flag->name,
				  flag->name, flag->value);
	*ret = argv[k];
	*i = k;
	return 0;
}

static int parse_long(int argc, char **argv, int *i, const struct sl_flag *const lists[],
		      size_t n_lists, struct sl_args *a, struct sl_err *err)
{
	const char *name = argv[*i] + 2, *value = strchr(name, '=');
	size_t len = value ? (size_t)(value - name) : strlen(name);
	const struct sl_flag *flag = flag_find(lists, n_lists, name, len, false);
	int r;

	if (!flag)
		return flag_unknown(lists, n_lists, argv[*i], name, len, err);
	if (value && !flag->value)
		return sl_err_set(err, -EINVAL, "usage", "--%s takes no value", flag->name);
	if (value) {
		value++;
	} else if (flag->value) {
		r = value_next(argc, argv, i, flag, &value, err);
		if (r)
			return r;
	}
	args_add(a, flag, value ? value : "");
	return 0;
}

static int parse_short(int argc, char **argv, int *i, const struct sl_flag *const lists[],
		       size_t n_lists, struct sl_args *a, struct sl_err *err)
{
	const char *given = argv[*i], *p, *value;
	const struct sl_flag *flag;
	int r;

	for (p = given + 1; *p; p++) {
		flag = flag_find(lists, n_lists, p, 1, true);
		if (!flag)
			return flag_unknown(lists, n_lists, given, p, strlen(p), err);
		if (!flag->value) {
			args_add(a, flag, "");
			continue;
		}
		value = p + 1;
		if (!*value) {
			r = value_next(argc, argv, i, flag, &value, err);
			if (r)
				return r;
		}
		args_add(a, flag, value);
		break;
	}
	return 0;
}

int sl_args_parse(int argc, char **argv, const struct sl_flag *const lists[], size_t n_lists,
		  struct sl_args *ret, struct sl_err *err)
{
	struct sl_args a = { 0 };
	bool ended = false;
	size_t most = 0;
	int i, r = 0;

	for (i = 1; i < argc; i++) /* -qqq are three flags in one argument */
		most += argv[i] ? strlen(argv[i]) + 1 : 0;
	a.flags = calloc(most + 1, sizeof(*a.flags));
	a.values = calloc(most + 1, sizeof(*a.values));
	a.words = calloc((size_t)argc + 1, sizeof(*a.words));
	if (!a.flags || !a.values || !a.words) {
		r = sl_err_set(err, -ENOMEM, "no-memory", "out of memory");
		goto out;
	}
	for (i = 1; i < argc && !r; i++) {
		if (!argv[i])
			continue;
		if (!ended && !strcmp(argv[i], "--"))
			ended = true;
		else if (!ended && !strncmp(argv[i], "--", 2))
			r = parse_long(argc, argv, &i, lists, n_lists, &a, err);
		else if (!ended && argv[i][0] == '-' && argv[i][1])
			r = parse_short(argc, argv, &i, lists, n_lists, &a, err);
		else
			a.words[a.n_words++] = argv[i];
	}
	if (r)
		goto out;
	*ret = a;
	a = (struct sl_args){ 0 };
out:
	sl_args_done(&a);
	return r;
}

void sl_args_done(struct sl_args *a)
{
	free(a->flags);
	free(a->values);
	free(a->words);
	*a = (struct sl_args){ 0 };
}

const char *sl_args_value(const struct sl_args *a, const char *name)
{
	size_t i;

	for (i = a->n_flags; i > 0; i--)
		if (!strcmp(a->flags[i - 1]->name, name))
			return a->values[i - 1];
	return NULL;
}

const char *sl_args_nearest(const char *word, const char *const *candidates)
{
	const char *best = NULL;
	size_t best_d = SIZE_MAX, d, limit = strlen(word) > 3 ? 2 : 1;

	for (; *candidates; candidates++) {
		d = sl_text_distance(word, *candidates);
		if (d < best_d && d <= limit) {
			best = *candidates;
			best_d = d;
		}
	}
	return best;
}
