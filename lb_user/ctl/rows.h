/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_CTL_ROWS_H
#define LB_USER_CTL_ROWS_H

/* rows: services and backends of the API as rows of tables. */
#include <cjson/cJSON.h>

#include "lb_user/ctl/table.h"
#include "lb_user/ctl/text.h"

/* Rates instead of totals: what an earlier document of the same kind said. */
struct sl_rows_since {
	const cJSON *services; /* the earlier "services" array; NULL: totals */
	double seconds;
};

#define SL_ROWS_ADDR_LEN 80

/* "192.0.2.10:443", "[2001:db8::1]:443"; @port_of when @from has no port itself (may be NULL). */
const char *sl_rows_address(const cJSON *from, const cJSON *port_of, char buf[SL_ROWS_ADDR_LEN]);

enum sl_style sl_rows_style(const char *state);

/* "L4OK 1ms", "L4CON connection refused", "-". */
void sl_rows_check(const cJSON *backend, char *buf, size_t size);

/* "30s left", "no deadline"... of a draining backend, "" for others. */
const char *sl_rows_deadline(const cJSON *backend, char buf[SL_TEXT_SHORT]);

/* "l2dsr", "gue to port 6080" of an object with mode and gue_port; "-" without mode. */
const char *sl_rows_forwarding(const cJSON *forwarding, char buf[SL_ROWS_ADDR_LEN]);

struct sl_table *sl_rows_services(bool rates);
void sl_rows_service(struct sl_table *t, const cJSON *service, const struct sl_rows_since *since);

/* @prefix: names are shown as "web/web-1". */
struct sl_table *sl_rows_backends(unsigned indent, bool rates);
void sl_rows_backend(struct sl_table *t, const cJSON *service, const char *prefix,
		     const cJSON *backend, const struct sl_rows_since *since);

#endif
