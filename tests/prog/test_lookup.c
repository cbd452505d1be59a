/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_lookup: a service is found wherever it sits: in either of its two
 * buckets, in each place of them, beside others that share the bucket, the
 * address, the port or the whole hash; and nothing else is.
 */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <sluice/hash.h>

#include "lb_user/domain/svctab.h"
#include "tests/prog/rig.h"
#include "tests/prog/tap.h"

#define PORTS_MAX 20u

static struct sl_rig rig;
static struct sl_svctab tab;

/* Backend @id for service @id, so that a frame says which service was found. */
static void add(uint16_t id, const char *addr, uint16_t port, uint8_t proto)
{
	sl_rig_service(&rig, &(struct sl_rig_service){ .id = id,
						       .addr = addr,
						       .port = port,
						       .proto = proto,
						       .base = id * 16u,
						       .count = 7 });
	sl_rig_backend(&rig, id, SL_DP_UP, SL_RIG_LO, 0);
	sl_rig_own(&rig, id, id);
}

/* Which service a packet to {@addr, @port, @proto} finds; 0: none, and it passed untouched. */
static uint16_t found(const char *addr, uint16_t port, uint8_t proto)
{
	struct sl_packet_spec spec = {
		.from = strchr(addr, ':') ? "2001:db8:ffff::1" : "198.51.100.1",
		.to = addr,
		.sport = 1234,
		.dport = port,
		.proto = proto,
		.tcp_flags = SL_TCP_ACK,
	};
	static struct sl_rig_out out;
	struct sl_packet p;

	if (sl_packet_build(&spec, &p))
		sl_tap_bail("build a packet", "to %s", addr);
	sl_rig_run(&rig, p.byte, p.len, &out);
	if (out.verdict == XDP_TX)
		return sl_rig_went_to(&out);
	if (out.verdict == XDP_PASS && !memcmp(out.byte, p.byte, p.len))
		return 0;
	return 0xffff;
}

static uint32_t bucket(const char *addr, uint16_t port, uint32_t n)
{
	uint64_t words[2] = {};

	if (inet_pton(AF_INET6, addr, words) == 1)
		return sl_hash_svc6((const __u64 *)words, SL_SVC6_META(htons(port), false), n);
	inet_pton(AF_INET, addr, words);
	return sl_hash_svc4(SL_SVC4_KEY((uint32_t)words[0], htons(port), false), n);
}

/* Ports whose service has the same first bucket as port 1000 and not the same second one. */
static unsigned neighbours(const char *addr, uint16_t ports[PORTS_MAX])
{
	uint32_t first = bucket(addr, 1000, 0);
	unsigned n = 0;

	for (uint32_t port = 1000; port < 65536 && n < PORTS_MAX; port++)
		if (bucket(addr, (uint16_t)port, 0) == first &&
		    bucket(addr, (uint16_t)port, 1) != first)
			ports[n++] = (uint16_t)port;
	return n;
}

static unsigned used(bool is_v6, uint32_t b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < (is_v6 ? SL_SVC6_WAYS : SL_SVC4_WAYS); i++)
		n += is_v6 ? !!rig.mem->svc6[b].entry[i].meta : !!rig.mem->svc4[b].word[i];
	return n;
}

/* Fills the first bucket, and then some more. */
static void both_buckets(const char *addr, uint16_t first_id)
{
	bool is_v6 = strchr(addr, ':');
	unsigned ways = is_v6 ? SL_SVC6_WAYS : SL_SVC4_WAYS, wrong = 0;
	uint16_t ports[PORTS_MAX];
	unsigned n = neighbours(addr, ports);
	struct sl_addr parsed;
	char name[80];

	snprintf(name, sizeof(name), "%s: %u services share a first bucket", addr, n);
	if (!sl_tap(n > ways + 2, name, "only %u found by search", n))
		return;
	for (unsigned i = 0; i < ways + 2; i++)
		add((uint16_t)(first_id + i), addr, ports[i], IPPROTO_TCP);
	snprintf(name, sizeof(name), "%s: the first bucket is full, two sit in their second", addr);
	sl_tap(used(is_v6, bucket(addr, 1000, 0)) == ways &&
		       used(is_v6, bucket(addr, ports[ways], 1)) >= 1 &&
		       used(is_v6, bucket(addr, ports[ways + 1], 1)) >= 1,
	       name, "the table is not as this test wants it");
	for (unsigned i = 0; i < ways + 2; i++)
		wrong += found(addr, ports[i], IPPROTO_TCP) != first_id + i;
	snprintf(name, sizeof(name), "%s: each place of both buckets is found", addr);
	sl_tap(!wrong, name, "%u of %u went elsewhere", wrong, ways + 2);
	snprintf(name, sizeof(name), "%s: a port of the same bucket without service passes", addr);
	sl_tap(found(addr, ports[ways + 2], IPPROTO_TCP) == 0, name, "it was forwarded");

	wrong = 0;
	sl_addr_parse(addr, &parsed);
	for (unsigned i = 0; i < ways; i++) {
		sl_svctab_del(&tab, &parsed, ports[i], SL_PROTO_TCP);
		wrong += found(addr, ports[i], IPPROTO_TCP) != 0;
		wrong += found(addr, ports[ways], IPPROTO_TCP) != first_id + ways;
	}
	snprintf(name, sizeof(name), "%s: one taken away passes, others are still found", addr);
	sl_tap(!wrong, name, "%u wrong", wrong);
}

/* The same address and port for TCP and UDP, and the same with another port or protocol. */
static void near_misses(void)
{
	static const struct {
		const char *addr;
		uint16_t port;
		uint8_t proto;
		uint16_t id;
	} row[] = {
		{ "192.0.2.1", 443, IPPROTO_TCP, 201 },
		{ "192.0.2.1", 443, IPPROTO_UDP, 202 },
		{ "192.0.2.1", 80, IPPROTO_TCP, 203 },
		{ "192.0.2.2", 443, IPPROTO_TCP, 204 },
		{ "192.0.2.2", 443, IPPROTO_UDP, 0 },
		{ "192.0.2.2", 80, IPPROTO_TCP, 0 },
		{ "192.0.2.1", 80, IPPROTO_UDP, 0 },
		{ "192.0.3.1", 443, IPPROTO_TCP, 0 },
		{ "193.0.2.1", 443, IPPROTO_TCP, 0 },
		{ "192.0.2.1", 47873, IPPROTO_TCP, 0 }, /* 443 with its bytes swapped */
		{ "192.0.2.1", 65535, IPPROTO_TCP, 205 },
		{ "255.255.255.254", 1, IPPROTO_TCP, 206 },
		{ "0.0.0.1", 1, IPPROTO_UDP, SL_SERVICE_ADDRESS - 1 }, /* the largest id */
		{ "2001:db8:1::1", 443, IPPROTO_TCP, 301 },
		{ "2001:db8:1::1", 443, IPPROTO_UDP, 302 },
		{ "2001:db8:2::1", 443, IPPROTO_TCP, 303 }, /* the same low half */
		{ "2001:db8:2::1", 443, IPPROTO_UDP, 0 },
		{ "2001:db8:3::1", 443, IPPROTO_TCP, 0 },
		{ "2001:db8:1::2", 443, IPPROTO_TCP, 304 }, /* the same high half */
		{ "2001:db8:1::3", 443, IPPROTO_TCP, 0 },
		{ "2001:db8:1::1", 80, IPPROTO_TCP, 0 },
		{ "::ffff:192.0.2.1", 443, IPPROTO_TCP, 0 }, /* IPv4 in IPv6 is another address */
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (row[i].id)
			add(row[i].id, row[i].addr, row[i].port, row[i].proto);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint16_t id = found(row[i].addr, row[i].port, row[i].proto);
		char name[100];

		snprintf(name, sizeof(name), "%s port %u %s: %s %u", row[i].addr, row[i].port,
			 row[i].proto == IPPROTO_TCP ? "tcp" : "udp",
			 row[i].id ? "service" : "nobody's", row[i].id);
		sl_tap(id == row[i].id, name, "found %u", id);
	}
}

/* Two addresses with one hash, by solving it: the entries differ in the address alone. */
static void same_hash6(void)
{
	uint64_t a[2] = {}, b[2] = {}, c[2] = {}, d = 0x00f0000000001234ull;
	char text[3][INET6_ADDRSTRLEN];
	uint64_t meta = SL_SVC6_META(htons(443), false);
	uint16_t id[3];

	inet_pton(AF_INET6, "2001:db8:7::7", a);
	b[0] = a[0] ^ d;
	b[1] = a[1] ^ (d >> 7 | d << 57);
	c[0] = a[0] ^ ~d;
	c[1] = a[1] ^ (~d >> 7 | ~d << 57);
	inet_ntop(AF_INET6, a, text[0], sizeof(text[0]));
	inet_ntop(AF_INET6, b, text[1], sizeof(text[1]));
	inet_ntop(AF_INET6, c, text[2], sizeof(text[2]));
	sl_tap(sl_hash_svc6((const __u64 *)a, meta, 0) == sl_hash_svc6((const __u64 *)b, meta, 0) &&
		       sl_hash_svc6((const __u64 *)a, meta, 1) ==
			       sl_hash_svc6((const __u64 *)c, meta, 1),
	       "three IPv6 addresses with one hash", "they have different ones");
	add(401, text[0], 443, IPPROTO_TCP);
	add(402, text[1], 443, IPPROTO_TCP);
	for (int i = 0; i < 3; i++)
		id[i] = found(text[i], 443, IPPROTO_TCP);
	sl_tap(id[0] == 401 && id[1] == 402 && !id[2],
	       "they are told apart, the one without service passes", "found %u, %u and %u", id[0],
	       id[1], id[2]);
}

/* Thousands of services at once: all are found, each as itself. */
static void many(void)
{
	unsigned wrong = 0, n = 0;

	memset(rig.mem->svc4, 0, sizeof(*rig.mem->svc4) * SL_SVC4_BUCKETS);
	memset(rig.mem->svc6, 0, sizeof(*rig.mem->svc6) * SL_SVC6_BUCKETS);
	for (uint16_t id = 1; id < SL_SERVICE_ADDRESS; id++) {
		char addr[40];

		snprintf(addr, sizeof(addr), id & 1 ? "203.0.%u.%u" : "2001:db8::%x:%x", id >> 8,
			 id & 255);
		add(id, addr, 443, IPPROTO_TCP);
	}
	for (uint16_t id = 1; id < SL_SERVICE_ADDRESS; id++, n++) {
		char addr[40];

		snprintf(addr, sizeof(addr), id & 1 ? "203.0.%u.%u" : "2001:db8::%x:%x", id >> 8,
			 id & 255);
		wrong += found(addr, 443, IPPROTO_TCP) != id;
	}
	sl_tap(!wrong, "4,094 services at once, each found", "%u of %u are not", wrong, n);
}

int main(void)
{
	sl_rig_open(&rig);
	tab = (struct sl_svctab){ .svc4 = rig.mem->svc4, .svc6 = rig.mem->svc6 };
	near_misses();
	both_buckets("192.0.2.77", 501);
	both_buckets("2001:db8::77", 601);
	same_hash6();
	many();
	sl_rig_close(&rig);
	return sl_tap_done();
}
