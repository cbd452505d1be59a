/* SPDX-License-Identifier: BSD-2-Clause */
/* prefixes: the map of listed prefixes, changed while packets ask it. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/dp/internal.h"

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct sl_guard_key));
}

/* The keys that are there; *ret is heap. */
static int read_keys(int fd, struct sl_guard_key **ret, size_t *ret_n)
{
	struct sl_guard_key *keys = NULL, *grown;
	size_t n = 0, room = 0;

	for (;;) {
		if (n == room) {
			room = room ? room * 2 : 64;
			grown = reallocarray(keys, room, sizeof(*keys));
			if (!grown) {
				free(keys);
				return -ENOMEM;
			}
			keys = grown;
		}
		if (bpf_map_get_next_key(fd, n ? &keys[n - 1] : NULL, &keys[n]) < 0)
			break;
		n++;
	}
	*ret = keys;
	*ret_n = n;
	return 0;
}

/* Removes what is not among @wanted, which is sorted by key. */
static int remove_others(int fd, const struct sl_guard_prefix *wanted, size_t n)
{
	struct sl_guard_key *keys;
	size_t n_keys;
	int r = read_keys(fd, &keys, &n_keys);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n_keys; i++) {
		int e;

		if (n && bsearch(&keys[i], wanted, n, sizeof(*wanted), by_key))
			continue;
		e = bpf_map_delete_elem(fd, &keys[i]);
		if (e < 0 && e != -ENOENT)
			r = e;
	}
	free(keys);
	return r;
}

int sl_prefixes_set(int fd, const struct sl_guard_prefix *list, size_t n, bool prune,
		    struct sl_err *err)
{
	struct sl_guard_prefix *sorted = calloc(n + 1, sizeof(*sorted));
	int r = 0;

	if (!sorted)
		return sl_err_set(err, -ENOMEM, "dataplane-error", "no memory for %zu prefixes", n);
	if (n) {
		memcpy(sorted, list, n * sizeof(*sorted));
		qsort(sorted, n, sizeof(*sorted), by_key);
	}
	/* what is there already is replaced by itself, at once: the kernel swaps one node */
	for (size_t i = 0; i < n && !r; i++)
		r = bpf_map_update_elem(fd, &sorted[i].key, &sorted[i].verdict, 0);
	if (!r && prune)
		r = remove_others(fd, sorted, n);
	free(sorted);
	return r < 0 ? sl_err_set(err, r, "dataplane-error", "the map of listed prefixes: %s",
				  strerror(-r))
		     : 0;
}
