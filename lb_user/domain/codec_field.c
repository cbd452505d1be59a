/* SPDX-License-Identifier: BSD-2-Clause */
/* codec_field: typed access to the members of one object, and its messages. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lb_user/domain/codec_internal.h"

int sl_text_clip(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len > max) {
		len = max;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	return (int)len;
}

static size_t put_key(const char *key, char *buf, size_t size, size_t used)
{
	const char *p, *code;

	for (p = key; *p && used + 2 < size; p++) {
		code = *p == '~' ? "~0" : *p == '/' ? "~1" : NULL;
		if (code) {
			buf[used++] = code[0];
			buf[used++] = code[1];
		} else {
			buf[used++] = *p;
		}
	}
	return used;
}

static size_t put_step(const char *key, size_t index, char *buf, size_t size, size_t used)
{
	char number[24];

	snprintf(number, sizeof(number), "%zu", index);
	if (used + 1 < size)
		buf[used++] = '/';
	return put_key(key ? key : number, buf, size, used);
}

/* Recursion ends at SL_JSON_DEPTH_MAX. */
static size_t put_place(const struct sl_at *at, char *buf, size_t size)
{
	if (!at->up)
		return 0;
	return put_step(at->key, at->index, buf, size, put_place(at->up, buf, size));
}

void sl_at_pointer(const struct sl_at *at, const char *key, char *buf, size_t size)
{
	size_t used = put_place(at, buf, size);

	if (key)
		used = put_step(key, 0, buf, size, used);
	buf[used] = 0;
}

int sl_at_fail(const struct sl_at *at, const char *key, int code, struct sl_err *err,
	       const char *fmt, ...)
{
	char pointer[SL_POINTER_ROOM], text[sizeof(err->detail)];
	const char *slug = "validation-failed";
	va_list args;

	if (!err)
		return code;
	if (code == -EPROTO)
		slug = "wrong-type";
	else if (code == -ENOKEY)
		slug = "unknown-member";
	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = 0;
	va_end(args);
	sl_at_pointer(at, key, pointer, sizeof(pointer));
	return sl_err_at(err, code, slug, pointer, "%s%s%s", at->subject ? at->subject : "",
			 at->subject ? ": " : "", text);
}

static const char *type_name(const cJSON *node)
{
	if (cJSON_IsString(node))
		return "a string";
	if (cJSON_IsNumber(node))
		return "a number";
	if (cJSON_IsObject(node))
		return "an object";
	if (cJSON_IsArray(node))
		return "an array";
	return cJSON_IsNull(node) ? "null" : "a boolean";
}

static const cJSON *get(const struct sl_at *at, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(at->node, key);
}

static int wrong_type(const struct sl_at *at, const char *key, const cJSON *node,
		      const char *wanted, struct sl_err *err)
{
	if (cJSON_IsNull(node))
		return sl_at_fail(at, key, -EPROTO, err, "%s is null; give %s, or leave it out",
				  key, wanted);
	return sl_at_fail(at, key, -EPROTO, err, "%s is %s; it must be %s", key, type_name(node),
			  wanted);
}

int sl_field_object(const struct sl_at *at, struct sl_err *err)
{
	if (cJSON_IsObject(at->node))
		return 0;
	return sl_at_fail(at, NULL, -EPROTO, err, "there is %s where an object must be",
			  type_name(at->node));
}

int sl_field_required(const struct sl_at *at, const char *key, struct sl_err *err)
{
	if (get(at, key))
		return 0;
	return sl_at_fail(at, key, -EINVAL, err, "member \"%s\" is missing; add it", key);
}

int sl_field_text(const struct sl_at *at, const char *key, char *ret, size_t size,
		  struct sl_err *err)
{
	const cJSON *node = get(at, key);
	const unsigned char *p;
	size_t len;

	if (!node)
		return 0;
	if (!cJSON_IsString(node))
		return wrong_type(at, key, node, "a string", err);
	len = strlen(node->valuestring);
	if (len >= size)
		return sl_at_fail(at, key, -EINVAL, err, "%s has %zu bytes; at most %zu fit", key,
				  len, size - 1);
	for (p = (const unsigned char *)node->valuestring; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			return sl_at_fail(at, key, -EINVAL, err,
					  "%s holds a control character (byte 0x%02x); leave it "
					  "out",
					  key, *p);
	memcpy(ret, node->valuestring, len + 1);
	return 1;
}

int sl_field_number(const struct sl_at *at, const char *key, uint64_t min, uint64_t max,
		    uint64_t *ret, struct sl_err *err)
{
	const cJSON *node = get(at, key);
	double v;

	if (!node)
		return 0;
	if (!cJSON_IsNumber(node))
		return wrong_type(at, key, node, "an integer", err);
	v = node->valuedouble; /* valueint saturates */
	if (!(v >= (double)min && v <= (double)max))
		return sl_at_fail(at, key, -EINVAL, err,
				  "%s %.15g is outside %llu to %llu; take one within", key, v,
				  (unsigned long long)min, (unsigned long long)max);
	if ((double)(uint64_t)v != v)
		return sl_at_fail(at, key, -EINVAL, err, "%s %.15g is not an integer; round it",
				  key, v);
	*ret = (uint64_t)v;
	return 1;
}

int sl_field_u16(const struct sl_at *at, const char *key, uint16_t min, uint16_t max, uint16_t *ret,
		 struct sl_err *err)
{
	uint64_t v = 0;
	int r = sl_field_number(at, key, min, max, &v, err);

	if (r > 0)
		*ret = (uint16_t)v;
	return r;
}

int sl_field_u32(const struct sl_at *at, const char *key, uint32_t *ret, struct sl_err *err)
{
	uint64_t v = 0;
	int r = sl_field_number(at, key, 0, UINT32_MAX, &v, err);

	if (r > 0)
		*ret = (uint32_t)v;
	return r;
}

int sl_field_addr(const struct sl_at *at, const char *key, struct sl_addr *ret, struct sl_err *err)
{
	const cJSON *node = get(at, key);

	if (!node)
		return 0;
	if (!cJSON_IsString(node))
		return wrong_type(at, key, node, "a string", err);
	if (sl_addr_parse(node->valuestring, ret) < 0)
		return sl_at_fail(at, key, -EINVAL, err,
				  "%s \"%.*s\" is not an IPv4 or IPv6 address; give the numeric "
				  "form, without port, prefix length or zone",
				  key, sl_text_clip(node->valuestring, 64), node->valuestring);
	return 1;
}

/* "250ms", "2s", "5m", "1h": digits without leading zeros and a unit. */
static bool duration_ms(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	uint64_t v = 0;
	size_t i;

	if (text[0] < '0' || text[0] > '9' || (text[0] == '0' && text[1] >= '0' && text[1] <= '9'))
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		v = v * 10 + (uint64_t)(*text - '0');
		if (v > UINT64_MAX / 10 / 3600000)
			return false;
	}
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!strcmp(text, units[i].unit)) {
			*ret_ms = v * units[i].ms;
			return true;
		}
	}
	return false;
}

static int field_duration(const struct sl_at *at, const char *key, uint32_t unit_ms, uint32_t *ret,
			  struct sl_err *err)
{
	const cJSON *node = get(at, key);
	uint64_t ms;
	int clip;

	if (!node)
		return 0;
	if (!cJSON_IsString(node))
		return wrong_type(at, key, node, "a duration such as \"250ms\" or \"2s\"", err);
	clip = sl_text_clip(node->valuestring, 32);
	if (!duration_ms(node->valuestring, &ms))
		return sl_at_fail(at, key, -EINVAL, err,
				  "%s \"%.*s\" is not a duration; write a whole number and a unit, "
				  "such as \"250ms\", \"2s\", \"5m\" or \"1h\"",
				  key, clip, node->valuestring);
	if (ms % unit_ms)
		return sl_at_fail(at, key, -EINVAL, err, "%s \"%.*s\" is not whole seconds", key,
				  clip, node->valuestring);
	if (ms / unit_ms > UINT32_MAX)
		return sl_at_fail(at, key, -EINVAL, err, "%s \"%.*s\" is too long", key, clip,
				  node->valuestring);
	*ret = (uint32_t)(ms / unit_ms);
	return 1;
}

int sl_field_ms(const struct sl_at *at, const char *key, uint32_t *ret, struct sl_err *err)
{
	return field_duration(at, key, 1, ret, err);
}

int sl_field_s(const struct sl_at *at, const char *key, uint32_t *ret, struct sl_err *err)
{
	return field_duration(at, key, 1000, ret, err);
}

int sl_field_word(const struct sl_at *at, const char *key, const struct sl_word *words, int *ret,
		  struct sl_err *err)
{
	const cJSON *node = get(at, key);
	const struct sl_word *w;
	char offered[64] = "";
	size_t used = 0;

	if (!node)
		return 0;
	if (!cJSON_IsString(node))
		return wrong_type(at, key, node, "a string", err);
	for (w = words; w->word; w++) {
		if (!strcmp(w->word, node->valuestring)) {
			*ret = w->value;
			return 1;
		}
		if (used < sizeof(offered))
			used += (size_t)snprintf(offered + used, sizeof(offered) - used, "%s%s",
						 used ? ", " : "", w->word);
	}
	return sl_at_fail(at, key, -EINVAL, err, "%s \"%.*s\" is not known; use %s%s", key,
			  sl_text_clip(node->valuestring, 64), node->valuestring,
			  words[1].word ? "one of " : "", offered);
}

int sl_field_inner(const struct sl_at *at, const char *key, bool array, struct sl_at *ret,
		   struct sl_err *err)
{
	const cJSON *node = get(at, key);

	*ret = (struct sl_at){ .up = at, .key = key, .node = node, .subject = at->subject };
	if (!node)
		return 0;
	if (array ? !cJSON_IsArray(node) : !cJSON_IsObject(node))
		return wrong_type(at, key, node, array ? "an array" : "an object", err);
	return 1;
}
