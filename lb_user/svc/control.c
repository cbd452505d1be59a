/* SPDX-License-Identifier: BSD-2-Clause */
/* control: its life; what it does to the configuration is in declare.c. */
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
	sl_trace_init(c);
	c->svctab = (struct sl_svctab){ .svc4 = dp->mem.svc4, .svc6 = dp->mem.svc6 };
	c->state_file = opt->state_file ? strdup(opt->state_file) : NULL;
	r = sl_capacity_init(c);
	if (!r)
		r = sl_prober_new(loop, &c->prober);
	if (r < 0) {
		sl_err_set(err, r, "dataplane-error", "starting: %s", strerror(-r));
		goto out;
	}
	if (sl_control_transmit_blind(c))
		sl_warn("event=transmit \"not all transmit errors are counted: %s\"",
			sl_control_transmit_blind(c));
	r = sl_nexthops_new(loop, sl_watch_link, c, &c->nexthops, err);
	if (r < 0)
		goto out;
	r = read_declared(opt, &declared, &is_state, err);
	if (r < 0 && is_state) {
		/* hostile or torn: keep forwarding what is pinned, change nothing */
		c->readonly = strdup(err && err->detail[0] ? err->detail : "state file unreadable");
		sl_error("event=readonly \"%s; forwarding goes on as it is pinned, without "
			 "probes; mend the file and restart (without it --config would be the "
			 "truth, and what it does not name would be removed)\"",
			 c->readonly ? c->readonly : "");
		r = 0;
	} else if (!r) {
		if (is_state && opt->config_file)
			sl_info("event=config \"state file %s exists, so %s is not read\"",
				opt->state_file, opt->config_file);
		/* a first start commits nothing before the interfaces are known to work */
		if (!dp->adopted)
			r = attach_all(c, &declared, err);
		if (!r)
			r = sl_adopt(c, &declared, err);
		if (!r && dp->adopted)
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
	sl_trace_free(c);
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
