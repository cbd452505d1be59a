/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DP_DECAP_H
#define LB_USER_DP_DECAP_H

/*
 * decap: the backend's program on interfaces, without an agent. Each interface
 * has a folder below the pin folder that holds one link; program, maps and
 * counters hang on it, so that there is nothing that could be half there.
 * Another configuration is another program: it takes the old one's place in
 * one step and goes on with its counters.
 *
 * Errors name the interface, the cause and the remedy: -EINVAL a name that no
 * interface can have, -ENODEV no such interface, -ENOENT the program is not
 * on it, -EACCES not root, -ENOTDIR no bpffs, -EBUSY something else is in the
 * way, -EOPNOTSUPP the driver or the kernel cannot.
 */
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <sluice/decap.h>

#include "lb_user/base/err.h"
#include "lb_user/base/prefix.h"

#define SL_DECAP_PIN_DIR "/sys/fs/bpf/sluice-decap"

struct sl_decap_prefixes {
	struct sl_prefix at[SL_DECAP_PREFIXES_MAX];
	unsigned n;
};

struct sl_decap_told {
	struct sl_decap_prefixes from; /* outer sources that are accepted */
	struct sl_decap_prefixes to;   /* outer destinations; none: any */
	uint16_t gue_port;	       /* host order */
};

enum sl_decap_where {
	SL_DECAP_ON,	    /* on the interface */
	SL_DECAP_GONE,	    /* that interface was deleted */
	SL_DECAP_ELSEWHERE, /* not on an interface that this process can see */
};

struct sl_decap_state {
	char ifname[IF_NAMESIZE]; /* as it was called when the program was attached */
	unsigned ifindex;	  /* 0: gone */
	enum sl_decap_where where;
	bool generic;
	struct sl_decap_told told;
	struct sl_decap_cnt cnt[SL_DECAP_REASONS_MAX]; /* of all CPUs */
};

/*
 * Attaches the program, or replaces it in place; *ret_replaced says which. The
 * mode cannot be changed in place: -EBUSY. On error nothing has changed.
 */
int sl_decap_apply(const char *pin_dir, const char *ifname, const struct sl_decap_told *told,
		   bool generic, bool *ret_replaced, struct sl_err *err);

int sl_decap_off(const char *pin_dir, const char *ifname, struct sl_err *err);

/* *ret is written only on success. */
int sl_decap_read(const char *pin_dir, const char *ifname, struct sl_decap_state *ret,
		  struct sl_err *err);

/*
 * Names of interfaces with the program, sorted; *ret is heap, each is
 * IF_NAMESIZE long. Returns how many, or an error.
 */
int sl_decap_list(const char *pin_dir, char (**ret)[IF_NAMESIZE], struct sl_err *err);

/* ---- the program alone: for attaching it, and for tests -------------------- */

struct sl_decap_prog;

/*
 * @counters: descriptor of a map of counters to go on with, or -1. @trace: what
 * libbpf says, or NULL.
 */
int sl_decap_prog_load(const struct sl_decap_told *told, int counters,
		       void (*trace)(const char *fmt, va_list ap), struct sl_decap_prog **ret,
		       struct sl_err *err);
void sl_decap_prog_free(struct sl_decap_prog *p);
int sl_decap_prog_fd(const struct sl_decap_prog *p);

/* What a program in the kernel was told and has counted. */
int sl_decap_prog_read(uint32_t id, struct sl_decap_told *ret_told,
		       struct sl_decap_cnt ret_cnt[SL_DECAP_REASONS_MAX], struct sl_err *err);

/* A descriptor of a loaded program's counters; -ENOENT: none of this layout. */
int sl_decap_prog_counters(uint32_t id);

#endif
