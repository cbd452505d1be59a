/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_NETNS_RIG_REPORT_H
#define TESTS_NETNS_RIG_REPORT_H

/* rig_report: what was counted, per backend and in all, and how it is printed. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define RIG_PEERS_MAX 64
#define RIG_NAME_LEN  64

struct rig_peer {
	char name[RIG_NAME_LEN];
	bool may_go; /* named in --expect-gone */
	uint64_t held, fresh, answers, lost;
};

struct rig_counts {
	uint64_t requests, held_up, new_begun, new_ok, broken, failed, gone;
	int64_t max_ms; /* the slowest answer */
};

extern struct rig_peer rig_peers[RIG_PEERS_MAX];
extern struct rig_counts rig_counts;

/* The index of a backend's name; the last place takes all that do not fit. */
int rig_peer_find(const char *name, size_t len);

/* One line on stderr per second of @now_ms, and one more when it is the @last. */
void rig_report_progress(int64_t now_ms, bool last);
/* All connections are held: stderr, and the file of --ready. */
void rig_report_ready(void);
void rig_report_json(void);
void rig_report_text(FILE *f);

#endif
