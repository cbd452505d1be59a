#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Restart: nothing is lost while the agent is away, and a spoilt state file never stops forwarding.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 3
lab_config "$(lab_service web "$VIP4" 80 tcp 3)"
lab_agent_up
api PATCH /api/v1/services/web/backends/b1 '{"weight": 77}' >/dev/null
rig_start load --target "$VIP4:80" --hold 300 --interval 500 --rate 50 --duration 600 \
  --sources "$LAB_SOURCES4"

attached() { in_ns lb ip -j link show lb-c | jq -e '.[0].xdp.prog.id'; }
read_only() { api GET /api/v1/status | jq -r '.read_only // empty'; }
lab_agent_stop TERM
check "SIGTERM: the agent is gone" lab_dead "$LAB_AGENT"
check "SIGTERM: the program stays on the interface" attached
sleep 5
lab_agent_up
check "after 5 s without it: adopted, weight $(lab_backend web b1 .weight), $(lab_backend web b1 \
  .status.table_slots) slots" test "$(lab_backend web b1 .weight)" = 77

spoil() { # WORDS: the state file is already spoilt
  lab_agent_start || not_ok "$1: the agent does not start: $(tail -n 2 "$LAB_DIR/sluiced.log")"
  local why
  why=$(read_only)
  check "$1: the agent says so: ${why:0:100}" test -n "$why"
  api PATCH /api/v1/services/web/backends/b1 '{"weight": 5}' >/dev/null
  check "$1: a change is refused with $(lab_code)" test "$(lab_code)" = 503
  check "$1: the program stays on the interface" attached
  check "$1: requests are served" in_ns client curl -s -m 3 -o /dev/null "http://$VIP4/"
  check "$1: the file is left as it was" cmp -s "$LAB_DIR/state.json" "$LAB_DIR/spoilt"
  lab_agent_stop TERM
}
lab_agent_stop TERM
cp "$LAB_DIR/state.json" "$LAB_DIR/state.good"
torn() { head -c $(($(stat -c %s "$LAB_DIR/state.good") / 2)) "$LAB_DIR/state.good"; }
deep() { head -c 100000 /dev/zero | tr '\0' '['; }
junk() { printf '\377\376\000\001{"revision"'; }
range() { jq '.services[0].backends[0].weight = 70000' "$LAB_DIR/state.good"; }
none() { :; }
for kind in torn none deep junk range; do
  $kind >"$LAB_DIR/state.json"
  cp "$LAB_DIR/state.json" "$LAB_DIR/spoilt"
  spoil "state file $kind"
done

rm "$LAB_DIR/state.json"
jq '.services[0].backends[0].weight = 77' "$LAB_DIR/config.json" >"$LAB_DIR/c" &&
  mv "$LAB_DIR/c" "$LAB_DIR/config.json"
lab_agent_up
check "without the file it starts from its configuration, writable" test -z "$(read_only)"
check "a change is taken again" api PATCH /api/v1/services/web/backends/b1 '{"weight": 78}'
sleep 1
rig_stop load
check "through all of it: $(rig_words load)" \
  test "$(rig_get load '[.broken, .failed] | tostring')" = '[0,0]'
tap_done
