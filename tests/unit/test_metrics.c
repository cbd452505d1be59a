/* SPDX-License-Identifier: BSD-2-Clause */

/* metrics: the format as Prometheus reads it, and every family with its numbers. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/expo.h"
#include "tests/lib/fake_dp.h"
#include "tests/lib/http.h"

static struct sl_http h;

static void setup(void)
{
	sl_http_init(&h, NULL);
}

static void teardown(void)
{
	sl_http_done(&h);
}

TestSuite(metrics, .init = setup, .fini = teardown);

/* Whether the last scrape has the sample, as a whole line. */
static bool has(const char *line)
{
	const char *at = h.body;
	size_t len = strlen(line);

	for (; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
		if (strncmp(at, line, len) == 0 && at[len] == '\n')
			return true;
	}
	return false;
}

#define SAMPLE(line) cr_expect(has(line), "%s missing in\n%s", line, h.body)

#define BODY(part) cr_expect(ne(ptr, strstr(h.body, part), NULL), "%s missing in\n%s", part, h.body)

static void scrape(void)
{
	cr_assert(eq(int, sl_http_ask(&h, "GET", "/metrics", NULL, NULL), 200));
	cr_expect(eq(str, (char *)sl_http_header(&h, "Content-Type"),
		     "text/plain; version=0.0.4; charset=utf-8"));
	cr_expect(eq(chr, h.raw[h.len - 1], '\n'));
}

static void declare(void)
{
	cr_assert(eq(int,
		     sl_http_ask(&h, "POST", "/api/v1/services", "application/json",
				 "{\"name\":\"web\",\"address\":\"2001:db8::1\",\"port\":443,"
				 "\"protocol\":\"udp\",\"table\":{\"size\":251},"
				 "\"health_check\":{\"type\":\"none\"},\"backends\":["
				 "{\"name\":\"b1\",\"address\":\"2001:db8:1::1\",\"weight\":3},"
				 "{\"name\":\"b2\",\"address\":\"2001:db8:1::2\","
				 "\"admin_state\":\"maint\"}]}"),
		     201),
		  "%s", h.raw);
}

/* What interfaces did not take; "lo" has ifindex 1 in every namespace. */
Test(metrics, transmit_errors_by_interface_and_errno)
{
	h.fake->transmit[0] = (struct sl_transmit_error){ .ifindex = 99999, .packets = 7 };
	h.fake->transmit[1] =
		(struct sl_transmit_error){ .ifindex = 1, .error = ENETDOWN, .packets = 3 };
	h.fake->transmit[2] = (struct sl_transmit_error){
		.ifindex = 1, .error = ENXIO, .is_tx = true, .packets = 1ull << 60
	};
	h.fake->n_transmit = 3;
	scrape();
	SAMPLE("sluice_transmit_errors_total{interface=\"lo\",kind=\"redirect\",errno=\"ENETDOWN\"}"
	       " 3");
	SAMPLE("sluice_transmit_errors_total{interface=\"lo\",kind=\"tx\",errno=\"ENXIO\"} "
	       "1152921504606846976");
	SAMPLE("sluice_transmit_errors_total{interface=\"ifindex:99999\",kind=\"redirect\",errno="
	       "\"none\"} 7");

	cr_assert(eq(int, sl_http_ask(&h, "GET", "/api/v1/status", NULL, NULL), 200));
	BODY("\"transmit_uncounted\":null");
	BODY("\"transmit_errors\":[{\"interface\":\"lo\",\"kind\":\"redirect\","
	     "\"errno\":\"ENETDOWN\",\"packets\":3},");
	h.fake->transmit_blind = "the kernel has no tracepoint xdp_bulk_tx";
	cr_assert(eq(int, sl_http_ask(&h, "GET", "/api/v1/status", NULL, NULL), 200));
	BODY("\"transmit_uncounted\":\"the kernel has no tracepoint xdp_bulk_tx\"");
}

/* Head, then its samples, each family once; no sample without a head. */
Test(metrics, each_family_stands_together)
{
	char seen[64][80], name[80] = "";
	size_t n = 0;
	char *rest = NULL, *text;

	declare();
	scrape();
	text = strdup(h.body);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			snprintf(name, sizeof(name), "%.*s", (int)strcspn(line + 7, " "), line + 7);
			for (size_t i = 0; i < n; i++)
				cr_expect(ne(str, seen[i], name));
			cr_assert(lt(sz, n, 64));
			memcpy(seen[n++], name, sizeof(name));
			line = strtok_r(NULL, "\n", &rest);
			cr_assert(eq(int, strncmp(line, "# TYPE ", 7), 0), "%s", line);
			cr_expect(eq(int, strncmp(line + 7, name, strlen(name)), 0), "%s", line);
			cr_expect(eq(int, strcmp(line + 7 + strlen(name), " counter") == 0,
				     strlen(name) > 6 &&
					     strcmp(name + strlen(name) - 6, "_total") == 0),
				  "%s", line);
			continue;
		}
		cr_expect(eq(sz, strcspn(line, "{ "), strlen(name)), "%s after %s", line, name);
		cr_expect(eq(int, strncmp(line, name, strlen(name)), 0), "%s after %s", line, name);
	}
	cr_expect(ge(sz, n, 33));
	free(text);
}

Test(metrics, what_is_there_from_the_start)
{
	scrape();
	SAMPLE("sluice_build_info{version=\"" SL_VERSION "\"} 1");
	SAMPLE("sluice_config_revision 1");
	SAMPLE("sluice_sent_packets_total 0");
	SAMPLE("sluice_exception_lookups_total 0");
	SAMPLE("sluice_exception_hits_total 0");
	SAMPLE("sluice_exception_inserts_total 0");
	SAMPLE("sluice_exception_evictions_total{cause=\"expired\"} 0");
	SAMPLE("sluice_exception_evictions_total{cause=\"unconfirmed\"} 0");
	SAMPLE("sluice_exception_insert_failures_total 0");
	SAMPLE("sluice_flow_rescheduled_total 0");
	scrape();
	SAMPLE("sluice_api_requests_total{method=\"GET\",code=\"200\"} 1");
}

Test(metrics, services_and_backends)
{
	struct sl_dp_mem *m = &h.fake->dp.mem;

	declare();
	for (uint32_t id = 1; id < 4; id++) {
		m->cnt_service[id] = (struct sl_cnt){ UINT64_MAX - 100, 20, 30, 40 };
		m->cnt_backend[id] = (struct sl_cnt){ 50, 60, 70, 0 };
	}
	scrape();
	SAMPLE("sluice_config_revision 2");
	SAMPLE("sluice_service_info{lb_service=\"web\",vip=\"2001:db8::1\",port=\"443\",proto="
	       "\"udp\"} 1");
	SAMPLE("sluice_service_up{lb_service=\"web\"} 0");
	SAMPLE("sluice_service_backends{lb_service=\"web\",state=\"maint\"} 1");
	SAMPLE("sluice_service_backends{lb_service=\"web\",state=\"up\"} 0");
	/* of the service: those of its two backends, and of others that were before */
	SAMPLE("sluice_service_rx_packets_total{lb_service=\"web\"} 18446744073709551615");
	SAMPLE("sluice_service_rx_bytes_total{lb_service=\"web\"} 140");
	SAMPLE("sluice_service_flows_created_total{lb_service=\"web\"} 170");
	SAMPLE("sluice_service_dropped_packets_total{lb_service=\"web\"} 40");
	SAMPLE("sluice_backend_info{lb_service=\"web\",backend=\"b1\",address=\"2001:db8:1::1\","
	       "port=\"443\"} 1");
	SAMPLE("sluice_backend_up{lb_service=\"web\",backend=\"b2\"} 0");
	SAMPLE("sluice_backend_state{lb_service=\"web\",backend=\"b2\",state=\"maint\"} 1");
	SAMPLE("sluice_backend_state{lb_service=\"web\",backend=\"b2\",state=\"up\"} 0");
	SAMPLE("sluice_backend_weight{lb_service=\"web\",backend=\"b1\"} 3");
	SAMPLE("sluice_backend_rx_packets_total{lb_service=\"web\",backend=\"b1\"} 50");
	SAMPLE("sluice_backend_rx_bytes_total{lb_service=\"web\",backend=\"b1\"} 60");
	SAMPLE("sluice_backend_flows_created_total{lb_service=\"web\",backend=\"b1\"} 70");
	cr_expect(eq(ptr, strstr(h.body, "\nsluice_health_checks_total{"), NULL), "no checks here");
	cr_expect(eq(ptr, strstr(h.body, "\nsluice_backend_flows_active{"), NULL), "none drains");
	sl_http_ask(&h, "DELETE", "/api/v1/services/web", NULL, NULL);
	scrape();
	cr_expect(eq(ptr, strstr(h.body, "lb_service="), NULL), "no series of what is gone");
}

Test(metrics, every_reason_once_by_action)
{
	char line[96];

	for (unsigned i = 0; i < SL_REASONS_MAX; i++)
		h.fake->dp.mem.cnt_reason->packets[i] = 1000 + i;
	scrape();
	SAMPLE("sluice_sent_packets_total 1001");
	/* Each row of the table is one sample of the family that its action names. */
#define NONE NULL
#define SEND NULL
#define PASS "pass"
#define DROP "drop"
#define CHECK(sym, num, act, label)                                                       \
	if (act) {                                                                        \
		snprintf(line, sizeof(line), "sluice_%s_packets_total{reason=\"%s\"} %u", \
			 (const char *)act, label, 1000u + num);                          \
		SAMPLE(line);                                                             \
	}
	SL_REASONS(CHECK)
#undef CHECK
}

Test(metrics, labels_are_escaped)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	sl_expo_open(out, "x", "a", "q\"b\\n\nz");
	sl_expo_label(out, "b", "");
	sl_expo_close(out, UINT64_MAX);
	cr_assert(eq(int, fclose(out), 0));
	cr_expect(eq(str, text, "sluice_x{a=\"q\\\"b\\\\n\\nz\",b=\"\"} 18446744073709551615\n"));
	free(text);
}
