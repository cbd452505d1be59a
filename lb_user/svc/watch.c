/* SPDX-License-Identifier: BSD-2-Clause */
/* watch: what probes and netlink say of a backend, and of the interfaces. */
#include <errno.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/base/log.h"
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

/* The frame's first twelve bytes, and where it leaves. */
static int write_hop(struct sl_backend_rt *b, const struct sl_nexthop_info *hop)
{
	struct sl_control *c = b->control;
	struct sl_backend_rec *rec = &c->dp->mem.backends[b->id];
	struct sl_err err = {};
	uint8_t image[12];
	uint64_t low;
	uint32_t high;
	uint16_t port;
	int r;

	memcpy(image, hop->dst_mac, 6);
	memcpy(image + 6, hop->src_mac, 6);
	memcpy(&low, image, 8);
	memcpy(&high, image + 8, 4);
	if (rec->ifindex != hop->ifindex) {
		r = sl_capacity_port(c, hop->ifindex, &port, &err);
		if (r < 0) {
			sl_error("event=next_hop backend=%s \"%s\"", b->spec->name, err.detail);
			return r;
		}
		/* Not one packet by the new interface with the old addresses: dropped meanwhile,
		 * which costs a retransmission; DOWN would move the flows. */
		__atomic_store_n(&rec->ifindex, 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&rec->port, port, __ATOMIC_RELEASE);
	}
	rec->mtu = rec->mtu_link = hop->mtu < UINT16_MAX ? (__u16)hop->mtu : UINT16_MAX;
	__atomic_store_n(&rec->mac_hi, high, __ATOMIC_RELAXED);
	__atomic_store_n(&rec->mac_lo, low, __ATOMIC_RELEASE);
	__atomic_store_n(&rec->ifindex, hop->ifindex, __ATOMIC_RELEASE);
	return 0;
}

static void on_hop(void *user, const struct sl_nexthop_info *info)
{
	struct sl_backend_rt *b = user;
	bool was = b->hop.resolved;

	b->hop = *info;
	b->hop_answered = true;
	if (info->resolved) {
		b->hop.resolved = !write_hop(b, info);
		b->adopted = false;
	}
	if (b->hop.resolved != was || info->resolved)
		sl_info("event=next_hop lb_service=%s backend=%s resolved=%d interface=%s \"%s\"",
			b->service->spec->name, b->spec->name, b->hop.resolved, info->ifname,
			info->resolved ? "" : info->why);
	sl_publish_state(b->control, b);
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
