/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz_walk.h"

#include <stdlib.h>
#include <string.h>

#include "lb_kern/walk.h"

#define HEADROOM 256u /* as the kernel gives */

__u64 platform_jiffies = 1ull << 32;
__u32 platform_cpu, sl_cpu_mask, sl_tick_shift = 10, sl_features = SL_FEAT_ALL;
__u64 platform_ns = 12345678;
__u32 platform_random;

/* Reads all of the record, so that ASan sees one that is not whole. */
static long tell(const void *record, __u64 bytes)
{
	const struct sl_event *e = record;
	__u8 sum = 0;

	if (bytes != sizeof(*e) + e->before_bytes + e->after_bytes)
		abort();
	for (__u64 i = 0; i < bytes; i++)
		sum ^= ((const __u8 *)record)[i];
	return sum == 1; /* sometimes there is no room */
}
long (*platform_tell)(const void *record, __u64 bytes) = tell;

/* Nobody is listed. */
const __u32 *platform_longest(const struct sl_guard_key *key)
{
	(void)key;
	return NULL;
}

#define WALK_MAP(name) __typeof__(sl_##name) sl_##name;
SL_DIRECT_MAPS(WALK_MAP)
#undef WALK_MAP

static void count(const struct sl_dp_mem *m, struct fuzz_walked *ret)
{
	for (unsigned i = 0; i < SL_REASONS_MAX; i++)
		if (m->cnt_reason->packets[i]) {
			ret->counted += (unsigned)m->cnt_reason->packets[i];
			ret->reason = i;
		}
	for (unsigned id = 1; id <= FUZZ_BACKENDS; id++)
		if (m->cnt_backend[id].packets) {
			ret->counted += (unsigned)m->cnt_backend[id].packets;
			ret->backend = id;
			ret->reason = SL_R_SENT;
		}
}

void fuzz_walk(const struct fuzz_world *w, const void *frame, unsigned len, bool any,
	       struct fuzz_walked *ret)
{
	char *block = malloc(HEADROOM + len); /* so that a byte too far is seen */
	struct platform_ctx ctx = { .data = block + HEADROOM,
				    .data_end = block + HEADROOM + len,
				    .room = block,
				    .ingress_ifindex = FUZZ_INGRESS,
				    .egress = w->egress };
	int action;

	if (!block)
		abort();
	memset(block, 0xa5, HEADROOM);
	memcpy(block + HEADROOM, frame, len);
#define WALK_MAP(name) sl_##name = (__typeof__(sl_##name))w->mem.name;
	SL_DIRECT_MAPS(WALK_MAP)
#undef WALK_MAP
	*ret = (struct fuzz_walked){ .block = block };
	action = any ? walk_any(&ctx) : walk_hot(&ctx);
	if (any && action < 0)
		action = walk_last(&ctx);
	ret->action = action < 0 ? FUZZ_LEFT : (enum fuzz_action)action;
	ret->port = ctx.redirect_port;
	ret->byte = ctx.data;
	ret->len = (unsigned)((char *)ctx.data_end - (char *)ctx.data);
	count(&w->mem, ret);
}
