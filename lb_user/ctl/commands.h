/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LB_USER_CTL_COMMANDS_H
#define LB_USER_CTL_COMMANDS_H

/* commands: what the table in commands.c points to. Each returns an enum sl_exit. */
#include "lb_user/ctl/ctl.h"

extern const struct sl_flag sl_cmd_status_flags[];
int sl_cmd_status(struct sl_ctl *ctl);

int sl_cmd_service_list(struct sl_ctl *ctl);
int sl_cmd_service_show(struct sl_ctl *ctl);
int sl_cmd_service_delete(struct sl_ctl *ctl);

extern const struct sl_flag sl_cmd_service_add_flags[];
int sl_cmd_service_add(struct sl_ctl *ctl);

extern const struct sl_flag sl_cmd_service_guard_flags[];
int sl_cmd_service_guard(struct sl_ctl *ctl);

int sl_cmd_guard_show(struct sl_ctl *ctl);
int sl_cmd_guard_allow(struct sl_ctl *ctl);
int sl_cmd_guard_deny(struct sl_ctl *ctl);
int sl_cmd_guard_remove(struct sl_ctl *ctl);

int sl_cmd_backend_list(struct sl_ctl *ctl);
int sl_cmd_backend_show(struct sl_ctl *ctl);

extern const struct sl_flag sl_cmd_backend_add_flags[], sl_cmd_backend_set_flags[];
extern const struct sl_flag sl_cmd_backend_maint_flags[], sl_cmd_backend_delete_flags[];
int sl_cmd_backend_add(struct sl_ctl *ctl);
int sl_cmd_backend_set(struct sl_ctl *ctl);
int sl_cmd_backend_ready(struct sl_ctl *ctl);
int sl_cmd_backend_maint(struct sl_ctl *ctl);
int sl_cmd_backend_delete(struct sl_ctl *ctl);

extern const struct sl_flag sl_cmd_drain_flags[], sl_cmd_wait_flags[];
int sl_cmd_drain(struct sl_ctl *ctl);
int sl_cmd_wait(struct sl_ctl *ctl);

extern const struct sl_flag sl_cmd_trace_flags[], sl_cmd_capture_flags[];
int sl_cmd_trace(struct sl_ctl *ctl);
int sl_cmd_capture(struct sl_ctl *ctl);

extern const struct sl_flag sl_cmd_detach_flags[];
int sl_cmd_detach(struct sl_ctl *ctl);
int sl_cmd_metrics(struct sl_ctl *ctl);

extern const struct sl_flag sl_cmd_decap_flags[];
int sl_cmd_decap(struct sl_ctl *ctl);

int sl_cmd_help(struct sl_ctl *ctl);
int sl_cmd_version(struct sl_ctl *ctl);

#endif
