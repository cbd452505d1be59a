/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_BASE_LOG_H
#define LB_USER_BASE_LOG_H

/*
 * log: one line per event on stderr, "level key=value ..." with the message
 * last and quoted. Under systemd (JOURNAL_STREAM set) a line starts with its
 * "<N>" priority instead of a time stamp. Only floor 4 and above call it.
 */
enum sl_log_level { SL_LOG_ERROR = 3, SL_LOG_WARN = 4, SL_LOG_INFO = 6, SL_LOG_DEBUG = 7 };

/* Lines above @level are dropped. Default SL_LOG_INFO. */
void sl_log_level_set(enum sl_log_level level);

/* @fmt: text of the line; control characters in the result are written as '?'. */
void sl_log(enum sl_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define sl_error(...) sl_log(SL_LOG_ERROR, __VA_ARGS__)
#define sl_warn(...)  sl_log(SL_LOG_WARN, __VA_ARGS__)
#define sl_info(...)  sl_log(SL_LOG_INFO, __VA_ARGS__)
#define sl_debug(...) sl_log(SL_LOG_DEBUG, __VA_ARGS__)

#endif
