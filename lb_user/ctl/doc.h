/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_CTL_DOC_H
#define LB_USER_CTL_DOC_H

/*
 * doc: a JSON document of the agent. What comes over the socket may be
 * anything: every getter takes NULL, absent members and wrong types.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#define SL_DOC_NODES_MAX 1000000u /* 64 MB of tree; 20,000 backends stay below */

/* @text[@len] is 0. Returns 0, -EBADMSG or -E2BIG. cJSON_Delete() frees *ret. */
int sl_doc_parse(const char *text, size_t len, cJSON **ret);

/*
 * The text itself, indented by two. Numbers stay as they were written (a tree
 * would round those above 2^53); what could act on a terminal is written as
 * \u escapes. @text must have passed sl_doc_parse.
 */
void sl_doc_print(FILE *to, const char *text, size_t len);

/* Members by dotted path, "status.flows.active". NULL if there is none, or null. */
const cJSON *sl_doc_get(const cJSON *from, const char *path);

/* The array at @path (empty path: @from itself), NULL if it is none. */
const cJSON *sl_doc_list(const cJSON *from, const char *path);

const char *sl_doc_text(const cJSON *from, const char *path);	      /* "" if absent */
bool sl_doc_is(const cJSON *from, const char *path);		      /* true only for true */
bool sl_doc_is_false(const cJSON *from, const char *path);	      /* true only for false */
bool sl_doc_number(const cJSON *from, const char *path, double *ret); /* whether there is one */
double sl_doc_count(const cJSON *from, const char *path);	      /* >= 0; absent: 0 */
bool sl_doc_time(const cJSON *from, const char *path, int64_t *ret_wall_ms);

#endif
