/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/http.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	abort();
}

/* Without the privilege the tests run where they are. */
static void own_network(void)
{
	struct ifreq req = { .ifr_name = "lo" };
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	req.ifr_flags = IFF_UP;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		die("lo up");
	close(fd);
}

static uint16_t free_port(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		die("free port");
	close(fd);
	return ntohs(sa.sin_port);
}

static void on_detach(void *user)
{
	struct sl_http *h = user;

	h->detached++;
	if (h->free_on_detach) {
		sl_server_free(h->server);
		h->server = NULL;
	}
}

void sl_http_init(struct sl_http *h, const char *state)
{
	struct sl_server_options opt = { .on_detach = on_detach, .user = h };
	struct sl_err err = { 0 };
	char file[96];

	memset(h, 0, sizeof(*h));
	own_network();
	if (uv_loop_init(&h->loop) < 0)
		die("loop");
	snprintf(h->dir, sizeof(h->dir), "/tmp/sluice-api-XXXXXX");
	if (!mkdtemp(h->dir))
		die("mkdtemp");
	snprintf(file, sizeof(file), "%s/state.json", h->dir);
	if (state) {
		int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

		if (fd < 0 || write(fd, state, strlen(state)) != (ssize_t)strlen(state))
			die(file);
		close(fd);
	}
	h->fake = sl_fake_dp_new();
	h->control = sl_fake_control_new(&h->loop, h->fake, h->dir);
	if (!h->control)
		die("control");
	h->port = free_port();
	snprintf(h->path, sizeof(h->path), "%s/run/api.sock", h->dir);
	snprintf(h->tcp, sizeof(h->tcp), "127.0.0.1:%u", h->port);
	opt.unix_path = h->path;
	opt.tcp_listen = h->tcp;
	if (sl_server_new(&h->loop, h->control, &opt, &h->server, &err) < 0) {
		fprintf(stderr, "server: %s\n", err.detail);
		abort();
	}
}

void sl_http_done(struct sl_http *h)
{
	char text[128];

	sl_server_free(h->server);
	sl_control_free(h->control);
	while (uv_run(&h->loop, UV_RUN_DEFAULT))
		;
	if (uv_loop_close(&h->loop) < 0) {
		fprintf(stderr, "a handle was left open\n");
		abort();
	}
	h->fake->dp.ops->close(&h->fake->dp);
	snprintf(text, sizeof(text), "%s/run", h->dir);
	if (rmdir(text) < 0)
		die("the socket was left behind");
	snprintf(text, sizeof(text), "%s/state.json", h->dir);
	unlink(text);
	rmdir(h->dir);
	free(h->raw);
}

int sl_http_connect(struct sl_http *h, bool over_tcp)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(h->port) };
	int fd = socket(over_tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	uv_run(&h->loop, UV_RUN_NOWAIT); /* takes who waits, or the queue might be full */
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", h->path);
	r = over_tcp ? connect(fd, (struct sockaddr *)&in, sizeof(in))
		     : connect(fd, (struct sockaddr *)&un, sizeof(un));
	if (r < 0)
		die("connect");
	return fd;
}

void sl_http_turn(struct sl_http *h, int ms)
{
	uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000;

	do {
		uv_run(&h->loop, UV_RUN_NOWAIT);
		usleep(500);
	} while (uv_hrtime() < end);
}

void sl_http_send(struct sl_http *h, int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return; /* closed on us: the answer says why */
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
		uv_run(&h->loop, UV_RUN_NOWAIT);
	}
}

/* Whole answers in what came so far; HEAD and 204 have no body, whatever they say. */
static unsigned count_whole(const struct sl_http *h, bool head)
{
	const char *at = h->raw, *end = h->raw + h->len;
	unsigned n = 0;

	while (at < end) {
		const char *blank = strstr(at, "\r\n\r\n"),
			   *length = strcasestr(at, "Content-Length:");

		if (!blank)
			break;
		at = blank + 4;
		if (!head && length && length < blank)
			at += strtoul(length + 15, NULL, 10);
		if (at > end)
			break;
		n++;
	}
	return n;
}

static void receive(struct sl_http *h, int fd, unsigned n, int ms, bool head)
{
	uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000;
	size_t room = 4096;

	free(h->raw);
	h->raw = calloc(1, room);
	h->len = 0;
	h->closed = false;
	while (!h->closed && count_whole(h, head) < n && uv_hrtime() < end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got;

		uv_run(&h->loop, UV_RUN_NOWAIT);
		if (poll(&p, 1, 1) <= 0)
			continue;
		if (room - h->len < 65536) {
			room += 65536;
			h->raw = realloc(h->raw, room);
		}
		got = recv(fd, h->raw + h->len, room - h->len - 1, MSG_DONTWAIT);
		h->closed = got == 0 || (got < 0 && errno != EAGAIN);
		if (got > 0)
			h->len += (size_t)got;
		h->raw[h->len] = '\0';
	}
	h->status = strncmp(h->raw, "HTTP/1.1 ", 9) == 0 ? (int)strtol(h->raw + 9, NULL, 10) : 0;
	h->body = strstr(h->raw, "\r\n\r\n");
	h->body = h->body ? h->body + 4 : "";
}

void sl_http_receive(struct sl_http *h, int fd, unsigned n, int ms)
{
	receive(h, fd, n, ms, false);
}

int sl_http_raw(struct sl_http *h, bool over_tcp, const char *raw)
{
	int fd = sl_http_connect(h, over_tcp);

	sl_http_send(h, fd, raw, strlen(raw));
	receive(h, fd, 1, 5000, strncmp(raw, "HEAD ", 5) == 0);
	close(fd);
	return h->status;
}

int sl_http_ask(struct sl_http *h, const char *method, const char *target, const char *type,
		const char *body)
{
	char *raw = NULL;

	if (asprintf(&raw,
		     "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s%sContent-Length: %zu\r\n\r\n%s",
		     method, target, type ? "Content-Type: " : "", type ? type : "",
		     type ? "\r\n" : "", body ? strlen(body) : 0, body ? body : "") < 0)
		die("asprintf");
	sl_http_raw(h, false, raw);
	free(raw);
	return h->status;
}

const char *sl_http_header(struct sl_http *h, const char *name)
{
	static char value[512];
	const char *line = h->raw;

	value[0] = '\0';
	while ((line = strstr(line, "\r\n")) != NULL && line[2] != '\r') {
		size_t len = strlen(name);

		line += 2;
		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		line += len + 1;
		line += strspn(line, " ");
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(line, "\r"), line);
		break;
	}
	return value;
}

const char *sl_http_member(struct sl_http *h, const char *path)
{
	static char value[4096];
	cJSON *root = cJSON_Parse(h->body), *at = root;
	char *keys = strdup(path), *rest = NULL, *text;

	for (char *k = strtok_r(keys, ".", &rest); k && at; k = strtok_r(NULL, ".", &rest))
		at = cJSON_IsArray(at) ? cJSON_GetArrayItem(at, (int)strtol(k, NULL, 10))
				       : cJSON_GetObjectItemCaseSensitive(at, k);
	text = !at		    ? NULL
	       : cJSON_IsString(at) ? strdup(at->valuestring)
				    : cJSON_PrintUnformatted(at);
	snprintf(value, sizeof(value), "%s", text ? text : "(none)");
	free(text);
	free(keys);
	cJSON_Delete(root);
	return value;
}
