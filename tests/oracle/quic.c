/* SPDX-License-Identifier: BSD-2-Clause */
/* quic: whether a packet begins a connection (WALK.md 5.8). */
#include "tests/oracle/walk.h"

#define VERSION_1 0x00000001u /* RFC 9000 */
#define VERSION_2 0x6b3343cfu /* RFC 9369 */

static enum sl_oracle_branch kind_of(const struct sl_oracle_packet *p)
{
	const uint8_t *udp = p->frame + p->ip.l4, *quic = udp + 8;
	uint32_t version, type;

	if (sl_parse_be16(udp + 4) < 8 + 5)
		return SL_BRANCH_QUIC_CUT;
	if (p->ip.l4_len < 8 + 5 || sl_packet_l4(p) < 8 + 5) /* padding is no payload */
		return SL_BRANCH_QUIC_ABSENT;
	if ((quic[0] & 0xc0) != 0xc0)
		return SL_BRANCH_QUIC_SHORT;
	version = sl_parse_be16(quic + 1) << 16 | sl_parse_be16(quic + 3);
	type = (quic[0] & 0x30) >> 4;
	if (version == VERSION_1)
		return type == 0 ? SL_BRANCH_QUIC_1 : SL_BRANCH_QUIC_TYPE;
	if (version != VERSION_2)
		return SL_BRANCH_QUIC_VERSION;
	return type == !sl_packet_is_wrong(p, SL_WRONG_QUIC_V2) ? SL_BRANCH_QUIC_2
								: SL_BRANCH_QUIC_TYPE;
}

bool sl_quic_is_initial(struct sl_oracle_packet *p)
{
	enum sl_oracle_branch kind = kind_of(p);

	sl_packet_reach(p, kind);
	return kind == SL_BRANCH_QUIC_1 || kind == SL_BRANCH_QUIC_2;
}
