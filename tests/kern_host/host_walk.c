/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_walk: the packet path's own headers, compiled for this machine, so that
 * ASan and UBSan watch every access that the verifier only proved in bounds.
 */
#include <string.h>

#include "tests/oracle/host.h"

#include "lb_kern/walk.h"

__u64 platform_jiffies;
__u32 platform_cpu, sl_cpu_mask, sl_tick_shift, sl_features = SL_FEAT_ALL;
__u64 platform_ns;
__u32 platform_random;

/* Reads all of the record, so that ASan sees one that is not whole. */
static long tell(const void *record, __u64 bytes)
{
	const struct sl_event *e = record;
	static volatile __u8 sink;

	if (bytes != sizeof(*e) + e->before_bytes + e->after_bytes)
		__builtin_trap();
	for (__u64 i = 0; i < bytes; i++)
		sink ^= ((const __u8 *)record)[i];
	return e->before_bytes & 1; /* sometimes there is no room */
}
long (*platform_tell)(const void *record, __u64 bytes) = tell;
static const struct sl_host *now_host;

#define HOST_MAP(name) __typeof__(sl_##name) sl_##name;
SL_DIRECT_MAPS(HOST_MAP)
#undef HOST_MAP

static bool has_prefix(const struct sl_guard_key *key, const struct sl_guard_key *prefix)
{
	const __u8 *a = (const __u8 *)key->addr_be, *b = (const __u8 *)prefix->addr_be;
	__u32 n = prefix->bits - 32;

	if (key->family != prefix->family || memcmp(a, b, n / 8) != 0)
		return false;
	return !(n % 8) || !((a[n / 8] ^ b[n / 8]) >> (8 - n % 8));
}

/* What the kernel's trie does. */
const __u32 *platform_longest(const struct sl_guard_key *key)
{
	const struct sl_guard_prefix *best = NULL;

	for (unsigned i = 0; i < now_host->n_prefixes; i++) {
		const struct sl_guard_prefix *p = &now_host->prefixes[i];

		if (has_prefix(key, &p->key) && (!best || p->key.bits > best->key.bits))
			best = p;
	}
	return best ? &best->verdict : NULL;
}

int sl_host_walk(void *block, unsigned *at, unsigned *len, unsigned ingress_ifindex,
		 const struct sl_host *host, unsigned *ret_port)
{
	struct platform_ctx ctx = { .data = (char *)block + *at,
				    .data_end = (char *)block + *at + *len,
				    .room = block,
				    .ingress_ifindex = ingress_ifindex,
				    .egress = host->egress };
	int action;

#define HOST_MAP(name) sl_##name = (__typeof__(sl_##name))host->mem->name;
	SL_DIRECT_MAPS(HOST_MAP)
#undef HOST_MAP
	now_host = host;
	platform_jiffies = host->jiffies;
	platform_cpu = host->cpu;
	sl_cpu_mask = host->mem->info->cpus - 1;
	sl_tick_shift = host->mem->info->tick_shift;
	sl_features = SL_FEAT_ALL;
	action = walk_hot(&ctx);
	if (action < 0)
		action = walk_any(&ctx);
	if (action < 0)
		action = walk_last(&ctx);
	*ret_port = ctx.redirect_port;
	*at = (unsigned)((char *)ctx.data - (char *)block);
	*len = (unsigned)((char *)ctx.data_end - (char *)ctx.data);
	return action;
}
