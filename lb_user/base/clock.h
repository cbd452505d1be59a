/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_BASE_CLOCK_H
#define LB_USER_BASE_CLOCK_H

/* clock: the three clocks in use, named by what they are good for. */
#include <stdint.h>

/* For intervals and deadlines: CLOCK_BOOTTIME, milliseconds. */
int64_t sl_clock_ms(void);

/* For people and for files: CLOCK_REALTIME, milliseconds since 1970. */
int64_t sl_clock_wall_ms(void);

/* RFC 3339 in UTC with milliseconds, "2026-11-23T15:48:28.123Z". Returns @buf. */
#define SL_CLOCK_STRLEN 32
const char *sl_clock_format(int64_t wall_ms, char buf[SL_CLOCK_STRLEN]);

/* Returns 0 or -EINVAL. Accepts what sl_clock_format writes, fraction optional, "Z" only. */
int sl_clock_parse(const char *text, int64_t *ret_wall_ms);

#endif
