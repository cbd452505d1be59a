/* SPDX-License-Identifier: BSD-2-Clause */
/* echo: a checksum that fitted still fits in the answer, all bytes added up. */
#include "tests/oracle/fuzz.h"
#include "tests/oracle/parse.h"
#include "tests/oracle/sum.h"

/* Whether the checksums of an echo fit, the long way. */
static bool sums_fit(const uint8_t *frame, uint32_t len)
{
	struct sl_oracle_ip ip;
	uint32_t at, sum;
	bool v6;

	if (sl_parse_eth(frame, len, &at, &v6) || sl_parse_ip(frame, len, at, v6, &ip))
		return false;
	sum = sl_sum_add(0, frame + ip.l4, ip.l4_len);
	if (!v6)
		return sl_sum_fold(sum) == 0xffff &&
		       sl_sum_fold(sl_sum_add(0, frame + at, ip.l4 - at)) == 0xffff;
	return sl_sum_fold(sl_sum_add(sum + ip.l4_len + 58, ip.source, 32)) == 0xffff;
}

bool sl_echo_sums_kept(const uint8_t *came, const uint8_t *left, uint32_t len)
{
	return !sums_fit(came, len) || sums_fit(left, len);
}
