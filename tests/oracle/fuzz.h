/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_ORACLE_FUZZ_H
#define TESTS_ORACLE_FUZZ_H

/* fuzz: one run: the model, the image of what memory must be, the programs under test. */
#include "tests/oracle/subject.h"

#define SL_FUZZ_SUBJECTS 2u
#define SL_FUZZ_REPORTS	 10u /* differences told in full */

struct sl_fuzz {
	struct sl_oracle model;
	struct sl_dp_mem want;
	struct sl_gen gen;
	struct sl_setup_options opt;
	struct sl_subject subject[SL_FUZZ_SUBJECTS];
	unsigned n_subjects; /* the first is the kernel's */
	bool drifts;	     /* this round's clock is ours, the kernel is left out */
	unsigned rounds;
	unsigned begin; /* the first that is asked; 1: the oracle itself instead of programs */
	uint64_t seed, index, differences;
	struct sl_guard_prefix prefix[SL_ORACLE_PREFIXES]; /* listed */
	bool whole; /* compare all memory after every packet */
	bool quiet; /* differences are counted, not printed */
	bool alone; /* the oracle with no program beside it: what the generator reaches */
	uint64_t histogram[SL_WHY_END];
	uint64_t sent_by[SL_BY_END], evictions, moved, reach[SL_BRANCH_END];

	/* the packet at hand */
	uint8_t frame[SL_ORACLE_FRAME];
	uint32_t len, first, ingress; /* @first bytes of it in the first buffer */
	struct sl_oracle_out out;
	struct sl_subject_out is;
	char text[SL_WORLD_TEXT];
};

/*
 * The frame at hand through @s, from the state of @f->want on. false:
 * @f->text says what differs; the state of @s is not what it was.
 */
bool sl_fuzz_try(struct sl_fuzz *f, const struct sl_subject *s, unsigned *ret_way);

/* Makes the memory of @s what it must be. */
void sl_fuzz_restore(struct sl_fuzz *f, const struct sl_subject *s);

/* A new configuration, in the model and in all memory. */
void sl_fuzz_round(struct sl_fuzz *f);

/* One packet more; what differs is printed and counted. */
void sl_fuzz_packet(struct sl_fuzz *f);

/* All of memory, of every program. false: some differed; they are as they must be now. */
bool sl_fuzz_whole(struct sl_fuzz *f);

/* controls.c: whether models that are wrong in one thing are found out; prints a line for each. */
void sl_control_all(struct sl_fuzz *f);

/* report.c: prints the difference that sl_fuzz_try() just found, and a smaller frame with it. */
void sl_fuzz_report(struct sl_fuzz *f, const struct sl_subject *s);
/* The same in one line. */
void sl_fuzz_summary(const struct sl_fuzz *f, const struct sl_subject *s);

/* selftest.c: the oracle against frames written down by hand; prints a line for each. */
void sl_selftest_all(void);

/* echo.c: whether the answer's checksums fit, if those of the request did. */
bool sl_echo_sums_kept(const uint8_t *came, const uint8_t *left, uint32_t len);

#endif
