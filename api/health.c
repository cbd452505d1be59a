/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/resources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sl_livez_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	(void)a;
	(void)q;
	sl_reply_text(r, 200, SL_CONTENT_TEXT, strdup("ok\n"), 3);
}

/* One line for each check with @verbose, else only for those that fail. */
static void report(FILE *out, bool verbose, bool good, const char *what, const char *name,
		   const char *why)
{
	if (good && !verbose)
		return;
	if (good)
		(void)fprintf(out, "[+] %s%s%s: ok\n", what, *name ? " " : "", name);
	else
		(void)fprintf(out, "[-] %s%s%s: %s\n", what, *name ? " " : "", name, why);
}

/*
 * Ready: the agent may change what it was told to, and every interface that it
 * was told of has the program. Backends that are down do not count: that is the
 * service's matter, see /api/v1/status.
 */
void sl_readyz_get(struct sl_api *a, const struct sl_request *q, struct sl_reply *r)
{
	const struct sl_config *c = sl_control_config(a->control);
	const char *why = sl_control_readonly(a->control);
	bool verbose = sl_request_query(q, "verbose") != NULL;
	bool ready = !why;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out) {
		sl_reply_text(r, 500, SL_CONTENT_TEXT, NULL, 0);
		return;
	}
	report(out, verbose, !why, "configuration", "", why ? why : "");
	for (size_t i = 0; i < c->n_interfaces; i++) {
		struct sl_interface_status st = { 0 };
		bool attached =
			sl_control_interface_status(a->control, c->interfaces[i].name, &st) == 0 &&
			st.attached;

		report(out, verbose, attached, "interface", c->interfaces[i].name,
		       "the program is not attached; see the agent's log for the cause");
		ready = ready && attached;
	}
	(void)fprintf(out, "%s\n", ready ? "ok" : "not ready");
	if (fclose(out) != 0) {
		free(text);
		text = NULL;
	}
	sl_reply_text(r, ready ? 200 : 503, SL_CONTENT_TEXT, text, len);
}
