/* SPDX-License-Identifier: BSD-2-Clause */
/* report: what differed, to the byte, and the smallest frame that we find to differ alike. */
#include <stdio.h>
#include <string.h>

#include "tests/oracle/fuzz.h"

#define DUMP 320u /* all headers; the seed gives the rest */

static bool is_zero(const uint8_t *byte, uint32_t n)
{
	while (n && !byte[n - 1])
		n--;
	return !n;
}

static void dump(const char *what, const uint8_t *byte, uint32_t len)
{
	printf("# %s, %u bytes", what, len);
	if (len > DUMP) {
		printf(", of which %u", DUMP);
		len = DUMP;
	}
	for (uint32_t i = 0; i < len; i++) {
		if (i % 32 == 0 && is_zero(byte + i, len - i < 32 ? len - i : 32)) {
			i += 31; /* such lines are left out */
			continue;
		}
		if (i % 32 == 0)
			printf("\n#   %04x", i);
		printf(i % 4 ? "%02x" : " %02x", byte[i]);
	}
	putchar('\n');
}

/* Idle ticks of the service that a backend is of. */
static unsigned idle_of(const struct sl_oracle *o, uint16_t backend)
{
	for (unsigned i = 0; i < o->n_services; i++)
		if (o->service[i].id == o->backend[backend].service)
			return o->service[i].idle_ticks;
	return 0;
}

static void print_slot(const struct sl_fuzz *f)
{
	const struct sl_oracle_out *out = &f->out;
	const struct sl_oracle_service *s = &f->model.service[out->service];
	const struct sl_oracle_slot *slot = &s->slot[out->slot];

	printf("# service %u (%s %s%s%s%s%s), hash %#llx, slot %u of %u: cur %u (state %u) T %u "
	       "old %u "
	       "(state %u), tick %#x, idle %u\n",
	       s->id, s->udp ? "udp" : "tcp", s->remember ? "flow " : "",
	       s->down_drop ? "drop " : "", s->hash3 ? "hash3 " : "", s->quic ? "quic " : "",
	       s->oversize ? "oversize" : "", (unsigned long long)out->hash, out->slot, s->n_slots,
	       slot->cur, f->model.backend[slot->cur].state, slot->t, slot->old,
	       f->model.backend[slot->old].state, sl_oracle_tick(&f->model), s->idle_ticks);
	for (unsigned w = 0; w < SL_EXC_WAYS; w++) {
		const struct sl_oracle_entry *e = &f->model.entry[out->set][w];

		if (e->backend)
			printf("#   entry %u: tag %#llx%s backend %u (state %u, idle %u) %s age "
			       "%u\n",
			       w, (unsigned long long)e->tag,
			       e->tag == (out->hash << 4 & SL_EXC_TAG_MASK) ? " (own)" : "",
			       e->backend, f->model.backend[e->backend].state,
			       idle_of(&f->model, e->backend),
			       e->confirmed ? "confirmed" : "unconfirmed",
			       (uint8_t)(sl_oracle_tick(&f->model) - e->age));
	}
}

static void print_bytes(const char *what, const uint8_t *byte, unsigned n)
{
	printf(" %s ", what);
	for (unsigned i = 0; i < n; i++)
		printf("%02x", byte[i]);
}

static void print_backend(const struct sl_fuzz *f)
{
	const struct sl_oracle_backend *b = &f->model.backend[f->out.backend];
	unsigned n = b->outer6 ? 16 : 4;

	printf("# backend %u: ifindex %u port %u state %u fwd %u%s mtu %u link %u", f->out.backend,
	       b->ifindex, b->port, b->state, b->fwd, b->outer6 ? " outer6" : "", b->mtu,
	       b->mtu_link);
	if (b->retags)
		printf(" vlan %u", b->vlan);
	if (b->fwd != SL_FWD_L2) {
		print_bytes("from", b->saddr, n);
		print_bytes("to", b->daddr, n);
		print_bytes("entropy", b->entropy, 4);
		printf(" dport %u", b->dport);
	}
	printf("; N %u, limit: window %#x echo %u too big %u\n", f->out.l3, f->model.limit.window,
	       f->model.limit.echo, f->model.limit.too_big);
}

static void print_guard(const struct sl_fuzz *f, const struct sl_subject *s)
{
	static const char *const of[] = { "packets", "flows" }, *const by[] = { "source",
										"network" };
	const struct sl_oracle_guard *guard = &f->out.guard;
	const struct sl_oracle_service *v = &f->model.service[f->out.service];

	printf("# guard%s%s, jiffies %#llx (%010llx)\n", v->guard ? "" : " off",
	       v->dry ? ", dry" : "", (unsigned long long)f->model.jiffies,
	       (unsigned long long)(f->model.jiffies << 16 & SL_GUARD_TIME_MASK));
	for (unsigned i = 0; i < SL_GUARD_LEVELS; i++) {
		printf("#   set %u: packets of a %s: cost %#x burst %#x, flows: cost %#x burst "
		       "%#x; hash %#llx\n",
		       guard->set[i], by[i], v->source[i][0].cost, v->source[i][0].burst,
		       v->source[i][1].cost, v->source[i][1].burst,
		       (unsigned long long)guard->hash[i]);
		for (unsigned w = 0; w < SL_GUARD_WAYS; w++)
			printf("#     %016llx, %s %016llx\n",
			       (unsigned long long)f->model.guard_set[guard->set[i]].word[w],
			       s->name,
			       (unsigned long long)s->mem->guard_sets[guard->set[i]].word[w]);
	}
	for (unsigned i = 0; i < SL_GUARD_KINDS; i++)
		printf("#   %s of the service: cost %#llx batch %u burst %#llx, ahead %#llx, "
		       "credit %u\n",
		       of[i], (unsigned long long)v->share[i].cost, v->share[i].batch,
		       (unsigned long long)v->share[i].burst,
		       (unsigned long long)(v->pool[i] - (f->model.jiffies << 28)), v->credit[i]);
}

static void print_both(const struct sl_fuzz *f, const char *name, const char *reason)
{
	static const char *const verdict[] = { "pass", "drop", "tx", "redirect" };
	static const char *const action[] = { "aborted", "drop", "pass", "tx", "redirect" };

	printf("# %s\n# oracle: %s, %s, backend %u\n# %s: %s, %s\n", f->text,
	       sl_oracle_label(f->out.why), verdict[f->out.verdict], f->out.backend, name, reason,
	       f->is.verdict >= 0 && f->is.verdict < 5 ? action[f->is.verdict] : "?");
}

/* Whether the frame at hand, changed, still differs in the same way. */
static bool differs_alike(struct sl_fuzz *f, const struct sl_subject *s, enum sl_oracle_why why,
			  const char *reason)
{
	unsigned way;
	bool differs;

	sl_fuzz_restore(f, s);
	differs = !sl_fuzz_try(f, s, &way);
	return differs && f->out.why == why && sl_subject_reason(s, &f->want) == reason;
}

/* @n bytes at @at become 0, if that changes nothing. false: they are. */
static bool zero(struct sl_fuzz *f, const struct sl_subject *s, uint32_t at, uint32_t n,
		 enum sl_oracle_why why, const char *reason)
{
	uint8_t was[256];

	if (is_zero(f->frame + at, n))
		return false;
	memcpy(was, f->frame + at, n);
	memset(f->frame + at, 0, n);
	if (!differs_alike(f, s, why, reason))
		memcpy(f->frame + at, was, n);
	return true;
}

static void shrink(struct sl_fuzz *f, const struct sl_subject *s, const char *reason)
{
	enum sl_oracle_why why = f->out.why;

	for (uint32_t cut = f->len / 2; cut; cut /= 2)
		while (f->len >= 14 + cut) {
			uint32_t len = f->len, first = f->first;

			f->len -= cut;
			f->first = first < f->len ? first : f->len;
			if (differs_alike(f, s, why, reason))
				continue;
			f->len = len;
			f->first = first;
			break;
		}
	for (uint32_t n = 256; n; n /= 2)
		for (uint32_t i = 0, tries = 0; i < f->len && tries < 200; i += n)
			tries += zero(f, s, i, n < f->len - i ? n : f->len - i, why, reason);
	(void)differs_alike(f, s, why, reason); /* leaves the text and both results */
}

void sl_fuzz_summary(const struct sl_fuzz *f, const struct sl_subject *s)
{
	printf("# difference: seed %llu, packet %llu, oracle: %s, %s: %s, %s\n",
	       (unsigned long long)f->seed, (unsigned long long)f->index,
	       sl_oracle_label(f->out.why), s->name, sl_subject_reason(s, &f->want), f->text);
}

void sl_fuzz_report(struct sl_fuzz *f, const struct sl_subject *s)
{
	const char *reason = sl_subject_reason(s, &f->want);

	printf("# difference: seed %llu, packet %llu, came in on %u, %u bytes in the first "
	       "buffer\n",
	       (unsigned long long)f->seed, (unsigned long long)f->index, f->ingress, f->first);
	print_both(f, s->name, reason);
	dump("frame", f->frame, f->len);
	if (f->out.has_hash)
		print_slot(f);
	if (f->out.backend)
		print_backend(f);
	if (f->out.guard.asked)
		print_guard(f, s);
	if (f->is.len != f->len || memcmp(f->is.byte, f->frame, f->len))
		dump("left as", f->is.byte, f->is.len < SL_ORACLE_LEFT ? f->is.len : 0);
	if (f->out.verdict > SL_ORACLE_DROP)
		dump("should leave as", f->out.byte, f->out.len);
	shrink(f, s, reason);
	print_both(f, s->name, sl_subject_reason(s, &f->want));
	dump("smaller", f->frame, f->len);
	fflush(stdout);
}
