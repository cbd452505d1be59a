/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_STORE_H
#define LB_USER_SVC_STORE_H

/*
 * store: the state file. A change is prepared (temporary file beside it,
 * written and synced) before the maps are touched and committed (renamed, the
 * folder synced) after, so that a crash leaves one whole document or the other.
 */
#include <stddef.h>

#include "lb_user/base/err.h"

/*
 * Whole file into fresh memory (free it). At most 16 MiB. Returns 0, -ENOENT,
 * or another negative errno with @err.
 */
int sl_store_read(const char *path, char **ret_text, size_t *ret_len, struct sl_err *err);

/*
 * The two below return 0 or -EIO with @err, slug "state-file-error", whatever
 * the cause (named in the detail), so that no errno of the file system is taken
 * for one of the API. After a failure the old document is in place.
 */

/* Writes and syncs "@path.tmp", mode 0600. */
int sl_store_prepare(const char *path, const char *text, size_t len, struct sl_err *err);
/* Renames "@path.tmp" to @path and syncs the folder. */
int sl_store_commit(const char *path, struct sl_err *err);
/* Removes "@path.tmp". */
void sl_store_abandon(const char *path);

#endif
