/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/expo.h"

/*
 * metrics_pool: the families with a label for the service or the backend. All
 * of them are asked once, before the first line, since a family is written in
 * one go and there are many families.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/resources.h"

#define STATES ((unsigned)SL_STATE_MAINT + 1)

struct backend_row {
	const struct sl_service *service;
	const struct sl_backend *backend;
	struct sl_counters counters;
	uint64_t checks, failures;
	uint32_t table_slots, active;
	enum sl_state state;
	bool counted; /* active is known */
};

struct service_row {
	const struct sl_service *service;
	struct sl_service_status status;
	uint64_t in_state[STATES];
};

struct snapshot {
	struct service_row *services;
	struct backend_row *backends;
	size_t n_services, n_backends;
};

static void open_service(FILE *out, const char *name, const struct sl_service *s)
{
	sl_expo_open(out, name, "lb_service", s->name);
}

static void open_backend(FILE *out, const char *name, const struct backend_row *row)
{
	open_service(out, name, row->service);
	sl_expo_label(out, "backend", row->backend->name);
}

/* ---- services -------------------------------------------------------------------------- */

static uint64_t service_up(const struct service_row *row)
{
	return row->status.state && strcmp(row->status.state, "down") != 0;
}

static uint64_t service_packets(const struct service_row *row)
{
	return row->status.counters.packets;
}

static uint64_t service_bytes(const struct service_row *row)
{
	return row->status.counters.bytes;
}

static uint64_t service_flows(const struct service_row *row)
{
	return row->status.counters.flows;
}

static uint64_t service_dropped(const struct service_row *row)
{
	return row->status.counters.dropped;
}

static void write_services(FILE *out, const struct snapshot *all)
{
	static const struct {
		const char *name, *type, *help;
		uint64_t (*value)(const struct service_row *row);
	} families[] = {
		{ "service_up", "gauge", "1 while a backend takes new flows.", service_up },
		{ "service_rx_packets_total", "counter", "Packets sent on to backends.",
		  service_packets },
		{ "service_rx_bytes_total", "counter", "Bytes of those, as they came in.",
		  service_bytes },
		{ "service_flows_created_total", "counter",
		  "TCP SYNs and first packets of remembered UDP flows.", service_flows },
		{ "service_dropped_packets_total", "counter",
		  "Packets of the service that were dropped; drop_packets_total has the reasons.",
		  service_dropped },
	};
	char addr[SL_ADDR_STRLEN], port[8];

	sl_expo_family(out, "service_info", "gauge", "A service of the configuration; always 1.");
	for (size_t i = 0; i < all->n_services; i++) {
		const struct sl_service *s = all->services[i].service;

		(void)snprintf(port, sizeof(port), "%u", s->port);
		open_service(out, "service_info", s);
		sl_expo_label(out, "vip", sl_addr_format(&s->addr, addr));
		sl_expo_label(out, "port", port);
		sl_expo_label(out, "proto", sl_proto_name(s->proto));
		sl_expo_close(out, 1);
	}
	sl_expo_family(out, "service_backends", "gauge", "Backends of the service by state.");
	for (size_t i = 0; i < all->n_services; i++) {
		for (unsigned state = 0; state < STATES; state++) {
			open_service(out, "service_backends", all->services[i].service);
			sl_expo_label(out, "state", sl_state_name((enum sl_state)state));
			sl_expo_close(out, all->services[i].in_state[state]);
		}
	}
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		sl_expo_family(out, families[f].name, families[f].type, families[f].help);
		for (size_t i = 0; i < all->n_services; i++) {
			open_service(out, families[f].name, all->services[i].service);
			sl_expo_close(out, families[f].value(&all->services[i]));
		}
	}
}

/* ---- backends -------------------------------------------------------------------------- */

static uint64_t backend_up(const struct backend_row *row)
{
	return row->state == SL_STATE_UP || row->state == SL_STATE_DRAINING ||
	       row->state == SL_STATE_DRAINED;
}

static uint64_t backend_weight(const struct backend_row *row)
{
	return row->backend->weight;
}

static uint64_t backend_slots(const struct backend_row *row)
{
	return row->table_slots;
}

static uint64_t backend_active(const struct backend_row *row)
{
	return row->active;
}

static uint64_t backend_packets(const struct backend_row *row)
{
	return row->counters.packets;
}

static uint64_t backend_bytes(const struct backend_row *row)
{
	return row->counters.bytes;
}

static uint64_t backend_flows(const struct backend_row *row)
{
	return row->counters.flows;
}

static uint64_t backend_checks(const struct backend_row *row)
{
	return row->checks;
}

static uint64_t backend_failures(const struct backend_row *row)
{
	return row->failures;
}

static bool is_draining(const struct backend_row *row)
{
	return row->counted;
}

static bool is_checked(const struct backend_row *row)
{
	return row->service->check.type != SL_CHECK_NONE;
}

static void write_backends(FILE *out, const struct snapshot *all)
{
	static const struct {
		const char *name, *type, *help;
		uint64_t (*value)(const struct backend_row *row);
		bool (*has)(const struct backend_row *row); /* NULL: every backend */
	} families[] = {
		{ "backend_up", "gauge",
		  "1 while it can serve its flows: state up, draining or drained.", backend_up,
		  NULL },
		{ "backend_weight", "gauge", "Declared weight.", backend_weight, NULL },
		{ "backend_table_slots", "gauge", "Slots of the table whose new flows it owns.",
		  backend_slots, NULL },
		{ "backend_flows_active", "gauge",
		  "Estimate of flows left; only while the backend drains.", backend_active,
		  is_draining },
		{ "backend_rx_packets_total", "counter", "Packets sent to it.", backend_packets,
		  NULL },
		{ "backend_rx_bytes_total", "counter", "Bytes of those, as they came in.",
		  backend_bytes, NULL },
		{ "backend_flows_created_total", "counter",
		  "TCP SYNs and first packets of remembered UDP flows sent to it.", backend_flows,
		  NULL },
		{ "health_checks_total", "counter", "Health checks since the agent started.",
		  backend_checks, is_checked },
		{ "health_check_failures_total", "counter", "Health checks that failed.",
		  backend_failures, is_checked },
	};
	char addr[SL_ADDR_STRLEN], port[8];

	sl_expo_family(out, "backend_info", "gauge", "A backend of the configuration; always 1.");
	for (size_t i = 0; i < all->n_backends; i++) {
		const struct sl_backend *b = all->backends[i].backend;

		(void)snprintf(port, sizeof(port), "%u", b->port);
		open_backend(out, "backend_info", &all->backends[i]);
		sl_expo_label(out, "address", sl_addr_format(&b->addr, addr));
		sl_expo_label(out, "port", port);
		sl_expo_close(out, 1);
	}
	sl_expo_family(out, "backend_state", "gauge",
		       "1 for the state it is in, 0 for the others.");
	for (size_t i = 0; i < all->n_backends; i++) {
		for (unsigned state = 0; state < STATES; state++) {
			open_backend(out, "backend_state", &all->backends[i]);
			sl_expo_label(out, "state", sl_state_name((enum sl_state)state));
			sl_expo_close(out, all->backends[i].state == (enum sl_state)state);
		}
	}
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		sl_expo_family(out, families[f].name, families[f].type, families[f].help);
		for (size_t i = 0; i < all->n_backends; i++) {
			if (families[f].has && !families[f].has(&all->backends[i]))
				continue;
			open_backend(out, families[f].name, &all->backends[i]);
			sl_expo_close(out, families[f].value(&all->backends[i]));
		}
	}
}

/* ---- a scrape ------------------------------------------------------------------------------ */

static void take_service(struct sl_api *a, struct snapshot *all, const struct sl_service *s)
{
	struct service_row *row = &all->services[all->n_services++];

	row->service = s;
	if (sl_control_service_status(a->control, s->name, &row->status) < 0)
		memset(&row->status, 0, sizeof(row->status));
	for (size_t i = 0; i < s->n_backends; i++) {
		struct backend_row *b = &all->backends[all->n_backends++];
		struct sl_backend_status st;

		if (sl_control_backend_status(a->control, s->name, s->backends[i].name, &st) < 0)
			memset(&st, 0, sizeof(st));
		b->service = s;
		b->backend = &s->backends[i];
		b->counters = st.counters;
		b->checks = st.check.checks;
		b->failures = st.check.failures;
		b->table_slots = st.table_slots;
		b->active = st.flows.active;
		b->counted = st.flows.known;
		b->state = st.state;
		if ((unsigned)st.state < STATES)
			row->in_state[st.state]++;
	}
}

static int take_snapshot(struct sl_api *a, struct snapshot *ret)
{
	const struct sl_config *c = sl_control_config(a->control);
	size_t n_backends = 0;

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < c->n_services; i++)
		n_backends += c->services[i].n_backends;
	ret->services = calloc(c->n_services + 1, sizeof(*ret->services));
	ret->backends = calloc(n_backends + 1, sizeof(*ret->backends));
	if (!ret->services || !ret->backends)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_services; i++)
		take_service(a, ret, &c->services[i]);
	return 0;
}

int sl_metrics_pool(FILE *out, struct sl_api *a)
{
	struct snapshot all;
	int r = take_snapshot(a, &all);

	if (r == 0) {
		write_services(out, &all);
		write_backends(out, &all);
	}
	free(all.services);
	free(all.backends);
	return r;
}
