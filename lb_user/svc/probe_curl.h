/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_PROBE_CURL_H
#define LB_USER_SVC_PROBE_CURL_H

/*
 * probe_curl: libcurl's multi interface driven by the loop: it says which
 * sockets to watch and when to wake it, libuv does both. For probe_http.c.
 */
#include <curl/curl.h>
#include <uv.h>

struct sl_probe_curl; /* one per prober */

/* To be embedded in what a transfer is for. The owner makes and frees @easy. */
struct sl_transfer {
	CURL *easy;
	/*
	 * The transfer is over; @easy is to be removed, and freed. Never called
	 * from inside libcurl, so that anything may be done here, even freeing
	 * other transfers and the sl_probe_curl itself.
	 */
	void (*done)(struct sl_transfer *t, CURLcode rc);
	int local_error; /* negative errno: a socket could not be made or watched */
};

/* Return 0 or a negative errno. */
int sl_probe_curl_new(uv_loop_t *loop, struct sl_probe_curl **ret);
int sl_probe_curl_add(struct sl_probe_curl *c, struct sl_transfer *t);

/* Ends a transfer without a word; also for one that was never added. */
void sl_probe_curl_remove(struct sl_probe_curl *c, struct sl_transfer *t);

/* No transfer may be left. Its timer closes on the next turn of the loop. NULL is fine. */
void sl_probe_curl_free(struct sl_probe_curl *c);

#endif
