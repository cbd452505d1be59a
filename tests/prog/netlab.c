/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/netlab.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/ns_pair.h"
#include "tests/prog/tap.h"

#define KEY                                                  \
	{                                                    \
		0x5c17b7a3d0f24e69ull, 0x9e1f0c83ba7d5241ull \
	}
#define SINK_WORDS 256u

static void must(bool ok, const char *what)
{
	if (!ok)
		sl_tap_bail("network of the test", "%s: %s", what, strerror(errno));
}

#define SLOW_CALLS 2000 /* of about 50 ns */

/*
 * Counts a frame whose MAC is a backend's (sl_rig_macs(): 02 be 00 ID), by that
 * ID, and drops it; first asks for the time @calls times. Written by hand: the
 * test needs no compiler for BPF.
 */
static int sink_program(int map, int calls)
{
	const struct bpf_insn insn[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 6, .src_reg = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 7, .imm = calls },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ktime_get_ns },
		{ .code = BPF_ALU64 | BPF_SUB | BPF_K, .dst_reg = 7, .imm = 1 },
		{ .code = BPF_JMP | BPF_JSGT | BPF_K, .dst_reg = 7, .off = -3 },
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 6, .off = 0 },
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 3, .src_reg = 6, .off = 4 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 4, .src_reg = 2 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 4, .imm = ETH_HLEN },
		{ .code = BPF_JMP | BPF_JGT | BPF_X, .dst_reg = 4, .src_reg = 3, .off = 9 },
		{ .code = BPF_LDX | BPF_MEM | BPF_H, .dst_reg = 4, .src_reg = 2, .off = 0 },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 4, .off = 7, .imm = 0xbe02 },
		{ .code = BPF_LDX | BPF_MEM | BPF_B, .dst_reg = 4, .src_reg = 2, .off = 3 },
		{ .code = BPF_ALU64 | BPF_LSH | BPF_K, .dst_reg = 4, .imm = 3 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_VALUE,
		  .imm = map },
		{},
		{ .code = BPF_ALU64 | BPF_ADD | BPF_X, .dst_reg = 1, .src_reg = 4 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
		  .dst_reg = 1,
		  .src_reg = 2,
		  .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_DROP },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_XDP_HAS_FRAGS);

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "sl_sink", "GPL", insn,
			     sizeof(insn) / sizeof(insn[0]), &opts);
}

struct peer {
	struct sl_netlab *lab;
	const char *dev;
	enum sl_netlab_sink sink;
};

static void peer_sink(void *user)
{
	const struct peer *p = user;
	int fd = p->sink == SL_SINK_NONE ? -1 : p->lab->sink_program[p->sink];

	must(!bpf_xdp_attach((int)if_nametoindex(p->dev), fd, XDP_FLAGS_DRV_MODE, NULL),
	     "the sink's program");
}

static void peer_socket(void *user)
{
	struct sl_netlab *lab = ((const struct peer *)user)->lab;
	struct sockaddr_ll at = { .sll_family = AF_PACKET };
	int on = 1;

	lab->send_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	at.sll_ifindex = (int)if_nametoindex("vb");
	must(lab->send_fd >= 0 && !bind(lab->send_fd, (struct sockaddr *)&at, sizeof(at)),
	     "a packet socket");
	setsockopt(lab->send_fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
}

void sl_netlab_sink(struct sl_netlab *lab, enum sl_netlab_sink which)
{
	ns_peer_call(peer_sink, &(struct peer){ .lab = lab, .dev = "wb", .sink = which });
}

void sl_netlab_sink_back(struct sl_netlab *lab, enum sl_netlab_sink which)
{
	ns_peer_call(peer_sink, &(struct peer){ .lab = lab, .dev = "vb", .sink = which });
}

/* Of a refused program, the verifier's log. */
__attribute__((format(printf, 1, 0))) static void hear(const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		return;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		sl_tap_note("%s", line);
	free(text);
}

void sl_netlab_dataplane(struct sl_netlab *lab)
{
	struct sl_dp_options opt = { .pin_dir = SL_NETLAB_PINS, .key = KEY, .trace = hear };
	struct sl_err err = {};
	struct sl_dp *dp;

	if (sl_dp_open(&opt, &dp, &err))
		sl_tap_bail("open the data plane", "%s", err.detail);
	sl_rig_use(&lab->rig, dp);
}

static void make_sink(struct sl_netlab *lab)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = 0);

	lab->sink_map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "sl_sink", 4, 8 * SINK_WORDS, 1, &opts);
	must(lab->sink_map >= 0, "the sink's map");
	lab->sink_program[SL_SINK_FAST] = sink_program(lab->sink_map, 1);
	lab->sink_program[SL_SINK_SLOW] = sink_program(lab->sink_map, SLOW_CALLS);
	must(lab->sink_program[SL_SINK_FAST] >= 0 && lab->sink_program[SL_SINK_SLOW] >= 0,
	     "the sink's programs");
	sl_netlab_sink(lab, SL_SINK_FAST);
}

void sl_netlab_open(struct sl_netlab *lab)
{
	struct sl_err err = {};

	*lab = (struct sl_netlab){};
	must(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		     !mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL),
	     "a bpffs of its own");
	ns_pair_enter();
	lab->in_ifindex = if_nametoindex("va");
	lab->out_ifindex = if_nametoindex("wa");
	make_sink(lab);
	ns_peer_call(peer_socket, &(struct peer){ .lab = lab });
	sl_netlab_dataplane(lab);
	if (lab->rig.dp->ops->attach(lab->rig.dp, "va", SL_MODE_NATIVE, &err) ||
	    lab->rig.dp->ops->port_set(lab->rig.dp, SL_NETLAB_PORT, lab->out_ifindex, &err))
		sl_tap_bail("attach", "%s", err.detail);
}

void sl_netlab_close(struct sl_netlab *lab)
{
	lab->rig.dp->ops->unload(lab->rig.dp, NULL);
	sl_rig_close(&lab->rig);
	close(lab->send_fd);
	close(lab->sink_program[SL_SINK_FAST]);
	close(lab->sink_program[SL_SINK_SLOW]);
	close(lab->sink_map);
}

uint64_t sl_netlab_got(const struct sl_netlab *lab, unsigned backend)
{
	uint64_t words[SINK_WORDS];
	__u32 first = 0;

	must(!bpf_map_lookup_elem(lab->sink_map, &first, words), "the sink's counters");
	return words[backend & (SINK_WORDS - 1)];
}

uint64_t sl_netlab_sent(const struct sl_netlab *lab, unsigned backend)
{
	const struct sl_dp_mem *m = lab->rig.mem;
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < m->info->cpus; cpu++)
		sum += m->cnt_backend[(size_t)cpu * SL_BACKENDS_MAX + backend].packets;
	return sum;
}

bool sl_netlab_send(struct sl_netlab *lab, const void *frame, uint32_t len)
{
	return send(lab->send_fd, frame, len, 0) == (ssize_t)len;
}

void sl_netlab_calm(const struct sl_netlab *lab)
{
	uint64_t before = ~0ull, now = 0;

	while (now != before) {
		before = now;
		now = 0;
		usleep(100000);
		for (unsigned i = 1; i < SINK_WORDS; i++)
			now += sl_netlab_got(lab, i) + sl_netlab_sent(lab, i);
	}
}

bool sl_netlab_link(const char *pin, uint32_t *ret_id, uint32_t *ret_program)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	char path[128];
	int fd, r;

	snprintf(path, sizeof(path), SL_NETLAB_PINS "/%s", pin);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return false;
	r = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	*ret_id = info.id;
	*ret_program = info.prog_id;
	return !r;
}
