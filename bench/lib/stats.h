/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_LIB_STATS_H
#define BENCH_LIB_STATS_H

/* stats: medians and how sure one may be of them. */
#include <stddef.h>

double sl_stats_median(const double *value, size_t n);
double sl_stats_min(const double *value, size_t n);

/*
 * Bootstrap: the medians of many samples drawn with replacement; the interval
 * that holds 95 % of them. The draws are the same in every run. @n at most 64.
 */
void sl_stats_ci95(const double *value, size_t n, double ret[2]);

#endif
