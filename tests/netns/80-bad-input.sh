#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Bad input gets an answer that names the member; declared state and forwarding stay as they were.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 2
lab_config "$(lab_service web "$VIP4" 80 tcp 2)"
lab_agent_up
rig_start load --target "$VIP4:80" --hold 50 --interval 300 --rate 50 --duration 600 \
  --sources "$LAB_SOURCES4"

declared() { api GET /api/v1/status | jq -cS '[.revision, (.services | map(del(.status) |
  .backends |= map(del(.status))))]'; }
before=$(declared)

# bad WORDS METHOD PATH BODY STATUS CODE [POINTER]
bad() {
  local answer got detail
  answer=$(api "$2" "/api/v1$3" "$4")
  got=$(jq -r '"\(.status) \(.code) \(.errors[0].pointer // "")"' <<<"$answer" 2>/dev/null)
  detail=$(jq -r '.errors[0].detail // .detail // ""' <<<"$answer" 2>/dev/null)
  if [ "$(lab_code)" = "$5" ] && [ "$got" = "$5 $6 ${7:-}" ] && [ -n "$detail" ] &&
    [ "$(declared)" = "$before" ]; then
    ok "$1: $got: ${detail:0:90}"
  else
    not_ok "$1: wanted $5 $6 ${7:-}, got $(lab_code) ${answer:0:300}$([ "$(declared)" = "$before" ] ||
      echo '; and the declared state changed')"
  fi
}
service() { lab_service new 10.71.100.2 80 tcp 1 "$1"; }
backend() { jq -nc --arg a "$(lab_addr4 3)" "{name: \"b3\", address: \$a, weight: 10} | $1"; }
b=/services/web/backends

bad "malformed JSON" POST /services '{"name": "new", ' 400 invalid-json
bad "bytes after the document" POST /services "$(service .) x" 400 invalid-json
bad "nothing at all" POST /services '' 400 invalid-json
bad "bad UTF-8" POST /services $'{"name": "\xff\xfe"}' 400 invalid-json
bad "too deep" POST /services "$(printf '[%.0s' $(seq 100))" 400 invalid-json
bad "a port of the wrong type" POST /services "$(service '.port = "80"')" 400 wrong-type /port
bad "a list for an object" POST /services '[]' 400 wrong-type
bad "a weight of the wrong type" POST $b "$(backend '.weight = "x"')" 400 wrong-type /weight
bad "a duplicate member" POST $b '{"name": "b3", "address": "10.71.3.2", "name": "b4"}' \
  400 invalid-json /name
bad "an unknown member" POST /services "$(service '.colour = "red"')" 422 unknown-member /colour
bad "an unknown member of a backend" POST $b "$(backend '.wieght = 3')" 422 unknown-member /wieght
bad "port 0" POST /services "$(service '.port = 0')" 422 validation-failed /port
bad "port 70000" POST /services "$(service '.port = 70000')" 422 validation-failed /port
bad "a name with a space" POST /services "$(service '.name = "a b"')" 422 validation-failed /name
bad "an IPv6 backend of an IPv4 service" POST $b "$(backend '.address = "fd71::9"')" \
  422 validation-failed /address
bad "an IPv4 backend inside an IPv6 service" POST /services \
  "$(service '.address = "fd71::99"')" 422 validation-failed /backends/0/address
bad "not an address" POST $b "$(backend '.address = "10.71.3.300"')" 422 validation-failed /address
bad "weight 257" POST $b "$(backend '.weight = 257')" 422 validation-failed /weight
bad "weight -1" POST $b "$(backend '.weight = -1')" 422 validation-failed /weight
bad "weight 1.5" PATCH $b/b1 '{"weight": 1.5}' 422 validation-failed /weight
bad "weight 257 by PATCH" PATCH $b/b1 '{"weight": 257}' 422 validation-failed /weight
bad "weight 257 inside a service" POST /services "$(service '.backends[0].weight = 257')" \
  422 validation-failed /backends/0/weight
bad "an admin_state nobody knows" PATCH $b/b1 '{"admin_state": "off"}' 422 validation-failed /admin_state
bad "a mode nobody knows" POST /services "$(service '.forwarding.mode = "nat"')" \
  422 validation-failed /forwarding/mode
bad "a mode of the wrong type" POST $b "$(backend '.forwarding = "ipip"')" 400 wrong-type /forwarding
bad "a backend's mode nobody knows" POST $b "$(backend '.forwarding.mode = "GUE"')" \
  422 validation-failed /forwarding/mode
bad "oversize of a backend" POST $b "$(backend '.forwarding.oversize = "send"')" \
  422 unknown-member /forwarding/oversize
bad "oversize nobody knows" POST /services "$(service '.forwarding.oversize = "fragment"')" \
  422 validation-failed /forwarding/oversize
bad "gue_port 0" POST /services "$(service '.forwarding.gue_port = 0')" \
  422 validation-failed /forwarding/gue_port
bad "gue_port 65536" POST $b "$(backend '.forwarding.gue_port = 65536')" \
  422 validation-failed /forwarding/gue_port
bad "gue_port on the service's own UDP port" POST /services "$(service '.protocol = "udp" |
  .forwarding = {mode: "gue", gue_port: 80}')" 422 validation-failed /forwarding/gue_port
bad "a backend's gue_port on the service's own UDP port" POST /services "$(service '.protocol = "udp" |
  .backends[0].forwarding = {mode: "gue", gue_port: 80}')" \
  422 validation-failed /backends/0/forwarding/gue_port
bad "an IPv6 backend that declares l2dsr" POST /services "$(service '.forwarding.mode = "ipip" |
  .backends[0] += {address: "fd71::9", forwarding: {mode: "l2dsr"}}')" \
  422 validation-failed /backends/0/address
bad "vlan 4095" POST $b "$(backend '.vlan = 4095')" 422 validation-failed /vlan
bad "vlan -1" PUT $b/b1 "$(backend '.name = "b1" | .vlan = -1')" 422 validation-failed /vlan
bad "a vlan of the wrong type" POST $b "$(backend '.vlan = "12"')" 400 wrong-type /vlan
bad "vlan null" POST $b "$(backend '.vlan = null')" 400 wrong-type /vlan
bad "vlan by PATCH" PATCH $b/b1 '{"vlan": 12}' 422 unknown-member /vlan
bad "forwarding by PATCH" PATCH $b/b1 '{"forwarding": {"mode": "ipip"}}' 422 unknown-member /forwarding
bad "quic without udp" POST /services "$(service '.udp_flows = "quic"')" \
  422 validation-failed /udp_flows
bad "quic with hash3" POST /services "$(service '.protocol = "udp" | .udp_flows = "quic" |
  .fragments = "hash3"')" 422 validation-failed /fragments
bad "udp_flows nobody knows" POST /services "$(service '.udp_flows = "QUIC"')" \
  422 validation-failed /udp_flows
bad "encapsulation of a service" POST /services "$(service '.encapsulation.source4 = "10.9.0.0/16"')" \
  422 unknown-member /encapsulation
bad "a second service on the VIP" POST /services "$(service ".address = \"$VIP4\"")" \
  409 listener-conflict /address
bad "a name that exists" POST /services "$(service '.name = "web"')" 409 already-exists /name
bad "a backend that exists" POST $b "$(backend '.name = "b1"')" 409 already-exists /name
bad "a backend on the VIP itself" POST $b "$(backend ".address = \"$VIP4\"")" \
  422 validation-failed /address
bad "a backend on loopback" POST $b "$(backend '.address = "127.0.0.1"')" \
  422 validation-failed /address
bad "another port than the service's" POST $b "$(backend '.port = 81')" 422 validation-failed /port
bad "a service that is not there" PATCH /services/none/backends/b1 '{"weight": 1}' 404 not-found
bad "a backend that is not there" PATCH $b/none '{"weight": 1}' 404 not-found
bad "a method that is not offered" PUT $b/b1/drain '{}' 405 method-not-allowed
bad "a negative drain" POST $b/b1/drain '{"timeout_s": -1}' 422 validation-failed /timeout_s
bad "an end of a drain nobody knows" POST $b/b1/drain '{"then": "explode"}' \
  422 validation-failed /then

head -c 1100000 /dev/zero | tr '\0' ' ' >"$LAB_DIR/large"
api POST /api/v1/services "@$LAB_DIR/large" >/dev/null
check "a body above 1 MiB: $(lab_code)" test "$(lab_code)" = 413
api POST /api/v1/services "$(service .)" text/plain >/dev/null
check "a body that is not JSON by its type: $(lab_code)" test "$(lab_code)" = 415
check "the declared state is what it was" test "$(declared)" = "$before"

# start WORDS JQ-OF-THE-CONFIGURATION PIN-DIR WORDS-IN-THE-LOG: an agent that must refuse.
start() {
  local log=$LAB_DIR/bad-start.log status
  jq "$2" "$LAB_DIR/config.json" >"$LAB_DIR/bad.json"
  rm -f "$LAB_DIR/bad-state.json"
  timeout 5 nsenter --net="/run/netns/$LAB_ID-lb" "$LAB_BUILD/sluiced" --config "$LAB_DIR/bad.json" \
    --state "$LAB_DIR/bad-state.json" --socket "$LAB_DIR/bad.sock" --pin-dir "$3" >"$log" 2>&1
  status=$?
  check "$1: exit status $status, $(tail -n 1 "$log" | cut -c 1-150)" \
    eval "[ $status != 0 ] && [ $status -lt 124 ] && grep -q -e '$4' '$log'"
}
start "an interface that does not exist" '.interfaces[0].name = "nope0"' "$LAB_BPF/other" nope0
start "a configuration with weight 257" '.services[0].backends[0].weight = 257' "$LAB_BPF/other" 257
for row in '10.9.3.0/16 did you mean .*10.9.0.0/16' '10.9.0.0/33 not a prefix' '10.0.0.0/7 outside /8' \
  '2001:db8::/96 is not IPv4' '224.0.0.0/8 multicast' '127.0.0.1 loopback' "$VIP4 service .*web"; do
  start "tunnels from ${row%% *}" ".encapsulation.source4 = \"${row%% *}\"" "$LAB_BPF/other" "${row#* }"
done
start "tunnels from a backend's address" ".services[0].forwarding.mode = \"ipip\" |
  .encapsulation.source4 = \"$(lab_addr4 1)\"" "$LAB_BPF/other" 'backend .*b1'
start "IPv6 tunnels from an IPv4 address" '.encapsulation.source6 = "10.9.0.0/16"' "$LAB_BPF/other" \
  'is not IPv6'
start "a pin folder that is not on a bpffs" . "$LAB_DIR/not-bpf" "$LAB_DIR/not-bpf"
check "the declared state is still what it was" test "$(declared)" = "$before"
sleep 1
rig_stop load
check "forwarding all the while: $(rig_words load)" \
  test "$(rig_get load '[.broken, .failed] | tostring')" = '[0,0]'
tap_done
