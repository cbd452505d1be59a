/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef API_EXPO_H
#define API_EXPO_H

/*
 * expo: Prometheus text format 0.0.4. One family at a time: its head, then all
 * its samples. Write errors (memory) stay in @out, fclose() tells.
 */
#include <stdint.h>
#include <stdio.h>

/* @name without the "sluice_" that all have. @type: "gauge" or "counter". */
void sl_expo_family(FILE *out, const char *name, const char *type, const char *help);

/* A family of one sample without labels. */
void sl_expo_plain(FILE *out, const char *name, const char *type, const char *help, uint64_t value);

/* A sample with one label. */
void sl_expo_one(FILE *out, const char *name, const char *key, const char *text, uint64_t value);

/* A sample with more: open with the first, add the others, close with the value. */
void sl_expo_open(FILE *out, const char *name, const char *key, const char *text);
void sl_expo_label(FILE *out, const char *key, const char *text);
void sl_expo_close(FILE *out, uint64_t value);

#endif
