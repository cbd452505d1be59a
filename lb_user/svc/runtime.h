/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_SVC_RUNTIME_H
#define LB_USER_SVC_RUNTIME_H

/*
 * runtime: what the files behind control.h share: beside each declared service
 * and backend, what stands for it in the data plane and what was measured.
 *
 * The runtime arrays run parallel to the configuration's: c->service[i] is for
 * c->config.services[i], service->backend[j] for its backends[j]; the spec
 * pointers are set anew with every change.
 */
#include <uv.h>

#include "lb_user/base/idpool.h"
#include "lb_user/domain/drain.h"
#include "lb_user/domain/slots.h"
#include "lb_user/domain/svctab.h"
#include "lb_user/svc/control.h"
#include "lb_user/svc/nexthop.h"
#include "lb_user/svc/prober.h"

struct sl_service_rt;

struct sl_backend_rt {
	struct sl_control *control;
	struct sl_service_rt *service;
	const struct sl_backend *spec; /* NULL once removed */
	uint16_t id;
	bool adopted; /* its record was pinned; believed until shown otherwise */

	struct sl_health_machine health;
	struct sl_check check; /* the one that runs */
	struct sl_probe *probe;
	struct sl_probe_result last;
	int64_t last_wall_ms;
	uint64_t checks, failures;

	struct sl_nexthop *watch;
	struct sl_nexthop_info told; /* by netlink, once hop_answered */
	struct sl_nexthop_info hop;  /* what came of it: not resolved, too, if it cannot be used */
	char hop_why[SL_TEXT_LEN];   /* hop.why, where that is no fixed text */
	bool hop_answered;

	uint32_t drain_active, drain_at_start;
	int64_t drain_as_of_wall_ms;
	bool drain_complete, drain_by_deadline;

	enum sl_state state;
	int64_t since_wall_ms;
};

struct sl_service_rt {
	const struct sl_service *spec;
	uint16_t id;
	struct sl_slots slots;
	uint32_t slot_base;
	uint16_t *owners;		/* as the table is: slots.count ids */
	uint32_t in_transition;		/* slots; counted while > 0 */
	struct sl_backend_rt **backend; /* spec->n_backends */
	size_t n_backends;
};

/*
 * An id that rests: nobody names it any more, but a packet might still be on
 * its way with it, and remember it; so a backend's flows are purged after the
 * rest. A packet might have found such a memory just before: a second rest.
 */
struct sl_resting {
	bool is_service;
	bool purged; /* this is the second rest */
	uint16_t id;
	uint32_t slot_base, slot_count; /* of a service */
	int64_t until_ms;
	struct sl_resting *next;
};

struct sl_control {
	uv_loop_t *loop;
	struct sl_dp *dp;
	struct sl_svctab svctab;
	char *state_file;
	char *readonly;
	struct sl_config config;
	struct sl_service_rt **service; /* config.n_services */
	struct sl_idpool *service_ids, *backend_ids, *tracks;
	uint8_t *slots_used; /* one per SL_AREA slots */
	uint32_t port_ifindex[SL_PORTS_MAX];
	struct sl_prober *prober;
	struct sl_nexthops *nexthops;
	struct sl_resting *resting;
	bool lists_known; /* the data plane lists just config.guard's prefixes */
	uv_timer_t *timer;
	uint16_t tick; /* of the slots' clock, as last read */
	int64_t started_ms, next_settle_ms, next_sweep_ms, next_retry_ms;
	int64_t spare_since_ms;	  /* the packet path has features that nobody uses; 0: it has not */
	struct sl_tracer *tracer; /* trace.c; NULL until somebody asks */
};

/* An id rests twice this long; a packet is in the program for microseconds. */
#define SL_REST_MS 1000

#define SL_AREA 64u /* slots are handed out in multiples of this: a cache line of words or more */

/* ---- capacity.c: ids and slots ------------------------------------------- */
int sl_capacity_init(struct sl_control *c);
void sl_capacity_done(struct sl_control *c);
int sl_capacity_take_slots(struct sl_control *c, uint32_t count, uint32_t *ret_base);
int sl_capacity_claim_slots(struct sl_control *c, uint32_t base, uint32_t count);
void sl_capacity_give_slots(struct sl_control *c, uint32_t base, uint32_t count);
/* The devmap port of @ifindex, made if needed. */
int sl_capacity_port(struct sl_control *c, uint32_t ifindex, uint16_t *ret_port,
		     struct sl_err *err);
/* Puts what a removed service or backend held aside until no packet can know it. */
void sl_capacity_rest(struct sl_control *c, const struct sl_resting *r);
/* Gives back what has rested long enough; @all: regardless. */
void sl_capacity_wake(struct sl_control *c, int64_t now_ms, bool all);

/* ---- change.c: from one configuration to the next ------------------------- */
/*
 * Makes @next (taken over on success, untouched on error) the configuration.
 * On error nothing has changed.
 */
int sl_change_apply(struct sl_control *c, struct sl_config *next, struct sl_err *err);

/* ---- lists.c: listed prefixes ----------------------------------------------- */
int sl_lists_stage(struct sl_control *c, const struct sl_config *next, struct sl_err *err);
void sl_lists_unstage(struct sl_control *c, const struct sl_config *next);
void sl_lists_settle(struct sl_control *c, const struct sl_config *next);

/* ---- publish.c: what packets see ------------------------------------------ */
uint16_t sl_publish_now(struct sl_control *c); /* the slots' clock */
/* The table as it should be: spec->table_size ids. @backend: parallel to spec->backends. */
int sl_publish_owners(struct sl_control *c, const struct sl_service *spec,
		      struct sl_backend_rt *const *backend, uint16_t *owners, struct sl_err *err);
/*
 * What packets without a port learn of @addr: whether @config has services
 * there, and which of them takes fragments. Returns 0 or -ENOSPC, and that only
 * when it adds something.
 */
int sl_publish_address(struct sl_control *c, const struct sl_config *config,
		       const struct sl_addr *addr);
/* A new service's record and table; nothing names it yet. */
void sl_publish_service(struct sl_control *c, struct sl_service_rt *s);
/* Removes expired flow memory of all services. */
void sl_publish_sweep(struct sl_control *c);
/* The service's limits; returns the flags that say of them. */
uint16_t sl_publish_guard(struct sl_control *c, const struct sl_service_rt *s);
/* What may change later. */
void sl_publish_flags(struct sl_control *c, const struct sl_service_rt *s);
void sl_publish_backend(struct sl_control *c, struct sl_backend_rt *b);
/* Whom the packet path falls back on; after each change of states or weights. */
void sl_publish_spares(struct sl_control *c, struct sl_service_rt *s);
void sl_publish_remove_backend(struct sl_control *c, struct sl_service_rt *s,
			       struct sl_backend_rt *b);
void sl_publish_remove_service(struct sl_control *c, struct sl_service_rt *s);
/* Makes the record's state follow admin, health and next hop; starts and ends the count of a drain.
 */
void sl_publish_state(struct sl_control *c, struct sl_backend_rt *b);

/* ---- watch.c: probes and next hops ----------------------------------------- */
int sl_watch_start(struct sl_control *c, struct sl_backend_rt *b, struct sl_err *err);
void sl_watch_update(struct sl_control *c, struct sl_backend_rt *b); /* the check was changed */
void sl_watch_stop(struct sl_backend_rt *b);
void sl_watch_link(void *control, uint32_t ifindex, const char *name, bool exists);
/*
 * Makes the records follow what is declared and what netlink told; then
 * sl_publish_state() is due. @enc: of the configuration that @b->spec is of.
 */
void sl_watch_forward(struct sl_control *c, const struct sl_encapsulation *enc,
		      struct sl_backend_rt *b);
/* Next hops that were found and could not be used: perhaps now. */
void sl_watch_retry(struct sl_control *c);
void sl_watch_facts(const struct sl_backend_rt *b, struct sl_state_facts *ret);

/* ---- feature.c: what the packet path can do ----------------------------------- */
/* Before the first word is stored that needs SL_FEAT_* @needed. On error all is as it was. */
int sl_feature_ensure(struct sl_control *c, uint32_t needed, struct sl_err *err);
uint32_t sl_feature_needed(const struct sl_control *c);
void sl_feature_relax(struct sl_control *c, int64_t now_ms); /* now and then */

/* ---- adopt.c: what was pinned ----------------------------------------------- */
int sl_adopt(struct sl_control *c, struct sl_config *config, struct sl_err *err);

/* ---- status.c: what was measured, see control.h -------------------------------- */
bool sl_status_used(const struct sl_control *c, uint16_t backend); /* ever sent a packet */

/* ---- upkeep.c: what time does ------------------------------------------------ */
int sl_upkeep_start(struct sl_control *c);
void sl_upkeep_stop(struct sl_control *c);

/* ---- trace.c: single packets, for who wants to see them ----------------------- */
void sl_trace_init(struct sl_control *c); /* what a former agent left on is off */
void sl_trace_free(struct sl_control *c);
/* SL_FEAT_TRACE while it is in use, else 0: for whoever specialises the programs. */
uint32_t sl_trace_features(const struct sl_control *c);

/* Runtime objects; free() takes half-built ones. */
struct sl_backend_rt *sl_backend_rt_new(struct sl_control *c, struct sl_service_rt *s, uint16_t id);
struct sl_service_rt *sl_service_rt_new(struct sl_control *c, uint16_t id, uint32_t slot_base,
					uint32_t slot_count);
void sl_backend_rt_free(struct sl_backend_rt *b);
void sl_service_rt_free(struct sl_service_rt *s); /* not its backends */
struct sl_backend_rt *sl_control_find(struct sl_control *c, const char *service, const char *name);

#endif
