/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: what four digits can say. */
#define WALL_MIN_MS (-62167219200000)
#define WALL_MAX_MS 253402300799999

static int64_t read_ms(clockid_t id)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(id, &ts); /* both clocks exist since Linux 2.6.39 */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t sl_clock_ms(void)
{
	return read_ms(CLOCK_BOOTTIME);
}

int64_t sl_clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

const char *sl_clock_format(int64_t wall_ms, char buf[SL_CLOCK_STRLEN])
{
	struct tm tm = { 0 };
	time_t s;
	int ms;

	if (wall_ms < WALL_MIN_MS)
		wall_ms = WALL_MIN_MS;
	if (wall_ms > WALL_MAX_MS)
		wall_ms = WALL_MAX_MS;
	s = wall_ms / 1000;
	ms = (int)(wall_ms % 1000);
	if (ms < 0) {
		ms += 1000;
		s--;
	}
	(void)gmtime_r(&s, &tm);
	snprintf(buf, SL_CLOCK_STRLEN, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
		 (unsigned)tm.tm_sec % 100, (unsigned)ms % 1000);
	return buf;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int two(const char *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* @shape: 0 stands for a digit, all else for itself. */
static bool fits(const char *text, const char *shape)
{
	for (; *shape; shape++, text++)
		if (*shape == '0' ? !is_digit(*text) : *text != *shape)
			return false;
	return true;
}

int sl_clock_parse(const char *text, int64_t *ret_wall_ms)
{
	struct tm tm = { 0 };
	int year, month, ms = 0, unit = 100;

	if (!text || !fits(text, "0000-00-00T00:00:00"))
		return -EINVAL;
	year = two(text) * 100 + two(text + 2);
	month = two(text + 5);
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = two(text + 8);
	tm.tm_hour = two(text + 11);
	tm.tm_min = two(text + 14);
	tm.tm_sec = two(text + 17);
	if (month < 1 || month > 12 || tm.tm_mday < 1 || tm.tm_mday > month_days(year, month) ||
	    tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
		return -EINVAL;
	text += 19;
	if (*text == '.') {
		if (!is_digit(*++text))
			return -EINVAL;
		for (; is_digit(*text); text++, unit /= 10)
			ms += (*text - '0') * unit; /* finer than 1 ms: unit is 0 */
	}
	if (text[0] != 'Z' || text[1])
		return -EINVAL;
	*ret_wall_ms = (int64_t)timegm(&tm) * 1000 + ms;
	return 0;
}
