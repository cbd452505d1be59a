/* SPDX-License-Identifier: BSD-2-Clause */
/* declare: each call that changes something alters a copy of the configuration, which then is
 * applied. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/base/clock.h"
#include "lb_user/domain/validate.h"
#include "lb_user/svc/runtime.h"

/* A copy to alter, or an error; ends in finish(). */
static int begin(struct sl_control *c, struct sl_config *next, struct sl_err *err)
{
	if (c->readonly)
		return sl_err_set(err, -EROFS, "read-only",
				  "changes are refused: %s; mend the file and restart sluiced",
				  c->readonly);
	if (sl_config_copy(&c->config, next) < 0)
		return sl_err_set(err, -ENOMEM, "dataplane-error", "no memory for the change");
	return 0;
}

/* Whether @next declares what is declared already; what cannot be compared counts as new. */
static bool says_nothing_new(const struct sl_config *now, struct sl_config *next)
{
	char *a = NULL, *b = NULL;
	size_t a_len, b_len;
	bool same;

	next->revision = now->revision;
	same = !sl_codec_write_config(now, &a, &a_len) &&
	       !sl_codec_write_config(next, &b, &b_len) && a_len == b_len && !memcmp(a, b, a_len);
	free(a);
	free(b);
	return same;
}

static int finish(struct sl_control *c, struct sl_config *next, int r, struct sl_err *err)
{
	/* asking twice for the same is no change: no revision, no table, no write */
	if (!r && !says_nothing_new(&c->config, next))
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
	int r;

	sl_service_inherit(s);
	r = sl_validate_service(s, err);
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

int sl_control_service_guard(struct sl_control *c, const char *name,
			     const struct sl_service_guard *guard, struct sl_err *err)
{
	struct sl_config next = {};
	struct sl_service *s;
	int r = begin(c, &next, err);

	if (r < 0)
		return r;
	s = sl_config_find(&next, name);
	if (s) {
		s->guard = *guard;
		r = check_service(&next, s, err);
	} else {
		r = no_service(name, err);
	}
	return finish(c, &next, r, err);
}

int sl_control_guard_lists(struct sl_control *c, struct sl_guard_lists *lists, struct sl_err *err)
{
	struct sl_config next = {};
	int r = begin(c, &next, err);

	if (r < 0)
		return r;
	r = sl_validate_lists(lists, err);
	if (!r) {
		sl_guard_lists_done(&next.guard);
		next.guard = *lists;
		*lists = (struct sl_guard_lists){ 0 };
	}
	return finish(c, &next, r, err);
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

/* The service was right before, so the backend at fault is the one in the body: "/backends/2/x" is
 * its "/x". */
static int in_backend(int r, struct sl_err *err)
{
	static const char list[] = "/backends/";
	char *member;

	if (r < 0 && err && !strncmp(err->pointer, list, sizeof(list) - 1)) {
		member = strchr(err->pointer + sizeof(list) - 1, '/');
		if (member)
			memmove(err->pointer, member, strlen(member) + 1);
	}
	return r;
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
		r = in_backend(check_service(&next, s, err), err);
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

static bool may_have_flows(const struct sl_control *c, const struct sl_backend_rt *b)
{
	return c->dp->mem.backends[b->id].state != SL_DP_DOWN && !b->drain_complete &&
	       sl_status_used(c, b->id);
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
