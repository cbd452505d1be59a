/* SPDX-License-Identifier: BSD-2-Clause */

/* store: whole documents only, whatever fails. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lb_user/svc/store.h"

static char folder[64], path[96], tmp[112];
static struct sl_err err;

/* Stands in for libc's: counts, and fails for folders or files when told to. */
static bool fail_folders, fail_files;
static unsigned synced_folders, synced_files;

int fsync(int fd)
{
	struct stat st;
	bool is_folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);

	if (is_folder ? fail_folders : fail_files) {
		errno = EIO;
		return -1;
	}
	synced_folders += is_folder;
	synced_files += !is_folder;
	return (int)syscall(SYS_fsync, fd);
}

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/sluice-store-XXXXXX");
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	snprintf(path, sizeof(path), "%s/state.json", folder);
	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
}

static void teardown(void)
{
	unlink(path);
	unlink(tmp);
	rmdir(path);
	rmdir(tmp);
	cr_expect(eq(int, rmdir(folder), 0), "files left in %s", folder);
}

TestSuite(store, .init = setup, .fini = teardown);

static void put(const char *name, const void *data, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	cr_assert(ge(int, fd, 0));
	cr_assert(eq(sz, (size_t)write(fd, data, len), len));
	close(fd);
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static void expect_content(const char *want)
{
	char *text = NULL;
	size_t len = 0;

	cr_assert(eq(int, sl_store_read(path, &text, &len, &err), 0), "%s", err.detail);
	cr_expect(eq(str, text, (char *)want));
	cr_expect(eq(sz, len, strlen(want)));
	free(text);
}

static void save(const char *text)
{
	cr_assert(eq(int, sl_store_prepare(path, text, strlen(text), &err), 0), "%s", err.detail);
	cr_assert(eq(int, sl_store_commit(path, &err), 0), "%s", err.detail);
}

Test(store, reads_what_it_wrote)
{
	struct stat st;

	save("{\"revision\":1}");
	expect_content("{\"revision\":1}");
	cr_assert(eq(uint, synced_files, 1));
	cr_assert(eq(uint, synced_folders, 1));
	cr_assert(eq(int, stat(path, &st), 0));
	cr_assert(eq(int, (int)(st.st_mode & 0777), 0600));
	save("{}");
	expect_content("{}");
	save("");
	expect_content("");
	cr_assert(eq(uint, synced_folders, 3));
	cr_assert(eq(int, exists(tmp), 0));
}

Test(store, nothing_there)
{
	char *text = (char *)1;
	size_t len = 7;

	cr_assert(eq(int, sl_store_read(path, &text, &len, &err), -ENOENT));
	cr_assert(eq(int, err.code, 0));
	cr_assert(eq(ptr, text, (char *)1));
	cr_assert(eq(sz, len, 7));
	sl_store_abandon(path);
}

Test(store, prepared_is_not_yet_there)
{
	save("old");
	cr_assert(eq(int, sl_store_prepare(path, "new", 3, &err), 0));
	expect_content("old");
	cr_assert(exists(tmp));
	sl_store_abandon(path);
	cr_assert(eq(int, exists(tmp), 0));
	expect_content("old");
	cr_assert(eq(int, sl_store_commit(path, &err), -EIO)); /* nothing was prepared */
	cr_assert(eq(str, err.slug, "state-file-error"));
	expect_content("old");
}

/* A crash left a long .tmp, or somebody put a link there: neither leaks into the document. */
Test(store, leftovers_are_replaced)
{
	char victim[96];

	put(tmp, "a long leftover of a former life", 32);
	save("new");
	expect_content("new");

	snprintf(victim, sizeof(victim), "%s/victim", folder);
	put(victim, "untouched", 9);
	cr_assert(eq(int, symlink(victim, tmp), 0));
	save("newer");
	expect_content("newer");
	snprintf(path, sizeof(path), "%s/victim", folder);
	expect_content("untouched");
	unlink(path);
	snprintf(path, sizeof(path), "%s/state.json", folder);
}

Test(store, relative_path)
{
	cr_assert(eq(int, chdir(folder), 0));
	cr_assert(eq(int, sl_store_prepare("state.json", "x", 1, &err), 0));
	cr_assert(eq(int, sl_store_commit("state.json", &err), 0), "%s", err.detail);
	expect_content("x");
	cr_assert(eq(int, chdir("/"), 0));
}

/* ---- failures ------------------------------------------------------------------- */

Test(store, file_cannot_be_synced)
{
	save("old");
	fail_files = true;
	cr_assert(eq(int, sl_store_prepare(path, "new", 3, &err), -EIO));
	cr_assert(eq(int, exists(tmp), 0));
	expect_content("old");
}

Test(store, folder_cannot_be_synced)
{
	save("old");
	cr_assert(eq(int, sl_store_prepare(path, "new", 3, &err), 0));
	fail_folders = true;
	cr_assert(eq(int, sl_store_commit(path, &err), -EIO));
	cr_assert(ne(ptr, strstr(err.detail, "cannot sync its folder: Input/output error;"), NULL),
		  "%s", err.detail);
	expect_content("old");
	sl_store_abandon(path);
	fail_folders = false;
	save("new");
	expect_content("new");
}

Test(store, folder_cannot_be_synced_at_first)
{
	char *text;
	size_t len;

	cr_assert(eq(int, sl_store_prepare(path, "new", 3, &err), 0));
	fail_folders = true;
	cr_assert(eq(int, sl_store_commit(path, &err), -EIO));
	cr_assert(eq(int, sl_store_read(path, &text, &len, &err), -ENOENT));
	sl_store_abandon(path);
}

/* The disk fills up in the middle of the document. */
Test(store, written_in_part)
{
	struct rlimit limit = { .rlim_cur = 1000, .rlim_max = RLIM_INFINITY };
	static char big[5000];

	save("old");
	memset(big, 'b', sizeof(big));
	signal(SIGXFSZ, SIG_IGN);
	cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &limit), 0));
	cr_assert(eq(int, sl_store_prepare(path, big, sizeof(big), &err), -EIO));
	limit.rlim_cur = RLIM_INFINITY;
	cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &limit), 0));
	cr_assert(ne(ptr, strstr(err.detail, "File too large"), NULL), "%s", err.detail);
	cr_assert(eq(int, exists(tmp), 0));
	expect_content("old");
}

Test(store, no_folder)
{
	char gone[128], *text;
	size_t len;

	snprintf(gone, sizeof(gone), "%s/gone/state.json", folder);
	cr_assert(eq(int, sl_store_prepare(gone, "x", 1, &err), -EIO));
	cr_assert(ne(ptr, strstr(err.detail, "No such file or directory; create its folder"), NULL),
		  "%s", err.detail);
	cr_assert(eq(int, sl_store_commit(gone, &err), -EIO));
	cr_assert(eq(int, sl_store_prepare(gone, "x", 1, NULL), -EIO));
	cr_assert(eq(int, sl_store_read(gone, &text, &len, &err), -ENOENT));
	sl_store_abandon(gone);
}

/* A folder where the file should be is neither read nor moved aside. */
Test(store, folder_in_its_place)
{
	char *text;
	size_t len;

	cr_assert(eq(int, mkdir(path, 0700), 0));
	cr_assert(eq(int, sl_store_read(path, &text, &len, &err), -EISDIR));
	cr_assert(eq(int, sl_store_prepare(path, "x", 1, &err), 0));
	cr_assert(eq(int, sl_store_commit(path, &err), -EIO));
	cr_assert(eq(int, access(path, X_OK), 0));
	sl_store_abandon(path);

	cr_assert(eq(int, mkdir(tmp, 0700), 0));
	cr_assert(eq(int, sl_store_prepare(path, "x", 1, &err), -EIO));
	sl_store_abandon(path); /* does not remove folders */
	cr_assert(exists(tmp));
}

Test(store, pipe_in_its_place, .timeout = 5)
{
	char *text;
	size_t len;

	cr_assert(eq(int, mkfifo(path, 0600), 0));
	cr_assert(eq(int, sl_store_read(path, &text, &len, &err), -EINVAL));
	cr_assert(ne(ptr, strstr(err.detail, "not a regular file"), NULL), "%s", err.detail);
}

Test(store, largest)
{
	size_t max = 16u << 20, len = 0;
	char *big = malloc(max + 1), *text = NULL;

	cr_assert(ne(ptr, big, NULL));
	memset(big, 'z', max + 1);
	cr_assert(eq(int, sl_store_prepare(path, big, max, &err), 0));
	cr_assert(eq(int, sl_store_commit(path, &err), 0));
	cr_assert(eq(int, sl_store_read(path, &text, &len, &err), 0));
	cr_assert(eq(sz, len, max));
	cr_assert(eq(int, memcmp(text, big, max), 0));
	cr_assert(eq(int, text[max], 0));
	free(text);
	cr_assert(eq(int, sl_store_prepare(path, big, max + 1, &err), -EIO));
	put(path, big, max + 1);
	cr_assert(eq(int, sl_store_read(path, &text, &len, &err), -EFBIG));
	cr_assert(ne(ptr, strstr(err.detail, "larger than 16 MiB"), NULL), "%s", err.detail);
	free(big);
}

/* Files whose size is not told beforehand are read to their end. */
Test(store, size_unknown)
{
	char *text = NULL;
	size_t len = 0;

	cr_assert(eq(int, sl_store_read("/proc/self/smaps", &text, &len, &err), 0));
	cr_assert(gt(sz, len, 4096));
	cr_assert(eq(sz, strlen(text), len));
	free(text);
}

Test(store, binary_is_kept)
{
	char *text = NULL;
	size_t len = 0;

	cr_assert(eq(int, sl_store_prepare(path, "a\0b", 3, &err), 0));
	cr_assert(eq(int, sl_store_commit(path, &err), 0));
	cr_assert(eq(int, sl_store_read(path, &text, &len, &err), 0));
	cr_assert(eq(sz, len, 3));
	cr_assert(eq(int, memcmp(text, "a\0b", 4), 0));
	free(text);
}

Test(store, longest_path)
{
	static char name[PATH_MAX + 8];
	char *text;
	size_t len;

	memset(name, 'n', sizeof(name) - 1);
	cr_assert(eq(int, sl_store_prepare(name, "x", 1, &err), -EIO));
	cr_assert(ne(ptr, strstr(err.detail, "File name too long"), NULL), "%s", err.detail);
	cr_assert(eq(int, sl_store_commit(name, &err), -EIO));
	cr_assert(eq(int, sl_store_read(name, &text, &len, &err), -ENAMETOOLONG));
	sl_store_abandon(name);
}

/* Killed at any point of saving, the file holds one whole document. */
Test(store, killed_while_saving)
{
	static char a[40000], b[60000];
	char *text;
	size_t len;
	pid_t pid;
	int i;

	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	cr_assert(eq(int, sl_store_prepare(path, a, sizeof(a), &err), 0));
	cr_assert(eq(int, sl_store_commit(path, &err), 0));
	for (i = 0; i < 60; i++) {
		pid = fork();
		cr_assert(ge(int, pid, 0));
		while (pid == 0) {
			(void)sl_store_prepare(path, b, sizeof(b), NULL);
			(void)sl_store_commit(path, NULL);
			(void)sl_store_prepare(path, a, sizeof(a), NULL);
			(void)sl_store_commit(path, NULL);
		}
		usleep((useconds_t)(500 + i * 137 % 2000));
		kill(pid, SIGKILL);
		cr_assert(eq(int, waitpid(pid, NULL, 0), pid));
		cr_assert(eq(int, sl_store_read(path, &text, &len, &err), 0), "%s", err.detail);
		cr_assert(text[0] == 'a' ? len == sizeof(a) : len == sizeof(b));
		cr_assert(eq(int, text[len - 1], text[0]));
		free(text);
	}
}
