/* SPDX-License-Identifier: BSD-2-Clause */
/* main: from the command line to one command of the table, and its exit code. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lb_user/ctl/commands.h"

#define NAMES_MAX 64

/* Words of other tools, for suggestions alone: by spelling, "create" is nearest to "delete". */
static const char *const synonyms[][2] = {
	{ "create", "add" },	{ "new", "add" },	   { "remove", "delete" },
	{ "rm", "delete" },	{ "del", "delete" },	   { "ls", "list" },
	{ "get", "show" },	{ "describe", "show" },	   { "enable", "ready" },
	{ "undrain", "ready" }, { "uncordon", "ready" },   { "disable", "maint" },
	{ "update", "set" },	{ "services", "service" }, { "backends", "backend" },
};

/* What all commands agree on: a flag takes a value if every command that has it says so. */
static bool takes_value(const char *name, size_t len)
{
	const struct sl_command *c;
	const struct sl_flag *f;
	bool found = false, all = true;

	for (f = sl_flags_common; f->name; f++)
		if (len == 1 ? f->letter == name[0] : !strcmp(f->name, name))
			return f->value != NULL;
	for (c = sl_commands; c->words; c++) {
		for (f = c->flags; f && f->name; f++) {
			if (len == 1 ? f->letter == name[0] : !strcmp(f->name, name)) {
				found = true;
				all &= f->value != NULL;
			}
		}
	}
	return found && all;
}

/* *ret_group: commands start with words[0] and a second word. */
static const struct sl_command *command_find(const struct sl_args_start *start, bool *ret_group)
{
	const char *first = start->words[0], *second = start->words[1];
	size_t len = strlen(first);
	const struct sl_command *c;

	*ret_group = false;
	for (c = sl_commands; c->words; c++) {
		if (!strcmp(c->words, first))
			return c;
		if (strncmp(c->words, first, len) || c->words[len] != ' ')
			continue;
		*ret_group = true;
		if (second && !strcmp(c->words + len + 1, second))
			return c;
	}
	return NULL;
}

/* @group: NULL for first words, else second words of that group. */
static const char *suggest(const char *word, const char *group)
{
	const char *names[NAMES_MAX + 1];
	char firsts[NAMES_MAX][32];
	const struct sl_command *c;
	size_t i, k, n = 0, len = group ? strlen(group) : 0;

	for (c = sl_commands; c->words && n < NAMES_MAX; c++) {
		if (group && (strncmp(c->words, group, len) || c->words[len] != ' '))
			continue;
		if (group)
			snprintf(firsts[n], sizeof(firsts[n]), "%s", c->words + len + 1);
		else
			snprintf(firsts[n], sizeof(firsts[n]), "%.*s", (int)strcspn(c->words, " "),
				 c->words);
		names[n] = firsts[n];
		n++;
	}
	names[n] = NULL;
	for (i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++)
		for (k = 0; !strcmp(word, synonyms[i][0]) && k < n; k++)
			if (!strcmp(names[k], synonyms[i][1]))
				return synonyms[i][1];
	return sl_args_nearest(word, names);
}

static int command_unknown(const struct sl_args_start *start, bool group)
{
	const char *first = start->words[0], *second = start->words[1], *near;

	if (group && !second) {
		(void)sl_fail(0, "%s needs a second word", first);
		(void)sl_help_print(stderr, first);
		return SL_EXIT_USAGE;
	}
	near = suggest(group ? second : first, group ? first : NULL);
	if (group)
		(void)sl_fail(0, "unknown command \"%s %s\"", first, second);
	else
		(void)sl_fail(0, "unknown command \"%s\"", first);
	if (near)
		sl_hint("did you mean: sluicectl %s%s%s", group ? first : "", group ? " " : "",
			near);
	sl_hint("all commands: sluicectl help");
	return SL_EXIT_USAGE;
}

static void look_init(struct sl_ctl *ctl)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct winsize ws;

	ctl->look.headers = !sl_args_value(&ctl->args, "no-headers");
	if (!isatty(STDOUT_FILENO))
		return;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws))
		ctl->look.width = ws.ws_col;
	ctl->look.color = !sl_args_value(&ctl->args, "no-color") && !(no_color && no_color[0]) &&
			  term && term[0] && strcmp(term, "dumb");
}

/* The flags of every command. Returns 0 or an exit code. */
static int ctl_init(struct sl_ctl *ctl)
{
	const char *output = sl_args_value(&ctl->args, "output");
	const char *env = getenv("SLUICE_SERVER");
	struct sl_err err = { 0 };
	int r;

	look_init(ctl);
	ctl->quiet = sl_args_value(&ctl->args, "quiet") != NULL;
	if (output && !strcmp(output, "json"))
		ctl->output = SL_OUTPUT_JSON;
	else if (output && !strcmp(output, "name"))
		ctl->output = SL_OUTPUT_NAME;
	else if (output && strcmp(output, "table"))
		return sl_fail_usage(ctl, "--output %s: want table, json or name", output);
	ctl->where = sl_args_value(&ctl->args, "server");
	if (!ctl->where)
		ctl->where = env && env[0] ? env : SL_HTTP_DEFAULT;
	if (ctl->command->local)
		return 0;
	r = sl_http_new(ctl->where, &ctl->http, &err);
	if (!r)
		return 0;
	return sl_fail(r == -EINVAL ? SL_EXIT_USAGE : SL_EXIT_ERROR, "%s", err.detail);
}

static int words_check(const struct sl_ctl *ctl)
{
	const struct sl_command *c = ctl->command;

	if (ctl->args.n_words < c->min_words)
		return sl_fail_usage(ctl, "%s: something is missing", c->words);
	if (ctl->args.n_words > c->max_words)
		return sl_fail_usage(ctl, "%s: \"%s\" is one argument too many", c->words,
				     ctl->args.words[c->max_words]);
	return 0;
}

static int command_run(const struct sl_command *command, int argc, char **argv)
{
	const struct sl_flag *lists[] = { command->flags, sl_flags_common };
	struct sl_ctl ctl = { .command = command };
	struct sl_err err = { 0 };
	int r;

	r = sl_args_parse(argc, argv, lists, 2, &ctl.args, &err);
	if (r)
		return r == -EINVAL ? sl_fail_usage(&ctl, "%s", err.detail)
				    : sl_fail(SL_EXIT_ERROR, "%s", err.detail);
	r = words_check(&ctl);
	if (!r)
		r = ctl_init(&ctl);
	if (!r)
		r = sl_call_finish(command->run(&ctl));
	sl_http_free(ctl.http);
	sl_args_done(&ctl.args);
	return r;
}

/* -h anywhere: help on as much of a command as was named. */
static int help_anywhere(const struct sl_args_start *start, const struct sl_command *command,
			 bool group)
{
	if (command)
		(void)sl_help_print(stdout, command->words);
	else if (group || !start->words[0])
		(void)sl_help_print(stdout, start->words[0]);
	else
		return command_unknown(start, group);
	return sl_call_finish(SL_EXIT_OK);
}

int main(int argc, char **argv)
{
	const struct sl_command *command = NULL;
	struct sl_args_start start;
	bool group = false;
	int i, n;

	sl_args_find(argc, argv, takes_value, &start);
	if (start.words[0])
		command = command_find(&start, &group);
	if (start.help)
		return help_anywhere(&start, command, group);
	if (!start.words[0] && argc == 2 && !strcmp(argv[1], "--version")) {
		printf("sluicectl %s\n", SL_VERSION);
		return sl_call_finish(SL_EXIT_OK);
	}
	if (!start.words[0]) {
		(void)sl_help_print(stderr, NULL);
		return SL_EXIT_USAGE;
	}
	if (!command)
		return command_unknown(&start, group);
	n = strchr(command->words, ' ') ? 2 : 1;
	for (i = 0; i < n; i++)
		argv[start.at[i]] = NULL;
	return command_run(command, argc, argv);
}
