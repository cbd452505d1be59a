/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracle/sum.h"

uint32_t sl_sum_add(uint32_t sum, const uint8_t *at, uint32_t n)
{
	for (uint32_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	if (n & 1)
		sum += (uint32_t)at[n - 1] << 8;
	return sum;
}

uint32_t sl_sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

uint32_t sl_sum_field(uint32_t sum)
{
	return ~sl_sum_fold(sum) & 0xffff;
}

void sl_put8(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
}

void sl_put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void sl_put32(uint8_t *at, uint32_t value)
{
	sl_put16(at, value >> 16);
	sl_put16(at + 2, value);
}
