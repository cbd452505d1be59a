/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_SETUP_H
#define TESTS_ORACLE_SETUP_H

/* setup: a configuration by chance, and small changes to it between packets. */
#include "tests/oracle/gen.h"

/* What does not change during a run. */
struct sl_setup_options {
	uint32_t ifindex[2]; /* behind devmap ports 1 and 2; packets come in on either */
	uint32_t absent;     /* an ifindex behind no port */
	bool buffers;	     /* frames may come in two buffers */
	bool one_idle;	     /* all services of a configuration have the same idle timeout */
};

/* Everything anew; the key, the clock and nothing else of @o stays. */
void sl_setup_model(struct sl_gen *g, const struct sl_setup_options *opt, struct sl_oracle *o);

/* What a change was made to; UINT32_MAX, 0 and false: nothing. */
struct sl_setup_change {
	uint32_t set;
	uint32_t slot;
	uint16_t backend[2];
	bool limit;
	bool guard; /* what the guard holds of the packet's source and service */
	bool lists;
};

/* guard_setup.c */
void sl_setup_limits(struct sl_gen *g, struct sl_oracle_service *s);
void sl_setup_lists(struct sl_gen *g, struct sl_oracle *o);
void sl_setup_disturb_guard(struct sl_gen *g, struct sl_oracle *o, const struct sl_oracle_out *out);

/* Changes what the packet of @out is about to meet. */
struct sl_setup_change sl_setup_disturb(struct sl_gen *g, struct sl_oracle *o,
					const struct sl_oracle_out *out);

#endif
