/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codec_read: a declared service and the whole configuration. Both are
 * validated here too, before they are sorted by name: only then does an index
 * in a pointer mean the element that the user wrote.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/codec_internal.h"
#include "lb_user/domain/validate.h"

/* What a JSON number holds exactly; one change a microsecond gets there in 285 years. */
#define REVISION_MAX 9007199254740991u

static const struct sl_word words_proto[] = {
	{ "tcp", SL_PROTO_TCP },
	{ "udp", SL_PROTO_UDP },
	{ NULL, 0 },
};
static const struct sl_word words_udp_flows[] = {
	{ "flow", SL_UDP_FLOW },
	{ "none", SL_UDP_NONE },
	{ "quic", SL_UDP_QUIC },
	{ NULL, 0 },
};
static const struct sl_word words_fragments[] = {
	{ "drop", SL_FRAGMENTS_DROP },
	{ "hash3", SL_FRAGMENTS_HASH3 },
	{ NULL, 0 },
};
static const struct sl_word words_on_down[] = {
	{ "reschedule", SL_DOWN_RESCHEDULE },
	{ "drop", SL_DOWN_DROP },
	{ NULL, 0 },
};
static const struct sl_word words_check[] = {
	{ "none", SL_CHECK_NONE },
	{ "tcp", SL_CHECK_TCP },
	{ "http", SL_CHECK_HTTP },
	{ NULL, 0 },
};
static const struct sl_word words_mode[] = {
	{ "native", SL_MODE_NATIVE },
	{ "generic", SL_MODE_GENERIC },
	{ NULL, 0 },
};

static bool status_code(const char *text, uint16_t *ret)
{
	size_t i;

	for (i = 0; i < 3; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	*ret = (uint16_t)((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
	return *ret >= 100 && *ret <= 599;
}

/* "200" or "200-399" */
static int field_status(const struct sl_at *at, struct sl_check *c, struct sl_err *err)
{
	static const char key[] = "expected_status";
	uint16_t low, high;
	char text[16];
	int r = sl_field_text(at, key, text, sizeof(text), err);

	if (r <= 0)
		return r;
	if (!status_code(text, &low))
		goto bad;
	high = low;
	if (text[3] && (text[3] != '-' || !status_code(text + 4, &high) || text[7] || high < low))
		goto bad;
	c->status_low = low;
	c->status_high = high;
	return 1;
bad:
	return sl_at_fail(at, key, -EINVAL, err,
			  "%s \"%s\" is not a status code or a range; write \"200\" or \"200-399\"",
			  key, text);
}

static int read_check(const struct sl_at *at, struct sl_check *c, struct sl_err *err)
{
	static const char *const known[] = {
		"type",	    "port",    "path", "host", "expected_status",
		"interval", "timeout", "rise", "fall", NULL
	};
	struct sl_at check;
	int type = c->type;
	int r = sl_field_inner(at, "health_check", false, &check, err);

	if (r <= 0)
		return r;
	if ((r = sl_field_known(&check, known, NULL, err)) < 0 ||
	    (r = sl_field_word(&check, "type", words_check, &type, err)) < 0 ||
	    (r = sl_field_u16(&check, "port", 1, UINT16_MAX, &c->port, err)) < 0 ||
	    (r = sl_field_text(&check, "path", c->path, sizeof(c->path), err)) < 0 ||
	    (r = sl_field_text(&check, "host", c->host, sizeof(c->host), err)) < 0 ||
	    (r = field_status(&check, c, err)) < 0 ||
	    (r = sl_field_ms(&check, "interval", &c->interval_ms, err)) < 0 ||
	    (r = sl_field_ms(&check, "timeout", &c->timeout_ms, err)) < 0 ||
	    (r = sl_field_u16(&check, "rise", 1, 100, &c->rise, err)) < 0 ||
	    (r = sl_field_u16(&check, "fall", 1, 100, &c->fall, err)) < 0)
		return r;
	c->type = (enum sl_check_type)type;
	return 0;
}

static int read_table(const struct sl_at *at, struct sl_service *s, struct sl_err *err)
{
	static const char *const known[] = { "size", NULL };
	struct sl_at inner;
	int r = sl_field_inner(at, "table", false, &inner, err);

	if (r > 0 && (r = sl_field_known(&inner, known, NULL, err)) == 0)
		r = sl_field_u32(&inner, "size", &s->table_size, err);
	return r;
}

static int read_backends(const struct sl_at *at, struct sl_service *s, struct sl_err *err)
{
	struct sl_at array, element = { .up = &array, .subject = at->subject };
	int n, r = sl_field_inner(at, "backends", true, &array, err);

	if (r <= 0)
		return r;
	n = cJSON_GetArraySize(array.node);
	if (!n)
		return 0;
	if ((unsigned)n >= SL_BACKENDS_MAX)
		return sl_at_fail(at, "backends", -EINVAL, err, "%d backends are more than %u", n,
				  SL_BACKENDS_MAX - 1);
	s->backends = calloc((size_t)n, sizeof(*s->backends));
	if (!s->backends)
		return sl_err_set(err, -ENOMEM, "out-of-memory", "out of memory");
	for (element.node = array.node->child; element.node; element.node = element.node->next) {
		r = sl_codec_backend(&element, NULL, s, &s->backends[element.index], err);
		if (r < 0)
			return r;
		s->n_backends = ++element.index;
	}
	return 0;
}

/* Words of the service that are not numbers or texts. */
static int read_words(const struct sl_at *at, struct sl_service *s, struct sl_err *err)
{
	int proto = s->proto, udp_flows = s->udp_flows, on_down = s->on_down;
	int fragments = s->fragments, r;

	if ((r = sl_field_word(at, "protocol", words_proto, &proto, err)) < 0 ||
	    (r = sl_field_word(at, "udp_flows", words_udp_flows, &udp_flows, err)) < 0 ||
	    (r = sl_field_word(at, "fragments", words_fragments, &fragments, err)) < 0 ||
	    (r = sl_field_word(at, "on_down", words_on_down, &on_down, err)) < 0)
		return r;
	s->proto = (enum sl_proto)proto;
	s->udp_flows = (enum sl_udp_flows)udp_flows;
	s->fragments = (enum sl_fragments)fragments;
	s->on_down = (enum sl_on_down)on_down;
	return 0;
}

/* Backends stay in the order of the document. @at->subject is set here. */
static int read_service(struct sl_at *at, const char *name_wanted, struct sl_service *ret,
			struct sl_err *err)
{
	static const char *const known[] = {
		"name",		 "description",	 "address",   "port",	 "protocol", "forwarding",
		"table",	 "udp_flows",	 "fragments", "on_down", "backends", "idle_timeout",
		"drain_timeout", "health_check", "guard",     NULL
	};
	char subject[SL_SUBJECT_LEN];
	struct sl_service s;
	int r;

	sl_codec_subject(at->node, "service", name_wanted, NULL, subject);
	at->subject = subject;
	sl_service_defaults(&s);
	if ((r = sl_field_object(at, err)) < 0 ||
	    (r = sl_field_known(at, known, sl_codec_readonly, err)) < 0 ||
	    (r = sl_codec_name(at, name_wanted, s.name, err)) < 0 ||
	    (r = sl_field_text(at, "description", s.description, sizeof(s.description), err)) < 0 ||
	    (r = sl_field_required(at, "address", err)) < 0 ||
	    (r = sl_field_addr(at, "address", &s.addr, err)) < 0 ||
	    (r = sl_field_required(at, "port", err)) < 0 ||
	    (r = sl_field_u16(at, "port", 1, UINT16_MAX, &s.port, err)) < 0 ||
	    (r = read_words(at, &s, err)) < 0 ||
	    (r = sl_codec_service_forwarding(at, &s, err)) < 0 ||
	    (r = read_table(at, &s, err)) < 0 ||
	    (r = sl_field_s(at, "idle_timeout", &s.idle_timeout_s, err)) < 0 ||
	    (r = sl_field_s(at, "drain_timeout", &s.drain_timeout_s, err)) < 0 ||
	    (r = sl_codec_service_guard(at, &s.guard, err)) < 0 ||
	    (r = read_check(at, &s.check, err)) < 0 || (r = read_backends(at, &s, err)) < 0) {
		sl_service_done(&s);
	} else {
		*ret = s;
		r = 0;
	}
	at->subject = NULL;
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b); /* both kinds begin with their name, see model.c */
}

static void sort_backends(struct sl_service *s)
{
	if (s->n_backends)
		qsort(s->backends, s->n_backends, sizeof(*s->backends), by_name);
}

int sl_codec_read_service(const char *text, size_t len, const char *name_wanted,
			  struct sl_service *ret, struct sl_err *err)
{
	struct sl_at root = { 0 };
	struct sl_service s;
	cJSON *tree;
	int r;

	r = sl_json_parse(text, len, &tree, err);
	if (r < 0)
		return r;
	root.node = tree;
	r = read_service(&root, name_wanted, &s, err);
	if (r < 0)
		goto out;
	r = sl_validate_service(&s, err);
	if (r < 0) {
		sl_service_done(&s);
		goto out;
	}
	sort_backends(&s);
	*ret = s;
out:
	cJSON_Delete(tree);
	return r;
}

static int read_interface(const struct sl_at *at, struct sl_interface *f, struct sl_err *err)
{
	static const char *const known[] = { "name", "mode", NULL };
	int mode = SL_MODE_NATIVE, r;

	if ((r = sl_field_object(at, err)) < 0 || (r = sl_field_known(at, known, NULL, err)) < 0 ||
	    (r = sl_field_required(at, "name", err)) < 0 ||
	    (r = sl_field_text(at, "name", f->name, sizeof(f->name), err)) < 0 ||
	    (r = sl_field_word(at, "mode", words_mode, &mode, err)) < 0)
		return r;
	f->mode = (enum sl_mode)mode;
	return 0;
}

static int read_interfaces(const struct sl_at *root, struct sl_config *c, struct sl_err *err)
{
	struct sl_at array, at = { .up = &array, .subject = "interface" };
	int n, r = sl_field_inner(root, "interfaces", true, &array, err);

	if (r <= 0)
		return r;
	n = cJSON_GetArraySize(array.node);
	if (!n)
		return 0;
	c->interfaces = calloc((size_t)n, sizeof(*c->interfaces));
	if (!c->interfaces)
		return sl_err_set(err, -ENOMEM, "out-of-memory", "out of memory");
	for (at.node = array.node->child; at.node; at.node = at.node->next) {
		r = read_interface(&at, &c->interfaces[at.index], err);
		if (r < 0)
			return r;
		c->n_interfaces = ++at.index;
	}
	return 0;
}

static int read_services(const struct sl_at *root, struct sl_config *c, struct sl_err *err)
{
	struct sl_at array, at = { .up = &array };
	int n, r = sl_field_inner(root, "services", true, &array, err);

	if (r <= 0)
		return r;
	n = cJSON_GetArraySize(array.node);
	if (!n)
		return 0;
	if ((unsigned)n >= SL_SERVICES_MAX)
		return sl_at_fail(root, "services", -EINVAL, err, "%d services are more than %u", n,
				  SL_SERVICES_MAX - 1);
	c->services = calloc((size_t)n, sizeof(*c->services));
	if (!c->services)
		return sl_err_set(err, -ENOMEM, "out-of-memory", "out of memory");
	for (at.node = array.node->child; at.node; at.node = at.node->next) {
		r = read_service(&at, NULL, &c->services[at.index], err);
		if (r < 0)
			return r;
		c->n_services = ++at.index;
	}
	return 0;
}

int sl_codec_read_config(const char *text, size_t len, struct sl_config *ret, struct sl_err *err)
{
	static const char *const known[] = { "revision", "interfaces", "encapsulation",
					     "guard",	 "services",   NULL };
	struct sl_at root = { .subject = "configuration" };
	struct sl_config c = { 0 };
	cJSON *tree;
	size_t i;
	int r;

	r = sl_json_parse_bounded(text, len, SL_JSON_NODES_MAX_CONFIG, &tree, err);
	if (r < 0)
		return r;
	root.node = tree;
	if ((r = sl_field_object(&root, err)) < 0 ||
	    (r = sl_field_known(&root, known, NULL, err)) < 0 ||
	    (r = sl_field_number(&root, "revision", 0, REVISION_MAX, &c.revision, err)) < 0 ||
	    (r = read_interfaces(&root, &c, err)) < 0 ||
	    (r = sl_codec_encapsulation(&root, &c.encapsulation, err)) < 0 ||
	    (r = sl_codec_guard_lists(&root, &c.guard, err)) < 0 ||
	    (r = read_services(&root, &c, err)) < 0 || (r = sl_validate_config(&c, err)) < 0)
		goto out;
	for (i = 0; i < c.n_services; i++)
		sort_backends(&c.services[i]);
	if (c.n_services)
		qsort(c.services, c.n_services, sizeof(*c.services), by_name);
	*ret = c;
	c = (struct sl_config){ 0 };
	r = 0;
out:
	sl_config_done(&c);
	cJSON_Delete(tree);
	return r;
}
