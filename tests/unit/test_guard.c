/* SPDX-License-Identifier: BSD-2-Clause */
/* guard: rates to costs, prefixes to entries and bits, what is past to nothing. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/codec.h"
#include "lb_user/domain/guard.h"
#include "lb_user/domain/validate.h"

/* ---- limits --------------------------------------------------------------- */

Test(guard, the_machine_is_told_by_its_ticks)
{
	static const struct {
		uint32_t shift, tick_ms, hz;
	} rows[] = { { 10, 4096, 250 }, { 9, 5120, 100 }, { 12, 4096, 1000 }, { 11, 6826, 300 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(sl_guard_machine_of(rows[i].shift, rows[i].tick_ms, 2).hz, rows[i].hz);
}

Test(guard, a_rate_is_a_cost_and_a_burst)
{
	struct sl_service_guard g = { .source.packets = { 1000, 200 },
				      .network.flows = { 1, 60 },
				      .service.packets = { 100000, 20000 },
				      .service.flows = { 10, 10 } };
	struct sl_guard_machine m = { .hz = 250, .cpus = 4 };
	struct sl_guard_rec rec;

	sl_guard_fill(&g, &m, &rec);
	cr_expect_eq(rec.source[SL_GUARD_NARROW][SL_GUARD_PACKETS], SL_GUARD_LIMIT(16384, 3276800));
	cr_expect_eq(rec.source[SL_GUARD_NARROW][SL_GUARD_FLOWS], 0);
	cr_expect_eq(rec.source[SL_GUARD_WIDE][SL_GUARD_FLOWS],
		     SL_GUARD_LIMIT(250u << 16, 60 * (250u << 16)));
	cr_expect_eq(SL_GUARD_SHARE_COST(rec.share[SL_GUARD_PACKETS]), 671089); /* 2^28 / 400 */
	cr_expect_eq(SL_GUARD_SHARE_BATCH(rec.share[SL_GUARD_PACKETS]), SL_GUARD_BATCH_MAX);
	cr_expect_eq(rec.burst[SL_GUARD_PACKETS], 671089ull * 20000);
	cr_expect_eq(SL_GUARD_SHARE_BATCH(rec.share[SL_GUARD_FLOWS]), 1, "a small burst is exact");
}

/* The largest of all that validation lets through must fit its words. */
Test(guard, the_extremes_fit)
{
	static const uint32_t rates[] = { 1, 7, 999, 100000, SL_GUARD_SOURCE_RATE_MAX };
	static const uint32_t hz[] = { 100, 250, 300, 1000 };

	for (size_t i = 0; i < 5; i++)
		for (size_t k = 0; k < 4; k++) {
			struct sl_rate r = { rates[i], rates[i] * SL_GUARD_BURST_MAX_S };
			struct sl_service_guard g = { .source.packets = r, .service.packets = r };
			struct sl_guard_machine m = { .hz = hz[k], .cpus = 1 };
			struct sl_guard_rec rec;
			uint64_t limit;
			double is;

			sl_guard_fill(&g, &m, &rec);
			limit = rec.source[SL_GUARD_NARROW][SL_GUARD_PACKETS];
			cr_expect_eq(SL_GUARD_BURST(limit), SL_GUARD_COST(limit) * r.burst);
			is = 65536.0 * hz[k] / (double)SL_GUARD_COST(limit);
			cr_expect(is > rates[i] * 0.98 && is < rates[i] * 1.02, "%u at HZ %u: %f",
				  rates[i], hz[k], is);
			cr_expect_eq(rec.burst[SL_GUARD_PACKETS] /
					     SL_GUARD_SHARE_COST(rec.share[SL_GUARD_PACKETS]),
				     r.burst);
		}
}

/* ---- lists ------------------------------------------------------------------ */

static struct sl_prefix prefix(const char *text)
{
	struct sl_prefix p;

	cr_assert_eq(sl_prefix_parse(text, &p), 0, "%s", text);
	return p;
}

static bool indexed(const uint64_t *index, const char *addr)
{
	bool v6 = strchr(addr, ':');
	uint8_t byte_be[16] = {};
	uint64_t word;
	uint32_t at;

	cr_assert_eq(inet_pton(v6 ? AF_INET6 : AF_INET, addr, byte_be), 1);
	memcpy(&word, byte_be, 8);
	at = v6 ? sl_guard_index6(word) : sl_guard_index4(word);
	return index[at >> 6] >> (at & 63) & 1;
}

/* @list is denied; each of @inside must be marked, @outside must not. */
static void check_index(const char *list, const char *const *inside, const char *const *outside)
{
	struct sl_prefix p = prefix(list);
	struct sl_guard_lists l = { .deny = &p, .n_deny = 1 };
	uint64_t *index = calloc(SL_GUARD_INDEX_WORDS, sizeof(*index));

	sl_guard_fill_index(&l, index);
	for (; *inside; inside++)
		cr_expect(indexed(index, *inside), "%s of %s", *inside, list);
	for (; *outside; outside++)
		cr_expect_not(indexed(index, *outside), "%s is not of %s", *outside, list);
	free(index);
}

#define SET(...)                  \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

Test(guard, the_index_has_every_address_that_may_match)
{
	check_index("203.0.113.0/24", SET("203.0.113.1", "203.0.0.0", "203.0.255.255"),
		    SET("203.1.0.0", "202.255.255.255", "2001:db8::1"));
	check_index("10.0.0.0/8", SET("10.0.0.0", "10.128.7.7", "10.255.255.255"),
		    SET("9.255.255.255", "11.0.0.0"));
	check_index("198.18.0.0/15", SET("198.18.0.0", "198.19.255.255"),
		    SET("198.17.255.255", "198.20.0.0"));
	check_index("0.0.0.0/0", SET("0.0.0.0", "127.255.1.1", "255.255.255.255"),
		    SET("::", "ff::"));
	check_index("2001:db8:1::/48", SET("2001:db8:1::", "2001:db8:ffff::1"),
		    SET("2001:db9::", "2001:db7::", "32.1.13.184"));
	check_index("2001:db8::/31", SET("2001:db8::", "2001:db9:ffff::"), SET("2001:dba::"));
	check_index("2400::/12", SET("2400::", "240f:ffff::", "2407:1234::"), SET("1.2.3.4"));
	check_index("::/0", SET("::", "8000::", "ffff:ffff::"), SET("1.2.3.4"));
}

Test(guard, entries_are_the_maps)
{
	struct sl_prefix allow = prefix("2001:db8::/32"),
			 deny[] = { prefix("192.0.2.0/24"), prefix("192.0.2.1/32") };
	struct sl_guard_lists l = { .allow = &allow, .n_allow = 1, .deny = deny, .n_deny = 2 };
	struct sl_guard_prefix e[3];

	cr_assert_eq(sl_guard_listed(&l), 3);
	sl_guard_entries(&l, e);
	cr_expect(e[0].verdict == SL_GUARD_ALLOW && e[0].key.bits == 64 && e[0].key.family == 6);
	cr_expect_arr_eq(e[0].key.addr_be, "\x20\x01\x0d\xb8\0\0\0\0", 8);
	cr_expect(e[1].verdict == SL_GUARD_DENY && e[1].key.bits == 56 && e[1].key.family == 4);
	cr_expect(e[2].key.bits == 64 && !e[2].key.addr_be[1]);
}

Test(guard, needed_when_anything_is_limited_or_listed)
{
	struct sl_prefix p = prefix("192.0.2.0/24");
	struct sl_service s = { .name = "web" };
	struct sl_config c = { .services = &s, .n_services = 1 };

	cr_expect_not(sl_guard_needed(&c));
	s.guard.dry_run = true; /* alone it does nothing */
	cr_expect_not(sl_guard_needed(&c));
	s.guard.network.flows.per_s = 1;
	cr_expect(sl_guard_needed(&c));
	s.guard.network.flows.per_s = 0;
	c.guard = (struct sl_guard_lists){ .allow = &p, .n_allow = 1 };
	cr_expect(sl_guard_needed(&c));
}

Test(guard, a_sweep_leaves_what_is_ahead)
{
	struct sl_guard_set set = {};
	uint64_t now = 1000ull << SL_GUARD_SHIFT, tag = 1ull << 62;

	set.word[0] = tag | (now + 1);
	set.word[1] = tag | now;
	set.word[2] = tag | (now - 1);
	set.word[3] = tag | (now + (1ull << SL_GUARD_LIVE_BITS) - 1);
	set.word[4] = tag | (now + (1ull << SL_GUARD_LIVE_BITS));
	set.word[7] = tag | ((now - (1ull << 39)) & SL_GUARD_TIME_MASK);
	cr_expect_eq(sl_guard_sweep(&set, 1, 1000), 3);
	cr_expect(set.word[0] && set.word[1] && set.word[3]);
	cr_expect(!set.word[2] && !set.word[4] && !set.word[7]);
}

/* ---- what may be declared ------------------------------------------------------- */

#define SERVICE(proto, guard)                                                                  \
	"{\"name\":\"web\",\"address\":\"192.0.2.10\",\"port\":80,\"protocol\":\"" proto "\"," \
	"\"guard\":" guard "}"

static void refused(const char *text, const char *pointer, const char *part)
{
	struct sl_service s = {};
	struct sl_err err = {};

	cr_assert_lt(sl_codec_read_service(text, strlen(text), NULL, &s, &err), 0, "%s", text);
	cr_expect_str_eq(err.pointer, pointer);
	cr_expect(strstr(err.detail, part), "\"%s\" does not say \"%s\"", err.detail, part);
	cr_expect(strstr(err.detail, "web"), "\"%s\" does not name the service", err.detail);
}

Test(guard, limits_that_cannot_be_are_refused_with_the_reason)
{
	refused(SERVICE("tcp", "{\"source\":{\"packets_per_s\":200001}}"),
		"/guard/source/packets_per_s", "200000");
	refused(SERVICE("tcp", "{\"network\":{\"flows_per_s\":300000}}"),
		"/guard/network/flows_per_s", "200000");
	refused(SERVICE("tcp", "{\"service\":{\"flows_per_s\":100000001,\"flows_burst\":9999999}}"),
		"/guard/service/flows_per_s", "100000000");
	refused(SERVICE("tcp", "{\"source\":{\"flows_burst\":5}}"), "/guard/source/flows_burst",
		"flows_per_s");
	refused(SERVICE("tcp", "{\"source\":{\"packets_per_s\":1000,\"packets_burst\":9}}"),
		"/guard/source/packets_burst", "at least 10");
	refused(SERVICE("tcp", "{\"source\":{\"packets_per_s\":5,\"packets_burst\":0}}"),
		"/guard/source/packets_burst", "at least 1");
	refused(SERVICE("tcp", "{\"source\":{\"packets_per_s\":2,\"packets_burst\":121}}"),
		"/guard/source/packets_burst", "at most 120");
	refused(SERVICE("udp\",\"udp_flows\":\"none", "{\"service\":{\"flows_per_s\":5}}"),
		"/guard/service/flows_per_s", "packets_per_s");
	refused(SERVICE("tcp", "{\"sources\":{}}"), "/guard/sources", "source");
	refused(SERVICE("tcp", "{\"dry_run\":1}"), "/guard/dry_run", "true or false");
	refused(SERVICE("tcp", "{\"source\":{\"flows_per_s\":1.5}}"), "/guard/source/flows_per_s",
		"integer");
}

Test(guard, the_edges_are_taken)
{
	static const char *const good[] = {
		SERVICE("tcp", "{\"source\":{\"packets_per_s\":200000,\"packets_burst\":2000}}"),
		SERVICE("tcp", "{\"source\":{\"packets_per_s\":2,\"packets_burst\":120}}"),
		SERVICE("tcp", "{\"service\":{\"flows_per_s\":100000000}}"),
		SERVICE("udp", "{\"service\":{\"flows_per_s\":0,\"flows_burst\":0}}"),
		SERVICE("udp\",\"udp_flows\":\"none", "{\"network\":{\"packets_per_s\":5}}"),
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct sl_service s = {};
		struct sl_err err = {};

		cr_expect_eq(sl_codec_read_service(good[i], strlen(good[i]), NULL, &s, &err), 0,
			     "%s", err.detail);
		sl_service_done(&s);
	}
}

static void lists_refused(const char *text, const char *pointer, const char *part)
{
	struct sl_guard_lists l = {};
	struct sl_config c = {};
	struct sl_err err = {};
	char whole[400], below[80];

	cr_assert_lt(sl_codec_read_guard_lists(text, strlen(text), &l, &err), 0, "%s", text);
	cr_expect_str_eq(err.pointer, pointer);
	cr_expect(strstr(err.detail, part), "\"%s\" does not say \"%s\"", err.detail, part);
	snprintf(whole, sizeof(whole), "{\"guard\":%s}", text);
	snprintf(below, sizeof(below), "/guard%s", pointer);
	cr_assert_lt(sl_codec_read_config(whole, strlen(whole), &c, &err), 0);
	cr_expect_str_eq(err.pointer, below);
}

Test(guard, lists_that_contradict_themselves_are_refused)
{
	lists_refused("{\"deny\":[\"192.0.2.0/24\",\"10.0.0.0/8\",\"192.0.2.0/24\"]}", "/deny/2",
		      "twice");
	lists_refused("{\"allow\":[\"::/0\"],\"deny\":[\"2001:db8::/32\",\"::/0\"]}", "/deny/1",
		      "both");
	lists_refused("{\"deny\":[\"192.0.2.1/24\"]}", "/deny/0", "192.0.2.0/24");
	lists_refused("{\"deny\":[\"everyone\"]}", "/deny/0", "not a prefix");
	lists_refused("{\"allow\":[7]}", "/allow/0", "string");
	lists_refused("{\"allowed\":[]}", "/allowed", "allow");
	lists_refused("{\"deny\":\"::/0\"}", "/deny", "array");
}

Test(guard, more_prefixes_than_fit_are_refused)
{
	struct sl_prefix *many = calloc(SL_PREFIXES_MAX + 1, sizeof(*many));
	struct sl_guard_lists l = { .deny = many, .n_deny = SL_PREFIXES_MAX + 1 };
	struct sl_err err = {};

	for (uint32_t i = 0; i <= SL_PREFIXES_MAX; i++) {
		many[i] = prefix("0.0.0.0/32");
		many[i].addr.byte_be[2] = (uint8_t)(i >> 8);
		many[i].addr.byte_be[3] = (uint8_t)i;
	}
	cr_expect_eq(sl_validate_lists(&l, &err), -EINVAL);
	cr_expect(strstr(err.detail, "16384"), "%s", err.detail);
	l.n_deny--;
	cr_expect_eq(sl_validate_lists(&l, &err), 0);
	free(many);
}

Test(guard, what_is_written_is_read_back)
{
	static const char text[] =
		"{\"guard\":{\"deny\":[\"203.0.113.0/24\",\"10.0.0.0/8\"],\"allow\":[\"::1\"]},"
		"\"services\":[" SERVICE(
			"tcp",
			"{\"dry_run\":true,\"source\":{\"packets_per_s\":7,\"flows_per_s\":5,"
			"\"flows_burst\":9},\"service\":{\"packets_per_s\":1000}}") "]}";
	struct sl_config c = {}, copy = {};
	struct sl_err err = {};
	char *once, *twice;
	size_t len;

	cr_assert_eq(sl_codec_read_config(text, strlen(text), &c, &err), 0, "%s", err.detail);
	cr_expect_eq(c.services[0].guard.source.packets.burst, 7, "a burst is a second's");
	cr_expect_eq(c.services[0].guard.source.flows.burst, 9);
	cr_assert_eq(sl_config_copy(&c, &copy), 0);
	cr_assert_eq(sl_codec_write_config(&c, &once, &len), 0);
	sl_config_done(&c);
	cr_assert_eq(sl_codec_read_config(once, len, &c, &err), 0, "%s", err.detail);
	cr_assert_eq(sl_codec_write_config(&copy, &twice, &len), 0);
	cr_expect_str_eq(once, twice);
	cr_expect(sl_guard_lists_equal(&c.guard, &copy.guard));
	cr_expect_eq(c.guard.deny[0].addr.byte_be[0], 10, "in order");
	cr_expect(c.services[0].guard.dry_run);
	free(once);
	free(twice);
	sl_config_done(&c);
	sl_config_done(&copy);
}
