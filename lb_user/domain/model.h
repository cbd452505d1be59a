/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_DOMAIN_MODEL_H
#define LB_USER_DOMAIN_MODEL_H

/*
 * model: what an operator declares: the same shape in the file, in the API and
 * in the state file. Plain values; what was measured lives in svc/.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/limits.h>

#include "lb_user/base/prefix.h"

#define SL_NAME_LEN \
	64 /* with the final 0: names are 1..63 of [a-z0-9._-], first and last alphanumeric */
#define SL_TEXT_LEN   256
#define SL_IFNAME_LEN 16

enum sl_proto { SL_PROTO_TCP = 6, SL_PROTO_UDP = 17 }; /* IANA numbers */
enum sl_mode { SL_MODE_NATIVE, SL_MODE_GENERIC };
enum sl_udp_flows { SL_UDP_FLOW, SL_UDP_NONE, SL_UDP_QUIC };
enum sl_fragments { SL_FRAGMENTS_DROP, SL_FRAGMENTS_HASH3 };
enum sl_on_down { SL_DOWN_RESCHEDULE, SL_DOWN_DROP };
enum sl_forward { SL_FORWARD_L2DSR, SL_FORWARD_IPIP, SL_FORWARD_GUE };
/* IPv4 without DF that is longer than the path to a backend takes, but not longer than the
 * interface does: dropped, or sent for a router to fragment. */
enum sl_oversize { SL_OVERSIZE_DROP, SL_OVERSIZE_SEND };
enum sl_admin { SL_ADMIN_READY, SL_ADMIN_DRAIN, SL_ADMIN_MAINT };
enum sl_drain_then { SL_THEN_DRAIN, SL_THEN_MAINT, SL_THEN_DELETE }; /* drain: stay drained */
enum sl_check_type { SL_CHECK_NONE, SL_CHECK_TCP, SL_CHECK_HTTP };

struct sl_check {
	enum sl_check_type type;
	uint16_t port;			  /* 0: the backend's */
	uint16_t status_low, status_high; /* http: accepted status codes, inclusive */
	uint32_t interval_ms;		  /* 50 .. 3,600,000 */
	uint32_t timeout_ms;		  /* 10 .. interval_ms */
	uint16_t rise, fall;		  /* 1 .. 100 */
	char path[SL_TEXT_LEN];		  /* http: starts with '/', printable ASCII, no space */
	char host[SL_TEXT_LEN];		  /* http: Host header; "": the backend's address */
};

#define SL_GUE_PORT  6080 /* IANA: gue */
#define SL_VLAN_MAX  4094
#define SL_VLAN_KEEP (-1) /* tags leave as they came; 0: none leaves; else the one that does */

struct sl_backend {
	char name[SL_NAME_LEN];
	struct sl_addr addr; /* with a tunnel of either family, else the service's */
	uint16_t port;	     /* no mode rewrites a port: always the service's */
	/* Each declared with the backend (its _own is set), else the service's:
	 * sl_service_inherit(). */
	enum sl_forward forward;
	uint16_t gue_port; /* 1..65535, for SL_FORWARD_GUE */
	bool forward_own, gue_port_own;
	int32_t vlan;	 /* SL_VLAN_KEEP, 0 or 1..SL_VLAN_MAX */
	uint16_t weight; /* 0..SL_WEIGHT_MAX */
	enum sl_admin admin;
	char reason[SL_TEXT_LEN]; /* why admin is not ready, by whoever set it */
	/* admin == drain only: */
	int64_t drain_since_wall_ms;
	int64_t drain_deadline_wall_ms; /* 0: none */
	enum sl_drain_then drain_then;
};

/* So many a second, and so many at once. Rate 0: no limit, and burst 0. */
struct sl_rate {
	uint32_t per_s, burst;
};

struct sl_rates {
	struct sl_rate flows, packets;
};

struct sl_service_guard {
	bool dry_run;		 /* what would be dropped is counted and sent */
	struct sl_rates source;	 /* of each IPv4 address, IPv6 /64 */
	struct sl_rates network; /* of each IPv4 /24, IPv6 /48 */
	struct sl_rates service; /* of all together */
};

struct sl_service {
	char name[SL_NAME_LEN];
	char description[SL_TEXT_LEN];
	struct sl_addr addr;
	uint16_t port;
	enum sl_proto proto;
	uint32_t table_size; /* a prime of sl_table_sizes[] */
	enum sl_udp_flows udp_flows;
	enum sl_fragments fragments; /* hash3: UDP only, one service of an address */
	enum sl_on_down on_down;
	enum sl_forward forward; /* of backends that declare none */
	uint16_t gue_port;
	enum sl_oversize oversize;
	uint32_t idle_timeout_s;  /* SL_IDLE_TIMEOUT_MIN_S..MAX_S */
	uint32_t drain_timeout_s; /* default deadline of a drain; 0: none */
	struct sl_service_guard guard;
	struct sl_check check;
	struct sl_backend *backends; /* heap, sorted by name, unique */
	size_t n_backends;
};

struct sl_interface {
	char name[SL_IFNAME_LEN];
	enum sl_mode mode;
};

/*
 * The source of tunnels' outer headers: an address (length 32 or 128), or a
 * prefix whose rest is filled from the flow's hash, so that receivers spread
 * flows over their queues. Family 0: the address the kernel would use itself.
 */
struct sl_encapsulation {
	struct sl_prefix source4, source6;
};

/* Sources that no limit holds for, and those that nothing is taken from; the longest prefix wins.
 */
struct sl_guard_lists {
	struct sl_prefix *allow, *deny; /* heap, in order, none twice */
	size_t n_allow, n_deny;
};

struct sl_config {
	uint64_t revision; /* +1 with every accepted change */
	struct sl_encapsulation encapsulation;
	struct sl_guard_lists guard;
	struct sl_interface *interfaces;
	size_t n_interfaces;
	struct sl_service *services; /* heap, sorted by name, unique */
	size_t n_services;
};

/* Primes offered as table sizes, ascending, 0 at the end. */
extern const uint32_t sl_table_sizes[];

/* What an absent member means. Names, addresses and ports are left empty. */
void sl_service_defaults(struct sl_service *s);
void sl_backend_defaults(struct sl_backend *b);

/* What holds for a backend of @s, its own or the service's. */
enum sl_forward sl_backend_forward(const struct sl_service *s, const struct sl_backend *b);
uint16_t sl_backend_gue_port(const struct sl_service *s, const struct sl_backend *b);

/* Writes it into @b, or into all of them: what reads a backend alone need not know the service. */
void sl_backend_inherit(struct sl_backend *b, const struct sl_service *s);
void sl_service_inherit(struct sl_service *s);

/* Free the contents; the struct itself is the caller's. Zeroed structs are fine. */
void sl_service_done(struct sl_service *s);
void sl_config_done(struct sl_config *c);
void sl_guard_lists_done(struct sl_guard_lists *l);

/* Deep copies. Return 0 or -ENOMEM; @ret is written only on success. */
int sl_service_copy(const struct sl_service *s, struct sl_service *ret);
int sl_config_copy(const struct sl_config *c, struct sl_config *ret);
int sl_guard_lists_copy(const struct sl_guard_lists *l, struct sl_guard_lists *ret);

/* NULL if there is none. */
struct sl_service *sl_config_find(const struct sl_config *c, const char *name);
struct sl_backend *sl_service_find(const struct sl_service *s, const char *name);

/*
 * Insert in order of name; the contents move into the set (the caller's struct
 * must not be released after success). Return 0, -EEXIST or -ENOMEM.
 */
int sl_config_add(struct sl_config *c, struct sl_service *s);
int sl_service_add(struct sl_service *s, const struct sl_backend *b);

/* Remove and release. Return 0 or -ENOENT. */
int sl_config_remove(struct sl_config *c, const char *name);
int sl_service_remove(struct sl_service *s, const char *name);

/* Words as in JSON, "tcp", "ready"...; never NULL for values of the enum. */
const char *sl_proto_name(enum sl_proto v);
const char *sl_mode_name(enum sl_mode v);
const char *sl_forward_name(enum sl_forward v);
const char *sl_admin_name(enum sl_admin v);
const char *sl_check_name(enum sl_check_type v);
const char *sl_then_name(enum sl_drain_then v);

#endif
