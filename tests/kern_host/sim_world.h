/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_KERN_HOST_SIM_WORLD_H
#define TESTS_KERN_HOST_SIM_WORLD_H

/* sim_world: a small world for scenes: one TCP service; a tick of 4.096 s, HZ = 250, or the
 * kernel's. */
#include "tests/kern_host/sim.h"

extern struct sim_service *const sim_world;

void sim_world_open(uint64_t seed, uint32_t n, uint32_t slots, uint32_t idle_s);
void sim_world_close(void);
uint32_t sim_world_deliver(uint64_t hash, uint8_t flags);
uint32_t sim_world_word_of(uint64_t hash); /* of its slot */
uint32_t sim_world_cur_of(uint64_t hash);
void sim_world_end_of_tick(void); /* the clock shows the last jiffy of this tick */
struct sim_backend *sim_world_backend_of(uint64_t hash);
void sim_world_set_health(struct sim_backend *b, enum sl_health health);
void sim_world_set_weight(struct sim_backend *b, uint16_t weight);
void sim_world_pass_s(uint32_t seconds);
bool sim_world_memory_empty(void);

#endif
