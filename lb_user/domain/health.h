/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_HEALTH_H
#define LB_USER_DOMAIN_HEALTH_H

/*
 * health: what probe results say of a backend. Pure, no clock.
 *
 * unknown -> up on the first success, -> down on the first failure (a new
 * backend takes nothing until it has answered once); up -> down after @fall
 * failures in a row; down -> up after @rise successes in a row.
 */
#include <stdbool.h>
#include <stdint.h>

enum sl_health { SL_HEALTH_UNKNOWN, SL_HEALTH_UP, SL_HEALTH_DOWN };

struct sl_health_machine {
	enum sl_health health;
	uint16_t rise, fall;	      /* thresholds, >= 1 */
	uint16_t successes, failures; /* in a row, saturating */
};

/* @health: where it stands, e.g. what an adopted data plane shows. */
void sl_health_init(struct sl_health_machine *m, enum sl_health health, uint16_t rise,
		    uint16_t fall);

/* Feeds one result. Returns whether health changed. */
bool sl_health_feed(struct sl_health_machine *m, bool success);

const char *sl_health_name(enum sl_health h);

#endif
