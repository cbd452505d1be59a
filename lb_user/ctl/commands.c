/* SPDX-License-Identifier: BSD-2-Clause */
/* commands: the one list of what sluicectl can do; help, suggestions and dispatch read it. */
#include "lb_user/ctl/commands.h"

const struct sl_flag sl_flags_common[] = {
	{ "server", 's', "ADDR",
	  "the agent: unix:/path or http://127.0.0.1:PORT\n(env SLUICE_SERVER; "
	  "default\n" SL_HTTP_DEFAULT ")" },
	{ "output", 'o', "FORM", "table, json (as the API says it) or name" },
	{ "no-headers", 0, NULL, "tables without their header lines" },
	{ "quiet", 'q', NULL, "no messages but errors" },
	{ "no-color", 0, NULL, "no colours (also: NO_COLOR=1 in the environment)" },
	{ "help", 'h', NULL, "this help" },
	{ NULL, 0, NULL, NULL },
};

#define DRAIN_USAGE "SERVICE/BACKEND... [flags]"
#define DRAIN_TEXT                                                                       \
	"New flows go to the other backends, those it has stay. It is drained when\n"    \
	"none are left, or at the deadline. With --wait it reports the flows left: on\n" \
	"a terminal in one line, else a line every 10 seconds. ^C ends the waiting,\n"   \
	"not the drain. Undo: sluicectl backend ready SERVICE/BACKEND\n"

const struct sl_command sl_commands[] = {
	{ "status", "[--check] [--rates]", "all services with their backends",
	  "With --check the exit code is 9 unless every service is up (all of its\n"
	  "backends take new flows) and every interface is attached.\n",
	  sl_cmd_status_flags, 0, 0, false, sl_cmd_status },
	{ "service list", "", "all services", NULL, NULL, 0, 0, false, sl_cmd_service_list },
	{ "service show", "NAME", "one service with its backends", NULL, NULL, 1, 1, false,
	  sl_cmd_service_show },
	{ "service add", "NAME --address A --port P [flags] | [NAME] -f FILE", "declare a service",
	  "Time spans are 500ms, 2s, 5m, 1h30m. What is left out has the default.\n",
	  sl_cmd_service_add_flags, 0, 1, false, sl_cmd_service_add },
	{ "service guard", "NAME [flags]", "limits for sources, networks, all; shows or sets them",
	  "What is not named stays as it is. Refused packets count as guard_source and\n"
	  "guard_service; start with --dry-run on, and watch sluicectl guard show.\n",
	  sl_cmd_service_guard_flags, 1, 1, false, sl_cmd_service_guard },
	{ "service delete", "NAME", "remove a service and all of its backends",
	  "Its traffic is no longer balanced from that moment on: drain first.\n", NULL, 1, 1,
	  false, sl_cmd_service_delete },
	{ "backend list", "[SERVICE]", "backends of a service, or all",
	  "Without SERVICE, -o json prints the status document.\n", NULL, 0, 1, false,
	  sl_cmd_backend_list },
	{ "backend show", "SERVICE/BACKEND", "one backend, everything known of it", NULL, NULL, 1,
	  1, false, sl_cmd_backend_show },
	{ "backend add", "SERVICE/BACKEND --address A [flags]", "add a backend to a service", NULL,
	  sl_cmd_backend_add_flags, 1, 1, false, sl_cmd_backend_add },
	{ "backend set", "SERVICE/BACKEND [--weight N] [--reason TEXT]", "change a backend", NULL,
	  sl_cmd_backend_set_flags, 1, 1, false, sl_cmd_backend_set },
	{ "backend drain", DRAIN_USAGE, "no new flows; done when none are left", DRAIN_TEXT,
	  sl_cmd_drain_flags, 1, SIZE_MAX, false, sl_cmd_drain },
	{ "backend ready", "SERVICE/BACKEND...", "take new flows again", NULL, NULL, 1, SIZE_MAX,
	  false, sl_cmd_backend_ready },
	{ "backend maint", "SERVICE/BACKEND... [--reason TEXT]",
	  "out at once; its flows move or break", NULL, sl_cmd_backend_maint_flags, 1, SIZE_MAX,
	  false, sl_cmd_backend_maint },
	{ "backend delete", "SERVICE/BACKEND... [--force]", "remove a drained backend", NULL,
	  sl_cmd_backend_delete_flags, 1, SIZE_MAX, false, sl_cmd_backend_delete },
	{ "drain", DRAIN_USAGE, "short for backend drain", DRAIN_TEXT, sl_cmd_drain_flags, 1,
	  SIZE_MAX, false, sl_cmd_drain },
	{ "wait", "SERVICE/BACKEND... --for STATE [--timeout SPAN]", "until backends reach a state",
	  NULL, sl_cmd_wait_flags, 1, SIZE_MAX, false, sl_cmd_wait },
	{ "trace", "[--service NAME] [--kind LIST] [--sample N]",
	  "events of single packets, until ^C",
	  "A line for each packet that begins a flow (new_flow), is dropped, is sent to\n"
	  "another backend because its flow's is down (reschedule), or takes the place of\n"
	  "another flow in memory (eviction). While it runs packets cost more.\n",
	  sl_cmd_trace_flags, 0, 0, false, sl_cmd_trace },
	{ "capture", "-w FILE [--service NAME] [--reason R] [flags]",
	  "packets before and after, into a file",
	  "The file is pcapng, with an interface \"before\" and one \"after\"; Wireshark and\n"
	  "tcpdump read it. Each frame's comment names reason, service and backend. One\n"
	  "capture at a time. While it runs packets cost more.\n",
	  sl_cmd_capture_flags, 0, 0, false, sl_cmd_capture },
	{ "guard show", "", "listed prefixes, and what the guard counted", NULL, NULL, 0, 0, false,
	  sl_cmd_guard_show },
	{ "guard allow", "PREFIX...", "sources that no limit holds for",
	  "Of several listed prefixes that have an address the longest one decides.\n", NULL, 1,
	  SIZE_MAX, false, sl_cmd_guard_allow },
	{ "guard deny", "PREFIX...", "sources whose packets are dropped",
	  "Flows that exist are dropped too. Of several listed prefixes that have an\n"
	  "address the longest one decides.\n",
	  NULL, 1, SIZE_MAX, false, sl_cmd_guard_deny },
	{ "guard remove", "PREFIX...", "list them no longer", NULL, NULL, 1, SIZE_MAX, false,
	  sl_cmd_guard_remove },
	{ "metrics", "", "the agent's metrics, as Prometheus reads them", NULL, NULL, 0, 0, false,
	  sl_cmd_metrics },
	{ "detach", "--yes", "stop balancing: unload from every interface",
	  "Removes the program and all flow state from the kernel and ends the agent.\n"
	  "Declared services stay in the state file. A restart or an upgrade of the\n"
	  "agent never needs this.\n",
	  sl_cmd_detach_flags, 0, 0, false, sl_cmd_detach },
	{ "decap", "[IFACE [--from CIDR,... [flags] | --off]]",
	  "on a backend: take tunnel packets of the balancers apart",
	  "Needs root and no agent. With --from the program is put on the interface, or\n"
	  "replaced in one step; what is not given has its default again. Without it,\n"
	  "what the program was told and has counted. IPIP and GUE packets of others\n"
	  "than --from are dropped, all else passes untouched.\n",
	  sl_cmd_decap_flags, 0, 1, true, sl_cmd_decap },
	{ "help", "[COMMAND]", "help on a command", NULL, NULL, 0, 2, true, sl_cmd_help },
	{ "version", "", "the version of sluicectl", NULL, NULL, 0, 0, true, sl_cmd_version },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0, false, NULL },
};
