/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/resources.h"

#include <sluice/reasons.h>

static const struct {
	unsigned number;
	const char *label;
} reasons[] = {
#define REASON_ROW(sym, num, act, label) { num, label },
	SL_REASONS(REASON_ROW)
#undef REASON_ROW
};

static void add_interfaces(struct sl_api *a, struct sl_reply *r, struct cJSON *root)
{
	const struct sl_config *c = sl_control_config(a->control);
	struct cJSON *all = sl_reply_array(r, root, "interfaces");

	for (size_t i = 0; i < c->n_interfaces; i++) {
		const struct sl_interface *iface = &c->interfaces[i];
		struct cJSON *one = sl_reply_object(r, all, NULL);
		struct sl_interface_status st;

		if (sl_control_interface_status(a->control, iface->name, &st) < 0)
			st = (struct sl_interface_status){ 0 };
		sl_reply_str(r, one, "name", iface->name);
		sl_reply_str(r, one, "mode", sl_mode_name(iface->mode));
		sl_reply_bool(r, one, "attached", st.attached);
		sl_reply_uint(r, one, "ifindex", st.ifindex);
	}
}

/* null: the address that the kernel would use itself. */
static void add_source(struct sl_reply *r, struct cJSON *all, const char *key,
		       const struct sl_prefix *p)
{
	char text[SL_PREFIX_STRLEN];

	if (p->addr.family)
		sl_reply_str(r, all, key, sl_prefix_format(p, text));
	else
		sl_reply_null(r, all, key);
}

static void add_encapsulation(struct sl_api *a, struct sl_reply *r, struct cJSON *root)
{
	const struct sl_encapsulation *e = &sl_control_config(a->control)->encapsulation;
	struct cJSON *all = sl_reply_object(r, root, "encapsulation");

	add_source(r, all, "source4", &e->source4);
	add_source(r, all, "source6", &e->source6);
}

/* "next" is no way out of the program, so it is not shown. */
static void add_reasons(struct sl_api *a, struct sl_reply *r, struct cJSON *root)
{
	struct cJSON *all = sl_reply_object(r, root, "reasons");
	uint64_t counts[SL_REASONS_MAX] = { 0 };

	sl_control_reasons(a->control, counts);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].number != SL_R_NEXT)
			sl_reply_uint(r, all, reasons[i].label, counts[reasons[i].number]);
	}
}

static void add_exceptions(struct sl_api *a, struct sl_reply *r, struct cJSON *root)
{
	struct cJSON *all = sl_reply_object(r, root, "exceptions");
	struct sl_exc_cnt n = { 0 };

	sl_control_exceptions(a->control, &n);
	sl_reply_uint(r, all, "lookups", n.lookups);
	sl_reply_uint(r, all, "hits", n.hits);
	sl_reply_uint(r, all, "inserts", n.inserts);
	sl_reply_uint(r, all, "evicted_expired", n.evicted_expired);
	sl_reply_uint(r, all, "evicted_unconfirmed", n.evicted_unconfirmed);
	sl_reply_uint(r, all, "failed", n.failed);
	sl_reply_uint(r, all, "rescheduled", n.rescheduled);
}

struct transmit {
	struct sl_reply *reply;
	struct cJSON *all;
};

static void add_transmit(void *user, const struct sl_transmit_status *t)
{
	struct transmit *to = user;
	struct cJSON *one = sl_reply_object(to->reply, to->all, NULL);

	sl_reply_str(to->reply, one, "interface", t->interface);
	sl_reply_str(to->reply, one, "kind", t->kind);
	sl_reply_str(to->reply, one, "errno", t->error);
	sl_reply_uint(to->reply, one, "packets", t->packets);
}

static void add_transmit_errors(struct sl_api *a, struct sl_reply *r, struct cJSON *root)
{
	const char *blind = sl_control_transmit_blind(a->control);
	struct transmit to = { r, sl_reply_array(r, root, "transmit_errors") };

	sl_control_transmit_errors(a->control, add_transmit, &to);
	if (blind)
		sl_reply_str(r, root, "transmit_uncounted", blind);
	else
		sl_reply_null(r, root, "transmit_uncounted");
}

void sl_status_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	const struct sl_config *c = sl_control_config(a->control);
	const char *why = sl_control_readonly(a->control);
	struct cJSON *root = sl_reply_new_object(r), *services;

	(void)q;
	sl_reply_str(r, root, "version", SL_VERSION);
	sl_reply_uint(r, root, "revision", c->revision);
	if (why)
		sl_reply_str(r, root, "read_only", why);
	else
		sl_reply_null(r, root, "read_only");
	add_interfaces(a, r, root);
	add_encapsulation(a, r, root);
	services = sl_reply_array(r, root, "services");
	for (size_t i = 0; i < c->n_services; i++)
		sl_reply_attach(r, services, NULL, sl_services_document(a, r, &c->services[i]));
	add_reasons(a, r, root);
	add_exceptions(a, r, root);
	add_transmit_errors(a, r, root);
	sl_guard_add_status(a, r, root, "guard");
	sl_reply_json(r, 200, root);
}

void sl_dataplane_delete(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	struct sl_err err = { 0 };

	(void)q;
	if (sl_control_unload(a->control, &err) < 0) {
		sl_reply_error(r, &err);
		return;
	}
	sl_reply_empty(r, 204);
	r->unloaded = true;
}
