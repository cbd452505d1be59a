/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_CONTROL_H
#define LB_USER_SVC_CONTROL_H

/*
 * control: the single writer. Owns the declared configuration and what was
 * measured of it, and makes the data plane follow. Every change: validate,
 * prepare the state file, reserve, write the maps, commit the file; only then
 * the model follows and the call returns 0. On error nothing has changed.
 *
 * Errors (negative errno and slug in sl_err), beside those of validate.h:
 *   -ENOENT "not-found"  -EEXIST "already-exists"  -ENOSPC "capacity-exceeded"
 *   -EBUSY "backend-not-drained" (delete without force while flows may be left)
 *   -EUCLEAN "immutable-field"   -EIO "dataplane-error"   -EROFS "read-only"
 *   (the state file could not be read at start; it must be mended first)
 */
#include <uv.h>

#include "lb_user/base/err.h"
#include "lb_user/domain/counters.h"
#include "lb_user/domain/codec.h"
#include "lb_user/domain/health.h"
#include "lb_user/domain/model.h"
#include "lb_user/domain/state.h"
#include "lb_user/dp/dp.h"

struct sl_control;

struct sl_control_options {
	const char *state_file;	 /* written after every change */
	const char *config_file; /* read when there is no state file; NULL: empty */
};

/*
 * Reads the declared state, adopts or fills @dp, attaches the interfaces and
 * starts probing on @loop. A state file that cannot be read leaves the data
 * plane as it is pinned: the call succeeds, sl_control_readonly() says why.
 */
int sl_control_new(uv_loop_t *loop, struct sl_dp *dp, const struct sl_control_options *opt,
		   struct sl_control **ret, struct sl_err *err);

/* Stops probes and timers; the data plane keeps forwarding. */
void sl_control_free(struct sl_control *c);

/* NULL, or why changes are refused. */
const char *sl_control_readonly(const struct sl_control *c);

/* The declared configuration, valid until the next change. */
const struct sl_config *sl_control_config(const struct sl_control *c);

int sl_control_service_create(struct sl_control *c, struct sl_service *spec, struct sl_err *err);
/* Replaces all of it, backends included; @spec may name a new service (created: *ret_created). */
int sl_control_service_replace(struct sl_control *c, struct sl_service *spec, bool *ret_created,
			       struct sl_err *err);
int sl_control_service_delete(struct sl_control *c, const char *name, struct sl_err *err);

/* The service's limits alone; the listed prefixes, whose contents move into the configuration. */
int sl_control_service_guard(struct sl_control *c, const char *name,
			     const struct sl_service_guard *guard, struct sl_err *err);
int sl_control_guard_lists(struct sl_control *c, struct sl_guard_lists *lists, struct sl_err *err);

int sl_control_backend_create(struct sl_control *c, const char *service,
			      const struct sl_backend *spec, struct sl_err *err);
int sl_control_backend_replace(struct sl_control *c, const char *service,
			       const struct sl_backend *spec, bool *ret_created,
			       struct sl_err *err);
/* Without @force: -EBUSY unless the backend is drained, down, in maintenance or was never sent a
 * packet. */
int sl_control_backend_delete(struct sl_control *c, const char *service, const char *name,
			      bool force, struct sl_err *err);
int sl_control_backend_patch(struct sl_control *c, const char *service, const char *name,
			     const struct sl_backend_patch *patch, struct sl_err *err);
int sl_control_backend_drain(struct sl_control *c, const char *service, const char *name,
			     const struct sl_drain_request *req, struct sl_err *err);

/* ---- what is measured ---------------------------------------------------- */

struct sl_backend_status {
	enum sl_health health;
	enum sl_state state;
	const char *state_reason;  /* slug: "target.connect_refused", "lb.no_neighbour",
				      "admin.drain", "" */
	char message[SL_TEXT_LEN]; /* for a person */
	int64_t since_wall_ms;	   /* of state */
	bool takes_new_flows;
	uint32_t table_slots;
	struct sl_counters counters;
	struct {
		int64_t at_wall_ms; /* 0: never */
		uint32_t duration_ms;
		char status[16]; /* HAProxy's codes: "L4OK", "L4CON", "L4TOUT", "L7OK", "L7STS",
				    "L7TOUT", "L7RSP", "INI" */
		uint16_t code;	 /* HTTP status, 0: none */
		uint64_t checks, failures; /* since the agent started */
	} check;
	struct {
		bool known;	 /* false: not counted (only while draining) */
		uint32_t active; /* estimate, see domain/drain.h */
		int64_t as_of_wall_ms;
		uint32_t at_start; /* highest estimate of this drain */
		bool complete, by_deadline;
	} flows;
	struct {
		bool resolved;
		uint8_t mac[6];
		char ifname[SL_IFNAME_LEN];
		int32_t vlan; /* frames leave with this tag; 0: with none; SL_VLAN_KEEP: as they
				 came */
		uint16_t mtu; /* longest packet it takes, without what a tunnel adds */
		struct sl_prefix source; /* of the tunnel's outer header; family 0: no tunnel */
	} next_hop;
};

struct sl_service_status {
	const char *state;	   /* "up", "degraded", "down" */
	uint32_t total, available; /* available: takes new flows */
	uint32_t slots_in_transition;
	struct sl_counters counters;
};

/* Both return 0 or -ENOENT. */
int sl_control_backend_status(struct sl_control *c, const char *service, const char *name,
			      struct sl_backend_status *ret);
int sl_control_service_status(struct sl_control *c, const char *service,
			      struct sl_service_status *ret);

struct sl_interface_status {
	bool attached;
	unsigned ifindex;
};
int sl_control_interface_status(struct sl_control *c, const char *name,
				struct sl_interface_status *ret);

/* Sums over CPUs. */
void sl_control_reasons(struct sl_control *c, uint64_t ret[SL_REASONS_MAX]);
void sl_control_exceptions(struct sl_control *c, struct sl_exc_cnt *ret);
void sl_control_guard(struct sl_control *c, struct sl_guard_cnt *ret);

/* Frames counted as sent (sent, echoed...) that an interface did not take, so that received = taken
 * by interfaces + passed + dropped by reason + these, exactly. See lb_user/dp/README.md. */
struct sl_transmit_status {
	char interface[32]; /* name; "ifindex:7" of one that is gone; "other:" of too many */
	const char *kind;   /* "redirect", "tx" (sent back the way it came) */
	char error[24]; /* "ENETDOWN"...; "none": the driver gave no reason (its ring is full) */
	uint64_t packets;
};
typedef void (*sl_transmit_fn)(void *user, const struct sl_transmit_status *one);
/* Each kind that has occurred, in a steady order. */
void sl_control_transmit_errors(struct sl_control *c, sl_transmit_fn fn, void *user);
/* What of them is not counted on this kernel, for a person; NULL: nothing. */
const char *sl_control_transmit_blind(struct sl_control *c);

/* Takes the program off every interface and removes the pins; the agent should exit then. */
int sl_control_unload(struct sl_control *c, struct sl_err *err);

#endif
