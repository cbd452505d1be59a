#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Path-MTU discovery comes to its end: where tunnels leave less than clients send, the balancer says so;
# where the way to the client is narrow, a router's error reaches the backend that has the flow. With
# these errors dropped the same transfers hang.
#
#   client c0 -- lb-c lb lb-bN -- bN           every cable takes 1500
#   far f0 -- r-f router r-lb -- lb-r lb       but from r-f only 1400 come out
#   lb lb-m -- m-lb mid m-b -- b9 b1           and from m-b, too
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
N=3
LAB_PORTS='81 82 83 84 85'
lab_up "${1:?build folder}" $N

# ---- a client behind a router ----------------------------------------------------------------
FAR4=10.72.0.2 FAR6=fd72::2
far_net() {
  lab_ns router && lab_ns far && lab_link lb lb-r router r-lb && lab_link router r-f far f0 || return 1
  lab_sysctl router net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 \
    net.ipv6.icmp.ratelimit=0 || return 1
  lab_address lb lb-r 10.71.200.1/24 fd71:0:0:200::1/64 || return 1
  lab_address router r-lb 10.71.200.2/24 fd71:0:0:200::2/64 || return 1
  lab_address router r-f 10.72.0.1/24 fd72::1/64 || return 1
  lab_address far f0 $FAR4/24 $FAR6/64 || return 1
  ip -n "$LAB_ID-far" route add default via 10.72.0.1 || return 1
  ip -n "$LAB_ID-far" -6 route add default via fd72::1 || return 1
  ip -n "$LAB_ID-router" route add default via 10.71.200.1 || return 1
  ip -n "$LAB_ID-router" -6 route add default via fd71:0:0:200::1 || return 1
  ip -n "$LAB_ID-lb" route add 10.72.0.0/24 via 10.71.200.2 || return 1
  ip -n "$LAB_ID-lb" -6 route add fd72::/64 via fd71:0:0:200::2 || return 1
  ip -n "$LAB_ID-router" link set r-f mtu 1400 || return 1
  lab_pass router r-lb
}
far_net || bail "no network of a far client"

# ---- another way to b1, behind a router ------------------------------------------------------
MID4=10.71.210.2 MID6=fd71:0:0:210::2
mid_net() {
  lab_ns mid && lab_link lb lb-m mid m-lb && lab_link mid m-b b1 b9 || return 1
  lab_sysctl mid net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 || return 1
  lab_address lb lb-m 10.71.210.1/24 fd71:0:0:210::1/64 || return 1
  lab_address mid m-lb $MID4/24 $MID6/64 || return 1
  lab_address mid m-b 10.73.0.1/24 fd73::1/64 || return 1
  lab_address b1 b9 10.73.0.2/24 fd73::2/64 || return 1
  ip -n "$LAB_ID-mid" route add default via 10.71.210.1 || return 1
  ip -n "$LAB_ID-mid" -6 route add default via fd71:0:0:210::1 || return 1
  ip -n "$LAB_ID-lb" route add 10.73.0.0/24 via $MID4 || return 1
  ip -n "$LAB_ID-lb" -6 route add fd73::/64 via $MID6 || return 1
  ip -n "$LAB_ID-mid" link set m-b mtu 1400 || return 1
  lab_pass mid m-lb || return 1
  in_ns b1 "$LAB_BUILD/sluicectl" decap b9 --from 10.71.210.1,fd71:0:0:210::1 \
    --pin-dir "$LAB_BPF/decap-b9" >>"$LAB_DIR/decap.log" 2>&1
}
mid_net || bail "no way behind a router: $(tail -n 1 "$LAB_DIR/decap.log")"
deep() { # NAME VIP MODE ADDRESS
  lab_service "$1" "$2" 85 tcp 1 ".forwarding.mode = \"$3\" | .backends = [{name: \"b1\", address: \"$4\"}]"
}

# one FAMILY NAME PORT MODE OUTER: a service whose backends are all at their OUTER addresses.
one() {
  local i list='' vip=$VIP4
  [ "$1" = 4 ] || vip=$VIP6
  for i in $(seq $N); do list="$list{name: \"b$i\", address: \"$("lab_addr$5" "$i")\"},"; done
  lab_service "$2" "$vip" "$3" tcp 1 ".forwarding.mode = \"$4\" | .backends = [${list%,}]"
}
udp() { # NAME PORT OVERSIZE
  lab_service "$1" "$VIP4" "$2" udp $N ".forwarding = {mode: \"ipip\", oversize: \"$3\"}"
}
for i in $(seq $N); do
  lab_backend_decap "b$i" || bail "decap: $(tail -n 1 "$LAB_DIR/decap.log")"
  for p in 9000 9001; do
    lab_spawn "$LAB_DIR/udp.log" "b$i" python3 "$LAB_REPO/tests/lib/udp.py" answer "$VIP4" $p "b$i"
  done
  head -c 8000000 /dev/urandom >"$LAB_DIR/b$i/files/big.$$" && mv "$LAB_DIR/b$i/files/big.$$" "$LAB_DIR/b$i/files/big"
done
lab_config "$(one 4 l2-4 80 l2dsr 4)" "$(one 6 l2-6 80 l2dsr 6)" \
  "$(one 4 ipip4-4 81 ipip 4)" "$(one 6 ipip4-6 81 ipip 4)" \
  "$(one 4 ipip6-4 82 ipip 6)" "$(one 6 ipip6-6 82 ipip 6)" \
  "$(one 4 gue4-4 83 gue 4)" "$(one 6 gue4-6 83 gue 4)" \
  "$(one 4 gue6-4 84 gue 6)" "$(one 6 gue6-6 84 gue 6)" "$(udp frag 9000 drop)" "$(udp send 9001 send)" \
  "$(deep deep4 "$VIP4" ipip 10.73.0.2)" "$(deep deep6 "$VIP6" gue fd73::2)"
jq '.interfaces += [{name: "lb-r", mode: "native"}]' "$LAB_DIR/config.json" >"$LAB_DIR/c2" &&
  mv "$LAB_DIR/c2" "$LAB_DIR/config.json"
lab_agent_up
reason() { api GET /api/v1/status | jq ".reasons.$1"; }

vip() { if [ "$1" = 4 ]; then echo "$VIP4"; else echo "$VIP6"; fi; }
host() { if [ "$1" = 4 ]; then echo "$VIP4"; else echo "[$VIP6]"; fi; }
# What a host remembers of the path to an address: its MTU, or 0.
path() { # NS FAMILY ADDRESS [ROUTE-WORD...]
  local m
  m=$(ip -n "$LAB_ID-$1" "-$2" route get "$3" "${@:4}" 2>/dev/null | sed -n 's/.*expires.* mtu \([0-9]*\).*/\1/p')
  echo "${m:-0}"
}
forget() { ip -n "$LAB_ID-$1" "-$2" route flush cache; }
head -c 8000000 /dev/urandom >"$LAB_DIR/load"

# block NS CHAIN FAMILY on|off: drops errors that say what fits.
block() {
  if [ "$4" = off ]; then
    in_ns "$1" nft delete table inet sluice_test
  elif [ "$3" = 4 ]; then
    in_ns "$1" nft "add table inet sluice_test; add chain inet sluice_test c { type filter hook $2 priority 0; }; \
      add rule inet sluice_test c icmp type destination-unreachable icmp code frag-needed counter drop"
  else
    in_ns "$1" nft "add table inet sluice_test; add chain inet sluice_test c { type filter hook $2 priority 0; }; \
      add rule inet sluice_test c icmpv6 type packet-too-big counter drop"
  fi
}
blocked() { # NS: how many were dropped
  in_ns "$1" nft list table inet sluice_test | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
}

# hush FAMILY: ends what hung in a control. What is left of it would be sent again, and heard of, later.
hush() {
  local ns i
  for ns in client far; do in_ns $ns ss -tKn state connected dst "$(host "$1")"; done
  for i in $(seq $N); do in_ns "b$i" ss -tKn state connected src "$(host "$1")"; done
} >/dev/null

# ---- (a) the tunnel leaves less than the client's segments --------------------------------------
# up FAMILY PORT: 8 MB to the service; prints what came back and where it lies: "201 b1".
up() {
  in_ns client curl -gs -H 'Expect:' -m "${3:-20}" -o /dev/null -D "$LAB_DIR/up.head" -w '%{http_code}' \
    -T "$LAB_DIR/load" "http://$(host "$1"):$2/put/up"
  echo " $(sed -n 's/^X-Backend: *\(b[0-9]\).*/\1/p' "$LAB_DIR/up.head")"
}
whole() { [ -n "$1" ] && cmp -s "$LAB_DIR/load" "$LAB_DIR/$1/files/put/up"; }

tunnel() { # FAMILY PORT WORDS OVERHEAD
  local r told fits=$((1500 - $4))
  forget client "$1"
  block client input "$1" on || bail "no nft in the client"
  r=$(up "$1" "$2" 2)
  check "control, IPv$1 by $3: the client never hears of it, and the transfer hangs: '$r', $(blocked client) errors" \
    eval '[ "${r%% *}" = 000 ] && [ "$(blocked client)" -gt 0 ] && [ "$(path client "$1" "$(vip "$1")")" = 0 ]'
  hush "$1"
  block client input "$1" off
  rm -f "$LAB_DIR"/b*/files/put/up
  told=$(reason too_big_told)
  r=$(up "$1" "$2")
  check "IPv$1 by $3: 8 MB arrive whole: $r" whole "${r#* }"
  rm -f "$LAB_DIR"/b*/files/put/up
  told=$(($(reason too_big_told) - told))
  check "IPv$1 by $3: the client knows $(path client "$1" "$(vip "$1")") after $told answers" \
    test "$(path client "$1" "$(vip "$1")"):$((told > 0 && told < 100))" = "$fits:1"
}
for f in 4 6; do
  tunnel $f 81 "IPIP over IPv4" 20
  tunnel $f 82 "IPIP over IPv6" 40
  tunnel $f 83 "GUE over IPv4" 32
  tunnel $f 84 "GUE over IPv6" 52
  forget client $f
  told=$(reason too_big_told)
  r=$(up $f 80)
  check "IPv$f by l2dsr: 8 MB in whole frames: $r, nobody had to be told" \
    eval 'whole "${r#* }" && [ "$(reason too_big_told)" = "$told" ] && [ "$(path client $f "$(vip $f)")" = 0 ]'
  rm -f "$LAB_DIR"/b*/files/put/up
done

# ---- (b) the way to the client is narrow ---------------------------------------------------------
# down FAMILY PORT [SECONDS]: prints bytes and backend of /big to the far client.
down() {
  in_ns far curl -gs -m "${3:-20}" -o "$LAB_DIR/down" -D "$LAB_DIR/down.head" -w '%{size_download}' \
    "http://$(host "$1"):$2/big"
  echo " $(sed -n 's/^X-Backend: *\(b[0-9]\).*/\1/p' "$LAB_DIR/down.head")"
}
known() { # FAMILY: which backends know the narrow path
  local i
  for i in $(seq $N); do
    [ "$(path "b$i" "$1" "$(far "$1")" from "$(vip "$1")")" = 0 ] ||
      echo "b$i:$(path "b$i" "$1" "$(far "$1")" from "$(vip "$1")")"
  done
}
far() { if [ "$1" = 4 ]; then echo $FAR4; else echo $FAR6; fi; }

narrow() { # FAMILY PORT WORDS
  local i r b who
  for i in $(seq $N); do forget "b$i" "$1"; done
  block router output "$1" on || bail "no nft in the router"
  r=$(down "$1" "$2" 2)
  check "control, IPv$1 by $3: the router's $(blocked router) errors do not come, the transfer hangs: $r of 8000000 bytes" \
    eval '[ "${r%% *}" -lt 100000 ] && [ "$(blocked router)" -gt 0 ] && [ -z "$(known "$1")" ]'
  hush "$1"
  block router output "$1" off
  r=$(down "$1" "$2") b=${r#* }
  check "IPv$1 by $3: 8 MB come whole from $b" cmp -s "$LAB_DIR/down" "$LAB_DIR/$b/files/big"
  who=$(known "$1" | tr '\n' ' ')
  check "IPv$1 by $3: the path's MTU is known to that backend and no other: $who" test "$who" = "$b:1400 "
}
for f in 4 6; do
  narrow $f 80 l2dsr
  narrow $f 81 "IPIP over IPv4"
  narrow $f 82 "IPIP over IPv6"
  narrow $f 83 "GUE over IPv4"
  narrow $f 84 "GUE over IPv6"
done

# ---- a narrow link farther down the tunnel -----------------------------------------------------------
# The router's error about a tunnel packet tells the balancer's kernel nothing, for no socket sent it. What the
# kernel knows otherwise, by its route or from what it sent itself, the clients get to know.
hop_mtu() { [ "$(lab_backend "$1" b1 .status.next_hop.mtu)" = "$2" ]; }
farther() { # FAMILY OVERHEAD TO NETWORK ROUTER
  local r f=$1 fits=$((1400 - $2)) wide=$((1500 - $2))
  forget client "$f"
  r=$(up "$f" 85 2)
  check "control, IPv$f: nobody tells of the link farther down, the transfer hangs: '$r', the client knows $(path client "$f" "$(vip "$f")")" \
    eval '[ "${r%% *}" = 000 ] && [ "$(path client "$f" "$(vip "$f")")" = "$wide" ]'
  hush "$f"
  ip -n "$LAB_ID-lb" "-$f" route change "$4" via "$5" mtu 1400
  check "IPv$f: its MTU on the route: known at once, $fits" wait_until 5 hop_mtu "deep$f" $fits
  r=$(up "$f" 85)
  check "IPv$f: 8 MB arrive whole: $r, the client knows $(path client "$f" "$(vip "$f")")" \
    eval 'whole "${r#* }" && [ "$(path client "$f" "$(vip "$f")")" = "$fits" ]'
  rm -f "$LAB_DIR"/b*/files/put/up
  ip -n "$LAB_ID-lb" "-$f" route change "$4" via "$5"
  check "IPv$f: taken off the route again: $wide" wait_until 5 hop_mtu "deep$f" $wide
  forget client "$f"
  in_ns lb python3 "$LAB_REPO/tests/lib/udp.py" ask "$3" 9 1 1 1440 >/dev/null
  check "IPv$f: learned by a packet of the balancer's own kernel: $fits within 12 s" \
    wait_until 12 hop_mtu "deep$f" $fits
  r=$(up "$f" 85)
  check "IPv$f: 8 MB arrive whole: $r, the client knows $(path client "$f" "$(vip "$f")")" \
    eval 'whole "${r#* }" && [ "$(path client "$f" "$(vip "$f")")" = "$fits" ]'
  rm -f "$LAB_DIR"/b*/files/put/up
}
farther 4 20 10.73.0.2 10.73.0.0/24 $MID4
farther 6 52 fd73::2 fd73::/64 $MID6

# ---- (c) IPv4 that may be fragmented ----------------------------------------------------------------
ask() { # PORT BYTES: 3 datagrams without DF
  in_ns client python3 "$LAB_REPO/tests/lib/udp.py" ask "$VIP4" "$1" 3 1 "$2" nodf
}
got() { jq -c '[.answers, .lost, .changed]' <<<"$1"; }
r=$(ask 9000 1452)
check "1,480 bytes, as many as fit: $r" test "$(got "$r")" = '[3,0,0]'
before=$(reason too_big)
r="$(ask 9000 1472) $(ask 9001 1472)"
check "20 bytes more than the cable takes are dropped, whatever oversize says: $(($(reason too_big) - before)) of 6: $r" \
  test "$(($(reason too_big) - before)):$(jq -s 'map(.lost) | add' <<<"$r")" = 6:6
# Now the cables take more than the way behind them.
mtu_is() { [ "$(for i in $(seq $N); do lab_backend "$1" "b$i" .status.next_hop.mtu; done | sort -u)" = "$2" ]; }
for i in $(seq $N); do
  ip -n "$LAB_ID-b$i" link set b0 mtu 1600 && ip -n "$LAB_ID-lb" link set "lb-b$i" mtu 1600 &&
    ip -n "$LAB_ID-lb" route change "10.71.$i.0/24" dev "lb-b$i" proto kernel scope link src "10.71.$i.1" mtu 1500 ||
    bail "no larger MTU"
done
check "the agent knows the route's MTU, less the tunnel: 1480" wait_until 5 mtu_is send 1480
before=$(reason too_big)
r=$(ask 9000 1472)
check "oversize drop: $(($(reason too_big) - before)) of 3 dropped: $r" \
  test "$(($(reason too_big) - before)):$(got "$r")" = '3:[0,3,0]'
before=$(reason too_big)
r=$(ask 9001 1472)
check "oversize send: sent on, for a router to fragment: $r" \
  test "$(($(reason too_big) - before)):$(got "$r")" = '0:[3,0,0]'
for i in $(seq $N); do
  ip -n "$LAB_ID-lb" route change "10.71.$i.0/24" dev "lb-b$i" proto kernel scope link src "10.71.$i.1"
done
check "without the route's MTU: 1580" wait_until 5 mtu_is frag 1580
r=$(ask 9000 1472)
check "oversize drop sends what fits now: $r" test "$(got "$r")" = '[3,0,0]'
r=$(up 4 81)
check "and full segments by IPIP arrive: $r" whole "${r#* }"
tap_done
