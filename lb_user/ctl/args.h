/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_CTL_ARGS_H
#define LB_USER_CTL_ARGS_H

/*
 * args: the command line. Flags may stand anywhere, before or after the words:
 * --name VALUE, --name=VALUE, -nVALUE, -n VALUE, -qh; "--" ends them. The same
 * name may take a value in one command and none in another (--check), so the
 * command's words are found first, with what all commands agree on.
 */
#include <stdbool.h>
#include <stddef.h>

#include "lb_user/base/err.h"

struct sl_flag {
	const char *name;  /* without "--"; NULL ends a list */
	char letter;	   /* 0: none */
	const char *value; /* what to call its value in help; NULL: takes none */
	const char *help;
};

struct sl_args {
	const struct sl_flag **flags; /* given, in order */
	const char **values;	      /* "" where the flag takes none */
	size_t n_flags;
	const char **words; /* all that is no flag, without the command's words */
	size_t n_words;
};

/*
 * The first two words that are no flags (fewer: NULL) and where they are.
 * @takes_value answers for a flag by name or letter. *ret_help: -h or --help
 * stands somewhere.
 */
struct sl_args_start {
	const char *words[2];
	int at[2];
	bool help;
};
void sl_args_find(int argc, char **argv, bool (*takes_value)(const char *name, size_t len),
		  struct sl_args_start *ret);

/*
 * All of @argv but the places that are NULL. Returns 0, -EINVAL (usage, with
 * a suggestion) or -ENOMEM; sl_args_done() is due after 0 alone.
 */
int sl_args_parse(int argc, char **argv, const struct sl_flag *const lists[], size_t n_lists,
		  struct sl_args *ret, struct sl_err *err);
void sl_args_done(struct sl_args *a);

/* The last value given, NULL if the flag was not; "" for a flag without value. */
const char *sl_args_value(const struct sl_args *a, const char *name);

/* The nearest of @candidates (NULL-terminated), NULL if none is near enough to be meant. */
const char *sl_args_nearest(const char *word, const char *const *candidates);

#endif
