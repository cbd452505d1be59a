/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_CTL_STOP_H
#define LB_USER_CTL_STOP_H

/* stop: ^C and SIGTERM as the way to end a command that watches, after tidying up. */
#include <stdbool.h>

#include "lb_user/ctl/ctl.h"

/* From now on they set a mark, and end a request in flight. */
void sl_stop_begin(struct sl_ctl *ctl);
bool sl_stop_wanted(void);
/* Requests are no longer ended; a second ^C ends the process. */
void sl_stop_end(struct sl_ctl *ctl);

/* Sleeps; cut short by a signal. */
void sl_stop_pause(unsigned ms);

#endif
