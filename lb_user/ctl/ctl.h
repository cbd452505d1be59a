/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_CTL_CTL_H
#define LB_USER_CTL_CTL_H

/*
 * ctl: what every command of sluicectl shares: its exit codes, what it was
 * given, how it speaks (data on stdout, messages on stderr) and how it asks
 * the agent.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lb_user/ctl/args.h"
#include "lb_user/ctl/doc.h"
#include "lb_user/ctl/http.h"
#include "lb_user/ctl/table.h"

/* Documented in --help, sluicectl(1) and README.md: they are an interface. */
enum sl_exit {
	SL_EXIT_OK = 0,
	SL_EXIT_ERROR = 1,
	SL_EXIT_USAGE = 2,
	SL_EXIT_NOT_FOUND = 3,
	SL_EXIT_CONFLICT = 4,  /* 409, 412 */
	SL_EXIT_INVALID = 5,   /* 400, 413, 415, 422 */
	SL_EXIT_NO_AGENT = 6,  /* cannot connect, or no answer in time */
	SL_EXIT_DENIED = 7,    /* 401, 403, the socket's permissions */
	SL_EXIT_TIMED_OUT = 8, /* waiting */
	SL_EXIT_UNHEALTHY = 9, /* status --check */
	SL_EXIT_STOPPED = 130, /* ^C while waiting */
};

enum sl_output { SL_OUTPUT_TABLE, SL_OUTPUT_JSON, SL_OUTPUT_NAME };

struct sl_command;

struct sl_ctl {
	const struct sl_command *command;
	struct sl_args args;
	const char *where;    /* the agent's address as given */
	struct sl_http *http; /* NULL for commands that need no agent */
	enum sl_output output;
	struct sl_look look;
	bool quiet;
};

struct sl_command {
	const char *words;		/* "service add" */
	const char *usage;		/* what follows the words */
	const char *summary;		/* one line */
	const char *text;		/* more for its help, or NULL */
	const struct sl_flag *flags;	/* its own; NULL: none */
	size_t min_words, max_words;	/* of arguments */
	bool local;			/* needs no agent */
	int (*run)(struct sl_ctl *ctl); /* returns an enum sl_exit */
};

/* ---- commands.c ---------------------------------------------------------- */

extern const struct sl_command sl_commands[]; /* ends with words NULL */
extern const struct sl_flag sl_flags_common[];

/* ---- help.c -------------------------------------------------------------- */

/* Help on one command, a group ("service"), or all (NULL). False: there is none of that name. */
bool sl_help_print(FILE *to, const char *words);

/* ---- say.c: each cleans what it prints ------------------------------------ */

/* "what changed" on stderr, nothing with -q. */
void sl_say(const struct sl_ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "sluicectl: ..." on stderr, always. Returns @exit_code. */
int sl_fail(int exit_code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "  ..." below an error: where, or what to do. */
void sl_hint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* sl_fail() of a usage error, with the command's usage line. */
int sl_fail_usage(const struct sl_ctl *ctl, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- call.c -------------------------------------------------------------- */

struct sl_answer {
	struct sl_reply reply;
	cJSON *root; /* NULL: no body, or text wanted */
};
void sl_answer_done(struct sl_answer *a);

#define SL_PATH_LEN 256

/*
 * Asks and, when that fails, says why. A 2xx answer with a body must be JSON,
 * an object. Returns 0 or the exit code; *ret is written only with 0.
 */
int sl_call(struct sl_ctl *ctl, const char *method, const char *path, const char *body,
	    struct sl_answer *ret);

/* The same for a body that is not JSON. */
int sl_call_text(struct sl_ctl *ctl, const char *path, struct sl_answer *ret);

/* Says why there was no answer (@code of sl_http_do). Returns the exit code. */
int sl_call_unanswered(int code, const struct sl_err *err);

/* Says what a status of 300 or more means. Returns the exit code. */
int sl_call_refused(const char *method, const char *path, const struct sl_reply *reply);

/* Data before messages, where both go to one terminal. A loss is told by sl_call_finish(). */
void sl_call_flush(void);

/* Flushes stdout. Returns @exit_code, or SL_EXIT_ERROR if that was 0 and the output was lost. */
int sl_call_finish(int exit_code);

/* ---- name.c: arguments that name something -------------------------------- */

struct sl_target {
	const char *label; /* "web/web-2", as given */
	char service[64], backend[64];
	char path[SL_PATH_LEN]; /* "/api/v1/services/web/backends/web-2" */
};

/* Each returns 0 or SL_EXIT_USAGE, having said why. */
int sl_name_service(const struct sl_ctl *ctl, const char *word, char ret_path[SL_PATH_LEN]);
int sl_name_backend(const struct sl_ctl *ctl, const char *word, struct sl_target *ret);

/* All words; *ret is heap, @args.n_words long. Also SL_EXIT_ERROR. */
int sl_name_backends(const struct sl_ctl *ctl, struct sl_target **ret);

/* The flag's value as number or time span; absent: *ret stays. Returns 0 or SL_EXIT_USAGE. */
int sl_name_number(const struct sl_ctl *ctl, const char *flag, uint64_t max, uint64_t *ret);
int sl_name_span(const struct sl_ctl *ctl, const char *flag, uint64_t *ret_ms);

#endif
