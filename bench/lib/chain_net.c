/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/lib/chain_net.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NETNS_DIR "/run/netns" /* ip(8)'s */
#define PREFIX	  "sluice-bench-"

static const char *const place_name[SL_CHAIN_PLACES] = { "gen", "lb", "sink" };

static __attribute__((format(printf, 1, 2))) int shell(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	r = system(line);
	if (r)
		fprintf(stderr, "bench: failed: %s\n", line);
	return r ? -1 : 0;
}

int sl_chain_net_enter(const struct sl_chain_net *net, enum sl_chain_place place)
{
	if (!setns(net->ns[place], CLONE_NEWNET))
		return 0;
	fprintf(stderr, "bench: entering a network namespace: %s\n", strerror(errno));
	return -1;
}

/* Before there are interfaces: neighbour discovery would be counted as frames. */
static void without_ipv6(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (fd < 0) /* a kernel without it */
		return;
	if (write(fd, "1", 1) != 1)
		fprintf(stderr, "bench: cannot switch IPv6 off: stray frames will void the run\n");
	close(fd);
}

static int make_place(struct sl_chain_net *net, pid_t owner, enum sl_chain_place place)
{
	char path[128];

	if (shell("ip netns add " PREFIX "%d-%s", (int)owner, place_name[place]))
		return -1;
	snprintf(path, sizeof(path), NETNS_DIR "/" PREFIX "%d-%s", (int)owner, place_name[place]);
	net->ns[place] = open(path, O_RDONLY | O_CLOEXEC);
	if (net->ns[place] < 0) {
		fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
		return -1;
	}
	if (sl_chain_net_enter(net, place))
		return -1;
	without_ipv6();
	return 0;
}

/* From where we are to @place, both ends up. */
static int make_pair(pid_t owner, const char *here, const char *there, enum sl_chain_place place)
{
	const char *queues = "numrxqueues 1 numtxqueues 1";

	return shell("ip link add %s %s type veth peer name %s %s netns " PREFIX "%d-%s && "
		     "ip link set %s up && ip -n " PREFIX "%d-%s link set %s up",
		     here, queues, there, queues, (int)owner, place_name[place], here, (int)owner,
		     place_name[place], there);
}

static unsigned index_of(const struct sl_chain_net *net, enum sl_chain_place place,
			 const char *name)
{
	return sl_chain_net_enter(net, place) ? 0 : if_nametoindex(name);
}

int sl_chain_net_make(struct sl_chain_net *net, pid_t owner)
{
	for (int place = 0; place < SL_CHAIN_PLACES; place++)
		if (make_place(net, owner, place))
			return -1;
	if (sl_chain_net_enter(net, SL_CHAIN_GEN) || make_pair(owner, "a0", "a1", SL_CHAIN_LB) ||
	    sl_chain_net_enter(net, SL_CHAIN_LB) || make_pair(owner, "b0", "b1", SL_CHAIN_SINK))
		return -1;
	net->b1 = index_of(net, SL_CHAIN_SINK, "b1");
	net->a1 = index_of(net, SL_CHAIN_LB, "a1");
	net->b0 = index_of(net, SL_CHAIN_LB, "b0");
	net->a0 = index_of(net, SL_CHAIN_GEN, "a0");
	if (net->a0 && net->a1 && net->b0 && net->b1)
		return 0;
	fprintf(stderr, "bench: an interface is not where it was made\n");
	return -1;
}

/* The owner in a namespace's name, 0 if it is not of ours. */
static pid_t owner_of(const char *name)
{
	char same[128];
	pid_t owner;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return 0;
	owner = (pid_t)strtoul(name + strlen(PREFIX), NULL, 10);
	for (int place = 0; owner > 0 && place < SL_CHAIN_PLACES; place++) {
		snprintf(same, sizeof(same), PREFIX "%d-%s", (int)owner, place_name[place]);
		if (!strcmp(name, same))
			return owner;
	}
	return 0;
}

void sl_chain_net_remove(pid_t owner)
{
	DIR *d = opendir(NETNS_DIR);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		pid_t of = owner_of(e->d_name);

		if (of && (of == owner || (kill(of, 0) && errno == ESRCH)))
			(void)shell("ip netns del %s", e->d_name);
	}
	if (d)
		closedir(d);
}
