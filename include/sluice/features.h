/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SLUICE_FEATURES_H
#define SLUICE_FEATURES_H

/*
 * features: what the packet path can leave out. The agent sets those that the
 * configuration uses in a constant of the program before it loads it, and the
 * verifier removes the code of the others: what is off costs nothing. A
 * program with more features than are used decides the same, only slower, so
 * it is replaced before the first record that needs a new one is written, and
 * at leisure once one is no longer needed.
 */
#define SL_FEAT_IPIP  (1u << 0) /* a backend with SL_FWD_IPIP */
#define SL_FEAT_GUE   (1u << 1) /* a backend with SL_FWD_GUE */
#define SL_FEAT_VLAN  (1u << 2) /* a backend with SL_BF_VLAN */
#define SL_FEAT_QUIC  (1u << 3) /* a service with SL_SF_QUIC */
#define SL_FEAT_GUARD (1u << 4) /* a limit, or a denied or allowed prefix */
#define SL_FEAT_TRACE (1u << 5) /* somebody listens to events or captures packets */
#define SL_FEAT_ALL   0x3fu

#endif
