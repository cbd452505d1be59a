#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Drain: no new flow from the answer on, the old ones stay until they end, then it is drained.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 3
lab_config "$(lab_service web "$VIP4" 80 tcp 3 '.idle_timeout = "6s"')"
lab_agent_up

rig_start held --target "$VIP4:80" --hold 300 --interval 500 --duration 600 --sources "$LAB_SOURCES4"
rig_start fresh --target "$VIP4:80" --rate 100 --duration 600 --sources "$LAB_SOURCES4"
loads=()
for i in $(seq 9); do
  nsenter --net="/run/netns/$LAB_ID-client" curl -s -D "$LAB_DIR/load$i.head" -o /dev/null \
    -w '%{size_download}' "http://$VIP4/big?rate=3m" >"$LAB_DIR/load$i.size" &
  loads+=($!)
done
sleep 1

begin_ms=$(now_ms)
answer=$(api POST /api/v1/services/web/backends/b3/drain '{"timeout_s": 120, "then": "drain"}')
answered_ms=$(now_ms)
check "the drain is accepted in $((answered_ms - begin_ms)) ms" test "$(lab_code)" = 202
check "it is $(jq -r .status.state <<<"$answer") and takes no new flows" \
  test "$(jq -c '[.status.state, .status.takes_new_flows, .admin_state]' <<<"$answer")" = \
  '["draining",false,"drain"]'
sleep 3

on_b3() { grep -il 'x-backend: b3' "$LAB_DIR"/load*.head | wc -l; }
# What b3 itself says: connections open now at the service's address.
open_b3() { in_ns b3 ss -Htn state established "src $VIP4" | wc -l; }
active=$(lab_backend web b3 .status.flows.active) true_n=$(open_b3)
check "the count of flows left is $active, at the backend $true_n are open" \
  awk -v a="$active" -v t="$true_n" 'BEGIN {exit !(a >= t * 0.9 && a <= t * 1.1 + 5)}'
check "it is still draining while they are open" lab_backend_is web b3 draining

sizes=0
for i in $(seq 9); do
  wait "${loads[$((i - 1))]}"
  [ "$(cat "$LAB_DIR/load$i.size")" = $((20 * 1024 * 1024)) ] && sizes=$((sizes + 1))
done
check "downloads finished whole: $sizes of 9, $(on_b3) of them on the draining backend" \
  test $sizes = 9
sleep 4 # longer than the idle timeout: held connections are what keeps it from being drained
before=$(lab_backend web b3 .status.flows.active)
check "$before flows left after $((($(now_ms) - begin_ms) / 1000)) s: draining" \
  lab_backend_is web b3 draining
rig_stop held
check "held connections: $(rig_words held)" test "$(rig_get held .broken)" = 0
check "drained when they were closed" wait_until 20 lab_backend_is web b3 drained
ok "drained $WAITED_MS ms after the last one"
r=$(lab_backend web b3 '.status | [.flows.active, .drain.complete, .drain.by_deadline] | tostring')
check "0 flows, complete, not by its deadline: $r" test "$r" = '[0,true,false]'

api POST /api/v1/services/web/backends/b2/drain '{"timeout_s": 3, "then": "delete"}' >/dev/null
check "a drain with then=delete is accepted" test "$(lab_code)" = 202
b2_gone() { api GET /api/v1/services/web/backends/b2; [ "$(lab_code)" = 404 ]; }
check "it removes the backend" wait_until 10 b2_gone
ok "removed after $WAITED_MS ms"
api POST /api/v1/services/web/backends/b3/ready '{}' >/dev/null
check "the drained backend is ready again" wait_until 5 lab_backend_is web b3 up
again_ms=$(now_ms)
sleep 1
rig_stop fresh

log=$LAB_DIR/rig-fresh.log
n=$(awk -v a="$answered_ms" -v b="$again_ms" '$3 == "new" && $5 == "b3" && $1 > a && $1 < b - 1000' \
  "$log" | wc -l)
check "new flows at the draining backend after the answer: $n" test "$n" = 0
n=$(awk -v a="$again_ms" '$3 == "new" && $5 == "b3" && $1 > a' "$log" | wc -l)
check "new flows at it since it is ready: $n" test "$n" -gt 10
check "new connections: $(rig_words fresh)" test "$(rig_get fresh .failed)" = 0
tap_done
