/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROG_RIG_H
#define TESTS_PROG_RIG_H

/*
 * rig: the program in the kernel with maps of its own, one packet at a time.
 * The tests write the shared memory as the agent would and read what the
 * packet left: verdict, frame, every counter, all of memory.
 *
 * Without a context BPF_PROG_TEST_RUN says that packets came in on interface 1
 * (lo): a backend there is sent to by XDP_TX, one elsewhere by XDP_REDIRECT.
 */
#include <stdbool.h>
#include <stdint.h>

#include "lb_user/dp/dp.h"
#include "tests/lib/packet.h"

#define SL_RIG_LO      1u /* ifindex packets come in on */
#define SL_RIG_OTHER   2u /* ifindex of backends reached by redirect; need not exist */
#define SL_RIG_PORT    1u /* devmap port that is set */
#define SL_RIG_NO_PORT 9u /* devmap port that is not */

struct sl_rig_memory; /* a copy of the shared memory */

struct sl_rig {
	struct sl_dp *dp;
	struct sl_dp_mem *mem;
	int fd, rare_fd, send_fd; /* sl_xdp, sl_rare, sl_send */
	int tails_fd;		  /* the map that leads from one to the other */
	unsigned row;		  /* of the per-CPU counters: the CPU we are pinned to */
	struct sl_rig_memory *mark;
};

struct sl_rig_out {
	int verdict;
	uint32_t len;
	uint8_t byte[SL_PACKET_MAX];
};

struct sl_rig_service {
	uint16_t id;
	const char *addr;
	uint16_t port;
	uint8_t proto;
	uint32_t base, count; /* of its slots */
	uint16_t flags, idle_ticks;
};

/* What one or more packets may change: everything else must stay. */
struct sl_rig_want {
	enum sl_reason reason;
	uint16_t service, backend; /* 0: none */
	struct sl_cnt sent;	   /* added to the backend; dropped to the service */
	struct sl_exc_cnt exc;
	uint64_t packets; /* of the reason; 0 means 1 */
};

/* Loads the program; ends the process with a "not ok" when it cannot. */
void sl_rig_open(struct sl_rig *r);
void sl_rig_close(struct sl_rig *r);

/* The same on a data plane that the test has opened; the rig closes it. */
void sl_rig_use(struct sl_rig *r, struct sl_dp *dp);

/* Programs with these SL_FEAT_*; ends the process when they are refused. */
void sl_rig_features(struct sl_rig *r, uint32_t features);

/* The same; false: refused, the verifier's last words are printed, the old programs stay. */
bool sl_rig_try_features(struct sl_rig *r, uint32_t features, struct sl_err *err);

/* Takes the rare program out of the map of tail calls, or puts it back. */
void sl_rig_rare(struct sl_rig *r, bool present);

/* Forgets the echo answers that this CPU has given. */
void sl_rig_echo_anew(struct sl_rig *r);

/* Runs on @cpu from now on. false: not one of ours. */
bool sl_rig_pin(struct sl_rig *r, unsigned cpu);

/* One packet. Ends the process when the kernel refuses to run it. */
void sl_rig_run(struct sl_rig *r, const void *frame, uint32_t len, struct sl_rig_out *ret);

/* The same for a frame of up to SL_RIG_JUMBO bytes, of which the first buffer holds some 3,500. */
#define SL_RIG_JUMBO 16384u
int sl_rig_run_jumbo(struct sl_rig *r, const void *frame, uint32_t len, void *ret_frame,
		     uint32_t *ret_len);

/* Record, table (all slots 0) and entry of a service. */
void sl_rig_service(struct sl_rig *r, const struct sl_rig_service *s);

/* The entries {@addr, port 0}: SL_SERVICE_ADDRESS for TCP, @udp for UDP. */
void sl_rig_address(struct sl_rig *r, const char *addr, uint16_t udp);
void sl_rig_portless(struct sl_rig *r, const char *addr, uint8_t proto, uint16_t id);

/* Every slot of service @id belongs to @backend, settled. */
void sl_rig_own(struct sl_rig *r, uint16_t id, uint16_t backend);

/* A backend whose MAC image says its id, see sl_rig_went_to(). */
void sl_rig_backend(struct sl_rig *r, uint16_t id, uint8_t state, uint32_t ifindex, uint16_t port);

/* The 12 bytes a frame to @id begins with. */
void sl_rig_macs(uint16_t id, uint8_t ret[12]);

/* Id of the backend @out is addressed to, by its MAC; 0: to none. */
uint16_t sl_rig_went_to(const struct sl_rig_out *out);

/* As the packet path computes them. */
uint64_t sl_rig_hash(const struct sl_rig *r, uint16_t service, const struct sl_packet *p);
uint32_t sl_rig_slot(const struct sl_rig *r, uint16_t service, uint64_t hash);

/* Ticks of flow memory and of drains; waits until neither ends within 100 ms. */
uint32_t sl_rig_tick(struct sl_rig *r, uint16_t *ret_drain_tick);

/* Remembers counters and memory as they are now. With SLUICE_RIG_EVERY=N in the environment (N > 0;
 * for slow CPUs, and tests that do not touch sl_rig_marked()) memory only each Nth time; counters
 * always. */
void sl_rig_mark(struct sl_rig *r);

/* Compares the counters with the mark. NULL: exactly @want was added; else what differs. */
const char *sl_rig_counted(struct sl_rig *r, const struct sl_rig_want *want);

/* Compares all other memory with the mark. NULL: nothing changed; else what did. */
const char *sl_rig_untouched(struct sl_rig *r);

/* The mark itself, for tests that write into it what they expect. */
struct sl_dp_mem *sl_rig_marked(struct sl_rig *r);

/* Counters of this CPU less the mark's. */
struct sl_exc_cnt sl_rig_exc(const struct sl_rig *r);
uint64_t sl_rig_reason(const struct sl_rig *r, enum sl_reason why);

/* "sent", "not_ip"... */
const char *sl_rig_label(enum sl_reason why);
enum sl_action sl_rig_action(enum sl_reason why);

#endif
