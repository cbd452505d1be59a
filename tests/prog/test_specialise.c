/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_specialise [SWAPS]: the programs are exchanged for ones with other
 * features while packets flow, and nobody notices: none is lost, none counted
 * twice, flows that are remembered stay where they are, links are the same
 * ones. The control takes the program off and puts it on again instead. Then:
 * a link that refuses, a restart, and what features cost.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/ns_pair.h"
#include "tests/prog/netlab.h"
#include "tests/prog/tap.h"

#define SETTLED	 11u /* owner of all of service 1 */
#define CUR	 12u /* of service 2, in transition: new flows */
#define OLD	 13u /* flows that nobody remembers */
#define FLOWS	 64u /* of each kind */
#define LIMIT_MS 12000

static struct sl_netlab lab;

/* ---- load ------------------------------------------------------------------- */

struct load {
	struct sl_packet settled[FLOWS], known[FLOWS], unknown[FLOWS];
	uint64_t rounds; /* of FLOWS frames of each kind */
	atomic_bool stop;
};

static struct load load;

static void build(struct sl_packet *p, const char *to, unsigned sport, uint8_t flags)
{
	struct sl_packet_spec spec = { .from = "198.51.100.7",
				       .to = to,
				       .sport = (uint16_t)sport,
				       .dport = 443,
				       .proto = IPPROTO_TCP,
				       .tcp_flags = flags,
				       .payload = 5 };

	if (sl_packet_build(&spec, p))
		sl_tap_bail("build a packet", "%s", to);
}

/* A frame that the cable's ring has no room for is refused, and sent again. */
static void send_all(const struct sl_packet *p)
{
	for (unsigned i = 0; i < FLOWS; i++)
		while (!sl_netlab_send(&lab, p[i].byte, p[i].len))
			usleep(200);
}

static void *run_load(void *user)
{
	(void)user;
	while (!atomic_load(&load.stop)) {
		send_all(load.settled);
		send_all(load.known);
		send_all(load.unknown);
		load.rounds++;
		usleep(1000); /* room for the other CPU's work; a ring holds 256 frames */
	}
	return NULL;
}

/* Service 1 settled, service 2 in transition: flows that began after it are remembered. */
static void make_services(void)
{
	struct sl_rig *r = &lab.rig;
	struct sl_rig_service s = { .addr = "192.0.2.1", .port = 443, .proto = IPPROTO_TCP };

	s.id = 1;
	s.count = 251;
	sl_rig_service(r, &s);
	s.id = 2;
	s.addr = "192.0.2.2";
	s.base = 1000;
	sl_rig_service(r, &s);
	sl_rig_own(r, 1, SETTLED);
	for (unsigned i = 0; i < s.count; i++)
		r->mem->slots[s.base + i] = SL_SLOT(CUR, true, OLD);
	for (uint16_t id = SETTLED; id <= OLD; id++)
		sl_rig_backend(r, id, SL_DP_UP, lab.out_ifindex, SL_NETLAB_PORT);
	for (unsigned i = 0; i < FLOWS; i++) {
		build(&load.settled[i], "192.0.2.1", 1000 + i, SL_TCP_ACK);
		build(&load.known[i], "192.0.2.2", 2000 + i, SL_TCP_SYN);
		build(&load.unknown[i], "192.0.2.2", 3000 + i, SL_TCP_ACK);
	}
	send_all(load.known);
	for (unsigned i = 0; i < FLOWS; i++)
		build(&load.known[i], "192.0.2.2", 2000 + i, SL_TCP_ACK);
	sl_netlab_calm(&lab);
}

/* ---- swaps ------------------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static bool specialise(unsigned n)
{
	struct sl_err err = {};

	if (!lab.rig.dp->ops->specialise(lab.rig.dp, n & 1 ? 0 : SL_FEAT_ALL, &err))
		return true;
	sl_tap(false, "a swap", "%s", err.detail);
	return false;
}

/* What specialise is there to avoid. */
static bool detach_attach(unsigned n)
{
	const struct sl_dp_ops *ops = lab.rig.dp->ops;

	(void)n;
	return !ops->detach(lab.rig.dp, "va", NULL) &&
	       !ops->attach(lab.rig.dp, "va", SL_MODE_NATIVE, NULL);
}

struct outcome {
	uint64_t sent, counted, got; /* frames: by us, by the program, by the sink */
	uint64_t by[3], got_by[3];   /* of SETTLED, CUR, OLD */
	unsigned swaps;
};

static struct outcome under_load(bool (*swap)(unsigned n), unsigned swaps)
{
	uint64_t counted[3], got[3];
	int64_t end = now_ms() + LIMIT_MS;
	struct outcome o = {};
	pthread_t thread;

	for (unsigned i = 0; i < 3; i++) {
		counted[i] = sl_netlab_sent(&lab, SETTLED + i);
		got[i] = sl_netlab_got(&lab, SETTLED + i);
	}
	load.rounds = 0;
	atomic_store(&load.stop, false);
	if (pthread_create(&thread, NULL, run_load, NULL))
		sl_tap_bail("start the load", "no thread");
	while (o.swaps < swaps && (swaps > 100 || now_ms() < end) && swap(o.swaps))
		o.swaps++;
	atomic_store(&load.stop, true);
	pthread_join(thread, NULL);
	sl_netlab_calm(&lab);
	o.sent = load.rounds * 3 * FLOWS;
	for (unsigned i = 0; i < 3; i++) {
		o.by[i] = sl_netlab_sent(&lab, SETTLED + i) - counted[i];
		o.got_by[i] = sl_netlab_got(&lab, SETTLED + i) - got[i];
		o.counted += o.by[i];
		o.got += o.got_by[i];
	}
	return o;
}

static uint64_t exception_misses(void)
{
	const struct sl_dp_mem *m = lab.rig.mem;
	uint64_t n = 0;

	for (uint32_t cpu = 0; cpu < m->info->cpus; cpu++)
		n += m->cnt_exc[cpu].lookups - m->cnt_exc[cpu].hits;
	return n;
}

static void swaps_unseen(unsigned swaps)
{
	uint64_t each, misses = exception_misses();
	uint32_t link[2], program[2];
	struct outcome o;
	char what[160];

	sl_netlab_link("link-native-va", &link[0], &program[0]);
	o = under_load(specialise, swaps);
	sl_netlab_link("link-native-va", &link[1], &program[1]);
	each = load.rounds * FLOWS;
	snprintf(what, sizeof(what), "%u swaps under load: %llu frames sent, all at the sink",
		 o.swaps, (unsigned long long)o.sent);
	sl_tap(o.sent && o.got == o.sent, what, "%llu arrived", (unsigned long long)o.got);
	sl_tap(o.swaps == swaps || (swaps <= 100 && o.swaps >= 2), "enough swaps",
	       "%u of %u in %d ms", o.swaps, swaps, LIMIT_MS);
	sl_tap(o.counted == o.sent, "each counted once", "%llu counted",
	       (unsigned long long)o.counted);
	sl_tap(o.by[0] == each && o.by[1] == each && o.by[2] == each,
	       "settled, remembered and unknown flows each went where they belong",
	       "%llu %llu %llu of %llu", (unsigned long long)o.by[0], (unsigned long long)o.by[1],
	       (unsigned long long)o.by[2], (unsigned long long)each);
	sl_tap(exception_misses() - misses == each, "no remembered flow was missed",
	       "%llu lookups in vain, %llu expected",
	       (unsigned long long)(exception_misses() - misses), (unsigned long long)each);
	sl_tap(link[0] == link[1], "the link is the same one", "%u, then %u", link[0], link[1]);
	sl_tap(program[0] != program[1], "its program is another", "%u", program[0]);
}

static void control(void)
{
	struct outcome o = under_load(detach_attach, 20);
	char what[160];

	snprintf(what, sizeof(what),
		 "control: %u times off and on again lose packets: %llu of %llu", o.swaps,
		 (unsigned long long)(o.sent - o.got), (unsigned long long)o.sent);
	sl_tap(o.swaps == 20 && o.got < o.sent, what, "none was lost");
}

/* ---- refusals ------------------------------------------------------------------ */

static int stranger(void)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_XDP);

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "GPL", pass, 2, &opts);
}

static const char *const names[] = { "va", "xa", "ya" };

static int link_fd(unsigned i)
{
	char path[64];

	snprintf(path, sizeof(path), SL_NETLAB_PINS "/link-native-%s", names[i]);
	return bpf_obj_get(path);
}

static uint32_t program_of(unsigned i)
{
	uint32_t link, program = 0;
	char pin[32];

	snprintf(pin, sizeof(pin), "link-native-%s", names[i]);
	return sl_netlab_link(pin, &link, &program) ? program : 0;
}

static uint32_t tail_program(void)
{
	__u32 first = 0, id = 0;

	bpf_map_lookup_elem(lab.rig.tails_fd, &first, &id);
	return id;
}

/* Somebody put another program on link @bad: nothing changes, anywhere. */
static void refused_by(unsigned bad, int other)
{
	struct sl_dp *dp = lab.rig.dp;
	uint32_t before[3], tail = tail_program(), features = dp->mem.info->features;
	int fd = link_fd(bad), e;
	struct sl_err err = {};
	char what[80];
	bool same = true;

	if (bpf_link_update(fd, other, NULL))
		sl_tap_bail("put a stranger's program there", "%s", strerror(errno));
	for (unsigned i = 0; i < 3; i++)
		before[i] = program_of(i);
	e = dp->ops->specialise(dp, features ^ SL_FEAT_ALL, &err);
	for (unsigned i = 0; i < 3; i++)
		same &= program_of(i) == before[i];
	snprintf(what, sizeof(what), "%s holds a stranger's program: refused, by name", names[bad]);
	sl_tap(e == -EPERM && strstr(err.detail, names[bad]), what, "%d: %s", e, err.detail);
	sl_tap(same && tail_program() == tail && dp->mem.info->features == features,
	       "all programs are the old ones", "links %u %u %u, tail %u, features %#x",
	       program_of(0), program_of(1), program_of(2), tail_program(), dp->mem.info->features);
	bpf_link_update(fd, sl_dp_program_fd(dp), NULL);
	close(fd);
}

static void refusals(void)
{
	struct sl_dp *dp = lab.rig.dp;
	int other = stranger();
	struct sl_err err = {};
	uint32_t features;
	int e;

	for (unsigned i = 1; i < 3; i++) {
		ns_here("ip link add %s type veth peer name %s0 && ip link set %s up && "
			"ip link set %s0 up",
			names[i], names[i], names[i], names[i]);
		if (dp->ops->attach(dp, names[i], SL_MODE_NATIVE, &err))
			sl_tap_bail("attach", "%s", err.detail);
	}
	/* in whatever order the pins are read, one of these is not the first */
	for (unsigned i = 0; i < 3; i++)
		refused_by(i, other);
	close(other);

	features = dp->mem.info->features;
	e = dp->ops->specialise(dp, SL_FEAT_ALL + 1, &err);
	sl_tap(e == -EINVAL && dp->mem.info->features == features, "an unknown feature: -EINVAL",
	       "%d: %s", e, err.detail);
	ns_here("ip link del ya");
	e = dp->ops->specialise(dp, features ^ SL_FEAT_ALL, &err);
	sl_tap(!e, "a link whose interface is gone does not hinder", "%d: %s", e, err.detail);
	dp->ops->detach(dp, "xa", NULL);
}

/* ---- restart ------------------------------------------------------------------- */

static void adopted(uint32_t features)
{
	uint32_t link[2], program[2];
	struct sl_rig *r = &lab.rig;
	char what[80];

	sl_rig_features(r, features);
	sl_netlab_link("link-native-va", &link[0], &program[0]);
	sl_rig_close(r);
	sl_netlab_dataplane(&lab);
	sl_netlab_link("link-native-va", &link[1], &program[1]);
	snprintf(what, sizeof(what), "a new agent goes on with features %#x", features);
	sl_tap(r->dp->adopted && r->mem->info->features == features, what, "it has %#x",
	       r->mem->info->features);
	sl_tap(link[0] == link[1] && program[0] != program[1],
	       "the link has its program before anything is attached", "link %u %u, program %u %u",
	       link[0], link[1], program[0], program[1]);
}

/* ---- what it costs --------------------------------------------------------------- */

struct size {
	unsigned verified, xlated;
};

static struct size size_of(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		sl_tap_bail("read the program back", "%s", strerror(errno));
	return (struct size){ info.verified_insns, info.xlated_prog_len / 8 };
}

static void features_cost(void)
{
	struct sl_rig *r = &lab.rig;
	struct size none[2], all[2];
	char what[160];

	sl_rig_features(r, 0);
	none[0] = size_of(r->fd);
	none[1] = size_of(r->rare_fd);
	sl_rig_features(r, SL_FEAT_ALL);
	all[0] = size_of(r->fd);
	all[1] = size_of(r->rare_fd);
	snprintf(what, sizeof(what),
		 "what is off is not there: sl_rare %u instructions, verified %u; with all %u, %u",
		 none[1].xlated, none[1].verified, all[1].xlated, all[1].verified);
	sl_tap(none[1].xlated < all[1].xlated && none[1].verified < all[1].verified, what,
	       "no smaller");
	snprintf(what, sizeof(what), "sl_xdp: %u, verified %u; with all %u, %u", none[0].xlated,
		 none[0].verified, all[0].xlated, all[0].verified);
	sl_tap(none[0].xlated <= all[0].xlated && none[0].verified <= all[0].verified, what,
	       "larger");
}

int main(int argc, char **argv)
{
	unsigned swaps = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100;

	sl_netlab_open(&lab);
	sl_tap(!lab.rig.mem->info->features, "a new data plane has no features", "%#x",
	       lab.rig.mem->info->features);
	make_services();
	swaps_unseen(swaps);
	control();
	refusals();
	adopted(SL_FEAT_ALL);
	adopted(SL_FEAT_VLAN);
	features_cost();
	sl_netlab_close(&lab);
	return sl_tap_done();
}
