/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DP_INTERNAL_H
#define LB_USER_DP_INTERNAL_H

/* internal: what the files of dp/ share and nobody else sees. */
#include <stddef.h>

#include "lb_user/dp/dp.h"

struct bpf_map;
struct bpf_object;
struct ring_buffer;
struct sluice_bpf;

#define SL_DP_PATH 256

struct sl_direct_map { /* one row per SL_DIRECT_MAPS */
	const char *name;
	size_t bytes;
	size_t mem_offset; /* of the pointer in struct sl_dp_mem */
};

/* direct.c: the maps that the program addresses as memory */
size_t sl_direct_maps(unsigned cpus, const struct sl_direct_map **ret);
int sl_direct_register(void);
int sl_direct_map_into(const struct sl_direct_map *m, int fd, struct sl_dp_mem *mem);
void sl_direct_unmap(const struct sl_direct_map *maps, size_t n, struct sl_dp_mem *mem);

/* pins.c: the folder on the bpffs */
int sl_pins_open(const char *dir, int *ret_lock_fd, struct sl_err *err);
int sl_pins_path(const char *dir, const char *name, char ret[SL_DP_PATH], struct sl_err *err);
/* The pinned map, checked against type and size. -ENOENT: no such pin. -EPROTO: another layout. */
int sl_pins_get_map(const char *dir, const char *name, size_t bytes, int *ret_fd,
		    struct sl_err *err);
int sl_pins_put(const char *dir, const char *name, int fd, struct sl_err *err);
bool sl_pins_any_link(const char *dir);
int sl_pins_remove_maps(const char *dir);

/* link.c: interfaces */
int sl_link_attach(const char *dir, int prog_fd, const char *ifname, enum sl_mode mode,
		   struct sl_err *err);
/*
 * Puts @prog_fd in place of @old_fd on every pinned link whose interface exists:
 * on all, or on none; then the error names the interface. @old_fd -1: in place of
 * whatever there is, wherever it can be done.
 */
int sl_link_replace_all(const char *dir, int prog_fd, int old_fd, struct sl_err *err);
int sl_link_detach(const char *dir, const char *ifname, struct sl_err *err);
unsigned sl_link_ifindex(const char *dir, const char *ifname);
/* ifindexes the pinned links are on; returns how many, at most @room. */
int sl_link_list(const char *dir, unsigned *ret, int room);
int sl_link_detach_all(const char *dir, struct sl_err *err);

/* prefixes.c: what dp.h says of the operation */
int sl_prefixes_set(int fd, const struct sl_guard_prefix *list, size_t n, bool prune,
		    struct sl_err *err);

/* clock.c */
int sl_dp_clock_read(int prog_fd, uint64_t *ret_jiffies);
uint32_t sl_dp_clock_shift(uint32_t *ret_tick_ms);

/* xmit.c: frames that were sent and not taken. NULL stands for "not counted" in all of them. */
struct sl_xmit;
struct sl_xmit *sl_xmit_open(const char *dir, int ports_fd);
void sl_xmit_close(struct sl_xmit *x);
const char *sl_xmit_blind(const struct sl_xmit *x);
void sl_xmit_from_add(struct sl_xmit *x, unsigned ifindex); /* before it is attached */
void sl_xmit_from_sync(struct sl_xmit *x);		    /* with the links that are pinned */
int sl_xmit_read(const struct sl_xmit *x, struct sl_transmit_error *ret, size_t room);
/* events.c: sl_dp_ops.events_* */
int sl_events_open(struct sl_dp *dp, sl_dp_event_fn fn, void *user, int *ret_fd,
		   struct sl_err *err);
void sl_events_read(struct sl_dp *dp);
void sl_events_close(struct sl_dp *dp);

/* The kernel's data plane behind the port. */
struct sl_dp_kernel {
	struct sl_dp dp; /* first: the port's users see only this */
	struct sluice_bpf *skel;
	struct sl_xmit *xmit;
	char dir[SL_DP_PATH];
	int lock_fd;
	const struct sl_direct_map *maps;
	size_t n_maps;
	struct ring_buffer *events; /* while open */
	sl_dp_event_fn on_event;
	void *on_event_user;
	unsigned batch_left;
};

/* kernel.c: what a second load of the object shares with the first */
const char *sl_kernel_map_name(const struct sl_dp_kernel *k, size_t i); /* NULL: no more */
int sl_kernel_set_sizes(const struct sl_dp_kernel *k, struct sluice_bpf *skel, struct sl_err *err);
void sl_kernel_set_constants(struct sluice_bpf *skel, const struct sl_info *info,
			     uint32_t features);
int sl_kernel_set_tails(const struct sl_dp_kernel *k, const struct sluice_bpf *of,
			struct sl_err *err);
int sl_kernel_explain_load(int r, struct sl_err *err);

/* swap.c: sl_dp_ops.specialise */
int sl_swap(struct sl_dp_kernel *k, uint32_t features, struct sl_err *err);

#endif
