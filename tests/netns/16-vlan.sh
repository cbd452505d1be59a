#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# VLAN tags: frames that come in with none, one and two; backends that keep them, get another one, or
# none. Frames are made by hand and looked at by hand: no VLAN device is needed.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 4
frames=$LAB_REPO/tests/lib/frames.py
each=80

# b1 keeps tags, b2 is on VLAN 20, b3 on none, b4 behind a tunnel on VLAN 30.
service() { # NAME VIP FAMILY TUNNEL
  lab_service "$1" "$2" 9000 udp 4 '.backends[1].vlan = 20 | .backends[2].vlan = 0 |
    .backends[3] += {vlan: 30, forwarding: {mode: "'"$4"'"}, address: "'"$("lab_addr$3" 4)"'"}'
}
for i in 1 2 3 4; do
  for vip in "$VIP4" "$VIP6"; do
    lab_spawn "$LAB_DIR/udp.log" "b$i" python3 "$LAB_REPO/tests/lib/udp.py" answer "$vip" 9000 "b$i"
  done
done
# The IPv4 service's tunnel is IPIP over IPv4, the IPv6 one's GUE over IPv4.
lab_config "$(service vlan4 "$VIP4" 4 ipip)" "$(service vlan6 "$VIP6" 4 gue)"
lab_agent_up
for i in 1 2 3 4; do
  lab_spawn "$LAB_DIR/seen$i.log" "b$i" python3 "$frames" watch b0 9000
  wait_until 10 grep -q ready "$LAB_DIR/seen$i.log" || bail "watch: $(cat "$LAB_DIR/seen$i.log")"
done
mac=$(in_ns lb ip -o link show lb-c | sed 's/.*link.ether \([0-9a-f:]*\).*/\1/')

seen() { grep -v ready "$LAB_DIR/seen$1.log"; }
# expect BACKEND WHAT TAGS HEADERS: all that it saw looks so, and it saw something.
expect() {
  local all good
  all=$(seen "$1" | wc -l) good=$(seen "$1" | grep -c " $3 $4\$")
  check "$T_WHAT: $good of $all frames at b$1 ($2) have tags $3, headers $4" \
    eval '[ "$all" -gt 3 ] && [ "$good" = "$all" ]'
}

# one VIP FROM TAGS KEPT HEADERS TUNNEL PRIORITY: what leaves for frames with TAGS. PRIORITY: hex digit.
one() {
  local r i sum=0
  for i in 1 2 3 4; do echo ready >"$LAB_DIR/seen$i.log"; done
  T_WHAT="$1, in with $3"
  r=$(in_ns client python3 "$frames" send c0 "$mac" "$3" "$2" "$1" 9000 $each)
  for i in 1 2 3 4; do sum=$((sum + $(seen $i | wc -l))); done
  check "$T_WHAT: $sum of $each frames came to the four backends: $r" test $sum = $each
  expect 1 "as they came" "$3" "$4"
  expect 2 "vlan 20" "8100:${6}014" "$4"
  expect 3 "vlan 0" - "$4"
  expect 4 "vlan 30, tunnel" "8100:${6}01e" "$5,$4"
  # Who has no VLAN device hears only what has no tag: so tags are really there, and really gone.
  i=$(seen 3 | wc -l)
  [ "$3" != - ] || i=$((i + $(seen 1 | wc -l)))
  check "$T_WHAT: the stacks answer the $i without a tag alone: $r" test "$(jq .answers <<<"$r")" = "$i"
}
for tags in '- 0' '8100:a007 a' '8100:5fff 5' '88a8:6064,8100:a007 6'; do
  one "$VIP4" 10.71.0.2 "${tags% *}" 4/17 4/4 "${tags#* }"
  one "$VIP6" fd71::2 "${tags% *}" 6/17 4/17 "${tags#* }"
done
r=$(api GET /api/v1/status | jq -c '.reasons | with_entries(select(.value > 0))')
check "nothing was dropped: $r" test "$(jq .sent <<<"$r")" = $((8 * each))
tap_done
