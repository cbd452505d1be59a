/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/netns/rig_options.h"

#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "tests/netns/rig_report.h"

struct rig_options rig_opt = {
	.interval_ms = 1000, .stall_ms = 15000, .new_ms = 5000, .duration_ms = 10000, .path = "/"
};

void rig_die(const char *what, const char *value)
{
	fprintf(stderr, "rig: %s: %s\n", what, value);
	exit(2);
}

static uint32_t number(const char *what, const char *text, uint32_t max)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*end || end == text || v > max)
		rig_die(what, text);
	return (uint32_t)v;
}

static socklen_t address(const char *host, const char *port, struct sockaddr_storage *ret)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *ai;
	socklen_t len;

	if (getaddrinfo(host, port, &hints, &ai))
		rig_die("not an address", host);
	len = ai->ai_addrlen;
	memcpy(ret, ai->ai_addr, len);
	freeaddrinfo(ai);
	return len;
}

/* "10.0.0.1:80" or "[fd00::1]:80". */
static void parse_target(char *text)
{
	char *port = strrchr(text, ':'), *host = text;

	if (!port)
		rig_die("--target needs ADDRESS:PORT", text);
	*port++ = 0;
	if (*host == '[') {
		host++;
		host[strcspn(host, "]")] = 0;
	}
	rig_opt.target_len = address(host, port, &rig_opt.target);
}

static void parse_list(char *text, bool sources)
{
	char *save, *word;

	for (word = strtok_r(text, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (!sources)
			rig_peers[rig_peer_find(word, strlen(word))].may_go = true;
		else if (rig_opt.n_sources < RIG_SOURCES_MAX)
			address(word, "0", &rig_opt.sources[rig_opt.n_sources++]);
	}
}

static const char usage[] =
	"rig --target ADDRESS:PORT [--hold N] [--rate N] [--new-max N] [--duration S]\n"
	"    [--interval MS] [--stall S] [--sources LIST] [--expect-gone LIST] [--path PATH]\n"
	"    [--ready FILE] [--log FILE] [--json]\n"
	"--hold      connections to keep, each asking every --interval (1000)\n"
	"--rate      new connections per second, until --new-max or the end\n"
	"--duration  counted from when all are held (10); SIGTERM ends it earlier\n"
	"--stall     a held connection without progress for so long is broken (15)\n"
	"--log       a line per ended connection: begin ms, end ms, kind, result, backend, why\n"
	"exit status: 0, 1 broken or failed, 2 usage\n";

enum {
	OPT_TARGET,
	OPT_HOLD,
	OPT_RATE,
	OPT_NEW_MAX,
	OPT_DURATION,
	OPT_INTERVAL,
	OPT_STALL,
	OPT_SOURCES,
	OPT_GONE,
	OPT_PATH,
	OPT_READY,
	OPT_LOG,
	OPT_JSON
};

static const struct option longs[] = {
	{ "target", 1, NULL, OPT_TARGET },     { "hold", 1, NULL, OPT_HOLD },
	{ "rate", 1, NULL, OPT_RATE },	       { "new-max", 1, NULL, OPT_NEW_MAX },
	{ "duration", 1, NULL, OPT_DURATION }, { "interval", 1, NULL, OPT_INTERVAL },
	{ "stall", 1, NULL, OPT_STALL },       { "sources", 1, NULL, OPT_SOURCES },
	{ "expect-gone", 1, NULL, OPT_GONE },  { "path", 1, NULL, OPT_PATH },
	{ "ready", 1, NULL, OPT_READY },       { "log", 1, NULL, OPT_LOG },
	{ "json", 0, NULL, OPT_JSON },	       { NULL, 0, NULL, 0 },
};

/* Whether @o is an option with a number; then it is taken. */
static bool take_number(int o, const char *text)
{
	switch (o) {
	case OPT_HOLD:
		rig_opt.hold = number("--hold", text, 200000);
		return true;
	case OPT_RATE:
		rig_opt.rate = number("--rate", text, 20000);
		return true;
	case OPT_NEW_MAX:
		rig_opt.new_max = number("--new-max", text, 10000000);
		return true;
	case OPT_DURATION:
		rig_opt.duration_ms = 1000ll * number("--duration", text, 86400);
		return true;
	case OPT_INTERVAL:
		rig_opt.interval_ms = number("--interval", text, 3600000);
		return true;
	case OPT_STALL:
		rig_opt.stall_ms = 1000ll * number("--stall", text, 3600);
		return true;
	default:
		return false;
	}
}

/* Whether @o is one of the other options; then it is taken. */
static bool take_text(int o, char *text)
{
	switch (o) {
	case OPT_TARGET:
		parse_target(text);
		return true;
	case OPT_SOURCES:
		parse_list(text, true);
		return true;
	case OPT_GONE:
		parse_list(text, false);
		return true;
	case OPT_PATH:
		rig_opt.path = text;
		return true;
	case OPT_READY:
		rig_opt.ready_file = text;
		return true;
	case OPT_JSON:
		rig_opt.json = true;
		return true;
	case OPT_LOG:
		rig_opt.log = fopen(text, "we");
		if (!rig_opt.log)
			rig_die("--log", strerror(errno));
		return true;
	default:
		return false;
	}
}

static void misused(void)
{
	fputs(usage, stderr);
	exit(2);
}

void rig_options_parse(int argc, char **argv)
{
	unsigned i;
	int o;

	while ((o = getopt_long(argc, argv, "", longs, NULL)) >= 0)
		if (!take_number(o, optarg) && !take_text(o, optarg))
			misused();
	if (!rig_opt.target_len || optind != argc || strlen(rig_opt.path) > 256)
		misused();
	for (i = 0; i < rig_opt.n_sources; i++)
		if (rig_opt.sources[i].ss_family != rig_opt.target.ss_family)
			rig_die("--sources", "not of the target's family");
}
