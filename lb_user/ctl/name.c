/* SPDX-License-Identifier: BSD-2-Clause */
/* name: words that name a service or a backend, and values of flags. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/ctl/ctl.h"
#include "lb_user/ctl/text.h"

#define NAME_RULE "use 1 to 63 of a-z 0-9 . _ -, a letter or digit at both ends"

int sl_name_service(const struct sl_ctl *ctl, const char *word, char ret_path[SL_PATH_LEN])
{
	if (!sl_text_is_name(word, strlen(word)))
		return sl_fail_usage(ctl, "\"%s\" is no name of a service: " NAME_RULE, word);
	snprintf(ret_path, SL_PATH_LEN, "/api/v1/services/%s", word);
	return 0;
}

int sl_name_backend(const struct sl_ctl *ctl, const char *word, struct sl_target *ret)
{
	const char *slash = strchr(word, '/');
	size_t len = slash ? (size_t)(slash - word) : 0;

	if (!slash)
		return sl_fail_usage(ctl, "\"%s\": write SERVICE/BACKEND, for example web/web-1",
				     word);
	if (!sl_text_is_name(word, len) || !sl_text_is_name(slash + 1, strlen(slash + 1)))
		return sl_fail_usage(
			ctl, "\"%s\" is no SERVICE/BACKEND; for both names: " NAME_RULE, word);
	ret->label = word;
	snprintf(ret->service, sizeof(ret->service), "%.*s", (int)len, word);
	snprintf(ret->backend, sizeof(ret->backend), "%s", slash + 1);
	snprintf(ret->path, sizeof(ret->path), "/api/v1/services/%s/backends/%s", ret->service,
		 ret->backend);
	return 0;
}

int sl_name_backends(const struct sl_ctl *ctl, struct sl_target **ret)
{
	struct sl_target *t = calloc(ctl->args.n_words, sizeof(*t));
	size_t i;
	int r;

	if (!t)
		return sl_fail(SL_EXIT_ERROR, "out of memory");
	for (i = 0; i < ctl->args.n_words; i++) {
		r = sl_name_backend(ctl, ctl->args.words[i], &t[i]);
		if (r) {
			free(t);
			return r;
		}
	}
	*ret = t;
	return 0;
}

int sl_name_number(const struct sl_ctl *ctl, const char *flag, uint64_t max, uint64_t *ret)
{
	const char *text = sl_args_value(&ctl->args, flag);

	if (text && sl_text_parse_number(text, max, ret))
		return sl_fail_usage(ctl, "--%s %s: want a whole number, 0 to %llu", flag, text,
				     (unsigned long long)max);
	return 0;
}

int sl_name_span(const struct sl_ctl *ctl, const char *flag, uint64_t *ret_ms)
{
	const char *text = sl_args_value(&ctl->args, flag);

	if (text && sl_text_parse_span(text, ret_ms))
		return sl_fail_usage(ctl,
				     "--%s %s: want a time span such as 500ms, 30s, 5m or 1h30m",
				     flag, text);
	return 0;
}
