#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The rare walk on real stacks: ping of a service address, fragmented datagrams.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 3

for i in 1 2 3; do
  for vip in "$VIP4" "$VIP6"; do
    lab_spawn "$LAB_DIR/udp.log" "b$i" python3 "$LAB_REPO/tests/lib/udp.py" answer "$vip" 9000 "b$i"
    lab_spawn "$LAB_DIR/udp.log" "b$i" python3 "$LAB_REPO/tests/lib/udp.py" answer "$vip" 9001 "b$i"
  done
done
lab_config "$(lab_service whole4 "$VIP4" 9000 udp 3)" "$(lab_service whole6 "$VIP6" 9000 udp 3)" \
  "$(lab_service frag4 "$VIP4" 9001 udp 3 '.fragments = "hash3"')" \
  "$(lab_service frag6 "$VIP6" 9001 udp 3 '.fragments = "hash3"')"
lab_agent_up

reason() { api GET /api/v1/status | jq ".reasons.$1"; }

echoed=$(reason echoed)
check "the IPv4 service address answers 20 of 20 echo requests" \
  in_ns client python3 "$LAB_REPO/tests/lib/echo.py" "$VIP4" 20
check "the IPv6 service address answers 20 of 20 echo requests" \
  in_ns client python3 "$LAB_REPO/tests/lib/echo.py" "$VIP6" 20
check "all 40 by the packet path: $(($(reason echoed) - echoed))" test $(($(reason echoed) - echoed)) = 40
check "an address without a service is not answered" \
  eval '! in_ns client python3 "$LAB_REPO/tests/lib/echo.py" 10.71.100.77 1'

ask() { # ADDRESS PORT FLOWS DATAGRAMS BYTES
  in_ns client python3 "$LAB_REPO/tests/lib/udp.py" ask "$@"
}
for vip in "$VIP4" "$VIP6"; do
  r=$(ask "$vip" 9001 20 5 4000)
  check "$vip, hash3: 100 datagrams of 4,000 bytes arrive whole, at one backend: $r" \
    test "$(jq -c '[.answers, .lost, .changed, (.names | length)]' <<<"$r")" = '[100,0,0,1]'
done
check "no fragment was dropped so far: $(reason fragment_dropped)" test "$(reason fragment_dropped)" = 0

# Now no service of the address takes later fragments.
api DELETE /api/v1/services/frag4 >/dev/null
before=$(reason fragment_dropped)
r=$(ask "$VIP4" 9000 3 1 4000)
check "without hash3 a fragmented datagram is lost: $r" \
  test "$(jq -c '[.answers, .lost]' <<<"$r")" = '[0,3]'
check "and its later fragments are counted: $(($(reason fragment_dropped) - before)) of 6" \
  test $(($(reason fragment_dropped) - before)) = 6
r=$(ask "$VIP4" 9000 30 3 100)
check "whole datagrams of the same service go on: $r" \
  test "$(jq -c '[.answers, .lost, .changed]' <<<"$r")" = '[90,0,0]'
tap_done
