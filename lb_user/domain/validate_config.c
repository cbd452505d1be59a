/* SPDX-License-Identifier: BSD-2-Clause */
/* validate_config: services beside each other, and the document around them. */
#include "lb_user/domain/validate_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INVALID(err, pointer, ...) \
	sl_err_at(err, -EINVAL, "validation-failed", pointer, __VA_ARGS__)

/* Services in order of address, port, protocol, to find twins and VIPs fast. */
struct vips {
	const struct sl_service **at;
	size_t n;
};

static int addr_order(const struct sl_addr *a, const struct sl_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->byte_be, b->byte_be, sizeof(a->byte_be));
}

static int listener_order(const struct sl_service *a, const struct sl_service *b)
{
	int order = addr_order(&a->addr, &b->addr);

	if (!order)
		order = (a->port > b->port) - (a->port < b->port);
	if (!order)
		order = (a->proto > b->proto) - (a->proto < b->proto);
	return order;
}

static int by_listener(const void *a, const void *b)
{
	const struct sl_service *x = *(const struct sl_service *const *)a;
	const struct sl_service *y = *(const struct sl_service *const *)b;
	int order = listener_order(x, y);

	return order ? order : (x > y) - (x < y);
}

/* Of all services but the one named @skip (NULL: of all). */
static int vips_init(struct vips *v, const struct sl_config *c, const char *skip,
		     struct sl_err *err)
{
	size_t i;

	v->n = 0;
	v->at = calloc(c->n_services + 1, sizeof(*v->at));
	if (!v->at)
		return sl_err_set(err, -ENOMEM, "out-of-memory", "out of memory");
	for (i = 0; i < c->n_services; i++)
		if (!skip || strcmp(c->services[i].name, skip))
			v->at[v->n++] = &c->services[i];
	qsort(v->at, v->n, sizeof(*v->at), by_listener);
	return 0;
}

static int addr_to_service(const void *key, const void *item)
{
	return addr_order(key, &(*(const struct sl_service *const *)item)->addr);
}

static const struct sl_service *vips_find(const struct vips *v, const struct sl_addr *addr)
{
	const struct sl_service **hit = bsearch(addr, v->at, v->n, sizeof(*v->at), addr_to_service);

	return hit ? *hit : NULL;
}

static int refuse_listener(const struct sl_service *s, const struct sl_service *other,
			   const char *pointer, struct sl_err *err)
{
	char text[SL_ADDR_STRLEN];

	return sl_err_at(err, -EADDRINUSE, "listener-conflict", pointer,
			 "service \"%s\": %s port %u %s belongs to service \"%s\"; take another "
			 "address or port",
			 s->name, sl_addr_format(&s->addr, text), s->port, sl_proto_name(s->proto),
			 other->name);
}

/* A later fragment names no port: it can only be for one service of the address. */
static bool both_hash3(const struct sl_service *a, const struct sl_service *b)
{
	return a->fragments == SL_FRAGMENTS_HASH3 && b->fragments == SL_FRAGMENTS_HASH3 &&
	       sl_addr_equal(&a->addr, &b->addr);
}

static int refuse_hash3(const struct sl_service *s, const struct sl_service *other,
			const char *pointer, struct sl_err *err)
{
	char text[SL_ADDR_STRLEN];

	return sl_err_at(
		err, -EADDRINUSE, "listener-conflict", pointer,
		"service \"%s\": service \"%s\" takes the fragments of %s already; only one "
		"service of an address can have fragments hash3",
		s->name, other->name, sl_addr_format(&s->addr, text));
}

/* A packet for the backend would come back to the balancer as one for the VIP. */
static int refuse_vip_backend(const struct sl_service *s, size_t index,
			      const struct sl_service *vip, const char *prefix, struct sl_err *err)
{
	char pointer[80], text[SL_ADDR_STRLEN];
	const struct sl_backend *b = &s->backends[index];

	snprintf(pointer, sizeof(pointer), "%s/backends/%zu/address", prefix, index);
	return INVALID(err, pointer,
		       "backend \"%s\" of service \"%s\": address %s is the address of service "
		       "\"%s\"; give the address that the backend has on its interface",
		       b->name, s->name, sl_addr_format(&b->addr, text), vip->name);
}

static int refuse_own_backend(const struct sl_service *s, const struct sl_service *other,
			      const struct sl_backend *b, struct sl_err *err)
{
	char text[SL_ADDR_STRLEN];

	return INVALID(err, "/address",
		       "service \"%s\": address %s is backend \"%s\" of service \"%s\"; take an "
		       "address that no machine has on its interface",
		       s->name, sl_addr_format(&s->addr, text), b->name, other->name);
}

int sl_validate_beside(const struct sl_config *c, const struct sl_service *s, struct sl_err *err)
{
	const struct sl_service *other;
	struct vips v;
	size_t i, k;
	int r;

	r = sl_validate_sources(&c->encapsulation, s, "", err);
	if (r < 0)
		return r;
	r = vips_init(&v, c, s->name, err);
	if (r < 0)
		return r;
	for (i = 0; i < v.n; i++) {
		other = v.at[i];
		if (!listener_order(s, other)) {
			r = refuse_listener(s, other, "/address", err);
			goto out;
		}
		if (both_hash3(s, other)) {
			r = refuse_hash3(s, other, "/fragments", err);
			goto out;
		}
		for (k = 0; k < other->n_backends; k++) {
			if (!sl_addr_equal(&other->backends[k].addr, &s->addr))
				continue;
			r = refuse_own_backend(s, other, &other->backends[k], err);
			goto out;
		}
	}
	for (i = 0; i < s->n_backends; i++) {
		other = vips_find(&v, &s->backends[i].addr);
		if (other) {
			r = refuse_vip_backend(s, i, other, "", err);
			goto out;
		}
	}
out:
	free(v.at);
	return r;
}

/* What the kernel takes as a name (dev_valid_name), less what a shell trips over. */
static bool ifname_valid(const char *name)
{
	const char *p = name;

	if (!*p || strnlen(name, SL_IFNAME_LEN) == SL_IFNAME_LEN || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return false;
	for (; *p; p++)
		if (*p <= ' ' || *p > '~' || *p == '/' || *p == ':')
			return false;
	return true;
}

static int check_interfaces(const struct sl_config *c, struct sl_err *err)
{
	const struct sl_interface *f;
	char pointer[48];
	size_t i, k;

	/* 0 is no port, see limits.h; so the pairs below are few. */
	if (c->n_interfaces >= SL_PORTS_MAX)
		return INVALID(err, "/interfaces", "%zu interfaces are more than %u; remove some",
			       c->n_interfaces, SL_PORTS_MAX - 1);
	for (i = 0; i < c->n_interfaces; i++) {
		f = &c->interfaces[i];
		snprintf(pointer, sizeof(pointer), "/interfaces/%zu/name", i);
		if (!ifname_valid(f->name))
			return INVALID(
				err, pointer,
				"interface name \"%.15s\" is not one; use 1 to 15 characters "
				"as \"ip link\" shows them",
				f->name);
		for (k = 0; k < i; k++)
			if (!strcmp(c->interfaces[k].name, f->name))
				return sl_err_at(err, -EEXIST, "already-exists", pointer,
						 "interface \"%s\" is there twice; remove one",
						 f->name);
		if (f->mode != SL_MODE_NATIVE && f->mode != SL_MODE_GENERIC) {
			snprintf(pointer, sizeof(pointer), "/interfaces/%zu/mode", i);
			return INVALID(err, pointer,
				       "interface \"%s\": mode is not native or generic", f->name);
		}
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct sl_service *x = *(const struct sl_service *const *)a;
	const struct sl_service *y = *(const struct sl_service *const *)b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x > y) - (x < y);
}

/* Names first: what follows quotes them. Leaves @v in order of listeners. */
static int check_twins(const struct sl_config *c, struct vips *v, struct sl_err *err)
{
	char pointer[48];
	size_t i;

	qsort(v->at, v->n, sizeof(*v->at), by_name);
	for (i = 1; i < v->n; i++) {
		if (strcmp(v->at[i - 1]->name, v->at[i]->name))
			continue;
		snprintf(pointer, sizeof(pointer), "/services/%zu/name",
			 (size_t)(v->at[i] - c->services));
		return sl_err_at(err, -EEXIST, "already-exists", pointer,
				 "two services are named \"%s\"; rename one", v->at[i]->name);
	}
	qsort(v->at, v->n, sizeof(*v->at), by_listener);
	for (i = 1; i < v->n; i++) {
		if (listener_order(v->at[i - 1], v->at[i]))
			continue;
		snprintf(pointer, sizeof(pointer), "/services/%zu/address",
			 (size_t)(v->at[i] - c->services));
		return refuse_listener(v->at[i], v->at[i - 1], pointer, err);
	}
	return 0;
}

/* In order of address, so that twins are found in one pass. */
static int check_hash3(const struct sl_config *c, const struct vips *v, struct sl_err *err)
{
	const struct sl_service *last = NULL;
	char pointer[48];

	for (size_t i = 0; i < v->n; i++) {
		if (v->at[i]->fragments != SL_FRAGMENTS_HASH3)
			continue;
		if (last && both_hash3(last, v->at[i])) {
			snprintf(pointer, sizeof(pointer), "/services/%zu/fragments",
				 (size_t)(v->at[i] - c->services));
			return refuse_hash3(v->at[i], last, pointer, err);
		}
		last = v->at[i];
	}
	return 0;
}

static int check_vip_backends(const struct sl_config *c, const struct vips *v, struct sl_err *err)
{
	const struct sl_service *vip;
	char prefix[32];
	size_t i, k;

	for (i = 0; i < c->n_services; i++) {
		for (k = 0; k < c->services[i].n_backends; k++) {
			vip = vips_find(v, &c->services[i].backends[k].addr);
			if (!vip)
				continue;
			snprintf(prefix, sizeof(prefix), "/services/%zu", i);
			return refuse_vip_backend(&c->services[i], k, vip, prefix, err);
		}
	}
	return 0;
}

int sl_validate_config(const struct sl_config *c, struct sl_err *err)
{
	char prefix[32];
	struct vips v;
	size_t i;
	int r;

	r = check_interfaces(c, err);
	if (r < 0)
		return r;
	r = sl_validate_encapsulation(&c->encapsulation, err);
	if (r < 0)
		return r;
	r = sl_validate_lists(&c->guard, err);
	if (r < 0) {
		sl_err_nest(err, "/guard");
		return r;
	}
	for (i = 0; i < c->n_services; i++) {
		snprintf(prefix, sizeof(prefix), "/services/%zu", i);
		r = sl_validate_service(&c->services[i], err);
		if (r < 0) {
			sl_err_nest(err, prefix);
			return r;
		}
		r = sl_validate_sources(&c->encapsulation, &c->services[i], prefix, err);
		if (r < 0)
			return r;
	}
	r = vips_init(&v, c, NULL, err);
	if (r < 0)
		return r;
	r = check_twins(c, &v, err);
	if (!r)
		r = check_hash3(c, &v, err);
	if (!r)
		r = check_vip_backends(c, &v, err);
	free(v.at);
	return r;
}
