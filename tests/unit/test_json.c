/* SPDX-License-Identifier: BSD-2-Clause */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/codec.h"

/*
 * The text is handed over in memory of exactly its size, without a 0 behind
 * it, so that ASan sees a read past the end.
 */
static int parse(const char *text, size_t len, struct cJSON **ret, struct sl_err *err)
{
	char *exact = malloc(len ? len : 1);
	int r;

	memcpy(exact, text, len);
	r = sl_json_parse(exact, len, ret, err);
	free(exact);
	return r;
}

static void take(const char *text)
{
	struct cJSON *tree = NULL;
	struct sl_err e = { 0 };

	cr_assert_eq(parse(text, strlen(text), &tree, &e), 0, "%s: %s", text, e.detail);
	cr_assert_not_null(tree);
	cJSON_Delete(tree);
}

static void refuse_bytes(const char *text, size_t len, const char *word)
{
	struct cJSON *tree = (struct cJSON *)0x1;
	struct sl_err e = { 0 };

	cr_assert_eq(parse(text, len, &tree, &e), -EBADMSG, "%s", text);
	cr_assert_eq(tree, (struct cJSON *)0x1, "written although it failed");
	cr_assert_str_eq(e.slug, "invalid-json");
	cr_assert_not_null(strstr(e.detail, word), "%s: \"%s\" is not in: %s", text, word,
			   e.detail);
	cr_assert_eq(sl_json_parse(text, len, &tree, NULL), -EBADMSG);
}

static void refuse(const char *text, const char *word)
{
	refuse_bytes(text, strlen(text), word);
}

Test(json, grammar)
{
	static const char *const rows[] = {
		"{}",
		"[]",
		"null",
		"true",
		"false",
		"0",
		"-0",
		"12",
		"1.5",
		"1e5",
		"1E+5",
		"1.25e-3",
		"\"\"",
		" \t\r\n{ } \n",
		"[1,2 , 3]",
		"{\"a\":1,\"b\":[{}]}",
		"[[],{}]",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
		"\"\\ud83d\\ude00\"",
		"\"\x7f\"",
		"{\"\":1}",
		"1e999",
		"-1e999",
		"123456789012345678901234567890123456789012345678901234567890123",
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		take(rows[i]);
}

Test(json, what_cjson_would_let_through)
{
	refuse("", "empty");
	refuse("   ", "ends where a value");
	refuse("{} x", "after the end");
	refuse("{}{}", "after the end");
	refuse("{}]", "after the end");
	refuse("01", "leading zeros");
	refuse("-01", "leading zeros");
	refuse("1.", "digit is missing");
	refuse("-", "digit is missing");
	refuse("-.5", "digit is missing");
	refuse("1e", "digit is missing");
	refuse("1e+", "digit is missing");
	refuse("+1", "expected a value");
	refuse(".5", "expected a value");
	refuse("0x10", "after the end");
	refuse("NaN", "expected a value");
	refuse("nul", "expected a value");
	refuse("True", "expected a value");
	refuse("nullx", "after the end");
	refuse("'a'", "expected a value");
	refuse("\"a\tb\"", "control character");
	refuse("\"a\nb\"", "control character");
	refuse("\v{}", "expected a value");
	refuse("{\"a\":1,}", "member name");
	refuse("[1,]", "expected a value");
	refuse("[1 2]", "expected ',' or ']'");
	refuse("{\"a\" 1}", "expected ':'");
	refuse("{\"a\":1 \"b\":2}", "expected ',' or '}'");
	refuse("{a:1}", "member name");
	refuse("{\"a\":}", "expected a value");
	refuse("[", "ends where a value");
	refuse("{", "member name");
	refuse("{\"a\"", "expected ':'");
	refuse("\"abc", "inside a string");
	refuse("\"abc\\", "unknown escape");
	refuse("/* c */ {}", "expected a value");
	refuse("\xef\xbb\xbf{}", "byte order mark");
	refuse("1234567890123456789012345678901234567890123456789012345678901234", "63");
	refuse_bytes("{}\0", 3, "after the end");
	refuse_bytes("\"a\0b\"", 5, "control character");
	refuse_bytes("\0", 1, "expected a value");
	cr_assert_eq(sl_json_parse(NULL, 0, NULL, NULL), -EBADMSG);
}

Test(json, escapes)
{
	refuse("\"\\u0000\"", "\\u0000");
	refuse("{\"a\\u0000b\":1}", "\\u0000");
	refuse("\"\\ud800\"", "high surrogate");
	refuse("\"\\ud800x\"", "high surrogate");
	refuse("\"\\ud800\\n\"", "high surrogate");
	refuse("\"\\ud800\\ud800\"", "high surrogate");
	refuse("\"\\ud800\\u0041\"", "high surrogate");
	refuse("\"\\ud800\\u00", "high surrogate");
	refuse("\"\\udc00\"", "low surrogate");
	refuse("\"\\udfff\\ud800\"", "low surrogate");
	refuse("\"\\u12g4\"", "four hexadecimal");
	refuse("\"\\u12", "four hexadecimal");
	refuse("\"\\x41\"", "unknown escape");
	refuse("\"\\U0041\"", "unknown escape");
	refuse_bytes("\"\\\0\"", 4, "unknown escape");
}

/* Every case of RFC 3629's table, at its edges. */
Test(json, utf8)
{
	static const char *const good[] = {
		"\"\xc2\x80\"",		"\"\xdf\xbf\"",		"\"\xe0\xa0\x80\"",
		"\"\xed\x9f\xbf\"",	"\"\xee\x80\x80\"",	"\"\xef\xbf\xbf\"",
		"\"\xf0\x90\x80\x80\"", "\"\xf4\x8f\xbf\xbf\"", "{\"\xc3\xa9\":\"\xe2\x82\xac\"}",
	};
	static const char *const bad[] = {
		"\"\x80\"",
		"\"\xbf\"",
		"\"\xc0\x80\"",
		"\"\xc1\xbf\"",
		"\"\xc2\"",
		"\"\xc2\x7f\"",
		"\"\xc2\xc0\"",
		"\"\xe0\x9f\xbf\"",
		"\"\xe0\x80\x80\"",
		"\"\xed\xa0\x80\"",
		"\"\xed\xbf\xbf\"",
		"\"\xe2\x82\"",
		"\"\xe2\x28\xa1\"",
		"\"\xf0\x8f\xbf\xbf\"",
		"\"\xf0\x90\x80\"",
		"\"\xf4\x90\x80\x80\"",
		"\"\xf5\x80\x80\x80\"",
		"\"\xf8\x88\x80\x80\x80\"",
		"\"\xfe\"",
		"\"\xff\"",
		"\"\xf0\x90\x28\xbc\"",
		"{\"\xff\":1}",
		"\"\xe2\x82",
		"\"\xf0\x9f\x98",
	};
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		take(good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuse(bad[i], "not UTF-8");
}

Test(json, place_of_the_fault)
{
	struct cJSON *tree;
	struct sl_err e;
	const char *text = "{\n  \"a\": 1,\n  \"b\": tru\n}";

	cr_assert_eq(parse(text, strlen(text), &tree, &e), -EBADMSG);
	cr_assert(!strncmp(e.detail, "line 3, column 8: ", 18), "%s", e.detail);
}

static char *nested(size_t depth, size_t *ret_len)
{
	char *text = malloc(2 * depth);

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	*ret_len = 2 * depth;
	return text;
}

Test(json, depth)
{
	static const size_t bad[] = { 17, 100, 1001, 500000 };
	struct cJSON *tree = NULL;
	struct sl_err e;
	char *text;
	size_t len, i;

	text = nested(16, &len);
	cr_assert_eq(parse(text, len, &tree, &e), 0);
	cJSON_Delete(tree);
	free(text);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		text = nested(bad[i], &len);
		cr_assert_eq(parse(text, len, &tree, &e), -EBADMSG);
		cr_assert_not_null(strstr(e.detail, "16 deep"), "%s", e.detail);
		free(text);
	}
	/* breadth is not depth */
	take("[[[[[[[[[[[[[[[1],[2]]]]]]]]]]]]]],[[[[[[[[[[[[[[[3]]]]]]]]]]]]]]]]");
}

/* An array of @n numbers is @n + 1 values. */
static char *array_of(size_t n, size_t *ret_len)
{
	char *text = malloc(2 * n + 2);
	size_t i;

	for (i = 0; i < n; i++) {
		text[2 * i] = i ? ',' : '[';
		text[2 * i + 1] = '7';
	}
	text[2 * n] = ']';
	*ret_len = 2 * n + 1;
	return text;
}

Test(json, nodes)
{
	struct cJSON *tree = NULL;
	struct sl_err e;
	size_t len;
	char *text;

	text = array_of(19999, &len);
	cr_assert_eq(parse(text, len, &tree, &e), 0);
	cr_assert_eq(cJSON_GetArraySize(tree), 19999);
	cJSON_Delete(tree);
	free(text);
	text = array_of(20000, &len);
	cr_assert_eq(parse(text, len, &tree, &e), -EBADMSG);
	cr_assert_not_null(strstr(e.detail, "split"), "%s", e.detail);
	free(text);
}

Test(json, twins)
{
	static const struct {
		const char *text, *pointer;
	} rows[] = {
		{ "{\"a\":1,\"a\":2}", "/a" },
		{ "{\"a\":1,\"b\":2,\"a\":1}", "/a" },
		{ "{\"a\":1,\"\\u0061\":2}", "/a" },
		{ "{\"\":1,\"\":2}", "/" },
		{ "{\"x\":[1,{\"b\":[],\"b\":{}}]}", "/x/1/b" },
		{ "[[{\"k\":{\"~/\":1,\"~/\":2}}]]", "/0/0/k/~0~1" },
		{ "{\"a\":{\"c\":1},\"b\":{\"c\":1,\"c\":1}}", "/b/c" },
	};
	struct cJSON *tree = (struct cJSON *)0x1;
	struct sl_err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(parse(rows[i].text, strlen(rows[i].text), &tree, &e), -EBADMSG, "%s",
			     rows[i].text);
		cr_assert_str_eq(e.slug, "invalid-json");
		cr_assert_str_eq(e.pointer, rows[i].pointer);
		cr_assert_not_null(strstr(e.detail, "twice"));
		cr_assert_eq(tree, (struct cJSON *)0x1);
	}
	take("{\"a\":1,\"A\":2}");
	take("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}");
	take("[{\"a\":1},{\"a\":1}]");
}

/*
 * A configuration may have many more nodes than a request. Comparing all pairs
 * of 200,000 names takes minutes.
 */
Test(json, large_objects_are_searched_fast, .timeout = 10)
{
	enum { N = 200000 };
	size_t cap = (size_t)N * 60 + 64, used;
	char *text = malloc(cap);
	struct sl_config c;
	struct sl_err e;
	int twin, i;

	for (twin = 0; twin < 2; twin++) {
		used = (size_t)snprintf(text, cap, "{");
		for (i = 0; i < N; i++)
			used += (size_t)snprintf(text + used, cap - used,
						 "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%d\":1,", i);
		used += (size_t)snprintf(text + used, cap - used,
					 "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%s\":1}",
					 twin ? "4711" : "x");
		cr_assert_eq(sl_codec_read_config(text, used, &c, &e), twin ? -EBADMSG : -ENOKEY);
		cr_assert_str_eq(e.pointer, twin ? "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa4711"
						 : "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0");
	}
	free(text);
}

/* A pointer too long to keep is cut, not overrun, and stays UTF-8. */
Test(json, long_names)
{
	char text[9000];
	struct cJSON *tree;
	struct sl_err e;
	size_t i, k, used;
	int n;

	for (n = 150; n < 700; n++) {
		used = (size_t)snprintf(text, sizeof(text), "{\"");
		for (k = 0; k < 2; k++) {
			for (i = 0; i < (size_t)n; i++)
				text[used++] = i % 7 ? '~' : '/';
			memcpy(text + used, "\xf0\x9f\x90\x8c", 4);
			used += 4;
			used += (size_t)snprintf(text + used, sizeof(text) - used,
						 k ? "\":2}" : "\":1,\"");
		}
		cr_assert_eq(parse(text, used, &tree, &e), -EBADMSG);
		cr_assert(strlen(e.pointer) < sizeof(e.pointer));
		cr_assert(strlen(e.pointer) > sizeof(e.pointer) - 6);
	}
}

/*
 * Bytes at random, biased to what JSON is made of. Whatever is accepted must
 * print and be accepted again; nothing may read past the end (ASan).
 */
Test(json, random_bytes)
{
	static const char *const pieces[] = { "{",	 "}",	   "[",		"]",	",",
					      ":",	 "\"",	   "\\",	"u",	"0",
					      "1",	 "-",	   ".",		"e",	"a",
					      "true",	 "null",   " ",		"\xc3", "\xa9",
					      "\"a\"",	 "\"b\":", "{\"c\":1}", "[]",	"\\ud83d",
					      "\\ude00", "\n",	   "\x01",	"\xed", "E+" };
	uint64_t seed = 20261123, x = seed;
	unsigned accepted = 0;
	struct cJSON *tree, *again;
	char text[400], *printed;
	size_t used, k, count;
	int i;

	for (i = 0; i < 300000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		count = (x >> 8) % 12;
		for (used = 0, k = 0; k < count; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			used += (size_t)snprintf(
				text + used, sizeof(text) - used, "%s",
				pieces[(x >> 20) % (sizeof(pieces) / sizeof(*pieces))]);
		}
		if (parse(text, used, &tree, NULL) < 0)
			continue;
		accepted++;
		printed = cJSON_PrintUnformatted(tree);
		cr_assert_not_null(printed);
		cr_assert_eq(sl_json_parse(printed, strlen(printed), &again, NULL), 0,
			     "seed %llu, round %d: %s", (unsigned long long)seed, i, printed);
		cr_assert(cJSON_Compare(tree, again, 1));
		free(printed);
		cJSON_Delete(tree);
		cJSON_Delete(again);
	}
	cr_assert(accepted > 1000, "only %u documents", accepted);
}
