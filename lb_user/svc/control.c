/* SPDX-License-Identifier: BSD-2-Clause */
/* control: its life, and each change as a copy of the configuration, altered. */
#include "lb_user/svc/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/base/log.h"
#include "lb_user/domain/validate.h"
#include "lb_user/svc/runtime.h"
#include "lb_user/svc/store.h"

/* ---- runtime objects ------------------------------------------------------ */

struct sl_backend_rt *sl_backend_rt_new(struct sl_control *c, struct sl_service_rt *s, uint16_t id)
{
	struct sl_backend_rt *b = calloc(1, sizeof(*b));

	if (b) {
		b->control = c;
		b->service = s;
		b->id = id;
	}
	return b;
}

struct sl_service_rt *sl_service_rt_new(struct sl_control *c, uint16_t id, uint32_t slot_base,
					uint32_t slot_count)
{
	struct sl_service_rt *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->owners = calloc(slot_count, sizeof(*s->owners));
	if (!s->owners) {
		free(s);
		return NULL;
	}
	s->id = id;
	s->slot_base = slot_base;
	s->slots = (struct sl_slots){ .word = c->dp->mem.slots + slot_base,
				      .seen = c->dp->mem.seen + slot_base,
				      .count = slot_count };
	return s;
}

void sl_backend_rt_free(struct sl_backend_rt *b)
{
	free(b);
}

void sl_service_rt_free(struct sl_service_rt *s)
{
	if (!s)
		return;
	free(s->backend);
	free(s->owners);
	free(s);
}

struct sl_backend_rt *sl_control_find(struct sl_control *c, const char *service, const char *name)
{
	for (size_t i = 0; i < c->config.n_services; i++) {
		if (strcmp(c->config.services[i].name, service))
			continue;
		for (size_t j = 0; j < c->service[i]->n_backends; j++)
			if (!strcmp(c->service[i]->backend[j]->spec->name, name))
				return c->service[i]->backend[j];
	}
	return NULL;
}

/* ---- life ------------------------------------------------------------------ */

/* Returns 0, or the reason why the declared state is unknown (in @err). */
static int read_declared(const struct sl_control_options *opt, struct sl_config *ret,
			 bool *ret_is_state, struct sl_err *err)
{
	const char *path = opt->state_file;
	char *text = NULL;
	size_t len = 0;
	int r = path ? sl_store_read(path, &text, &len, err) : -ENOENT;

	*ret_is_state = r != -ENOENT;
	if (r == -ENOENT) {
		path = opt->config_file;
		if (!path)
			return 0;
		r = sl_store_read(path, &text, &len, err);
		if (r == -ENOENT)
			return sl_err_set(err, r, "validation-failed",
					  "configuration %s does not exist", path);
	}
	if (!r)
		r = sl_codec_read_config(text, len, ret, err);
	if (!r) {
		r = sl_validate_config(ret, err);
		if (r < 0)
			sl_config_done(ret);
	}
	free(text);
	if (r < 0 && err) {
		struct sl_err inner = *err;

		sl_err_set(err, r, inner.slug, "%s: %.300s%s%.60s", path, inner.detail,
			   inner.pointer[0] ? ", at " : "", inner.pointer);
	}
	return r;
}

static int attach_all(struct sl_control *c, const struct sl_config *config, struct sl_err *err)
{
	for (size_t i = 0; i < config->n_interfaces; i++) {
		const struct sl_interface *f = &config->interfaces[i];
		int r = c->dp->ops->attach(c->dp, f->name, f->mode, err);

		if (r < 0 && !c->dp->adopted)
			return r;
		if (r < 0) /* what is pinned goes on; the interface may come back */
			sl_error("event=attach interface=%s \"%s\"", f->name,
				 err ? err->detail : "");
		else
			sl_info("event=attach interface=%s mode=%s", f->name,
				sl_mode_name(f->mode));
	}
	return 0;
}

int sl_control_new(uv_loop_t *loop, struct sl_dp *dp, const struct sl_control_options *opt,
		   struct sl_control **ret, struct sl_err *err)
{
	struct sl_control *c = calloc(1, sizeof(*c));
	struct sl_config declared = {};
	bool is_state = false;
	int r;

	if (!c)
		return sl_err_set(err, -ENOMEM, "dataplane-error", "no memory");
	c->loop = loop;
	c->dp = dp;
	c->svctab = (struct sl_svctab){ .svc4 = dp->mem.svc4, .svc6 = dp->mem.svc6 };
	c->state_file = opt->state_file ? strdup(opt->state_file) : NULL;
	r = sl_capacity_init(c);
	if (!r)
		r = sl_prober_new(loop, &c->prober);
	if (r < 0) {
		sl_err_set(err, r, "dataplane-error", "starting: %s", strerror(-r));
		goto out;
	}
	r = sl_nexthops_new(loop, sl_watch_link, c, &c->nexthops, err);
	if (r < 0)
		goto out;
	r = read_declared(opt, &declared, &is_state, err);
	if (r < 0 && is_state) {
		/* hostile or torn: keep forwarding what is pinned, change nothing */
		c->readonly = strdup(err && err->detail[0] ? err->detail : "state file unreadable");
		sl_error("event=readonly \"%s; forwarding goes on as it is pinned; mend or remove "
			 "the file and restart\"",
			 c->readonly ? c->readonly : "");
		r = 0;
	} else if (!r) {
		r = sl_adopt(c, &declared, err);
		if (!r)
			r = attach_all(c, &c->config, err);
		if (!r)
			r = sl_upkeep_start(c);
	}
	if (r < 0)
		goto out;
	*ret = c;
	c = NULL;
out:
	sl_config_done(&declared);
	sl_control_free(c);
	return r;
}

void sl_control_free(struct sl_control *c)
{
	if (!c)
		return;
	sl_upkeep_stop(c);
	for (size_t i = 0; c->service && i < c->config.n_services; i++) {
		for (size_t j = 0; j < c->service[i]->n_backends; j++) {
			sl_watch_stop(c->service[i]->backend[j]);
			sl_backend_rt_free(c->service[i]->backend[j]);
		}
		sl_service_rt_free(c->service[i]);
	}
	free(c->service);
	if (c->nexthops)
		sl_nexthops_free(c->nexthops);
	if (c->prober)
		sl_prober_free(c->prober);
	sl_capacity_done(c);
	sl_config_done(&c->config);
	free(c->state_file);
	free(c->readonly);
	free(c);
}

const char *sl_control_readonly(const struct sl_control *c)
{
	return c->readonly;
}

const struct sl_config *sl_control_config(const struct sl_control *c)
{
	return &c->config;
}

int sl_control_unload(struct sl_control *c, struct sl_err *err)
{
	int r = c->dp->ops->unload(c->dp, err);

	if (!r)
		sl_warn("event=unload \"the data plane is detached on request\"");
	return r;
}

/* ---- changes ---------------------------------------------------------------- */

/* A copy to alter, or an error; ends in finish(). */
static int begin(struct sl_control *c, struct sl_config *next, struct sl_err *err)
{
	if (c->readonly)
		return sl_err_set(err, -EROFS, "read-only",
				  "changes are refused: %s; mend or remove the file and restart "
				  "sluiced",
				  c->readonly);
	if (sl_config_copy(&c->config, next) < 0)
		return sl_err_set(err, -ENOMEM, "dataplane-error", "no memory for the change");
	return 0;
}

static int finish(struct sl_control *c, struct sl_config *next, int r, struct sl_err *err)
{
	if (!r)
		r = sl_change_apply(c, next, err);
	sl_config_done(next);
	return r;
}

static int no_service(const char *name, struct sl_err *err)
{
	return sl_err_set(err, -ENOENT, "not-found", "service %s does not exist", name);
}

static int no_backend(const char *service, const char *name, struct sl_err *err)
{
	return sl_err_set(err, -ENOENT, "not-found", "service %s has no backend %s", service, name);
}

/* Times of a drain that is declared without them. */
static void complete_drains(struct sl_service *s)
{
	int64_t now_ms = sl_clock_wall_ms();

	for (size_t i = 0; i < s->n_backends; i++) {
		struct sl_backend *b = &s->backends[i];

		if (b->admin != SL_ADMIN_DRAIN || b->drain_since_wall_ms)
			continue;
		b->drain_since_wall_ms = now_ms;
		if (!b->drain_deadline_wall_ms && s->drain_timeout_s)
			b->drain_deadline_wall_ms = now_ms + (int64_t)s->drain_timeout_s * 1000;
	}
}

static int check_service(const struct sl_config *c, struct sl_service *s, struct sl_err *err)
{
	int r = sl_validate_service(s, err);

	if (!r)
		r = sl_validate_beside(c, s, err);
	if (!r)
		complete_drains(s);
	return r;
}

int sl_control_service_create(struct sl_control *c, struct sl_service *spec, struct sl_err *err)
{
	struct sl_config next = {};
	struct sl_service copy = {};
	int r = begin(c, &next, err);

	if (r < 0)
		return r;
	if (sl_config_find(&next, spec->name))
		r = sl_err_at(err, -EEXIST, "already-exists", "/name",
			      "service %s exists; replace it with PUT or choose another name",
			      spec->name);
	if (!r)
		r = check_service(&next, spec, err);
	if (!r && (sl_service_copy(spec, &copy) < 0 || sl_config_add(&next, &copy) < 0))
		r = sl_err_set(err, -ENOMEM, "dataplane-error", "no memory for service %s",
			       spec->name);
	return finish(c, &next, r, err);
}

/* A drain that goes on keeps its times when the service or backend is replaced. */
static void keep_drain(const struct sl_backend *was, struct sl_backend *is)
{
	if (!was || was->admin != SL_ADMIN_DRAIN || is->admin != SL_ADMIN_DRAIN ||
	    is->drain_since_wall_ms)
		return;
	is->drain_since_wall_ms = was->drain_since_wall_ms;
	is->drain_deadline_wall_ms = was->drain_deadline_wall_ms;
	is->drain_then = was->drain_then;
}

int sl_control_service_replace(struct sl_control *c, struct sl_service *spec, bool *ret_created,
			       struct sl_err *err)
{
	struct sl_config next = {};
	struct sl_service *was, copy = {};
	bool created;
	int r = begin(c, &next, err);

	if (r < 0)
		return r;
	was = sl_config_find(&next, spec->name);
	created = !was;
	for (size_t i = 0; was && i < spec->n_backends; i++)
		keep_drain(sl_service_find(was, spec->backends[i].name), &spec->backends[i]);
	r = check_service(&next, spec, err);
	if (!r && was)
		r = sl_config_remove(&next, spec->name);
	if (!r && (sl_service_copy(spec, &copy) < 0 || sl_config_add(&next, &copy) < 0))
		r = sl_err_set(err, -ENOMEM, "dataplane-error", "no memory for service %s",
			       spec->name);
	r = finish(c, &next, r, err);
	if (!r)
		*ret_created = created;
	return r;
}

int sl_control_service_delete(struct sl_control *c, const char *name, struct sl_err *err)
{
	struct sl_config next = {};
	int r = begin(c, &next, err);

	if (r < 0)
		return r;
	if (sl_config_remove(&next, name) < 0)
		r = no_service(name, err);
	return finish(c, &next, r, err);
}

static int put_backend(struct sl_control *c, const char *service, const struct sl_backend *spec,
		       bool may_replace, bool *ret_created, struct sl_err *err)
{
	struct sl_config next = {};
	struct sl_backend b = *spec, *was = NULL;
	struct sl_service *s;
	int r = begin(c, &next, err);

	if (r < 0)
		return r;
	s = sl_config_find(&next, service);
	if (!s) {
		r = no_service(service, err);
		goto out;
	}
	was = sl_service_find(s, b.name);
	if (was && !may_replace) {
		r = sl_err_at(err, -EEXIST, "already-exists", "/name",
			      "backend %s exists in service %s; replace it with PUT or choose "
			      "another name",
			      b.name, service);
		goto out;
	}
	keep_drain(was, &b);
	if (ret_created)
		*ret_created = !was;
	r = sl_validate_backend(s, &b, err);
	if (!r && was)
		r = sl_service_remove(s, b.name);
	if (!r && sl_service_add(s, &b) < 0)
		r = sl_err_set(err, -ENOMEM, "dataplane-error", "no memory for backend %s", b.name);
	if (!r)
		r = check_service(&next, s, err);
out:
	return finish(c, &next, r, err);
}

int sl_control_backend_create(struct sl_control *c, const char *service,
			      const struct sl_backend *spec, struct sl_err *err)
{
	return put_backend(c, service, spec, false, NULL, err);
}

int sl_control_backend_replace(struct sl_control *c, const char *service,
			       const struct sl_backend *spec, bool *ret_created, struct sl_err *err)
{
	return put_backend(c, service, spec, true, ret_created, err);
}

static bool may_have_flows(struct sl_control *c, const struct sl_backend_rt *b)
{
	const struct sl_dp_mem *m = &c->dp->mem;
	uint64_t packets = 0;

	if (m->backends[b->id].state == SL_DP_DOWN || b->drain_complete)
		return false;
	for (uint32_t cpu = 0; cpu < m->info->cpus; cpu++)
		packets += m->cnt_backend[(size_t)cpu * SL_BACKENDS_MAX + b->id].packets;
	return packets > 0;
}

int sl_control_backend_delete(struct sl_control *c, const char *service, const char *name,
			      bool force, struct sl_err *err)
{
	struct sl_config next = {};
	const struct sl_backend_rt *b;
	struct sl_service *s;
	int r = begin(c, &next, err);

	if (r < 0)
		return r;
	s = sl_config_find(&next, service);
	b = s ? sl_control_find(c, service, name) : NULL;
	if (!s)
		r = no_service(service, err);
	else if (!b)
		r = no_backend(service, name, err);
	else if (!force && may_have_flows(c, b))
		r = sl_err_set(
			err, -EBUSY, "backend-not-drained",
			"backend %s of service %s may still have flows; drain it first (POST "
			".../drain with \"then\": \"delete\" removes it when it is empty), or "
			"use ?force=true",
			name, service);
	else
		r = sl_service_remove(s, name);
	return finish(c, &next, r, err);
}

static struct sl_backend *find_both(struct sl_config *next, const char *service, const char *name,
				    struct sl_service **ret_service, int *ret_r, struct sl_err *err)
{
	struct sl_service *s = sl_config_find(next, service);
	struct sl_backend *b = s ? sl_service_find(s, name) : NULL;

	*ret_r = b ? 0 : s ? no_backend(service, name, err) : no_service(service, err);
	*ret_service = s;
	return b;
}

static void end_drain(struct sl_backend *b)
{
	b->drain_since_wall_ms = 0;
	b->drain_deadline_wall_ms = 0;
	b->drain_then = SL_THEN_DRAIN;
}

int sl_control_backend_patch(struct sl_control *c, const char *service, const char *name,
			     const struct sl_backend_patch *patch, struct sl_err *err)
{
	struct sl_config next = {};
	struct sl_service *s;
	struct sl_backend *b;
	int r = begin(c, &next, err);

	if (r < 0)
		return r;
	b = find_both(&next, service, name, &s, &r, err);
	if (!b)
		goto out;
	if (patch->has_weight)
		b->weight = patch->weight;
	if (patch->has_admin && patch->admin != b->admin) {
		b->admin = patch->admin;
		end_drain(b);
		if (patch->admin == SL_ADMIN_READY)
			b->reason[0] = '\0';
	}
	if (patch->has_reason)
		memcpy(b->reason, patch->reason, sizeof(b->reason));
	r = check_service(&next, s, err);
out:
	return finish(c, &next, r, err);
}

int sl_control_backend_drain(struct sl_control *c, const char *service, const char *name,
			     const struct sl_drain_request *req, struct sl_err *err)
{
	struct sl_config next = {};
	struct sl_service *s;
	struct sl_backend *b;
	uint32_t timeout_s;
	int r = begin(c, &next, err);

	if (r < 0)
		return r;
	b = find_both(&next, service, name, &s, &r, err);
	if (!b)
		goto out;
	timeout_s = req->has_timeout ? req->timeout_s : s->drain_timeout_s;
	if (b->admin != SL_ADMIN_DRAIN)
		b->drain_since_wall_ms = sl_clock_wall_ms();
	/* asked again: the new deadline and what follows count, the start stays */
	b->admin = SL_ADMIN_DRAIN;
	b->drain_then = req->then;
	b->drain_deadline_wall_ms = timeout_s ? sl_clock_wall_ms() + (int64_t)timeout_s * 1000 : 0;
	if (req->reason[0])
		memcpy(b->reason, req->reason, sizeof(b->reason));
out:
	r = finish(c, &next, r, err);
	if (!r) /* asked of one already drained: what is to follow follows */
		sl_control_find(c, service, name)->drain_complete = false;
	return r;
}
