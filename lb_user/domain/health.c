/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/domain/health.h"

void sl_health_init(struct sl_health_machine *m, enum sl_health health, uint16_t rise,
		    uint16_t fall)
{
	m->health = health;
	m->rise = rise ? rise : 1;
	m->fall = fall ? fall : 1;
	m->successes = 0;
	m->failures = 0;
}

bool sl_health_feed(struct sl_health_machine *m, bool success)
{
	enum sl_health before = m->health;

	if (success) {
		m->failures = 0;
		if (m->successes < UINT16_MAX)
			m->successes++;
	} else {
		m->successes = 0;
		if (m->failures < UINT16_MAX)
			m->failures++;
	}

	switch (before) {
	case SL_HEALTH_UNKNOWN:
		m->health = success ? SL_HEALTH_UP : SL_HEALTH_DOWN;
		break;
	case SL_HEALTH_UP:
		if (m->failures >= m->fall)
			m->health = SL_HEALTH_DOWN;
		break;
	case SL_HEALTH_DOWN:
		if (m->successes >= m->rise)
			m->health = SL_HEALTH_UP;
		break;
	}
	return m->health != before;
}

const char *sl_health_name(enum sl_health h)
{
	switch (h) {
	case SL_HEALTH_UP:
		return "up";
	case SL_HEALTH_DOWN:
		return "down";
	case SL_HEALTH_UNKNOWN:
		break;
	}
	return "unknown";
}
