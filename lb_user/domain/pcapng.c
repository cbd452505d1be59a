/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/domain/pcapng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Numbers are in this machine's byte order; the magic tells readers which that is. */
#define BLOCK_SECTION	0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET	6u
#define MAGIC		0x1a2b3c4du
#define LENGTH_UNKNOWN	UINT64_MAX
#define LINK_ETHERNET	1u

enum option {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	SECTION_PROGRAM = 4,
	INTERFACE_NAME = 2,
	INTERFACE_ABOUT = 3,
	INTERFACE_UNIT = 9,
	PACKET_FLAGS = 2,
	PACKET_ID = 5,
	PACKET_VERDICT = 7,
};

#define UNIT_NS	       9u /* of time stamps: ten to the power of minus this */
#define FLAGS_INBOUND  1u
#define FLAGS_OUTBOUND 2u
#define VERDICT_XDP    2u /* an action of linux/bpf.h, in 64 bits */

static size_t padded(size_t n)
{
	return (n + 3) / 4 * 4;
}

static void put(struct sl_pcapng *f, const void *data, size_t bytes)
{
	memcpy(f->data + f->len, data, bytes);
	memset(f->data + f->len + bytes, 0, padded(bytes) - bytes);
	f->len += padded(bytes);
}

static void put16(struct sl_pcapng *f, unsigned first, unsigned second)
{
	uint16_t both[2] = { (uint16_t)first, (uint16_t)second };

	put(f, both, sizeof(both));
}

static void put32(struct sl_pcapng *f, uint32_t n)
{
	put(f, &n, sizeof(n));
}

static void put_option(struct sl_pcapng *f, enum option code, const void *data, size_t bytes)
{
	put16(f, code, (unsigned)bytes);
	put(f, data, bytes);
}

/* Room for a block of at most @bytes. */
static int reserve(struct sl_pcapng *f, size_t bytes)
{
	size_t room = f->room ? f->room : 4096;
	uint8_t *data;

	while (room - f->len < bytes)
		room *= 2;
	if (room == f->room)
		return 0;
	data = realloc(f->data, room);
	if (!data)
		return -ENOMEM;
	f->data = data;
	f->room = room;
	return 0;
}

/* The length of a block stands at both of its ends. */
static size_t block_open(struct sl_pcapng *f, uint32_t type)
{
	size_t at = f->len;

	put32(f, type);
	put32(f, 0);
	return at;
}

static void block_close(struct sl_pcapng *f, size_t at)
{
	uint32_t len;

	put16(f, OPTION_END, 0);
	len = (uint32_t)(f->len - at + sizeof(len));
	memcpy(f->data + at + 4, &len, sizeof(len));
	put32(f, len);
}

static void put_interface(struct sl_pcapng *f, uint32_t snap, const char *name, const char *about)
{
	const uint8_t unit = UNIT_NS;
	size_t at = block_open(f, BLOCK_INTERFACE);

	put16(f, LINK_ETHERNET, 0);
	put32(f, snap);
	put_option(f, INTERFACE_NAME, name, strlen(name));
	put_option(f, INTERFACE_ABOUT, about, strlen(about));
	put_option(f, INTERFACE_UNIT, &unit, sizeof(unit));
	block_close(f, at);
}

int sl_pcapng_begin(struct sl_pcapng *f, uint32_t snap, const char *program)
{
	const uint64_t length = LENGTH_UNKNOWN;
	size_t at;
	int r = reserve(f, 512 + padded(strlen(program)));

	if (r < 0)
		return r;
	at = block_open(f, BLOCK_SECTION);
	put32(f, MAGIC);
	put16(f, 1, 0); /* version */
	put(f, &length, sizeof(length));
	put_option(f, SECTION_PROGRAM, program, strlen(program));
	block_close(f, at);
	put_interface(f, snap, "before", "frames as they came in");
	put_interface(f, snap, "after", "the same frames as they left");
	return 0;
}

int sl_pcapng_add(struct sl_pcapng *f, const struct sl_pcapng_packet *p)
{
	uint32_t flags = p->interface == SL_PCAPNG_AFTER ? FLAGS_OUTBOUND : FLAGS_INBOUND;
	size_t comment = strnlen(p->comment, SL_PCAPNG_COMMENT), at;
	uint64_t action = p->verdict;
	uint8_t verdict[1 + sizeof(action)] = { VERDICT_XDP };
	int r = reserve(f, 128 + padded(p->captured) + padded(comment));

	if (r < 0)
		return r;
	memcpy(verdict + 1, &action, sizeof(action));
	at = block_open(f, BLOCK_PACKET);
	put32(f, p->interface);
	put32(f, (uint32_t)(p->wall_ns >> 32));
	put32(f, (uint32_t)p->wall_ns);
	put32(f, p->captured);
	put32(f, p->length);
	put(f, p->bytes, p->captured);
	put_option(f, OPTION_COMMENT, p->comment, comment);
	put_option(f, PACKET_FLAGS, &flags, sizeof(flags));
	put_option(f, PACKET_ID, &p->packet, sizeof(p->packet));
	put_option(f, PACKET_VERDICT, verdict, sizeof(verdict));
	block_close(f, at);
	return 0;
}

void sl_pcapng_done(struct sl_pcapng *f)
{
	free(f->data);
	*f = (struct sl_pcapng){ 0 };
}
