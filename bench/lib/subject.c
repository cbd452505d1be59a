/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/lib/subject.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <sluice/hash.h>

#include "lb_user/domain/svctab.h"
#include "tests/lib/packet.h"

#define IFINDEX_IN    1u /* packets come in here; BPF_PROG_TEST_RUN says so */
#define IFINDEX_OTHER 2u
#define PORT	      1u

/* One service for each family, table and protocol, so that work can change without a load. */
struct service {
	uint16_t id;
	const char *addr;
	uint16_t port;
	uint32_t table, base;
	uint16_t first, backends; /* their ids */
	bool udp;
};

static const struct service services[] = {
	{ 1, "192.0.2.1", 443, 16381, 0, 1, SL_BENCH_BACKENDS, false },
	{ 2, "2001:db8::1", 443, 16381, 1u << 17, 1, SL_BENCH_BACKENDS, false },
	{ 3, "192.0.2.2", 443, 65537, 2u << 17, 1, SL_BENCH_BACKENDS, false },
	{ 4, "2001:db8::2", 443, 65537, 3u << 17, 1, SL_BENCH_BACKENDS, false },
	{ 5, "192.0.2.1", 443, 16381, 4u << 17, 1, SL_BENCH_BACKENDS, true },
	{ 6, "2001:db8::1", 443, 16381, 5u << 17, 1, SL_BENCH_BACKENDS, true },
};

#define N_SERVICES   (sizeof(services) / sizeof(services[0]))
#define MANY_ADDR    "192.0.2.3"
#define MANY_PORT    1000u /* of the first */
#define MANY_ID	     100u
#define MANY_TABLE   1021u
#define MANY_BASE(n) ((6u << 17) + 1024u * (n))

static int shared_fd = -1;
static struct bench_shared *shared;

/* Service @n of many. */
static struct service one_of_many(uint32_t n)
{
	return (struct service){ (uint16_t)(MANY_ID + n),
				 MANY_ADDR,
				 (uint16_t)(MANY_PORT + n),
				 MANY_TABLE,
				 MANY_BASE(n),
				 (uint16_t)(1 + SL_BENCH_BACKENDS + n * SL_BENCH_EACH),
				 SL_BENCH_EACH,
				 false };
}

/* Where flow @i of @w goes. */
static struct service service_of(const struct sl_bench_work *w, uint32_t i)
{
	if (w->many)
		return one_of_many(ntohs(shared->tuple[i & (w->flows - 1)].to_port_be) - MANY_PORT);
	return services[(w->udp ? 4 : w->table == 65537 ? 2 : 0) + w->is_v6];
}

static int complain(const char *what, int e)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(e < 0 ? -e : e));
	return -1;
}

/* Flows in no order: a bijection of the index, so that all are different. */
static void make_tuples(void)
{
	uint64_t mix = 0x2545f4914f6cdd1dull;

	for (uint32_t i = 0; i < BENCH_FLOWS_MAX; i++) {
		uint32_t n = (i * 0x9e3779b1u + 0x5bd1e995u) & 0xffffff;

		mix ^= mix << 13;
		mix ^= mix >> 7;
		mix ^= mix << 17;
		shared->tuple[i].addr = (mix & 0xffffffff00000000ull) | htonl(10u << 24 | n);
		shared->tuple[i].port_be = htons((uint16_t)(1024 + (mix & 0xffff) % 64000));
		shared->tuple[i].to_port_be =
			htons((uint16_t)(MANY_PORT + (mix >> 20) % SL_BENCH_MANY));
	}
}

struct bench_shared *sl_bench_share(const char *driver_path)
{
	struct bpf_object *obj = bpf_object__open_file(driver_path, NULL);
	struct bpf_map *bss;
	int e;

	if (!obj) {
		complain(driver_path, errno);
		return NULL;
	}
	e = bpf_object__load(obj);
	bss = bpf_object__find_map_by_name(obj, ".bss");
	if (!e && bss)
		shared_fd = dup(bpf_map__fd(bss));
	bpf_object__close(obj);
	if (shared_fd < 0) {
		complain("load the driver", e ? e : ENOENT);
		return NULL;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0);
	if (shared == MAP_FAILED) {
		complain("map the driver's memory", errno);
		return NULL;
	}
	make_tuples();
	return shared;
}

void sl_bench_unshare(void)
{
	munmap(shared, sizeof(*shared));
	close(shared_fd);
}

static int publish_one(struct sl_dp *dp, const struct service *v)
{
	struct sl_svctab tab = { .svc4 = dp->mem.svc4, .svc6 = dp->mem.svc6 };
	struct sl_addr addr = { .family = strchr(v->addr, ':') ? AF_INET6 : AF_INET };
	uint32_t *slot = dp->mem.slots + v->base;
	uint64_t words[2];
	int e;

	inet_pton(addr.family, v->addr, addr.byte_be);
	memcpy(words, addr.byte_be, sizeof(words));
	for (uint32_t n = 0; n < v->table; n++)
		slot[n] = SL_SLOT(v->first + n % v->backends, false, v->first + n % v->backends);
	dp->mem.services[v->id] = (struct sl_service_rec){
		.salt = sl_hash_salt((const __u64 *)words, htons(v->port),
				     v->udp ? IPPROTO_UDP : IPPROTO_TCP, dp->mem.info->key),
		.slot_base = v->base,
		.slot_count = v->table,
		.idle_ticks = 75,
		.flags = v->udp ? SL_SF_UDP_FLOW : 0,
	};
	e = sl_svctab_put(&tab, &addr, v->port, v->udp ? SL_PROTO_UDP : SL_PROTO_TCP, v->id);
	return e ? complain("publish a service", e) : 0;
}

static int publish(struct sl_dp *dp)
{
	int r = 0;

	for (unsigned i = 0; i < N_SERVICES && !r; i++)
		r = publish_one(dp, &services[i]);
	for (uint32_t n = 0; n < SL_BENCH_MANY && !r; n++) {
		struct service v = one_of_many(n);

		r = publish_one(dp, &v);
	}
	return r;
}

/* Sluice's own program, as the agent loads it. */
static int load_sluice(struct sl_bench_subject *s)
{
	struct sl_dp_options opt = { .key = { 0x5c17b7a3d0f24e69ull, 0x9e1f0c83ba7d5241ull } };
	struct sl_err err = {};

	if (sl_dp_open(&opt, &s->dp, &err) || s->dp->ops->port_set(s->dp, PORT, IFINDEX_IN, &err)) {
		fprintf(stderr, "bench: %s\n", err.detail);
		return -1;
	}
	return publish(s->dp);
}

/* What the driver goes on with. */
static int put_behind(struct sl_bench_subject *s, int fd)
{
	struct bpf_map *next = bpf_object__find_map_by_name(s->driver, "bench_next");
	__u32 zero = 0;
	int e = next ? bpf_map_update_elem(bpf_map__fd(next), &zero, &fd, BPF_ANY) : -ENOENT;

	return e ? complain("put the program behind the driver", e) : 0;
}

int sl_bench_load(struct sl_bench_subject *s, const char *driver_path, bool control)
{
	struct bpf_map *bss;
	int fd = -1, e;

	*s = (struct sl_bench_subject){ .driver = bpf_object__open_file(driver_path, NULL) };
	if (!s->driver)
		return complain(driver_path, errno);
	bss = bpf_object__find_map_by_name(s->driver, ".bss");
	if (!bss)
		return complain("the driver's memory", ENOENT);
	e = bpf_map__reuse_fd(bss, shared_fd);
	if (!e)
		e = bpf_object__load(s->driver);
	if (e)
		return complain("load the driver", e);
	if (!control && load_sluice(s))
		return -1;
	if (control)
		fd = bpf_program__fd(bpf_object__find_program_by_name(s->driver, "bench_control"));
	if (control && put_behind(s, fd))
		return -1;
	s->fd = bpf_program__fd(bpf_object__find_program_by_name(s->driver, "bench_driver"));
	return 0;
}

void sl_bench_unload(struct sl_bench_subject *s)
{
	bpf_object__close(s->driver);
	if (s->dp)
		s->dp->ops->close(s->dp);
	*s = (struct sl_bench_subject){};
}

static void prepare_backends(struct sl_dp_mem *m, const struct sl_bench_work *w)
{
	for (uint16_t id = 1; id < SL_BENCH_IDS; id++) {
		m->backends[id] = (struct sl_backend_rec){
			.mac_lo = 0x0201be000000be02ull | (uint64_t)id << 24,
			.mac_hi = 0x010203be,
			.ifindex = w->redirect ? IFINDEX_OTHER : IFINDEX_IN,
			.state = SL_DP_UP,
			.port = PORT,
			.service = id <= SL_BENCH_BACKENDS
					   ? service_of(w, 0).id
					   : (uint16_t)(MANY_ID + (id - 1 - SL_BENCH_BACKENDS) /
									  SL_BENCH_EACH),
			.fwd = w->fwd,
			.flags = w->outer6 ? SL_BF_OUTER6 : 0,
			.mtu = 1500,
			.mtu_link = 1500,
		};
		m->tunnels[id] = (struct sl_tunnel_rec){
			.daddr_be = { htonl(10u << 24 | id), id },
			.saddr_be = { htonl(172u << 24 | 16u << 16) },
			.entropy_be = htonl(0xffff),
			.dport_be = htons(6080),
		};
	}
}

static uint64_t hash_of(const struct sl_dp_mem *m, const struct sl_bench_work *w, uint32_t i);

/* Every slot was somebody else's, every flow is remembered and stays with its owner. */
static int prepare_memory(struct sl_dp *dp, const struct sl_bench_work *w)
{
	const struct service v = service_of(w, 0);
	struct sl_dp_mem *m = &dp->mem;
	uint64_t jiffies;
	int e;

	memset(m->exceptions, 0, sizeof(*m->exceptions) * SL_EXC_SETS);
	for (uint32_t n = 0; n < v.table; n++)
		m->slots[v.base + n] = SL_SLOT(v.first + n % v.backends, w->transition,
					       v.first + (n + 1) % v.backends);
	if (!w->transition && !w->udp)
		return 0;
	e = dp->ops->jiffies(dp, &jiffies);
	if (e)
		return complain("read the clock", e);
	for (uint32_t i = 0; i < w->flows; i++) {
		uint64_t hash = hash_of(m, w, i);
		struct sl_exc_set *set = &m->exceptions[sl_hash_exc_set(hash, SL_EXC_SETS)];
		uint32_t owner = v.first + sl_hash_range(hash, v.table) % v.backends, way = 0;

		while (way < SL_EXC_WAYS && set->entry[way])
			way++;
		if (way < SL_EXC_WAYS) /* few are left out; a UDP flow then comes in by itself */
			set->entry[way] = SL_EXC(sl_hash_exc_tag(hash), owner, true,
						 (uint32_t)(jiffies >> m->info->tick_shift));
	}
	return 0;
}

int sl_bench_prepare(struct sl_bench_subject *s, const struct sl_bench_work *w)
{
	struct sl_err err = {};

	shared->cursor = 0;
	shared->mask = w->flows - 1;
	shared->is_v6 = w->is_v6;
	shared->many = w->many;
	shared->tags = w->tag ? 4 : 0;
	shared->grows = w->fwd != SL_FWD_L2;
	if (!s->dp)
		return 0;
	if (s->dp->ops->specialise(s->dp, w->features, &err)) {
		fprintf(stderr, "bench: %s\n", err.detail);
		return -1;
	}
	if (put_behind(s, sl_dp_program_fd(s->dp))) /* another one for other features */
		return -1;
	prepare_backends(&s->dp->mem, w);
	return w->many ? 0 : prepare_memory(s->dp, w);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static __u32 verdict_of(const struct sl_bench_work *w)
{
	switch (w->stop) {
	case SL_BENCH_NO_SERVICE:
		return XDP_PASS;
	case SL_BENCH_TCP_BAD:
		return XDP_DROP;
	default:
		return w->redirect ? XDP_REDIRECT : XDP_TX;
	}
}

int sl_bench_run(struct sl_bench_subject *s, const struct sl_bench_work *w, uint32_t repeat,
		 struct sl_bench_time *ret)
{
	struct sl_packet_spec spec = {
		.from = w->is_v6 ? "2001:db8:ffff::1" : "10.0.0.1",
		.to = service_of(w, 0).addr,
		.sport = 1024,
		.dport = (uint16_t)(service_of(w, 0).port + (w->stop == SL_BENCH_NO_SERVICE)),
		.proto = w->udp ? IPPROTO_UDP : IPPROTO_TCP,
		.tcp_flags = w->stop == SL_BENCH_TCP_BAD ? 0 : SL_TCP_ACK,
		.vlans = w->tag,
		.pad_to = w->tag ? 64 : 60,
	};
	__u32 want = s->dp ? verdict_of(w) : XDP_TX;
	struct sl_packet p;
	double start;
	int e = sl_packet_build(&spec, &p);

	if (e)
		return complain("build a packet", e);

	shared->bytes = p.len;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p.byte, .data_size_in = p.len,
		    .repeat = (int)repeat);
	start = cpu_ns();
	e = bpf_prog_test_run_opts(s->fd, &opts);
	start = cpu_ns() - start;
	if (e)
		return complain("BPF_PROG_TEST_RUN", e);
	if (opts.retval != want) {
		fprintf(stderr, "bench: the last packet ended with verdict %u instead of %u\n",
			opts.retval, want);
		return -1;
	}
	ret->ns = start / repeat;
	/* the kernel's figure is in whole ns and leaves the call's set-up out */
	ret->disturbed = opts.duration > ret->ns + 1;
	return 0;
}

static uint64_t hash_of(const struct sl_dp_mem *m, const struct sl_bench_work *w, uint32_t i)
{
	const struct bench_tuple *t = &shared->tuple[i & (w->flows - 1)];
	uint64_t source[2] = {};

	inet_pton(AF_INET6, "2001:db8:ffff::", source);
	source[1] = t->addr;
	return sl_hash_flow(w->is_v6 ? sl_hash_source6((const __u64 *)source, m->info->key)
				     : sl_hash_source4((uint32_t)t->addr, m->info->key),
			    t->port_be, m->services[service_of(w, i).id].salt);
}

void sl_bench_predict(const struct sl_bench_subject *s, const struct sl_bench_work *w,
		      uint32_t first, uint32_t n, struct sl_bench_spread *ret)
{
	const struct sl_dp_mem *m = &s->dp->mem;
	uint32_t step = n > w->flows ? n / w->flows : 1; /* packets of each flow */

	memset(ret, 0, sizeof(*ret));
	for (uint32_t i = 0; i < n / step && w->stop == SL_BENCH_TO_THE_END; i++) {
		const struct service v = service_of(w, first + i);
		uint64_t hash = hash_of(m, w, first + i);

		ret->packets[SL_SLOT_CUR(m->slots[v.base + sl_hash_range(hash, v.table)])] += step;
	}
}

void sl_bench_counted(const struct sl_bench_subject *s, struct sl_bench_spread *ret,
		      uint64_t *ret_sent, uint64_t *ret_other)
{
	const struct sl_dp_mem *m = &s->dp->mem;

	memset(ret, 0, sizeof(*ret));
	*ret_sent = *ret_other = 0;
	for (uint32_t cpu = 0; cpu < m->info->cpus; cpu++) {
		for (uint32_t id = 1; id < SL_BENCH_IDS; id++) {
			uint64_t sent = m->cnt_backend[cpu * SL_BACKENDS_MAX + id].packets;

			ret->packets[id] += sent;
			*ret_sent += sent;
		}
		for (int why = 0; why < SL_REASONS_MAX; why++)
			*ret_other += m->cnt_reason[cpu].packets[why];
	}
}
