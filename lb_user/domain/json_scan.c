/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "lb_user/domain/codec_internal.h"

/* cJSON copies a number into 64 bytes and reads on behind the 63rd. */
#define NUMBER_LEN_MAX 63

struct scan {
	const unsigned char *p, *end;
	unsigned depth;
	size_t nodes, nodes_max;
	const char *why; /* set with the first fault; @p stays there */
};

static bool fault(struct scan *s, const char *why)
{
	if (!s->why)
		s->why = why;
	return false;
}

/* The byte at the cursor, or -1 at the end. */
static int peek(const struct scan *s)
{
	return s->p < s->end ? *s->p : -1;
}

static void skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool scan_digits(struct scan *s)
{
	if (!is_digit(peek(s)))
		return fault(s, "a digit is missing in a number");
	while (is_digit(peek(s)))
		s->p++;
	return true;
}

static bool scan_number(struct scan *s)
{
	const unsigned char *start = s->p;

	if (peek(s) == '-')
		s->p++;
	if (peek(s) == '0') {
		s->p++;
		if (is_digit(peek(s)))
			return fault(s, "a number starts with 0; leave leading zeros out");
	} else if (!scan_digits(s)) {
		return false;
	}
	if (peek(s) == '.') {
		s->p++;
		if (!scan_digits(s))
			return false;
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->p++;
		if (peek(s) == '+' || peek(s) == '-')
			s->p++;
		if (!scan_digits(s))
			return false;
	}
	if (s->p - start > NUMBER_LEN_MAX)
		return fault(s, "a number has more than 63 characters");
	return true;
}

static int hex_value(int c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Four hex digits at the cursor, or -1. */
static int scan_hex4(struct scan *s)
{
	int value = 0, i, digit;

	for (i = 0; i < 4; i++) {
		digit = hex_value(peek(s));
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
		s->p++;
	}
	return value;
}

/* After the backslash and the u. */
static bool scan_unicode(struct scan *s)
{
	int high = scan_hex4(s), low;

	if (high < 0)
		return fault(s, "\\u needs four hexadecimal digits");
	if (high == 0)
		return fault(s, "\\u0000 is not allowed in a string");
	if (high >= 0xdc00 && high <= 0xdfff)
		return fault(s, "a low surrogate stands alone; write the pair");
	if (high < 0xd800 || high > 0xdbff)
		return true;
	if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
		return fault(s, "a high surrogate stands alone; write the pair");
	s->p += 2;
	low = scan_hex4(s);
	if (low < 0xdc00 || low > 0xdfff)
		return fault(s, "a high surrogate stands alone; write the pair");
	return true;
}

static bool scan_escape(struct scan *s)
{
	int c;

	s->p++;
	c = peek(s);
	if (c <= 0 || !strchr("\"\\/bfnrtu", c))
		return fault(s, "an unknown escape; write \\\\ for a backslash");
	s->p++;
	return c != 'u' || scan_unicode(s);
}

/* One character of two to four bytes, as RFC 3629 says: shortest form, no surrogates, <= 10ffff. */
static bool scan_utf8(struct scan *s)
{
	unsigned char lead = *s->p, low = 0x80, high = 0xbf;
	size_t more, i;

	if (lead >= 0xc2 && lead <= 0xdf)
		more = 1;
	else if (lead >= 0xe0 && lead <= 0xef)
		more = 2;
	else if (lead >= 0xf0 && lead <= 0xf4)
		more = 3;
	else
		return fault(s, "bytes that are not UTF-8");
	if (lead == 0xe0)
		low = 0xa0;
	else if (lead == 0xed)
		high = 0x9f;
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f;
	if ((size_t)(s->end - s->p) <= more)
		return fault(s, "bytes that are not UTF-8");
	for (i = 1; i <= more; i++, low = 0x80, high = 0xbf)
		if (s->p[i] < low || s->p[i] > high)
			return fault(s, "bytes that are not UTF-8");
	s->p += more + 1;
	return true;
}

static bool scan_string(struct scan *s)
{
	int c;

	for (s->p++;;) {
		c = peek(s);
		if (c < 0)
			return fault(s, "the document ends inside a string");
		if (c == '"') {
			s->p++;
			return true;
		}
		if (c < 0x20)
			return fault(s, "a raw control character in a string; escape it");
		if (c == '\\') {
			if (!scan_escape(s))
				return false;
		} else if (c >= 0x80) {
			if (!scan_utf8(s))
				return false;
		} else {
			s->p++;
		}
	}
}

static bool scan_literal(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len))
		return fault(s, "expected a value");
	s->p += len;
	return true;
}

static bool scan_value(struct scan *s);

static bool scan_member(struct scan *s)
{
	if (peek(s) != '"')
		return fault(s, "expected a member name in double quotes");
	if (!scan_string(s))
		return false;
	skip_space(s);
	if (peek(s) != ':')
		return fault(s, "expected ':' after a member name");
	s->p++;
	skip_space(s);
	return scan_value(s);
}

/* Recursion ends at SL_JSON_DEPTH_MAX. */
static bool scan_container(struct scan *s, bool object)
{
	char close = object ? '}' : ']';

	if (++s->depth > SL_JSON_DEPTH_MAX)
		return fault(s, "nested more than 16 deep");
	s->p++;
	skip_space(s);
	if (peek(s) != close) {
		for (;;) {
			if (object ? !scan_member(s) : !scan_value(s))
				return false;
			skip_space(s);
			if (peek(s) == close)
				break;
			if (peek(s) != ',')
				return fault(s, object ? "expected ',' or '}'"
						       : "expected ',' or ']'");
			s->p++;
			skip_space(s);
		}
	}
	s->p++;
	s->depth--;
	return true;
}

static bool scan_value(struct scan *s)
{
	int c = peek(s);

	if (++s->nodes > s->nodes_max)
		return fault(s, "more values than a document may have; split it");
	switch (c) {
	case -1:
		return fault(s, "the document ends where a value is expected");
	case '{':
	case '[':
		return scan_container(s, c == '{');
	case '"':
		return scan_string(s);
	case 't':
		return scan_literal(s, "true");
	case 'f':
		return scan_literal(s, "false");
	case 'n':
		return scan_literal(s, "null");
	}
	if (c == '-' || is_digit(c))
		return scan_number(s);
	return fault(s, "expected a value");
}

int sl_json_scan(const char *text, size_t len, size_t nodes_max, struct sl_json_fault *ret_fault)
{
	const unsigned char *start = (const unsigned char *)text, *q;
	struct scan s = { .p = start, .end = start + len, .nodes_max = nodes_max };
	bool ok;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		ok = fault(&s, "a byte order mark; save the text without it");
	} else {
		skip_space(&s);
		ok = scan_value(&s);
		skip_space(&s);
		if (ok && s.p < s.end)
			ok = fault(&s, "text after the end of the document");
	}
	if (ok)
		return 0;
	*ret_fault = (struct sl_json_fault){ .why = s.why, .line = 1, .column = 1 };
	for (q = start; q < s.p; q++) {
		ret_fault->column++;
		if (*q == '\n') {
			ret_fault->line++;
			ret_fault->column = 1;
		}
	}
	return -EBADMSG;
}
