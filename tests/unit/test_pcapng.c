/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of a capture file, against the draft: blocks, options, padding, numbers. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/domain/pcapng.h"

static uint32_t u32(const uint8_t *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	return n;
}

static uint16_t u16(const uint8_t *at)
{
	uint16_t n;

	memcpy(&n, at, sizeof(n));
	return n;
}

/* The block at *@offset, checked at both ends; *@offset moves behind it. */
static const uint8_t *block(const struct sl_pcapng *f, size_t *offset, uint32_t type,
			    uint32_t *ret_len)
{
	const uint8_t *at = f->data + *offset;
	uint32_t len = u32(at + 4);

	cr_assert_eq(u32(at), type, "block type %#x at %zu", u32(at), *offset);
	cr_assert_eq(len % 4, 0);
	cr_assert_leq(*offset + len, f->len);
	cr_assert_eq(u32(at + len - 4), len, "lengths differ");
	*offset += len;
	*ret_len = len;
	return at;
}

/* Option @code from @at to @end, NULL if it is not there; the list must end. */
static const uint8_t *option(const uint8_t *at, const uint8_t *end, uint16_t code, uint16_t *ret)
{
	const uint8_t *found = NULL;

	while (u16(at)) {
		if (u16(at) == code) {
			found = at + 4;
			*ret = u16(at + 2);
		}
		at += 4 + (u16(at + 2) + 3) / 4 * 4;
		cr_assert_lt(at, end);
	}
	cr_assert_eq(at + 4, end, "nothing after the end of options");
	return found;
}

Test(pcapng, begins_with_a_section_and_two_interfaces)
{
	static const char *const name[] = { "before", "after" };
	struct sl_pcapng f = { 0 };
	const uint8_t *at, *o;
	uint32_t len;
	uint16_t n = 0;
	size_t offset = 0;

	cr_assert_eq(sl_pcapng_begin(&f, 1500, "sluiced 1"), 0);
	at = block(&f, &offset, 0x0a0d0d0a, &len);
	cr_assert_eq(u32(at + 8), 0x1a2b3c4d);
	cr_assert_eq(u16(at + 12), 1);
	cr_assert_eq(u16(at + 14), 0);
	cr_assert_eq(memcmp(at + 16, "\xff\xff\xff\xff\xff\xff\xff\xff", 8), 0);
	o = option(at + 24, at + len - 4, 4, &n);
	cr_assert(o && n == 9 && !memcmp(o, "sluiced 1\0\0\0", 12));
	for (int i = 0; i < 2; i++) {
		at = block(&f, &offset, 1, &len);
		cr_assert_eq(u16(at + 8), 1, "Ethernet");
		cr_assert_eq(u32(at + 12), 1500);
		o = option(at + 16, at + len - 4, 2, &n);
		cr_assert(o && n == strlen(name[i]) && !memcmp(o, name[i], n));
		o = option(at + 16, at + len - 4, 9, &n);
		cr_assert(o && n == 1 && *o == 9, "nanoseconds");
	}
	cr_assert_eq(offset, f.len);
	sl_pcapng_done(&f);
	cr_assert_null(f.data);
}

Test(pcapng, a_packet_of_each_length)
{
	uint8_t bytes[64], verdict[9] = { 2, 3 };
	struct sl_pcapng_packet p = { .interface = SL_PCAPNG_AFTER,
				      .wall_ns = 0x1122334455667788ull,
				      .bytes = bytes,
				      .length = 1514,
				      .packet = 7,
				      .verdict = 3,
				      .comment = "reason=sent" };
	struct sl_pcapng f = { 0 };
	const uint8_t *at, *o;
	size_t offset;
	uint32_t len;
	uint16_t n = 0;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(0x80 + i);
	for (uint32_t captured = 0; captured <= sizeof(bytes); captured++) {
		offset = f.len;
		p.captured = captured;
		cr_assert_eq(sl_pcapng_add(&f, &p), 0);
		at = block(&f, &offset, 6, &len);
		cr_assert_eq(offset, f.len);
		cr_assert_eq(u32(at + 8), 1);
		cr_assert_eq(u32(at + 12), 0x11223344);
		cr_assert_eq(u32(at + 16), 0x55667788);
		cr_assert_eq(u32(at + 20), captured);
		cr_assert_eq(u32(at + 24), 1514);
		cr_assert_eq(memcmp(at + 28, bytes, captured), 0);
		for (uint32_t i = captured; i % 4; i++)
			cr_assert_eq(at[28 + i], 0, "padding");
		at += 28 + (captured + 3) / 4 * 4;
		o = option(at, f.data + f.len - 4, 1, &n);
		cr_assert(o && n == 11 && !memcmp(o, "reason=sent", 11));
		o = option(at, f.data + f.len - 4, 2, &n);
		cr_assert(o && n == 4 && u32(o) == 2, "outbound");
		o = option(at, f.data + f.len - 4, 5, &n);
		cr_assert(o && n == 8 && u32(o) == 7);
		o = option(at, f.data + f.len - 4, 7, &n);
		cr_assert(o && n == 9 && !memcmp(o, verdict, 9), "XDP_TX");
	}
	p.interface = SL_PCAPNG_BEFORE;
	offset = f.len;
	cr_assert_eq(sl_pcapng_add(&f, &p), 0);
	at = block(&f, &offset, 6, &len);
	cr_assert_eq(u32(at + 8), 0);
	o = option(at + 28 + 64, f.data + f.len - 4, 2, &n);
	cr_assert(o && u32(o) == 1, "inbound");
	sl_pcapng_done(&f);
}

Test(pcapng, a_long_comment_is_cut)
{
	struct sl_pcapng_packet p = { .bytes = (const uint8_t *)"x", .captured = 1, .length = 1 };
	struct sl_pcapng f = { 0 };
	char comment[1000];
	const uint8_t *o;
	uint16_t n = 0;

	memset(comment, 'c', sizeof(comment) - 1);
	comment[sizeof(comment) - 1] = '\0';
	p.comment = comment;
	cr_assert_eq(sl_pcapng_add(&f, &p), 0);
	o = option(f.data + 32, f.data + f.len - 4, 1, &n);
	cr_assert(o && n == SL_PCAPNG_COMMENT);
	sl_pcapng_done(&f);
}
