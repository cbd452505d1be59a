/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_SUBJECT_H
#define TESTS_ORACLE_SUBJECT_H

/* subject: the program under test, in the kernel or compiled for the host, one packet at a time. */
#include "tests/oracle/setup.h"
#include "tests/oracle/world.h"

struct sl_subject_out {
	int verdict; /* XDP action */
	uint32_t len;
	unsigned port;	/* of a redirect */
	bool port_seen; /* the kernel does not tell it */
	uint8_t byte[SL_ORACLE_LEFT];
};

struct sl_subject {
	const char *name;
	struct sl_dp_mem *mem;
	void (*run)(const struct sl_subject *s, const uint8_t *frame, uint32_t len, uint32_t first,
		    uint32_t ingress, uint64_t jiffies, struct sl_subject_out *ret);
	unsigned row; /* of the per-CPU counters */
	struct sl_dp *dp;
	int fd;
	const uint32_t *egress;
	struct sl_dp_mem own; /* where @mem points but for the kernel */
	bool one_buffer;
	bool traced;				/* the packet at hand */
	const struct sl_guard_prefix *prefixes; /* of the host's */
	unsigned n_prefixes;
	struct sl_oracle *model; /* of the oracle as a subject */
};

/*
 * Loads the program in a network namespace of its own with two interfaces,
 * pinned to one CPU. Ends the process with "not ok" when it cannot.
 */
void sl_subject_kernel(struct sl_subject *ret, uint64_t seed, struct sl_setup_options *ret_opt);

/* false: not linked. */
bool sl_subject_host(struct sl_subject *ret, const struct sl_subject *kernel,
		     const uint32_t *egress);

/*
 * subject_self.c: the oracle in the place of a program, and without the error
 * that @model tells it to make: shows that controls find that error and nothing else.
 */
void sl_subject_self(struct sl_subject *ret, const struct sl_subject *kernel,
		     struct sl_oracle *model);

void sl_subject_close(struct sl_subject *s);

/* @list stays the caller's, until another is. */
void sl_subject_list(struct sl_subject *s, const struct sl_guard_prefix *list, unsigned n);

uint64_t sl_subject_jiffies(const struct sl_subject *kernel);

/* Label of the one reason it counted since @want; none: "sent", which is not counted; "?": several.
 */
const char *sl_subject_reason(const struct sl_subject *s, const struct sl_dp_mem *want);

/* XDP action. */
int sl_subject_action(enum sl_oracle_verdict v);

/* Verdict and bytes against @out, of a frame of @len bytes that came in. false: @ret_text says what
 * differs. */
bool sl_subject_check(const struct sl_subject_out *is, const struct sl_oracle_out *out,
		      const uint8_t *frame, uint32_t len, char ret_text[SL_WORLD_TEXT]);

#endif
