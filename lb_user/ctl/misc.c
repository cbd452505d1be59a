/* SPDX-License-Identifier: BSD-2-Clause */
/* misc: metrics and detach. */
#include <stdlib.h>

#include "lb_user/ctl/commands.h"
#include "lb_user/ctl/text.h"

const struct sl_flag sl_cmd_detach_flags[] = {
	{ "yes", 0, NULL, "yes, stop balancing on this machine" },
	{ NULL, 0, NULL, NULL },
};

int sl_cmd_metrics(struct sl_ctl *ctl)
{
	struct sl_answer a = { 0 };
	char *clean;
	int r;

	if (ctl->output != SL_OUTPUT_TABLE)
		return sl_fail_usage(ctl,
				     "metrics has one form; for JSON: sluicectl status -o json");
	r = sl_call_text(ctl, "/metrics", &a);
	if (r)
		return r;
	clean = malloc(a.reply.len + 1);
	if (clean) {
		(void)fwrite(clean, 1, sl_text_clean(a.reply.body, true, clean, a.reply.len + 1),
			     stdout); /* sl_call_finish() looks at stdout's error flag */
		free(clean);
	} else {
		r = sl_fail(SL_EXIT_ERROR, "out of memory");
	}
	sl_answer_done(&a);
	return r;
}

int sl_cmd_detach(struct sl_ctl *ctl)
{
	struct sl_answer a = { 0 };
	int r;

	if (!sl_args_value(&ctl->args, "yes")) {
		(void)sl_fail(
			0, "detach ends balancing at once: all services of this machine go dark");
		sl_hint("to do it: sluicectl detach --yes");
		sl_hint("to restart or upgrade the agent it is not needed: packets do not notice");
		return SL_EXIT_USAGE;
	}
	r = sl_call(ctl, "DELETE", "/api/v1/dataplane", NULL, &a);
	if (!r)
		sl_say(ctl, "detached: the program is off every interface and the agent ends; "
			    "to balance again: systemctl start sluiced");
	sl_answer_done(&a);
	return r;
}
