/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_picker: the packet path as it is, with one addition from outside: before
 * each access to shared memory something else may happen, as it would on a
 * machine with several CPUs.
 */
#include <sluice/hash.h>

#include "tests/kern_host/sim.h"

static uint32_t accesses_left;
static const volatile void *first_word; /* SIM_ONE_LOOK: where this packet looked first */
static uint64_t first_value;

static void interrupted(void)
{
	sim.stats.mid++;
	if (sim.on_access)
		sim.on_access();
	else
		sim_event();
}

static inline void access_point(void)
{
	if (__builtin_expect(accesses_left && --accesses_left == 0, 0))
		interrupted();
}

static inline uint64_t looked(const volatile void *at, uint64_t value)
{
	if (__builtin_expect(sim.fault != SIM_ONE_LOOK, 1))
		return value;
	if (!first_word) {
		first_word = at;
		first_value = value;
	}
	return at == first_word ? first_value : value;
}

#undef READ_ONCE
#define READ_ONCE(x)                                                                      \
	({                                                                                \
		access_point();                                                           \
		(__typeof__((x) + 0))looked(&(x), *(const volatile __typeof__(x) *)&(x)); \
	})
#undef WRITE_ONCE
#define WRITE_ONCE(x, v)                               \
	do {                                           \
		access_point();                        \
		*(volatile __typeof__(x) *)&(x) = (v); \
	} while (0)
#define __sync_val_compare_and_swap(...) (access_point(), __sync_val_compare_and_swap(__VA_ARGS__))

#include "lb_kern/slot.h"

void sim_mid_arm(uint32_t accesses)
{
	accesses_left = accesses;
}

static bool recalls(const struct pkt *p, const struct sl_service_rec *service)
{
	if (p->proto == IPPROTO_TCP)
		return !pkt_is_syn(p);
	return service->flags & SL_SF_UDP_FLOW;
}

enum sl_reason sim_pick(struct pkt *p, uint16_t service)
{
	struct slot_memory memory;

	first_word = NULL;
	if (sim.fault == SIM_MODULO)
		return sim_modulo(p, service);
	/* as walk_hot() and walk_any() do: what is not settled is looked at anew */
	if (!p->is_quoted && slot_settled(p, &sl_services[service]))
		return SL_R_NEXT;
	if (!p->is_quoted && recalls(p, &sl_services[service]) &&
	    slot_remembered(p, &sl_services[service], &memory)) {
		slot_keep(&memory);
		return SL_R_NEXT;
	}
	p->backend = 0;
	return slot_pick(p, &sl_services[service]);
}
