/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/lib/chain_path.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench/lib/chain_subject.h"
#include "tests/lib/packet.h"

#define WAIT_MS 200 /* for frames that somebody else has still to work off */

static int complain(const char *what, int e)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(e < 0 ? -e : e));
	return -1;
}

static int build(struct sl_packet *ret)
{
	struct sl_packet_spec spec = {
		.from = "10.0.0.1",
		.to = SL_CHAIN_ADDR,
		.sport = 1024,
		.dport = SL_CHAIN_PORT,
		.proto = IPPROTO_TCP,
		.tcp_flags = SL_TCP_ACK,
		.payload = CHAIN_BYTES - 54, /* no padding: counters leave that out */
	};
	int e = sl_packet_build(&spec, ret);

	if (!e && ret->len != CHAIN_BYTES)
		e = -EMSGSIZE;
	return e ? complain("build a frame", e) : 0;
}

/* Flows in no order: multiples of an irrational number are all different, and far from the last. */
static int make_tuples(struct chain_tuple *t)
{
	struct sl_packet p;

	if (build(&p))
		return -1;
	for (uint64_t i = 0; i < CHAIN_FLOWS; i++) {
		uint8_t *ip = p.byte + p.l3, *tcp = p.byte + p.l4;

		sl_packet_flow(&p, i * 0x9e3779b97f4a7c15ull >> (64 - 39));
		if (!sl_packet_sums_fit(&p))
			return complain("checksums of a frame", EINVAL);
		memcpy(&t[i].saddr_be, ip + 12, 4);
		memcpy(&t[i].ip_csum, ip + 10, 2);
		memcpy(&t[i].sport_be, tcp, 2);
		memcpy(&t[i].tcp_csum, tcp + 16, 2);
	}
	return 0;
}

static int program(const struct sl_chain_path *p, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(p->obj, name));
}

/* Links and devmap entries are made where the interface is. The call ends at the generator. */
static int link_at(const struct sl_chain_path *p, enum sl_chain_place place, unsigned ifindex,
		   int fd)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int link;

	if (sl_chain_net_enter(p->net, place))
		return -1;
	link = bpf_link_create(fd, (int)ifindex, BPF_XDP, &opts);
	if (link < 0)
		complain("attach a program", link);
	return sl_chain_net_enter(p->net, SL_CHAIN_GEN) ? -1 : link;
}

int sl_chain_path_load(struct sl_chain_path *p, const struct sl_chain_net *net, const char *file,
		       uint32_t batch)
{
	struct bpf_map *bss, *port;
	void *memory;
	int e;

	*p = (struct sl_chain_path){ .net = net, .on_lb = -1, .on_sink = -1, .batch = batch };
	p->obj = bpf_object__open_file(file, NULL);
	e = p->obj ? bpf_object__load(p->obj) : -errno;
	if (e)
		return complain(file, e);
	bss = bpf_object__find_map_by_name(p->obj, ".bss");
	port = bpf_object__find_map_by_name(p->obj, "chain_port");
	if (!bss || !port)
		return complain(file, ENOENT);
	memory = mmap(NULL, sizeof(*p->shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(bss), 0);
	if (memory == MAP_FAILED)
		return complain("map the programs' memory", errno);
	p->shared = memory;
	p->generator = program(p, "chain_generate");
	p->sink = program(p, "chain_sink");
	p->look = program(p, "chain_look");
	if (make_tuples(p->shared->tuple) || sl_chain_net_enter(net, SL_CHAIN_GEN))
		return -1;
	e = bpf_map_update_elem(bpf_map__fd(port), &(__u32){ 0 }, &net->a0, BPF_ANY);
	if (e)
		return complain("the generator's port", e);
	p->on_sink = link_at(p, SL_CHAIN_SINK, net->b1, p->sink);
	return p->on_sink < 0 ? -1 : 0;
}

void sl_chain_path_unload(struct sl_chain_path *p)
{
	if (p->on_lb >= 0)
		close(p->on_lb);
	if (p->on_sink >= 0)
		close(p->on_sink);
	if (p->shared)
		munmap(p->shared, sizeof(*p->shared));
	bpf_object__close(p->obj);
	*p = (struct sl_chain_path){ .on_lb = -1, .on_sink = -1 };
}

int sl_chain_path_put(struct sl_chain_path *p, int fd)
{
	int e;

	if (fd < 0) {
		if (p->on_lb >= 0)
			close(p->on_lb);
		p->on_lb = -1;
		return 0;
	}
	if (p->on_lb < 0) {
		p->on_lb = link_at(p, SL_CHAIN_LB, p->net->a1, fd);
		return p->on_lb < 0 ? -1 : 0;
	}
	e = bpf_link_update(p->on_lb, fd, NULL);
	return e ? complain("exchange the program under test", e) : 0;
}

int sl_chain_path_look(struct sl_chain_path *p, bool looks, uint32_t outer)
{
	int e;

	p->shared->looked = p->shared->cursor;
	p->shared->outer = outer;
	e = bpf_link_update(p->on_sink, looks ? p->look : p->sink, NULL);
	return e ? complain("exchange the sink", e) : 0;
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct chain_row counted(const struct sl_chain_path *p, unsigned cpu, uint64_t *ret_here)
{
	const volatile struct chain_row *row = p->shared->row;
	struct chain_row sum = {};

	for (unsigned i = 0; i < CHAIN_CPUS; i++) {
		sum.frames += row[i].frames;
		sum.right += row[i].right;
	}
	*ret_here = row[cpu & (CHAIN_CPUS - 1)].frames;
	return sum;
}

int sl_chain_path_send(struct sl_chain_path *p, uint32_t n, unsigned cpu, struct sl_chain_sent *ret)
{
	uint64_t here_before, here;
	struct chain_row before = counted(p, cpu, &here_before), after;
	struct sl_packet frame;
	uint64_t in_time;
	double start;
	int e;

	if (build(&frame))
		return -1;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.byte, .data_size_in = frame.len,
		    .repeat = (int)n, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = p->batch);
	start = cpu_ns();
	e = bpf_prog_test_run_opts(p->generator, &opts);
	ret->ns = (cpu_ns() - start) / n;
	if (e)
		return complain("BPF_PROG_TEST_RUN of live frames", e);
	after = counted(p, cpu, &here);
	in_time = here - here_before;
	for (unsigned ms = 0; ms < WAIT_MS && after.frames - before.frames != n; ms++) {
		usleep(1000);
		after = counted(p, cpu, &here);
	}
	/* the kernel's figure leaves the call's set-up out, and what was slept */
	ret->disturbed = opts.duration > ret->ns * 1.01 + 1;
	ret->arrived = after.frames - before.frames;
	ret->right = after.right - before.right;
	ret->elsewhere = ret->arrived - in_time;
	return 0;
}
