/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/netns/rig_report.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/netns/rig_options.h"

struct rig_peer rig_peers[RIG_PEERS_MAX];
struct rig_counts rig_counts;
static int n_peers;

int rig_peer_find(const char *name, size_t len)
{
	int i;

	if (len >= RIG_NAME_LEN)
		len = RIG_NAME_LEN - 1;
	for (i = 0; i < n_peers; i++)
		if (strlen(rig_peers[i].name) == len && !memcmp(rig_peers[i].name, name, len))
			return i;
	if (n_peers == RIG_PEERS_MAX)
		return RIG_PEERS_MAX - 1;
	memcpy(rig_peers[n_peers].name, name, len);
	return n_peers++;
}

void rig_report_progress(int64_t now_ms, bool last)
{
	static int64_t next;

	if (now_ms < next && !last)
		return;
	next = now_ms + 1000;
	fprintf(stderr,
		"rig: %llu/%u held, %llu requests, %llu new, %llu broken, %llu failed, %llu gone\n",
		(unsigned long long)rig_counts.held_up, rig_opt.hold,
		(unsigned long long)rig_counts.requests, (unsigned long long)rig_counts.new_ok,
		(unsigned long long)rig_counts.broken, (unsigned long long)rig_counts.failed,
		(unsigned long long)rig_counts.gone);
}

void rig_report_ready(void)
{
	int fd;

	fprintf(stderr, "rig: ready\n");
	if (!rig_opt.ready_file)
		return;
	fd = open(rig_opt.ready_file, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
}

void rig_report_json(void)
{
	int i;

	printf("{\"held\":%u,\"held_at_end\":%llu,\"new\":%llu,\"broken\":%llu,\"failed\":%llu,"
	       "\"gone\":%llu,\"requests\":%llu,\"max_ms\":%lld,\"backends\":{",
	       rig_opt.hold, (unsigned long long)rig_counts.held_up,
	       (unsigned long long)rig_counts.new_begun, (unsigned long long)rig_counts.broken,
	       (unsigned long long)rig_counts.failed, (unsigned long long)rig_counts.gone,
	       (unsigned long long)rig_counts.requests, (long long)rig_counts.max_ms);
	for (i = 0; i < n_peers; i++)
		printf("%s\"%s\":{\"held\":%llu,\"lost\":%llu,\"new\":%llu,\"answers\":%llu}",
		       i ? "," : "", rig_peers[i].name, (unsigned long long)rig_peers[i].held,
		       (unsigned long long)rig_peers[i].lost,
		       (unsigned long long)rig_peers[i].fresh,
		       (unsigned long long)rig_peers[i].answers);
	printf("}}\n");
}

void rig_report_text(FILE *f)
{
	int i;

	for (i = 0; i < n_peers; i++)
		fprintf(f, "rig: %s: held %llu, lost %llu, new %llu, answers %llu\n",
			rig_peers[i].name, (unsigned long long)rig_peers[i].held,
			(unsigned long long)rig_peers[i].lost,
			(unsigned long long)rig_peers[i].fresh,
			(unsigned long long)rig_peers[i].answers);
	fprintf(f, "rig: held %u, new %llu, broken %llu, failed %llu, gone %llu\n", rig_opt.hold,
		(unsigned long long)rig_counts.new_begun, (unsigned long long)rig_counts.broken,
		(unsigned long long)rig_counts.failed, (unsigned long long)rig_counts.gone);
}
