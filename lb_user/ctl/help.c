/* SPDX-License-Identifier: BSD-2-Clause */
/* help: pages made from the command table. */
#include <stdio.h>
#include <string.h>

#include "lb_user/ctl/commands.h"

#define FLAG_COLUMN 28

static const char exit_codes[] =
	"Exit codes\n"
	"  0 done                         5 refused as invalid (400, 413, 415, 422)\n"
	"  1 another error                6 cannot reach the agent\n"
	"  2 wrong usage                  7 permission denied (401, 403, the socket)\n"
	"  3 no such service or backend   8 timed out waiting\n"
	"  4 conflict (409, 412)          9 status --check: not all is up\n"
	"  130 interrupted while waiting\n";

static void print_flags(FILE *to, const struct sl_flag *f)
{
	const char *text, *end;
	int used;

	for (; f && f->name; f++) {
		used = fprintf(to, "  ");
		if (f->letter)
			used += fprintf(to, "-%c, ", f->letter);
		used += fprintf(to, "--%s%s%s", f->name, f->value ? " " : "",
				f->value ? f->value : "");
		/* Each further line of the text starts in the same column. */
		for (text = f->help; text; text = *end ? end + 1 : NULL) {
			end = text + strcspn(text, "\n");
			if (used + 2 > FLAG_COLUMN) {
				fputc('\n', to);
				used = 0;
			}
			fprintf(to, "%*s%.*s\n", FLAG_COLUMN - used, "", (int)(end - text), text);
			used = 0;
		}
	}
}

static void print_command(FILE *to, const struct sl_command *c)
{
	fprintf(to, "sluicectl %s: %s\n\nUsage: sluicectl %s%s%s\n", c->words, c->summary, c->words,
		c->usage[0] ? " " : "", c->usage);
	if (c->text)
		fprintf(to, "\n%s", c->text);
	if (c->flags) {
		fprintf(to, "\nFlags\n");
		print_flags(to, c->flags);
	}
	fprintf(to, "\nFlags of every command\n");
	print_flags(to, sl_flags_common);
	fprintf(to, "\n%s", exit_codes);
}

static void print_list(FILE *to, const char *group)
{
	const struct sl_command *c;
	size_t len = group ? strlen(group) : 0;

	for (c = sl_commands; c->words; c++)
		if (!group || (!strncmp(c->words, group, len) && c->words[len] == ' '))
			fprintf(to, "  %-16s %s\n", c->words, c->summary);
}

static void print_all(FILE *to)
{
	fprintf(to, "sluicectl: talks to sluiced, the Sluice load balancer\n\n"
		    "Usage: sluicectl COMMAND [ARGUMENT...] [FLAG...]\n\nCommands\n");
	print_list(to, NULL);
	fprintf(to, "\nFlags of every command (anywhere on the line)\n");
	print_flags(to, sl_flags_common);
	fprintf(to, "\n%s\nMore: sluicectl help COMMAND, sluicectl(1)\n", exit_codes);
}

bool sl_help_print(FILE *to, const char *words)
{
	const struct sl_command *c;
	size_t len;

	if (!words || !words[0]) {
		print_all(to);
		return true;
	}
	len = strlen(words);
	for (c = sl_commands; c->words; c++) {
		if (!strcmp(c->words, words)) {
			print_command(to, c);
			return true;
		}
	}
	for (c = sl_commands; c->words; c++) {
		if (!strncmp(c->words, words, len) && c->words[len] == ' ') {
			fprintf(to, "Commands of sluicectl %s\n", words);
			print_list(to, words);
			fprintf(to, "\nMore: sluicectl help %s COMMAND\n", words);
			return true;
		}
	}
	return false;
}

int sl_cmd_help(struct sl_ctl *ctl)
{
	char words[64];
	const char *a = ctl->args.n_words ? ctl->args.words[0] : "";
	const char *b = ctl->args.n_words > 1 ? ctl->args.words[1] : "";

	if ((size_t)snprintf(words, sizeof(words), "%s%s%s", a, b[0] ? " " : "", b) <
		    sizeof(words) &&
	    sl_help_print(stdout, words))
		return SL_EXIT_OK;
	(void)sl_fail(0, "no help on \"%s%s%s\": there is no such command", a, b[0] ? " " : "", b);
	sl_hint("all commands: sluicectl help");
	return SL_EXIT_USAGE;
}

int sl_cmd_version(struct sl_ctl *ctl)
{
	if (ctl->output == SL_OUTPUT_JSON)
		printf("{\n  \"version\": \"%s\"\n}\n", SL_VERSION);
	else
		printf("sluicectl %s\n", SL_VERSION);
	return SL_EXIT_OK;
}
