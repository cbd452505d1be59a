/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_transmit: every packet is accounted for, also those that were sent and
 * that an interface then did not take:
 *
 *	sent = received by whom they were sent to + transmit errors, exactly
 *
 * Each error that can be made on a cable is made on purpose. Counting goes on
 * while no agent runs, and counts nobody else's frames. The control: without
 * the programs at the tracepoints the sum has a gap.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sluice/xmit.h>

#include "tests/lib/ns_pair.h"
#include "tests/prog/netlab.h"
#include "tests/prog/tap.h"

#define AWAY  11u /* redirected to wa */
#define BACK  12u /* sent back by va */
#define N     400u
#define LARGE 700u /* payload of the larger frames */

static struct sl_netlab lab;
static struct sl_packet away, away_large, back;

static void build(struct sl_packet *p, const char *to, uint16_t payload)
{
	struct sl_packet_spec spec = { .from = "198.51.100.7",
				       .to = to,
				       .sport = 4000,
				       .dport = 53,
				       .proto = IPPROTO_UDP,
				       .payload = payload };

	if (sl_packet_build(&spec, p))
		sl_tap_bail("build a packet", "%s", to);
}

static void make_services(void)
{
	struct sl_rig *r = &lab.rig;
	struct sl_rig_service s = { .port = 53, .proto = IPPROTO_UDP, .count = 251 };

	s.id = 1;
	s.addr = "192.0.2.1";
	sl_rig_service(r, &s);
	s.id = 2;
	s.addr = "192.0.2.2";
	s.base = 1000;
	sl_rig_service(r, &s);
	sl_rig_own(r, 1, AWAY);
	sl_rig_own(r, 2, BACK);
	sl_rig_backend(r, AWAY, SL_DP_UP, lab.out_ifindex, SL_NETLAB_PORT);
	sl_rig_backend(r, BACK, SL_DP_UP, lab.in_ifindex, SL_NETLAB_PORT);
	build(&away, "192.0.2.1", 20);
	build(&away_large, "192.0.2.1", LARGE);
	build(&back, "192.0.2.2", 20);
}

/* ---- the books ---------------------------------------------------------------- */

struct books {
	uint64_t sent, got, errors, no_port;
};

static uint64_t errors_of(unsigned ifindex, int error, bool is_tx)
{
	struct sl_transmit_error all[64];
	int n = lab.rig.dp->ops->transmit_errors(lab.rig.dp, all, 64);
	uint64_t sum = 0;

	for (int i = 0; i < n; i++)
		if (!ifindex ||
		    (all[i].ifindex == ifindex && all[i].error == error && all[i].is_tx == is_tx))
			sum += all[i].packets;
	return sum;
}

static struct books read_books(void)
{
	struct books b = { .errors = errors_of(0, 0, false) };

	for (unsigned id = AWAY; id <= BACK; id++) {
		b.sent += sl_netlab_sent(&lab, id);
		b.got += sl_netlab_got(&lab, id);
	}
	for (uint32_t cpu = 0; cpu < lab.rig.mem->info->cpus; cpu++)
		b.no_port += lab.rig.mem->cnt_reason[cpu].packets[SL_R_NO_PORT];
	return b;
}

static struct books since(const struct books *b)
{
	struct books now = read_books();

	return (struct books){ now.sent - b->sent, now.got - b->got, now.errors - b->errors,
			       now.no_port - b->no_port };
}

static void send_n(const struct sl_packet *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (!sl_netlab_send(&lab, p->byte, p->len))
			sl_tap_bail("send a frame", "%s", strerror(errno));
		if (!(i % 64))
			usleep(500);
	}
}

/* The sum, and that the fault was the one meant: @lost of what was sent. */
static void balanced(const char *what, const struct books *d, uint64_t sent, bool lost)
{
	char text[160];

	snprintf(text, sizeof(text), "%s: %llu sent = %llu received + %llu errors", what,
		 (unsigned long long)d->sent, (unsigned long long)d->got,
		 (unsigned long long)d->errors);
	sl_tap(d->sent == sent && d->sent == d->got + d->errors && !d->errors == !lost, text,
	       "%llu were to be sent", (unsigned long long)sent);
}

static void told(unsigned ifindex, int error, bool is_tx, uint64_t before, uint64_t want)
{
	uint64_t n = errors_of(ifindex, error, is_tx) - before;
	char text[96];

	snprintf(text, sizeof(text), "... as %s %s on ifindex %u", is_tx ? "tx" : "redirect",
		 error ? strerrorname_np(error) : "none", ifindex);
	sl_tap(n == want, text, "%llu of %llu", (unsigned long long)n, (unsigned long long)want);
}

/* N frames @p while something is wrong; all of them are to end as @error. */
static void all_lost(const char *what, const struct sl_packet *p, int error, bool is_tx)
{
	unsigned ifindex = is_tx ? lab.in_ifindex : lab.out_ifindex;
	uint64_t before = errors_of(ifindex, error, is_tx);
	struct books b = read_books(), d;

	send_n(p, N);
	sl_netlab_calm(&lab);
	d = since(&b);
	balanced(what, &d, N, true);
	told(ifindex, error, is_tx, before, N);
}

/* ---- faults ---------------------------------------------------------------------- */

static void nothing_wrong(void)
{
	struct books b = read_books(), d;

	sl_netlab_sink_back(&lab, SL_SINK_FAST);
	send_n(&away, N);
	send_n(&back, N);
	sl_netlab_calm(&lab);
	d = since(&b);
	balanced("nothing is wrong", &d, 2 * N, false);
}

static void egress_down(void)
{
	ns_here("ip link set wa down");
	all_lost("egress is down", &away, ENETDOWN, false);
	ns_here("ip link set wa up");
}

/* Which error it is depends on the kernel: 6.1 asks the driver, later ones know beforehand. */
static void peer_without_xdp(void)
{
	struct books b = read_books(), d;
	uint64_t before[2] = { errors_of(lab.out_ifindex, ENXIO, false),
			       errors_of(lab.out_ifindex, EOPNOTSUPP, false) },
		 n[2];

	sl_netlab_sink(&lab, SL_SINK_NONE);
	send_n(&away, N);
	sl_netlab_calm(&lab);
	sl_netlab_sink(&lab, SL_SINK_FAST);
	d = since(&b);
	balanced("a veth whose peer has no XDP program", &d, N, true);
	n[0] = errors_of(lab.out_ifindex, ENXIO, false) - before[0];
	n[1] = errors_of(lab.out_ifindex, EOPNOTSUPP, false) - before[1];
	sl_tap(n[0] + n[1] == N && (!n[0] || !n[1]), "... as redirect ENXIO or EOPNOTSUPP",
	       "%llu and %llu", (unsigned long long)n[0], (unsigned long long)n[1]);
}

static void too_large(void)
{
	ns_here("ip link set wa mtu 600");
	all_lost("longer than the interface's MTU", &away_large, EMSGSIZE, false);
	ns_here("ip link set wa mtu 1500");
	ns_peer("ip link set wb mtu 600");
	all_lost("longer than the peer's MTU", &away_large, 0, false);
	ns_peer("ip link set wb mtu 1500");
}

static void *flood(void *user)
{
	const unsigned *cpu = user;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(*cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (unsigned i = 0; i < 4000; i++)
		(void)sl_netlab_send(&lab, away.byte, away.len);
	return NULL;
}

/* Two senders: while one CPU works the slow sink off, the other fills its ring; on a busy machine
 * only when both run at once. */
static void ring_full(void)
{
	unsigned cpu[2] = { 0, 1 };
	uint64_t before = errors_of(lab.out_ifindex, 0, false);
	struct books b = read_books(), d;
	pthread_t thread[2];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		sl_tap_note("one CPU: no ring can be filled");
		return;
	}
	sl_netlab_sink(&lab, SL_SINK_SLOW);
	for (unsigned tries = 0; tries < 20 && !since(&b).errors; tries++) {
		for (unsigned i = 0; i < 2; i++)
			pthread_create(&thread[i], NULL, flood, &cpu[i]);
		for (unsigned i = 0; i < 2; i++)
			pthread_join(thread[i], NULL);
	}
	sl_netlab_calm(&lab);
	sl_netlab_sink(&lab, SL_SINK_FAST);
	d = since(&b);
	balanced("a slow receiver, its ring full", &d, d.sent, true);
	told(lab.out_ifindex, 0, false, before, d.errors);
}

static void sent_back(void)
{
	sl_netlab_sink_back(&lab, SL_SINK_NONE);
	all_lost("sent back to a veth without an XDP program", &back, ENXIO, true);
	sl_netlab_sink_back(&lab, SL_SINK_FAST);
}

/* The program knows: a reason, not a transmit error. */
static void port_missing(void)
{
	const struct sl_dp_ops *ops = lab.rig.dp->ops;
	struct books b = read_books(), d;

	ops->port_set(lab.rig.dp, SL_NETLAB_PORT, 0, NULL);
	send_n(&away, N);
	sl_netlab_calm(&lab);
	ops->port_set(lab.rig.dp, SL_NETLAB_PORT, lab.out_ifindex, NULL);
	d = since(&b);
	sl_tap(d.no_port == N && !d.sent && !d.errors, "no such port: dropped by that reason",
	       "no_port %llu, sent %llu, errors %llu", (unsigned long long)d.no_port,
	       (unsigned long long)d.sent, (unsigned long long)d.errors);
}

/* ---- who counts, and whom ----------------------------------------------------------- */

static void without_agent(void)
{
	uint64_t before = errors_of(lab.out_ifindex, ENETDOWN, false), n;

	sl_rig_close(&lab.rig);
	ns_here("ip link set wa down");
	send_n(&away, N);
	usleep(300000);
	ns_here("ip link set wa up");
	sl_netlab_dataplane(&lab);
	n = errors_of(lab.out_ifindex, ENETDOWN, false) - before;
	sl_tap(n == N, "counting goes on while no agent runs, and the next one has the counts",
	       "%llu of %u", (unsigned long long)n, N);
}

/* In namespaces of its own, with the same ifindexes. */
static int stranger(unsigned in, unsigned out)
{
	struct books b, d;

	sl_netlab_open(&lab);
	make_services();
	b = read_books();
	ns_peer("ip link set wb mtu 600");
	send_n(&away_large, N);
	sl_netlab_sink_back(&lab, SL_SINK_NONE);
	send_n(&back, N);
	sl_netlab_calm(&lab);
	d = since(&b);
	if (lab.in_ifindex != in || lab.out_ifindex != out)
		return 2;
	return d.errors == 2 * N ? 0 : 1;
}

static void not_ours(void)
{
	struct books b = read_books(), d;
	pid_t child = fork();
	int status = -1;

	if (!child)
		_exit(stranger(lab.in_ifindex, lab.out_ifindex));
	waitpid(child, &status, 0);
	d = since(&b);
	sl_tap(!status && !d.errors,
	       "errors of another data plane with the same ifindexes are its own",
	       "it ended with %#x (0x200: other ifindexes), we counted %llu", status,
	       (unsigned long long)d.errors);
}

static uint64_t errors_together(void)
{
	struct sl_transmit_error all[64];
	int n = lab.rig.dp->ops->transmit_errors(lab.rig.dp, all, 64);
	uint64_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += all[i].ifindex ? 0 : all[i].packets;
	return sum;
}

/* More kinds of errors than rows: counted all the same, together. */
static void rows_full(void)
{
	struct sl_xmit_key down = { lab.out_ifindex, ENETDOWN, SL_XMIT_REDIRECT },
			   no_xdp = { lab.in_ifindex, ENXIO, SL_XMIT_TX };
	int fd = bpf_obj_get(SL_NETLAB_PINS "/" SL_MAP_XMIT);
	uint64_t none = 0, before;
	struct books b, d;

	bpf_map_delete_elem(fd, &down);
	bpf_map_delete_elem(fd, &no_xdp);
	for (__u32 i = 0; i < SL_XMIT_ROWS; i++) {
		struct sl_xmit_key other = { 100000 + i, 0, SL_XMIT_TX };

		if (bpf_map_update_elem(fd, &other, &none, BPF_ANY))
			break;
	}
	close(fd);
	before = errors_together();
	b = read_books();
	ns_here("ip link set wa down");
	send_n(&away, N);
	ns_here("ip link set wa up");
	sl_netlab_sink_back(&lab, SL_SINK_NONE);
	send_n(&back, N);
	sl_netlab_sink_back(&lab, SL_SINK_FAST);
	sl_netlab_calm(&lab);
	d = since(&b);
	balanced("no row left for a new kind", &d, 2 * N, true);
	sl_tap(errors_together() - before == 2 * N, "... as other", "%llu",
	       (unsigned long long)(errors_together() - before));
}

static unsigned pins(const char *prefix, bool remove)
{
	DIR *d = opendir(SL_NETLAB_PINS);
	struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, prefix, strlen(prefix)) && e->d_name[0] != '.') {
			n++;
			if (remove)
				unlinkat(dirfd(d), e->d_name, 0);
		}
	if (d)
		closedir(d);
	return n;
}

static void control(void)
{
	struct books b, d;
	unsigned n = pins("watch-", true);
	char text[160];

	usleep(300000); /* the kernel lets go of them after a grace period */
	b = read_books();
	ns_here("ip link set wa down");
	send_n(&away, N);
	ns_here("ip link set wa up");
	sl_netlab_calm(&lab);
	d = since(&b);
	snprintf(text, sizeof(text), "control: without the %u programs %llu of %llu are missing", n,
		 (unsigned long long)(d.sent - d.got - d.errors), (unsigned long long)d.sent);
	sl_tap(d.sent == N && !d.got && !d.errors, text, "got %llu, errors %llu",
	       (unsigned long long)d.got, (unsigned long long)d.errors);
}

int main(void)
{
	const char *blind;

	sl_netlab_open(&lab);
	blind = lab.rig.dp->ops->transmit_blind(lab.rig.dp);
	sl_tap(!blind[0], "this kernel has all tracepoints", "%s", blind);
	make_services();
	nothing_wrong();
	egress_down();
	peer_without_xdp();
	too_large();
	ring_full();
	sent_back();
	port_missing();
	without_agent();
	sl_tap(pins("watch-", false) == 4, "four links are pinned", "%u", pins("watch-", false));
	not_ours();
	control();
	sl_rig_close(&lab.rig);
	sl_netlab_dataplane(&lab);
	sl_tap(pins("watch-", false) == 4, "the next start puts them back", "%u",
	       pins("watch-", false));
	rows_full();
	sl_netlab_close(&lab);
	sl_tap(access(SL_NETLAB_PINS, F_OK) != 0, "unload leaves no pin", "%u", pins("", false));
	return sl_tap_done();
}
