/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROG_NETLAB_H
#define TESTS_PROG_NETLAB_H

/*
 * netlab: a pinned data plane between two network namespaces, real frames
 * through it, and a sink that counts them by backend:
 *
 *	peer: vb --> va :here: wa --> wb :peer
 *
 * Frames are sent into vb; sl_xdp on va redirects them through the devmap to
 * wa; a counting program receives them on wb. Namespaces, the bpffs with the
 * pins and all links end with the process, however it ends.
 */
#include <stdbool.h>
#include <stdint.h>

#include "tests/prog/rig.h"

#define SL_NETLAB_PINS "/sys/fs/bpf/sluice" /* on a bpffs of this process alone */
#define SL_NETLAB_PORT 2u		    /* of the devmap: to wa */

struct sl_netlab {
	struct sl_rig rig;
	unsigned in_ifindex, out_ifindex; /* va, wa */
	int sink_map;			  /* frames by backend: one array of 256 words */
	int sink_program[3];		  /* by enum sl_netlab_sink */
	int send_fd;			  /* into vb */
};

/* Ends the process with a "not ok" when it cannot be made. */
void sl_netlab_open(struct sl_netlab *lab);
void sl_netlab_close(struct sl_netlab *lab);

/* Opens the data plane on what is pinned; @lab->rig is for it then. */
void sl_netlab_dataplane(struct sl_netlab *lab);

/* The program on wb: one that counts, one that counts and takes 0.1 ms a frame, or none. */
enum sl_netlab_sink { SL_SINK_NONE, SL_SINK_FAST, SL_SINK_SLOW };
void sl_netlab_sink(struct sl_netlab *lab, enum sl_netlab_sink which);
/* The same on vb, for frames that are sent back. */
void sl_netlab_sink_back(struct sl_netlab *lab, enum sl_netlab_sink which);

/* Frames that reached the sink for @backend (1..255). */
uint64_t sl_netlab_got(const struct sl_netlab *lab, unsigned backend);

/* Packets the data plane has counted as sent to @backend. */
uint64_t sl_netlab_sent(const struct sl_netlab *lab, unsigned backend);

/* Sends one frame into vb. false: it was refused, and has not left. */
bool sl_netlab_send(struct sl_netlab *lab, const void *frame, uint32_t len);

/* Waits until nothing has been counted or received for 100 ms. */
void sl_netlab_calm(const struct sl_netlab *lab);

/* Of a pinned link: its id and its program's; false: no such link. */
bool sl_netlab_link(const char *pin, uint32_t *ret_id, uint32_t *ret_program);

#endif
