/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DP_DP_H
#define LB_USER_DP_DP_H

/*
 * dp: the port to the data plane. Most of it is memory that packets read while
 * the agent writes; the rest is a small table of operations. tests/lib has a
 * fake with the same shape.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/abi.h>
#include <sluice/events.h>
#include <sluice/features.h>
#include <sluice/guard.h>
#include <sluice/reasons.h>
#include <sluice/types.h>

#include "lb_user/base/err.h"
#include "lb_user/domain/model.h"

struct sl_dp;

/* The direct maps, mapped; named as in sluice/names.h. */
struct sl_dp_mem {
	struct sl_info *info;
	struct sl_svc4_bucket *svc4;
	struct sl_svc6_bucket *svc6;
	struct sl_service_rec *services;
	uint32_t *slots;
	uint16_t *seen;
	struct sl_backend_rec *backends;
	struct sl_tunnel_rec *tunnels; /* [SL_BACKENDS_MAX] */
	struct sl_exc_set *exceptions;
	uint16_t *drains;		  /* [SL_DRAIN_TRACKS][SL_DRAIN_CELLS] */
	struct sl_cnt *cnt_service;	  /* [cpus][SL_SERVICES_MAX] */
	struct sl_cnt *cnt_backend;	  /* [cpus][SL_BACKENDS_MAX] */
	struct sl_reason_cnt *cnt_reason; /* [cpus] */
	struct sl_exc_cnt *cnt_exc;	  /* [cpus] */
	struct sl_limit *limits;	  /* [cpus], the packet path's own */
	struct sl_label *labels;	  /* [SL_BACKENDS_MAX], agent only */
	struct sl_trace *trace;		  /* what is told of single packets */
	struct sl_trace_row *trace_row;	  /* [cpus], the packet path's own */
	struct sl_guard_rec *guards;	  /* [SL_SERVICES_MAX] */
	struct sl_guard_set *guard_sets;
	struct sl_guard_pool *guard_pools;    /* [SL_SERVICES_MAX] */
	struct sl_guard_credit *guard_credit; /* [cpus][SL_SERVICES_MAX] */
	uint64_t *guard_index;		      /* [SL_GUARD_INDEX_WORDS] */
	struct sl_guard_cnt *cnt_guard;	      /* [cpus] */
};

/* Frames counted as sent that an interface did not take. */
struct sl_transmit_error {
	uint32_t ifindex; /* of that interface; 0: of others, for which there was no row left */
	uint16_t error; /* errno; 0: its driver took fewer than it was given and did not say why */
	bool is_tx;	/* sent back the way it came (XDP_TX); else redirected */
	uint64_t packets; /* since the data plane was made */
};
#define SL_TRANSMIT_ERRORS_MAX 1024u
/* A record, with the bytes of frames behind it; valid during the call. */
typedef void (*sl_dp_event_fn)(void *user, const struct sl_event *e);

struct sl_dp_ops {
	/* Attaches to @name, or adopts and updates what is attached there. Idempotent. */
	int (*attach)(struct sl_dp *dp, const char *name, enum sl_mode mode, struct sl_err *err);
	/* Takes the program off @name. -ENOENT if it is not on it. */
	int (*detach)(struct sl_dp *dp, const char *name, struct sl_err *err);
	/* ifindex the program is attached to under @name now, 0 if none. */
	unsigned (*attached)(struct sl_dp *dp, const char *name);
	/* Devmap entry: packets sent to @port leave by @ifindex (0 removes it). */
	int (*port_set)(struct sl_dp *dp, uint16_t port, uint32_t ifindex, struct sl_err *err);
	/*
	 * Lists prefixes: adds these @n, each at once in the place of what was listed
	 * by the same key; then, with @prune, removes all others. On error some may
	 * have been added. Which packets ask for them is said by mem.guard_index.
	 */
	int (*prefixes)(struct sl_dp *dp, const struct sl_guard_prefix *list, size_t n, bool prune,
			struct sl_err *err);
	/*
	 * Replaces the programs by ones with these SL_FEAT_* (sluice/features.h),
	 * on every interface, without a moment in which none is attached; nothing
	 * is done if they have just these. info->features tells which they have.
	 * On error the old programs stay. sl_dp_program_fd() is another afterwards.
	 * -EINVAL: a feature this version does not know.
	 */
	int (*specialise)(struct sl_dp *dp, uint32_t features, struct sl_err *err);
	/* The first @room kinds of transmit errors that have occurred, in no order; returns how
	 * many. */
	int (*transmit_errors)(struct sl_dp *dp, struct sl_transmit_error *ret, size_t room);
	/* What of them this kernel does not let us count, for a person; "": all is counted. */
	const char *(*transmit_blind)(struct sl_dp *dp);
	/*
	 * What the packet path tells of single packets (sluice/events.h; mem.trace says
	 * what is wanted, and SL_FEAT_TRACE is needed). One reader: @fn is called from
	 * events_read(), which is due when @ret_fd is readable and takes a bounded number;
	 * @ret_fd stays dp's. A record may be of before the opening.
	 */
	int (*events_open)(struct sl_dp *dp, sl_dp_event_fn fn, void *user, int *ret_fd,
			   struct sl_err *err);
	void (*events_read)(struct sl_dp *dp);
	void (*events_close)(struct sl_dp *dp);
	/* The packet path's clock: jiffies. */
	int (*jiffies)(struct sl_dp *dp, uint64_t *ret);
	/* Detaches everything and removes the pins. */
	int (*unload)(struct sl_dp *dp, struct sl_err *err);
	/* Lets go of it; the data plane stays. */
	void (*close)(struct sl_dp *dp);
};

struct sl_dp {
	const struct sl_dp_ops *ops;
	struct sl_dp_mem mem;
	bool adopted; /* pinned maps were there and fit */
};

/* How the kernel's data plane is opened; lb_user/sluiced.c is the only caller. */
struct sl_dp_options {
	const char *pin_dir; /* folder on a bpffs, e.g. /sys/fs/bpf/sluice; NULL: nothing is
			      * pinned, the data plane ends with the process (checks, tests) */
	uint64_t key[2];     /* secret for a new installation; a pinned one wins */
	/* What libbpf says, the verifier's log of a refused program among it. NULL: not wanted. */
	void (*trace)(const char *fmt, va_list ap);
};

/*
 * Loads the program and its maps, or adopts what is pinned under @pin_dir.
 * Nothing new is attached yet; links that are pinned go on with this program,
 * and with the features that info->features names (none in a new installation).
 * Errors name the cause and the remedy:
 * -EPERM privileges, -ENOTDIR no bpffs, -EPROTO pinned maps of another layout,
 * -EOPNOTSUPP a kernel without a needed feature.
 */
int sl_dp_open(const struct sl_dp_options *opt, struct sl_dp **ret, struct sl_err *err);

/* Takes the data plane pinned under @pin_dir off all interfaces and removes the pins, without
 * loading anything: for what no agent can adopt. -EBUSY while an agent runs. */
int sl_dp_unload(const char *pin_dir, struct sl_err *err);

/* Descriptor of the packet program, for test runs. Stays @dp's, valid until it is specialised. */
int sl_dp_program_fd(const struct sl_dp *dp);

#endif
