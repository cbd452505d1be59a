/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_SUM_H
#define TESTS_ORACLE_SUM_H

/* sum: RFC 1071 as it is written: 16-bit words added up, carries last; and bytes on the wire. */
#include <stdint.h>

/* @n bytes more; an odd last one is the high half of a word. */
uint32_t sl_sum_add(uint32_t sum, const uint8_t *at, uint32_t n);
/* The carries added in: 0..0xffff. */
uint32_t sl_sum_fold(uint32_t sum);
/* The field that makes all of it fit. */
uint32_t sl_sum_field(uint32_t sum);

void sl_put8(uint8_t *at, uint32_t value);
void sl_put16(uint8_t *at, uint32_t value);
void sl_put32(uint8_t *at, uint32_t value);

#endif
