/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * adopt: takes over what is pinned. The declared configuration is the truth;
 * the pinned maps say which ids, slots and states stand for it. What matches
 * (a service by address, port and protocol, a backend by service, name and
 * address) keeps its id, so no packet notices. What is pinned and not declared
 * is removed, what is declared and not pinned is made, by the same change that
 * an API call would use.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/base/log.h"
#include "lb_user/domain/features.h"
#include "lb_user/svc/runtime.h"

static bool label_is(const struct sl_label *l, const struct sl_backend *b)
{
	return !strncmp(l->name, b->name, sizeof(l->name)) && l->family == b->addr.family &&
	       !memcmp(l->addr_be, b->addr.byte_be, sizeof(l->addr_be));
}

/* Where an adopted backend stood. Who was down must earn its return. */
static void recall_health(struct sl_backend_rt *b, const struct sl_backend_rec *rec,
			  const struct sl_service *spec)
{
	sl_health_init(&b->health, rec->state == SL_DP_DOWN ? SL_HEALTH_DOWN : SL_HEALTH_UP,
		       spec->check.rise, spec->check.fall);
	b->adopted = rec->ifindex != 0;
}

static int adopt_backends(struct sl_control *c, struct sl_service_rt *s)
{
	const struct sl_service *spec = s->spec;
	const struct sl_dp_mem *m = &c->dp->mem;

	for (uint32_t id = 1; id < SL_BACKENDS_MAX; id++) {
		struct sl_backend_rt *b;

		if (!m->labels[id].name[0] || m->backends[id].service != s->id)
			continue;
		for (size_t i = 0; i < spec->n_backends; i++) {
			if (!label_is(&m->labels[id], &spec->backends[i]) || s->backend[i] ||
			    sl_idpool_claim(c->backend_ids, id) < 0)
				continue;
			b = sl_backend_rt_new(c, s, (uint16_t)id);
			if (!b)
				return -ENOMEM;
			b->spec = &spec->backends[i];
			recall_health(b, &m->backends[id], spec);
			if (m->backends[id].drain_track)
				sl_idpool_claim(c->tracks, m->backends[id].drain_track);
			s->backend[i] = b;
			break;
		}
	}
	return 0;
}

/* NULL: not pinned, or not in a shape that fits; it is then made anew. */
static struct sl_service_rt *adopt_service(struct sl_control *c, const struct sl_service *spec)
{
	uint16_t id = sl_svctab_get(&c->svctab, &spec->addr, spec->port, spec->proto);
	const struct sl_service_rec *rec = &c->dp->mem.services[id];
	struct sl_service_rt *s;

	if (!id || rec->slot_count != spec->table_size ||
	    !(rec->flags & SL_SF_HASH3) != (spec->fragments != SL_FRAGMENTS_HASH3) ||
	    sl_idpool_claim(c->service_ids, id) < 0)
		return NULL;
	if (sl_capacity_claim_slots(c, rec->slot_base, rec->slot_count) < 0) {
		sl_idpool_give(c->service_ids, id);
		return NULL;
	}
	s = sl_service_rt_new(c, id, rec->slot_base, rec->slot_count);
	if (!s)
		return NULL;
	s->spec = spec;
	s->in_transition = 1; /* the first look tells */
	s->backend = calloc(spec->n_backends + 1, sizeof(*s->backend));
	return s;
}

/* Ports of adopted records; another agent's numbers stay as they are. */
static void adopt_ports(struct sl_control *c)
{
	for (uint32_t id = 1; id < SL_BACKENDS_MAX; id++) {
		const struct sl_backend_rec *rec = &c->dp->mem.backends[id];

		if (c->dp->mem.labels[id].name[0] && rec->ifindex && rec->port < SL_PORTS_MAX)
			c->port_ifindex[rec->port] = rec->ifindex;
	}
}

/* Drops from @config what was not adopted, so that the change that follows makes it. */
static void keep_adopted(struct sl_control *c, struct sl_config *config)
{
	for (size_t i = config->n_services; i-- > 0;) {
		struct sl_service *spec = &config->services[i];
		struct sl_service_rt *s = c->service[i];

		if (!s) {
			memmove(&c->service[i], &c->service[i + 1],
				(config->n_services - i - 1) * sizeof(*c->service));
			sl_config_remove(config, spec->name);
			continue;
		}
		for (size_t j = spec->n_backends; j-- > 0;)
			if (!s->backend[j]) {
				memmove(&s->backend[j], &s->backend[j + 1],
					(spec->n_backends - j - 1) * sizeof(*s->backend));
				sl_service_remove(spec, spec->backends[j].name);
			}
		s->n_backends = spec->n_backends;
	}
	for (size_t i = 0; i < config->n_services; i++) {
		c->service[i]->spec = &config->services[i];
		for (size_t j = 0; j < c->service[i]->n_backends; j++)
			c->service[i]->backend[j]->spec = &config->services[i].backends[j];
	}
}

static bool is_declared(void *control, const struct sl_addr *addr, uint16_t id)
{
	const struct sl_control *c = control;

	for (size_t i = 0; i < c->config.n_services; i++)
		if (id == SL_SERVICE_ADDRESS ? sl_addr_equal(&c->config.services[i].addr, addr)
					     : c->service[i]->id == id)
			return true;
	return false;
}

/* Pinned and not declared: out of the lookup table first, then the backends rest. */
static void drop_strangers(struct sl_control *c)
{
	if (sl_svctab_retain(&c->svctab, is_declared, c))
		sl_info("event=adopt \"removed services that are pinned but not declared\"");
	for (size_t i = 0; i < c->config.n_services; i++)
		(void)sl_publish_address(c, &c->config, &c->config.services[i].addr);
	for (uint32_t id = 1; id < SL_BACKENDS_MAX; id++) {
		struct sl_backend_rec *rec = &c->dp->mem.backends[id];

		if (!c->dp->mem.labels[id].name[0] || sl_idpool_taken(c->backend_ids, id))
			continue;
		sl_info("event=adopt backend=%.63s \"removed: pinned but not declared\"",
			c->dp->mem.labels[id].name);
		sl_idpool_claim(c->backend_ids, id);
		__atomic_store_n(&rec->state, (__u8)SL_DP_DOWN, __ATOMIC_RELEASE);
		for (size_t i = 0; i < c->config.n_services; i++)
			if (c->service[i]->id == rec->service)
				sl_slots_remove(&c->service[i]->slots, (uint16_t)id,
						c->service[i]->owners, sl_publish_now(c));
		rec->drain_track = 0;
		sl_capacity_rest(c, &(struct sl_resting){ .id = (uint16_t)id,
							  .until_ms = sl_clock_ms() + SL_REST_MS });
	}
	/* and the services', once what their backends sent has gone to them; their slots are free
	 */
	for (uint32_t id = 1; id < SL_SERVICE_ADDRESS; id++) {
		if (!c->dp->mem.services[id].slot_count || sl_idpool_taken(c->service_ids, id))
			continue;
		sl_idpool_claim(c->service_ids, id);
		sl_capacity_rest(c, &(struct sl_resting){ .is_service = true,
							  .id = (uint16_t)id,
							  .until_ms = sl_clock_ms() + SL_REST_MS });
	}
}

/* The table as declared, for what was adopted; nobody's flow moves (slots.h). */
static int retarget(struct sl_control *c, struct sl_err *err)
{
	for (size_t i = 0; i < c->config.n_services; i++) {
		struct sl_service_rt *s = c->service[i];
		int r = sl_publish_owners(c, s->spec, s->backend, s->owners, err);

		if (r < 0)
			return r;
		sl_publish_flags(c, s);
	}
	drop_strangers(c);
	for (size_t i = 0; i < c->config.n_services; i++) {
		struct sl_service_rt *s = c->service[i];

		sl_slots_retarget(&s->slots, s->owners, sl_publish_now(c));
		for (size_t j = 0; j < s->n_backends; j++) {
			int r = sl_watch_start(c, s->backend[j], err);

			if (r < 0)
				return r;
			sl_publish_state(c, s->backend[j]);
		}
	}
	return 0;
}

int sl_adopt(struct sl_control *c, struct sl_config *config, struct sl_err *err)
{
	struct sl_config adopted = {};
	int r = sl_config_copy(config, &adopted);

	if (r < 0)
		return sl_err_set(err, r, "dataplane-error", "no memory to adopt what is pinned");
	r = sl_feature_ensure(c, sl_features_needed(config), err);
	if (r < 0) {
		sl_config_done(&adopted);
		return r;
	}
	adopt_ports(c);
	free(c->service);
	c->service = calloc(adopted.n_services + 1, sizeof(*c->service));
	for (size_t i = 0; c->service && i < adopted.n_services && !r; i++) {
		c->service[i] = adopt_service(c, &adopted.services[i]);
		if (c->service[i])
			r = c->service[i]->backend ? adopt_backends(c, c->service[i]) : -ENOMEM;
	}
	if (!c->service || r < 0) {
		sl_config_done(&adopted);
		return sl_err_set(err, -ENOMEM, "dataplane-error",
				  "no memory to adopt what is pinned");
	}
	keep_adopted(c, &adopted);
	c->config = adopted;
	if (config->revision) /* the change below counts one up: a restart is none */
		c->config.revision = config->revision - 1;
	r = retarget(c, err);
	return r < 0 ? r : sl_change_apply(c, config, err);
}
