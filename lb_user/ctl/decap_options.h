/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_CTL_DECAP_OPTIONS_H
#define LB_USER_CTL_DECAP_OPTIONS_H

/* decap_options: from the flags of `sluicectl decap` to what the program is told. */
#include "lb_user/base/err.h"
#include "lb_user/ctl/args.h"
#include "lb_user/dp/decap.h"

enum sl_decap_act { SL_DECAP_SHOW, SL_DECAP_APPLY, SL_DECAP_TAKE_OFF };

struct sl_decap_options {
	enum sl_decap_act act;
	const char *ifname;  /* NULL: all that have the program, to show */
	const char *pin_dir; /* of the command line, or the default */
	struct sl_decap_told told;
	bool generic;
};

/* "192.0.2.0/24,2001:db8::1", added to *@list without doubles. Returns 0 or -EINVAL, -E2BIG. */
int sl_decap_options_prefixes(const char *flag, const char *text, struct sl_decap_prefixes *list,
			      struct sl_err *err);

/* Returns 0, or -EINVAL with the flag at fault named; *ret is written only with 0. */
int sl_decap_options_read(const struct sl_args *args, struct sl_decap_options *ret,
			  struct sl_err *err);

#endif
