/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROG_FIXTURE_H
#define TESTS_PROG_FIXTURE_H

/*
 * fixture: eight settled services, TCP and UDP of both families, each with one
 * backend that is UP, for tests that are not about the choice of a backend.
 * Their addresses are in the service table by themselves, as the agent puts
 * them there.
 */
#include "tests/prog/rig.h"

#define SL_FIX_V4	 "192.0.2.10"
#define SL_FIX_V6	 "2001:db8::10"
#define SL_FIX_HASH_V4	 "192.0.2.20" /* of the services with hash3 */
#define SL_FIX_HASH_V6	 "2001:db8::20"
#define SL_FIX_CLIENT_V4 "198.51.100.7"
#define SL_FIX_CLIENT_V6 "2001:db8:ffff::7"

enum sl_fix {		       /* ids of the services */
	      SL_FIX_TCP4 = 1, /* port 443 */
	      SL_FIX_TCP6,
	      SL_FIX_UDP4, /* port 53, flows are not remembered */
	      SL_FIX_UDP6,
	      SL_FIX_FLOW4, /* UDP port 4433, flows are remembered */
	      SL_FIX_FLOW6,
	      SL_FIX_HASH4, /* UDP port 53, takes later fragments */
	      SL_FIX_HASH6,
	      SL_FIX_END,
};

/* Address and port of service @id, and the id of its only backend. */
const char *sl_fix_address(enum sl_fix id);
uint16_t sl_fix_port(enum sl_fix id);
uint16_t sl_fix_backend(enum sl_fix id);

/* Services (once), then slots and backends: UP, behind @ifindex and @port of the devmap. */
void sl_fix_services(struct sl_rig *r);
void sl_fix_backends(struct sl_rig *r, uint32_t ifindex, uint16_t port);

/* A packet to service @id with the usual client, ports and 5 bytes of payload. */
struct sl_packet_spec sl_fix_spec(enum sl_fix id, uint8_t tcp_flags);
struct sl_packet sl_fix_packet(enum sl_fix id, uint8_t tcp_flags);
struct sl_packet sl_fix_build(const struct sl_packet_spec *spec);

#endif
