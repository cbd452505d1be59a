/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading backends, patches and drain requests. */
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

/* ' becomes ", since C strings full of \" cannot be read. */
static char *quoted(const char *text)
{
	char *all = strdup(text), *p;

	for (p = all; *p; p++)
		if (*p == '\'')
			*p = '"';
	return all;
}

static int read_backend(const char *text, const char *name, struct sl_backend *ret,
			struct sl_err *e)
{
	struct sl_service s = { .name = "web", .port = 8080, .forward = SL_FORWARD_GUE };
	char *all = quoted(text);
	int r = sl_codec_read_backend(all, strlen(all), name, &s, ret, e);

	free(all);
	return r;
}

static void refuse_all(const struct row *rows, size_t n)
{
	struct sl_backend b, before;
	struct sl_err e;
	size_t i;

	memset(&before, 0x5a, sizeof(before));
	for (i = 0; i < n; i++) {
		b = before;
		check(&rows[i], read_backend(rows[i].text, NULL, &b, &e), &e);
		cr_assert(!memcmp(&b, &before, sizeof(b)));
		cr_assert_not_null(strstr(e.detail, "of service \"web\""), "%s", e.detail);
	}
}

Test(codec_backend, faults)
{
	static const struct row rows[] = {
		{ "[]", TYPE, "", "an object" },
		{ "{'name':'a'}", INVALID, "/address", "missing" },
		{ "{'address':'10.0.0.1'}", INVALID, "/name", "missing" },
		{ "{'name':'A','address':'10.0.0.1'}", INVALID, "/name", "a-z" },
		{ "{'name':'a','address':'10.0.0.1','port':0}", INVALID, "/port", "1 to" },
		{ "{'name':'a','address':'10.0.0.1','weight':257}", INVALID, "/weight",
		  "0 to 256" },
		{ "{'name':'a','address':'10.0.0.1','weight':-1}", INVALID, "/weight", "0 to 256" },
		{ "{'name':'a','address':'10.0.0.1','weight':1.5}", INVALID, "/weight", "integer" },
		{ "{'name':'a','address':'10.0.0.1','weight':'80'}", TYPE, "/weight", "integer" },
		{ "{'name':'a','address':'10.0.0.1','weigth':1}", UNKNOWN, "/weigth",
		  "\"weight\"" },
		{ "{'name':'a','addr':'10.0.0.1'}", UNKNOWN, "/addr", "\"address\"" },
		{ "{'name':'a','address':'10.0.0.1','admin_state':'up'}", INVALID, "/admin_state",
		  "ready, drain, maint" },
		{ "{'name':'a','address':'10.0.0.1','reason':'\\u0007'}", INVALID, "/reason",
		  "0x07" },
		{ "{'name':'a','address':'10.0.0.1','drain':{}}", INVALID, "/drain",
		  "admin_state is \"ready\"" },
		{ "{'name':'a','address':'10.0.0.1','admin_state':'maint','drain':{}}", INVALID,
		  "/drain", "\"maint\"" },
		{ "{'name':'a','address':'10.0.0.1','admin_state':'drain','drain':null}", TYPE,
		  "/drain", "null" },
		{ "{'name':'a','address':'10.0.0.1','admin_state':'drain','drain':{'since':1}}",
		  TYPE, "/drain/since", "a string" },
		{ "{'name':'a','address':'10.0.0.1','admin_state':'drain','drain':{'since':null}}",
		  TYPE, "/drain/since", "null" },
		{ "{'name':'a','address':'10.0.0.1','admin_state':'drain',"
		  "'drain':{'deadline':'tomorrow'}}",
		  INVALID, "/drain/deadline", "2026-" },
		{ "{'name':'a','address':'10.0.0.1','admin_state':'drain',"
		  "'drain':{'since':'1969-12-31T23:59:59Z'}}",
		  INVALID, "/drain/since", "not a time" },
		{ "{'name':'a','address':'10.0.0.1','admin_state':'drain','drain':{'then':'die'}}",
		  INVALID, "/drain/then", "drain, maint, delete" },
		{ "{'name':'a','address':'10.0.0.1','admin_state':'drain','drain':{'until':1}}",
		  UNKNOWN, "/drain/until", "deadline" },
	};

	refuse_all(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(codec_backend, faults_of_forwarding)
{
	static const struct row rows[] = {
		{ "{'name':'a','address':'10.0.0.1','vlan':4095}", INVALID, "/vlan", "0 to 4094" },
		{ "{'name':'a','address':'10.0.0.1','vlan':-1}", INVALID, "/vlan", "0 to 4094" },
		{ "{'name':'a','address':'10.0.0.1','vlan':1.5}", INVALID, "/vlan", "integer" },
		{ "{'name':'a','address':'10.0.0.1','vlan':'7'}", TYPE, "/vlan", "integer" },
		{ "{'name':'a','address':'10.0.0.1','vlan':null}", TYPE, "/vlan", "leave it out" },
		{ "{'name':'a','address':'10.0.0.1','forwarding':'gue'}", TYPE, "/forwarding",
		  "an object" },
		{ "{'name':'a','address':'10.0.0.1','forwarding':null}", TYPE, "/forwarding",
		  "leave it out" },
		{ "{'name':'a','address':'10.0.0.1','forwarding':{'mode':'GUE'}}", INVALID,
		  "/forwarding/mode", "one of l2dsr, ipip, gue" },
		{ "{'name':'a','address':'10.0.0.1','forwarding':{'gue_port':0}}", INVALID,
		  "/forwarding/gue_port", "1 to 65535" },
		{ "{'name':'a','address':'10.0.0.1','forwarding':{'oversize':'send'}}", UNKNOWN,
		  "/forwarding/oversize", "mode, gue_port" },
	};

	refuse_all(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(codec_backend, values)
{
	struct sl_backend b;

	cr_assert_eq(read_backend("{'address':'10.0.0.1'}", "b1", &b, NULL), 0);
	cr_assert_str_eq(b.name, "b1");
	cr_assert_eq(b.port, 8080, "the service's");
	cr_assert_eq(b.weight, 100);
	cr_assert_eq(b.admin, SL_ADMIN_READY);
	cr_assert_eq(b.forward, SL_FORWARD_GUE, "the service's");
	cr_assert(!b.forward_own);
	cr_assert_eq(b.vlan, SL_VLAN_KEEP);
	cr_assert_eq(read_backend("{'address':'10.0.0.1','name':'b2'}", "b1", &b, NULL), -EINVAL);

	/* GET, edit, PUT: what GET adds is ignored. */
	cr_assert_eq(read_backend("{'name':'b1','address':'10.0.0.1','port':80,'weight':256,"
				  "'admin_state':'drain','reason':'because',"
				  "'drain':{'since':'2026-11-23T15:48:28.123Z',"
				  "'deadline':'2026-11-23T15:53:28.123Z','then':'delete'},"
				  "'status':{'health':'up','flows':{'active':null}},'id':3,"
				  "'revision':'any'}",
				  "b1", &b, NULL),
		     0);
	cr_assert_eq(b.port, 80);
	cr_assert_eq(b.weight, 256);
	cr_assert_eq(b.admin, SL_ADMIN_DRAIN);
	cr_assert_str_eq(b.reason, "because");
	cr_assert_eq(b.drain_since_wall_ms, 1795448908123);
	cr_assert_eq(b.drain_deadline_wall_ms, 1795449208123);
	cr_assert_eq(b.drain_then, SL_THEN_DELETE);
	cr_assert_eq(read_backend("{'name':'b1','address':'10.0.0.1','admin_state':'drain',"
				  "'drain':{'deadline':null}}",
				  NULL, &b, NULL),
		     0);
	cr_assert_eq(b.drain_deadline_wall_ms, 0);
	cr_assert_eq(b.drain_then, SL_THEN_DRAIN);
}

static int read_patch(const char *text, struct sl_backend_patch *ret, struct sl_err *e)
{
	char *all = quoted(text);
	int r = sl_codec_read_patch(all, strlen(all), "web", "b1", ret, e);

	free(all);
	return r;
}

Test(codec_backend, patches)
{
	static const struct row rows[] = {
		{ "", -EBADMSG, "invalid-json", "", "empty" },
		{ "[]", TYPE, "", "an object" },
		{ "{'weight':null}", TYPE, "/weight", "null" },
		{ "{'admin_state':null}", TYPE, "/admin_state", "null" },
		{ "{'reason':null}", TYPE, "/reason", "null" },
		{ "{'weight':257}", INVALID, "/weight", "0 to 256" },
		{ "{'weight':'7'}", TYPE, "/weight", "integer" },
		{ "{'admin_state':'down'}", INVALID, "/admin_state", "ready, drain, maint" },
		{ "{'address':'10.0.0.1'}", UNKNOWN, "/address", "PUT" },
		{ "{'name':'x'}", UNKNOWN, "/name", "PUT" },
		{ "{'port':1}", UNKNOWN, "/port", "PUT" },
		{ "{'drain':{}}", UNKNOWN, "/drain", "PUT" },
		{ "{'forwarding':{'mode':'gue'}}", UNKNOWN, "/forwarding", "PUT" },
		{ "{'vlan':7}", UNKNOWN, "/vlan", "PUT" },
		{ "{'Weight':7}", UNKNOWN, "/Weight", "did you mean \"weight\"" },
		{ "{'admin':'ready'}", UNKNOWN, "/admin", "did you mean \"admin_state\"" },
	};
	struct sl_backend_patch p;
	struct sl_err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check(&rows[i], read_patch(rows[i].text, &p, &e), &e);
		cr_assert(rows[i].code == -EBADMSG ||
				  strstr(e.detail, "backend \"b1\" of service \"web\": ") ==
					  e.detail,
			  "%s", e.detail);
	}
	cr_assert_eq(read_patch("{}", &p, &e), 0);
	cr_assert(!p.has_weight && !p.has_admin && !p.has_reason);
	cr_assert_eq(read_patch("{'weight':0}", &p, &e), 0);
	cr_assert(p.has_weight && !p.has_admin && !p.has_reason);
	cr_assert_eq(p.weight, 0);
	cr_assert_eq(read_patch("{'admin_state':'ready','reason':''}", &p, &e), 0);
	cr_assert(!p.has_weight && p.has_admin && p.has_reason);
	cr_assert_eq(p.admin, SL_ADMIN_READY);
	cr_assert_eq(read_patch("{'admin_state':'maint','reason':'disk','weight':9}", &p, &e), 0);
	cr_assert_eq(p.admin, SL_ADMIN_MAINT);
	cr_assert_eq(p.weight, 9);
	cr_assert_str_eq(p.reason, "disk");
}

static int read_drain(const char *text, struct sl_drain_request *ret, struct sl_err *e)
{
	char *all = quoted(text);
	int r = sl_codec_read_drain(all, strlen(all), "web", "b1", ret, e);

	free(all);
	return r;
}

Test(codec_backend, drain_requests)
{
	static const struct row rows[] = {
		{ " ", -EBADMSG, "invalid-json", "", "ends" },
		{ "[]", TYPE, "", "an object" },
		{ "{'timeout_s':'300s'}", TYPE, "/timeout_s", "integer" },
		{ "{'timeout_s':-1}", INVALID, "/timeout_s", "-1" },
		{ "{'timeout_s':0.5}", INVALID, "/timeout_s", "integer" },
		{ "{'timeout_s':4294967296}", INVALID, "/timeout_s", "4294967295" },
		{ "{'timeout':300}", UNKNOWN, "/timeout", "did you mean \"timeout_s\"" },
		{ "{'then':'stop'}", INVALID, "/then", "drain, maint, delete" },
		{ "{'then':null}", TYPE, "/then", "null" },
	};
	struct sl_drain_request q;
	struct sl_err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check(&rows[i], read_drain(rows[i].text, &q, &e), &e);
		cr_assert(
			rows[i].code == -EBADMSG ||
				strstr(e.detail, "drain of backend \"b1\" of service \"web\": ") ==
					e.detail,
			"%s", e.detail);
	}
	memset(&q, 0x5a, sizeof(q));
	cr_assert_eq(sl_codec_read_drain(NULL, 0, "web", "b1", &q, &e), 0);
	cr_assert(!q.has_timeout);
	cr_assert_eq(q.then, SL_THEN_DRAIN);
	cr_assert_str_eq(q.reason, "");
	cr_assert_eq(read_drain("{}", &q, &e), 0);
	cr_assert(!q.has_timeout);
	cr_assert_eq(read_drain("{'timeout_s':0}", &q, &e), 0);
	cr_assert(q.has_timeout);
	cr_assert_eq(q.timeout_s, 0);
	cr_assert_eq(read_drain("{'timeout_s':60,'then':'delete','reason':'upgrade'}", &q, &e), 0);
	cr_assert_eq(q.timeout_s, 60);
	cr_assert_eq(q.then, SL_THEN_DELETE);
	cr_assert_str_eq(q.reason, "upgrade");
}
