/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/ctl/decap_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lb_user/ctl/text.h"

static bool has(const struct sl_decap_prefixes *list, const struct sl_prefix *p)
{
	for (unsigned i = 0; i < list->n; i++)
		if (sl_prefix_equal(&list->at[i], p))
			return true;
	return false;
}

static int add_one(const char *flag, const char *word, struct sl_decap_prefixes *list,
		   struct sl_err *err)
{
	char meant[SL_PREFIX_STRLEN];
	struct sl_prefix p;
	int r = sl_prefix_parse(word, &p);

	if (r == -ERANGE)
		return sl_err_set(err, -EINVAL, "usage",
				  "--%s %s: bits are set behind the prefix; did you mean %s?", flag,
				  word, sl_prefix_format(&p, meant));
	if (r < 0)
		return sl_err_set(err, -EINVAL, "usage",
				  "--%s \"%s\": want an address or prefix such as 10.0.0.1, "
				  "10.0.0.0/24 or 2001:db8::/64, several separated by commas",
				  flag, word);
	if (sl_addr_is_multicast(&p.addr))
		return sl_err_set(err, -EINVAL, "usage", "--%s %s: a multicast address", flag,
				  word);
	if (has(list, &p))
		return 0;
	if (list->n == SL_DECAP_PREFIXES_MAX)
		return sl_err_set(err, -E2BIG, "usage",
				  "--%s: more than %u prefixes; tell shorter ones that cover them",
				  flag, SL_DECAP_PREFIXES_MAX);
	list->at[list->n++] = p;
	return 0;
}

int sl_decap_options_prefixes(const char *flag, const char *text, struct sl_decap_prefixes *list,
			      struct sl_err *err)
{
	char word[SL_PREFIX_STRLEN];
	size_t len;
	int r;

	for (;; text += len + 1) {
		len = strcspn(text, ",");
		if (len >= sizeof(word))
			return sl_err_set(err, -EINVAL, "usage", "--%s %.60s: no address or prefix",
					  flag, text);
		memcpy(word, text, len);
		word[len] = '\0';
		r = add_one(flag, word, list, err);
		if (r < 0 || !text[len])
			return r;
	}
}

/* A flag that may be given several times adds up. */
static int read_list(const struct sl_args *args, const char *flag, struct sl_decap_prefixes *list,
		     struct sl_err *err)
{
	int r = 0;

	for (size_t i = 0; i < args->n_flags && !r; i++)
		if (!strcmp(args->flags[i]->name, flag))
			r = sl_decap_options_prefixes(flag, args->values[i], list, err);
	return r < 0 ? -EINVAL : 0;
}

static int read_port(const struct sl_args *args, uint16_t *ret, struct sl_err *err)
{
	const char *text = sl_args_value(args, "gue-port");
	uint64_t port = SL_DECAP_GUE_PORT;

	if (text && (sl_text_parse_number(text, 65535, &port) || !port))
		return sl_err_set(err, -EINVAL, "usage", "--gue-port %s: want a port, 1 to 65535",
				  text);
	*ret = (uint16_t)port;
	return 0;
}

/* What makes no sense together. */
static int check(const struct sl_args *args, const struct sl_decap_options *o, struct sl_err *err)
{
	static const char *const needs_from[] = { "to", "gue-port", "generic" };
	bool from = sl_args_value(args, "from") != NULL;

	if (o->act != SL_DECAP_SHOW && !o->ifname)
		return sl_err_set(err, -EINVAL, "usage", "--%s needs an interface",
				  from ? "from" : "off");
	if (from && sl_args_value(args, "off"))
		return sl_err_set(err, -EINVAL, "usage", "--from and --off: want one of them");
	for (size_t i = 0; i < sizeof(needs_from) / sizeof(needs_from[0]); i++)
		if (!from && sl_args_value(args, needs_from[i]))
			return sl_err_set(err, -EINVAL, "usage",
					  "--%s needs --from: whose tunnel packets are accepted",
					  needs_from[i]);
	return 0;
}

int sl_decap_options_read(const struct sl_args *args, struct sl_decap_options *ret,
			  struct sl_err *err)
{
	static struct sl_decap_options o; /* 12 KiB */
	const char *dir = sl_args_value(args, "pin-dir");
	int r;

	o = (struct sl_decap_options){
		.ifname = args->n_words ? args->words[0] : NULL,
		.pin_dir = dir ? dir : SL_DECAP_PIN_DIR,
		.generic = sl_args_value(args, "generic") != NULL,
	};
	if (sl_args_value(args, "from"))
		o.act = SL_DECAP_APPLY;
	else if (sl_args_value(args, "off"))
		o.act = SL_DECAP_TAKE_OFF;
	r = check(args, &o, err);
	if (!r)
		r = read_list(args, "from", &o.told.from, err);
	if (!r)
		r = read_list(args, "to", &o.told.to, err);
	if (!r)
		r = read_port(args, &o.told.gue_port, err);
	if (!r)
		*ret = o;
	return r;
}
