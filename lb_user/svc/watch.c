/* SPDX-License-Identifier: BSD-2-Clause */
/* watch: what probes and netlink say of a backend, and of the interfaces. */
#include <errno.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/base/log.h"
#include "lb_user/svc/egress.h"
#include "lb_user/svc/runtime.h"

void sl_watch_facts(const struct sl_backend_rt *b, struct sl_state_facts *ret)
{
	*ret = (struct sl_state_facts){
		.admin = b->spec->admin,
		.health = b->service->spec->check.type == SL_CHECK_NONE ? SL_HEALTH_UP
									: b->health.health,
		.hop_pending = !b->hop_answered && !b->adopted,
		.has_next_hop = b->hop.resolved || b->adopted,
		.drain_complete = b->drain_complete,
	};
}

static void on_probe(void *user, const struct sl_probe_result *result)
{
	struct sl_backend_rt *b = user;

	b->last = *result;
	b->last_wall_ms = sl_clock_wall_ms();
	b->checks++;
	b->failures += !result->success;
	/* our own trouble (no descriptors, no memory) says nothing of the backend */
	if (!result->success && !strcmp(result->reason, "lb.internal"))
		return;
	if (sl_health_feed(&b->health, result->success))
		sl_publish_state(b->control, b);
}

/* Returns NULL, or why the next hop that netlink told cannot be used. */
static const char *write_egress(struct sl_control *c, const struct sl_encapsulation *enc,
				struct sl_backend_rt *b)
{
	struct sl_backend_rec *rec = &c->dp->mem.backends[b->id];
	struct sl_err err = {};
	struct sl_egress e;
	const char *why;
	int r = 0;

	why = sl_egress_make(b->service->spec, b->spec, enc, &b->told, &e);
	if (why)
		return why;
	e.port = rec->port;
	if (rec->ifindex != e.ifindex)
		r = sl_capacity_port(c, e.ifindex, &e.port, &err);
	if (!r)
		r = sl_feature_ensure(c, sl_egress_features(e.fwd, e.flags), &err);
	if (r < 0) {
		memcpy(b->hop_why, err.detail, sizeof(b->hop_why) - 1);
		return b->hop_why;
	}
	sl_egress_store(&e, rec, &c->dp->mem.tunnels[b->id]);
	return NULL;
}

void sl_watch_forward(struct sl_control *c, const struct sl_encapsulation *enc,
		      struct sl_backend_rt *b)
{
	if (!b->hop_answered)
		return; /* a pinned record is believed for a while as it is */
	b->hop = b->told;
	if (!b->told.resolved)
		return;
	b->hop.why = write_egress(c, enc, b);
	b->hop.resolved = !b->hop.why;
	b->adopted = false;
}

static void log_hop(const struct sl_backend_rt *b)
{
	char source[SL_ADDR_STRLEN];

	if (b->hop.resolved)
		sl_info("event=next_hop lb_service=%s backend=%s resolved=1 interface=%s vlan=%d "
			"mtu=%u source=%s",
			b->service->spec->name, b->spec->name, b->hop.ifname, b->hop.vlan,
			b->hop.mtu, sl_addr_format(&b->hop.source, source));
	else
		sl_info("event=next_hop lb_service=%s backend=%s resolved=0 interface=%s \"%s\"",
			b->service->spec->name, b->spec->name, b->hop.ifname, b->hop.why);
}

static void on_hop(void *user, const struct sl_nexthop_info *info)
{
	struct sl_backend_rt *b = user;
	bool was = b->hop.resolved;

	b->told = *info;
	b->hop_answered = true;
	sl_watch_forward(b->control, &b->control->config.encapsulation, b);
	if (b->hop.resolved != was || info->resolved)
		log_hop(b);
	sl_publish_state(b->control, b);
}

void sl_watch_retry(struct sl_control *c)
{
	for (size_t i = 0; i < c->config.n_services; i++)
		for (size_t j = 0; j < c->service[i]->n_backends; j++) {
			struct sl_backend_rt *b = c->service[i]->backend[j];

			if (!b->told.resolved || b->hop.resolved)
				continue;
			sl_watch_forward(c, &c->config.encapsulation, b);
			if (!b->hop.resolved)
				continue;
			log_hop(b);
			sl_publish_state(c, b);
		}
}

static int start_probe(struct sl_control *c, struct sl_backend_rt *b, const struct sl_service *spec)
{
	b->check = spec->check;
	b->health.rise = spec->check.rise;
	b->health.fall = spec->check.fall;
	if (spec->check.type == SL_CHECK_NONE)
		return 0;
	return sl_probe_start(c->prober, &b->check, &b->spec->addr,
			      b->check.port ? b->check.port : spec->port, on_probe, b, &b->probe);
}

int sl_watch_start(struct sl_control *c, struct sl_backend_rt *b, struct sl_err *err)
{
	int r = sl_nexthop_watch(c->nexthops, &b->spec->addr, on_hop, b, &b->watch);

	if (!r)
		r = start_probe(c, b, b->service->spec);
	if (r < 0)
		return sl_err_set(err, r, "dataplane-error", "backend %s: watching it: %s",
				  b->spec->name, strerror(-r));
	return 0;
}

void sl_watch_update(struct sl_control *c, struct sl_backend_rt *b)
{
	const struct sl_check *check = &b->service->spec->check;
	int r;

	if (!memcmp(check, &b->check, sizeof(*check)))
		return;
	sl_probe_stop(b->probe);
	b->probe = NULL;
	r = start_probe(c, b, b->service->spec);
	if (r < 0)
		sl_error("event=probe backend=%s \"cannot be probed: %s\"", b->spec->name,
			 strerror(-r));
}

void sl_watch_stop(struct sl_backend_rt *b)
{
	sl_probe_stop(b->probe);
	b->probe = NULL;
	sl_nexthop_unwatch(b->watch);
	b->watch = NULL;
}

/* An interface of ours came (back), maybe under a new index. */
void sl_watch_link(void *control, uint32_t ifindex, const char *name, bool exists)
{
	struct sl_control *c = control;
	struct sl_err err = {};

	for (size_t i = 0; exists && i < c->config.n_interfaces; i++) {
		const struct sl_interface *want = &c->config.interfaces[i];

		if (strcmp(want->name, name) || c->dp->ops->attached(c->dp, name) == ifindex)
			continue;
		if (c->dp->ops->attach(c->dp, name, want->mode, &err) < 0)
			sl_error("event=attach interface=%s \"%s\"", name, err.detail);
		else
			sl_info("event=attach interface=%s ifindex=%u \"attached again\"", name,
				ifindex);
	}
}
