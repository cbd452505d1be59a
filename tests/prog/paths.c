/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/paths.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REGS	10
#define UNKNOWN (-1)
#define RESULT	(-2)
#define SPILLS	32	   /* words of the stack that are followed, from its top */
#define STATES	(1u << 19) /* room for them, a power of two */

struct state {
	uint16_t at, called;
	int8_t reg[REGS]; /* a small constant, UNKNOWN, or RESULT: what a call returned */
	int8_t spilled[SPILLS];
};

struct walk {
	const struct bpf_insn *insn;
	unsigned n;
	int ignored;
	struct state *seen, *todo; /* a hash set, and a stack */
	bool *taken;
	unsigned n_todo, n_seen;
	struct sl_paths *paths;
};

bool sl_paths_is_call(const struct bpf_insn *i)
{
	__u8 class = BPF_CLASS(i->code);

	return (class == BPF_JMP || class == BPF_JMP32) && BPF_OP(i->code) == BPF_CALL;
}

static uint32_t hash_of(const struct state *s)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < sizeof(*s); i++)
		h = (h ^ ((const uint8_t *)s)[i]) * 0x100000001b3ull;
	return (uint32_t)(h >> 20);
}

/* Goes on at @s later, unless somebody was there before. false: no room. */
static bool go(struct walk *w, const struct state *s)
{
	uint32_t i = hash_of(s) & (STATES - 1);

	if (s->at >= w->n || w->n_seen >= STATES / 4 * 3)
		return false;
	while (w->taken[i] && memcmp(&w->seen[i], s, sizeof(*s)))
		i = (i + 1) & (STATES - 1);
	if (w->taken[i])
		return true;
	w->taken[i] = true;
	w->seen[i] = *s;
	w->n_seen++;
	w->todo[w->n_todo++] = *s;
	return true;
}

static void leave(struct walk *w, const struct state *s)
{
	int8_t verdict = s->reg[0];
	bool known = verdict >= 0 && verdict < SL_PATHS_MAX_VERDICT;

	if (!s->called && known)
		w->paths->free[verdict] = true;
	if (!s->called)
		return;
	if (known)
		w->paths->called[verdict] = true;
	w->paths->called_result |= verdict == RESULT;
	w->paths->called_unknown |= !known && verdict != RESULT;
}

static void call(struct walk *w, struct state *s, const struct bpf_insn *i)
{
	bool counts = i->imm != w->ignored && (i->src_reg || i->imm != BPF_FUNC_tail_call);

	memset(s->reg, UNKNOWN, 6);
	if (!counts)
		return;
	s->called = true;
	s->reg[0] = RESULT;
}

/* The word of the stack that @reg + @off lies in; NULL: none that is followed. */
static int8_t *stack_word(struct state *s, unsigned reg, int off)
{
	return reg == 10 && off < 0 && off >= -8 * SPILLS ? &s->spilled[(-off - 1) / 8] : NULL;
}

static void store(struct state *s, const struct bpf_insn *i)
{
	int8_t *word = stack_word(s, i->dst_reg, i->off);
	bool whole = i->off % 8 == 0 && (BPF_SIZE(i->code) == BPF_DW || BPF_SIZE(i->code) == BPF_W);

	if (!word)
		return;
	if (BPF_CLASS(i->code) == BPF_ST)
		*word = whole && i->imm >= 0 && i->imm < 100 ? (int8_t)i->imm : UNKNOWN;
	else
		*word = whole && i->src_reg < REGS ? s->reg[i->src_reg] : UNKNOWN;
}

static void load(struct state *s, const struct bpf_insn *i)
{
	int8_t *word = stack_word(s, i->src_reg, i->off);
	bool whole = i->off % 8 == 0 && BPF_CLASS(i->code) == BPF_LDX &&
		     (BPF_SIZE(i->code) == BPF_DW || BPF_SIZE(i->code) == BPF_W);

	if (i->dst_reg < REGS)
		s->reg[i->dst_reg] = word && whole ? *word : UNKNOWN;
}

static bool jump(struct walk *w, struct state s, const struct bpf_insn *i)
{
	bool always = BPF_OP(i->code) == BPF_JA;
	int by = always && BPF_CLASS(i->code) == BPF_JMP32 ? i->imm : i->off;
	struct state there = s;

	there.at = (uint16_t)(s.at + 1 + by);
	s.at++;
	return go(w, &there) && (always || go(w, &s));
}

static void compute(struct state *s, const struct bpf_insn *i)
{
	bool is_move = BPF_OP(i->code) == BPF_MOV && !i->off, by_value = !BPF_SRC(i->code);
	int8_t is = UNKNOWN;

	if (is_move && by_value && i->imm >= 0 && i->imm < 100)
		is = (int8_t)i->imm;
	else if (is_move && !by_value && i->src_reg < REGS)
		is = s->reg[i->src_reg];
	if (i->dst_reg < REGS)
		s->reg[i->dst_reg] = is;
}

static bool step(struct walk *w, struct state s)
{
	const struct bpf_insn *i = &w->insn[s.at];

	switch (BPF_CLASS(i->code)) {
	case BPF_JMP:
	case BPF_JMP32:
		if (BPF_OP(i->code) == BPF_EXIT) {
			leave(w, &s);
			return true;
		}
		if (!sl_paths_is_call(i))
			return jump(w, s, i);
		call(w, &s, i);
		break;
	case BPF_ALU:
	case BPF_ALU64:
		compute(&s, i);
		break;
	case BPF_STX: /* an atomic operation may return what was there */
		if (BPF_MODE(i->code) == BPF_ATOMIC) {
			s.reg[0] = UNKNOWN;
			s.reg[i->src_reg < REGS ? i->src_reg : 0] = UNKNOWN;
		} else {
			store(&s, i);
		}
		break;
	case BPF_ST:
		store(&s, i);
		break;
	default: /* loads */
		load(&s, i);
		if (i->code == (BPF_LD | BPF_IMM | BPF_DW))
			s.at++; /* the second half */
	}
	s.at++;
	return go(w, &s);
}

bool sl_paths_walk(const struct bpf_insn *insn, unsigned n, int ignored, struct sl_paths *ret)
{
	struct walk w = { .insn = insn, .n = n, .ignored = ignored, .paths = ret };
	struct state first = {};
	bool ok = false;

	*ret = (struct sl_paths){};
	memset(first.reg, UNKNOWN, sizeof(first.reg));
	memset(first.spilled, UNKNOWN, sizeof(first.spilled));
	w.seen = calloc(STATES, sizeof(*w.seen));
	w.todo = calloc(STATES, sizeof(*w.todo));
	w.taken = calloc(STATES, sizeof(*w.taken));
	if (w.seen && w.todo && w.taken && n <= UINT16_MAX)
		ok = go(&w, &first);
	while (ok && w.n_todo)
		ok = step(&w, w.todo[--w.n_todo]);
	ret->states = w.n_seen;
	free(w.seen);
	free(w.todo);
	free(w.taken);
	return ok;
}
