/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * change: from one configuration to the next.
 *
 *   stage   everything that can fail: features, ids, tables, records of what is
 *           new, watches, the state file's copy. Only a new service is visible
 *           already, with nobody UP: until the commit its packets are dropped
 *           instead of passed
 *   commit  the state file (rename); the last step that can fail
 *   settle  stores into what packets use; cannot fail
 *
 * Until the commit, undoing is forgetting what was staged. If the agent dies
 * between commit and settle, adoption (adopt.c) ends the work from the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/domain/features.h"
#include "lb_user/svc/runtime.h"
#include "lb_user/svc/store.h"

struct staged { /* of one service of the next configuration */
	struct sl_service_rt *rt;
	bool is_new;	  /* rt is ours until the commit */
	bool is_listed;	  /* packets can find it (new services only) */
	uint16_t *owners; /* of a service that stays */
	struct sl_backend_rt **backend;
	bool *backend_is_new;
	size_t n_backends;
};

static struct sl_service_rt *find_service(const struct sl_control *c, const char *name)
{
	for (size_t i = 0; i < c->config.n_services; i++)
		if (!strcmp(c->config.services[i].name, name))
			return c->service[i];
	return NULL;
}

static struct sl_backend_rt *find_backend(const struct sl_service_rt *s, const struct sl_backend *b)
{
	for (size_t i = 0; i < s->n_backends; i++)
		if (!strcmp(s->backend[i]->spec->name, b->name))
			return sl_addr_equal(&s->backend[i]->spec->addr, &b->addr) ? s->backend[i]
										   : NULL;
	return NULL;
}

static int check_fixed(const struct sl_service *was, const struct sl_service *is,
		       struct sl_err *err)
{
	const char *pointer = NULL;

	if (!sl_addr_equal(&was->addr, &is->addr))
		pointer = "/address";
	else if (was->port != is->port)
		pointer = "/port";
	else if (was->proto != is->proto)
		pointer = "/protocol";
	else if (was->table_size != is->table_size)
		pointer = "/table/size";
	else if (was->fragments != is->fragments)
		pointer = "/fragments"; /* it decides what is hashed */
	if (!pointer)
		return 0;
	return sl_err_at(err, -EUCLEAN, "immutable-field", pointer,
			 "service %s: %s cannot change while flows depend on it; create a second "
			 "service, move the clients, then delete this one",
			 is->name, pointer + 1);
}

static int stage_backend(struct sl_control *c, struct staged *st, const struct sl_backend *spec,
			 struct sl_err *err)
{
	struct sl_backend_rt *b = st->is_new ? NULL : find_backend(st->rt, spec);
	uint32_t id;
	int r;

	if (b) {
		st->backend[st->n_backends++] = b;
		return 0;
	}
	if (sl_idpool_take(c->backend_ids, &id) < 0)
		return sl_err_set(err, -ENOSPC, "capacity-exceeded",
				  "backend %s: all %u backend ids are in use", spec->name,
				  SL_BACKENDS_MAX - 1);
	b = sl_backend_rt_new(c, st->rt, (uint16_t)id);
	if (!b) {
		sl_idpool_give(c->backend_ids, id);
		return sl_err_set(err, -ENOMEM, "dataplane-error", "no memory for backend %s",
				  spec->name);
	}
	b->spec = spec;
	st->backend[st->n_backends] = b;
	st->backend_is_new[st->n_backends++] = true;
	sl_publish_backend(c, b);
	r = sl_watch_start(c, b, err);
	return r;
}

static int stage_new_service(struct sl_control *c, struct staged *st, const struct sl_service *spec,
			     struct sl_err *err)
{
	uint32_t id, base;

	if (sl_idpool_take(c->service_ids, &id) < 0)
		return sl_err_set(err, -ENOSPC, "capacity-exceeded",
				  "service %s: all %u service ids are in use", spec->name,
				  SL_SERVICE_ADDRESS - 1);
	if (sl_capacity_take_slots(c, spec->table_size, &base) < 0) {
		sl_idpool_give(c->service_ids, id);
		return sl_err_at(err, -ENOSPC, "capacity-exceeded", "/table/size",
				 "service %s: no room for %u slots (%u in all); choose a smaller "
				 "table or delete a service",
				 spec->name, spec->table_size, SL_SLOTS_TOTAL);
	}
	st->rt = sl_service_rt_new(c, (uint16_t)id, base, spec->table_size);
	if (!st->rt) {
		sl_capacity_give_slots(c, base, spec->table_size);
		sl_idpool_give(c->service_ids, id);
		return sl_err_set(err, -ENOMEM, "dataplane-error", "no memory for service %s",
				  spec->name);
	}
	st->rt->spec = spec;
	st->is_new = true;
	return 0;
}

static int stage_service(struct sl_control *c, struct staged *st, const struct sl_config *next,
			 const struct sl_service *spec, struct sl_err *err)
{
	int r = 0;

	st->rt = find_service(c, spec->name);
	r = st->rt ? check_fixed(st->rt->spec, spec, err) : stage_new_service(c, st, spec, err);
	if (r < 0)
		return r;
	st->backend = calloc(spec->n_backends + 1, sizeof(*st->backend));
	st->backend_is_new = calloc(spec->n_backends + 1, sizeof(*st->backend_is_new));
	st->owners = calloc(spec->table_size, sizeof(*st->owners));
	if (!st->backend || !st->backend_is_new || !st->owners)
		return sl_err_set(err, -ENOMEM, "dataplane-error", "no memory for service %s",
				  spec->name);
	for (size_t i = 0; i < spec->n_backends && !r; i++)
		r = stage_backend(c, st, &spec->backends[i], err);
	if (!r)
		r = sl_publish_owners(c, spec, st->backend, st->owners, err);
	if (r < 0 || !st->is_new)
		return r;
	memcpy(st->rt->owners, st->owners, spec->table_size * sizeof(*st->owners));
	sl_publish_service(c, st->rt);
	r = sl_svctab_put(&c->svctab, &spec->addr, spec->port, spec->proto, st->rt->id);
	if (r < 0)
		return sl_err_set(err, r, r == -EEXIST ? "listener-conflict" : "capacity-exceeded",
				  "service %s: its address and port %s", spec->name,
				  r == -EEXIST ? "are in use"
					       : "find no place in the lookup table");
	st->is_listed = true;
	r = sl_publish_address(c, next, &spec->addr);
	if (r < 0)
		return sl_err_set(err, r, "capacity-exceeded",
				  "service %s: its address finds no place in the lookup table",
				  spec->name);
	return 0;
}

static void unstage_service(struct sl_control *c, struct staged *st)
{
	for (size_t i = 0; i < st->n_backends; i++)
		if (st->backend_is_new[i]) {
			sl_watch_stop(st->backend[i]);
			sl_capacity_rest(c, &(struct sl_resting){ .id = st->backend[i]->id });
			sl_backend_rt_free(st->backend[i]);
		}
	if (st->is_listed) {
		sl_svctab_del(&c->svctab, &st->rt->spec->addr, st->rt->spec->port,
			      st->rt->spec->proto);
		(void)sl_publish_address(c, &c->config, &st->rt->spec->addr); /* only takes away */
	}
	if (st->is_new) {
		sl_capacity_rest(c, &(struct sl_resting){ .is_service = true,
							  .id = st->rt->id,
							  .slot_base = st->rt->slot_base,
							  .slot_count = st->rt->slots.count,
							  .until_ms = sl_clock_ms() + SL_REST_MS });
		sl_service_rt_free(st->rt);
	}
}

static bool stays(const struct staged *st, const struct sl_backend_rt *b)
{
	for (size_t i = 0; i < st->n_backends; i++)
		if (st->backend[i] == b)
			return true;
	return false;
}

/* Who left the service, and the table without them. */
static void settle_table(struct sl_control *c, struct staged *st, struct sl_backend_rt **was,
			 size_t n_was)
{
	struct sl_service_rt *s = st->rt;

	memcpy(s->owners, st->owners, s->slots.count * sizeof(*s->owners));
	for (size_t i = 0; i < n_was; i++)
		if (!stays(st, was[i])) {
			sl_watch_stop(was[i]);
			sl_publish_remove_backend(c, s, was[i]);
			sl_backend_rt_free(was[i]);
		}
	if (sl_slots_retarget(&s->slots, s->owners, sl_publish_now(c)))
		s->in_transition = 1;
}

static void settle_service(struct sl_control *c, struct staged *st, const struct sl_config *next,
			   const struct sl_service *spec)
{
	struct sl_service_rt *s = st->rt;
	struct sl_backend_rt **was = s->backend;
	size_t n_was = s->n_backends;

	s->spec = spec;
	s->backend = st->backend;
	s->n_backends = st->n_backends;
	for (size_t i = 0; i < s->n_backends; i++)
		s->backend[i]->spec = &spec->backends[i];
	if (!st->is_new) {
		sl_publish_flags(c, s);
		settle_table(c, st, was, n_was);
	}
	for (size_t i = 0; i < s->n_backends; i++) {
		sl_watch_update(c, s->backend[i]);
		sl_watch_forward(c, &next->encapsulation, s->backend[i]);
		sl_publish_state(c, s->backend[i]);
	}
	sl_publish_spares(c, s);
	free(was);
	st->backend = NULL; /* now the service's */
}

static void settle_removed(struct sl_control *c, const struct sl_config *next,
			   struct sl_service_rt *s)
{
	sl_svctab_del(&c->svctab, &s->spec->addr, s->spec->port, s->spec->proto);
	(void)sl_publish_address(c, next, &s->spec->addr); /* only takes away */
	for (size_t i = 0; i < s->n_backends; i++)
		sl_watch_stop(s->backend[i]);
	sl_publish_remove_service(c, s);
	for (size_t i = 0; i < s->n_backends; i++)
		sl_backend_rt_free(s->backend[i]);
	sl_service_rt_free(s);
}

static int prepare_file(struct sl_control *c, const struct sl_config *next, struct sl_err *err)
{
	char *text = NULL;
	size_t len;
	int r;

	if (!c->state_file)
		return 0;
	r = sl_codec_write_config(next, &text, &len);
	if (r < 0)
		return sl_err_set(err, r, "dataplane-error", "no memory to write the state file");
	r = sl_store_prepare(c->state_file, text, len, err);
	free(text);
	return r;
}

static void settle(struct sl_control *c, struct staged *st, const struct sl_config *next)
{
	for (size_t i = 0; i < c->config.n_services; i++)
		if (!sl_config_find(next, c->config.services[i].name))
			settle_removed(c, next, c->service[i]);
	for (size_t i = 0; i < next->n_services; i++)
		settle_service(c, &st[i], next, &next->services[i]);
	sl_lists_settle(c, next);
}

int sl_change_apply(struct sl_control *c, struct sl_config *next, struct sl_err *err)
{
	struct sl_service_rt **service = calloc(next->n_services + 1, sizeof(*service));
	struct staged *st = calloc(next->n_services + 1, sizeof(*st));
	size_t n = 0;
	int r = -ENOMEM;

	if (!service || !st) {
		sl_err_set(err, r, "dataplane-error", "no memory for the change");
		goto out;
	}
	next->revision = c->config.revision + 1;
	r = sl_feature_ensure(c, sl_features_needed(next), err);
	if (!r)
		r = prepare_file(c, next, err);
	for (; !r && n < next->n_services; n++)
		r = stage_service(c, &st[n], next, &next->services[n], err);
	if (!r)
		r = sl_lists_stage(c, next, err);
	if (!r && c->state_file)
		r = sl_store_commit(c->state_file, err);
	if (r < 0) {
		for (size_t i = 0; i < n; i++)
			unstage_service(c, &st[i]);
		sl_lists_unstage(c, next);
		if (c->state_file)
			sl_store_abandon(c->state_file);
		goto out;
	}
	settle(c, st, next);
	for (size_t i = 0; i < next->n_services; i++)
		service[i] = st[i].rt;
	free(c->service);
	c->service = service;
	service = NULL;
	sl_config_done(&c->config);
	c->config = *next;
	memset(next, 0, sizeof(*next));
out:
	for (size_t i = 0; st && i < n; i++) {
		free(st[i].backend);
		free(st[i].backend_is_new);
		free(st[i].owners);
	}
	free(st);
	free(service);
	return r;
}
