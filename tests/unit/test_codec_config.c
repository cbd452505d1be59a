/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole configurations: what is written is read back exactly, and nothing else gets in. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/codec.h"
#include "lb_user/domain/validate.h"

static uint64_t random_state;

static uint32_t below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % n;
}

static void random_name(char *buf, unsigned unique)
{
	static const char inner[] = "abcxyz0189._-";
	size_t len = below(40), i;
	int used = snprintf(buf, SL_NAME_LEN, "%c", "az09m"[below(5)]);

	for (i = 0; i < len; i++)
		used += snprintf(buf + used, SL_NAME_LEN - (size_t)used, "%c",
				 inner[below(sizeof(inner) - 1)]);
	snprintf(buf + used, SL_NAME_LEN - (size_t)used, "x%u", unique);
}

static void random_text(char buf[SL_TEXT_LEN])
{
	static const char *const pieces[] = {
		"a", "Z", " ", "\"", "\\", "/", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x8c",
		"{", "}", ",", "%s", "~",  "'"
	};
	size_t n = below(60), used = 0, i;

	buf[0] = 0;
	for (i = 0; i < n; i++)
		used += (size_t)snprintf(buf + used, SL_TEXT_LEN - used, "%s",
					 pieces[below(sizeof(pieces) / sizeof(*pieces))]);
}

static struct sl_addr unique_addr(bool v6, uint8_t a, uint8_t b, uint8_t c)
{
	struct sl_addr addr = { .family = v6 ? AF_INET6 : AF_INET };

	memcpy(addr.byte_be, v6 ? "\x20\x01\x0d\xb8" : "\x0a", v6 ? 4 : 1);
	addr.byte_be[v6 ? 13 : 1] = a;
	addr.byte_be[v6 ? 14 : 2] = b;
	addr.byte_be[v6 ? 15 : 3] = c;
	return addr;
}

/* Not the service's own. */
static uint16_t random_gue_port(const struct sl_service *s)
{
	uint16_t port = (uint16_t)(1 + below(65534));

	return (uint16_t)(port + (port == s->port));
}

static struct sl_backend random_backend(const struct sl_service *s, unsigned i, unsigned k)
{
	struct sl_backend b;

	sl_backend_defaults(&b);
	random_name(b.name, k);
	b.addr = unique_addr(s->addr.family == AF_INET6, 1, (uint8_t)i, (uint8_t)(k + 1));
	b.port = s->port;
	b.forward_own = below(2);
	b.gue_port_own = below(2);
	if (b.forward_own)
		b.forward = (enum sl_forward)below(3);
	if (b.gue_port_own)
		b.gue_port = random_gue_port(s);
	if (below(2))
		b.vlan = (int32_t)below(SL_VLAN_MAX + 1);
	sl_backend_inherit(&b, s);
	if (b.forward != SL_FORWARD_L2DSR && below(2))
		b.addr = unique_addr(s->addr.family != AF_INET6, 1, (uint8_t)i, (uint8_t)(k + 1));
	b.weight = (uint16_t)below(SL_WEIGHT_MAX + 1);
	b.admin = (enum sl_admin)below(3);
	random_text(b.reason);
	if (b.admin == SL_ADMIN_DRAIN) {
		b.drain_since_wall_ms = (int64_t)below(UINT32_MAX) * 1000 + below(1000);
		if (below(2))
			b.drain_deadline_wall_ms = b.drain_since_wall_ms + 1 + below(UINT32_MAX);
		b.drain_then = (enum sl_drain_then)below(3);
	}
	return b;
}

static void random_check(struct sl_check *c)
{
	c->type = (enum sl_check_type)below(3);
	c->port = (uint16_t)(below(2) ? below(65536) : 0);
	c->status_low = (uint16_t)(100 + below(500));
	c->status_high = (uint16_t)(c->status_low + below(600u - c->status_low));
	c->interval_ms = 50 + below(3599951);
	if (below(2))
		c->interval_ms = 1000 * (1 + below(3600));
	c->timeout_ms = 10 + below(c->interval_ms - 9);
	c->rise = (uint16_t)(1 + below(100));
	c->fall = (uint16_t)(1 + below(100));
	snprintf(c->path, sizeof(c->path), "/%s", below(2) ? "a\"b\\c?d=%20~" : "");
	snprintf(c->host, sizeof(c->host), "%s", below(2) ? "api.example:8080" : "");
}

static struct sl_service random_service(unsigned i)
{
	struct sl_service s;
	struct sl_backend b;
	unsigned n = below(8), k;

	sl_service_defaults(&s);
	random_name(s.name, i);
	random_text(s.description);
	s.addr = unique_addr(below(2), 2, (uint8_t)i, 1);
	s.port = (uint16_t)(1 + below(65535));
	s.proto = below(2) ? SL_PROTO_TCP : SL_PROTO_UDP;
	s.table_size = sl_table_sizes[below(12)];
	s.udp_flows = (enum sl_udp_flows)below(s.proto == SL_PROTO_UDP ? 3 : 2);
	s.fragments = s.proto == SL_PROTO_UDP && s.udp_flows != SL_UDP_QUIC
			      ? (enum sl_fragments)below(2)
			      : SL_FRAGMENTS_DROP;
	s.forward = (enum sl_forward)below(3);
	s.gue_port = random_gue_port(&s);
	s.oversize = (enum sl_oversize)below(2);
	s.on_down = (enum sl_on_down)below(2);
	s.idle_timeout_s = SL_IDLE_TIMEOUT_MIN_S + below(896);
	s.drain_timeout_s = below(4) ? below(UINT32_MAX) : below(2) ? 0 : UINT32_MAX;
	random_check(&s.check);
	for (k = 0; k < n; k++) {
		b = random_backend(&s, i, k);
		cr_assert_eq(sl_service_add(&s, &b), 0);
	}
	return s;
}

static struct sl_config random_config(void)
{
	struct sl_config c = { .revision = (uint64_t)below(1u << 21) << 32 | below(UINT32_MAX) };
	unsigned n = below(6), i;
	struct sl_service s;

	if (below(2))
		sl_prefix_parse(below(2) ? "172.20.0.0/14" : "172.20.1.2",
				&c.encapsulation.source4);
	if (below(2))
		sl_prefix_parse(below(2) ? "fd00:9::/32" : "fd00:9::7", &c.encapsulation.source6);
	for (i = 0; i < n; i++) {
		s = random_service(i);
		cr_assert_eq(sl_config_add(&c, &s), 0);
	}
	c.n_interfaces = below(4);
	if (c.n_interfaces)
		c.interfaces = calloc(c.n_interfaces, sizeof(*c.interfaces));
	for (i = 0; i < c.n_interfaces; i++) {
		snprintf(c.interfaces[i].name, SL_IFNAME_LEN, "eth%u.%u", 9 - i, below(1000));
		c.interfaces[i].mode = (enum sl_mode)below(2);
	}
	return c;
}

static void same_backend(const struct sl_backend *a, const struct sl_backend *b)
{
	cr_assert_str_eq(a->name, b->name);
	cr_assert(sl_addr_equal(&a->addr, &b->addr));
	cr_assert_eq(a->port, b->port);
	cr_assert_eq(a->forward, b->forward);
	cr_assert_eq(a->forward_own, b->forward_own);
	cr_assert_eq(a->gue_port, b->gue_port);
	cr_assert_eq(a->gue_port_own, b->gue_port_own);
	cr_assert_eq(a->vlan, b->vlan);
	cr_assert_eq(a->weight, b->weight);
	cr_assert_eq(a->admin, b->admin);
	cr_assert_str_eq(a->reason, b->reason);
	cr_assert_eq(a->drain_since_wall_ms, b->drain_since_wall_ms);
	cr_assert_eq(a->drain_deadline_wall_ms, b->drain_deadline_wall_ms);
	cr_assert_eq(a->drain_then, b->drain_then);
}

static void same_check(const struct sl_check *a, const struct sl_check *b)
{
	cr_assert_eq(a->type, b->type);
	cr_assert_eq(a->port, b->port);
	cr_assert_eq(a->status_low, b->status_low);
	cr_assert_eq(a->status_high, b->status_high);
	cr_assert_eq(a->interval_ms, b->interval_ms);
	cr_assert_eq(a->timeout_ms, b->timeout_ms);
	cr_assert_eq(a->rise, b->rise);
	cr_assert_eq(a->fall, b->fall);
	cr_assert_str_eq(a->path, b->path);
	cr_assert_str_eq(a->host, b->host);
}

static void same_service(const struct sl_service *a, const struct sl_service *b)
{
	size_t i;

	cr_assert_str_eq(a->name, b->name);
	cr_assert_str_eq(a->description, b->description);
	cr_assert(sl_addr_equal(&a->addr, &b->addr));
	cr_assert_eq(a->port, b->port);
	cr_assert_eq(a->proto, b->proto);
	cr_assert_eq(a->table_size, b->table_size);
	cr_assert_eq(a->udp_flows, b->udp_flows);
	cr_assert_eq(a->fragments, b->fragments);
	cr_assert_eq(a->forward, b->forward);
	cr_assert_eq(a->gue_port, b->gue_port);
	cr_assert_eq(a->oversize, b->oversize);
	cr_assert_eq(a->on_down, b->on_down);
	cr_assert_eq(a->idle_timeout_s, b->idle_timeout_s);
	cr_assert_eq(a->drain_timeout_s, b->drain_timeout_s);
	same_check(&a->check, &b->check);
	cr_assert_eq(a->n_backends, b->n_backends);
	for (i = 0; i < a->n_backends; i++)
		same_backend(&a->backends[i], &b->backends[i]);
}

static void same_config(const struct sl_config *a, const struct sl_config *b)
{
	size_t i;

	cr_assert_eq(a->revision, b->revision);
	cr_assert_eq(a->n_interfaces, b->n_interfaces);
	for (i = 0; i < a->n_interfaces; i++) {
		cr_assert_str_eq(a->interfaces[i].name, b->interfaces[i].name);
		cr_assert_eq(a->interfaces[i].mode, b->interfaces[i].mode);
	}
	cr_assert(sl_prefix_equal(&a->encapsulation.source4, &b->encapsulation.source4));
	cr_assert(sl_prefix_equal(&a->encapsulation.source6, &b->encapsulation.source6));
	cr_assert_eq(a->n_services, b->n_services);
	for (i = 0; i < a->n_services; i++)
		same_service(&a->services[i], &b->services[i]);
}

Test(codec_config, what_is_written_is_read_back)
{
	static const uint64_t seeds[] = { 1, 20261123, 0x9e3779b97f4a7c15ull };
	struct sl_config c, d;
	struct sl_err e = { 0 };
	size_t len, len2, i;
	char *text, *text2;
	int round;

	for (i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		fprintf(stderr, "# seed %llu\n", (unsigned long long)seeds[i]);
		random_state = seeds[i];
		for (round = 0; round < 300; round++) {
			c = random_config();
			cr_assert_eq(sl_codec_write_config(&c, &text, &len), 0);
			cr_assert_eq(strlen(text), len);
			cr_assert_eq(text[len - 1], '\n');
			cr_assert_eq(sl_codec_read_config(text, len, &d, &e), 0,
				     "seed %llu, round %d: %s %s\n%s", (unsigned long long)seeds[i],
				     round, e.pointer, e.detail, text);
			same_config(&c, &d);
			cr_assert_eq(sl_codec_write_config(&d, &text2, &len2), 0);
			cr_assert_str_eq(text, text2);
			free(text);
			free(text2);
			sl_config_done(&c);
			sl_config_done(&d);
		}
	}
}

Test(codec_config, durations_keep_their_unit)
{
	struct sl_config c = { 0 };
	struct sl_service s;
	char *text;
	size_t len;

	random_state = 7;
	s = random_service(1);
	s.idle_timeout_s = 300;
	s.drain_timeout_s = 0;
	s.check.interval_ms = 2000;
	s.check.timeout_ms = 250;
	cr_assert_eq(sl_config_add(&c, &s), 0);
	cr_assert_eq(sl_codec_write_config(&c, &text, &len), 0);
	cr_assert_not_null(strstr(text, "\"idle_timeout\":\t\"300s\""));
	cr_assert_not_null(strstr(text, "\"drain_timeout\":\t\"0s\""));
	cr_assert_not_null(strstr(text, "\"interval\":\t\"2s\""));
	cr_assert_not_null(strstr(text, "\"timeout\":\t\"250ms\""));
	free(text);
	sl_config_done(&c);
}

/* One tree at a time, so that callers may add "status" and send it. */
Test(codec_config, trees_of_one_object)
{
	struct sl_service s;
	struct sl_backend b;
	struct cJSON *tree;

	random_state = 9;
	s = random_service(1);
	b = random_backend(&s, 1, 1);
	b.admin = SL_ADMIN_READY;
	tree = sl_codec_write_service(&s);
	cr_assert_not_null(tree);
	cr_assert_null(cJSON_GetObjectItemCaseSensitive(tree, "backends"));
	cr_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "name")),
			 s.name);
	cJSON_Delete(tree);
	b.forward_own = b.gue_port_own = false;
	b.vlan = SL_VLAN_KEEP;
	tree = sl_codec_write_backend(&b);
	cr_assert_null(cJSON_GetObjectItemCaseSensitive(tree, "drain"), "only while it drains");
	cr_assert_null(cJSON_GetObjectItemCaseSensitive(tree, "forwarding"), "only its own");
	cr_assert_null(cJSON_GetObjectItemCaseSensitive(tree, "vlan"), "only if declared");
	cJSON_Delete(tree);
	b.admin = SL_ADMIN_DRAIN;
	b.drain_deadline_wall_ms = 0;
	tree = sl_codec_write_backend(&b);
	cr_assert(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(
		cJSON_GetObjectItemCaseSensitive(tree, "drain"), "deadline")));
	cJSON_Delete(tree);
	sl_service_done(&s);
}

static const struct {
	const char *text;
	int code;
	const char *pointer, *word;
} fault_rows[] = {
	{ "[]", -EPROTO, "", "an object" },
	{ "{'service':[]}", -ENOKEY, "/service", "\"services\"" },
	{ "{'services':{}}", -EPROTO, "/services", "an array" },
	{ "{'services':[1]}", -EPROTO, "/services/0", "an object" },
	{ "{'services':null}", -EPROTO, "/services", "null" },
	{ "{'revision':-1}", -EINVAL, "/revision", "0 to" },
	{ "{'revision':1.5}", -EINVAL, "/revision", "integer" },
	{ "{'revision':9007199254740992}", -EINVAL, "/revision", "9007199254740991" },
	{ "{'revision':'1'}", -EPROTO, "/revision", "integer" },
	{ "{'revision':1,'revision':1}", -EBADMSG, "/revision", "twice" },
	{ "{'interfaces':['eth0']}", -EPROTO, "/interfaces/0", "an object" },
	{ "{'interfaces':[{}]}", -EINVAL, "/interfaces/0/name", "missing" },
	{ "{'interfaces':[{'name':'abcdefghijklmnop'}]}", -EINVAL, "/interfaces/0/name", "15" },
	{ "{'interfaces':[{'name':''}]}", -EINVAL, "/interfaces/0/name", "ip link" },
	{ "{'interfaces':[{'name':'a'},{'name':'a'}]}", -EEXIST, "/interfaces/1/name", "twice" },
	{ "{'interfaces':[{'name':'a','mode':'skb'}]}", -EINVAL, "/interfaces/0/mode",
	  "native, generic" },
	{ "{'encapsulation':[]}", -EPROTO, "/encapsulation", "an object" },
	{ "{'encapsulation':null}", -EPROTO, "/encapsulation", "null" },
	{ "{'encapsulaton':{}}", -ENOKEY, "/encapsulaton", "\"encapsulation\"" },
	{ "{'encapsulation':{'source':'10.9.0.0/16'}}", -ENOKEY, "/encapsulation/source",
	  "\"source4\"" },
	{ "{'encapsulation':{'source4':9}}", -EPROTO, "/encapsulation/source4", "a string" },
	{ "{'encapsulation':{'source4':'10.9.0.0/33'}}", -EINVAL, "/encapsulation/source4",
	  "not a prefix" },
	{ "{'encapsulation':{'source4':'10.9.3.0/16'}}", -EINVAL, "/encapsulation/source4",
	  "did you mean \"10.9.0.0/16\"" },
	{ "{'encapsulation':{'source6':'2001:db8::9:0:0/64'}}", -EINVAL, "/encapsulation/source6",
	  "did you mean \"2001:db8::/64\"" },
	{ "{'encapsulation':{'source4':'2001:db8::/96'}}", -EINVAL, "/encapsulation/source4",
	  "IPv6 ones go into source6" },
	{ "{'encapsulation':{'source6':'10.9.0.0/16'}}", -EINVAL, "/encapsulation/source6",
	  "IPv4 ones go into source4" },
	{ "{'services':[{'name':'a','address':'192.0.2.1','port':1},"
	  "{'name':'b','address':'192.0.2.1','port':0}]}",
	  -EINVAL, "/services/1/port", "service \"b\"" },
	/* in the order of the document: "z" is 0, "a" is 1 */
	{ "{'services':[{'name':'z','address':'192.0.2.1','port':1},"
	  "{'name':'a','address':'192.0.2.1','port':1}]}",
	  -EADDRINUSE, "/services/1/address", "belongs to service \"z\"" },
	{ "{'services':[{'name':'a','address':'192.0.2.1','port':1},"
	  "{'name':'a','address':'192.0.2.2','port':1}]}",
	  -EEXIST, "/services/1/name", "two services" },
	{ "{'services':[{'name':'z','address':'192.0.2.1','port':1,"
	  "'backends':[{'name':'b','address':'192.0.2.2'}]},"
	  "{'name':'a','address':'192.0.2.2','port':1}]}",
	  -EINVAL, "/services/0/backends/0/address", "service \"a\"" },
	{ "{'services':[{'name':'z','address':'192.0.2.1','port':1,"
	  "'backends':[{'name':'b','address':'10.0.0.2','colour':'red'}]}]}",
	  -ENOKEY, "/services/0/backends/0/colour", "backend \"b\" of service \"z\"" },
};

Test(codec_config, faults)
{
	struct sl_config c, before;
	struct sl_err e;
	char text[500], *p;
	size_t i;

	memset(&before, 0x5a, sizeof(before));
	for (i = 0; i < sizeof(fault_rows) / sizeof(fault_rows[0]); i++) {
		snprintf(text, sizeof(text), "%s", fault_rows[i].text);
		for (p = text; *p; p++)
			if (*p == '\'')
				*p = '"';
		c = before;
		cr_assert_eq(sl_codec_read_config(text, strlen(text), &c, &e), fault_rows[i].code,
			     "%s: %s", text, e.detail);
		cr_assert_str_eq(e.pointer, fault_rows[i].pointer, "%s: %s", text, e.pointer);
		cr_assert_not_null(strstr(e.detail, fault_rows[i].word), "%s: %s", text, e.detail);
		cr_assert(!memcmp(&c, &before, sizeof(c)));
	}
	cr_assert_eq(sl_codec_read_config("{}", 2, &c, &e), 0);
	cr_assert(!c.revision && !c.n_services && !c.services && !c.interfaces);
}
