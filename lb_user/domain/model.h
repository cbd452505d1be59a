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

#include "lb_user/base/addr.h"

#define SL_NAME_LEN \
	64 /* with the final 0: names are 1..63 of [a-z0-9._-], first and last alphanumeric */
#define SL_TEXT_LEN   256
#define SL_IFNAME_LEN 16

enum sl_proto { SL_PROTO_TCP = 6, SL_PROTO_UDP = 17 }; /* IANA numbers */
enum sl_mode { SL_MODE_NATIVE, SL_MODE_GENERIC };
enum sl_udp_flows { SL_UDP_FLOW, SL_UDP_NONE };
enum sl_fragments { SL_FRAGMENTS_DROP, SL_FRAGMENTS_HASH3 };
enum sl_on_down { SL_DOWN_RESCHEDULE, SL_DOWN_DROP };
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

struct sl_backend {
	char name[SL_NAME_LEN];
	struct sl_addr addr;
	uint16_t port;	 /* l2dsr rewrites no port: always the service's */
	uint16_t weight; /* 0..SL_WEIGHT_MAX */
	enum sl_admin admin;
	char reason[SL_TEXT_LEN]; /* why admin is not ready, by whoever set it */
	/* admin == drain only: */
	int64_t drain_since_wall_ms;
	int64_t drain_deadline_wall_ms; /* 0: none */
	enum sl_drain_then drain_then;
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
	uint32_t idle_timeout_s;  /* SL_IDLE_TIMEOUT_MIN_S..MAX_S */
	uint32_t drain_timeout_s; /* default deadline of a drain; 0: none */
	struct sl_check check;
	struct sl_backend *backends; /* heap, sorted by name, unique */
	size_t n_backends;
};

struct sl_interface {
	char name[SL_IFNAME_LEN];
	enum sl_mode mode;
};

struct sl_config {
	uint64_t revision; /* +1 with every accepted change */
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

/* Free the contents; the struct itself is the caller's. Zeroed structs are fine. */
void sl_service_done(struct sl_service *s);
void sl_config_done(struct sl_config *c);

/* Deep copies. Return 0 or -ENOMEM; @ret is written only on success. */
int sl_service_copy(const struct sl_service *s, struct sl_service *ret);
int sl_config_copy(const struct sl_config *c, struct sl_config *ret);

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
const char *sl_admin_name(enum sl_admin v);
const char *sl_check_name(enum sl_check_type v);
const char *sl_then_name(enum sl_drain_then v);

#endif
