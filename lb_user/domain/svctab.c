/* SPDX-License-Identifier: BSD-2-Clause */
#include "lb_user/domain/svctab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <sluice/hash.h>

/* A place of either family: the word that decides, and where the address goes. */
struct place {
	uint64_t *word;
	uint64_t *addr_be; /* NULL: IPv4, the word holds it */
};

struct wanted {
	uint64_t key; /* the word without the id */
	uint64_t addr_be[2];
	bool is_v6;
};

static struct wanted wanted(const struct sl_addr *addr, uint16_t port, enum sl_proto proto)
{
	struct wanted w = { .is_v6 = addr->family == AF_INET6 };
	bool is_udp = proto == SL_PROTO_UDP;

	memcpy(w.addr_be, addr->byte_be, sizeof(w.addr_be));
	w.key = w.is_v6 ? SL_SVC6_META(htons(port), is_udp)
			: SL_SVC4_KEY((uint32_t)w.addr_be[0], htons(port), is_udp);
	return w;
}

/* The @i-th of the places it may sit in; false after the last. */
static bool place_at(const struct sl_svctab *t, const struct wanted *w, unsigned i,
		     struct place *ret)
{
	unsigned ways = w->is_v6 ? SL_SVC6_WAYS : SL_SVC4_WAYS;

	if (i >= 2 * ways)
		return false;
	if (w->is_v6) {
		struct sl_svc6_entry *e =
			&t->svc6[sl_hash_svc6((const __u64 *)w->addr_be, w->key, i / ways)]
				 .entry[i % ways];

		ret->word = (uint64_t *)&e->meta;
		ret->addr_be = (uint64_t *)e->addr_be;
	} else {
		ret->word = (uint64_t *)&t->svc4[sl_hash_svc4(w->key, i / ways)].word[i % ways];
		ret->addr_be = NULL;
	}
	return true;
}

static bool find(const struct sl_svctab *t, const struct wanted *w, struct place *ret)
{
	for (unsigned i = 0; place_at(t, w, i, ret); i++)
		if ((*ret->word ^ w->key) < SL_SERVICES_MAX &&
		    (!ret->addr_be || !memcmp(ret->addr_be, w->addr_be, sizeof(w->addr_be))))
			return true;
	return false;
}

int sl_svctab_put(const struct sl_svctab *t, const struct sl_addr *addr, uint16_t port,
		  enum sl_proto proto, uint16_t id)
{
	struct wanted w = wanted(addr, port, proto);
	struct place p;

	if (find(t, &w, &p))
		return -EEXIST;
	for (unsigned i = 0; place_at(t, &w, i, &p); i++) {
		if (*p.word)
			continue;
		if (p.addr_be)
			memcpy(p.addr_be, w.addr_be, sizeof(w.addr_be));
		__atomic_store_n(p.word, w.key | id, __ATOMIC_RELEASE);
		return 0;
	}
	return -ENOSPC;
}

uint16_t sl_svctab_get(const struct sl_svctab *t, const struct sl_addr *addr, uint16_t port,
		       enum sl_proto proto)
{
	struct wanted w = wanted(addr, port, proto);
	struct place p;

	return find(t, &w, &p) ? (uint16_t)(*p.word ^ w.key) : 0;
}

uint16_t sl_svctab_del(const struct sl_svctab *t, const struct sl_addr *addr, uint16_t port,
		       enum sl_proto proto)
{
	struct wanted w = wanted(addr, port, proto);
	struct place p;
	uint16_t id;

	if (!find(t, &w, &p))
		return 0;
	id = (uint16_t)(*p.word ^ w.key);
	__atomic_store_n(p.word, 0, __ATOMIC_RELEASE);
	return id;
}

int sl_svctab_set(const struct sl_svctab *t, const struct sl_addr *addr, uint16_t port,
		  enum sl_proto proto, uint16_t id)
{
	struct wanted w = wanted(addr, port, proto);
	struct place p;

	if (!find(t, &w, &p))
		return id ? sl_svctab_put(t, addr, port, proto, id) : 0;
	__atomic_store_n(p.word, id ? w.key | id : 0, __ATOMIC_RELEASE);
	return 0;
}

static unsigned retain_word(uint64_t *word, const struct sl_addr *addr, sl_svctab_keep_fn keep,
			    void *user)
{
	if (!*word || keep(user, addr, (uint16_t)(*word & SL_SERVICE_MASK)))
		return 0;
	__atomic_store_n(word, 0, __ATOMIC_RELEASE);
	return 1;
}

unsigned sl_svctab_retain(const struct sl_svctab *t, sl_svctab_keep_fn keep, void *user)
{
	unsigned n = 0;

	for (unsigned b = 0; b < SL_SVC4_BUCKETS; b++)
		for (unsigned i = 0; i < SL_SVC4_WAYS; i++) {
			uint64_t *word = (uint64_t *)&t->svc4[b].word[i];
			uint32_t addr_be = (uint32_t)(*word >> 32);
			struct sl_addr addr = { .family = AF_INET };

			memcpy(addr.byte_be, &addr_be, sizeof(addr_be));
			n += retain_word(word, &addr, keep, user);
		}
	for (unsigned b = 0; b < SL_SVC6_BUCKETS; b++)
		for (unsigned i = 0; i < SL_SVC6_WAYS; i++) {
			struct sl_svc6_entry *e = &t->svc6[b].entry[i];
			struct sl_addr addr = { .family = AF_INET6 };

			memcpy(addr.byte_be, e->addr_be, sizeof(addr.byte_be));
			n += retain_word((uint64_t *)&e->meta, &addr, keep, user);
		}
	return n;
}
