/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracle/fuzz.h"
void sl_selftest_all(void)
{
}
