/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_NETNS_RIG_OPTIONS_H
#define TESTS_NETNS_RIG_OPTIONS_H

/* rig_options: what the command line asks for. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#define RIG_SOURCES_MAX 64

struct rig_options {
	struct sockaddr_storage target;
	socklen_t target_len;
	struct sockaddr_storage sources[RIG_SOURCES_MAX];
	unsigned n_sources;
	uint32_t hold, rate, new_max;
	int64_t duration_ms, interval_ms, stall_ms, new_ms;
	const char *path;
	const char *ready_file;
	FILE *log;
	bool json;
};

extern struct rig_options rig_opt;

/* Fills rig_opt and names the backends that may go; ends the program on what it cannot use. */
void rig_options_parse(int argc, char **argv);

/* Prints "rig: WHAT: VALUE" and ends the program with status 2. */
void rig_die(const char *what, const char *value) __attribute__((noreturn));

#endif
