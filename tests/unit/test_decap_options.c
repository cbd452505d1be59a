/* SPDX-License-Identifier: BSD-2-Clause */
/* decap_options: from the words of `sluicectl decap` to what the program is told. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/ctl/decap_options.h"

static const struct sl_flag flags[] = {
	{ "from", 0, "CIDR,...", "" }, { "to", 0, "ADDR,...", "" }, { "gue-port", 0, "N", "" },
	{ "generic", 0, NULL, "" },    { "off", 0, NULL, "" },	    { "pin-dir", 0, "DIR", "" },
	{ NULL, 0, NULL, NULL },
};

static struct sl_decap_options got;
static struct sl_err err;

/* @line: words separated by single spaces. */
static int options(const char *line)
{
	const struct sl_flag *lists[] = { flags };
	static char text[16384];
	char *argv[64] = { (char *)"sluicectl" };
	struct sl_args args;
	int argc = 1, r;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	err = (struct sl_err){};
	cr_assert_eq(sl_args_parse(argc, argv, lists, 1, &args, &err), 0, "%s", err.detail);
	memset(&got, 0x5a, sizeof(got));
	r = sl_decap_options_read(&args, &got, &err);
	sl_args_done(&args);
	return r;
}

static const char *text_of(const struct sl_decap_prefixes *list, unsigned i)
{
	static char buf[SL_PREFIX_STRLEN];

	return i < list->n ? sl_prefix_format(&list->at[i], buf) : "none";
}

Test(decap_options, shows)
{
	cr_assert_eq(options(""), 0);
	cr_assert_eq(got.act, SL_DECAP_SHOW);
	cr_assert_null(got.ifname);
	cr_assert_str_eq(got.pin_dir, "/sys/fs/bpf/sluice-decap");
	cr_assert_eq(options("eth0 --pin-dir /x"), 0);
	cr_assert_eq(got.act, SL_DECAP_SHOW);
	cr_assert_str_eq(got.ifname, "eth0");
	cr_assert_str_eq(got.pin_dir, "/x");
}

Test(decap_options, tells)
{
	cr_assert_eq(options("eth0 --from 10.0.0.0/24,2001:db8::/64,10.1.0.1"), 0, "%s",
		     err.detail);
	cr_assert_eq(got.act, SL_DECAP_APPLY);
	cr_assert_eq(got.told.from.n, 3);
	cr_assert_str_eq(text_of(&got.told.from, 0), "10.0.0.0/24");
	cr_assert_str_eq(text_of(&got.told.from, 1), "2001:db8::/64");
	cr_assert_str_eq(text_of(&got.told.from, 2), "10.1.0.1/32");
	cr_assert_eq(got.told.to.n, 0);
	cr_assert_eq(got.told.gue_port, 6080);
	cr_assert_not(got.generic);
	cr_assert_eq(
		options("--from ::1 eth0 --to 192.0.2.1,2001:db8::1 --gue-port 65535 --generic"),
		0);
	cr_assert_eq(got.told.to.n, 2);
	cr_assert_str_eq(text_of(&got.told.to, 1), "2001:db8::1/128");
	cr_assert_eq(got.told.gue_port, 65535);
	cr_assert(got.generic);
}

Test(decap_options, several_flags_add_up_and_doubles_do_not)
{
	cr_assert_eq(options("eth0 --from 10.0.0.1 --from 10.0.0.2,10.0.0.1 --from 10.0.0.1/32"),
		     0);
	cr_assert_eq(got.told.from.n, 2);
	cr_assert_eq(options("eth0 --from 0.0.0.0/0,::/0"), 0);
	cr_assert_eq(got.told.from.n, 2);
}

Test(decap_options, takes_off)
{
	cr_assert_eq(options("eth0 --off"), 0);
	cr_assert_eq(got.act, SL_DECAP_TAKE_OFF);
}

static const struct {
	const char *line, *says;
} wrong[] = {
	{ "--from 10.0.0.1", "--from needs an interface" },
	{ "--off", "--off needs an interface" },
	{ "eth0 --from 10.0.0.1 --off", "want one of them" },
	{ "eth0 --generic", "--generic needs --from" },
	{ "eth0 --to 192.0.2.1", "--to needs --from" },
	{ "eth0 --off --gue-port 6081", "--gue-port needs --from" },
	{ "eth0 --from 10.0.0.1/24", "did you mean 10.0.0.0/24?" },
	{ "eth0 --from 10.0.0.1/33", "\"10.0.0.1/33\": want an address or prefix" },
	{ "eth0 --from 10.0.0", "want an address or prefix" },
	{ "eth0 --from balancer.example", "want an address or prefix" },
	{ "eth0 --from 10.0.0.1,", "--from \"\": want" },
	{ "eth0 --from ,10.0.0.1", "--from \"\": want" },
	{ "eth0 --from=", "--from \"\": want" },
	{ "eth0 --from ::ffff:10.0.0.1", "want an address or prefix" },
	{ "eth0 --from fe80::1%eth0", "want an address or prefix" },
	{ "eth0 --from 224.0.0.1", "a multicast address" },
	{ "eth0 --from 10.0.0.1 --to 192.0.2.300", "--to \"192.0.2.300\"" },
	{ "eth0 --from 10.0.0.1 --gue-port 0", "--gue-port 0: want a port" },
	{ "eth0 --from 10.0.0.1 --gue-port 65536", "want a port, 1 to 65535" },
	{ "eth0 --from 10.0.0.1 --gue-port -1", "want a port" },
	{ "eth0 --from 10.0.0.1 --gue-port 6080x", "want a port" },
	{ "eth0 --from "
	  "2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee",
	  "no address or prefix" },
};

Test(decap_options, refuses_what_makes_no_sense)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct sl_decap_options untouched;

		memset(&untouched, 0x5a, sizeof(untouched));
		cr_expect_eq(options(wrong[i].line), -EINVAL, "%s", wrong[i].line);
		cr_expect(strstr(err.detail, wrong[i].says), "%s: %s", wrong[i].line, err.detail);
		cr_expect(!memcmp(&got, &untouched, sizeof(got)), "%s: written", wrong[i].line);
	}
}

Test(decap_options, as_many_as_the_program_holds)
{
	struct sl_decap_prefixes list = {};
	char text[24];

	for (unsigned i = 0; i < SL_DECAP_PREFIXES_MAX; i++) {
		snprintf(text, sizeof(text), "10.1.%u.%u", i / 256, i % 256);
		cr_assert_eq(sl_decap_options_prefixes("from", text, &list, &err), 0);
	}
	cr_assert_eq(sl_decap_options_prefixes("from", "10.1.0.7", &list, &err), 0,
		     "one that is there already needs no room");
	cr_assert_eq(sl_decap_options_prefixes("from", "10.2.0.0", &list, &err), -E2BIG);
	cr_assert_eq(list.n, SL_DECAP_PREFIXES_MAX);
	cr_assert(strstr(err.detail, "more than 256 prefixes"), "%s", err.detail);
}
