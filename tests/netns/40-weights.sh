#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Weights: new flows follow them at once, held connections never move.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 3
lab_config "$(lab_service web "$VIP4" 80 tcp 3)"
lab_agent_up
rig_start held --target "$VIP4:80" --hold 300 --interval 300 --duration 600 --sources "$LAB_SOURCES4"

weights() { # W1 W2 W3
  local i w n=0 sum=$(($1 + $2 + $3)) bad=0 hits words='' slots
  for w in "$@"; do
    n=$((n + 1))
    api PATCH "/api/v1/services/web/backends/b$n" "{\"weight\": $w}" >/dev/null || bad=1
  done
  check "weights $*: accepted" test $bad = 0
  rig_start fresh --target "$VIP4:80" --rate 400 --new-max 600 --duration 5 --sources "$LAB_SOURCES4"
  rig_wait fresh
  check "weights $*: $(rig_words fresh)" test "$(rig_get fresh '[.new, .failed] | tostring')" = '[600,0]'
  for i in 1 2 3; do
    w=${!i}
    hits=$(rig_get fresh ".backends.b$i.new // 0")
    slots=$(lab_backend web "b$i" .status.table_slots)
    words="$words, b$i $hits requests $slots slots"
    if [ "$w" = 0 ]; then
      [ "$hits,$slots" = 0,0 ] || bad=1
      continue
    fi
    share_ok "$hits" 600 "$w" $sum || bad=1
    awk -v s="$slots" -v w="$w" -v sum=$sum 'BEGIN {e = 16381 * w / sum; d = s - e
      exit !(d <= 1 + 0.01 * e && -d <= 1 + 0.01 * e)}' || bad=1
  done
  check "weights $*: shares fit$words" test $bad = 0
}
weights 100 100 100
weights 200 100 100
weights 1 256 128
weights 100 0 50
ok "slots in transition: $(api GET /api/v1/services/web | jq .status.slots_in_transition)"
weights 100 100 100
rig_stop held
check "held through it all: $(rig_words held)" \
  test "$(rig_get held '[.held_at_end, .broken] | tostring')" = '[300,0]'
tap_done
