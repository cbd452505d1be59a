/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/resources.h"

/*
 * metrics: everything counted, in Prometheus text format 0.0.4. Names are API:
 * add, never rename, see README.md.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <sluice/reasons.h>

#include "api/expo.h"

/* ---- the agent and its interfaces ----------------------------------------------------- */

static void write_agent(FILE *out, const struct sl_api *a)
{
	const struct sl_config *c = sl_control_config(a->control);

	sl_expo_family(out, "build_info", "gauge", "Version of the agent; always 1.");
	sl_expo_one(out, "build_info", "version", SL_VERSION, 1);
	sl_expo_family(out, "start_time_seconds", "gauge",
		       "When the agent started, seconds since 1970.");
	(void)fprintf(out, "sluice_start_time_seconds %" PRId64 ".%03d\n",
		      a->started_wall_ms / 1000, (int)(a->started_wall_ms % 1000));
	sl_expo_plain(out, "config_revision", "gauge", "Revision of the declared configuration.",
		      c->revision);

	sl_expo_plain(out, "read_only", "gauge",
		      "Whether the state file could not be read and changes are refused.",
		      sl_control_readonly(a->control) != NULL);

	sl_expo_family(out, "interface_info", "gauge",
		       "An interface of the configuration; always 1.");
	for (size_t i = 0; i < c->n_interfaces; i++) {
		sl_expo_open(out, "interface_info", "interface", c->interfaces[i].name);
		sl_expo_label(out, "mode", sl_mode_name(c->interfaces[i].mode));
		sl_expo_close(out, 1);
	}
	sl_expo_family(out, "interface_attached", "gauge",
		       "1 while the program is on the interface.");
	for (size_t i = 0; i < c->n_interfaces; i++) {
		struct sl_interface_status st = { 0 };

		if (sl_control_interface_status(a->control, c->interfaces[i].name, &st) < 0)
			st.attached = false;
		sl_expo_one(out, "interface_attached", "interface", c->interfaces[i].name,
			    st.attached);
	}
}

/* ---- the packet path --------------------------------------------------------------------- */

enum action { NONE, PASS, SEND, DROP };

static void write_reasons(FILE *out, const uint64_t counts[SL_REASONS_MAX], enum action which,
			  const char *name, const char *help)
{
	static const struct {
		unsigned number;
		enum action action;
		const char *text;
	} rows[] = {
#define REASON_ROW(sym, num, act, text) { num, act, text },
		SL_REASONS(REASON_ROW)
#undef REASON_ROW
	};

	sl_expo_family(out, name, "counter", help);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].action == which && rows[i].number != SL_R_SENT)
			sl_expo_one(out, name, "reason", rows[i].text, counts[rows[i].number]);
	}
}

static void write_transmit(void *user, const struct sl_transmit_status *t)
{
	FILE *out = user;

	sl_expo_open(out, "transmit_errors_total", "interface", t->interface);
	sl_expo_label(out, "kind", t->kind);
	sl_expo_label(out, "errno", t->error);
	sl_expo_close(out, t->packets);
}

static void write_datapath(FILE *out, const struct sl_api *a)
{
	uint64_t counts[SL_REASONS_MAX] = { 0 };
	struct sl_exc_cnt n = { 0 };

	sl_control_reasons(a->control, counts);
	write_reasons(out, counts, DROP, "drop_packets_total", "Packets of services, dropped.");
	write_reasons(out, counts, PASS, "pass_packets_total",
		      "Packets that are not ours, left to the host.");
	sl_expo_plain(out, "sent_packets_total", "counter", "Packets sent on to backends.",
		      counts[SL_R_SENT]);
	write_reasons(out, counts, SEND, "answered_packets_total",
		      "Packets that the packet path answered itself.");
	sl_expo_family(out, "transmit_errors_total", "counter",
		       "Packets sent or answered that an interface then did not take.");
	sl_control_transmit_errors(a->control, write_transmit, out);

	sl_control_exceptions(a->control, &n);
	sl_expo_plain(out, "exception_lookups_total", "counter",
		      "Flows looked up among the remembered.", n.lookups);
	sl_expo_plain(out, "exception_hits_total", "counter", "Lookups that found the flow.",
		      n.hits);
	sl_expo_plain(out, "exception_inserts_total", "counter", "Flows remembered.", n.inserts);
	sl_expo_family(out, "exception_evictions_total", "counter",
		       "Remembered flows that made room for others.");
	sl_expo_one(out, "exception_evictions_total", "cause", "expired", n.evicted_expired);
	sl_expo_one(out, "exception_evictions_total", "cause", "unconfirmed",
		    n.evicted_unconfirmed);
	sl_expo_plain(out, "exception_insert_failures_total", "counter",
		      "Flows that found no room and were not remembered.", n.failed);
	sl_expo_plain(out, "flow_rescheduled_total", "counter",
		      "Flows moved because their backend is down.", n.rescheduled);
}

static void write_guard(FILE *out, const struct sl_api *a)
{
	struct sl_guard_cnt n = { 0 };

	sl_control_guard(a->control, &n);
	sl_expo_family(out, "guard_dry_run_packets_total", "counter",
		       "Packets sent although the guard would have dropped them (dry run).");
	sl_expo_one(out, "guard_dry_run_packets_total", "reason", "guard_denied", n.would_deny);
	sl_expo_one(out, "guard_dry_run_packets_total", "reason", "guard_source", n.would_source);
	sl_expo_one(out, "guard_dry_run_packets_total", "reason", "guard_service", n.would_service);
	sl_expo_family(out, "guard_unchecked_packets_total", "counter",
		       "Packets that a limit let through unchecked: no place to remember the "
		       "source, or a lost race for the service's limit.");
	sl_expo_one(out, "guard_unchecked_packets_total", "cause", "table_full", n.table_full);
	sl_expo_one(out, "guard_unchecked_packets_total", "cause", "raced", n.raced);
}

static void write_requests(FILE *out, const struct sl_api *a)
{
	char code[8];

	sl_expo_family(out, "api_requests_total", "counter",
		       "Requests answered, by method and status.");
	for (unsigned m = 0; m < SL_METHODS; m++) {
		for (unsigned s = 0; s < SL_API_STATUSES; s++) {
			if (!a->answered[m][s])
				continue;
			(void)snprintf(code, sizeof(code), "%u", s + SL_API_STATUS_MIN);
			sl_expo_open(out, "api_requests_total", "method",
				     sl_method_name((enum sl_method)m));
			sl_expo_label(out, "code", code);
			sl_expo_close(out, a->answered[m][s]);
		}
	}
}

void sl_metrics_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int failed;

	(void)q;
	if (out) {
		write_agent(out, a);
		failed = sl_metrics_pool(out, a);
		write_datapath(out, a);
		write_guard(out, a);
		write_requests(out, a);
		if (fclose(out) != 0 || failed) {
			free(text);
			text = NULL;
		}
	}
	sl_reply_text(r, 200, SL_CONTENT_METRIC, text, len);
}
