/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_BASE_ERR_H
#define LB_USER_BASE_ERR_H

/*
 * err: what went wrong, for a person and for a program. Filled once, where the
 * name of the object is known; floors above only pass it on. Every function
 * that takes one accepts NULL.
 */
#include <stdarg.h>

struct sl_err {
	int code;	   /* negative errno, 0: nothing wrong */
	char slug[40];	   /* stable word for programs: "unknown-member"; see api/README.md */
	char pointer[160]; /* JSON pointer (RFC 6901) of the member at fault, or "" */
	char detail[400];  /* one sentence: the object, what is wrong, what to do */
};

/* Each returns @code (a negative errno), so that "return sl_err_set(...)" reads well. */
int sl_err_set(struct sl_err *err, int code, const char *slug, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same with the member at fault. @pointer is copied. */
int sl_err_at(struct sl_err *err, int code, const char *slug, const char *pointer, const char *fmt,
	      ...) __attribute__((format(printf, 5, 6)));

/* Puts "@prefix" in front of the pointer, for a document nested in another. */
void sl_err_nest(struct sl_err *err, const char *prefix);

#endif
