#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The rig can fail: each fault that the other scenarios deny is made on purpose and must be seen.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 2

# Without the balancer: straight to a backend. Whatever breaks here is the lab's fault.
b1=$(lab_addr4 1):80
rig_start null --target "$b1" --hold 1000 --rate 50 --duration 2 --sources "$LAB_SOURCES4"
rig_wait null
check "null run, straight to a backend: $(rig_words null)" \
  test "$(rig_get null '[.held_at_end, .broken, .failed] | tostring')" = '[1000,0,0]'

rig_start crash --target "$b1" --hold 50 --rate 50 --duration 600
lab_nginx_stop 1
sleep 0.5
rig_stop crash
check "a crashed backend is seen: $(rig_words crash)" test "$(rig_get crash .broken)" = 50
check "and by new connections" test "$(rig_get crash .failed)" -gt 5
lab_nginx_start 1

# The kernel sends the same connections to one backend, then to the other.
ip -n "$LAB_ID-lb" route add "$VIP4" via "$(lab_addr4 1)"
rig_start moved --target "$VIP4:80" --hold 50 --interval 200 --duration 600 --sources "$LAB_SOURCES4"
ip -n "$LAB_ID-lb" route replace "$VIP4" via "$(lab_addr4 2)"
sleep 1
rig_stop moved
check "connections sent to another backend are seen: $(rig_words moved)" \
  test "$(rig_get moved .broken)" = 50
ip -n "$LAB_ID-lb" route del "$VIP4"

# A backend that changes its name: same connection, other X-Backend.
lab_spawn "$LAB_DIR/fickle.log" b2 python3 "$LAB_REPO/tests/lib/fickle.py" "$(lab_addr4 2)" 8080
wait_until 5 in_ns b2 curl -s -o /dev/null "http://$(lab_addr4 2):8080/"
rig_start fickle --target "$(lab_addr4 2):8080" --hold 5 --interval 100 --duration 1
rig_wait fickle
n=$(grep -c 'answered by another backend' "$LAB_DIR/rig-fickle.log")
check "answers of another backend are seen: $n of 5" test "$n" = 5

# Now with Sluice, and the two things an operator must not do lightly.
lab_config "$(lab_service web "$VIP4" 80 tcp 2)"
lab_agent_up
load() { rig_start "$1" --target "$VIP4:80" --hold 100 --interval 200 --rate 50 --duration 600 \
  --stall 3 --sources "$LAB_SOURCES4"; }
load detach
api DELETE /api/v1/dataplane >/dev/null
check "detach is answered: $(lab_code)" test "$(lab_code)" = 204
check "the agent ends" wait_until 5 lab_dead "$LAB_AGENT"
check "the program is off the interface" test -z "$(in_ns lb ip -j link show lb-c |
  jq '.[0].xdp.prog.id // empty')"
check "no pin is left: $(find "$LAB_PINS" 2>/dev/null | wc -l)" \
  test "$(find "$LAB_PINS" -type f 2>/dev/null | wc -l)" = 0
sleep 4
rig_stop detach
check "detached under load: $(rig_words detach)" \
  test "$(rig_get detach '.broken == 100 and .failed > 20')" = true

lab_agent_up
load pins
lab_agent_stop KILL
rm -rf "$LAB_PINS"
sleep 4
rig_stop pins
check "pins removed under load: $(rig_words pins)" \
  test "$(rig_get pins '.broken == 100 and .failed > 20')" = true
tap_done
