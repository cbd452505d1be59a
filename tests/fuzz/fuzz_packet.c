/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_packet: the first byte chooses a world, the rest is the frame. What holds
 * of any frame: one thing is counted, it fits the verdict, what is not sent is
 * as it came, what is sent keeps its packet; and both walks agree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_walk.h"

#define FRAME_MAX 9000u

static enum sl_action action_of(unsigned reason)
{
	switch (reason) {
#define ROW(sym, num, act, label) \
	case num:                 \
		return SL_A_##act;
		SL_REASONS(ROW)
#undef ROW
	}
	return SL_A_NONE;
}

static unsigned tags_of(const uint8_t *frame, unsigned len)
{
	unsigned at = 12, n = 0;

	while (n < 2 && at + 6 <= len &&
	       ((frame[at] == 0x81 && !frame[at + 1]) ||
		(frame[at] == 0x88 && frame[at + 1] == 0xa8)))
		at += 4, n++;
	return n;
}

/* To the backend's MACs; from its IP header on the packet is as it came. */
static void check_sent(const struct fuzz_world *w, const uint8_t *frame, unsigned len,
		       const struct fuzz_walked *is)
{
	const struct sl_backend_rec *b = &w->mem.backends[is->backend];
	unsigned l3 = 14 + 4 * tags_of(frame, len), packet = len - l3;
	unsigned tags = tags_of(is->byte, is->len);

	FUZZ_MUST(b->ifindex == (is->action == FUZZ_TX ? FUZZ_INGRESS : FUZZ_EGRESS));
	FUZZ_MUST(is->action == FUZZ_TX || w->egress[is->port] == b->ifindex);
	FUZZ_MUST(!memcmp(is->byte, &b->mac_lo, 8) && !memcmp(is->byte + 8, &b->mac_hi, 4));
	FUZZ_MUST(is->len == 14 + 4 * tags + SL_OVERHEAD(b->fwd, b->flags & SL_BF_OUTER6) + packet);
	FUZZ_MUST(!memcmp(is->byte + is->len - packet, frame + l3, packet));
	if (b->flags & SL_BF_VLAN)
		FUZZ_MUST(tags == (b->vlan != 0));
	else
		FUZZ_MUST(!memcmp(is->byte + 12, frame + 12, 4 * tags_of(frame, len)));
}

/* Answers leave where the question came in; theirs is its sender's MAC. */
static void check_answer(const uint8_t *frame, unsigned len, const struct fuzz_walked *is)
{
	FUZZ_MUST(is->action == FUZZ_TX && !is->backend);
	FUZZ_MUST(!memcmp(is->byte, frame + 6, 6) && !memcmp(is->byte + 6, frame, 6));
	FUZZ_MUST(is->len <= len || is->reason == SL_R_TOO_BIG_TOLD);
	if (is->reason == SL_R_ECHOED)
		FUZZ_MUST(is->len == len);
}

/* WALK.md 9.10 */
static bool may_be_written(const struct fuzz_walked *is)
{
	return is->reason == SL_R_NO_PORT || is->reason == SL_R_NO_NEXT_HOP;
}

static void check(const struct fuzz_world *w, const uint8_t *frame, unsigned len,
		  const struct fuzz_walked *is)
{
	enum sl_action action = action_of(is->reason);

	FUZZ_MUST(is->counted == 1);
	FUZZ_MUST(is->reason != SL_R_BUG_RARE && is->reason != SL_R_BUG_FEATURE);
	switch (is->action) {
	case FUZZ_TX:
	case FUZZ_REDIRECT:
		FUZZ_MUST(action == SL_A_SEND);
		if (is->reason == SL_R_SENT)
			check_sent(w, frame, len, is);
		else
			check_answer(frame, len, is);
		return;
	case FUZZ_DROP:
		FUZZ_MUST(action == SL_A_DROP);
		if (may_be_written(is))
			return;
		break;
	default:
		FUZZ_MUST(is->action == FUZZ_PASS && action == SL_A_PASS);
	}
	FUZZ_MUST(is->len == len && !memcmp(is->byte, frame, len));
}

static void check_same(const struct fuzz_walked *hot, const struct fuzz_walked *any)
{
	FUZZ_MUST(hot->action == any->action && hot->reason == any->reason &&
		  hot->backend == any->backend);
	FUZZ_MUST(hot->action != FUZZ_REDIRECT || hot->port == any->port);
	if (!may_be_written(hot))
		FUZZ_MUST(hot->len == any->len && !memcmp(hot->byte, any->byte, hot->len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_walked hot, any;
	const struct fuzz_world *w;

	if (len < 1 || len > FRAME_MAX)
		return -1;
	w = fuzz_world(data[0] % FUZZ_WORLDS);
	data++;
	len--;
	fuzz_world_begin(w);
	fuzz_walk(w, data, (unsigned)len, false, &hot);
	if (hot.action == FUZZ_LEFT) { /* as it was: unread, uncounted */
		FUZZ_MUST(!hot.counted && hot.len == len && !memcmp(hot.byte, data, len));
	} else {
		check(w, data, (unsigned)len, &hot);
		fuzz_world_begin(w);
	}
	fuzz_walk(w, data, (unsigned)len, true, &any);
	if (fuzz_is_control() && any.len)
		any.byte[any.len - 1] ^= 1;
	check(w, data, (unsigned)len, &any);
	if (hot.action != FUZZ_LEFT)
		check_same(&hot, &any);
	free(hot.block);
	free(any.block);
	return 0;
}
