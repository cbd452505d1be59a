/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_jumbo: frames larger than a page, which the kernel keeps in several
 * buffers. The program is attached where such frames are, and what is not ours
 * passes as it came, in test runs and on a cable.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/ns_pair.h"
#include "tests/prog/netlab.h"
#include "tests/prog/tap.h"

#define MTU 9000u

static struct sl_netlab lab;

static void ip_checksum(uint8_t *ip)
{
	uint32_t sum = 0;

	ip[10] = ip[11] = 0;
	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

/* A datagram of @bytes, network header included, to a port that is nobody's. */
static uint32_t build(uint8_t *frame, const char *to, uint16_t bytes)
{
	struct sl_packet_spec spec = { .from = "10.1.0.2",
				       .to = to,
				       .sport = 4000,
				       .dport = 9,
				       .proto = IPPROTO_UDP,
				       .payload = 8 };
	uint16_t total_be = htons(bytes), udp_be = htons((uint16_t)(bytes - 20));
	struct sl_packet p;

	if (sl_packet_build(&spec, &p))
		sl_tap_bail("build a packet", "%s", to);
	memcpy(frame, p.byte, p.len);
	memcpy(frame + p.l3 + 2, &total_be, 2);
	memcpy(frame + p.l4 + 4, &udp_be, 2);
	memset(frame + p.l4 + 6, 0, 2); /* no checksum */
	ip_checksum(frame + p.l3);
	for (uint32_t i = p.l4 + 8; i < p.l3 + bytes; i++)
		frame[i] = (uint8_t)(i * 7 + (i >> 8));
	return p.l3 + bytes;
}

static void passes_untouched(struct sl_rig *r, uint16_t bytes)
{
	static uint8_t in[SL_RIG_JUMBO], out[SL_RIG_JUMBO];
	struct sl_rig_want want = { .reason = SL_R_NO_SERVICE };
	uint32_t len = build(in, "192.0.2.1", bytes), got = 0;
	const char *differs;
	char what[80];
	int verdict;

	sl_rig_mark(r);
	verdict = sl_rig_run_jumbo(r, in, len, out, &got);
	differs = sl_rig_counted(r, &want);
	snprintf(what, sizeof(what), "a frame of %u bytes that is not ours passes untouched", len);
	sl_tap(verdict == XDP_PASS && got == len && !memcmp(in, out, len) && !differs, what,
	       "verdict %d, %u bytes, %s", verdict, got, differs ? differs : "counted");
}

/* A program that was not loaded for several buffers: what veth says to that. */
static int attach_small(void)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "small", "GPL", pass, 2, NULL), e;

	e = bpf_xdp_attach((int)if_nametoindex("xa"), fd, XDP_FLAGS_DRV_MODE, NULL);
	close(fd);
	return e;
}

static void attaches(void)
{
	struct sl_dp *dp = lab.rig.dp;
	struct sl_err err = {};
	int e;

	ns_here("ip link add xa mtu %u type veth peer name xb mtu %u && ip link set xa up && "
		"ip link set xb up",
		MTU, MTU);
	e = attach_small();
	sl_tap(e == -ERANGE, "control: a program for one buffer is refused with MTU 9000", "%d", e);
	e = dp->ops->attach(dp, "xa", SL_MODE_NATIVE, &err);
	sl_tap(!e && dp->ops->attached(dp, "xa") == if_nametoindex("xa"),
	       "ours is attached with MTU 9000", "%d: %s", e, err.detail);
}

static uint64_t counted(enum sl_reason why)
{
	uint64_t n = 0;

	for (uint32_t cpu = 0; cpu < lab.rig.mem->info->cpus; cpu++)
		n += lab.rig.mem->cnt_reason[cpu].packets[why];
	return n;
}

static int listener(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 8 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		sl_tap_bail("listen", "%s", strerror(errno));
	return fd;
}

static unsigned whole(int fd, const uint8_t *payload, size_t len)
{
	static uint8_t got[SL_RIG_JUMBO];
	unsigned n = 0;
	ssize_t r;

	while ((r = recv(fd, got, sizeof(got), MSG_DONTWAIT)) >= 0)
		n += (size_t)r == len && !memcmp(got, payload, len);
	return n;
}

/* From the peer, through the program, to this host's own stack. */
static void on_a_cable(void)
{
	static uint8_t frame[SL_RIG_JUMBO];
	uint64_t before = counted(SL_R_NO_SERVICE);
	uint32_t len = build(frame, "10.1.0.1", MTU);
	int fd = listener();
	unsigned n;

	ns_here("ip link set va mtu %u", MTU);
	ns_peer("ip link set vb mtu %u", MTU);
	memcpy(frame, "\x02\0\0\0\x01\x01\x02\0\0\0\x01\x02", 12); /* va, vb */
	for (unsigned i = 0; i < 20; i++)
		if (!sl_netlab_send(&lab, frame, len))
			sl_tap_bail("send a large frame", "%s", strerror(errno));
	sl_netlab_calm(&lab);
	sl_tap(counted(SL_R_NO_SERVICE) - before >= 20, "20 of 9,000 bytes on a cable are seen",
	       "%llu", (unsigned long long)(counted(SL_R_NO_SERVICE) - before));
	n = whole(fd, frame + 42, len - 42);
	sl_tap(n == 20, "and reach the host whole", "%u did", n);
	close(fd);
}

int main(void)
{
	static const uint16_t bytes[] = { 1500, 3500, 4500, 9000, 16000 };
	struct sl_rig rig;

	sl_rig_open(&rig);
	for (unsigned i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		passes_untouched(&rig, bytes[i]);
	sl_rig_close(&rig);
	sl_netlab_open(&lab);
	attaches();
	on_a_cable();
	sl_netlab_close(&lab);
	return sl_tap_done();
}
