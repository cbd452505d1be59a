/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_KERN_DECAP_TOLD_H
#define LB_KERN_DECAP_TOLD_H

/*
 * decap_told: what the program was told (from whom, to whom, which port), and
 * its counters. Its maps are made with the program and never changed: another
 * configuration is another program, put in its place at once.
 */
#include "lb_kern/decap_pkt.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_decap_conf);
} decap_conf SEC(".maps");

#define DECAP_TOLD_MAP(name, key_type)                      \
	struct {                                            \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);        \
		__uint(max_entries, SL_DECAP_PREFIXES_MAX); \
		__uint(map_flags, BPF_F_NO_PREALLOC);       \
		__type(key, key_type);                      \
		__type(value, __u32);                       \
	} name SEC(".maps")

DECAP_TOLD_MAP(decap_from4, struct sl_decap_key4);
DECAP_TOLD_MAP(decap_from6, struct sl_decap_key6);
DECAP_TOLD_MAP(decap_to4, struct sl_decap_key4);
DECAP_TOLD_MAP(decap_to6, struct sl_decap_key6);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SL_DECAP_REASONS_MAX);
	__type(key, __u32);
	__type(value, struct sl_decap_cnt);
} decap_count SEC(".maps");

static __always_inline bool decap_told4(void *map, const __u64 addr_be[2])
{
	struct sl_decap_key4 key = { .len = 32, .addr_be = (__u32)addr_be[0] };

	return bpf_map_lookup_elem(map, &key) != NULL;
}

static __always_inline bool decap_told6(void *map, const __u64 addr_be[2])
{
	struct sl_decap_key6 key = { .len = 128 };

	__builtin_memcpy(key.addr_be, addr_be, sizeof(key.addr_be));
	return bpf_map_lookup_elem(map, &key) != NULL;
}

static __always_inline enum sl_decap_reason decap_told(const struct decap *d,
						       const struct sl_decap_conf *conf)
{
	const struct pkt *o = &d->outer;

	if (!(o->is_v6 ? decap_told6(&decap_from6, o->saddr_be)
		       : decap_told4(&decap_from4, o->saddr_be)))
		return SL_DECAP_R_STRANGER;
	if (conf->has_to && !(o->is_v6 ? decap_told6(&decap_to6, o->daddr_be)
				       : decap_told4(&decap_to4, o->daddr_be)))
		return SL_DECAP_R_NOT_TO_US;
	return SL_DECAP_R_NEXT;
}

static __always_inline void decap_told_count(enum sl_decap_reason why, __u32 bytes)
{
	__u32 row = why;
	struct sl_decap_cnt *cnt = bpf_map_lookup_elem(&decap_count, &row);

	if (cnt) {
		cnt->packets++;
		cnt->bytes += bytes;
	}
}

#endif
