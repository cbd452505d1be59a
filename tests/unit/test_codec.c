/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading: what each member takes, and what is said of what it does not take. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/codec.h"

#define INVALID -EINVAL, "validation-failed"
#define TYPE	-EPROTO, "wrong-type"
#define UNKNOWN -ENOKEY, "unknown-member"

struct row {
	const char *text;
	int code;
	const char *slug, *pointer, *word; /* @word is part of the detail */
};

static void check(const struct row *row, int r, const struct sl_err *e)
{
	cr_assert_eq(r, row->code, "%s: %d, %s", row->text, r, e->detail);
	cr_assert_str_eq(e->slug, row->slug, "%s: %s", row->text, e->slug);
	cr_assert_str_eq(e->pointer, row->pointer, "%s: %s", row->text, e->pointer);
	cr_assert_not_null(strstr(e->detail, row->word), "%s: \"%s\" is not in: %s", row->text,
			   row->word, e->detail);
}

/* Members of a service, to be put behind those that must be there. */
static const struct row service_rows[] = {
	{ "'port':0", INVALID, "/port", "1 to 65535" },
	{ "'port':70000", INVALID, "/port", "70000" },
	{ "'port':-1", INVALID, "/port", "-1" },
	{ "'port':1.5", INVALID, "/port", "1.5 is not an integer" },
	{ "'port':1e999", INVALID, "/port", "inf" },
	{ "'port':'80'", TYPE, "/port", "an integer" },
	{ "'port':null", TYPE, "/port", "null" },
	{ "'port':true", TYPE, "/port", "boolean" },
	{ "'port':[80]", TYPE, "/port", "array" },
	{ "'port':80,'prot':1", UNKNOWN, "/prot", "did you mean \"port\"" },
	{ "'port':80,'Protocol':'tcp'", UNKNOWN, "/Protocol", "did you mean \"protocol\"" },
	{ "'port':80,'proto':'tcp'", UNKNOWN, "/proto", "did you mean \"protocol\"" },
	{ "'port':80,'idle-timeout':'2s'", UNKNOWN, "/idle-timeout", "\"idle_timeout\"" },
	{ "'port':80,'backend':[]", UNKNOWN, "/backend", "did you mean \"backends\"" },
	{ "'port':80,'healthcheck':{}", UNKNOWN, "/healthcheck", "\"health_check\"" },
	{ "'port':80,'scheduler':'p2c'", UNKNOWN, "/scheduler", "known are: name, desc" },
	{ "'port':80,'a/b~c':1", UNKNOWN, "/a~1b~0c", "a/b~c" },
	{ "'port':80,'':1", UNKNOWN, "/", "no member \"\"" },
	{ "'port':80,'protocol':'TCP'", INVALID, "/protocol", "one of tcp, udp" },
	{ "'port':80,'protocol':6", TYPE, "/protocol", "a number" },
	{ "'port':80,'forwarding':'l2dsr'", TYPE, "/forwarding", "an object" },
	{ "'port':80,'forwarding':{'mode':'nat'}", INVALID, "/forwarding/mode",
	  "one of l2dsr, ipip, gue" },
	{ "'port':80,'forwarding':{'mode':1}", TYPE, "/forwarding/mode", "a string" },
	{ "'port':80,'forwarding':{'mod':'l2dsr'}", UNKNOWN, "/forwarding/mod", "\"mode\"" },
	{ "'port':80,'forwarding':{'gue_port':0}", INVALID, "/forwarding/gue_port", "1 to 65535" },
	{ "'port':80,'forwarding':{'gue_port':65536}", INVALID, "/forwarding/gue_port", "65536" },
	{ "'port':80,'forwarding':{'gue_port':'6080'}", TYPE, "/forwarding/gue_port", "integer" },
	{ "'port':80,'forwarding':{'oversize':'fragment'}", INVALID, "/forwarding/oversize",
	  "drop, send" },
	{ "'port':80,'forwarding':{'vlan':1}", UNKNOWN, "/forwarding/vlan", "gue_port" },
	{ "'port':80,'vlan':1", UNKNOWN, "/vlan", "\"vlan\"" },
	{ "'port':6080,'protocol':'udp','forwarding':{'mode':'gue'}", INVALID,
	  "/forwarding/gue_port", "own UDP port" },
	{ "'port':80,'udp_flows':'quic'", INVALID, "/udp_flows", "needs protocol udp" },
	{ "'port':80,'protocol':'udp','udp_flows':'quic','fragments':'hash3'", INVALID,
	  "/fragments", "QUIC never fragments" },
	{ "'port':80,'table':{'size':16384}", INVALID, "/table/size", "16381" },
	{ "'port':80,'table':{'size':'16381'}", TYPE, "/table/size", "a string" },
	{ "'port':80,'table':{'size':4294967296}", INVALID, "/table/size", "4294967295" },
	{ "'port':80,'udp_flows':'all'", INVALID, "/udp_flows", "flow, none, quic" },
	{ "'port':80,'fragments':'keep'", INVALID, "/fragments", "drop, hash3" },
	{ "'port':80,'fragments':'hash3'", INVALID, "/fragments", "udp alone" },
	{ "'port':80,'on_down':'reset'", INVALID, "/on_down", "reschedule, drop" },
	{ "'port':80,'idle_timeout':300", TYPE, "/idle_timeout", "duration" },
	{ "'port':80,'idle_timeout':'300'", INVALID, "/idle_timeout", "unit" },
	{ "'port':80,'idle_timeout':'250ms'", INVALID, "/idle_timeout", "whole seconds" },
	{ "'port':80,'idle_timeout':'4s'", INVALID, "/idle_timeout", "5s to 900s" },
	{ "'port':80,'idle_timeout':'1h'", INVALID, "/idle_timeout", "3600s" },
	{ "'port':80,'drain_timeout':''", INVALID, "/drain_timeout", "unit" },
	{ "'port':80,'drain_timeout':'s'", INVALID, "/drain_timeout", "unit" },
	{ "'port':80,'drain_timeout':'01s'", INVALID, "/drain_timeout", "unit" },
	{ "'port':80,'drain_timeout':'-1s'", INVALID, "/drain_timeout", "unit" },
	{ "'port':80,'drain_timeout':'1.5s'", INVALID, "/drain_timeout", "unit" },
	{ "'port':80,'drain_timeout':'1 s'", INVALID, "/drain_timeout", "unit" },
	{ "'port':80,'drain_timeout':'1S'", INVALID, "/drain_timeout", "unit" },
	{ "'port':80,'drain_timeout':'1d'", INVALID, "/drain_timeout", "unit" },
	{ "'port':80,'drain_timeout':'4294967296s'", INVALID, "/drain_timeout", "too long" },
	{ "'port':80,'drain_timeout':'99999999999999999999999h'", INVALID, "/drain_timeout",
	  "not a" },
	{ "'port':80,'description':'a\\nb'", INVALID, "/description", "control character" },
	{ "'port':80,'description':{}", TYPE, "/description", "an object" },
	{ "'port':80,'health_check':[]", TYPE, "/health_check", "an object" },
	{ "'port':80,'health_check':null", TYPE, "/health_check", "null" },
	{ "'port':80,'health_check':{'type':'https'}", INVALID, "/health_check/type", "none, tcp" },
	{ "'port':80,'health_check':{'port':0}", INVALID, "/health_check/port", "1 to" },
	{ "'port':80,'health_check':{'interval':'49ms'}", INVALID, "/health_check/interval",
	  "50ms" },
	{ "'port':80,'health_check':{'interval':2}", TYPE, "/health_check/interval", "\"2s\"" },
	{ "'port':80,'health_check':{'interval':'2h'}", INVALID, "/health_check/interval",
	  "3600s" },
	{ "'port':80,'health_check':{'timeout':'3s'}", INVALID, "/health_check/timeout", "2000ms" },
	{ "'port':80,'health_check':{'rise':0}", INVALID, "/health_check/rise", "1 to 100" },
	{ "'port':80,'health_check':{'fall':101}", INVALID, "/health_check/fall", "1 to 100" },
	{ "'port':80,'health_check':{'path':'x'}", INVALID, "/health_check/path", "start with /" },
	{ "'port':80,'health_check':{'host':'a b'}", INVALID, "/health_check/host", "host name" },
	{ "'port':80,'health_check':{'expected_status':200}", TYPE, "/health_check/expected_status",
	  "a string" },
	{ "'port':80,'health_check':{'expected_status':'2xx'}", INVALID,
	  "/health_check/expected_status", "\"200-399\"" },
	{ "'port':80,'health_check':{'expected_status':'399-200'}", INVALID,
	  "/health_check/expected_status", "range" },
	{ "'port':80,'health_check':{'expected_status':'200-'}", INVALID,
	  "/health_check/expected_status", "range" },
	{ "'port':80,'health_check':{'expected_status':'200-3999'}", INVALID,
	  "/health_check/expected_status", "range" },
	{ "'port':80,'health_check':{'intervall':'2s'}", UNKNOWN, "/health_check/intervall",
	  "\"interval\"" },
	{ "'port':80,'backends':{}", TYPE, "/backends", "an array" },
	{ "'port':80,'backends':[7]", TYPE, "/backends/0", "object" },
	{ "'port':80,'backends':[{}]", INVALID, "/backends/0/name", "missing" },
	/* Sorting comes last: z is element 0 although a is before it by name. */
	{ "'port':80,'backends':[{'name':'z','address':'10.0.0.1'},{'name':'m','address':'10.0.0.2'"
	  "},"
	  "{'name':'a','address':'10.0.0.3','weight':257}]",
	  INVALID, "/backends/2/weight", "backend \"a\" of service \"web\"" },
	{ "'port':80,'backends':[{'name':'z','address':'2001:db8::1'},"
	  "{'name':'a','address':'10.0.0.3'}]",
	  INVALID, "/backends/0/address", "IPv4 address, or forwarding ipip or gue" },
	{ "'port':80,'forwarding':{'mode':'gue'},'backends':[{'name':'z','address':'2001:db8::1'},"
	  "{'name':'a','address':'2001:db8::3','forwarding':{'mode':'l2dsr'}}]",
	  INVALID, "/backends/1/address", "IPv4 address, or forwarding ipip or gue" },
	{ "'port':53,'protocol':'udp','backends':[{'name':'z','address':'10.0.0.1','forwarding':"
	  "{'mode':'gue','gue_port':53}}]",
	  INVALID, "/backends/0/forwarding/gue_port", "backend \"z\" of service \"web\"" },
	{ "'port':6080,'protocol':'udp','backends':[{'name':'z','address':'10.0.0.1','forwarding':"
	  "{'mode':'gue'}}]",
	  INVALID, "/backends/0/forwarding/mode", "own UDP port" },
	/* twins, with one of the other family but the same bytes between them */
	{ "'port':80,'forwarding':{'mode':'ipip'},'backends':[{'name':'x','address':'10.0.0.1'},"
	  "{'name':'y','address':'a00:1::'},{'name':'z','address':'10.0.0.1'}]",
	  INVALID, "/backends/2/address", "\"x\" and \"z\"" },
	{ "'port':80,'backends':[{'name':'z','address':'10.0.0.1'},"
	  "{'name':'a','address':'10.0.0.1'}]",
	  INVALID, "/backends/1/address", "\"z\" and \"a\"" },
	{ "'port':80,'backends':[{'name':'z','address':'10.0.0.1'},"
	  "{'name':'a','address':'10.0.0.2'},{'name':'z','address':'10.0.0.3'}]",
	  -EEXIST, "already-exists", "/backends/2/name", "\"z\"" },
};

/* ' becomes ", since C strings full of \" cannot be read. */
static char *quoted(const char *head, const char *text, const char *tail)
{
	size_t size = strlen(head) + strlen(text) + strlen(tail) + 1;
	char *all = malloc(size), *p;

	snprintf(all, size, "%s%s%s", head, text, tail);
	for (p = all; *p; p++)
		if (*p == '\'')
			*p = '"';
	return all;
}

Test(codec, faults_of_services)
{
	struct sl_service s, before;
	struct sl_err e;
	char *text;
	size_t i;

	memset(&before, 0x5a, sizeof(before));
	for (i = 0; i < sizeof(service_rows) / sizeof(service_rows[0]); i++) {
		text = quoted("{'name':'web','address':'192.0.2.10',", service_rows[i].text, "}");
		s = before;
		check(&service_rows[i], sl_codec_read_service(text, strlen(text), NULL, &s, &e),
		      &e);
		cr_assert(!memcmp(&s, &before, sizeof(s)), "%s: output written", text);
		cr_assert_not_null(strstr(e.detail, "service \"web\""), "%s", e.detail);
		cr_assert_eq(sl_codec_read_service(text, strlen(text), "web", &s, NULL),
			     service_rows[i].code);
		free(text);
	}
}

static int read_service(const char *text, const char *name, struct sl_service *ret,
			struct sl_err *e)
{
	char *all = quoted("", text, "");
	int r = sl_codec_read_service(all, strlen(all), name, ret, e);

	free(all);
	return r;
}

Test(codec, names_and_what_must_be_there)
{
	static const struct row rows[] = {
		{ "[]", TYPE, "", "an object" },
		{ "7", TYPE, "", "an object" },
		{ "", -EBADMSG, "invalid-json", "", "empty" },
		{ "{", -EBADMSG, "invalid-json", "", "line 1" },
		{ "{'name':'a','name':'a'}", -EBADMSG, "invalid-json", "/name", "twice" },
		{ "{}", INVALID, "/name", "missing" },
		{ "{'name':'web'}", INVALID, "/address", "missing" },
		{ "{'name':'web','address':'192.0.2.1'}", INVALID, "/port", "missing" },
		{ "{'name':'WEB'}", INVALID, "/name", "a-z 0-9 . _ -" },
		{ "{'name':'a/b'}", INVALID, "/name", "a-z 0-9 . _ -" },
		{ "{'name':''}", INVALID, "/name", "1 to 63" },
		{ "{'name':7}", TYPE, "/name", "a string" },
		{ "{'name':'web','address':'example.org'}", INVALID, "/address", "numeric" },
		{ "{'name':'web','address':'192.0.2.1:80'}", INVALID, "/address", "numeric" },
		{ "{'name':'web','address':3}", TYPE, "/address", "a string" },
		{ "{'name':'web','address':'127.0.0.1','port':80}", INVALID, "/address",
		  "loopback" },
	};
	char longname[200] = "{'name':'";
	struct sl_service s;
	struct sl_err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], read_service(rows[i].text, NULL, &s, &e), &e);
	memset(longname + 9, 'a', 64);
	snprintf(longname + 73, sizeof(longname) - 73, "'}");
	cr_assert_eq(read_service(longname, NULL, &s, &e), -EINVAL);
	cr_assert_not_null(strstr(e.detail, "at most 63"), "%s", e.detail);
}

Test(codec, name_in_the_url)
{
	static const char body[] = "{'address':'192.0.2.1','port':80}";
	struct sl_service s;
	struct sl_err e;

	cr_assert_eq(read_service(body, "web", &s, &e), 0);
	cr_assert_str_eq(s.name, "web");
	cr_assert_eq(read_service("{'name':'web','address':'192.0.2.1','port':80}", "web", &s, &e),
		     0);
	cr_assert_eq(read_service("{'name':'api','address':'192.0.2.1','port':80}", "web", &s, &e),
		     -EINVAL);
	cr_assert_str_eq(e.pointer, "/name");
	cr_assert_not_null(strstr(e.detail, "URL"));
	cr_assert_eq(read_service(body, "WEB", &s, &e), -EINVAL);
	cr_assert_str_eq(e.pointer, "/name");
	cr_assert_eq(read_service(body, "", &s, &e), -EINVAL);
	cr_assert_eq(
		read_service(body,
			     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			     &s, &e),
		-EINVAL);
}

Test(codec, a_service_in_full)
{
	struct sl_service s;
	struct sl_err e = { 0 };

	cr_assert_eq(read_service("{'name':'dns','description':'d\\u00e9','address':'2001:DB8::53',"
				  "'port':53,'protocol':'udp','forwarding':{'mode':'l2dsr'},"
				  "'table':{'size':251},'udp_flows':'none','fragments':'hash3','on_"
				  "down':'drop',"
				  "'idle_timeout':'5m','drain_timeout':'1h',"
				  "'health_check':{'type':'http','port':8080,'path':'/h?a=1',"
				  "'host':'dns.example','expected_status':'204','interval':'250ms',"
				  "'timeout':'250ms','rise':1,'fall':100},"
				  "'backends':[{'name':'b','address':'2001:db8::b','weight':0},"
				  "{'name':'a','address':'2001:db8::a'}],"
				  "'status':{'state':'up','x':[1]},'id':7,'revision':9}",
				  NULL, &s, &e),
		     0, "%s %s", e.pointer, e.detail);
	cr_assert_str_eq(s.description, "d\xc3\xa9");
	cr_assert_eq(s.addr.family, AF_INET6);
	cr_assert_eq(s.port, 53);
	cr_assert_eq(s.proto, SL_PROTO_UDP);
	cr_assert_eq(s.table_size, 251);
	cr_assert_eq(s.udp_flows, SL_UDP_NONE);
	cr_assert_eq(s.fragments, SL_FRAGMENTS_HASH3);
	cr_assert_eq(s.on_down, SL_DOWN_DROP);
	cr_assert_eq(s.idle_timeout_s, 300);
	cr_assert_eq(s.drain_timeout_s, 3600);
	cr_assert_eq(s.check.type, SL_CHECK_HTTP);
	cr_assert_eq(s.check.port, 8080);
	cr_assert_str_eq(s.check.path, "/h?a=1");
	cr_assert_str_eq(s.check.host, "dns.example");
	cr_assert_eq(s.check.status_low, 204);
	cr_assert_eq(s.check.status_high, 204);
	cr_assert_eq(s.check.interval_ms, 250);
	cr_assert_eq(s.check.timeout_ms, 250);
	cr_assert_eq(s.check.rise, 1);
	cr_assert_eq(s.check.fall, 100);
	cr_assert_eq(s.n_backends, 2);
	cr_assert_str_eq(s.backends[0].name, "a", "sorted by name");
	cr_assert_eq(s.backends[0].weight, 100);
	cr_assert_eq(s.backends[0].port, 53);
	cr_assert_eq(s.backends[1].weight, 0);
	sl_service_done(&s);
}

/* What a backend declares is its own, the rest the service's; each member by itself. */
Test(codec, forwarding_of_services_and_backends)
{
	struct sl_service s;
	struct sl_err e = { 0 };

	cr_assert_eq(
		read_service(
			"{'name':'h3','address':'192.0.2.1','port':443,'protocol':'udp',"
			"'udp_flows':'quic','forwarding':{'mode':'ipip','gue_port':7000,"
			"'oversize':'send'},'backends':["
			"{'name':'a','address':'10.0.0.1'},"
			"{'name':'b','address':'2001:db8::2','vlan':4094},"
			"{'name':'c','address':'10.0.0.3','forwarding':{'mode':'gue'}},"
			"{'name':'d','address':'10.0.0.4','forwarding':{'gue_port':9},'vlan':0},"
			"{'name':'e','address':'10.0.0.5','forwarding':{'mode':'l2dsr',"
			"'gue_port':10}},"
			"{'name':'f','address':'10.0.0.6','forwarding':{}}]}",
			NULL, &s, &e),
		0, "%s %s", e.pointer, e.detail);
	cr_assert_eq(s.udp_flows, SL_UDP_QUIC);
	cr_assert_eq(s.forward, SL_FORWARD_IPIP);
	cr_assert_eq(s.gue_port, 7000);
	cr_assert_eq(s.oversize, SL_OVERSIZE_SEND);
#define BACKEND(i, mode, mode_own, port, port_own, tag)             \
	do {                                                        \
		cr_expect_eq(s.backends[i].forward, mode);          \
		cr_expect_eq(s.backends[i].forward_own, mode_own);  \
		cr_expect_eq(s.backends[i].gue_port, port);         \
		cr_expect_eq(s.backends[i].gue_port_own, port_own); \
		cr_expect_eq(s.backends[i].vlan, tag);              \
	} while (0)
	BACKEND(0, SL_FORWARD_IPIP, false, 7000, false, SL_VLAN_KEEP);
	BACKEND(1, SL_FORWARD_IPIP, false, 7000, false, 4094);
	BACKEND(2, SL_FORWARD_GUE, true, 7000, false, SL_VLAN_KEEP);
	BACKEND(3, SL_FORWARD_IPIP, false, 9, true, 0);
	BACKEND(4, SL_FORWARD_L2DSR, true, 10, true, SL_VLAN_KEEP);
	BACKEND(5, SL_FORWARD_IPIP, false, 7000, false, SL_VLAN_KEEP);
#undef BACKEND
	sl_service_done(&s);
}

Test(codec, integers_may_be_written_as_json_numbers)
{
	struct sl_service s;

	cr_assert_eq(read_service("{'name':'a','address':'192.0.2.1','port':8e1}", NULL, &s, NULL),
		     0);
	cr_assert_eq(s.port, 80);
	cr_assert_eq(read_service("{'name':'a','address':'192.0.2.1','port':80.0}", NULL, &s, NULL),
		     0);
	cr_assert_eq(s.port, 80);
	cr_assert_eq(
		read_service("{'name':'a','address':'192.0.2.1','port':65535}", NULL, &s, NULL), 0);
	cr_assert_eq(s.port, 65535);
}

Test(codec, texts_are_measured_in_bytes)
{
	char text[700];
	struct sl_service s;
	struct sl_err e;
	size_t used, i;
	int extra;

	for (extra = 0; extra < 2; extra++) {
		used = (size_t)snprintf(text, sizeof(text),
					"{\"name\":\"a\",\"address\":\"192.0.2.1\",\"port\":80,"
					"\"description\":\"%s",
					extra ? "xx" : "x");
		for (i = 0; i < 127; i++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "\xc3\xa9");
		used += (size_t)snprintf(text + used, sizeof(text) - used, "\"}");
		cr_assert_eq(sl_codec_read_service(text, used, NULL, &s, &e), extra ? -EINVAL : 0);
		cr_assert(extra || strlen(s.description) == 255);
	}
	cr_assert_str_eq(e.pointer, "/description");
	cr_assert_not_null(strstr(e.detail, "256 bytes; at most 255"), "%s", e.detail);
}
