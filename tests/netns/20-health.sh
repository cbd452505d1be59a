#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Health: a dead backend gets no new flow soon after, returns when it answers again; nobody else notices.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 3
lab_config "$(lab_service web "$VIP4" 80 tcp 3)"
lab_agent_up
limit_ms=$((300 * 3 + 100)) # interval x fall + 100

slots() { api GET /api/v1/services/web/backends | jq -c '[.items[].status.table_slots]'; }
slots_before=$(slots)
rig_start load --target "$VIP4:80" --hold 300 --interval 500 --rate 100 --duration 600 \
  --sources "$LAB_SOURCES4" --expect-gone b2
sleep 1

killed_ms=$(now_ms)
lab_nginx_stop 2
check "the killed backend is seen down" wait_until 5 lab_backend_is web b2 down
down_ms=$(now_ms)
check "detected $((down_ms - killed_ms)) ms after the kill, at most $limit_ms" \
  test $((down_ms - killed_ms)) -le $limit_ms
r=$(lab_backend web b2 '.status | "\(.state_reason), \(.check.status): \(.message)"')
check "it says why: $r" grep -q 'connect_refused, L4CON' <<<"$r"
check "it is said to take no new flows" \
  test "$(lab_backend web b2 .status.takes_new_flows)" = false
check "the service is degraded" \
  test "$(api GET /api/v1/services/web | jq -r .status.state)" = degraded
sleep 2
check "no slot changed hands: $slots_before" test "$(slots)" = "$slots_before"

started_ms=$(now_ms)
lab_nginx_start 2
check "it is up again" wait_until 5 lab_backend_is web b2 up
up_ms=$(now_ms)
ok "up $((up_ms - started_ms)) ms after its start"
sleep 2
check "no slot changed hands by its return" test "$(slots)" = "$slots_before"
rig_stop load

log=$LAB_DIR/rig-load.log
in_window=$(awk -v a="$killed_ms" -v b="$down_ms" '$3 == "new" && $4 == "failed" && $1 >= a - 50 &&
  $1 <= b' "$log" | wc -l)
later=$(awk -v b="$down_ms" '$3 == "new" && $4 == "failed" && $1 > b' "$log" | wc -l)
early=$(awk -v a="$killed_ms" '$3 == "new" && $4 == "failed" && $1 < a - 50' "$log" | wc -l)
last=$(awk -v a="$killed_ms" '$3 == "new" && $4 == "failed" {t = $1 - a} END {print t + 0}' "$log")
back=$(awk -v b="$up_ms" '$3 == "new" && $4 == "ok" && $5 == "b2" && $1 >= b' "$log" | wc -l)
held=$(rig_get load .backends.b2.held)
check "new connections refused by the dead backend: $in_window, the last $last ms after the kill" \
  test "$last" -le $limit_ms
check "new connections failed before the kill $early, after detection $later" \
  test "$early,$later" = 0,0
check "held connections on the other backends: $(rig_get load .broken) broken" \
  test "$(rig_get load .broken)" = 0
check "the dead backend's own $held: $(rig_get load .gone) gone" \
  test "$(rig_get load .gone)" = "$held"
check "new connections at it since its return: $back" test "$back" -gt 20
ok "load: $(rig_words load)"
tap_done
