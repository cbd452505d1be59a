#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kill -9 of the agent, twenty times, under a thousand held connections: packets do not notice.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 3
lab_config "$(lab_service web "$VIP4" 80 tcp 3)" "$(lab_service web6 "$VIP6" 80 tcp 3)"
lab_agent_up

prog_id() { in_ns lb ip -j link show lb-c | jq '.[0].xdp.prog.id // empty'; }
link_id() { bpftool -j link show | jq "[.[] | select(.prog_id == $(prog_id)) | .id] | first"; }
packets() { api GET /api/v1/services/web | jq .status.counters.packets; }
link=$(link_id)
check "the program hangs on a link: $(prog_id) on link $link" test -n "$(prog_id)" -a "$link" != null

rig_start four --target "$VIP4:80" --hold 700 --rate 30 --duration 600 --sources "$LAB_SOURCES4"
rig_start six --target "[$VIP6]:80" --hold 300 --rate 20 --duration 600 --sources "$LAB_SOURCES6"
# A slot in transition needs the remembered flows to live through the kills as well.
api PATCH /api/v1/services/web/backends/b1 '{"weight": 30}' >/dev/null
rig_start moved --target "$VIP4:80" --hold 100 --duration 600 --sources "$LAB_SOURCES4"

detached=0 backward=0 slow=0 longest=0 changed=0
for i in $(seq 20); do
  before=$(packets)
  lab_agent_stop KILL
  [ -n "$(prog_id)" ] || detached=$((detached + 1))
  sleep 0.2
  begin_ms=$(now_ms)
  lab_agent_start || { slow=$((slow + 1)); tail -n 3 "$LAB_DIR/sluiced.log" | sed 's/^/# /'; }
  took=$(($(now_ms) - begin_ms))
  [ $took -le $longest ] || longest=$took
  [ "$(packets)" -ge "$before" ] || backward=$((backward + 1))
  [ "$(link_id)" = "$link" ] || changed=$((changed + 1))
  # Every third time it learns something before it dies again.
  [ $((i % 3)) != 0 ] ||
    api PATCH /api/v1/services/web/backends/b2 "{\"weight\": $((50 + i))}" >/dev/null
done
check "20 kills: the program was off the interface $detached times" test $detached = 0
check "20 starts: $slow did not answer, the slowest took $longest ms" test $slow = 0
check "counters went backward $backward times" test $backward = 0
check "the link was replaced $changed times" test $changed = 0
check "all backends are up" wait_until 10 lab_all_up
check "the last weight was kept" test "$(lab_backend web b2 .weight)" = 68
sleep 1
for r in four six moved; do
  rig_stop $r
  check "load $r: $(rig_words $r)" test "$(rig_get $r '[.broken, .failed] | tostring')" = '[0,0]'
done
tap_done
