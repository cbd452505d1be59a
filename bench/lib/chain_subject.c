/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/lib/chain_subject.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <sluice/hash.h>

#include "lb_user/domain/svctab.h"

#define SERVICE 1u
#define PORT	1u
#define BPFFS	"/sys/fs/bpf"
#define PINS	BPFFS "/sluice-bench"
#define LB_IN	"a1"
#define FREE_US 300000 /* the kernel takes programs off tracepoints a little later */

static int complain(const char *what, int e)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(e < 0 ? -e : e));
	return -1;
}

static int complain_of(const struct sl_err *err)
{
	fprintf(stderr, "bench: %s\n", err->detail);
	return -1;
}

static int load_bare(struct sl_chain_subject *s, const struct sl_chain_net *net, const char *file)
{
	struct bpf_program *prog;
	struct bpf_map *port;
	int e;

	s->bare = bpf_object__open_file(file, NULL);
	if (!s->bare)
		return complain(file, errno);
	bpf_object__for_each_program(prog, s->bare)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), "chain_bare"));
	e = bpf_object__load(s->bare);
	if (e)
		return complain(file, e);
	prog = bpf_object__find_program_by_name(s->bare, "chain_bare");
	port = bpf_object__find_map_by_name(s->bare, "chain_port");
	if (!prog || !port)
		return complain(file, ENOENT);
	e = bpf_map_update_elem(bpf_map__fd(port), &(__u32){ 0 }, &net->b0, BPF_ANY);
	if (e)
		return complain("the bare program's port", e);
	s->fd = bpf_program__fd(prog);
	return 0;
}

static void make_backends(struct sl_dp_mem *m, const struct sl_chain_work *w, uint32_t ifindex)
{
	for (uint16_t id = 1; id <= SL_CHAIN_BACKENDS; id++) {
		m->backends[id] = (struct sl_backend_rec){
			.mac_lo = (uint64_t)CHAIN_SMAC_LOW << 48 | 0xbe02ull | (uint64_t)id << 24,
			.mac_hi = CHAIN_SMAC_HIGH,
			.ifindex = ifindex,
			.state = SL_DP_UP,
			.port = PORT,
			.service = SERVICE,
			.fwd = w->fwd,
			.mtu = (uint16_t)(1500 - w->outer),
			.mtu_link = (uint16_t)(1500 - w->outer),
		};
		m->tunnels[id] = (struct sl_tunnel_rec){
			.daddr_be = { htonl(10u << 24 | id) },
			.saddr_be = { htonl(172u << 24 | 16u << 16) },
			.entropy_be = htonl(0xffff),
		};
	}
}

static int make_service(struct sl_dp_mem *m)
{
	struct sl_svctab tab = { .svc4 = m->svc4, .svc6 = m->svc6 };
	struct sl_addr addr = { .family = AF_INET };
	uint64_t words[2];
	int e;

	inet_pton(AF_INET, SL_CHAIN_ADDR, addr.byte_be);
	memcpy(words, addr.byte_be, sizeof(words));
	for (uint32_t n = 0; n < SL_CHAIN_SLOTS; n++) {
		uint32_t id = 1 + n % SL_CHAIN_BACKENDS;

		m->slots[n] = SL_SLOT(id, false, id);
	}
	m->services[SERVICE] = (struct sl_service_rec){
		.salt = sl_hash_salt((const __u64 *)words, htons(SL_CHAIN_PORT), IPPROTO_TCP,
				     m->info->key),
		.slot_count = SL_CHAIN_SLOTS,
		.idle_ticks = 75,
	};
	e = sl_svctab_put(&tab, &addr, SL_CHAIN_PORT, SL_PROTO_TCP, SERVICE);
	return e ? complain("publish a service", e) : 0;
}

/* Whose each flow is, by the specification and not by what the program does. */
static void predict(struct sl_chain_subject *s, const struct chain_tuple *tuple)
{
	const struct sl_dp_mem *m = &s->dp->mem;

	for (uint32_t i = 0; i < CHAIN_FLOWS; i++) {
		uint64_t hash = sl_hash_flow(sl_hash_source4(tuple[i].saddr_be, m->info->key),
					     tuple[i].sport_be, m->services[SERVICE].salt);

		s->flows[SL_SLOT_CUR(m->slots[sl_hash_range(hash, SL_CHAIN_SLOTS)])]++;
	}
}

int sl_chain_subject_pins(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", BPFFS, "bpf", 0, NULL))
		return complain("a bpffs of our own", errno);
	return 0;
}

/* The rest of what the agent does to a program that it loads. */
static int attach_as_agent(struct sl_chain_subject *s)
{
	const char *blind = s->dp->ops->transmit_blind(s->dp);
	struct sl_err err = {};

	if (blind[0]) {
		fprintf(stderr, "bench: transmit errors: %s\n", blind);
		return -1;
	}
	if (s->dp->ops->attach(s->dp, LB_IN, SL_MODE_NATIVE, &err))
		return complain_of(&err);
	s->attached = true;
	return 0;
}

static int load_sluice(struct sl_chain_subject *s, const struct sl_chain_work *w,
		       const struct sl_chain_net *net, const struct chain_tuple *tuple)
{
	struct sl_dp_options opt = { .pin_dir = w->agent ? PINS : NULL,
				     .key = { 0x5c17b7a3d0f24e69ull, 0x9e1f0c83ba7d5241ull } };
	struct sl_err err = {};

	if (sl_dp_open(&opt, &s->dp, &err) || s->dp->ops->specialise(s->dp, w->features, &err) ||
	    s->dp->ops->port_set(s->dp, PORT, net->b0, &err))
		return complain_of(&err);
	make_backends(&s->dp->mem, w, net->b0);
	if (make_service(&s->dp->mem))
		return -1;
	predict(s, tuple);
	s->fd = sl_dp_program_fd(s->dp);
	return w->agent ? attach_as_agent(s) : 0;
}

int sl_chain_subject_load(struct sl_chain_subject *s, const struct sl_chain_work *w,
			  const struct sl_chain_net *net, const char *file,
			  const struct chain_tuple *tuple)
{
	int r;

	*s = (struct sl_chain_subject){ .fd = -1 };
	if (sl_chain_net_enter(net, SL_CHAIN_LB))
		return -1;
	r = w->bare ? load_bare(s, net, file) : load_sluice(s, w, net, tuple);
	return sl_chain_net_enter(net, SL_CHAIN_GEN) ? -1 : r;
}

void sl_chain_subject_unload(struct sl_chain_subject *s)
{
	struct sl_err err = {};

	bpf_object__close(s->bare);
	if (s->attached) {
		if (s->dp->ops->unload(s->dp, &err))
			complain_of(&err);
		usleep(FREE_US);
	}
	if (s->dp)
		s->dp->ops->close(s->dp);
	*s = (struct sl_chain_subject){ .fd = -1 };
}

void sl_chain_subject_read(const struct sl_chain_subject *s, unsigned cpu,
			   struct sl_chain_sums *ret)
{
	const struct sl_dp_mem *m = s->dp ? &s->dp->mem : NULL;

	*ret = (struct sl_chain_sums){};
	for (uint32_t row = 0; m && row < m->info->cpus; row++) {
		bool here = row == (cpu & (m->info->cpus - 1));

		for (uint32_t id = 1; id <= SL_CHAIN_BACKENDS; id++) {
			const struct sl_cnt *c = &m->cnt_backend[row * SL_BACKENDS_MAX + id];

			ret->packets[id] += c->packets;
			ret->sent += c->packets;
			ret->bytes += c->bytes;
			ret->elsewhere += here ? 0 : c->packets;
		}
		for (int why = 0; why < SL_REASONS_MAX; why++)
			ret->other += m->cnt_reason[row].packets[why];
	}
}

static int wrong(const char *what, uint64_t got, uint64_t want)
{
	fprintf(stderr, "bench: %s: %llu instead of %llu\n", what, (unsigned long long)got,
		(unsigned long long)want);
	return -1;
}

int sl_chain_subject_check(const struct sl_chain_subject *s, uint32_t n,
			   const struct sl_chain_sums *before, const struct sl_chain_sums *after)
{
	uint64_t sent = after->sent - before->sent;
	char text[64];

	if (!s->dp)
		return 0;
	if (after->other != before->other)
		return wrong("frames that were not forwarded", after->other - before->other, 0);
	if (sent > n)
		return wrong("frames that were forwarded", sent, n);
	if (after->bytes - before->bytes != sent * CHAIN_BYTES)
		return wrong("bytes", after->bytes - before->bytes, sent * CHAIN_BYTES);
	for (uint32_t id = 1; id <= SL_CHAIN_BACKENDS && sent == n; id++) {
		uint64_t got = after->packets[id] - before->packets[id];
		uint64_t want = (uint64_t)s->flows[id] * (n / CHAIN_FLOWS);

		snprintf(text, sizeof(text), "frames of backend %u", id);
		if (got != want)
			return wrong(text, got, want);
	}
	return 0;
}
