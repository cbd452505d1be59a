/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_LIB_REPORT_H
#define BENCH_LIB_REPORT_H

/* report: what every bench writes about its run, as text and as JSON. */
#include <stdio.h>

#include "bench/lib/machine.h"

/* One fact a line. */
void sl_report_machine(FILE *f, const struct sl_machine *m);

/* As a JSON string: what /proc and /sys say may hold anything. */
void sl_report_string(FILE *f, const char *text);

/* "name":"text", for each fact, then the commit; a comma ends it. */
void sl_report_meta(FILE *f, const struct sl_machine *m);

#endif
