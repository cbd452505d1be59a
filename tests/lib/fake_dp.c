/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/fake_dp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct sl_fake_dp *fake_of(struct sl_dp *dp)
{
	return (struct sl_fake_dp *)dp;
}

static int fake_attach(struct sl_dp *dp, const char *name, enum sl_mode mode, struct sl_err *err)
{
	struct sl_fake_dp *f = fake_of(dp);

	(void)mode;
	if (f->fail_attach)
		return sl_err_set(err, f->fail_attach, "dataplane-error", "interface %s: no", name);
	for (int i = 0; i < 8; i++)
		if (!f->attached[i][0] || !strcmp(f->attached[i], name)) {
			snprintf(f->attached[i], SL_IFNAME_LEN, "%s", name);
			return 0;
		}
	return -ENOSPC;
}

static int fake_detach(struct sl_dp *dp, const char *name, struct sl_err *err)
{
	(void)err;
	for (int i = 0; i < 8; i++)
		if (!strcmp(fake_of(dp)->attached[i], name)) {
			fake_of(dp)->attached[i][0] = '\0';
			return 0;
		}
	return -ENOENT;
}

static unsigned fake_attached(struct sl_dp *dp, const char *name)
{
	for (unsigned i = 0; i < 8; i++)
		if (!strcmp(fake_of(dp)->attached[i], name))
			return i + 1;
	return 0;
}

static int fake_port_set(struct sl_dp *dp, uint16_t port, uint32_t ifindex, struct sl_err *err)
{
	if (fake_of(dp)->fail_port)
		return sl_err_set(err, fake_of(dp)->fail_port, "dataplane-error", "port %u: no",
				  port);
	fake_of(dp)->port_ifindex[port] = ifindex;
	return 0;
}

static int fake_specialise(struct sl_dp *dp, uint32_t features, struct sl_err *err)
{
	struct sl_fake_dp *f = fake_of(dp);

	if (features == dp->mem.info->features)
		return 0;
	if (f->fail_specialise)
		return sl_err_set(err, f->fail_specialise, "dataplane-error", "features 0x%x: no",
				  features);
	if (f->on_specialise)
		f->on_specialise(f, features);
	if (f->specialised < 16)
		f->specialised_to[f->specialised] = features;
	f->specialised++;
	dp->mem.info->features = features;
	return 0;
}

static int fake_transmit_errors(struct sl_dp *dp, struct sl_transmit_error *ret, size_t room)
{
	const struct sl_fake_dp *f = fake_of(dp);
	size_t n = f->n_transmit < room ? f->n_transmit : room;

	memcpy(ret, f->transmit, n * sizeof(*ret));
	return (int)n;
}

static const char *fake_transmit_blind(struct sl_dp *dp)
{
	return fake_of(dp)->transmit_blind ? fake_of(dp)->transmit_blind : "";
}

static bool same_key(const struct sl_guard_prefix *a, const struct sl_guard_prefix *b)
{
	return !memcmp(&a->key, &b->key, sizeof(a->key));
}

static void fake_add(struct sl_fake_dp *f, const struct sl_guard_prefix *p)
{
	size_t i = 0;

	while (i < f->n_prefixes && !same_key(&f->prefixes[i], p))
		i++;
	if (i < SL_FAKE_PREFIXES)
		f->prefixes[i] = *p;
	f->n_prefixes += i == f->n_prefixes;
}

static int fake_prefixes(struct sl_dp *dp, const struct sl_guard_prefix *list, size_t n, bool prune,
			 struct sl_err *err)
{
	struct sl_fake_dp *f = fake_of(dp);

	f->prefix_calls++;
	for (size_t i = 0; i < n; i++) {
		if (f->fail_prefixes && i == n / 2)
			return sl_err_set(err, f->fail_prefixes, "dataplane-error", "prefixes: no");
		fake_add(f, &list[i]);
	}
	for (size_t i = f->n_prefixes; prune && i-- > 0;) {
		size_t k = 0;

		while (k < n && !same_key(&list[k], &f->prefixes[i]))
			k++;
		if (k == n)
			f->prefixes[i] = f->prefixes[--f->n_prefixes];
	}
	return 0;
}

static int fake_jiffies(struct sl_dp *dp, uint64_t *ret)
{
	*ret = fake_of(dp)->jiffies;
	return 0;
}

static int fake_events_open(struct sl_dp *dp, sl_dp_event_fn fn, void *user, int *ret_fd,
			    struct sl_err *err)
{
	struct sl_fake_dp *f = fake_of(dp);

	f->events_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->events_fd < 0)
		return sl_err_set(err, -errno, "dataplane-error", "eventfd");
	f->on_event = fn;
	f->on_event_user = user;
	*ret_fd = f->events_fd;
	return 0;
}

static void fake_events_read(struct sl_dp *dp)
{
	(void)dp;
}

static void fake_events_close(struct sl_dp *dp)
{
	if (fake_of(dp)->on_event)
		close(fake_of(dp)->events_fd);
	fake_of(dp)->on_event = NULL;
}

static int fake_unload(struct sl_dp *dp, struct sl_err *err)
{
	(void)err;
	fake_of(dp)->unloads++;
	return 0;
}

static void fake_close(struct sl_dp *dp)
{
	struct sl_dp_mem *m = &dp->mem;

	fake_events_close(dp);
	free(m->info);
	free(m->svc4);
	free(m->svc6);
	free(m->services);
	free(m->slots);
	free(m->seen);
	free(m->backends);
	free(m->tunnels);
	free(m->exceptions);
	free(m->drains);
	free(m->cnt_service);
	free(m->cnt_backend);
	free(m->cnt_reason);
	free(m->cnt_exc);
	free(m->limits);
	free(m->labels);
	free(m->trace);
	free(m->trace_row);
	free(m->guards);
	free(m->guard_sets);
	free(m->guard_pools);
	free(m->guard_credit);
	free(m->guard_index);
	free(m->cnt_guard);
	free(fake_of(dp));
}

static const struct sl_dp_ops fake_ops = {
	.attach = fake_attach,
	.detach = fake_detach,
	.attached = fake_attached,
	.port_set = fake_port_set,
	.specialise = fake_specialise,
	.transmit_errors = fake_transmit_errors,
	.transmit_blind = fake_transmit_blind,
	.events_open = fake_events_open,
	.events_read = fake_events_read,
	.events_close = fake_events_close,
	.prefixes = fake_prefixes,
	.jiffies = fake_jiffies,
	.unload = fake_unload,
	.close = fake_close,
};

struct sl_fake_dp *sl_fake_dp_new(void)
{
	struct sl_fake_dp *f = calloc(1, sizeof(*f));
	struct sl_dp_mem *m = &f->dp.mem;

	f->dp.ops = &fake_ops;
	f->jiffies = 1ull << 32;
	m->info = calloc(1, sizeof(*m->info));
	m->svc4 = calloc(SL_SVC4_BUCKETS, sizeof(*m->svc4));
	m->svc6 = calloc(SL_SVC6_BUCKETS, sizeof(*m->svc6));
	m->services = calloc(SL_SERVICES_MAX, sizeof(*m->services));
	m->slots = calloc(SL_SLOTS_TOTAL, sizeof(*m->slots));
	m->seen = calloc(SL_SLOTS_TOTAL, sizeof(*m->seen));
	m->backends = calloc(SL_BACKENDS_MAX, sizeof(*m->backends));
	m->tunnels = calloc(SL_BACKENDS_MAX, sizeof(*m->tunnels));
	m->exceptions = calloc(SL_EXC_SETS, sizeof(*m->exceptions));
	m->drains = calloc((size_t)SL_DRAIN_TRACKS * SL_DRAIN_CELLS, sizeof(*m->drains));
	m->cnt_service = calloc(SL_SERVICES_MAX, sizeof(*m->cnt_service));
	m->cnt_backend = calloc(SL_BACKENDS_MAX, sizeof(*m->cnt_backend));
	m->cnt_reason = calloc(1, sizeof(*m->cnt_reason));
	m->cnt_exc = calloc(1, sizeof(*m->cnt_exc));
	m->limits = calloc(1, sizeof(*m->limits));
	m->labels = calloc(SL_BACKENDS_MAX, sizeof(*m->labels));
	m->trace = calloc(1, sizeof(*m->trace));
	m->trace_row = calloc(1, sizeof(*m->trace_row));
	m->guards = calloc(SL_SERVICES_MAX, sizeof(*m->guards));
	m->guard_sets = calloc(SL_GUARD_SETS, sizeof(*m->guard_sets));
	m->guard_pools = calloc(SL_SERVICES_MAX, sizeof(*m->guard_pools));
	m->guard_credit = calloc(SL_SERVICES_MAX, sizeof(*m->guard_credit));
	m->guard_index = calloc(SL_GUARD_INDEX_WORDS, sizeof(*m->guard_index));
	m->cnt_guard = calloc(1, sizeof(*m->cnt_guard));
	*m->info = (struct sl_info){ .magic = SL_ABI_MAGIC,
				     .abi = SL_ABI_VERSION,
				     .cpus = 1,
				     .slots_total = SL_SLOTS_TOTAL,
				     .exc_sets = SL_EXC_SETS,
				     .tick_shift = 10,
				     .tick_ms = 4096,
				     .key = { 11, 22 } };
	return f;
}

struct sl_control *sl_fake_control_new(uv_loop_t *loop, struct sl_fake_dp *fake, const char *dir)
{
	struct sl_control_options opt = {};
	struct sl_control *c = NULL;
	struct sl_err err = {};
	char state[256];

	snprintf(state, sizeof(state), "%s/state.json", dir);
	opt.state_file = state;
	if (sl_control_new(loop, &fake->dp, &opt, &c, &err) < 0)
		fprintf(stderr, "fake control: %s\n", err.detail);
	return c;
}
