#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# udp_flows quic: a connection stays with the backend that had its Initial while one is added, weights move
# and its own drains; a new Initial of the same tuple is a new choice only then. The control remembers none.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 4
flows=120

for i in 1 2 3 4; do
  lab_backend_decap "b$i" || bail "decap: $(tail -n 1 "$LAB_DIR/decap.log")"
  for to in "$VIP4 4430" "$VIP4 4431" "$VIP6 4430" "$VIP6 4431"; do
    # shellcheck disable=SC2086 # two words
    lab_spawn "$LAB_DIR/udp.log" "b$i" python3 "$LAB_REPO/tests/lib/udp.py" answer $to "b$i"
  done
done
lab_config "$(lab_service quic4 "$VIP4" 4430 udp 3 '.udp_flows = "quic"')" \
  "$(lab_service none4 "$VIP4" 4431 udp 3 '.udp_flows = "none"')" \
  "$(lab_service quic6 "$VIP6" 4430 udp 3 '.udp_flows = "quic" | .forwarding.mode = "gue"')" \
  "$(lab_service none6 "$VIP6" 4431 udp 3 '.udp_flows = "none" | .forwarding.mode = "gue"')"
lab_agent_up

patch() { api PATCH "/api/v1/services/$1/backends/$2" "$3" >/dev/null && changes=$((changes + 1)); }

# run SERVICE ADDRESS PORT ADDRESS-OF-B4: what the client saw goes to $r, how many began before the end to $began.
run() {
  local f=$LAB_DIR/quic-$1 pid
  changes=0
  nsenter --net="/run/netns/$LAB_ID-client" python3 "$LAB_REPO/tests/lib/udp.py" quic "$2" "$3" $flows \
    "$f.run" >"$f.json" 2>"$f.log" </dev/null &
  pid=$!
  lab_note_pid $pid
  wait_until 10 test -e "$f.run" || bail "$1: $(tail -n 1 "$f.log")"
  sleep 0.5
  api POST "/api/v1/services/$1/backends" "{\"name\": \"b4\", \"address\": \"$4\"}" >/dev/null &&
    changes=$((changes + 1))
  wait_until 5 lab_backend_is "$1" b4 up
  sleep 0.5
  patch "$1" b1 '{"weight": 10}'
  patch "$1" b2 '{"weight": 256}'
  sleep 0.5
  patch "$1" b1 '{"weight": 200}'
  patch "$1" b3 '{"weight": 1}'
  sleep 0.5
  api POST "/api/v1/services/$1/backends/b1/drain" '{"timeout_s": 60, "then": "drain"}' >/dev/null &&
    changes=$((changes + 1))
  sleep 0.5
  began=$(api GET "/api/v1/services/$1" | jq .status.counters.flows)
  rm "$f.run"
  wait $pid
  r=$(cat "$f.json")
  check "$1: b4 added, weights moved four times, b1 drained: $changes of 6 changes" test $changes = 6
}

stays() { # SERVICE ADDRESS PORT ADDRESS-OF-B4
  local n moved new
  run "$@"
  n=$(jq .answers <<<"$r")
  check "$1: $n packets of $flows connections, $(jq .lost <<<"$r") lost, $(jq .changed <<<"$r") at another backend than the first: $(jq -c .names <<<"$r")" \
    test "$(jq -c '[.lost, .changed, (.names | length), (.answers > 1500)]' <<<"$r")" = '[0,0,3,true]'
  check "$1: $began flows counted until then" test "$began" = $flows
  moved=$(jq '[.again | to_entries[] | select(.key | startswith("b1 ")) | .value] | add' <<<"$r")
  check "$1: new Initials: the $moved of the draining b1 go elsewhere, all others stay: $(jq -c .again <<<"$r")" \
    test "$(jq -c '[(.again | has("b1 b1")), ([.again | to_entries[] | select(.key | startswith("b1 ") | not) |
      (.key | split(" ")) | .[0] == .[1]] | all), .names.b1]' <<<"$r")" = "[false,true,$moved]"
  new=$(api GET "/api/v1/services/$1" | jq .status.counters.flows)
  check "$1: and those $moved alone count as new flows: $new" test "$new" = $((flows + moved))
}
control() { # SERVICE ADDRESS PORT ADDRESS-OF-B4
  run "$@"
  check "control, $1: without memory $(jq .changed <<<"$r") packets reach another backend" \
    test "$(jq '.changed > 100 and .lost == 0' <<<"$r")" = true
}
stays quic4 "$VIP4" 4430 "$(lab_addr4 4)"
stays quic6 "$VIP6" 4430 "$(lab_addr6 4)"
control none4 "$VIP4" 4431 "$(lab_addr4 4)"
control none6 "$VIP6" 4431 "$(lab_addr6 4)"
r=$(lab_decap b2 '[.counters | to_entries[] | select(.key | IN("other", "ipip") | not) |
  select(.value.packets > 0) | .key] | tostring')
check "the IPv6 ones came by GUE, and none was refused: $r" test "$r" = '["gue"]'
tap_done
