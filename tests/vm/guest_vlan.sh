#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# guest_vlan.sh BUILD_DIR: VLAN devices, which the kernel of the tests' machine may not have: a
# backend whose route leaves by one is reached by the interface below it, with its tag.
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
    ip -n "$b1" link set v42 address 02:00:00:00:00:42 && ip -n "$b1" link set v42 up
}
said=$(devices 2>&1) || bail "VLAN devices: $said"

lab_config "$(lab_service web "$VIP4" 80 tcp 1 '.health_check = {type: "none"} |
  .backends = [{name: "tag", address: "10.72.1.2"}, {name: "twice", address: "10.72.2.2"},
               {name: "ad", address: "10.72.3.2"}]')"
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
tap_done
