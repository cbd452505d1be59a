/* SPDX-License-Identifier: BSD-2-Clause */

/* server: connections, framing, limits and sockets. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/http.h"

static struct sl_http h;

static void setup(void)
{
	sl_http_init(&h, NULL);
}

static void teardown(void)
{
	sl_http_done(&h);
}

TestSuite(server, .init = setup, .fini = teardown);

#define GET "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"

static unsigned count(const char *text)
{
	unsigned n = 0;

	for (const char *at = h.raw; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

static unsigned open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

Test(server, one_connection_many_requests)
{
	int fd = sl_http_connect(&h, false);

	for (int i = 0; i < 50; i++) {
		sl_http_send(&h, fd, GET, strlen(GET));
		sl_http_receive(&h, fd, 1, 5000);
		cr_assert(eq(int, h.status, 200), "request %d", i);
		cr_assert(not(h.closed));
	}
	close(fd);
}

Test(server, pipelined_requests_are_answered_in_order)
{
	static const char raw[] =
		GET "PUT /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
		    "POST /api/v1/services HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
		    "chunked\r\n"
		    "Content-Type: application/json\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\nX-Trailer: "
		    "1\r\n\r\n"
		    "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" GET;
	static const char *const order[] = { " 200 OK", " 405 ", " 422 ", " 404 ", " 200 OK" };
	int fd = sl_http_connect(&h, false);
	const char *at;

	sl_http_send(&h, fd, raw, sizeof(raw) - 1);
	sl_http_receive(&h, fd, 5, 5000);
	at = h.raw;
	cr_assert(eq(uint, count("HTTP/1.1 "), 5), "%s", h.raw);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		at = strstr(at, order[i]);
		cr_assert(ne(ptr, (void *)at, NULL), "%s: %s", order[i], h.raw);
	}
	close(fd);
}

Test(server, byte_by_byte)
{
	static const char raw[] = "POST /api/v1/services HTTP/1.1\r\nHost: localhost\r\n"
				  "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
	int fd = sl_http_connect(&h, true);

	for (size_t i = 0; i + 1 < sizeof(raw); i++)
		sl_http_send(&h, fd, raw + i, 1);
	sl_http_receive(&h, fd, 1, 5000);
	cr_expect(eq(int, h.status, 422));
	close(fd);
}

/* Two parsers might disagree where the request ends: no second answer, whatever follows. */
Test(server, ambiguous_framing_ends_the_connection)
{
	static const char *const heads[] = {
		"Content-Length: 4\r\nContent-Length: 0\r\n",
		"Content-Length: 0\r\nContent-Length: 0\r\n",
		"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
		"Transfer-Encoding: gzip, chunked\r\n",
		"Content-Length : 4\r\n",
		"Host: localhost\r\n",
	};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		int fd = sl_http_connect(&h, i % 2);
		char raw[512];
		int len = snprintf(raw, sizeof(raw),
				   "DELETE /nothing HTTP/1.1\r\nHost: localhost\r\n%s\r\n%s",
				   heads[i], "0\r\n\r\n" GET GET);

		sl_http_send(&h, fd, raw, (size_t)len);
		sl_http_receive(&h, fd, 9, 5000);
		cr_expect(eq(int, h.status, 400), "%s", heads[i]);
		cr_expect(eq(uint, count("HTTP/1.1 "), 1), "%s: %s", heads[i], h.raw);
		cr_expect(h.closed, "%s", heads[i]);
		close(fd);
	}
}

Test(server, body_too_large_by_its_length_is_refused_at_once)
{
	int fd = sl_http_connect(&h, false);
	static const char raw[] = "POST /api/v1/services HTTP/1.1\r\nHost: localhost\r\n"
				  "Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n";

	sl_http_send(&h, fd, raw, sizeof(raw) - 1);
	sl_http_receive(&h, fd, 2, 5000);
	cr_expect(eq(int, h.status, 413));
	cr_expect(eq(str, (char *)sl_http_member(&h, "code"), "body-too-large"));
	cr_expect(h.closed);
	close(fd);
}

static int send_chunks(unsigned n)
{
	static char chunk[65536 + 16];
	int fd = sl_http_connect(&h, true);
	int len = snprintf(chunk, sizeof(chunk),
			   "POST /api/v1/services HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
			   "application/json\r\nTransfer-Encoding: chunked\r\n\r\n");

	sl_http_send(&h, fd, chunk, (size_t)len);
	memset(chunk, ' ', sizeof(chunk));
	memcpy(chunk, "10000\r\n", 7);
	memcpy(chunk + 7 + 65536, "\r\n", 2);
	for (unsigned i = 0; i < n; i++)
		sl_http_send(&h, fd, chunk, 65536 + 9);
	sl_http_send(&h, fd, "0\r\n\r\n" GET, 5 + strlen(GET));
	sl_http_receive(&h, fd, 2, 5000);
	cr_expect(eq(uint, count("HTTP/1.1 "), 2), "the connection goes on");
	close(fd);
	return h.status;
}

Test(server, chunked_body_at_the_limit_and_above)
{
	cr_expect(eq(int, send_chunks(16), 400), "1 MiB of spaces is read, and no JSON");
	cr_expect(eq(int, send_chunks(17), 413));
	cr_expect(eq(int, send_chunks(64), 413));
}

Test(server, tcp_answers_only_to_names_of_this_machine)
{
	cr_expect(eq(int, sl_http_raw(&h, true, GET), 200));
	cr_expect(eq(int, sl_http_raw(&h, true, "GET /livez HTTP/1.1\r\nHost: evil\r\n\r\n"), 421));
	cr_expect(eq(str, (char *)sl_http_member(&h, "code"), "misdirected-request"));
	cr_expect(eq(int, sl_http_raw(&h, true, "GET /livez HTTP/1.0\r\n\r\n"), 421));
	cr_expect(
		eq(int, sl_http_raw(&h, false, "GET /livez HTTP/1.1\r\nHost: evil\r\n\r\n"), 200));
	cr_expect(eq(int,
		     sl_http_raw(&h, true,
				 "DELETE /api/v1/dataplane HTTP/1.1\r\nHost: localhost\r\n"
				 "Origin: http://evil\r\n\r\n"),
		     403));
	cr_expect(eq(uint, h.fake->unloads, 0));
}

Test(server, malformed_requests)
{
	static const struct {
		const char *raw;
		int status;
	} rows[] = {
		{ "GET /livez HTTP/1.1\r\n\r\n", 400 },
		{ "GET /li vez HTTP/1.1\r\nHost: x\r\n\r\n", 0 }, /* closed without a word */
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -4\r\n\r\n", 400 },
		{ "GET livez HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
		{ "GET http://localhost/livez HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
		{ "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
		{ "GET /livez HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400 },
		{ "GET /livez HTTP/1.0\r\n\r\n", 200 },
	};
	char *raw;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect(eq(int, sl_http_raw(&h, false, rows[i].raw), rows[i].status), "%s: %s",
			  rows[i].raw, h.raw);
	cr_assert(gt(int, asprintf(&raw, "GET /%02000d HTTP/1.1\r\nHost: x\r\n\r\n", 1), 0));
	cr_expect(eq(int, sl_http_raw(&h, false, raw), 414));
	free(raw);
	cr_assert(
		gt(int, asprintf(&raw, "GET / HTTP/1.1\r\nHost: x\r\nX: %0100000d\r\n\r\n", 1), 0));
	cr_expect(eq(int, sl_http_raw(&h, false, raw), 431));
	free(raw);
	cr_expect(eq(int, sl_http_raw(&h, false, GET), 200), "still there");
}

/* At the limit the library stops accepting; who waits must be served once there is room. */
Test(server, a_full_house_serves_who_waits)
{
	int fd[64], waiting;
	uint64_t start;

	for (int i = 0; i < 64; i++) {
		fd[i] = sl_http_connect(&h, false);
		sl_http_send(&h, fd[i], "GET", 3);
	}
	sl_http_turn(&h, 20);
	waiting = sl_http_connect(&h, false);
	sl_http_send(&h, waiting, GET, strlen(GET));
	sl_http_receive(&h, waiting, 1, 100);
	cr_expect(eq(int, h.status, 0), "65 at once");
	cr_expect(eq(int, sl_http_raw(&h, true, GET), 200), "the other listener has its own limit");
	close(fd[10]);
	start = uv_hrtime();
	sl_http_receive(&h, waiting, 1, 5000);
	cr_expect(eq(int, h.status, 200));
	cr_expect(lt(u64, uv_hrtime() - start, 1000000000));
	close(waiting);
	for (int i = 0; i < 64; i++) {
		if (i != 10)
			close(fd[i]);
	}
}

/* Clients that only sit there make room for others when all places are taken. */
Test(server, idle_clients_make_room)
{
	int fd[180];

	for (int i = 0; i < 180; i++)
		fd[i] = sl_http_connect(&h, false);
	cr_expect(eq(int, sl_http_raw(&h, false, GET), 200));
	for (int i = 0; i < 180; i++)
		close(fd[i]);
}

Test(server, keeps_no_file_open)
{
	unsigned before;

	sl_http_raw(&h, false, GET);
	sl_http_turn(&h, 20);
	before = open_files();
	for (int i = 0; i < 200; i++) {
		int fd = sl_http_connect(&h, i & 1);

		sl_http_send(&h, fd, GET, (size_t)i % strlen(GET));
		close(fd);
	}
	sl_http_turn(&h, 2500);
	cr_expect(eq(uint, open_files(), before));
}

Test(server, freed_with_requests_under_way)
{
	static const char part[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc";
	int fd[20];

	for (int i = 0; i < 20; i++) {
		fd[i] = sl_http_connect(&h, i & 1);
		sl_http_send(&h, fd[i], part, sizeof(part) - 1);
	}
	sl_http_turn(&h, 20);
	sl_server_free(h.server);
	h.server = NULL;
	for (int i = 0; i < 20; i++)
		close(fd[i]);
}

/* ---- sockets --------------------------------------------------------------------------- */

static int start(const char *unix_path, const char *tcp, struct sl_server **ret, struct sl_err *err)
{
	struct sl_server_options opt = { .unix_path = unix_path, .tcp_listen = tcp };

	*err = (struct sl_err){ 0 };
	*ret = NULL;
	return sl_server_new(&h.loop, h.control, &opt, ret, err);
}

Test(server, socket_has_its_modes_and_is_removed)
{
	char folder[96];
	struct stat st;

	snprintf(folder, sizeof(folder), "%s/run", h.dir);
	cr_assert(eq(int, stat(folder, &st), 0));
	cr_expect(eq(uint, st.st_mode & 07777, 0750));
	cr_assert(eq(int, stat(h.path, &st), 0));
	cr_expect(eq(int, S_ISSOCK(st.st_mode), 1));
	cr_expect(eq(uint, st.st_mode & 07777, 0660));
	sl_server_free(h.server);
	h.server = NULL;
	cr_expect(eq(int, stat(h.path, &st), -1));
}

Test(server, a_socket_in_use_is_left_alone)
{
	struct sl_server *s;
	struct sl_err err;

	cr_expect(eq(int, start(h.path, NULL, &s, &err), -EADDRINUSE));
	cr_expect(ne(ptr, strstr(err.detail, "another sluiced answers on "), NULL), "%s",
		  err.detail);
	cr_expect(eq(int, sl_http_raw(&h, false, GET), 200));
	cr_expect(eq(int, start(NULL, h.tcp, &s, &err), -EADDRINUSE));
	cr_expect(ne(ptr, strstr(err.detail, h.tcp), NULL), "%s", err.detail);
}

Test(server, a_stale_socket_is_replaced)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sl_server *s;
	struct sl_err err;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sl_server_free(h.server);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", h.path);
	cr_assert(eq(int, bind(fd, (struct sockaddr *)&un, sizeof(un)), 0));
	close(fd);
	cr_assert(eq(int, start(h.path, NULL, &s, &err), 0), "%s", err.detail);
	h.server = s;
	cr_expect(eq(int, sl_http_raw(&h, false, GET), 200));
}

/* Whoever put another socket there meanwhile keeps it. */
Test(server, removes_only_its_own_socket)
{
	struct sl_server *second;
	struct sl_err err;
	struct stat st;

	cr_assert(eq(int, unlink(h.path), 0));
	cr_assert(eq(int, start(h.path, NULL, &second, &err), 0), "%s", err.detail);
	sl_server_free(h.server);
	cr_expect(eq(int, stat(h.path, &st), 0));
	h.server = second;
}

Test(server, paths_that_cannot_be)
{
	char path[256];
	struct sl_server *s;
	struct sl_err err;
	FILE *f;

	memset(path, 'x', 200);
	path[200] = '\0';
	cr_expect(eq(int, start(path, NULL, &s, &err), -ENAMETOOLONG));
	cr_expect(eq(int, start("", NULL, &s, &err), -ENAMETOOLONG));
	snprintf(path, sizeof(path), "%s/a/b/c.sock", h.dir);
	cr_expect(eq(int, start(path, NULL, &s, &err), -ENOENT));
	cr_expect(ne(ptr, strstr(err.detail, path), NULL), "%s", err.detail);
	snprintf(path, sizeof(path), "%s/file", h.dir);
	f = fopen(path, "we");
	cr_assert(ne(ptr, f, NULL));
	fclose(f);
	cr_expect(eq(int, start(path, NULL, &s, &err), -EEXIST));
	unlink(path);
}

Test(server, tcp_is_loopback_or_nothing)
{
	static const char *const bad[] = {
		"0.0.0.0:7600",	   "192.0.2.1:7600",  "[::]:7600",
		"*:7600",	   "localhost:7600",  "127.0.0.2:7600",
		"127.0.0.1",	   "127.0.0.1:",      "127.0.0.1:0",
		"127.0.0.1:65536", "127.0.0.1:76x",   "127.0.0.1:000001",
		"[::1]",	   "::1:7600",	      "",
		":7600",	   " 127.0.0.1:7600", "127.0.0.1:-1",
		"127.0.0.1:7600 ",
	};
	struct sl_server *s;
	struct sl_err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect(eq(int, start(NULL, bad[i], &s, &err), -EINVAL), "%s", bad[i]);
		cr_expect(ne(ptr, strstr(err.detail, "127.0.0.1:PORT or [::1]:PORT"), NULL), "%s",
			  err.detail);
	}
}

Test(server, nothing_is_left_when_the_second_listener_fails)
{
	char path[96];
	struct sl_server *s;
	struct sl_err err;
	struct stat st;

	snprintf(path, sizeof(path), "%s/run/two.sock", h.dir);
	cr_expect(eq(int, start(path, "192.0.2.1:1", &s, &err), -EINVAL));
	cr_expect(eq(ptr, s, NULL));
	cr_expect(eq(int, stat(path, &st), -1));
}
