#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# guest_forward.sh BUILD_DIR: real traffic on the guest's kernel: curl through natively attached
# Sluice to two nginx, over IPv4 and IPv6; one of them crashes.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/lab.sh
. tests/lib/lab.sh
lab_up "${1:?build folder}" 2

# Emulated CPUs are slow: probes get time.
patient='.health_check.interval = "1s" | .health_check.timeout = "900ms"'
lab_config "$(lab_service web4 "$VIP4" 80 tcp 2 "$patient")" \
  "$(lab_service web6 "$VIP6" 80 tcp 2 "$patient")"
lab_agent_start || bail "sluiced does not answer: $(tail -n 3 "$LAB_DIR/sluiced.log" | tr '\n' ' ')"
wait_until 60 lab_all_up || bail "not all backends came up: $(api GET /api/v1/status | jq -c .services)"
status=$(api GET /api/v1/status)
check "attached: $(jq -c '.interfaces[0]' <<<"$status")" \
  test "$(jq -c '.interfaces[0] | [.attached, .mode]' <<<"$status")" = '[true,"native"]'
check "this kernel lets all transmit errors be counted" \
  test "$(jq .transmit_uncounted <<<"$status")" = null

# ask HOST COUNT: so many connections; "b1 N b2 N failed N".
ask() {
  local i urls=()
  for i in $(seq "$2"); do urls+=("http://$1/?$i"); done
  in_ns client curl -gs -m 10 -H 'Connection: close' -w '%{http_code}\n' "${urls[@]}" |
    awk '/^b/ {n[$1]++} /^200$/ {ok++} END {printf "b1 %d b2 %d failed %d", n["b1"], n["b2"], '"$2"' - ok}'
}

get() { # SERVICE HOST COUNT
  local said
  said=$(ask "$2" "$3")
  check "$1: $3 connections: $said" grep -q '^b1 [1-9][0-9]* b2 [1-9][0-9]* failed 0$' <<<"$said"
  said=$(api GET "/api/v1/services/$1" | jq .status.counters.flows)
  check "$1: the service counts $said flows of $3" test "$said" = "$3"
}
get web4 "$VIP4" 16
get web6 "[$VIP6]" 16

lab_nginx_stop 1
one_down() { lab_backend_is web4 b1 down && lab_backend_is web6 b1 down; }
check "b1 crashed, and is down" wait_until 30 one_down
said=$(ask "$VIP4" 16)
check "web4: all to the other: $said" test "$said" = 'b1 0 b2 16 failed 0'
said=$(ask "[$VIP6]" 16)
check "web6: all to the other: $said" test "$said" = 'b1 0 b2 16 failed 0'

sent=$(api GET /api/v1/status | jq '[.reasons.sent, ([.services[].status.counters.packets] | add)]')
check "packets sent by reason and by service agree: $(jq -c . <<<"$sent")" \
  test "$(jq '.[0] == .[1] and .[0] > 0' <<<"$sent")" = true
tap_done
