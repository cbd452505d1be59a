/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/fixture.h"

#include <netinet/in.h>
#include <string.h>

#include "tests/prog/tap.h"

#define SLOTS 251u

static bool is_v6(enum sl_fix id)
{
	return !(id & 1); /* they come in pairs */
}

static bool is_tcp(enum sl_fix id)
{
	return id == SL_FIX_TCP4 || id == SL_FIX_TCP6;
}

uint16_t sl_fix_port(enum sl_fix id)
{
	if (is_tcp(id))
		return 443;
	return id == SL_FIX_FLOW4 || id == SL_FIX_FLOW6 ? 4433 : 53;
}

const char *sl_fix_address(enum sl_fix id)
{
	if (id >= SL_FIX_HASH4)
		return is_v6(id) ? SL_FIX_HASH_V6 : SL_FIX_HASH_V4;
	return is_v6(id) ? SL_FIX_V6 : SL_FIX_V4;
}

static uint16_t flags_of(enum sl_fix id)
{
	if (id >= SL_FIX_HASH4)
		return SL_SF_HASH3;
	return id >= SL_FIX_FLOW4 ? SL_SF_UDP_FLOW : 0;
}

uint16_t sl_fix_backend(enum sl_fix id)
{
	return (uint16_t)(0x100 * id + 11);
}

void sl_fix_services(struct sl_rig *r)
{
	for (enum sl_fix id = SL_FIX_TCP4; id < SL_FIX_END; id++)
		sl_rig_service(r, &(struct sl_rig_service){
					  .id = (uint16_t)id,
					  .addr = sl_fix_address(id),
					  .port = sl_fix_port(id),
					  .proto = is_tcp(id) ? IPPROTO_TCP : IPPROTO_UDP,
					  .base = 1000u * id,
					  .count = SLOTS,
					  .flags = flags_of(id),
				  });
	sl_rig_address(r, SL_FIX_V4, SL_SERVICE_ADDRESS);
	sl_rig_address(r, SL_FIX_V6, SL_SERVICE_ADDRESS);
	sl_rig_address(r, SL_FIX_HASH_V4, SL_FIX_HASH4);
	sl_rig_address(r, SL_FIX_HASH_V6, SL_FIX_HASH6);
}

void sl_fix_backends(struct sl_rig *r, uint32_t ifindex, uint16_t port)
{
	for (enum sl_fix id = SL_FIX_TCP4; id < SL_FIX_END; id++) {
		sl_rig_own(r, (uint16_t)id, sl_fix_backend(id));
		sl_rig_backend(r, sl_fix_backend(id), SL_DP_UP, ifindex, port);
	}
}

struct sl_packet_spec sl_fix_spec(enum sl_fix id, uint8_t tcp_flags)
{
	return (struct sl_packet_spec){
		.from = is_v6(id) ? SL_FIX_CLIENT_V6 : SL_FIX_CLIENT_V4,
		.to = sl_fix_address(id),
		.sport = 40000,
		.dport = sl_fix_port(id),
		.proto = is_tcp(id) ? IPPROTO_TCP : IPPROTO_UDP,
		.tcp_flags = tcp_flags,
		.payload = 5,
	};
}

struct sl_packet sl_fix_build(const struct sl_packet_spec *spec)
{
	struct sl_packet p;
	int e = sl_packet_build(spec, &p);

	if (e)
		sl_tap_bail("build a packet", "%s to %s: %s", spec->from, spec->to, strerror(-e));
	return p;
}

struct sl_packet sl_fix_packet(enum sl_fix id, uint8_t tcp_flags)
{
	struct sl_packet_spec spec = sl_fix_spec(id, tcp_flags);

	return sl_fix_build(&spec);
}
