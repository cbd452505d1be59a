/* SPDX-License-Identifier: BSD-2-Clause */
/* sluiced: the agent. Options, signals and wiring only. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "api/server.h"
#include "lb_user/base/log.h"
#include "lb_user/dp/dp.h"
#include "lb_user/svc/control.h"

enum { EXIT_USAGE = 2 };

struct options {
	struct sl_dp_options dp;
	struct sl_control_options control;
	struct sl_server_options server;
	const char *key_file;
	bool detach, check;
};

static const char usage[] =
	"usage: sluiced [options]\n"
	"  The agent of Sluice, an XDP layer-4 load balancer. Runs in the foreground.\n"
	"  Stopping it, however, leaves the data plane forwarding; the next one adopts it.\n"
	"\n"
	"  --config FILE      read when there is no state file yet (default: none)\n"
	"  --state FILE       declared state, rewritten with every change\n"
	"                     (default /var/lib/sluice/state.json)\n"
	"  --key-file FILE    secret of the flow hash, made when missing; the same on every\n"
	"                     balancer of a fleet (default: key, beside the state file)\n"
	"  --socket PATH      the API's Unix socket (default /run/sluice/api.sock)\n"
	"  --listen ADDR:PORT the API on loopback TCP as well (default: off)\n"
	"  --pin-dir DIR      folder on a bpf file system (default /sys/fs/bpf/sluice)\n"
	"  --log-level LEVEL  error, warn, info or debug (default info)\n"
	"  --check            load the program into the kernel, attach nothing, say how it went\n"
	"  --detach           take the data plane off all interfaces, remove its pins, and exit\n"
	"  --version, --help\n"
	"\n"
	"  Exit status: 0 stopped by SIGTERM or SIGINT, 1 failure (the message says why), 2 "
	"usage.\n";

/* Two words of hex in a file of mode 0600; made at the first start. */
static int key_read(const char *path, uint64_t key[2], struct sl_err *err)
{
	char text[64] = {};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (n < 0 || sscanf(text, "%16" SCNx64 "%16" SCNx64, &key[0], &key[1]) != 2)
			return sl_err_set(err, -EINVAL, "validation-failed",
					  "key file %s: expected 32 hexadecimal digits", path);
		return 0;
	}
	if (errno != ENOENT)
		return sl_err_set(err, -errno, "validation-failed", "key file %s: %s", path,
				  strerror(errno));
	if (getrandom(key, 2 * sizeof(key[0]), 0) != 2 * (ssize_t)sizeof(key[0]))
		return sl_err_set(err, -EIO, "dataplane-error", "no random numbers for a key");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return sl_err_set(err, -errno, "validation-failed", "key file %s: %s", path,
				  strerror(errno));
	n = dprintf(fd, "%016" PRIx64 "%016" PRIx64 "\n", key[0], key[1]);
	if (n < 0 || fsync(fd) || close(fd))
		return sl_err_set(err, -EIO, "validation-failed", "key file %s: not written", path);
	return 0;
}

/* The state file's folder is made when missing; the key lies in it unless told otherwise. */
static int prepare_files(struct options *o, struct sl_err *err)
{
	static char folder[PATH_MAX], key_file[PATH_MAX + 8];
	char *slash;

	if (snprintf(folder, sizeof(folder), "%s", o->control.state_file) >= (int)sizeof(folder))
		return sl_err_set(err, -ENAMETOOLONG, "validation-failed",
				  "--state: the name is too long");
	slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = '\0';
		if (mkdir(folder, 0700) && errno != EEXIST)
			return sl_err_set(err, -errno, "validation-failed",
					  "folder %s of the state file: %s", folder,
					  strerror(errno));
	} else {
		snprintf(folder, sizeof(folder), "%s", slash ? "" : ".");
	}
	if (!o->key_file) {
		snprintf(key_file, sizeof(key_file), "%s/key", folder);
		o->key_file = key_file;
	}
	return key_read(o->key_file, o->dp.key, err);
}

static int log_level(const char *word)
{
	static const struct {
		const char *word;
		enum sl_log_level level;
	} levels[] = { { "error", SL_LOG_ERROR },
		       { "warn", SL_LOG_WARN },
		       { "info", SL_LOG_INFO },
		       { "debug", SL_LOG_DEBUG } };

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (!strcmp(word, levels[i].word)) {
			sl_log_level_set(levels[i].level);
			return 0;
		}
	fprintf(stderr, "sluiced: --log-level %s: choose error, warn, info or debug\n", word);
	return -EINVAL;
}

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "state", required_argument, NULL, 's' },
	{ "key-file", required_argument, NULL, 'k' },
	{ "socket", required_argument, NULL, 'u' },
	{ "listen", required_argument, NULL, 'l' },
	{ "pin-dir", required_argument, NULL, 'p' },
	{ "log-level", required_argument, NULL, 'L' },
	{ "check", no_argument, NULL, 'C' },
	{ "detach", no_argument, NULL, 'D' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* Where the option's argument goes; NULL: it has none, or is not kept. */
static const char **option_text(struct options *o, int opt)
{
	switch (opt) {
	case 'c':
		return &o->control.config_file;
	case 's':
		return &o->control.state_file;
	case 'k':
		return &o->key_file;
	case 'u':
		return &o->server.unix_path;
	case 'l':
		return &o->server.tcp_listen;
	case 'p':
		return &o->dp.pin_dir;
	default:
		return NULL;
	}
}

/* Returns 0 to go on, else the exit status plus one. */
static int parse(int argc, char **argv, struct options *o)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		const char **text = option_text(o, opt);

		if (text) {
			*text = optarg;
		} else if (opt == 'C') {
			o->check = true;
		} else if (opt == 'D') {
			o->detach = true;
		} else if (opt == 'V') {
			printf("sluiced %s\n", SL_VERSION);
			return EXIT_SUCCESS + 1;
		} else if (opt == 'h') {
			fputs(usage, stdout);
			return EXIT_SUCCESS + 1;
		} else if (opt != 'L' || log_level(optarg) < 0) {
			fputs("try: sluiced --help\n", stderr);
			return EXIT_USAGE + 1;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "sluiced: unexpected argument %s; try: sluiced --help\n", argv[optind]);
	return EXIT_USAGE + 1;
}

static void on_signal(uv_signal_t *handle, int signum)
{
	sl_info("event=stop signal=%d \"the data plane keeps forwarding\"", signum);
	uv_stop(handle->loop);
}

static void on_detached(void *loop)
{
	uv_stop(loop);
}

static int run(struct options *o, struct sl_dp *dp, struct sl_err *err)
{
	struct sl_control *control = NULL;
	struct sl_server *server = NULL;
	uv_signal_t term, intr;
	uv_loop_t loop;
	int r;

	uv_loop_init(&loop);
	uv_signal_init(&loop, &term);
	uv_signal_init(&loop, &intr);
	uv_signal_start(&term, on_signal, SIGTERM);
	uv_signal_start(&intr, on_signal, SIGINT);
	r = sl_control_new(&loop, dp, &o->control, &control, err);
	o->server.on_detach = on_detached;
	o->server.user = &loop;
	if (!r)
		r = sl_server_new(&loop, control, &o->server, &server, err);
	if (!r) {
		sl_info("event=ready adopted=%d socket=%s", dp->adopted, o->server.unix_path);
		uv_run(&loop, UV_RUN_DEFAULT);
	}
	sl_server_free(server);
	sl_control_free(control);
	uv_close((uv_handle_t *)&term, NULL);
	uv_close((uv_handle_t *)&intr, NULL);
	uv_run(&loop, UV_RUN_DEFAULT); /* until all handles have closed */
	uv_loop_close(&loop);
	return r;
}

int main(int argc, char **argv)
{
	struct options o = {
		.dp.pin_dir = "/sys/fs/bpf/sluice",
		.control.state_file = "/var/lib/sluice/state.json",
		.server.unix_path = "/run/sluice/api.sock",
	};
	struct sl_err err = {};
	struct sl_dp *dp = NULL;
	int r = parse(argc, argv, &o);

	if (r)
		return r - 1;
	signal(SIGPIPE, SIG_IGN);
	if (o.check)
		o.dp.pin_dir = NULL;
	if (o.detach) {
		r = sl_dp_unload(o.dp.pin_dir, &err);
	} else {
		if (!o.check)
			r = prepare_files(&o, &err);
		if (!r)
			r = sl_dp_open(&o.dp, &dp, &err);
		if (!r && o.check)
			puts("the program loads on this kernel");
		else if (!r)
			r = run(&o, dp, &err);
		if (r < 0 && dp && !o.check && !dp->adopted)
			dp->ops->unload(dp, NULL); /* a first start that failed leaves nothing */
		if (dp)
			dp->ops->close(dp);
	}
	if (r < 0)
		fprintf(stderr, "sluiced: %s%s%s\n", err.detail[0] ? err.detail : strerror(-r),
			err.pointer[0] ? ", at " : "", err.pointer);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
