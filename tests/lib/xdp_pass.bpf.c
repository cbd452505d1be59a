/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * xdp_pass: lets every frame through. A veth accepts frames that another
 * program redirects into its peer only while it has a program of its own, so
 * the lab hangs this one on the ends where no balancer runs. It includes no
 * libbpf header, so that any compiler takes it.
 */
#include <linux/bpf.h>

int xdp_pass(struct xdp_md *ctx);

__attribute__((section("xdp.frags"), used)) int xdp_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}
