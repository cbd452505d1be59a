/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/domain/validate_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INVALID(err, pointer, ...) \
	sl_err_at(err, -EINVAL, "validation-failed", pointer, __VA_ARGS__)

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool sl_name_valid(const char *name)
{
	size_t i, len;

	if (!name)
		return false;
	len = strnlen(name, SL_NAME_LEN);
	if (!len || len == SL_NAME_LEN || !is_alnum(name[0]) || !is_alnum(name[len - 1]))
		return false;
	for (i = 0; i < len; i++)
		if (!is_alnum(name[i]) && !strchr("._-", name[i]))
			return false;
	return true;
}

/* Printable ASCII without space: safe in a request line and in a header. */
static bool is_visible(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

const char *sl_validate_unfit(const struct sl_addr *a)
{
	if (a->family != AF_INET && a->family != AF_INET6)
		return "missing";
	if (sl_addr_is_unspecified(a))
		return "unspecified";
	if (sl_addr_is_loopback(a))
		return "a loopback address";
	if (sl_addr_is_multicast(a))
		return "a multicast or broadcast address";
	return NULL;
}

static const char *show(const struct sl_addr *a, char buf[SL_ADDR_STRLEN])
{
	return a->family ? sl_addr_format(a, buf) : "(none)";
}

static int check_backend_addr(const struct sl_service *s, const struct sl_backend *b,
			      struct sl_err *err)
{
	char text[SL_ADDR_STRLEN];
	const char *why = sl_validate_unfit(&b->addr);

	/* Probes go there, and 169.254.169.254 is where clouds keep their secrets. */
	if (!why && sl_addr_is_linklocal(&b->addr))
		why = "a link-local address";
	if (why)
		return INVALID(err, "/address",
			       "backend \"%s\": address %s is %s; give a unicast address of the "
			       "machine that serves",
			       b->name, show(&b->addr, text), why);
	if (sl_addr_equal(&b->addr, &s->addr))
		return INVALID(err, "/address",
			       "backend \"%s\": address %s is the service's own; give the address "
			       "that the backend has on its interface",
			       b->name, sl_addr_format(&b->addr, text));
	return 0;
}

int sl_validate_backend(const struct sl_service *s, const struct sl_backend *b, struct sl_err *err)
{
	int r;

	if (!sl_name_valid(b->name))
		return INVALID(err, "/name", "backend name \"%.63s\" is not allowed; " SL_NAME_RULE,
			       b->name);
	r = check_backend_addr(s, b, err);
	if (!r)
		r = sl_validate_path(s, b, err);
	if (r < 0)
		return r;
	if (b->port && b->port != s->port)
		return INVALID(
			err, "/port",
			"backend \"%s\": port %u is not the service's, %u, and forwarding rewrites "
			"no port; leave it out",
			b->name, b->port, s->port);
	if (b->weight > SL_WEIGHT_MAX)
		return INVALID(err, "/weight", "backend \"%s\": weight %u is above %u", b->name,
			       b->weight, SL_WEIGHT_MAX);
	if (b->admin != SL_ADMIN_READY && b->admin != SL_ADMIN_DRAIN && b->admin != SL_ADMIN_MAINT)
		return INVALID(err, "/admin_state",
			       "backend \"%s\": admin_state is not ready, drain or maint", b->name);
	if (b->drain_then != SL_THEN_DRAIN && b->drain_then != SL_THEN_MAINT &&
	    b->drain_then != SL_THEN_DELETE)
		return INVALID(err, "/drain/then",
			       "backend \"%s\": drain then is not drain, maint or delete", b->name);
	if (b->admin == SL_ADMIN_DRAIN && b->drain_deadline_wall_ms &&
	    b->drain_deadline_wall_ms < b->drain_since_wall_ms)
		return INVALID(
			err, "/drain/deadline",
			"backend \"%s\": the deadline of the drain is before its start; give "
			"a later one, or null for none",
			b->name);
	return 0;
}

static int check_probe(const struct sl_service *s, struct sl_err *err)
{
	const struct sl_check *c = &s->check;

	if (c->interval_ms < 50 || c->interval_ms > 3600000)
		return INVALID(
			err, "/health_check/interval",
			"service \"%s\": health check interval %ums is outside 50ms to 3600s",
			s->name, c->interval_ms);
	if (c->timeout_ms < 10 || c->timeout_ms > c->interval_ms)
		return INVALID(err, "/health_check/timeout",
			       "service \"%s\": health check timeout %ums is outside 10ms to the "
			       "interval, %ums",
			       s->name, c->timeout_ms, c->interval_ms);
	if (c->rise < 1 || c->rise > 100)
		return INVALID(err, "/health_check/rise",
			       "service \"%s\": health check rise %u is outside 1 to 100", s->name,
			       c->rise);
	if (c->fall < 1 || c->fall > 100)
		return INVALID(err, "/health_check/fall",
			       "service \"%s\": health check fall %u is outside 1 to 100", s->name,
			       c->fall);
	if (c->status_low < 100 || c->status_high > 599 || c->status_low > c->status_high)
		return INVALID(
			err, "/health_check/expected_status",
			"service \"%s\": expected status %u-%u is not a range within 100-599",
			s->name, c->status_low, c->status_high);
	if (c->path[0] != '/' || !is_visible(c->path))
		return INVALID(err, "/health_check/path",
			       "service \"%s\": health check path must start with / and hold only "
			       "printable ASCII without spaces (percent-encode the rest)",
			       s->name);
	if (!is_visible(c->host) || strpbrk(c->host, "/\\@?#"))
		return INVALID(err, "/health_check/host",
			       "service \"%s\": health check host must be a host name or address, "
			       "with :port if need be",
			       s->name);
	return 0;
}

static int check_table(const struct sl_service *s, struct sl_err *err)
{
	char offered[128] = "";
	size_t i, members = 0, used = 0;

	for (i = 0; sl_table_sizes[i] && sl_table_sizes[i] != s->table_size; i++)
		used += (size_t)snprintf(offered + used, sizeof(offered) - used, "%s%u",
					 i ? ", " : "", sl_table_sizes[i]);
	if (!sl_table_sizes[i])
		return INVALID(err, "/table/size",
			       "service \"%s\": table size %u is not offered; use one of the "
			       "primes %s",
			       s->name, s->table_size, offered);
	for (i = 0; i < s->n_backends; i++)
		members += s->backends[i].weight > 0;
	if (members > s->table_size)
		return INVALID(
			err, "/table/size",
			"service \"%s\": a table of %u slots cannot hold %zu backends; take a "
			"larger size, best 100 slots per backend",
			s->name, s->table_size, members);
	return 0;
}

static int check_words(const struct sl_service *s, struct sl_err *err)
{
	if (s->proto != SL_PROTO_TCP && s->proto != SL_PROTO_UDP)
		return INVALID(err, "/protocol", "service \"%s\": protocol is not tcp or udp",
			       s->name);
	if (s->udp_flows != SL_UDP_FLOW && s->udp_flows != SL_UDP_NONE &&
	    s->udp_flows != SL_UDP_QUIC)
		return INVALID(err, "/udp_flows",
			       "service \"%s\": udp_flows is not flow, none or quic", s->name);
	if (s->udp_flows == SL_UDP_QUIC && s->proto != SL_PROTO_UDP)
		return INVALID(
			err, "/udp_flows",
			"service \"%s\": udp_flows quic needs protocol udp; leave it out, or "
			"declare a second service for udp",
			s->name);
	if (s->fragments != SL_FRAGMENTS_DROP && s->fragments != SL_FRAGMENTS_HASH3)
		return INVALID(err, "/fragments", "service \"%s\": fragments is not drop or hash3",
			       s->name);
	if (s->fragments == SL_FRAGMENTS_HASH3 && s->proto != SL_PROTO_UDP)
		return INVALID(err, "/fragments",
			       "service \"%s\": fragments hash3 is for udp alone: with it all "
			       "connections of a client would move together; leave it out, TCP "
			       "avoids fragments by itself",
			       s->name);
	if (s->fragments == SL_FRAGMENTS_HASH3 && s->udp_flows == SL_UDP_QUIC)
		return INVALID(
			err, "/fragments",
			"service \"%s\": fragments hash3 does not go with udp_flows quic: QUIC "
			"never fragments, and all connections of a client would be one flow; "
			"leave it out",
			s->name);
	if (s->on_down != SL_DOWN_RESCHEDULE && s->on_down != SL_DOWN_DROP)
		return INVALID(err, "/on_down", "service \"%s\": on_down is not reschedule or drop",
			       s->name);
	if (s->check.type != SL_CHECK_NONE && s->check.type != SL_CHECK_TCP &&
	    s->check.type != SL_CHECK_HTTP)
		return INVALID(err, "/health_check/type",
			       "service \"%s\": health check type is not none, tcp or http",
			       s->name);
	return 0;
}

static int check_alone(const struct sl_service *s, struct sl_err *err)
{
	char text[SL_ADDR_STRLEN];
	const char *why = sl_validate_unfit(&s->addr);
	int r;

	if (!sl_name_valid(s->name))
		return INVALID(err, "/name", "service name \"%.63s\" is not allowed; " SL_NAME_RULE,
			       s->name);
	if (why)
		return INVALID(err, "/address",
			       "service \"%s\": address %s is %s; give the unicast address that "
			       "clients connect to",
			       s->name, show(&s->addr, text), why);
	if (!s->port)
		return INVALID(err, "/port", "service \"%s\": port 0 is not a port; use 1 to 65535",
			       s->name);
	r = check_words(s, err);
	if (r < 0)
		return r;
	r = sl_validate_forwarding(s, err);
	if (r < 0)
		return r;
	r = check_table(s, err);
	if (r < 0)
		return r;
	if (s->idle_timeout_s < SL_IDLE_TIMEOUT_MIN_S || s->idle_timeout_s > SL_IDLE_TIMEOUT_MAX_S)
		return INVALID(err, "/idle_timeout",
			       "service \"%s\": idle timeout %us is outside %us to %us", s->name,
			       s->idle_timeout_s, SL_IDLE_TIMEOUT_MIN_S, SL_IDLE_TIMEOUT_MAX_S);
	r = sl_validate_guard(s, err);
	return r < 0 ? r : check_probe(s, err);
}

static int by_name(const void *a, const void *b)
{
	const struct sl_backend *x = *(const struct sl_backend *const *)a;
	const struct sl_backend *y = *(const struct sl_backend *const *)b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x > y) - (x < y);
}

static int by_addr(const void *a, const void *b)
{
	const struct sl_backend *x = *(const struct sl_backend *const *)a;
	const struct sl_backend *y = *(const struct sl_backend *const *)b;
	int order = (x->addr.family > y->addr.family) - (x->addr.family < y->addr.family);

	if (!order)
		order = memcmp(x->addr.byte_be, y->addr.byte_be, sizeof(x->addr.byte_be));
	return order ? order : (x > y) - (x < y);
}

/* Does not lean on the order of names: the codec calls this before it sorts. */
static int check_twins(const struct sl_service *s, struct sl_err *err)
{
	const struct sl_backend **set;
	char pointer[48], text[SL_ADDR_STRLEN];
	size_t i;
	int r = 0;

	if (s->n_backends < 2)
		return 0;
	set = calloc(s->n_backends, sizeof(*set));
	if (!set)
		return sl_err_set(err, -ENOMEM, "out-of-memory", "out of memory");
	for (i = 0; i < s->n_backends; i++)
		set[i] = &s->backends[i];
	qsort(set, s->n_backends, sizeof(*set), by_name);
	for (i = 1; i < s->n_backends; i++) {
		if (strcmp(set[i - 1]->name, set[i]->name))
			continue;
		snprintf(pointer, sizeof(pointer), "/backends/%zu/name",
			 (size_t)(set[i] - s->backends));
		r = sl_err_at(err, -EEXIST, "already-exists", pointer,
			      "service \"%s\" has two backends named \"%s\"; rename one", s->name,
			      set[i]->name);
		goto out;
	}
	qsort(set, s->n_backends, sizeof(*set), by_addr);
	for (i = 1; i < s->n_backends; i++) {
		if (!sl_addr_equal(&set[i - 1]->addr, &set[i]->addr))
			continue;
		snprintf(pointer, sizeof(pointer), "/backends/%zu/address",
			 (size_t)(set[i] - s->backends));
		r = INVALID(err, pointer,
			    "service \"%s\": backends \"%s\" and \"%s\" both have address %s; "
			    "remove one (weight gives a machine a larger share)",
			    s->name, set[i - 1]->name, set[i]->name,
			    sl_addr_format(&set[i]->addr, text));
		goto out;
	}
out:
	free(set);
	return r;
}

int sl_validate_service(const struct sl_service *s, struct sl_err *err)
{
	char prefix[32];
	size_t i;
	int r;

	r = check_alone(s, err);
	if (r < 0)
		return r;
	for (i = 0; i < s->n_backends; i++) {
		r = sl_validate_backend(s, &s->backends[i], err);
		if (r < 0) {
			snprintf(prefix, sizeof(prefix), "/backends/%zu", i);
			sl_err_nest(err, prefix);
			return r;
		}
	}
	return check_twins(s, err);
}
