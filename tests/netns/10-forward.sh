#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Forwarding: TCP and UDP over IPv4 and IPv6; what is not ours passes; the API counts what was sent.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 3

for i in 1 2 3; do
  lab_spawn "$LAB_DIR/udp.log" "b$i" python3 "$LAB_REPO/tests/lib/udp.py" answer "$VIP4" 9000 "b$i"
  lab_spawn "$LAB_DIR/udp.log" "b$i" python3 "$LAB_REPO/tests/lib/udp.py" answer "$VIP6" 9000 "b$i"
done
lab_spawn "$LAB_DIR/ssh.log" lb python3 -m http.server --bind 10.71.0.1 22 -d "$LAB_DIR/b1/files"
lab_config "$(lab_service web4 "$VIP4" 80 tcp 3)" "$(lab_service web6 "$VIP6" 80 tcp 3)" \
  "$(lab_service dns4 "$VIP4" 9000 udp 3)" "$(lab_service dns6 "$VIP6" 9000 udp 3)"
lab_agent_up
check "the program is attached natively: $(api GET /api/v1/status | jq -c '.interfaces[0]')" \
  test "$(api GET /api/v1/status | jq -c '.interfaces[0] | [.attached, .mode]')" = '[true,"native"]'

count() { api GET "/api/v1/services/$1" | jq ".status.counters.$2"; }
backends_count() { api GET "/api/v1/services/$1/backends" | jq "[.items[].status.counters.$2] | add"; }

tcp() { # SERVICE TARGET SOURCES
  local before after
  before=$(count "$1" flows)
  rig_start t --target "$2" --rate 400 --new-max 200 --sources "$3"
  rig_wait t
  check "$1: 200 requests, $(rig_get t .failed) failed, by $(rig_get t '[.backends | to_entries[] |
    "\(.key) \(.value.new)"] | join(", ")')" \
    test "$(rig_get t '[.new, .failed, (.backends | length)] | tostring')" = '[200,0,3]'
  after=$(count "$1" flows)
  check "$1: the service counts $((after - before)) flows" test $((after - before)) = 200
  check "$1: its backends count $(backends_count "$1" flows) of $after flows" \
    test "$(backends_count "$1" flows)" = "$after"
}
tcp web4 "$VIP4:80" "$LAB_SOURCES4"
tcp web6 "[$VIP6]:80" "$LAB_SOURCES6"

udp() { # SERVICE ADDRESS
  local r
  r=$(in_ns client python3 "$LAB_REPO/tests/lib/udp.py" ask "$2" 9000 90 5)
  check "$1: 90 flows of 5 datagrams, each flow by one backend: $r" \
    test "$(jq -c '[.answers, .lost, .changed, (.names | length)]' <<<"$r")" = '[450,0,0,3]'
  check "$1: the service counts $(count "$1" packets) packets, $(count "$1" flows) flows" \
    test "$(count "$1" packets),$(count "$1" flows)" = 450,90
}
udp dns4 "$VIP4"
udp dns6 "$VIP6"

for a in 10.71.0.1 fd71::1; do
  check "echo requests to the balancer's own $a: 5 of 5" \
    in_ns client python3 "$LAB_REPO/tests/lib/echo.py" $a 5
done
check "TCP to the balancer's own port 22" in_ns client curl -s -m 3 -o /dev/null http://10.71.0.1:22/
check "TCP through the balancer's kernel to a backend's own address" \
  in_ns client curl -s -m 3 -o /dev/null "http://$(lab_addr4 1)/"
check "the same over IPv6" in_ns client curl -gs -m 3 -o /dev/null "http://[$(lab_addr6 2)]/"

reasons=$(api GET /api/v1/status | jq -c .reasons)
sums=$(api GET /api/v1/status | jq '[.services[].status.counters.packets] | add')
check "packets sent by reason and by service agree: $sums" test "$(jq .sent <<<"$reasons")" = "$sums"
check "nothing was dropped: $(jq -c 'with_entries(select(.value > 0))' <<<"$reasons")" \
  test "$(jq '[to_entries[] | select(.key as $k | ["ip4_length", "ip6_length", "tcp_bad", "udp_bad",
    "port_zero", "slot_empty", "no_backend", "backend_down", "bug_service", "no_next_hop"] |
    index($k)) | .value] | add' <<<"$reasons")" = 0
check "packets that are not ours were counted as passed" test "$(jq .no_service <<<"$reasons")" -gt 0
tap_done
