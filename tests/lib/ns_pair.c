/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/ns_pair.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int here_fd = -1, peer_fd = -1;

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

__attribute__((format(printf, 1, 0))) static int run(const char *fmt, va_list args)
{
	char line[4096];
	int n = vsnprintf(line, sizeof(line), fmt, args);

	must(n > 0 && (size_t)n < sizeof(line), "command line too long");
	return system(line);
}

void ns_here(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	must(run(fmt, args) == 0, fmt);
	va_end(args);
}

void ns_peer(const char *fmt, ...)
{
	va_list args;

	must(setns(peer_fd, CLONE_NEWNET) == 0, "setns peer");
	va_start(args, fmt);
	must(run(fmt, args) == 0, fmt);
	va_end(args);
	must(setns(here_fd, CLONE_NEWNET) == 0, "setns here");
}

void ns_peer_call(void (*fn)(void *user), void *user)
{
	must(setns(peer_fd, CLONE_NEWNET) == 0, "setns peer");
	fn(user);
	must(setns(here_fd, CLONE_NEWNET) == 0, "setns here");
}

bool ns_holds(const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = run(fmt, args);
	va_end(args);
	return r == 0;
}

static int fresh(void)
{
	int fd;

	must(unshare(CLONE_NEWNET) == 0, "unshare");
	/* Addresses are usable at once: no duplicate address detection. */
	ns_here("echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad;"
		"echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad;"
		"ip link set lo up");
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	must(fd >= 0, "/proc/self/ns/net");
	return fd;
}

void ns_pair_enter(void)
{
	peer_fd = fresh();
	here_fd = fresh();
	ns_here("set -e; for l in v w; do"
		"  ip link add name ${l}a type veth peer name ${l}b;"
		"  ip link set ${l}b netns /proc/%d/fd/%d; done;"
		"ip link set va address 02:00:00:00:01:01; ip link set wa address "
		"02:00:00:00:02:01;"
		"ip addr add 10.1.0.1/24 dev va; ip addr add 10.2.0.1/24 dev wa;"
		"ip addr add 2001:db8:1::1/64 dev va; ip link set va up; ip link set wa up",
		(int)getpid(), peer_fd);
	ns_peer("set -e; ip link set vb address 02:00:00:00:01:02;"
		"ip link set wb address 02:00:00:00:02:02;"
		"ip addr add 10.1.0.2/24 dev vb; ip addr add 10.2.0.2/24 dev wb;"
		"ip addr add 2001:db8:1::2/64 dev vb; ip link set vb up; ip link set wb up");
}
