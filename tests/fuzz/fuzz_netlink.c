/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_netlink: one message of the kernel, of any length, its own length right or too short. */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "lb_user/svc/netlink_read.h"
#include "tests/fuzz/fuzz.h"

#define READ(kind)                                                                      \
	do {                                                                            \
		struct sl_netlink_##kind is, was;                                       \
		int r;                                                                  \
                                                                                        \
		memset(&is, 0x5a, sizeof(is));                                          \
		memset(&was, 0x5a, sizeof(was));                                        \
		r = sl_netlink_read_##kind(nlh, &is);                                   \
		FUZZ_MUST(r == 0 || (r == -EBADMSG && !memcmp(&is, &was, sizeof(is)))); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct nlmsghdr *nlh;

	if (len < sizeof(*nlh) || len > 4096)
		return -1;
	nlh = malloc(len);
	if (!nlh)
		return -1;
	memcpy(nlh, data, len);
	if (nlh->nlmsg_len > len ||
	    nlh->nlmsg_len < sizeof(*nlh)) /* the socket's reader cuts them */
		nlh->nlmsg_len = (uint32_t)len;
	if (fuzz_is_control())
		nlh->nlmsg_len += 64;
	READ(route);
	READ(link);
	READ(neigh);
	READ(event);
	free(nlh);
	return 0;
}
