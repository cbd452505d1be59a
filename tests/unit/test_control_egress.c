/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of backends and services follow what is declared and what netlink finds. */
#include <signal.h>
#include <sys/mman.h>

#include "tests/unit/control_rig.h"

TestSuite(control_egress, .init = start, .fini = stop, .timeout = 60);

static uint32_t words[SLOTS];

static uint8_t fwd_when_specialised;

static void note_fwd(struct sl_fake_dp *f, uint32_t features)
{
	(void)features;
	fwd_when_specialised = f->dp.mem.backends[1].fwd;
}

Test(control_egress, a_tunnel_stands_in_the_records)
{
	struct sl_backend_status st;

	declare(SL_FORWARD_GUE, "10.1.0.2");
	UNTIL(REC->state == SL_DP_UP, 3000);
	cr_assert_eq(REC->fwd, SL_FWD_GUE);
	cr_assert_eq(REC->flags, 0);
	cr_assert_eq(REC->ifindex, if_nametoindex("va"));
	cr_assert_eq(fake->port_ifindex[REC->port], REC->ifindex);
	cr_assert_eq(REC->mtu, 1468);
	cr_assert_eq(REC->mtu_link, 1468);
	expect_addr(TUNNEL->daddr_be, "10.1.0.2");
	expect_addr(TUNNEL->saddr_be, "10.1.0.1");
	st = status();
	cr_assert(st.next_hop.resolved && st.next_hop.mtu == 1468);
	cr_assert_str_eq(st.next_hop.ifname, "va");
	cr_assert_eq(st.next_hop.vlan, SL_VLAN_KEEP);
	cr_assert_eq(st.next_hop.source.len, 32);
	cr_assert_arr_eq(st.next_hop.source.addr.byte_be, TUNNEL->saddr_be, 16);

	/* MTUs and the source are followed; nobody is without a way meanwhile. */
	ns_here("ip link set va mtu 1400");
	UNTIL(REC->mtu == 1368 && REC->mtu_link == 1368, 500);
	ns_here("ip route add 10.1.0.2/32 dev va src 10.2.0.1 mtu 1300");
	UNTIL(REC->mtu == 1268, 500);
	cr_assert_eq(REC->mtu_link, 1368);
	expect_addr(TUNNEL->saddr_be, "10.2.0.1");
	cr_assert_eq(REC->state, SL_DP_UP);
}

Test(control_egress, another_way_at_run_time_moves_no_flow)
{
	static const struct sl_tunnel_rec none;

	declare(SL_FORWARD_L2DSR, "10.1.0.2");
	UNTIL(REC->state == SL_DP_UP, 3000);
	memcpy(words, table(), sizeof(words));
	cr_assert_eq(fake->specialised, 0, "plain forwarding needs nothing");

	fake->on_specialise = note_fwd;
	fwd_when_specialised = 99;
	cr_assert_eq(alter(to_gue), 0, "%s", err.detail);
	cr_assert_eq(fwd_when_specialised, SL_FWD_L2, "the record came before the program");
	cr_assert_eq(fake->specialised_to[0], SL_FEAT_GUE);
	cr_assert_eq(REC->fwd, SL_FWD_GUE);
	cr_assert_eq(ntohs(TUNNEL->dport_be), 7000);
	cr_assert_eq(REC->mtu, 1468);

	cr_assert_eq(alter(to_vlan), 0, "%s", err.detail);
	cr_assert_eq(fake->specialised_to[1], SL_FEAT_GUE | SL_FEAT_VLAN);
	cr_assert(REC->flags == SL_BF_VLAN && REC->vlan == 12);
	cr_assert_eq(status().next_hop.vlan, 12);

	cr_assert_eq(alter(to_prefix), 0, "%s", err.detail);
	expect_addr(TUNNEL->saddr_be, "198.51.100.0");
	cr_assert_eq(TUNNEL->entropy_be, htonl(0xff));
	cr_assert_eq(status().next_hop.source.len, 24);

	cr_assert_eq(alter(to_l2dsr), 0, "%s", err.detail);
	cr_assert(REC->fwd == SL_FWD_L2 && !REC->flags && !REC->vlan && REC->mtu == 1500);
	cr_assert_arr_eq(TUNNEL, &none, sizeof(none));

	cr_assert_str_eq(fake->dp.mem.labels[1].name, "a");
	cr_assert_eq(REC->state, SL_DP_UP);
	cr_assert_eq(REC->ifindex, if_nametoindex("va"));
	cr_assert_arr_eq(words, table(), sizeof(words), "a slot was touched");
	cr_assert_eq(fake->dp.mem.labels[2].name[0], 0);
}

Test(control_egress, a_tunnel_without_source_has_no_next_hop)
{
	ns_here("ip addr flush dev va; ip addr flush dev wa; ip route add 10.9.0.0/16 dev va;"
		"ip neigh add 10.9.0.1 lladdr 02:00:00:00:00:09 nud permanent dev va");
	declare(SL_FORWARD_IPIP, "10.9.0.1");
	UNTIL(status().message[0] && !strstr(status().message, "being resolved"), 3000);
	cr_assert_not_null(strstr(status().message, "source4"), "%s", status().message);
	cr_assert(!status().next_hop.resolved && REC->state == SL_DP_DOWN && !REC->ifindex);

	cr_assert_eq(alter(to_prefix), 0, "%s", err.detail);
	cr_assert_eq(REC->state, SL_DP_UP);
	expect_addr(TUNNEL->saddr_be, "198.51.100.0");
	cr_assert_eq(status().message[0], 0);
}

/* ---- services ----------------------------------------------------------------------- */

static enum sl_udp_flows wanted_flows;
static enum sl_oversize wanted_oversize;

static void to_wanted(struct sl_config *next)
{
	next->services[0].udp_flows = wanted_flows;
	next->services[0].oversize = wanted_oversize;
}

Test(control_egress, flags_of_services)
{
	static const struct {
		enum sl_udp_flows flows;
		enum sl_oversize oversize;
		uint16_t flags;
		uint32_t features;
	} rows[] = {
		{ SL_UDP_FLOW, SL_OVERSIZE_DROP, SL_SF_UDP_FLOW, 0 },
		{ SL_UDP_NONE, SL_OVERSIZE_SEND, SL_SF_OVERSIZE, 0 },
		{ SL_UDP_QUIC, SL_OVERSIZE_DROP, SL_SF_UDP_FLOW | SL_SF_QUIC, SL_FEAT_QUIC },
		{ SL_UDP_QUIC, SL_OVERSIZE_SEND, SL_SF_UDP_FLOW | SL_SF_QUIC | SL_SF_OVERSIZE,
		  SL_FEAT_QUIC },
	};

	declare(SL_FORWARD_L2DSR, "10.1.0.2");
	for (uint16_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wanted_flows = rows[i].flows;
		wanted_oversize = rows[i].oversize;
		cr_assert_eq(alter(to_wanted), 0, "%s", err.detail);
		cr_assert_eq(fake->dp.mem.services[1].flags, rows[i].flags, "row %u: %x", i,
			     fake->dp.mem.services[1].flags);
		cr_assert_eq(fake->dp.mem.info->features, rows[i].features);
	}
	cr_assert_eq(fake->specialised, 1);
}

/* ---- restart ---------------------------------------------------------------------------- */

static volatile sig_atomic_t writes;
static size_t page;

static void *page_of(const void *p)
{
	return (void *)((uintptr_t)p & ~(uintptr_t)(page - 1));
}

static void on_write(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	writes++;
	if (mprotect(page_of(info->si_addr), page, PROT_READ | PROT_WRITE) < 0)
		_exit(3);
}

/* Counts stores into the pages of the first records (at most one for each page). */
static void guard(bool on)
{
	struct sigaction act = { .sa_sigaction = on_write, .sa_flags = SA_SIGINFO };
	int how = on ? PROT_READ : PROT_READ | PROT_WRITE;

	page = (size_t)sysconf(_SC_PAGESIZE);
	writes = 0;
	cr_assert_eq(
		sigaction(SIGSEGV, on ? &act : &(struct sigaction){ .sa_handler = SIG_DFL }, NULL),
		0);
	cr_assert_eq(mprotect(page_of(REC), page, how), 0);
	cr_assert_eq(mprotect(page_of(TUNNEL), page, how), 0);
}

static void guard_on(void)
{
	guard(true);
}

static sig_atomic_t writes_of_a_restart(void)
{
	sig_atomic_t n;

	agent_restart(guard_on);
	UNTIL(control->service[0]->backend[0]->hop.resolved, 3000);
	turns(20);
	n = writes;
	guard(false);
	return n;
}

Test(control_egress, a_restart_stores_nothing_into_a_record_that_is_right)
{
	struct sl_backend_rec before;
	struct sl_tunnel_rec tunnel;

	declare(SL_FORWARD_GUE, "10.1.0.2");
	UNTIL(REC->state == SL_DP_UP, 3000);
	cr_assert_eq(alter(to_vlan), 0, "%s", err.detail);
	cr_assert_eq(alter(to_prefix), 0, "%s", err.detail);
	before = *REC;
	tunnel = *TUNNEL;
	cr_assert_eq(writes_of_a_restart(), 0);
	cr_assert_arr_eq(REC, &before, sizeof(before));
	cr_assert_arr_eq(TUNNEL, &tunnel, sizeof(tunnel));
	cr_assert_eq(fake->dp.mem.info->features, SL_FEAT_GUE | SL_FEAT_VLAN);

	/* Control: one that is not right is seen to be mended. */
	TUNNEL->saddr_be[0] ^= 1;
	REC->mtu--;
	cr_assert_gt(writes_of_a_restart(), 0);
	cr_assert_arr_eq(REC, &before, sizeof(before));
	cr_assert_arr_eq(TUNNEL, &tunnel, sizeof(tunnel));
}

/* Killed between two stores of sl_egress_store(): ifindex is 0 and the rest is anything. */
static void cut_short(void)
{
	REC->ifindex = 0;
	REC->port = 0;
	REC->flags = SL_BF_VLAN | SL_BF_OUTER6;
	TUNNEL->daddr_be[1] = 1;
}

Test(control_egress, a_store_cut_short_is_ended_by_the_next_agent)
{
	struct sl_backend_rec before;

	declare(SL_FORWARD_IPIP, "10.1.0.2");
	UNTIL(REC->state == SL_DP_UP, 3000);
	before = *REC;
	agent_restart(cut_short);
	UNTIL(REC->ifindex && REC->state == SL_DP_UP, 3000);
	cr_assert_arr_eq(REC, &before, sizeof(before));
	expect_addr(TUNNEL->daddr_be, "10.1.0.2");
}
