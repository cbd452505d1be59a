#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# guest_modes.sh BUILD_DIR: the whole way through tunnels: Sluice puts clients' packets into IPIP and GUE,
# the guest's tunl0, sit0, ip6tnl and fou, as deploy/sluice-backend sets them up, take them apart.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/lab.sh
. tests/lib/lab.sh
VIP_GUE=10.71.100.2 # a service with gue alone
lab_up "${1:?build folder}" 2
script() { # TEXT NS ARGUMENT...
  if in_ns "$2" deploy/sluice-backend "${@:3}" >>"$LAB_DIR/script.log" 2>&1; then ok "$1"; else
    not_ok "$1: $(tail -n 3 "$LAB_DIR/script.log" | tr '\n' ' ')"
  fi
}
from() { echo "10.71.$1.1,fd71:0:0:$1::1"; }
script "b1 takes ipip apart" b1 tunnel --mode ipip --from "$(from 1)"
script "b2 takes gue apart" b2 add $VIP_GUE --mode gue --from "$(from 2)"

# Each service reaches both backends by both families: ours outside, the clients' inside.
# shellcheck disable=SC2016 # of jq
pool='.health_check.interval = "1s" | .health_check.timeout = "900ms" | .backends = [
  {name: "ipip4", address: "10.71.1.2", forwarding: {mode: "ipip"}},
  {name: "ipip6", address: "fd71:0:0:1::2", forwarding: {mode: "ipip"}},
  {name: "gue4", address: "10.71.2.2", forwarding: {mode: "gue"}},
  {name: "gue6", address: "fd71:0:0:2::2", forwarding: {mode: "gue"}}]'
lab_config "$(lab_service web4 "$VIP4" 80 tcp 2 "$pool")" "$(lab_service web6 "$VIP6" 80 tcp 2 "$pool")" \
  "$(lab_service gue $VIP_GUE 80 tcp 2 "$pool"' | .backends |= map(select(.name == "gue4"))')"
lab_agent_start || bail "sluiced does not answer: $(tail -n 3 "$LAB_DIR/sluiced.log" | tr '\n' ' ')"
wait_until 60 lab_all_up || bail "not all backends came up: $(api GET /api/v1/status |
  jq -c '[.services[] | .name as $s | .backends[] | "\($s)/\(.name) \(.status.message)"]')"

rx() { in_ns "$1" cat "/proc/net/dev" | awk -v d="$2:" '$1 == d {print $3}'; }
# what NS DEV...: packets that each device has got out of tunnels
devices() { local d; for d in "${@:2}"; do printf '%s %s ' "$d" "$(rx "$1" "$d")"; done; }
# get SECONDS HOST COUNT: answers
get() {
  local i urls=()
  for i in $(seq "$3"); do urls+=("http://$2/?$i"); done
  in_ns client curl -gs --connect-timeout "$1" -m 20 -H 'Connection: close' -o /dev/null -w '%{http_code}\n' \
    "${urls[@]}" | grep -c '^200$'
}
flows() { api GET "/api/v1/services/$1" | jq -c '.backends | map({(.name): .status.counters.flows}) | add'; }
balanced() { # SERVICE HOST
  local n said
  n=$(get 10 "$2" 40)
  check "$1: $n of 40 connections answered" test "$n" = 40
  said=$(flows "$1")
  check "$1: all four ways were used: $said" test "$(jq 'add == 40 and all(. > 0)' <<<"$said")" = true
}
# Upwards, in segments that are too long for the tunnel at first.
upload() { # SERVICE HOST
  local n
  n=$(head -c 100000 /dev/zero | in_ns client curl -gs -m 60 -o /dev/null -w '%{http_code} %{size_upload}' \
    --data-binary @- "http://$2/")
  check "$1: 100,000 bytes up: $n" test "$n" = '200 100000'
}
balanced web4 "$VIP4"
balanced web6 "[$VIP6]"
for i in 1 2; do
  for d in tunl0 sit0 sluice-ip6; do
    check "b$i: $d took apart $(rx b$i $d) packets" test "$(rx b$i $d)" -gt 0
  done
done
for i in 1 2; do
  upload "web4, $i" "$VIP4"
  upload "web6, $i" "[$VIP6]"
done
told=$(api GET /api/v1/status | jq .reasons.too_big_told)
check "senders were told of the tunnel's length $told times" test "$told" -gt 0

check "gue alone: $(get 10 $VIP_GUE 4) of 4 answered" test "$(get 10 $VIP_GUE 4)" = 4
in_ns b2 ip fou del port 6080
n=$(get 1 $VIP_GUE 2)
check "control: without fou's port $n of 2" test "$n" = 0
script "b2 as before" b2 tunnel --mode gue --from "$(from 2)"
n=$(get 10 $VIP_GUE 2)
check "with it again $n of 2" test "$n" = 2
in_ns b1 deploy/sluice-backend tunnel --mode ipip --from 10.71.1.66 >>"$LAB_DIR/script.log" 2>&1
n=$(get 1 "$VIP4" 8)
check "control: of b1, that was told of another balancer, nobody hears: $n of 8" test "$n" -lt 8
dropped=$(in_ns b1 nft list ruleset | awk '/counter packets/ {for (i = 1; i < NF; i++) if ($i == "packets") n += $(i + 1)} END {print n + 0}')
check "its firewall refused $dropped of them" test "$dropped" -gt 0

said=$(api GET /api/v1/status | jq -c '.reasons | with_entries(select(.value > 0))')
check "nothing was dropped: $said" test "$(jq 'del(.sent, .too_big_told, .no_service, .not_ip, .icmp_other, .l4_other)
  == {}' <<<"$said")" = true
tap_done
