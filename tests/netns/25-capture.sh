#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Captures and traces of real traffic: exact counts, the bytes before and after, and that a dead
# agent leaves nothing on.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 2
lab_config "$(lab_service web "$VIP4" 80 tcp 2)" "$(lab_service web6 "$VIP6" 80 tcp 2)"
lab_agent_up

export SLUICE_SERVER=unix:$LAB_SOCK
ctl() { "$LAB_BUILD/sluicectl" "$@"; }
# In the background, as itself and not as a subshell: signals are to reach it.
ctl_start() { # LOG ARGUMENT...
  "$LAB_BUILD/sluicectl" "${@:2}" >"$1" 2>&1 &
  pid=$!
  lab_note_pid $pid
}
mac() { in_ns "$1" ip -j link show "$2" | jq -r '.[0].address'; }
requests() { # URL N
  local i
  for i in $(seq "$2"); do in_ns client curl -s -o /dev/null --max-time 2 "$1"; done
}
packets_of() { python3 "$LAB_REPO/tests/lib/pcapng.py" "$1" | jq -cs .; }
# The packet path's own count of records, without the agent: a word of the pinned map.
emitted() {
  bpftool -j map lookup pinned "$LAB_PINS/sl_trace" key 0 0 0 0 |
    jq '[.value[72:80] | to_entries[] | (.value | ltrimstr("0x") | ascii_downcase | explode
      | map(if . > 96 then . - 87 else . - 48 end) | reduce .[] as $d (0; . * 16 + $d))
      * pow(256; .key)] | add'
}

# ---- off ----
requests "http://$VIP4/" 5
check "nobody listens: $(emitted) records after 5 requests" test "$(emitted)" = 0

# ---- before and after ----
f=$LAB_DIR/web.pcapng
ctl_start "$LAB_DIR/capture.log" capture --service web --count 40 -w "$f"
for i in $(seq 20); do
  requests "http://$VIP4/" 2
  requests "http://[$VIP6]/" 1
  lab_alive $pid || break
done
wait $pid
r=$?
check "capture of 40 packets of one of two services: exit code $r, $(tail -n 1 "$LAB_DIR/capture.log")" \
  test $r = 0
p=$(packets_of "$f")
check "80 frames in the file: $(jq length <<<"$p")" test "$(jq length <<<"$p")" = 80
check "each packet is there twice, before and after" test "$(jq '[group_by(.packet)[]
  | map(.interface) == ["before", "after"]] | all and length == 40' <<<"$p")" = true
check "all of that service, sent, by its backends" test "$(jq 'map(.service == "web" and
  .reason == "sent" and (.backend == "b1" or .backend == "b2") and .captured == .length) | all' <<<"$p")" = true
check "after the MACs, before and after are the same bytes" test "$(jq '[group_by(.packet)[]
  | .[0].frame[24:] == .[1].frame[24:] and (.[0].frame | length) > 100] | all' <<<"$p")" = true
to=$(mac lb lb-c | tr -d :) from=$(mac client c0 | tr -d :)
check "before: from the client to the balancer" test "$(jq --arg m "$to$from" \
  'map(select(.interface == "before") | .frame[:24] == $m) | all' <<<"$p")" = true
for b in b1 b2; do
  m=$(mac $b b0 | tr -d :)$(mac lb lb-$b | tr -d :)
  check "after: what went to $b has the MACs of its link" test "$(jq --arg m "$m" --arg b $b \
    'map(select(.interface == "after" and .backend == $b) | .frame[:24] == $m) | all and length > 0' <<<"$p")" = true
done
# libpcap's own reader
t=$(tcpdump -nner "$f" 2>/dev/null)
check "tcpdump reads 80 frames of TCP to the service" \
  test "$(grep -c "> $VIP4.80: Flags" <<<"$t")" = 80
check "tcpdump sees 40 frames from the client's MAC" \
  test "$(grep -c "$(mac client c0) > $(mac lb lb-c)," <<<"$t")" = 40

# ---- by reason, to stdout ----
(sleep 0.5; in_ns client python3 "$LAB_REPO/tests/lib/synfin.py" "$VIP4" 80 7) &
ctl -q capture --service web --reason tcp_bad --count 5 --snap 34 -w - >"$LAB_DIR/bad.pcapng"
check "5 drops of one reason, through a pipe: exit code $?" test $? = 0
wait
p=$(packets_of "$LAB_DIR/bad.pcapng")
check "5 frames, as they came in, 34 bytes of 54, dropped" test "$(jq 'length == 5 and (map(
  .interface == "before" and .reason == "tcp_bad" and .backend == "-" and .captured == 34 and
  .length == 54 and .verdict == 1) | all)' <<<"$p")" = true

# ---- ends ----
ctl capture --service web6 --timeout 1s --count 3 -w "$f" 2>"$LAB_DIR/capture.log"
check "no traffic: exit code $? after the time is over" test $? = 8
check "the file is whole, and empty" test "$(packets_of "$f")" = '[]'
ctl_start "$LAB_DIR/capture.log" capture --service web -w "$f"
sleep 0.5
requests "http://$VIP4/" 1
ctl capture -w "$f.2" 2>"$LAB_DIR/second.log"
r=$?
check "one at a time: exit code $r, $(head -n 1 "$LAB_DIR/second.log")" test $r = 4
kill -TERM $pid
wait $pid
check "interrupted: exit code $?" test $? = 130
p=$(packets_of "$f")
check "with what came until then: $(jq length <<<"$p") frames" test "$(jq length <<<"$p")" -gt 6
ctl capture --service nobody -w "$f" 2>/dev/null
check "no such service: exit code $?" test $? = 3
check "and the file there was is untouched" test "$(packets_of "$f" | jq length)" -gt 6
ctl capture --reason nonsense -w "$f" 2>"$LAB_DIR/capture.log"
r=$?
check "no such reason: exit code $r, $(head -n 1 "$LAB_DIR/capture.log")" test $r = 5

# ---- events ----
ctl_start "$LAB_DIR/trace.log" trace --service web --kind new_flow,drop --count 10 --timeout 20s
sleep 0.5
requests "http://$VIP4/" 8
requests "http://[$VIP6]/" 3
in_ns client python3 "$LAB_REPO/tests/lib/synfin.py" "$VIP4" 80 2
wait $pid
check "a trace of 10 events: exit code $?" test $? = 0
check "8 new flows, each with a backend" \
  test "$(grep -Ec " new_flow web/b[12] tcp 10.71.0.2:[0-9]+ > $VIP4:80 S [0-9]+ bytes$" "$LAB_DIR/trace.log")" = 8
check "2 drops with their reason" \
  test "$(grep -Ec " drop tcp_bad web tcp 10.71.0.2:2000[01] > $VIP4:80 FS 54 bytes$" "$LAB_DIR/trace.log")" = 2
at=$(emitted)
requests "http://$VIP4/" 5
check "the listener is gone: $(($(emitted) - at)) records after 5 requests" test "$(emitted)" = "$at"

# ---- the agent dies while it captures ----
ctl_start "$LAB_DIR/capture.log" capture --count 10000 -w "$f"
sleep 0.5
at=$(emitted)
requests "http://$VIP4/" 5
check "a capture is running: $(($(emitted) - at)) records" test "$(emitted)" -gt "$at"
lab_agent_stop KILL
wait $pid
check "the command says that the agent is gone: exit code $?" test $? = 6
at=$(emitted)
requests "http://$VIP4/" 1
check "the packet path still captures at first (control)" test "$(emitted)" -gt "$at"
sleep 4
at=$(emitted)
requests "http://$VIP4/" 5
check "seconds later it has stopped by itself: $(($(emitted) - at)) records after 5 requests" \
  test "$(emitted)" = "$at"
lab_agent_start || not_ok "the agent does not start again"
(sleep 0.5; requests "http://$VIP4/" 2) &
ctl capture --service web --count 5 -w "$f" 2>/dev/null
check "the next agent captures again: exit code $?" test $? = 0
check "5 packets of its own" test "$(packets_of "$f" | jq 'map(.packet) | unique | length')" = 5
tap_done
