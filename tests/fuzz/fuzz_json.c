/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_json: bodies of the API. The first byte chooses what is asked for: s a
 * service, b a backend, p a patch, d a drain, any other only whether it is JSON.
 */
#include <string.h>

#include <cjson/cJSON.h>

#include "lb_user/domain/codec.h"
#include "tests/fuzz/fuzz.h"

/* Errors say what and where. */
static void check(int r, const struct sl_err *err)
{
	FUZZ_MUST(r <= 0);
	FUZZ_MUST(r == 0 || (err->detail[0] && memchr(err->detail, 0, sizeof(err->detail))));
}

/* What was read can be written, and reads the same again. */
static void check_again(const struct sl_service *s)
{
	struct sl_config c = { .services = (struct sl_service *)s, .n_services = 1 }, again = {};
	struct sl_err err = {};
	char *one, *two;
	size_t n_one, n_two;

	if (sl_codec_write_config(&c, &one, &n_one))
		return;
	FUZZ_MUST(!sl_codec_read_config(one, n_one, &again, &err));
	FUZZ_MUST(!sl_codec_write_config(&again, &two, &n_two));
	if (fuzz_is_control())
		two[0] = '?';
	FUZZ_MUST(n_one == n_two && !memcmp(one, two, n_one));
	sl_config_done(&again);
	free(one);
	free(two);
}

static void read_service(const char *text, size_t len)
{
	struct sl_service s = {};
	struct sl_err err = {};
	int r = sl_codec_read_service(text, len, NULL, &s, &err);

	check(r, &err);
	if (r)
		return;
	check_again(&s);
	sl_service_done(&s);
}

static void read_backend(const char *text, size_t len)
{
	const struct sl_service s = { .port = 443 };
	struct sl_backend b = {};
	struct sl_err err = {};

	check(sl_codec_read_backend(text, len, "web-1", &s, &b, &err), &err);
}

static void read_patch(const char *text, size_t len)
{
	struct sl_backend_patch p = {};
	struct sl_err err = {};

	check(sl_codec_read_patch(text, len, "web", "web-1", &p, &err), &err);
}

static void read_drain(const char *text, size_t len)
{
	struct sl_drain_request d = {};
	struct sl_err err = {};

	check(sl_codec_read_drain(text, len, "web", "web-1", &d, &err), &err);
}

static void read_any(const char *text, size_t len)
{
	struct cJSON *tree = NULL;
	struct sl_err err = {};

	check(sl_json_parse(text, len, &tree, &err), &err);
	cJSON_Delete(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text;

	if (len < 1)
		return -1;
	text = malloc(len); /* not terminated, and nothing behind it */
	if (!text)
		return -1;
	memcpy(text, data + 1, --len);
	if (data[0] == 's')
		read_service(text, len);
	else if (data[0] == 'b')
		read_backend(text, len);
	else if (data[0] == 'p')
		read_patch(text, len);
	else if (data[0] == 'd')
		read_drain(text, len);
	else
		read_any(text, len);
	free(text);
	return 0;
}
