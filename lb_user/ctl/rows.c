/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/ctl/rows.h"

#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/ctl/doc.h"

const char *sl_rows_address(const cJSON *from, const cJSON *port_of, char buf[SL_ROWS_ADDR_LEN])
{
	const char *addr = sl_doc_text(from, "address");
	double port;

	if (!addr[0])
		snprintf(buf, SL_ROWS_ADDR_LEN, "-");
	else if (!sl_doc_number(from, "port", &port) && !sl_doc_number(port_of, "port", &port))
		snprintf(buf, SL_ROWS_ADDR_LEN, "%.60s", addr);
	else
		snprintf(buf, SL_ROWS_ADDR_LEN, strchr(addr, ':') ? "[%.60s]:%.0f" : "%.60s:%.0f",
			 addr, port >= 0 && port <= 65535 ? port : 0);
	return buf;
}

const char *sl_rows_forwarding(const cJSON *forwarding, char buf[SL_ROWS_ADDR_LEN])
{
	const char *mode = sl_doc_text(forwarding, "mode");
	double port;

	if (!strcmp(mode, "gue") && sl_doc_number(forwarding, "gue_port", &port) && port >= 0 &&
	    port <= 65535)
		snprintf(buf, SL_ROWS_ADDR_LEN, "gue to port %.0f", port);
	else
		snprintf(buf, SL_ROWS_ADDR_LEN, "%.60s", mode[0] ? mode : "-");
	return buf;
}

enum sl_style sl_rows_style(const char *state)
{
	if (!strcmp(state, "up"))
		return SL_STYLE_GOOD;
	if (!strcmp(state, "down"))
		return SL_STYLE_BAD;
	if (!strcmp(state, "maint") || !strcmp(state, "drained"))
		return SL_STYLE_DIM;
	return SL_STYLE_WARN;
}

/* A failed check of a backend that is in service: its message belongs to it. */
static bool message_in_check(const cJSON *backend)
{
	const char *status = sl_doc_text(backend, "status.check.status");
	const char *state = sl_doc_text(backend, "status.state");

	if (!status[0] || strstr(status, "OK") || !sl_doc_text(backend, "status.message")[0])
		return false;
	return !strcmp(state, "checking") || (!strcmp(state, "down") && strcmp(status, "INI"));
}

void sl_rows_check(const cJSON *backend, char *buf, size_t size)
{
	const char *status = sl_doc_text(backend, "status.check.status");
	const char *state = sl_doc_text(backend, "status.state");
	double ms, code = sl_doc_count(backend, "status.check.code");

	if (!status[0] || (!strcmp(status, "INI") && strcmp(state, "checking"))) {
		snprintf(buf, size, "-"); /* nothing is checked, or not yet since a restart */
	} else if (message_in_check(backend)) {
		snprintf(buf, size, "%s %s", status, sl_doc_text(backend, "status.message"));
	} else if (strstr(status, "OK")) {
		if (!sl_doc_number(backend, "status.check.duration_ms", &ms) || ms < 0 || ms > 1e9)
			snprintf(buf, size, "%s", status);
		else
			snprintf(buf, size, ms < 1 && ms > 0 ? "%s %.1fms" : "%s %.0fms", status,
				 ms);
	} else if (code > 0 && code < 1000) {
		snprintf(buf, size, "%s %.0f", status, code);
	} else {
		snprintf(buf, size, "%s", status);
	}
}

const char *sl_rows_deadline(const cJSON *backend, char buf[SL_TEXT_SHORT])
{
	char span[SL_TEXT_SHORT];
	int64_t deadline_ms, left_ms;

	buf[0] = '\0';
	if (strcmp(sl_doc_text(backend, "admin_state"), "drain"))
		return buf;
	if (!sl_doc_time(backend, "drain.deadline", &deadline_ms)) {
		snprintf(buf, SL_TEXT_SHORT, "no deadline");
		return buf;
	}
	left_ms = deadline_ms - sl_clock_wall_ms();
	if (left_ms <= 0)
		snprintf(buf, SL_TEXT_SHORT, "deadline passed");
	else
		snprintf(buf, SL_TEXT_SHORT, "%s left",
			 sl_text_format_span(left_ms + 999, span)); /* never "0s left" */
	return buf;
}

/* The element of that name in an earlier list; both lists are sorted by name, mostly equal. */
static const cJSON *earlier(const cJSON *list, const char *name)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		if (!strcmp(sl_doc_text(item, "name"), name))
			return item;
	}
	return NULL;
}

/* A counter as total, or per second; "-" where an earlier value is missing or larger. */
static void cell_counter(struct sl_table *t, const cJSON *now, const cJSON *before,
			 const struct sl_rows_since *since, const char *path, double factor)
{
	double n, old = 0;
	char buf[SL_TEXT_SHORT];

	if (!sl_doc_number(now, path, &n) ||
	    (since->services && (!sl_doc_number(before, path, &old) || n < old))) {
		sl_table_cell(t, SL_STYLE_NONE, "-");
		return;
	}
	if (since->services)
		n = (n - old) / since->seconds * factor;
	sl_table_cell(t, SL_STYLE_NONE, "%s", sl_text_format_count(n, buf));
}

struct sl_table *sl_rows_services(bool rates)
{
	return sl_table_new(rates ? "SERVICE VIP PROTO BACKENDS PPS BPS"
				  : "SERVICE VIP PROTO BACKENDS PACKETS BYTES",
			    6, 0);
}

void sl_rows_service(struct sl_table *t, const cJSON *service, const struct sl_rows_since *since)
{
	const char *name = sl_doc_text(service, "name"),
		   *state = sl_doc_text(service, "status.state");
	const cJSON *before = earlier(since->services, name);
	char addr[SL_ROWS_ADDR_LEN], count[SL_TEXT_SHORT];
	double dropped = sl_doc_count(service, "status.counters.dropped");
	const char *mode = sl_doc_text(service, "forwarding.mode");

	sl_table_row(t);
	sl_table_cell(t, SL_STYLE_NONE, "%s", name);
	sl_table_cell(t, SL_STYLE_NONE, "%s", sl_rows_address(service, NULL, addr));
	sl_table_cell(t, SL_STYLE_NONE, "%s", sl_doc_text(service, "protocol"));
	if (sl_doc_get(service, "status"))
		sl_table_cell(t, sl_rows_style(state), "%.0f/%.0f up",
			      sl_doc_count(service, "status.available"),
			      sl_doc_count(service, "status.total"));
	else
		sl_table_cell(t, SL_STYLE_NONE, "-");
	cell_counter(t, service, before, since, "status.counters.packets", 1);
	cell_counter(t, service, before, since, "status.counters.bytes", since->services ? 8 : 1);
	if (mode[0] && strcmp(mode, "l2dsr"))
		sl_table_note(t, "%s", mode);
	if (dropped > 0 && !since->services)
		sl_table_note(t, "%s dropped", sl_text_format_count(dropped, count));
}

struct sl_table *sl_rows_backends(unsigned indent, bool rates)
{
	return sl_table_new(rates ? "BACKEND ADDRESS STATE SINCE WEIGHT FLOWS NEW/s CHECK"
				  : "BACKEND ADDRESS STATE SINCE WEIGHT FLOWS NEW CHECK",
			    8, indent);
}

static void cell_weight(struct sl_table *t, const cJSON *backend)
{
	const char *state = sl_doc_text(backend, "status.state");
	double weight = sl_doc_count(backend, "weight");
	bool out =
		!strcmp(state, "draining") || !strcmp(state, "drained") || !strcmp(state, "maint");

	sl_table_cell(t, SL_STYLE_NONE, out ? "0/%.0f" : "%.0f", weight);
}

/* What the backend does not share with its service. */
static void path_notes(struct sl_table *t, const cJSON *backend)
{
	char buf[SL_ROWS_ADDR_LEN];
	double vlan;

	if (sl_doc_get(backend, "forwarding"))
		sl_table_note(t, "%s",
			      sl_rows_forwarding(sl_doc_get(backend, "status.forwarding"), buf));
	if (sl_doc_number(backend, "vlan", &vlan))
		sl_table_note(t, "vlan %.0f", vlan);
}

/* What a reader would ask next: until when, why, and what hides behind a good check. */
static void row_notes(struct sl_table *t, const cJSON *backend)
{
	const char *state = sl_doc_text(backend, "status.state");
	const char *message = sl_doc_text(backend, "status.message");
	const char *reason = sl_doc_text(backend, "reason");
	char left[SL_TEXT_SHORT];

	if (!strcmp(state, "draining"))
		sl_table_note(t, "%s", sl_rows_deadline(backend, left));
	if (!strcmp(sl_doc_text(backend, "drain.then"), "delete"))
		sl_table_note(t, "then deleted");
	if (sl_doc_is(backend, "status.drain.by_deadline"))
		sl_table_note(t, "by its deadline");
	if (reason[0])
		sl_table_note(t, "\"%s\"", reason);
	if (!strcmp(state, "down") && message[0] && !message_in_check(backend))
		sl_table_note(t, "%s", message);
	else if (sl_doc_is_false(backend, "status.next_hop.resolved") && strcmp(state, "down"))
		sl_table_note(t, "next hop not resolved");
}

void sl_rows_backend(struct sl_table *t, const cJSON *service, const char *prefix,
		     const cJSON *backend, const struct sl_rows_since *since)
{
	const char *name = sl_doc_text(backend, "name"),
		   *state = sl_doc_text(backend, "status.state");
	const cJSON *before = NULL;
	char buf[SL_ROWS_ADDR_LEN], check[256];
	int64_t ms;
	double flows;

	if (since->services)
		before = earlier(sl_doc_list(earlier(since->services, sl_doc_text(service, "name")),
					     "backends"),
				 name);
	sl_table_row(t);
	sl_table_cell(t, SL_STYLE_NONE, "%s%s%s", prefix ? prefix : "", prefix ? "/" : "", name);
	sl_table_cell(t, SL_STYLE_NONE, "%s", sl_rows_address(backend, service, buf));
	sl_table_cell(t, state[0] ? sl_rows_style(state) : SL_STYLE_NONE, "%s",
		      state[0] ? state : "-");
	if (sl_doc_time(backend, "status.since", &ms))
		sl_table_cell(t, SL_STYLE_NONE, "%s",
			      sl_text_format_span(sl_clock_wall_ms() - ms, buf));
	else
		sl_table_cell(t, SL_STYLE_NONE, "-");
	cell_weight(t, backend);
	if (sl_doc_number(backend, "status.flows.active", &flows) && flows >= 0)
		sl_table_cell(t, SL_STYLE_NONE, "%.0f", flows);
	else
		sl_table_cell(t, SL_STYLE_NONE, "-");
	cell_counter(t, backend, before, since, "status.counters.flows", 1);
	sl_rows_check(backend, check, sizeof(check));
	sl_table_cell(t, SL_STYLE_NONE, "%s", check);
	path_notes(t, backend);
	row_notes(t, backend);
}
