#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# demo.sh BUILD_DIR          three web servers behind Sluice, in network namespaces of their own
# demo.sh BUILD_DIR clean    removes labs that KEEP=1 left up
#
# Shows registration over HTTP, weights, a crash and a drain under load, and checks each promise.
# The last line is "demo: N requests, N failed, N backends served"; exit status 0 only if all held.
set -u
repo=$(cd "$(dirname "$0")/.." && pwd)
build=${1:?usage: deploy/demo.sh BUILD_DIR [clean]}
config=$repo/deploy/config/sluiced.example.json
LAB_VIP4=$(jq -r '.services[0].address' "$config") || exit 1
# shellcheck source=tests/lib/lab.sh
. "$repo/tests/lib/lab.sh"

if [ "${2:-}" = clean ]; then
  for LAB_DIR in /tmp/sluice-*; do
    [ -f "$LAB_DIR/kept" ] || continue
    echo "removing $LAB_DIR"
    # shellcheck disable=SC2030 # lab_down ends the subshell, not the loop
    (LAB_ID=${LAB_DIR#/tmp/} LAB_BPF=$(cat "$LAB_DIR/kept") && lab_down)
  done
  exit 0
fi
[ "${KEEP:-0}" != 1 ] || LAB_KEEP=1

requests=0 failures=0 lost=0 step_n=0
declare -A served=()
service=$(jq -r '.services[0].name' "$config")
path=/api/v1/services/$service/backends

step() { step_n=$((step_n + 1)); printf '\n%d. %s\n' $step_n "$*"; }
say() { printf '   %s\n' "$*"; }
held() { say "ok      $*"; TAP_OK=$((TAP_OK + 1)); }
promise() { # TEXT COMMAND...
  local text=$1
  shift
  if "$@" >/dev/null 2>&1; then held "$text"; else
    say "BROKEN  $text"
    TAP_BAD=$((TAP_BAD + 1))
  fi
}
# shellcheck disable=SC2031 # the subshell of "clean" is another run
finish() {
  echo
  # Before the last line, which is the sum.
  if [ "$TAP_BAD" != 0 ] || [ "$failures" != 0 ]; then lab_save_logs; fi
  if [ "${LAB_KEEP:-0}" = 1 ] && [ -d "$LAB_DIR" ] && [ -n "${LAB_BPF:-}" ]; then how_to_enter; fi
  echo "demo: $requests requests, $failures failed, ${#served[@]} backends served"
  [ "$TAP_BAD" = 0 ] && [ "$failures" = 0 ]
  exit
}
# Something that the rest stands on is missing: the lines of bail are those of the tests.
bail() {
  say "BROKEN  $*"
  TAP_BAD=$((TAP_BAD + 1)) failures=$((failures + 1))
  finish
}

# shellcheck disable=SC2031 # the subshell of "clean" is another run
how_to_enter() {
  echo "$LAB_BPF" >"$LAB_DIR/kept"
  cat <<END
The lab is up. Enter it:
  nsenter --net=/run/netns/$LAB_ID-client curl http://$VIP4/
  nsenter --net=/run/netns/$LAB_ID-lb bash          the balancer (also: -client -b1 -b2 -b3)
  curl -s --unix-socket $LAB_SOCK http://localhost/api/v1/status | jq
  $LAB_BUILD/sluicectl -s unix:$LAB_SOCK status
  logs and configuration are in $LAB_DIR
Remove it:
  deploy/demo.sh $build clean

END
}

# shown METHOD PATH [JSON]: what a reader would type, then the same done.
shown() {
  local body='' filter='{name, weight, state: .status.state}'
  [ $# -lt 3 ] || body=" -H 'Content-Type: application/json' -d '$3'"
  say "\$ curl --unix-socket \$SOCK -X $1 http://localhost$2$body"
  api "$@" >"$LAB_DIR/answer"
  say "  -> $(lab_code) $(jq -c "$filter" "$LAB_DIR/answer" 2>/dev/null)"
}

# Adds a finished load to the sums. LOST: failures that the killed backend explains.
account() { # RIG LOST
  local b
  requests=$((requests + $(rig_get "$1" '.requests + .failed')))
  failures=$((failures + $(rig_get "$1" '.failed + .broken') - $2))
  lost=$((lost + $2))
  for b in $(rig_get "$1" '.backends | to_entries[] | select(.value.answers > 0) | .key'); do
    served[$b]=1
  done
}

# shares N: that many fresh connections; the share of each backend against its weight.
shares() {
  local b w hits sum=0 fit=0
  rig_start shares --target "$VIP4:80" --rate 400 --new-max "$1" --sources "$LAB_SOURCES4"
  rig_wait shares
  account shares 0
  for b in b1 b2 b3; do sum=$((sum + $(lab_backend "$service" $b .weight))); done
  for b in b1 b2 b3; do
    w=$(lab_backend "$service" $b .weight)
    hits=$(rig_get shares ".backends.$b.new // 0")
    say "$(awk -v b=$b -v w="$w" -v s=$sum -v h="$hits" -v n="$1" 'BEGIN {
      printf "%s  weight %3d  asks for %5.1f %%  answered %4d  that is %5.1f %%", b, w,
        100 * w / s, h, 100 * h / n}')"
    share_ok "$hits" "$1" "$w" $sum || fit=1
  done
  promise "$1 requests, $(rig_get shares .failed) failed" test "$(rig_get shares .failed)" = 0
  promise "every share fits its weight (4 sigma)" test $fit = 0
}

demo_start() {
  step "A client, a balancer and three backends with nginx, each in its own namespace"
  lab_up "$build" 3
  say "client ---- lb ---- b1, b2, b3      the service is $VIP4:80, on lo of each backend"
  say "each backend was prepared by deploy/sluice-backend: $(head -n 3 "$LAB_DIR/backend.log" |
    sed 's/sluice-backend: //' | paste -sd ';')"

  step "sluiced, from deploy/config/sluiced.example.json with the lab's interface"
  jq '.interfaces = [{name: "lb-c", mode: "native"}]' "$config" >"$LAB_DIR/config.json"
  lab_agent_start || bail "sluiced does not answer: $(tail -n 3 "$LAB_DIR/sluiced.log")"
  say "\$ sluiced --config config.json --socket \$SOCK ...      SOCK=$LAB_SOCK"
  promise "attached to lb-c in native mode" test "$(api GET /api/v1/status |
    jq -c '.interfaces[0] | [.name, .mode, .attached]')" = '["lb-c","native",true]'

  step "The backends are registered over HTTP; each takes traffic once it has answered a probe"
  local i
  for i in 1 2 3; do
    shown POST "$path" "{\"name\": \"b$i\", \"address\": \"$(lab_addr4 $i)\", \"weight\": 100}"
  done
  wait_until 10 lab_all_up || bail "not all backends came up: $(api GET "$path")"
  promise "all three are up after $WAITED_MS ms" lab_all_up
}

demo_shares() {
  step "Requests through the service, one connection each"
  shares 600
  step "A weight changes; connections that are open stay where they are"
  rig_start open --target "$VIP4:80" --hold 100 --interval 300 --duration 60 --sources "$LAB_SOURCES4"
  shown PATCH "$path/b1" '{"weight": 200}'
  shares 600
  rig_stop open
  account open 0
  promise "100 open connections, $(rig_get open .requests) requests, $(rig_get open .broken) broken" \
    test "$(rig_get open .broken)" = 0
}

demo_kill() {
  step "nginx of b2 is killed under load: new requests avoid it, and it returns when it returns"
  rig_start kill --target "$VIP4:80" --hold 90 --interval 300 --rate 100 --duration 60 \
    --sources "$LAB_SOURCES4" --expect-gone b2
  sleep 1
  local killed_ms down_ms up_ms window later after back
  killed_ms=$(now_ms)
  lab_nginx_stop 2
  promise "b2 is seen down" wait_until 10 lab_backend_is "$service" b2 down
  down_ms=$(now_ms)
  say "after $((down_ms - killed_ms)) ms: $(lab_backend "$service" b2 '.status.message')"
  sleep 1
  lab_nginx_start 2
  promise "started again, b2 is up again" wait_until 10 lab_backend_is "$service" b2 up
  up_ms=$(now_ms)
  sleep 1
  rig_stop kill
  # A rig line: begin ms, end ms, kind, result, backend, why.
  window=$(awk -v a="$killed_ms" -v b="$down_ms" '$3 == "new" && $4 == "failed" &&
    $2 >= a - 50 && $1 <= b' "$LAB_DIR/rig-kill.log" | wc -l)
  after=$(awk -v a="$down_ms" -v b="$up_ms" '$4 == "ok" && $5 == "b2" && $1 > a && $1 < b - 500' \
    "$LAB_DIR/rig-kill.log" | wc -l)
  later=$(($(rig_get kill .failed) - window))
  back=$(awk -v b="$up_ms" '$4 == "ok" && $5 == "b2" && $1 > b' "$LAB_DIR/rig-kill.log" | wc -l)
  account kill "$window"
  lost=$((lost + $(rig_get kill .gone)))
  say "lost with b2: its $(rig_get kill .gone) open connections, $window new ones until it was seen"
  promise "$(rig_get kill .new) new connections, $later failed outside that" test "$later" = 0
  promise "open connections on b1 and b3: $(rig_get kill .broken) broken" \
    test "$(rig_get kill .broken)" = 0
  promise "$back new connections at b2 since it is back" test "$back" -gt 0
  promise "$after new connections at b2 while it was down" test "$after" = 0
}

demo_drain() {
  step "b3 is drained under long downloads and short requests"
  local i state active pids=() done_n=0 on_b3 drained_ms answered_ms begin_ms n
  rig_start drain --target "$VIP4:80" --rate 100 --duration 120 --sources "$LAB_SOURCES4"
  for i in $(seq 12); do
    # shellcheck disable=SC2031
    nsenter --net="/run/netns/$LAB_ID-client" curl -s -D "$LAB_DIR/get$i.head" -o /dev/null \
      -w '%{size_download}' "http://$VIP4/big?rate=3m" >"$LAB_DIR/get$i.size" &
    pids+=($!)
  done
  sleep 1
  on_b3=$(grep -il 'x-backend: b3' "$LAB_DIR"/get*.head | wc -l)
  say "12 downloads of 20 MiB at 3 MiB/s, $on_b3 of them from b3, and 100 requests per second"
  begin_ms=$(now_ms)
  shown POST "$path/b3/drain" '{"timeout_s": 60, "then": "drain"}'
  answered_ms=$(now_ms)
  sleep 1 # flows are counted by the packets they send from now on
  while drained_ms=$(now_ms) && [ $((drained_ms - begin_ms)) -lt 40000 ]; do
    state=$(lab_backend "$service" b3 .status.state)
    active=$(lab_backend "$service" b3 '.status.flows.active // "?"')
    say "$(((drained_ms - begin_ms) / 1000)) s: $state, $active flows left"
    [ "$state" != drained ] || break
    sleep 2
  done
  for i in $(seq 12); do
    wait "${pids[$((i - 1))]}"
    [ "$(cat "$LAB_DIR/get$i.size")" = $((20 * 1024 * 1024)) ] && done_n=$((done_n + 1))
  done
  rig_stop drain
  account drain 0
  requests=$((requests + 12)) failures=$((failures + 12 - done_n))
  n=$(awk -v a="$answered_ms" '$4 == "ok" && $5 == "b3" && $1 > a' "$LAB_DIR/rig-drain.log" | wc -l)
  promise "$done_n of 12 downloads finished whole" test $done_n = 12
  promise "$(rig_get drain .new) short requests, $(rig_get drain .failed) failed" \
    test "$(rig_get drain .failed)" = 0
  promise "$n new requests at b3 after the drain was answered" test "$n" = 0
  promise "b3 is drained, its last flow gone and no deadline needed" test "$(lab_backend \
    "$service" b3 '.status | [.state, .drain.by_deadline] | tostring')" = '["drained",false]'
  shown DELETE "$path/b3"
  promise "b3 is removed" test "$(lab_code)" = 204
}

[ "$(id -u)" = 0 ] || bail "network namespaces need root: sudo make demo"
demo_start
demo_shares
demo_kill
demo_drain

step "In sum"
reasons=$(api GET /api/v1/status | jq -r '.reasons | to_entries | map(select(.value > 0) |
  "\(.key) \(.value)") | join(", ")')
say "packets by reason: $reasons"
say "lost on the killed backend: $lost; promises kept $TAP_OK, broken $TAP_BAD"
finish
