/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracle/subject.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/host.h"
#include "tests/prog/tap.h"

#define LO 1u

/*
 * Every other packet is traced and captured, which must change nothing but what
 * WALK.md leaves open: so all programs trace the same ones. Nobody reads the ring.
 */
static void trace(const struct sl_subject *s)
{
	struct sl_trace *t = s->mem->trace;

	t->until = s->traced ? UINT64_MAX : 0;
	t->kinds = SL_EV_ALL;
	t->capture = 1;
	t->capture_snap = SL_SNAP_MAX;
	t->capture_left = INT64_MAX;
}

static int test_run(int fd, const uint8_t *frame, uint32_t len, uint32_t first, uint32_t ingress,
		    struct sl_subject_out *ret)
{
	struct xdp_md ctx = { .data_end = first, .ingress_ifindex = ingress };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = len,
		    .data_out = ret->byte, .data_size_out = sizeof(ret->byte), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = 1);
	int e = bpf_prog_test_run_opts(fd, &opts);

	ret->verdict = (int)opts.retval;
	ret->len = opts.data_size_out;
	ret->port_seen = false;
	return e;
}

static void run_kernel(const struct sl_subject *s, const uint8_t *frame, uint32_t len,
		       uint32_t first, uint32_t ingress, uint64_t jiffies,
		       struct sl_subject_out *ret)
{
	int e;

	trace(s);
	e = test_run(s->fd, frame, len, first, ingress, ret);
	(void)jiffies; /* the kernel has a clock */
	if (e < 0)
		sl_tap_bail("run one packet", "BPF_PROG_TEST_RUN of %u bytes: %s", len,
			    strerror(-e));
}

/* Whether this kernel makes frames of two buffers (since 6.18). */
static bool can_split(int fd)
{
	static const uint8_t frame[64];
	struct sl_subject_out out;

	return !test_run(fd, frame, sizeof(frame), 32, LO, &out);
}

static void run_host(const struct sl_subject *s, const uint8_t *frame, uint32_t len, uint32_t first,
		     uint32_t ingress, uint64_t jiffies, struct sl_subject_out *ret)
{
	struct sl_host host = { .mem = s->mem,
				.jiffies = jiffies,
				.cpu = s->row,
				.egress = s->egress,
				.prefixes = s->prefixes,
				.n_prefixes = s->n_prefixes };
	uint8_t *block = malloc(SL_HOST_HEADROOM + len); /* so that a byte too far is seen */
	unsigned at = SL_HOST_HEADROOM, n = len;

	(void)first; /* one buffer */
	if (!block)
		sl_tap_bail("run one packet", "no memory");
	memset(block, 0xa5, SL_HOST_HEADROOM);
	memcpy(block + at, frame, len);
	trace(s);
	ret->port = 0;
	ret->verdict = sl_host_walk(block, &at, &n, ingress, &host, &ret->port);
	ret->len = n;
	ret->port_seen = true;
	memcpy(ret->byte, block + at, n < sizeof(ret->byte) ? n : sizeof(ret->byte));
	free(block);
}

static unsigned pin(void)
{
	cpu_set_t set;
	unsigned cpu = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		sl_tap_bail("pin to one CPU", "%s", strerror(errno));
	while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &set))
		cpu++;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		sl_tap_bail("pin to one CPU", "%s", strerror(errno));
	return cpu;
}

void sl_subject_kernel(struct sl_subject *ret, uint64_t seed, struct sl_setup_options *ret_opt)
{
	struct sl_dp_options opt = { .key = { seed * 0x9e3779b97f4a7c15ull + 1, ~seed } };
	struct sl_err err = {};

	/* It vanishes with the process. */
	if (unshare(CLONE_NEWNET))
		sl_tap_bail("make a network namespace", "%s", strerror(errno));
	if (system("ip link set lo up && ip link add slf0 type veth peer name slf1"))
		sl_tap_bail("make an interface", "ip link failed");
	*ret = (struct sl_subject){ .name = "kernel", .run = run_kernel };
	if (sl_dp_open(&opt, &ret->dp, &err))
		sl_tap_bail("load the program", "%s", err.detail);
	ret->mem = &ret->dp->mem;
	if (ret->dp->ops->specialise(ret->dp, SL_FEAT_ALL, &err))
		sl_tap_bail("load the program with all features", "%s", err.detail);
	ret->fd = sl_dp_program_fd(ret->dp);
	ret->row = pin() & (ret->mem->info->cpus - 1);
	*ret_opt = (struct sl_setup_options){ .ifindex = { LO, if_nametoindex("slf0") } };
	ret_opt->buffers = can_split(ret->fd);
	ret_opt->absent = ret_opt->ifindex[1] + 100;
	for (unsigned i = 0; i < 2; i++)
		if (ret->dp->ops->port_set(ret->dp, (uint16_t)(i + 1), ret_opt->ifindex[i], &err))
			sl_tap_bail("set a devmap port", "%s", err.detail);
}

bool sl_subject_host(struct sl_subject *ret, const struct sl_subject *kernel,
		     const uint32_t *egress)
{
	if (!sl_host_walk)
		return false;
	*ret = (struct sl_subject){ .name = "host",
				    .run = run_host,
				    .row = kernel->row,
				    .egress = egress,
				    .one_buffer = true };
	sl_world_alloc(&ret->own, kernel->mem);
	ret->mem = &ret->own;
	return true;
}

void sl_subject_close(struct sl_subject *s)
{
	if (s->dp)
		s->dp->ops->close(s->dp);
	else
		sl_world_free(&s->own);
}

void sl_subject_list(struct sl_subject *s, const struct sl_guard_prefix *list, unsigned n)
{
	struct sl_err err = {};

	s->prefixes = list;
	s->n_prefixes = n;
	if (s->dp && s->dp->ops->prefixes(s->dp, list, n, true, &err))
		sl_tap_bail("list prefixes", "%s", err.detail);
}

uint64_t sl_subject_jiffies(const struct sl_subject *kernel)
{
	uint64_t jiffies;

	if (kernel->dp->ops->jiffies(kernel->dp, &jiffies))
		sl_tap_bail("read the clock", "the clock program does not run");
	return jiffies;
}

const char *sl_subject_reason(const struct sl_subject *s, const struct sl_dp_mem *want)
{
	static const char *const label[SL_REASONS_MAX] = {
#define LABEL(sym, num, act, text) [num] = text,
		SL_REASONS(LABEL)
#undef LABEL
	};
	const char *found = "?";
	unsigned n = 0;

	for (unsigned i = 0; i < SL_REASONS_MAX; i++)
		if (s->mem->cnt_reason[s->row].packets[i] != want->cnt_reason[s->row].packets[i]) {
			found = label[i] ? label[i] : "?";
			n++;
		}
	return n > 1 ? "?" : n ? found : "sent";
}

int sl_subject_action(enum sl_oracle_verdict v)
{
	static const int action[] = { [SL_ORACLE_PASS] = XDP_PASS,
				      [SL_ORACLE_DROP] = XDP_DROP,
				      [SL_ORACLE_TX] = XDP_TX,
				      [SL_ORACLE_REDIRECT] = XDP_REDIRECT };

	return action[v];
}

/* -1: the same; else where they differ first, the length where all of the shorter is the same. */
static int64_t differs_at(const struct sl_subject_out *is, const uint8_t *want, uint32_t len)
{
	for (uint32_t i = 0; i < len && i < is->len; i++)
		if (is->byte[i] != want[i])
			return i;
	return is->len == len ? -1 : (int64_t)(is->len < len ? is->len : len);
}

bool sl_subject_check(const struct sl_subject_out *is, const struct sl_oracle_out *out,
		      const uint8_t *frame, uint32_t came, char ret_text[SL_WORLD_TEXT])
{
	bool sent = out->verdict > SL_ORACLE_DROP;
	const uint8_t *want = sent ? out->byte : frame;
	uint32_t len = sent ? out->len : came;
	int64_t at;

	if (is->verdict != sl_subject_action(out->verdict)) {
		snprintf(ret_text, SL_WORLD_TEXT, "action is %d, should be %d", is->verdict,
			 sl_subject_action(out->verdict));
		return false;
	}
	if (out->verdict == SL_ORACLE_REDIRECT && is->port_seen && is->port != out->port) {
		snprintf(ret_text, SL_WORLD_TEXT, "port is %u, should be %u", is->port, out->port);
		return false;
	}
	at = differs_at(is, want, len);
	if (at >= 0 && out->may_be_written) /* untouched, or complete */
		at = differs_at(is, out->byte, out->len);
	if (at < 0)
		return true;
	if (at < is->len && at < len)
		snprintf(ret_text, SL_WORLD_TEXT, "byte %u is %#x, should be %#x", (unsigned)at,
			 is->byte[at], want[at]);
	else
		snprintf(ret_text, SL_WORLD_TEXT, "length is %u, should be %u", is->len, len);
	return false;
}
