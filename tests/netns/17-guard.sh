#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The guard on real stacks: a denied client, limits that hold and let go, a dry run, a restart.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 1

for vip in "$VIP4" "$VIP6"; do
  lab_spawn "$LAB_DIR/udp.log" b1 python3 "$LAB_REPO/tests/lib/udp.py" answer "$vip" 9000 b1
done
lab_config "$(lab_service dns4 "$VIP4" 9000 udp 1)" "$(lab_service dns6 "$VIP6" 9000 udp 1)"
lab_agent_up

reason() { api GET /api/v1/status | jq ".reasons.$1"; }
ask() { # ADDRESS FLOWS DATAGRAMS; prints how many were answered
  in_ns client python3 "$LAB_REPO/tests/lib/udp.py" ask "$1" 9000 "$2" "$3" 100 | jq .answers
}
client() { # -4 or -6; the client's own address towards the service
  in_ns client ip -j "$1" route get "$2" | jq -r '.[0].prefsrc'
}
from4=$(client -4 "$VIP4") from6=$(client -6 "$VIP6")

n=$(ask "$VIP4" 5 2) m=$(ask "$VIP6" 5 2)
check "off by default: $n and $m of 10 answered" test "$n $m" = "10 10"

api PUT /api/v1/guard "{\"deny\": [\"$from4/32\", \"$from6/128\"]}" >/dev/null
before=$(reason guard_denied)
n=$(ask "$VIP4" 2 2) m=$(ask "$VIP6" 2 2)
check "a denied client gets nothing: $n and $m" test "$n $m" = "0 0"
after=$(reason guard_denied)
check "all of it is counted: $((after - before)) packets" test $((after - before)) = 8

lab_agent_stop KILL
n=$(ask "$VIP4" 2 1)
check "without the agent too: $n" test "$n" = 0
lab_agent_up
n=$(ask "$VIP4" 2 1)
check "and after its return: $n" test "$n" = 0
api PUT /api/v1/guard "{\"deny\": [\"0.0.0.0/0\"], \"allow\": [\"$from4/32\"]}" >/dev/null
n=$(ask "$VIP4" 5 2) m=$(ask "$VIP6" 5 2)
check "allowed within what is denied: $n, no longer denied: $m" test "$n $m" = "10 10"
api PUT /api/v1/guard '{}' >/dev/null

api PUT /api/v1/services/dns4/guard '{"source": {"flows_per_s": 1, "flows_burst": 4}}' >/dev/null
n=$(ask "$VIP4" 12 1)
check "4 flows at once, 1 a second: $n of 12 are answered" eval 'test "$n" -ge 4 && test "$n" -le 10'
check "the others are counted: $(reason guard_source)" test "$(reason guard_source)" = $((12 - n))
n=$(ask "$VIP6" 12 1)
check "the other service has no limit: $n" test "$n" = 12

api PUT /api/v1/services/dns4/guard \
  '{"dry_run": true, "source": {"flows_per_s": 1, "flows_burst": 4}}' >/dev/null
n=$(ask "$VIP4" 12 1)
would=$(api GET /api/v1/guard | jq .status.would_source)
check "a dry run answers all: $n, and counts: $would" eval 'test "$n" = 12 && test "$would" -ge 3'
api PUT /api/v1/services/dns4/guard '{}' >/dev/null
n=$(ask "$VIP4" 12 1)
check "switched off: $n of 12" test "$n" = 12
tap_done
