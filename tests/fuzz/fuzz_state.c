/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_state: the state file, read as the agent does at its start; what it takes it writes again.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lb_user/domain/codec.h"
#include "lb_user/svc/store.h"
#include "tests/fuzz/fuzz.h"

static void take(const char *text, size_t len)
{
	struct sl_config c = {}, again = {};
	struct sl_err err = {};
	char *one, *two;
	size_t n_one, n_two;
	int r = sl_codec_read_config(text, len, &c, &err);

	FUZZ_MUST(r <= 0 && (!r || err.detail[0]));
	if (r)
		return;
	FUZZ_MUST(!sl_codec_write_config(&c, &one, &n_one));
	FUZZ_MUST(!sl_codec_read_config(one, n_one, &again, &err));
	FUZZ_MUST(!sl_codec_write_config(&again, &two, &n_two));
	if (fuzz_is_control())
		two[0] = '?';
	FUZZ_MUST(n_one == n_two && !memcmp(one, two, n_one));
	sl_config_done(&c);
	sl_config_done(&again);
	free(one);
	free(two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int fd = -1;
	struct sl_err err = {};
	char path[40], *text;
	size_t n;

	if (fd < 0)
		fd = memfd_create("state", 0);
	FUZZ_MUST(fd >= 0 && !ftruncate(fd, 0) && pwrite(fd, data, len, 0) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	FUZZ_MUST(!sl_store_read(path, &text, &n, &err));
	FUZZ_MUST(n == len && !memcmp(text, data, len));
	take(text, n);
	free(text);
	return 0;
}
