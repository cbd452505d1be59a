/* SPDX-License-Identifier: BSD-2-Clause */
/* Large, damaged and hostile documents, and a machine without memory. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/codec.h"

/* From the top of the tree, where the tests are run. */
#define EXAMPLE "deploy/config/sluiced.example.json"

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	cr_assert_not_null(f, "%s", path);
	*ret_len = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	return text;
}

Test(codec_abuse, the_example_is_right)
{
	struct sl_config c;
	struct sl_err e = { 0 };
	struct sl_addr vip;
	size_t len;
	char *text = read_file(EXAMPLE, &len);

	cr_assert_eq(sl_codec_read_config(text, len, &c, &e), 0, "%s %s", e.pointer, e.detail);
	cr_assert_eq(c.n_interfaces, 1);
	cr_assert_str_eq(c.interfaces[0].name, "lb0");
	cr_assert_eq(c.interfaces[0].mode, SL_MODE_NATIVE);
	cr_assert_eq(c.n_services, 1);
	cr_assert_str_eq(c.services[0].name, "web");
	cr_assert_eq(sl_addr_parse("192.0.2.10", &vip), 0);
	cr_assert(sl_addr_equal(&c.services[0].addr, &vip));
	cr_assert_eq(c.services[0].port, 80);
	cr_assert_eq(c.services[0].proto, SL_PROTO_TCP);
	cr_assert_eq(c.services[0].idle_timeout_s, 10);
	cr_assert_eq(c.services[0].check.type, SL_CHECK_HTTP);
	cr_assert_str_eq(c.services[0].check.path, "/");
	cr_assert_eq(c.services[0].check.interval_ms, 200);
	cr_assert_eq(c.services[0].check.timeout_ms, 150);
	cr_assert_eq(c.services[0].check.rise, 2);
	cr_assert_eq(c.services[0].check.fall, 2);
	cr_assert_eq(c.services[0].n_backends, 0);
	sl_config_done(&c);
	free(text);
}

static struct sl_config grid(unsigned services, unsigned backends)
{
	struct sl_config c = { .services = calloc(services, sizeof(*c.services)) };
	struct sl_service *s;
	struct sl_backend *b;
	unsigned i, k;

	for (i = 0; i < services; i++) {
		s = &c.services[c.n_services++];
		sl_service_defaults(s);
		snprintf(s->name, sizeof(s->name), "s%05u", i);
		s->addr =
			(struct sl_addr){ AF_INET,
					  { 172, 16, (uint8_t)(i / 250), (uint8_t)(i % 250 + 1) } };
		s->port = 80;
		s->backends = calloc(backends, sizeof(*b));
		for (k = 0; k < backends; k++) {
			b = &s->backends[s->n_backends++];
			sl_backend_defaults(b);
			snprintf(b->name, sizeof(b->name), "b%05u", k);
			b->addr = (struct sl_addr){ AF_INET,
						    { 10, (uint8_t)(i % 250), (uint8_t)(k / 250),
						      (uint8_t)(k % 250 + 1) } };
			b->port = 80;
		}
	}
	return c;
}

static void round_trip(unsigned services, unsigned backends)
{
	struct sl_config c = grid(services, backends), d;
	struct sl_err e = { 0 };
	char *text;
	size_t len;

	cr_assert_eq(sl_codec_write_config(&c, &text, &len), 0);
	cr_assert(len < 16u << 20, "%zu bytes are more than the store takes", len);
	cr_assert_eq(sl_codec_read_config(text, len, &d, &e), 0, "%s %s", e.pointer, e.detail);
	cr_assert_eq(d.n_services, services);
	cr_assert_eq(d.services[services - 1].n_backends, backends);
	cr_assert_str_eq(d.services[services - 1].backends[backends - 1].name,
			 c.services[services - 1].backends[backends - 1].name);
	free(text);
	sl_config_done(&c);
	sl_config_done(&d);
}

Test(codec_abuse, large_configurations, .timeout = 20)
{
	round_trip(200, 20); /* more than 20,000 nodes */
	round_trip(4095, 8); /* all services and nearly all backends there can be */
	round_trip(2, 16000);
}

Test(codec_abuse, more_than_there_can_be)
{
	struct sl_config c = grid(1, 1), d;
	struct sl_err e;
	char *text = malloc(3 << 20);
	size_t used, i;

	sl_config_done(&c);
	used = (size_t)snprintf(text, 64, "{\"services\":[0");
	for (i = 1; i < 1000000; i++) {
		text[used++] = ',';
		text[used++] = '0';
	}
	memcpy(text + used, "]}", 2);
	cr_assert_eq(sl_codec_read_config(text, used + 2, &d, &e), -EINVAL);
	cr_assert_str_eq(e.pointer, "/services");
	cr_assert_not_null(strstr(e.detail, "4095"), "%s", e.detail);
	free(text);
}

/* Every prefix, and damage at random: an error or a valid document, never a crash (ASan). */
Test(codec_abuse, damaged_documents)
{
	uint64_t seed = 20261123, x = seed;
	struct sl_config c = grid(2, 2), d;
	char *text, *copy, *again;
	size_t len, cut, k, n, whole = 0;
	struct sl_err e;
	int r;

	fprintf(stderr, "# seed %llu\n", (unsigned long long)seed);
	c.services[0].backends[1].admin = SL_ADMIN_DRAIN;
	cr_assert_eq(sl_codec_write_config(&c, &text, &len), 0);
	for (cut = 0; cut < len - 1; cut++) {
		copy = malloc(cut + 1);
		memcpy(copy, text, cut);
		r = sl_codec_read_config(copy, cut, &d, &e);
		free(copy);
		cr_assert_eq(r, -EBADMSG, "a prefix of %zu bytes: %d", cut, r);
	}
	copy = malloc(len);
	for (k = 0; k < 60000; k++) {
		memcpy(copy, text, len);
		for (n = 0; n < 1 + k % 3; n++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			copy[(x >> 32) % len] =
				(x & 1) ? (char)(x >> 8) : "\"{}[]:,0159-.et \\u"[(x >> 8) % 18];
		}
		r = sl_codec_read_config(copy, len, &d, &e);
		if (r < 0) {
			cr_assert_eq(r, e.code);
			cr_assert(*e.slug && *e.detail);
			continue;
		}
		whole++;
		cr_assert_eq(sl_codec_write_config(&d, &again, &cut), 0);
		free(again);
		sl_config_done(&d);
	}
	cr_assert(whole > 100, "only %zu survived", whole);
	free(copy);
	free(text);
	sl_config_done(&c);
}

static long allocations_left;

static void *scarce_malloc(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

/* The n-th allocation of cJSON fails: -ENOMEM, nothing written, nothing lost (ASan sees leaks). */
Test(codec_abuse, memory_runs_out)
{
	cJSON_Hooks hooks = { .malloc_fn = scarce_malloc, .free_fn = free };
	struct sl_config c = grid(2, 2), d, before;
	char *text = NULL, *out;
	size_t len = 0, out_len;
	struct sl_err e;
	long n;
	int r;

	c.interfaces = calloc(1, sizeof(*c.interfaces));
	c.n_interfaces = 1;
	snprintf(c.interfaces[0].name, SL_IFNAME_LEN, "eth0");
	c.services[1].backends[0].admin = SL_ADMIN_DRAIN;
	cr_assert_eq(sl_codec_write_config(&c, &text, &len), 0);
	memset(&before, 0x5a, sizeof(before));
	cJSON_InitHooks(&hooks);
	for (n = 0, r = -ENOMEM; r == -ENOMEM; n++) {
		allocations_left = n;
		out = NULL;
		r = sl_codec_write_config(&c, &out, &out_len);
		cr_assert(r == -ENOMEM ? !out : !strcmp(out, text), "allocation %ld", n);
		free(out);
	}
	cr_assert_eq(r, 0);
	cr_assert(n > 100);
	for (n = 0, r = -ENOMEM; r == -ENOMEM; n++) {
		allocations_left = n;
		d = before;
		r = sl_codec_read_config(text, len, &d, &e);
		cr_assert(r == 0 || r == e.code);
		cr_assert(r == 0 || !memcmp(&d, &before, sizeof(d)));
	}
	cr_assert_eq(r, 0, "allocation %ld: %s", n, e.detail);
	cr_assert(n > 100);
	cJSON_InitHooks(NULL);
	free(text);
	sl_config_done(&c);
	sl_config_done(&d);
}
