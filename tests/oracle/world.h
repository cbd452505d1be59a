/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_WORLD_H
#define TESTS_ORACLE_WORLD_H

/*
 * world: the model as it lies in the shared memory. One image is what memory
 * must be ("want"); the others belong to the programs under test and are
 * compared with it: what a packet may touch after each, all of it now and then.
 */
#include "lb_user/dp/dp.h"
#include "tests/oracle/oracle.h"

#define SL_WORLD_TEXT 240

/* Plain memory of the same shape as @like's. Ends the process when there is none. */
void sl_world_alloc(struct sl_dp_mem *ret, const struct sl_dp_mem *like);
void sl_world_free(struct sl_dp_mem *m);

void sl_world_copy(struct sl_dp_mem *to, const struct sl_dp_mem *from);

/* false: @ret_text says where the two differ first. */
bool sl_world_same(const struct sl_dp_mem *is, const struct sl_dp_mem *want,
		   char ret_text[SL_WORLD_TEXT]);

/* All of the model into @want, whose counters stay. */
void sl_world_write(struct sl_dp_mem *want, const struct sl_oracle *o);

/* One thing of the model. */
void sl_world_write_set(struct sl_dp_mem *m, const struct sl_oracle *o, uint32_t set);
void sl_world_write_slot(struct sl_dp_mem *m, const struct sl_oracle *o, unsigned service,
			 uint32_t slot);
void sl_world_write_backend(struct sl_dp_mem *m, const struct sl_oracle *o, uint16_t id);
void sl_world_write_limit(struct sl_dp_mem *m, const struct sl_oracle_limit *limit, unsigned row);

/* guard_world.c: the guard's: limits and flags; what is used of a service's limits; a set. */
void sl_world_write_limits(struct sl_dp_mem *m, const struct sl_oracle *o, unsigned service);
void sl_world_write_used(struct sl_dp_mem *m, const struct sl_oracle *o, unsigned service,
			 unsigned row);
void sl_world_write_words(struct sl_dp_mem *m, const struct sl_oracle *o, uint32_t set);
void sl_world_write_index(struct sl_dp_mem *m, const struct sl_oracle *o);
/* The list as sl_dp takes it. Returns how many. */
unsigned sl_world_prefixes(const struct sl_oracle *o,
			   struct sl_guard_prefix ret[SL_ORACLE_PREFIXES]);
bool sl_world_check_guard(const struct sl_dp_mem *is, const struct sl_dp_mem *want,
			  const struct sl_oracle *o, const struct sl_oracle_out *out, unsigned row,
			  char ret_text[SL_WORLD_TEXT]);
void sl_world_commit_guard(struct sl_dp_mem *want, const struct sl_oracle *o,
			   const struct sl_oracle_out *out, unsigned row);

/* What a count of answers means: whether those that are refused count, too, is nobody's business.
 */
uint32_t sl_world_count(uint32_t count, uint32_t max);

/* Number of @why in reasons.h; -1: not there yet. */
int sl_world_reason(enum sl_oracle_why why);

/*
 * Whether what a packet did to @is is what @out says, starting
 * from @want, on CPU row @row. @ret_way: where the insert went.
 */
bool sl_world_check(const struct sl_dp_mem *is, const struct sl_dp_mem *want,
		    const struct sl_oracle *o, const struct sl_oracle_out *out, unsigned row,
		    unsigned *ret_way, char ret_text[SL_WORLD_TEXT]);

/* Makes @want what @out says. */
void sl_world_commit(struct sl_dp_mem *want, const struct sl_oracle *o,
		     const struct sl_oracle_out *out, unsigned row, unsigned way);

#endif
