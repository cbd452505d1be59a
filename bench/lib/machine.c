/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/lib/machine.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

/* First line of a file of /proc or /sys; "?" when there is none. */
static void first_line(const char *path, char ret[128])
{
	FILE *f = fopen(path, "r");

	snprintf(ret, 128, "?");
	if (f && fgets(ret, 128, f))
		ret[strcspn(ret, "\n")] = '\0';
	if (f)
		fclose(f);
}

static void cpu_model(char ret[128])
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256];

	snprintf(ret, 128, "?");
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) || !colon)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(ret, 128, "%.127s", colon + 2);
		break;
	}
	if (f)
		fclose(f);
}

static char *add(struct sl_machine *m, const char *name)
{
	struct sl_machine_fact *f = &m->fact[m->n++];

	f->name = name;
	return f->text;
}

void sl_machine_read(struct sl_machine *ret)
{
	static const struct {
		const char *name, *path;
	} file[] = {
		{ "bpf_jit_enable", "/proc/sys/net/core/bpf_jit_enable" },
		{ "bpf_jit_harden", "/proc/sys/net/core/bpf_jit_harden" },
		{ "bpf_stats_enabled", "/proc/sys/kernel/bpf_stats_enabled" },
		{ "spec_rstack_overflow",
		  "/sys/devices/system/cpu/vulnerabilities/spec_rstack_overflow" },
		{ "spectre_v2", "/sys/devices/system/cpu/vulnerabilities/spectre_v2" },
		{ "retbleed", "/sys/devices/system/cpu/vulnerabilities/retbleed" },
		{ "indirect_target_selection",
		  "/sys/devices/system/cpu/vulnerabilities/indirect_target_selection" },
		{ "clocksource",
		  "/sys/devices/system/clocksource/clocksource0/current_clocksource" },
		{ "loadavg", "/proc/loadavg" },
	};
	struct utsname u = {};

	*ret = (struct sl_machine){};
	uname(&u);
	snprintf(add(ret, "kernel"), 128, "%.60s %.60s", u.release, u.machine);
	cpu_model(add(ret, "cpu"));
	snprintf(add(ret, "cpus"), 128, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	for (unsigned i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
		char *text = add(ret, file[i].name);

		first_line(file[i].path, text);
		if (!strcmp(file[i].name, "bpf_jit_enable") && text[0] == '0')
			ret->unfit = "net.core.bpf_jit_enable is 0: the interpreter was measured";
		if (!strcmp(file[i].name, "bpf_jit_harden") && text[0] == '2')
			ret->unfit = "net.core.bpf_jit_harden is 2: constants are blinded";
		if (!strcmp(file[i].name, "bpf_stats_enabled") && text[0] == '1')
			ret->unfit = "kernel.bpf_stats_enabled is 1: two clock reads per packet";
	}
}

int sl_machine_pin(struct sl_machine *m)
{
	struct sched_param first = { .sched_priority = 1 };
	cpu_set_t set;
	int last = -1;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -1;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			last = i;
	CPU_ZERO(&set);
	CPU_SET(last, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return -1;
	snprintf(add(m, "pinned"), 128, "CPU %d, %s", last,
		 sched_setscheduler(0, SCHED_FIFO, &first) ? "like any other task" : "SCHED_FIFO");
	return last;
}

static uint64_t steal_ticks(void)
{
	unsigned long long steal = 0;
	FILE *f = fopen("/proc/stat", "r");

	if (f && fscanf(f, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &steal) != 1)
		steal = 0;
	if (f)
		fclose(f);
	return steal;
}

uint64_t sl_machine_disturbances(void)
{
	struct rusage u = {};

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)u.ru_nivcsw + steal_ticks();
}
