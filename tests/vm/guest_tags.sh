#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# guest_tags.sh BUILD_DIR: VLAN devices, which the kernel of the tests' machine may not have: a
# backend whose route leaves by one is reached by the interface below it, with its tag; devices see
# the tags that we set, keep and take off, and clients behind a VLAN device get their answers.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/lab.sh
. tests/lib/lab.sh
lab_up "${1:?build folder}" 1

said=$("$LAB_BUILD/tests/unit/test_nexthop_path" --filter '*/*vlan*' 2>&1)
check "test_nexthop_path on VLAN devices: $(tail -n 1 <<<"$said")" grep -q 'Passing: 2 ' <<<"$said"
grep -q 'Passing: 2 ' <<<"$said" || sed 's/^/# /' <<<"$said"

lb=$LAB_ID-lb b1=$LAB_ID-b1
# vlan DEV NAME ID ADDRESS [PROTOCOL]: in lb
vlan() {
  ip -n "$lb" link add link "$1" name "$2" type vlan proto "${5:-802.1Q}" id "$3" &&
    lab_address lb "$2" "$4" && ip -n "$lb" link set "$2" up
}
devices() {
  vlan lb-b1 v42 42 10.72.1.1/24 && vlan v42 v43 43 10.72.2.1/24 &&
    vlan lb-b1 v44 44 10.72.3.1/24 802.1ad &&
    ip -n "$b1" link add link b0 name v42 type vlan id 42 && lab_address b1 v42 10.72.1.2/24 &&
    ip -n "$b1" link set v42 address 02:00:00:00:00:42 && ip -n "$b1" link set v42 up &&
    plain v20 20 && plain v30 30
}
# plain NAME ID: in b1, without an address: answers leave untagged
plain() { ip -n "$b1" link add link b0 name "$1" type vlan id "$2" && ip -n "$b1" link set "$1" up; }
# A client behind a VLAN device. Its tags must be in the frames: veth otherwise hands them on beside.
client() {
  ip -n "$LAB_ID-client" link add link c0 name v30 type vlan id 30 && vlan lb-c v30 30 10.73.0.1/24 &&
    lab_address client v30 10.73.0.2/24 && ip -n "$LAB_ID-client" link set v30 up &&
    in_ns client ethtool -K c0 txvlan off >/dev/null && in_ns lb ethtool -K lb-c txvlan off >/dev/null &&
    in_ns lb ethtool -K lb-b1 txvlan off >/dev/null
}
said=$(devices 2>&1) || bail "VLAN devices: $said"
said=$(client 2>&1) || bail "the client's VLAN device: $said"
set4=10.71.100.2 keep=10.71.100.3 strip=10.71.100.4 # further services
for a in $set4 $keep $strip; do lab_address b1 lo "$a/32" || bail "no address $a"; done

lab_config "$(lab_service web "$VIP4" 80 tcp 1 '.health_check = {type: "none"} |
  .backends = [{name: "tag", address: "10.72.1.2"}, {name: "twice", address: "10.72.2.2"},
               {name: "ad", address: "10.72.3.2"}]')" \
  "$(lab_service set "$VIP6" 80 tcp 1 '.health_check = {type: "none"} | .backends[0].vlan = 20')" \
  "$(lab_service set4 $set4 80 tcp 1 '.health_check = {type: "none"} | .backends[0].vlan = 20')" \
  "$(lab_service keep $keep 80 tcp 1 '.health_check = {type: "none"}')" \
  "$(lab_service strip $strip 80 tcp 1 '.health_check = {type: "none"} | .backends[0].vlan = 0')"
lab_agent_start || bail "sluiced does not answer: $(tail -n 3 "$LAB_DIR/sluiced.log" | tr '\n' ' ')"

up() { lab_backend_is web tag up; }
hop() { lab_backend web "$1" '.status.next_hop | [.interface, .vlan, .mac, .mtu] | @csv' | tr -d '"'; }
is() { [ "$(hop "$1")" = "$2" ]; }
wait_until 30 up
want=lb-b1,42,02:00:00:00:00:42,1500
check "a backend behind a VLAN device: $(hop tag), wanted $want" is tag "$want"
ip -n "$lb" link set v42 mtu 1400
want=lb-b1,42,02:00:00:00:00:42,1400
wait_until 30 is tag "$want"
check "another MTU of the VLAN device: $(hop tag), wanted $want" is tag "$want"
check "and it is up" up

# says BACKEND WORDS
says() { lab_backend web "$1" .status.message | grep -qF "$2"; }
wait_until 30 says twice "on another VLAN device"
check "a VLAN on a VLAN: $(lab_backend web twice .status.message)" says twice "on another VLAN device"
wait_until 30 says ad "not an 802.1Q one"
check "802.1ad: $(lab_backend web ad .status.message)" says ad "not an 802.1Q one"

# ---- what devices see --------------------------------------------------------------
rx() { in_ns b1 awk -v d="$1:" '$1 == d {print $3}' /proc/net/dev; }
devices_of_b1='v20 v30 v42'
seen() { for d in $devices_of_b1; do rx "$d"; done | tr '\n' ' '; }
# get SECONDS HOST COUNT: answers
get() {
  local i urls=()
  for i in $(seq "$3"); do urls+=("http://$2/?$i"); done
  in_ns client curl -gs --connect-timeout "$1" -m 20 -H 'Connection: close' "${urls[@]}" | grep -c '^b1$'
}
# arrives TEXT HOST DEVICE: 4 connections are answered, and came in by this device ("": none). Each is
# 4 packets at the least; the kernels' own, ARP and the like, are fewer.
arrives() {
  local before after n i=0 by='' said='' d
  read -ra before <<<"$(seen)"
  n=$(get 10 "$2" 4)
  read -ra after <<<"$(seen)"
  for d in $devices_of_b1; do
    said="$said, $d +$((after[i] - before[i]))"
    [ $((after[i] - before[i])) -lt 16 ] || by="$by$d"
    i=$((i + 1))
  done
  check "$1: $n of 4 answered$said" test "$n:$by" = "4:$3"
}
wait_until 30 lab_backend_is set b1 up
arrives "the VLAN device towards the backend" "$VIP4" v42
arrives "vlan 20, IPv6" "[$VIP6]" v20
arrives "vlan 20, IPv4" $set4 v20
arrives "no tag came, none is kept" $keep ''
arrives "vlan 0" $strip ''
for a in "$VIP4" $set4 $keep $strip; do
  ip -n "$LAB_ID-client" route add "$a" via 10.73.0.1 || bail "no route to $a"
done
arrives "from a client with tag 30, towards a VLAN device" "$VIP4" v42
arrives "from a client with tag 30, vlan 20" $set4 v20
arrives "from a client with tag 30, kept" $keep v30
arrives "from a client with tag 30, vlan 0" $strip ''
ip -n "$b1" link set v20 down
n=$(get 1 $set4 1)
check "control: without the device of tag 20, $n answers" test "$n" = 0
ip -n "$b1" link set v30 down
n=$(get 1 $keep 1)
check "control: without the device of tag 30, $n answers" test "$n" = 0
tap_done
