/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/domain/counters.h"

#include <string.h>

void sl_counters_add(struct sl_counters *sum, const struct sl_cnt *cnt, uint32_t cpus, uint32_t row,
		     uint32_t id)
{
	for (uint32_t cpu = 0; cpu < cpus; cpu++) {
		const struct sl_cnt *one = &cnt[(size_t)cpu * row + id];

		sum->packets += one->packets;
		sum->bytes += one->bytes;
		sum->flows += one->flows;
		sum->dropped += one->dropped;
	}
}

static void clear(struct sl_cnt *cnt, uint32_t cpus, uint32_t row, uint32_t id)
{
	for (uint32_t cpu = 0; cpu < cpus; cpu++)
		memset(&cnt[(size_t)cpu * row + id], 0, sizeof(*cnt));
}

void sl_counters_retire_backend(struct sl_cnt *backends, struct sl_cnt *services, uint32_t cpus,
				uint16_t id, uint16_t service)
{
	struct sl_cnt *to = &services[service]; /* of CPU 0: one row is enough */
	struct sl_counters sum = {};

	sl_counters_add(&sum, backends, cpus, SL_BACKENDS_MAX, id);
	/* not dropped: packets are dropped on it meanwhile, by the packet path itself */
	to->packets += sum.packets;
	to->bytes += sum.bytes;
	to->flows += sum.flows;
	clear(backends, cpus, SL_BACKENDS_MAX, id);
}

void sl_counters_retire_service(struct sl_cnt *services, struct sl_reason_cnt *reasons,
				uint32_t cpus, uint16_t id, unsigned sent)
{
	struct sl_counters sum = {};

	sl_counters_add(&sum, services, cpus, SL_SERVICES_MAX, id);
	reasons->packets[sent] += sum.packets;
	clear(services, cpus, SL_SERVICES_MAX, id);
}
