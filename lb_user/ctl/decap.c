/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decap: the backend's program. The one command that asks the kernel and no
 * agent: a backend has none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_user/ctl/commands.h"
#include "lb_user/ctl/decap_options.h"
#include "lb_user/ctl/text.h"

const struct sl_flag sl_cmd_decap_flags[] = {
	{ "from", 0, "CIDR,...", "addresses or prefixes of the balancers" },
	{ "to", 0, "ADDR,...", "only tunnels to these addresses (default: any)" },
	{ "gue-port", 0, "N", "UDP port of GUE (default 6080)" },
	{ "generic", 0, NULL, "where the driver has no native XDP (slower)" },
	{ "off", 0, NULL, "take the program off the interface" },
	{ "pin-dir", 0, "DIR", "folder on a bpffs (default\n" SL_DECAP_PIN_DIR ")" },
	{ NULL, 0, NULL, NULL },
};

static const char *const labels[SL_DECAP_REASONS_MAX] = {
#define LABEL(sym, num, act, label) [num] = label,
	SL_DECAP_REASONS(LABEL)
#undef LABEL
};

static const char *const wheres[] = {
	[SL_DECAP_ON] = "attached",
	[SL_DECAP_GONE] = "gone",
	[SL_DECAP_ELSEWHERE] = "elsewhere",
};

static int failed(const struct sl_err *err)
{
	switch (err->code) {
	case -ENODEV:
	case -ENOENT:
		return sl_fail(SL_EXIT_NOT_FOUND, "%s", err->detail);
	case -EBUSY:
		return sl_fail(SL_EXIT_CONFLICT, "%s", err->detail);
	case -EACCES:
		return sl_fail(SL_EXIT_DENIED, "%s", err->detail);
	case -EINVAL:
		return sl_fail(SL_EXIT_USAGE, "%s", err->detail);
	default:
		return sl_fail(SL_EXIT_ERROR, "%s", err->detail);
	}
}

/* "10.0.0.0/24, 2001:db8::1"; "any" for none. Heap, or NULL. */
static char *join(const struct sl_decap_prefixes *list)
{
	char one[SL_PREFIX_STRLEN], *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return NULL;
	for (unsigned i = 0; i < list->n; i++)
		fprintf(to, "%s%s", i ? ", " : "", sl_prefix_format(&list->at[i], one));
	if (!list->n)
		fputs("any", to);
	fclose(to);
	return text;
}

static void add_list(cJSON *to, const char *name, const struct sl_decap_prefixes *list)
{
	cJSON *array = cJSON_AddArrayToObject(to, name);
	char one[SL_PREFIX_STRLEN];

	for (unsigned i = 0; i < list->n; i++)
		cJSON_AddItemToArray(array,
				     cJSON_CreateString(sl_prefix_format(&list->at[i], one)));
}

static cJSON *as_json(const struct sl_decap_state *s)
{
	cJSON *o = cJSON_CreateObject(), *counters, *row;
	char number[24];

	cJSON_AddStringToObject(o, "interface", s->ifname);
	cJSON_AddNumberToObject(o, "ifindex", s->ifindex);
	cJSON_AddStringToObject(o, "state", wheres[s->where]);
	cJSON_AddStringToObject(o, "mode", s->generic ? "generic" : "native");
	add_list(o, "from", &s->told.from);
	add_list(o, "to", &s->told.to);
	cJSON_AddNumberToObject(o, "gue_port", s->told.gue_port);
	counters = cJSON_AddObjectToObject(o, "counters");
	for (unsigned i = SL_DECAP_R_NEXT + 1; i < SL_DECAP_REASONS_MAX; i++) {
		if (!labels[i])
			continue;
		row = cJSON_AddObjectToObject(counters, labels[i]);
		snprintf(number, sizeof(number), "%llu", (unsigned long long)s->cnt[i].packets);
		cJSON_AddRawToObject(row, "packets", number);
		snprintf(number, sizeof(number), "%llu", (unsigned long long)s->cnt[i].bytes);
		cJSON_AddRawToObject(row, "bytes", number);
	}
	return o;
}

/* Takes @root. */
static int print_json(cJSON *root)
{
	char *text = root ? cJSON_PrintUnformatted(root) : NULL;

	cJSON_Delete(root);
	if (!text)
		return sl_fail(SL_EXIT_ERROR, "out of memory");
	sl_doc_print(stdout, text, strlen(text));
	free(text);
	return SL_EXIT_OK;
}

static int print_table(struct sl_table *t, const struct sl_look *look)
{
	bool bad = !t || sl_table_failed(t);

	if (!bad)
		sl_table_print(t, look, stdout);
	sl_table_free(t);
	return bad ? sl_fail(SL_EXIT_ERROR, "out of memory") : SL_EXIT_OK;
}

static void print_told(const struct sl_decap_state *s)
{
	char *from = join(&s->told.from), *to = join(&s->told.to);

	printf("interface  %s, %s%s\n", s->ifname,
	       s->where == SL_DECAP_ON ? (s->generic ? "generic" : "native") : wheres[s->where],
	       s->where == SL_DECAP_GONE	? " (it was deleted; clear this by --off)"
	       : s->where == SL_DECAP_ELSEWHERE ? " (in another network namespace)"
						: "");
	printf("from       %s\nto         %s\ngue port   %u\n\n", from ? from : "?", to ? to : "?",
	       s->told.gue_port);
	free(from);
	free(to);
}

/* Reasons that never happened are left out, but for what everybody asks for. */
static int print_state(const struct sl_ctl *ctl, const struct sl_decap_state *s)
{
	struct sl_table *t = sl_table_new("REASON PACKETS BYTES", 3, 0);
	char count[SL_TEXT_SHORT];

	print_told(s);
	for (unsigned i = SL_DECAP_R_NEXT + 1; t && i < SL_DECAP_REASONS_MAX; i++) {
		const struct sl_decap_cnt *c = &s->cnt[i];

		if (!labels[i] || (!c->packets && i > SL_DECAP_R_STRANGER))
			continue;
		sl_table_row(t);
		sl_table_cell(t, SL_STYLE_NONE, "%s", labels[i]);
		sl_table_cell(t, SL_STYLE_NONE, "%s",
			      sl_text_format_count((double)c->packets, count));
		sl_table_cell(t, SL_STYLE_NONE, "%s",
			      sl_text_format_count((double)c->bytes, count));
	}
	return print_table(t, &ctl->look);
}

static int show_one(const struct sl_ctl *ctl, const struct sl_decap_options *o)
{
	static struct sl_decap_state s; /* 13 KiB */
	struct sl_err err = {};

	if (sl_decap_read(o->pin_dir, o->ifname, &s, &err))
		return failed(&err);
	if (ctl->output == SL_OUTPUT_JSON)
		return print_json(as_json(&s));
	if (ctl->output == SL_OUTPUT_NAME) {
		printf("%s\n", s.ifname);
		return SL_EXIT_OK;
	}
	return print_state(ctl, &s);
}

static void list_row(struct sl_table *t, const struct sl_decap_state *s)
{
	const struct sl_decap_cnt *c = s->cnt;
	char *from = join(&s->told.from), count[SL_TEXT_SHORT];
	uint64_t dropped = 0;

	for (unsigned i = SL_DECAP_R_STRANGER + 1; i < SL_DECAP_REASONS_MAX; i++)
		dropped += c[i].packets;
	sl_table_row(t);
	sl_table_cell(t, SL_STYLE_NONE, "%s", s->ifname);
	sl_table_cell(t, s->where == SL_DECAP_ON ? SL_STYLE_GOOD : SL_STYLE_BAD, "%s",
		      wheres[s->where]);
	sl_table_cell(t, SL_STYLE_NONE, "%s", s->generic ? "generic" : "native");
	sl_table_cell(
		t, SL_STYLE_NONE, "%s",
		sl_text_format_count(
			(double)(c[SL_DECAP_R_IPIP].packets + c[SL_DECAP_R_GUE].packets), count));
	sl_table_cell(t, SL_STYLE_NONE, "%s",
		      sl_text_format_count((double)c[SL_DECAP_R_STRANGER].packets, count));
	sl_table_cell(t, SL_STYLE_NONE, "%s", sl_text_format_count((double)dropped, count));
	sl_table_cell(t, SL_STYLE_NONE, "%s", from ? from : "?");
	free(from);
}

/* One that cannot be read does not hide the others. */
static int show_all(const struct sl_ctl *ctl, const struct sl_decap_options *o)
{
	struct sl_table *t = sl_table_new("IFACE STATE MODE DECAP STRANGER DROPPED FROM", 7, 0);
	cJSON *root = cJSON_CreateObject(), *items = cJSON_AddArrayToObject(root, "items");
	static struct sl_decap_state s;
	char(*names)[IF_NAMESIZE];
	struct sl_err err = {};
	int n = sl_decap_list(o->pin_dir, &names, &err), r = n < 0 ? failed(&err) : 0, r2;

	for (int i = 0; i < n; i++) {
		if (sl_decap_read(o->pin_dir, names[i], &s, &err)) {
			r2 = failed(&err);
			r = r ? r : r2;
		} else if (ctl->output == SL_OUTPUT_JSON) {
			cJSON_AddItemToArray(items, as_json(&s));
		} else if (ctl->output == SL_OUTPUT_NAME) {
			printf("%s\n", names[i]);
		} else if (t) {
			list_row(t, &s);
		}
	}
	if (n >= 0)
		free(names);
	if (ctl->output == SL_OUTPUT_JSON && n >= 0) {
		r2 = print_json(root);
		root = NULL;
		r = r ? r : r2;
	}
	if (ctl->output == SL_OUTPUT_TABLE && n > 0) {
		r2 = print_table(t, &ctl->look);
		t = NULL;
		r = r ? r : r2;
	} else if (ctl->output == SL_OUTPUT_TABLE && !n) {
		sl_say(ctl, "decap is on no interface; to put it on one: sluicectl decap IFACE "
			    "--from CIDR");
	}
	sl_table_free(t);
	cJSON_Delete(root);
	return r;
}

static int apply(const struct sl_ctl *ctl, const struct sl_decap_options *o)
{
	struct sl_err err = {};
	bool replaced = false;
	char *from;

	if (sl_decap_apply(o->pin_dir, o->ifname, &o->told, o->generic, &replaced, &err))
		return failed(&err);
	from = join(&o->told.from);
	sl_say(ctl, "interface %s: decap %s; tunnels are accepted from %s, GUE on port %u",
	       o->ifname, replaced ? "replaced" : "attached", from ? from : "?", o->told.gue_port);
	free(from);
	for (unsigned i = 0; i < o->told.from.n; i++)
		if (!o->told.from.at[i].len)
			sl_say(ctl, "note: --from with length 0 accepts tunnels from anybody");
	sl_say(ctl, "it stays until --off or the next boot; clients' segments must leave room for "
		    "the outer header, see deploy/README.md");
	return SL_EXIT_OK;
}

int sl_cmd_decap(struct sl_ctl *ctl)
{
	static struct sl_decap_options o;
	struct sl_err err = {};

	if (sl_decap_options_read(&ctl->args, &o, &err))
		return sl_fail_usage(ctl, "%s", err.detail);
	switch (o.act) {
	case SL_DECAP_APPLY:
		return apply(ctl, &o);
	case SL_DECAP_TAKE_OFF:
		if (sl_decap_off(o.pin_dir, o.ifname, &err))
			return failed(&err);
		sl_say(ctl, "interface %s: decap taken off", o.ifname);
		return SL_EXIT_OK;
	default:
		return o.ifname ? show_one(ctl, &o) : show_all(ctl, &o);
	}
}
