/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events: reads the ring of records that the packet path fills while somebody
 * listens. The ring is a map like the others: it outlives the agent and is the
 * same for every version of the programs, so reading goes on across swaps.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include <sluice/names.h>

#include "lb_user/dp/internal.h"
#include "sluice.skel.h"

/* Records read in one go; the loop has other work, and packets can come faster than they are read.
 */
#define BATCH 2048

static int on_record(void *kernel, void *data, size_t bytes)
{
	struct sl_dp_kernel *k = kernel;
	const struct sl_event *e = data;

	if (bytes >= sizeof(*e) && bytes >= sizeof(*e) + e->before_bytes + e->after_bytes)
		k->on_event(k->on_event_user, e);
	/* an error ends the reading with this record as the last one taken */
	return --k->batch_left ? 0 : -EAGAIN;
}

int sl_events_open(struct sl_dp *dp, sl_dp_event_fn fn, void *user, int *ret_fd, struct sl_err *err)
{
	struct sl_dp_kernel *k = (struct sl_dp_kernel *)dp;
	struct bpf_map *ring = bpf_object__find_map_by_name(k->skel->obj, SL_MAP_EVENTS);

	k->on_event = fn;
	k->on_event_user = user;
	k->events = ring_buffer__new(bpf_map__fd(ring), on_record, k, NULL);
	if (!k->events)
		return sl_err_set(err, -errno, "dataplane-error", "opening the ring of events: %s",
				  strerror(errno));
	*ret_fd = ring_buffer__epoll_fd(k->events);
	return 0;
}

void sl_events_read(struct sl_dp *dp)
{
	struct sl_dp_kernel *k = (struct sl_dp_kernel *)dp;

	k->batch_left = BATCH;
	(void)ring_buffer__consume(k->events);
}

void sl_events_close(struct sl_dp *dp)
{
	struct sl_dp_kernel *k = (struct sl_dp_kernel *)dp;

	ring_buffer__free(k->events);
	k->events = NULL;
}
