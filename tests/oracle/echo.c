/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * echo: the limit of 1,000 answers a second. The specification does not say
 * when a second begins, so this checks what every reading shares: whoever is
 * refused had 1,000 answered within the last second, and no second sees more
 * than two seconds' worth. A second is "about a second": a fine tick. And a checksum that fitted
 * still fits, computed anew.
 */
#include <time.h>

#include "tests/oracle/fuzz.h"
#include "tests/oracle/parse.h"

#define PER_SECOND SL_ECHO_MAX
#define SLACK_MS   20 /* the packet path counts in jiffies */

static int64_t answered_ms[2 * PER_SECOND]; /* a ring */
static uint64_t n_answered;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* How long ago the @back-th last answer was; -1: there was none. */
static int64_t ago_ms(uint64_t back)
{
	if (n_answered < back)
		return -1;
	return now_ms() - answered_ms[(n_answered - back) % (2 * PER_SECOND)];
}

bool sl_echo_answered(uint32_t second_ms)
{
	int64_t ago = ago_ms(2 * PER_SECOND);

	answered_ms[n_answered++ % (2 * PER_SECOND)] = now_ms();
	return ago < 0 || ago + SLACK_MS >= second_ms;
}

bool sl_echo_limited(uint32_t second_ms)
{
	int64_t ago = ago_ms(PER_SECOND);

	return ago >= 0 && ago <= second_ms + SLACK_MS;
}

static uint32_t add_up(uint32_t sum, const uint8_t *at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Whether the checksums of an echo fit, the long way. */
static bool sums_fit(const uint8_t *frame, uint32_t len)
{
	struct sl_oracle_ip ip;
	uint32_t at, sum;
	bool v6;

	if (sl_parse_eth(frame, len, &at, &v6) || sl_parse_ip(frame, len, at, v6, &ip))
		return false;
	sum = add_up(0, frame + ip.l4, ip.l4_len);
	if (!v6)
		return sum == 0xffff && add_up(0, frame + at, ip.l4 - at) == 0xffff;
	return add_up(sum + ip.l4_len + 58, ip.source, 32) == 0xffff;
}

bool sl_echo_sums_kept(const uint8_t *came, const uint8_t *left, uint32_t len)
{
	return !sums_fit(came, len) || sums_fit(left, len);
}
