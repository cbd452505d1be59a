/* SPDX-License-Identifier: BSD-2-Clause */
/* validate_forward: how packets get to backends, and what tunnels come from. */
#include <errno.h>
#include <stdio.h>

#include "lb_user/domain/validate_internal.h"

#define INVALID(err, pointer, ...) \
	sl_err_at(err, -EINVAL, "validation-failed", pointer, __VA_ARGS__)

static bool mode_known(enum sl_forward v)
{
	return v == SL_FORWARD_L2DSR || v == SL_FORWARD_IPIP || v == SL_FORWARD_GUE;
}

/*
 * Nothing on the balancer minds: what it looks at is addressed to the service,
 * tunnels are addressed to backends. But at the backend the socket that opens
 * tunnels (fou) has the port on every address, the service's too: the server
 * could not bind it, and clients could send tunnels of their own through us.
 */
static bool port_taken(const struct sl_service *s, enum sl_forward mode, uint16_t gue_port)
{
	return mode == SL_FORWARD_GUE && s->proto == SL_PROTO_UDP && gue_port == s->port;
}

#define PORT_TAKEN                                                                             \
	"is the service's own UDP port, and a backend would take what clients send there for " \
	"tunnels; use another gue_port, here and on the backends"

int sl_validate_forwarding(const struct sl_service *s, struct sl_err *err)
{
	if (!mode_known(s->forward))
		return INVALID(err, "/forwarding/mode",
			       "service \"%s\": forwarding mode is not l2dsr, ipip or gue",
			       s->name);
	if (!s->gue_port)
		return INVALID(err, "/forwarding/gue_port",
			       "service \"%s\": gue_port 0 is not a port; use 1 to 65535", s->name);
	if (s->oversize != SL_OVERSIZE_DROP && s->oversize != SL_OVERSIZE_SEND)
		return INVALID(err, "/forwarding/oversize",
			       "service \"%s\": oversize is not drop or send", s->name);
	if (port_taken(s, s->forward, s->gue_port))
		return INVALID(err, "/forwarding/gue_port",
			       "service \"%s\": gue_port %u " PORT_TAKEN, s->name, s->gue_port);
	return 0;
}

static int check_family(const struct sl_service *s, const struct sl_backend *b, struct sl_err *err)
{
	const char *wanted = s->addr.family == AF_INET ? "IPv4" : "IPv6";
	char text[SL_ADDR_STRLEN];

	if (b->addr.family == s->addr.family || sl_backend_forward(s, b) != SL_FORWARD_L2DSR)
		return 0;
	return INVALID(
		err, "/address",
		"backend \"%s\": address %s is not %s as service \"%s\" is, and l2dsr has no "
		"way there; give the backend's %s address, or forwarding ipip or gue",
		b->name, sl_addr_format(&b->addr, text), wanted, s->name, wanted);
}

int sl_validate_path(const struct sl_service *s, const struct sl_backend *b, struct sl_err *err)
{
	enum sl_forward mode = sl_backend_forward(s, b);
	uint16_t gue_port = sl_backend_gue_port(s, b);

	if (!mode_known(mode))
		return INVALID(err, "/forwarding/mode",
			       "backend \"%s\": forwarding mode is not l2dsr, ipip or gue",
			       b->name);
	if (!gue_port)
		return INVALID(err, "/forwarding/gue_port",
			       "backend \"%s\": gue_port 0 is not a port; use 1 to 65535", b->name);
	if (b->vlan < SL_VLAN_KEEP || b->vlan > SL_VLAN_MAX)
		return INVALID(
			err, "/vlan",
			"backend \"%s\": vlan %d is outside 0 to %d; 0 removes tags, leave it "
			"out to keep them",
			b->name, (int)b->vlan, SL_VLAN_MAX);
	if (port_taken(s, mode, gue_port))
		return INVALID(err, b->gue_port_own ? "/forwarding/gue_port" : "/forwarding/mode",
			       "backend \"%s\" of service \"%s\": gue_port %u " PORT_TAKEN, b->name,
			       s->name, gue_port);
	return check_family(s, b, err);
}

/* ---- sources ---------------------------------------------------------------- */

/* The addresses that tunnels really come from: only the last four bytes are the flow's. */
static struct sl_prefix sources(const struct sl_prefix *p)
{
	struct sl_prefix q = *p;

	if (q.addr.family == AF_INET6 && q.len < 96)
		q.len = 96; /* bits behind the declared length are 0 */
	return q;
}

static const char *unfit_source(const struct sl_prefix *p)
{
	static const struct sl_addr linklocal = { AF_INET, { 169, 254 } };
	static const struct sl_addr broadcast = { AF_INET, { 255, 255, 255, 255 } };
	const char *why = sl_validate_unfit(&p->addr);

	if (why)
		return why;
	if (sl_addr_is_linklocal(&p->addr) || sl_prefix_covers(p, &linklocal))
		return "a link-local address";
	return sl_prefix_covers(p, &broadcast) ? "the broadcast address" : NULL;
}

static int check_source(const struct sl_prefix *p, bool v6, struct sl_err *err)
{
	const char *key = v6 ? "source6" : "source4", *why;
	const char *pointer = v6 ? "/encapsulation/source6" : "/encapsulation/source4";
	unsigned low = v6 ? 32 : 8, high = v6 ? 128 : 32;
	char text[SL_PREFIX_STRLEN];

	if (!p->addr.family)
		return 0;
	sl_prefix_format(p, text);
	if (p->addr.family != (v6 ? AF_INET6 : AF_INET))
		return INVALID(err, pointer, "encapsulation: %s %s is not %s; %s", key, text,
			       v6 ? "IPv6" : "IPv4",
			       v6 ? "IPv4 ones go into source4" : "IPv6 ones go into source6");
	if (p->len < low || p->len > high)
		return INVALID(
			err, pointer,
			"encapsulation: %s %s has a length outside /%u to /%u; give a longer "
			"prefix that is yours alone",
			key, text, low, high);
	why = unfit_source(p);
	if (why)
		return INVALID(err, pointer,
			       "encapsulation: %s %s is or holds %s; give a unicast address or "
			       "prefix",
			       key, text, why);
	return 0;
}

int sl_validate_encapsulation(const struct sl_encapsulation *e, struct sl_err *err)
{
	int r = check_source(&e->source4, false, err);

	return r < 0 ? r : check_source(&e->source6, true, err);
}

/* A machine drops packets that say they come from itself: some flows would never arrive. */
static int check_end(const struct sl_encapsulation *e, const struct sl_addr *addr,
		     const char *whose, const char *name, const char *pointer, struct sl_err *err)
{
	bool v6 = addr->family == AF_INET6;
	struct sl_prefix p = sources(v6 ? &e->source6 : &e->source4);
	char text[SL_ADDR_STRLEN], source[SL_PREFIX_STRLEN];

	if (!p.addr.family || !sl_prefix_covers(&p, addr))
		return 0;
	return INVALID(err, pointer,
		       "%s \"%s\": address %s is within %s %s, which tunnels come from, and a "
		       "machine drops what comes from its own address; give a source that no "
		       "machine has",
		       whose, name, sl_addr_format(addr, text),
		       v6 ? "encapsulation source6" : "encapsulation source4",
		       sl_prefix_format(v6 ? &e->source6 : &e->source4, source));
}

int sl_validate_sources(const struct sl_encapsulation *e, const struct sl_service *s,
			const char *prefix, struct sl_err *err)
{
	char pointer[80];
	int r;

	if (!e->source4.addr.family && !e->source6.addr.family)
		return 0;
	snprintf(pointer, sizeof(pointer), "%s/address", prefix);
	r = check_end(e, &s->addr, "service", s->name, pointer, err);
	for (size_t i = 0; !r && i < s->n_backends; i++) {
		if (sl_backend_forward(s, &s->backends[i]) == SL_FORWARD_L2DSR)
			continue;
		snprintf(pointer, sizeof(pointer), "%s/backends/%zu/address", prefix, i);
		r = check_end(e, &s->backends[i].addr, "backend", s->backends[i].name, pointer,
			      err);
	}
	return r;
}
