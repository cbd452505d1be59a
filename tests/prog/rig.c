/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/rig.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sluice/hash.h>
#include <sluice/names.h>

#include "lb_user/domain/svctab.h"
#include "tests/prog/tap.h"

/* Any secret will do; a fixed one makes every run of the tests the same. */
#define KEY                                                  \
	{                                                    \
		0x5c17b7a3d0f24e69ull, 0x9e1f0c83ba7d5241ull \
	}

static unsigned first_cpu(void)
{
	cpu_set_t set;

	if (!sched_getaffinity(0, sizeof(set), &set))
		for (unsigned i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, &set))
				return i;
	return 0;
}

bool sl_rig_pin(struct sl_rig *r, unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return false;
	r->row = cpu & (r->mem->info->cpus - 1);
	return true;
}

/* What libbpf said while loading: of a refused program, the verifier's log. */
static FILE *said;

__attribute__((format(printf, 1, 0))) static void hear(const char *fmt, va_list ap)
{
	if (said)
		vfprintf(said, fmt, ap);
}

/* The end of it, where the refusal is. */
static void print_end(char *text, size_t len)
{
	char *at = text + len;

	for (unsigned lines = 0; at > text && lines <= 40; at--)
		lines += at[-1] == '\n';
	for (char *line = strtok(at, "\n"); line; line = strtok(NULL, "\n"))
		sl_tap_note("%s", line);
}

/* Around a load: what is heard meanwhile is printed if it was refused. */
struct hearing {
	char *text;
	size_t len;
};

static void hearing_begin(struct hearing *h)
{
	*h = (struct hearing){};
	said = open_memstream(&h->text, &h->len);
}

static void hearing_end(struct hearing *h, bool refused)
{
	if (said)
		fclose(said);
	said = NULL;
	if (refused && h->text)
		print_end(h->text, h->len);
	free(h->text);
}

static void load(struct sl_rig *r)
{
	struct sl_dp_options opt = { .pin_dir = NULL, .key = KEY, .trace = hear };
	struct sl_err err = {};
	struct hearing h;
	int e;

	hearing_begin(&h);
	e = sl_dp_open(&opt, &r->dp, &err);
	hearing_end(&h, e);
	if (e)
		sl_tap_bail("load the program", "%s", err.detail);
}

/* The map of tail calls among those that the program uses; no test knows the agent's inside. */
static int tails_of(int program)
{
	struct bpf_prog_info prog = {};
	__u32 len = sizeof(prog), ids[32] = {};

	prog.nr_map_ids = sizeof(ids) / sizeof(ids[0]);
	prog.map_ids = (__u64)(unsigned long)ids;
	if (bpf_obj_get_info_by_fd(program, &prog, &len))
		return -1;
	for (__u32 i = 0; i < prog.nr_map_ids && i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct bpf_map_info map = {};
		int fd = bpf_map_get_fd_by_id(ids[i]);

		len = sizeof(map);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &len) &&
		    map.type == BPF_MAP_TYPE_PROG_ARRAY)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static int tail(const struct sl_rig *r, __u32 i)
{
	__u32 id = 0;
	int fd;

	if (bpf_map_lookup_elem(r->tails_fd, &i, &id))
		sl_tap_bail("find the programs", "the map of tail calls has no %u", i);
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		sl_tap_bail("find the programs", "id %u: %s", id, strerror(errno));
	return fd;
}

static void find_tails(struct sl_rig *r)
{
	r->tails_fd = tails_of(r->fd);
	if (r->tails_fd < 0)
		sl_tap_bail("find the programs", "no map of tail calls");
	r->rare_fd = tail(r, SL_TAIL_RARE);
	r->send_fd = tail(r, SL_TAIL_SEND);
}

void sl_rig_rare(struct sl_rig *r, bool present)
{
	__u32 first = 0;
	int e = present ? bpf_map_update_elem(r->tails_fd, &first, &r->rare_fd, BPF_ANY)
			: bpf_map_delete_elem(r->tails_fd, &first);

	if (e)
		sl_tap_bail("change the map of tail calls", "%s", strerror(-e));
}

void sl_rig_use(struct sl_rig *r, struct sl_dp *dp)
{
	*r = (struct sl_rig){ .dp = dp, .mem = &dp->mem, .fd = sl_dp_program_fd(dp) };
	find_tails(r);
}

bool sl_rig_try_features(struct sl_rig *r, uint32_t features, struct sl_err *err)
{
	struct hearing h;
	int e;

	hearing_begin(&h);
	e = r->dp->ops->specialise(r->dp, features, err);
	hearing_end(&h, e);
	if (e)
		return false;
	close(r->rare_fd);
	close(r->send_fd);
	close(r->tails_fd);
	r->fd = sl_dp_program_fd(r->dp);
	find_tails(r);
	return true;
}

void sl_rig_features(struct sl_rig *r, uint32_t features)
{
	struct sl_err err = {};

	if (!sl_rig_try_features(r, features, &err))
		sl_tap_bail("change the features", "%s", err.detail);
}

void sl_rig_open(struct sl_rig *r)
{
	struct sl_err err = {};

	*r = (struct sl_rig){};
	load(r);
	sl_rig_use(r, r->dp);
	sl_rig_features(r, SL_FEAT_ALL);
	if (!sl_rig_pin(r, first_cpu()))
		sl_tap_bail("pin to one CPU", "sched_setaffinity refused");
	if (r->dp->ops->port_set(r->dp, SL_RIG_PORT, SL_RIG_LO, &err))
		sl_tap_bail("set the devmap port", "%s", err.detail);
}

void sl_rig_close(struct sl_rig *r)
{
	free(r->mark);
	close(r->rare_fd);
	close(r->send_fd);
	close(r->tails_fd);
	r->dp->ops->close(r->dp);
}

void sl_rig_run(struct sl_rig *r, const void *frame, uint32_t len, struct sl_rig_out *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = len,
		    .data_out = ret->byte, .data_size_out = sizeof(ret->byte), .repeat = 1);
	int e = bpf_prog_test_run_opts(r->fd, &opts);

	if (e < 0)
		sl_tap_bail("run one packet", "BPF_PROG_TEST_RUN of %u bytes: %s", len,
			    strerror(-e));
	ret->verdict = (int)opts.retval;
	ret->len = opts.data_size_out;
}

int sl_rig_run_jumbo(struct sl_rig *r, const void *frame, uint32_t len, void *ret_frame,
		     uint32_t *ret_len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = len,
		    .data_out = ret_frame, .data_size_out = SL_RIG_JUMBO, .repeat = 1);
	int e = bpf_prog_test_run_opts(r->fd, &opts);

	if (e < 0)
		sl_tap_bail("run one large frame", "BPF_PROG_TEST_RUN of %u bytes: %s", len,
			    strerror(-e));
	*ret_len = opts.data_size_out;
	return (int)opts.retval;
}

static struct sl_addr address(const char *text)
{
	struct sl_addr addr = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(addr.family, text, addr.byte_be) != 1)
		sl_tap_bail("service of a test", "%s is no address", text);
	return addr;
}

static void publish(struct sl_rig *r, const char *text, uint16_t port, uint8_t proto, uint16_t id)
{
	struct sl_svctab tab = { .svc4 = r->mem->svc4, .svc6 = r->mem->svc6 };
	struct sl_addr addr = address(text);
	int e = sl_svctab_put(&tab, &addr, port, proto, id);

	if (e)
		sl_tap_bail("service of a test", "%s %u: %s", text, port, strerror(-e));
}

void sl_rig_portless(struct sl_rig *r, const char *addr, uint8_t proto, uint16_t id)
{
	publish(r, addr, 0, proto, id);
}

void sl_rig_address(struct sl_rig *r, const char *addr, uint16_t udp)
{
	sl_rig_portless(r, addr, IPPROTO_TCP, SL_SERVICE_ADDRESS);
	sl_rig_portless(r, addr, IPPROTO_UDP, udp);
}

void sl_rig_echo_anew(struct sl_rig *r)
{
	r->mem->limits[r->row].echo_count = 0;
}

void sl_rig_service(struct sl_rig *r, const struct sl_rig_service *s)
{
	struct sl_service_rec *rec = &r->mem->services[s->id];
	struct sl_addr addr = address(s->addr);
	uint64_t words[2];

	memcpy(words, addr.byte_be, sizeof(words));
	*rec = (struct sl_service_rec){
		.salt = sl_hash_salt((const __u64 *)words, htons(s->port), s->proto,
				     r->mem->info->key),
		.slot_base = s->base,
		.slot_count = s->count,
		.flags = s->flags,
		.idle_ticks = s->idle_ticks ? s->idle_ticks : 75,
	};
	memset(r->mem->slots + s->base, 0, s->count * sizeof(r->mem->slots[0]));
	publish(r, s->addr, s->port, s->proto, s->id);
}

void sl_rig_own(struct sl_rig *r, uint16_t id, uint16_t backend)
{
	const struct sl_service_rec *rec = &r->mem->services[id];

	for (uint32_t i = 0; i < rec->slot_count; i++)
		r->mem->slots[rec->slot_base + i] = SL_SLOT(backend, false, backend);
}

void sl_rig_macs(uint16_t id, uint8_t ret[12])
{
	const uint8_t image[12] = { 0x02,	 0xbe,	      (uint8_t)(id >> 8),
				    (uint8_t)id, 0xd0,	      0xd1,
				    0x02,	 0xa0,	      0xa1,
				    0xa2,	 (uint8_t)id, (uint8_t)(id >> 8) };

	memcpy(ret, image, sizeof(image));
}

void sl_rig_backend(struct sl_rig *r, uint16_t id, uint8_t state, uint32_t ifindex, uint16_t port)
{
	struct sl_backend_rec rec = { .ifindex = ifindex,
				      .state = state,
				      .port = port,
				      .mtu = UINT16_MAX,
				      .mtu_link = UINT16_MAX };
	uint8_t image[12];

	sl_rig_macs(id, image);
	memcpy(&rec.mac_lo, image, 8);
	memcpy(&rec.mac_hi, image + 8, 4);
	r->mem->backends[id] = rec;
}

uint16_t sl_rig_went_to(const struct sl_rig_out *out)
{
	uint16_t id = (uint16_t)(out->byte[2] << 8 | out->byte[3]);
	uint8_t image[12];

	sl_rig_macs(id, image);
	return memcmp(out->byte, image, sizeof(image)) ? 0 : id;
}

uint64_t sl_rig_hash(const struct sl_rig *r, uint16_t service, const struct sl_packet *p)
{
	const uint8_t *ip = p->byte + p->l3;
	uint64_t source, v6[2];
	uint32_t v4;
	uint16_t sport_be;

	memcpy(&v4, ip + 12, 4);
	memcpy(v6, ip + 8, 16);
	memcpy(&sport_be, p->byte + p->l4, 2);
	if (r->mem->services[service].flags & SL_SF_HASH3)
		sport_be = 0;
	source = p->is_v6 ? sl_hash_source6((const __u64 *)v6, r->mem->info->key)
			  : sl_hash_source4(v4, r->mem->info->key);
	return sl_hash_flow(source, sport_be, r->mem->services[service].salt);
}

uint32_t sl_rig_slot(const struct sl_rig *r, uint16_t service, uint64_t hash)
{
	const struct sl_service_rec *rec = &r->mem->services[service];

	return rec->slot_base + sl_hash_range(hash, rec->slot_count);
}

/* Jiffies until the present tick of 2^@shift jiffies ends. */
static uint64_t left_of(uint64_t jiffies, uint32_t shift)
{
	return (1ull << shift) - (jiffies & ((1ull << shift) - 1));
}

uint32_t sl_rig_tick(struct sl_rig *r, uint16_t *ret_drain_tick)
{
	uint32_t shift = r->mem->info->tick_shift;
	uint64_t jiffies, margin = (1ull << shift) * 100 / r->mem->info->tick_ms + 1;

	/* the end of a tick is also the end of a drain's finer one */
	for (;;) {
		if (r->dp->ops->jiffies(r->dp, &jiffies))
			sl_tap_bail("read the clock", "the clock program does not run");
		if (left_of(jiffies, shift - 2) > margin)
			break;
		usleep(10000);
	}
	if (ret_drain_tick)
		*ret_drain_tick = (uint16_t)(jiffies >> (shift - 2)) & SL_DRAIN_TICK_MASK;
	return (uint32_t)(jiffies >> shift);
}
