/* SPDX-License-Identifier: BSD-2-Clause */
/* sim_memory: what the maps would be; chance; the story of what happened last. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/hash.h>

#include "tests/kern_host/sim.h"

struct sim sim;
const __u64 sim_key[2] = { 0x0123456789abcdefull, 0xfedcba9876543210ull };
uint32_t sim_tick_shift_only;

/* What the packet path refers to by name (lb_kern/maps.h, config.h, platform.h). */
struct sl_service_rec *sl_services;
__u32 *sl_slots;
__u16 *sl_seen;
struct sl_backend_rec *sl_backends;
struct sl_exc_set *sl_exceptions;
struct sl_exc_cnt *sl_cnt_exc;
__u32 sl_cpu_mask, sl_tick_shift, sl_features = SL_FEAT_ALL;
struct sl_trace_row *sl_trace_row;
struct sl_info *sl_info;
struct sl_guard_rec *sl_guards;
struct sl_guard_set *sl_guard_sets;
struct sl_guard_pool *sl_guard_pools;
struct sl_guard_credit *sl_guard_credit;
struct sl_guard_cnt *sl_cnt_guard;
__u64 platform_jiffies;
__u32 platform_cpu;

#define STORY_LINES 48
static char story[STORY_LINES][160];
static uint64_t told;

static void *zeroed(size_t n, size_t size)
{
	void *p = aligned_alloc(64, n * size);

	if (!p) {
		perror("sim: memory");
		exit(EXIT_FAILURE);
	}
	return memset(p, 0, n * size);
}

void sim_memory_init(void)
{
	sl_services = zeroed(SL_SERVICES_MAX, sizeof(*sl_services));
	sl_slots = zeroed(SL_SLOTS_TOTAL, sizeof(*sl_slots));
	sl_seen = zeroed(SL_SLOTS_TOTAL, sizeof(*sl_seen));
	sl_backends = zeroed(SL_BACKENDS_MAX, sizeof(*sl_backends));
	sl_exceptions = zeroed(SL_EXC_SETS, sizeof(*sl_exceptions));
	sl_cnt_exc = zeroed(1, sizeof(*sl_cnt_exc));
	sl_trace_row = zeroed(1, sizeof(*sl_trace_row));
}

void sim_memory_clear(void)
{
	memset(sl_services, 0, SL_SERVICES_MAX * sizeof(*sl_services));
	memset(sl_backends, 0, SL_BACKENDS_MAX * sizeof(*sl_backends));
	memset(sl_exceptions, 0, SL_EXC_SETS * sizeof(*sl_exceptions));
	memset(sl_cnt_exc, 0, sizeof(*sl_cnt_exc));
	told = 0;
}

uint64_t sim_random(void)
{
	uint64_t x = sim.random += 0x9e3779b97f4a7c15ull; /* splitmix64 */

	return sl_hash_mix(x);
}

uint32_t sim_below(uint32_t n)
{
	return sl_hash_range(sim_random(), n);
}

bool sim_chance(uint32_t percent)
{
	return sim_below(100) < percent;
}

uint64_t sim_jiffies(double seconds)
{
	return (uint64_t)(seconds * sim.hz);
}

void sim_note(const char *fmt, ...)
{
	char *line = story[told++ % STORY_LINES];
	va_list ap;
	int n = snprintf(line, sizeof(story[0]), "%12llu ", (unsigned long long)platform_jiffies);

	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(story[0]) - (size_t)n, fmt, ap);
	va_end(ap);
	if (sim.trace)
		printf("#   %s\n", line);
}

void sim_story(void)
{
	uint64_t first = told > STORY_LINES ? told - STORY_LINES : 0;

	if (sim.trace)
		return;
	for (uint64_t i = first; i < told; i++)
		printf("#   %s\n", story[i % STORY_LINES]);
}
