/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_KERN_HOST_SIM_H
#define TESTS_KERN_HOST_SIM_H

/*
 * sim: both sides of the slot rules as they are shipped, in one process, on
 * plain memory and a clock that the test turns. See README.md.
 */
#include <stdbool.h>
#include <stdint.h>

#include "lb_kern/maps.h"
#include "lb_kern/pkt.h"
#include "lb_user/base/idpool.h"
#include "lb_user/domain/slots.h"
#include "lb_user/domain/state.h"

#define SIM_SERVICES	    2
#define SIM_BACKENDS_MAX    48
#define SIM_NAME_LEN	    24
#define SIM_HISTORY_PACKETS 60000
#define SIM_EVENTS	    16 /* kinds of */

/* What may happen in the middle of what. */
#define SIM_BETWEEN 1u /* packets between two accesses of the agent */
#define SIM_MID	    2u /* the agent between two accesses of a packet */
#define SIM_CLOCK   4u /* time passes meanwhile, so that a tick may begin */
#define SIM_AWAY    8u /* the agent is away for longer than ages can tell, again and again */

/* A rule broken on purpose, from outside; see sim_controls.c. */
enum sim_fault {
	SIM_OK,
	SIM_SEEN_UNMARKED,
	SIM_EXPIRED_HONOURED,
	SIM_DOWN_KEPT,
	SIM_NO_MEMORY,
	SIM_NO_RAISE,
	SIM_MODULO,
	SIM_NO_SWEEP,
	SIM_NO_PURGE,
	SIM_ONE_LOOK,
	SIM_NO_HOLD,
	SIM_UNSWEPT,
};

enum sim_kind { SIM_TCP, SIM_UDP_FLOW, SIM_UDP_NONE };

struct sim_backend {
	char name[SIM_NAME_LEN];
	uint16_t id; /* 0: not staged yet */
	uint16_t weight;
	enum sl_admin admin;
	enum sl_health health;
};

struct sim_service {
	uint16_t id;
	enum sim_kind kind;
	uint32_t idle_s;
	uint64_t idle_jiffies;
	uint64_t idle_low, idle_changed; /* the shortest of late, and since when */
	struct sl_slots slots;
	uint16_t *owners, *seen_copy;
	bool in_transition;
	bool down_drop; /* flows of a DOWN backend are dropped, not moved */
	struct sim_backend backend[SIM_BACKENDS_MAX];
	uint32_t n;
	uint32_t names;	     /* made so far */
	uint32_t *slot_flow; /* first flow of each slot; SIM_NONE: no flow */
};

#define SIM_NONE (~0u)

/* A backend's MAC, as the first word of a frame: 02 be, then the id. */
#define SIM_MAC(id) (0xbe02u | (uint64_t)(id) << 16)
#define SIM_IFINDEX 1u /* lo: where test runs come in, and so are sent by XDP_TX */

struct sim_flow {
	uint64_t hash;
	uint64_t due, last;    /* jiffies of its next turn and of its last packet */
	uint32_t next;	       /* in its slot */
	uint32_t backend, gen; /* where it began; the id's generation then */
	uint8_t service;
	bool alive; /* it began, and must stay where it did */
	bool lost;  /* it began, and nothing is promised any more */
	bool busy;  /* a packet of it is on its way */
};

struct sim_stats {
	uint64_t packets, new_flows, reused, checked, between, mid, changes, tables, restarts;
	uint64_t quoted;	/* ICMP errors about flows */
	uint64_t quiet;		/* packets on a settled slot whose owner is UP */
	uint64_t misrouted;	/* affinity */
	uint64_t foreign;	/* to a backend that is not of the service: misrouted, too */
	uint64_t undrained;	/* a new flow to a backend that is not UP */
	uint64_t refused;	/* a new flow dropped although a backend is UP */
	uint64_t quiet_touched; /* flow memory used on a settled slot whose owner is UP */
	uint64_t quoted_wrote;	/* an error that left something in memory */
	uint64_t held;		/* transitions of a service, after a long absence */
	uint64_t disagreed, unspread, not_neutral;
	struct sl_exc_cnt exc;
};

struct sim_resting {
	uint16_t id;
	bool purged;
	uint64_t until;
};

struct sim {
	uint64_t seed, random;
	uint32_t modes;
	enum sim_fault fault;
	bool trace;
	uint32_t watch; /* flow whose packets are told, too; SIM_NONE: none */
	uint32_t hz, tick_ms;
	struct sim_service service[SIM_SERVICES];
	struct sl_idpool *ids;
	struct sim_resting resting[4096];
	uint32_t n_resting;

	struct sim_flow *flow;
	uint32_t first_addr_be; /* of clients */
	uint32_t n_flows, *heap;
	uint32_t end_permille; /* how often a packet is a flow's last */
	uint32_t
		again_percent; /* how often who lost its backend begins anew with its next packet */

	uint64_t next_settle, next_sweep, next_event, swept;
	uint32_t event_packets; /* between two events, on average */
	uint32_t event_weight[SIM_EVENTS];
	uint64_t dead_until; /* no agent until then */

	/* what the oracle knows of ids */
	uint32_t gen[SL_BACKENDS_MAX];
	uint64_t left_up[SL_BACKENDS_MAX], went_down[SL_BACKENDS_MAX]; /* seq */
	uint64_t seq;						       /* counts state changes */
	uint8_t owner[SL_BACKENDS_MAX];				       /* service index + 1 */

	uint32_t nested; /* packets between accesses of the agent */
	bool in_packet;	 /* a packet that the agent may interrupt is on its way */
	bool in_event;
	bool mid_wanted;      /* the next packet is interrupted by an event */
	uint32_t focus;	      /* backend that the next event is about, 0: any */
	uint64_t step_budget; /* jiffies that may still pass within this step */

	/* scenes: this instead of an event, instead of packets */
	void (*on_access)(void), (*on_store)(void);

	uint32_t stories; /* told */
	struct sim_stats stats;
};

extern struct sim sim;

/* Of the flow hash. */
extern const __u64 sim_key[2];
/* The tick of the program under test is a constant of it: histories take it. 0: any. */
extern uint32_t sim_tick_shift_only;

/* ---- sim_memory.c: what the maps would be, and chance ------------------------- */
void sim_memory_init(void);  /* once */
void sim_memory_clear(void); /* for the next history */
uint64_t sim_random(void);
uint32_t sim_below(uint32_t n); /* 0..n-1 */
bool sim_chance(uint32_t percent);
uint64_t sim_jiffies(double seconds);
/* A line for the story that is told when a packet goes wrong. */
void sim_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void sim_story(void);

/* ---- sim_picker.c: the packet path; or sim_kernel.c: the program in the kernel --- */
enum sl_reason sim_pick(struct pkt *p, uint16_t service);
void sim_mid_arm(uint32_t accesses); /* 0: not at all */

/* ---- sim_agent.c: the agent's stores, in the order of lb_user/svc ------------- */
uint8_t sim_state(uint32_t id);
uint16_t sim_idle_ticks(uint32_t idle_s);
void sim_agent_start(struct sim_service *s);
/* Makes @next (id 0: new) the backends of @s. */
void sim_agent_change(struct sim_service *s, const struct sim_backend *next, uint32_t n);
void sim_agent_publish(struct sim_service *s, struct sim_backend *b);
void sim_agent_settle(void);
void sim_agent_sweep(void);
void sim_agent_wake(void);
void sim_agent_restart(void);

/* ---- sim_events.c: what operators and probes do -------------------------------- */
void sim_event(void);
void sim_first_backends(struct sim_service *s);
uint32_t sim_some_idle_s(void);

/* ---- sim_flows.c: clients -------------------------------------------------------- */
void sim_flows_init(uint32_t n);
void sim_flows_done(void);
uint32_t sim_flow_addr_be(const struct sim_flow *f);
uint16_t sim_flow_port_be(const struct sim_flow *f);
uint64_t sim_flows_next(void);		  /* jiffies of the next turn */
void sim_flows_turn(void);		  /* of who is next */
void sim_flows_silence(uint64_t jiffies); /* nobody says a word for so long */
void sim_flows_any(uint32_t n);		  /* packets of any flows, now */
void sim_flows_of_slot(struct sim_service *s, uint32_t slot);

/* ---- sim_oracle.c: what must be true ---------------------------------------------- */
void sim_send(struct sim_flow *f, uint8_t tcp_flags);
/* An ICMP error about it. */
void sim_quote(struct sim_flow *f);
void sim_check_table(struct sim_service *s);
bool sim_stats_good(const struct sim_stats *st);

/* ---- sim_stores.c: what happens between the agent's accesses ----------------------- */
extern uint32_t sim_stores_left; /* accesses until the next interruption; 0: none will come */
void sim_last_jiffy(void);
void sim_step_begin(void);
void sim_step_end(void);
void sim_pause(void); /* between two stores of sim_agent.c itself */

/* ---- sim_kernel.c ------------------------------------------------------------------- */
/* Loads the program; its maps become the simulator's memory. Ends the process when it cannot. */
void sim_kernel_open(void);
void sim_kernel_close(void);

/* ---- sim_controls.c ------------------------------------------------------------------ */
void sim_fault_after_packet(const struct pkt *p, uint64_t entry_before);
uint64_t sim_entry_of(uint64_t hash); /* 0: none */
enum sl_reason sim_modulo(struct pkt *p, uint16_t service);
/* @is_kernel: without those that take something from within a packet */
void sim_controls(uint64_t seed, bool is_kernel);

/* ---- sim_history.c ---------------------------------------------------------------- */
/* One history from one seed; adds to sim.stats. Returns whether all was well. */
bool sim_history(uint64_t seed, uint32_t modes, enum sim_fault fault, uint64_t packets);
void sim_stats_add(struct sim_stats *to, const struct sim_stats *from);

/* ---- sim_report.c ----------------------------------------------------------------- */
/* @is_sum: of many histories, so that each thing must have happened at all. */
void sim_report(const char *mode, const struct sim_stats *st, bool is_sum);
void sim_histories(uint64_t seed, uint32_t modes, const char *mode, uint64_t packets);
/* ---- sim_absences.c: the agent away for longer than ages can tell -------------------- */
void sim_absences(uint64_t seed);
/* With a slot in transition; from just after it settled. Return misrouted packets. */
uint32_t sim_absence(uint64_t seed, enum sim_fault fault);
uint32_t sim_death_after_settling(uint64_t seed, enum sim_fault fault);

/* ---- sim_scenes.c: one thing at a time ----------------------------------------------- */
/* @is_kernel: without those with many packets, or with something within a packet */
void sim_scenes(uint64_t seed, bool is_kernel);
/* A slot's owner comes back within a packet, at each of its accesses. Returns misrouted packets. */
uint32_t sim_races(uint64_t seed, enum sim_fault fault, uint8_t tcp_flags, uint32_t *ret_times);
/* Whether a flow whose backend went DOWN begins anew elsewhere. */
bool sim_forgets_down(uint64_t seed, enum sim_fault fault);

#endif
