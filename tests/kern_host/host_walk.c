/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_walk: the packet path's own headers, compiled for this machine, so that
 * ASan and UBSan watch every access that the verifier only proved in bounds.
 */
#include "tests/oracle/host.h"

#include "lb_kern/walk.h"

__u64 platform_jiffies;
__u32 platform_cpu, sl_cpu_mask, sl_tick_shift, sl_features = SL_FEAT_ALL;

#define HOST_MAP(name) __typeof__(sl_##name) sl_##name;
SL_DIRECT_MAPS(HOST_MAP)
#undef HOST_MAP

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
	platform_jiffies = host->jiffies;
	platform_cpu = host->cpu;
	sl_cpu_mask = host->mem->info->cpus - 1;
	sl_tick_shift = host->mem->info->tick_shift;
	sl_features = SL_FEAT_ALL;
	action = walk_hot(&ctx);
	if (action < 0)
		action = walk_any(&ctx);
	*ret_port = ctx.redirect_port;
	*at = (unsigned)((char *)ctx.data - (char *)block);
	*len = (unsigned)((char *)ctx.data_end - (char *)ctx.data);
	return action;
}
