/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/domain/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const uint32_t sl_table_sizes[] = { 251,   509,	  1021,	  2039,	  4093,	  8191, 16381,
				    32749, 65537, 131071, 262139, 655373, 0 };

void sl_service_defaults(struct sl_service *s)
{
	*s = (struct sl_service){
		.proto = SL_PROTO_TCP,
		.table_size = 16381,
		.udp_flows = SL_UDP_FLOW,
		.on_down = SL_DOWN_RESCHEDULE,
		.idle_timeout_s = 300,
		.drain_timeout_s = 300,
		.gue_port = SL_GUE_PORT,
		.check = {
			.type = SL_CHECK_TCP,
			.status_low = 200,
			.status_high = 399,
			.interval_ms = 2000,
			.timeout_ms = 1000,
			.rise = 2,
			.fall = 3,
			.path = "/",
		},
	};
}

void sl_backend_defaults(struct sl_backend *b)
{
	*b = (struct sl_backend){
		.weight = 100,
		.gue_port = SL_GUE_PORT,
		.vlan = SL_VLAN_KEEP,
		.admin = SL_ADMIN_READY,
		.drain_then = SL_THEN_DRAIN,
	};
}

enum sl_forward sl_backend_forward(const struct sl_service *s, const struct sl_backend *b)
{
	return b->forward_own ? b->forward : s->forward;
}

uint16_t sl_backend_gue_port(const struct sl_service *s, const struct sl_backend *b)
{
	return b->gue_port_own ? b->gue_port : s->gue_port;
}

void sl_backend_inherit(struct sl_backend *b, const struct sl_service *s)
{
	b->forward = sl_backend_forward(s, b);
	b->gue_port = sl_backend_gue_port(s, b);
}

void sl_service_inherit(struct sl_service *s)
{
	for (size_t i = 0; i < s->n_backends; i++)
		sl_backend_inherit(&s->backends[i], s);
}

void sl_service_done(struct sl_service *s)
{
	free(s->backends);
	s->backends = NULL;
	s->n_backends = 0;
}

void sl_guard_lists_done(struct sl_guard_lists *l)
{
	free(l->allow);
	free(l->deny);
	*l = (struct sl_guard_lists){ 0 };
}

void sl_config_done(struct sl_config *c)
{
	size_t i;

	for (i = 0; i < c->n_services; i++)
		sl_service_done(&c->services[i]);
	free(c->services);
	free(c->interfaces);
	sl_guard_lists_done(&c->guard);
	*c = (struct sl_config){ 0 };
}

/* NULL with 0 for an empty array. */
static int duplicate(const void *items, size_t n, size_t size, void **ret)
{
	void *copy = NULL;

	if (n) {
		copy = calloc(n, size);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, items, n * size);
	}
	*ret = copy;
	return 0;
}

int sl_service_copy(const struct sl_service *s, struct sl_service *ret)
{
	void *backends;
	int r = duplicate(s->backends, s->n_backends, sizeof(*s->backends), &backends);

	if (r < 0)
		return r;
	*ret = *s;
	ret->backends = backends;
	return 0;
}

int sl_guard_lists_copy(const struct sl_guard_lists *l, struct sl_guard_lists *ret)
{
	void *allow, *deny;

	if (duplicate(l->allow, l->n_allow, sizeof(*l->allow), &allow) < 0)
		return -ENOMEM;
	if (duplicate(l->deny, l->n_deny, sizeof(*l->deny), &deny) < 0) {
		free(allow);
		return -ENOMEM;
	}
	*ret = (struct sl_guard_lists){
		.allow = allow, .deny = deny, .n_allow = l->n_allow, .n_deny = l->n_deny
	};
	return 0;
}

int sl_config_copy(const struct sl_config *c, struct sl_config *ret)
{
	struct sl_config copy = { .revision = c->revision, .encapsulation = c->encapsulation };
	void *interfaces;
	size_t i;
	int r;

	r = duplicate(c->interfaces, c->n_interfaces, sizeof(*c->interfaces), &interfaces);
	if (r < 0)
		return r;
	copy.interfaces = interfaces;
	copy.n_interfaces = c->n_interfaces;
	if (sl_guard_lists_copy(&c->guard, &copy.guard) < 0)
		goto fail;
	if (c->n_services) {
		copy.services = calloc(c->n_services, sizeof(*copy.services));
		if (!copy.services)
			goto fail;
	}
	for (i = 0; i < c->n_services; i++) {
		if (sl_service_copy(&c->services[i], &copy.services[i]) < 0)
			goto fail;
		copy.n_services++;
	}
	*ret = copy;
	return 0;
fail:
	sl_config_done(&copy);
	return -ENOMEM;
}

/*
 * Both kinds of item begin with their name, so one search serves both. Returns
 * the place of @name, or where it belongs.
 */
static size_t place(const void *items, size_t n, size_t size, const char *name, bool *ret_found)
{
	size_t low = 0, high = n, mid;
	int order;

	*ret_found = false;
	while (low < high) {
		mid = low + (high - low) / 2;
		order = strcmp((const char *)items + mid * size, name);
		if (order < 0) {
			low = mid + 1;
		} else {
			*ret_found = *ret_found || !order;
			high = mid;
		}
	}
	return low;
}

_Static_assert(offsetof(struct sl_service, name) == 0, "place() reads the name there");
_Static_assert(offsetof(struct sl_backend, name) == 0, "place() reads the name there");

struct sl_service *sl_config_find(const struct sl_config *c, const char *name)
{
	bool found;
	size_t at = place(c->services, c->n_services, sizeof(*c->services), name, &found);

	return found ? &c->services[at] : NULL;
}

struct sl_backend *sl_service_find(const struct sl_service *s, const char *name)
{
	bool found;
	size_t at = place(s->backends, s->n_backends, sizeof(*s->backends), name, &found);

	return found ? &s->backends[at] : NULL;
}

int sl_config_add(struct sl_config *c, struct sl_service *s)
{
	bool found;
	size_t at = place(c->services, c->n_services, sizeof(*c->services), s->name, &found);
	struct sl_service *grown;

	if (found)
		return -EEXIST;
	grown = reallocarray(c->services, c->n_services + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memmove(&grown[at + 1], &grown[at], (c->n_services - at) * sizeof(*grown));
	grown[at] = *s;
	c->services = grown;
	c->n_services++;
	return 0;
}

int sl_service_add(struct sl_service *s, const struct sl_backend *b)
{
	struct sl_backend fresh = *b; /* @b may lie in the array that moves */
	bool found;
	size_t at = place(s->backends, s->n_backends, sizeof(*s->backends), fresh.name, &found);
	struct sl_backend *grown;

	if (found)
		return -EEXIST;
	grown = reallocarray(s->backends, s->n_backends + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memmove(&grown[at + 1], &grown[at], (s->n_backends - at) * sizeof(*grown));
	grown[at] = fresh;
	s->backends = grown;
	s->n_backends++;
	return 0;
}

int sl_config_remove(struct sl_config *c, const char *name)
{
	bool found;
	size_t at = place(c->services, c->n_services, sizeof(*c->services), name, &found);

	if (!found)
		return -ENOENT;
	sl_service_done(&c->services[at]);
	c->n_services--; /* @name may lie in the record: not read below */
	memmove(&c->services[at], &c->services[at + 1],
		(c->n_services - at) * sizeof(*c->services));
	if (!c->n_services) {
		free(c->services);
		c->services = NULL;
	}
	return 0;
}

int sl_service_remove(struct sl_service *s, const char *name)
{
	bool found;
	size_t at = place(s->backends, s->n_backends, sizeof(*s->backends), name, &found);

	if (!found)
		return -ENOENT;
	s->n_backends--;
	memmove(&s->backends[at], &s->backends[at + 1],
		(s->n_backends - at) * sizeof(*s->backends));
	if (!s->n_backends)
		sl_service_done(s);
	return 0;
}

const char *sl_proto_name(enum sl_proto v)
{
	switch (v) {
	case SL_PROTO_TCP:
		return "tcp";
	case SL_PROTO_UDP:
		return "udp";
	}
	return "?";
}

const char *sl_forward_name(enum sl_forward v)
{
	switch (v) {
	case SL_FORWARD_L2DSR:
		return "l2dsr";
	case SL_FORWARD_IPIP:
		return "ipip";
	case SL_FORWARD_GUE:
		return "gue";
	}
	return "?";
}

const char *sl_mode_name(enum sl_mode v)
{
	switch (v) {
	case SL_MODE_NATIVE:
		return "native";
	case SL_MODE_GENERIC:
		return "generic";
	}
	return "?";
}

const char *sl_admin_name(enum sl_admin v)
{
	switch (v) {
	case SL_ADMIN_READY:
		return "ready";
	case SL_ADMIN_DRAIN:
		return "drain";
	case SL_ADMIN_MAINT:
		return "maint";
	}
	return "?";
}

const char *sl_check_name(enum sl_check_type v)
{
	switch (v) {
	case SL_CHECK_NONE:
		return "none";
	case SL_CHECK_TCP:
		return "tcp";
	case SL_CHECK_HTTP:
		return "http";
	}
	return "?";
}

const char *sl_then_name(enum sl_drain_then v)
{
	switch (v) {
	case SL_THEN_DRAIN:
		return "drain";
	case SL_THEN_MAINT:
		return "maint";
	case SL_THEN_DELETE:
		return "delete";
	}
	return "?";
}
