/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/lib/stats.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define N_MAX 64u
#define DRAWS 4000u

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double sl_stats_median(const double *value, size_t n)
{
	double sorted[N_MAX];

	if (!n || n > N_MAX)
		return 0;
	memcpy(sorted, value, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), compare);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

double sl_stats_min(const double *value, size_t n)
{
	double least = n ? value[0] : 0;

	for (size_t i = 1; i < n; i++)
		least = value[i] < least ? value[i] : least;
	return least;
}

void sl_stats_ci95(const double *value, size_t n, double ret[2])
{
	static double medians[DRAWS];
	uint64_t state = 0x853c49e6748fea9bull;
	double drawn[N_MAX];

	ret[0] = ret[1] = 0;
	if (!n || n > N_MAX)
		return;
	for (unsigned i = 0; i < DRAWS; i++) {
		for (size_t k = 0; k < n; k++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			drawn[k] = value[(state >> 33) % n];
		}
		medians[i] = sl_stats_median(drawn, n);
	}
	qsort(medians, DRAWS, sizeof(medians[0]), compare);
	ret[0] = medians[DRAWS / 40];
	ret[1] = medians[DRAWS - 1 - DRAWS / 40];
}
