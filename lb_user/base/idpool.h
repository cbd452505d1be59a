/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_BASE_IDPOOL_H
#define LB_USER_BASE_IDPOOL_H

/*
 * idpool: small numbers handed out and taken back. The lowest free one is
 * given, 0 never.
 */
#include <stdbool.h>
#include <stdint.h>

struct sl_idpool;

/* Ids are 1..@max-1. Returns 0 or -ENOMEM. */
int sl_idpool_new(uint32_t max, struct sl_idpool **ret);
void sl_idpool_free(struct sl_idpool *p);

/* Returns 0 or -ENOSPC. */
int sl_idpool_take(struct sl_idpool *p, uint32_t *ret_id);

/* Marks @id as taken (adoption). Returns 0, -EEXIST if it is, -ERANGE. */
int sl_idpool_claim(struct sl_idpool *p, uint32_t id);

void sl_idpool_give(struct sl_idpool *p, uint32_t id);
bool sl_idpool_taken(const struct sl_idpool *p, uint32_t id);

#endif
