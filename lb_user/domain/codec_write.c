/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/domain/codec_internal.h"

/* cJSON's adders take a NULL object and return NULL, so one check at the end of a block will do. */

static bool add_text(cJSON *to, const char *key, const char *text)
{
	return cJSON_AddStringToObject(to, key, text);
}

static bool add_number(cJSON *to, const char *key, uint32_t v)
{
	return cJSON_AddNumberToObject(to, key, v);
}

/* The shortest exact form of ms and s; larger units only hide what was set. */
static bool add_ms(cJSON *to, const char *key, uint32_t ms)
{
	char text[24];

	if (ms % 1000)
		snprintf(text, sizeof(text), "%ums", ms);
	else
		snprintf(text, sizeof(text), "%us", ms / 1000);
	return add_text(to, key, text);
}

static bool add_s(cJSON *to, const char *key, uint32_t s)
{
	char text[24];

	snprintf(text, sizeof(text), "%us", s);
	return add_text(to, key, text);
}

static bool add_time(cJSON *to, const char *key, int64_t wall_ms)
{
	char text[SL_CLOCK_STRLEN];

	return add_text(to, key, sl_clock_format(wall_ms, text));
}

static bool add_addr(cJSON *to, const char *key, const struct sl_addr *addr)
{
	char text[SL_ADDR_STRLEN];

	return add_text(to, key, sl_addr_format(addr, text));
}

static bool add_prefix(cJSON *to, const char *key, const struct sl_prefix *p)
{
	char text[SL_PREFIX_STRLEN];

	return add_text(to, key, sl_prefix_format(p, text));
}

static bool add_check(cJSON *to, const struct sl_check *c)
{
	cJSON *o = cJSON_AddObjectToObject(to, "health_check");
	char status[24];

	if (c->status_low == c->status_high)
		snprintf(status, sizeof(status), "%u", c->status_low);
	else
		snprintf(status, sizeof(status), "%u-%u", c->status_low, c->status_high);
	return add_text(o, "type", sl_check_name(c->type)) &&
	       (!c->port || add_number(o, "port", c->port)) && add_text(o, "path", c->path) &&
	       add_text(o, "host", c->host) && add_text(o, "expected_status", status) &&
	       add_ms(o, "interval", c->interval_ms) && add_ms(o, "timeout", c->timeout_ms) &&
	       add_number(o, "rise", c->rise) && add_number(o, "fall", c->fall);
}

static const char *udp_flows_name(enum sl_udp_flows v)
{
	switch (v) {
	case SL_UDP_FLOW:
		break;
	case SL_UDP_NONE:
		return "none";
	case SL_UDP_QUIC:
		return "quic";
	}
	return "flow";
}

static bool add_service_forwarding(cJSON *to, const struct sl_service *s)
{
	cJSON *o = cJSON_AddObjectToObject(to, "forwarding");

	return add_text(o, "mode", sl_forward_name(s->forward)) &&
	       add_number(o, "gue_port", s->gue_port) &&
	       add_text(o, "oversize", s->oversize == SL_OVERSIZE_SEND ? "send" : "drop");
}

struct cJSON *sl_codec_write_service(const struct sl_service *s)
{
	cJSON *o = cJSON_CreateObject();

	if (add_text(o, "name", s->name) && add_text(o, "description", s->description) &&
	    add_addr(o, "address", &s->addr) && add_number(o, "port", s->port) &&
	    add_text(o, "protocol", sl_proto_name(s->proto)) && add_service_forwarding(o, s) &&
	    add_number(cJSON_AddObjectToObject(o, "table"), "size", s->table_size) &&
	    add_text(o, "udp_flows", udp_flows_name(s->udp_flows)) &&
	    add_text(o, "fragments", s->fragments == SL_FRAGMENTS_HASH3 ? "hash3" : "drop") &&
	    add_text(o, "on_down", s->on_down == SL_DOWN_DROP ? "drop" : "reschedule") &&
	    add_s(o, "idle_timeout", s->idle_timeout_s) &&
	    add_s(o, "drain_timeout", s->drain_timeout_s) && add_check(o, &s->check) &&
	    sl_codec_add_service_guard(o, &s->guard))
		return o;
	cJSON_Delete(o);
	return NULL;
}

static bool add_drain(cJSON *to, const struct sl_backend *b)
{
	cJSON *o = cJSON_AddObjectToObject(to, "drain");

	return add_time(o, "since", b->drain_since_wall_ms) &&
	       (b->drain_deadline_wall_ms ? add_time(o, "deadline", b->drain_deadline_wall_ms)
					  : cJSON_AddNullToObject(o, "deadline") != NULL) &&
	       add_text(o, "then", sl_then_name(b->drain_then));
}

/* What was declared: the rest follows the service. */
static bool add_backend_forwarding(cJSON *to, const struct sl_backend *b)
{
	cJSON *o;

	if (b->vlan != SL_VLAN_KEEP && !add_number(to, "vlan", (uint32_t)b->vlan))
		return false;
	if (!b->forward_own && !b->gue_port_own)
		return true;
	o = cJSON_AddObjectToObject(to, "forwarding");
	return (!b->forward_own || add_text(o, "mode", sl_forward_name(b->forward))) &&
	       (!b->gue_port_own || add_number(o, "gue_port", b->gue_port));
}

struct cJSON *sl_codec_write_backend(const struct sl_backend *b)
{
	cJSON *o = cJSON_CreateObject();

	if (add_text(o, "name", b->name) && add_addr(o, "address", &b->addr) &&
	    (!b->port || add_number(o, "port", b->port)) && add_backend_forwarding(o, b) &&
	    add_number(o, "weight", b->weight) &&
	    add_text(o, "admin_state", sl_admin_name(b->admin)) &&
	    add_text(o, "reason", b->reason) && (b->admin != SL_ADMIN_DRAIN || add_drain(o, b)))
		return o;
	cJSON_Delete(o);
	return NULL;
}

/* Takes @item, which may be NULL. */
static bool append(cJSON *array, cJSON *item)
{
	if (item && cJSON_AddItemToArray(array, item))
		return true;
	cJSON_Delete(item);
	return false;
}

static cJSON *write_whole_service(const struct sl_service *s)
{
	cJSON *o = sl_codec_write_service(s);
	cJSON *backends = cJSON_AddArrayToObject(o, "backends");
	size_t i;

	for (i = 0; backends && i < s->n_backends; i++)
		if (!append(backends, sl_codec_write_backend(&s->backends[i])))
			backends = NULL;
	if (backends)
		return o;
	cJSON_Delete(o);
	return NULL;
}

static cJSON *write_interface(const struct sl_interface *f)
{
	cJSON *o = cJSON_CreateObject();

	if (add_text(o, "name", f->name) && add_text(o, "mode", sl_mode_name(f->mode)))
		return o;
	cJSON_Delete(o);
	return NULL;
}

static bool add_encapsulation(cJSON *to, const struct sl_encapsulation *e)
{
	cJSON *o;

	if (!e->source4.addr.family && !e->source6.addr.family)
		return true;
	o = cJSON_AddObjectToObject(to, "encapsulation");
	return (!e->source4.addr.family || add_prefix(o, "source4", &e->source4)) &&
	       (!e->source6.addr.family || add_prefix(o, "source6", &e->source6));
}

static cJSON *write_config(const struct sl_config *c)
{
	cJSON *o = cJSON_CreateObject(), *interfaces, *services;
	char revision[24];
	size_t i;

	snprintf(revision, sizeof(revision), "%llu", (unsigned long long)c->revision);
	if (!cJSON_AddRawToObject(o, "revision", revision))
		goto fail;
	if (!sl_codec_add_guard_lists(o, &c->guard))
		goto fail;
	interfaces = cJSON_AddArrayToObject(o, "interfaces");
	if (!add_encapsulation(o, &c->encapsulation))
		goto fail;
	services = cJSON_AddArrayToObject(o, "services");
	if (!interfaces || !services)
		goto fail;
	for (i = 0; i < c->n_interfaces; i++)
		if (!append(interfaces, write_interface(&c->interfaces[i])))
			goto fail;
	for (i = 0; i < c->n_services; i++)
		if (!append(services, write_whole_service(&c->services[i])))
			goto fail;
	return o;
fail:
	cJSON_Delete(o);
	return NULL;
}

int sl_codec_write_config(const struct sl_config *c, char **ret_text, size_t *ret_len)
{
	cJSON *tree = write_config(c);
	char *text = NULL, *whole = NULL;
	size_t len;
	int r = -ENOMEM;

	if (tree)
		text = cJSON_Print(tree);
	if (!text)
		goto out;
	len = strlen(text);
	whole = malloc(len + 2);
	if (!whole)
		goto out;
	memcpy(whole, text, len);
	memcpy(whole + len, "\n", 2);
	*ret_text = whole;
	*ret_len = len + 1;
	r = 0;
out:
	cJSON_free(text);
	cJSON_Delete(tree);
	return r;
}
