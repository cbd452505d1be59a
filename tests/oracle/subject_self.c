/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracle/subject.h"

#include <string.h>

static void run_self(const struct sl_subject *s, const uint8_t *frame, uint32_t len, uint32_t first,
		     uint32_t ingress, uint64_t jiffies, struct sl_subject_out *ret)
{
	static struct sl_oracle_out out;
	enum sl_oracle_wrong wrong = s->model->wrong;
	bool sent;

	(void)jiffies; /* the model's */
	s->model->wrong = SL_WRONG_NOTHING;
	sl_oracle_walk(s->model, frame, len, first, ingress, &out);
	sl_world_commit(s->mem, s->model, &out, s->row,
			out.ways ? (unsigned)__builtin_ctz(out.ways) : 0);
	s->model->wrong = wrong;
	sent = out.verdict > SL_ORACLE_DROP;
	ret->verdict = sl_subject_action(out.verdict);
	ret->len = sent ? out.len : len;
	ret->port = out.port;
	ret->port_seen = true;
	memcpy(ret->byte, sent ? out.byte : frame, ret->len);
}

void sl_subject_self(struct sl_subject *ret, const struct sl_subject *kernel,
		     struct sl_oracle *model)
{
	*ret = (struct sl_subject){
		.name = "self", .run = run_self, .row = kernel->row, .model = model
	};
	sl_world_alloc(&ret->own, kernel->mem);
	ret->mem = &ret->own;
}
