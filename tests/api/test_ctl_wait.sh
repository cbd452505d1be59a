#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test_ctl_wait: drain and wait.
# shellcheck source=tests/lib/ctl.sh
. "$(dirname "$0")/../lib/ctl.sh" "$@"

# ---- drain and wait ---------------------------------------------------------------------------

fresh
draining 10 10 '"@T+300@"' maint | can POST $b2/drain 202
run drain web/web-2 --timeout 5m --then maint --reason "kernel upgrade"
is "drain: the request" "$(<"$dir/log")" \
  "POST $b2/drain application/json {\"timeout_s\":300,\"then\":\"maint\",\"reason\":\"kernel upgrade\"}"
is "drain: stderr" "$rc $out$err" \
  "0 web/web-2 draining, 5m left, then maint; follow: sluicectl wait web/web-2 --for drained"
run backend drain web/web-2
is "drain without flags" "$(tail -n 1 "$dir/log")" "POST $b2/drain application/json {}"
run drain web/web-2 --timeout 0 -o name
is "drain --timeout 0" "$out $(tail -n 1 "$dir/log")" \
  "web/web-2 POST $b2/drain application/json {\"timeout_s\":0}"
draining 10 10 null drain | can POST $b2/drain 202
run drain web/web-2 >/dev/null
run drain web/web-2
has "drain without deadline" "$err" "web/web-2 draining, no deadline;"

fresh
draining 1893 1893 '"@T+72@"' drain | can POST $b2/drain 202
draining 1893 412 '"@T+72@"' drain | can GET $b2
draining 1893 0 '"@T+71@"' drain | can GET $b2
draining 1893 0 '"@T+70@"' drain true | can GET $b2
run drain web/web-2 --wait
is "drain --wait" "$rc $out$err" "0 draining web-2: 1893 -> 412 flows, 1m12s left
web/web-2 drained"
is "drain --wait: one question each half second" "$(grep -c "^GET" "$dir/log")" 3

fresh
draining 40 40 '"@T+1@"' drain | can POST $b2/drain 202
draining 40 37 '"@T+1@"' drain | can GET $b2
draining 40 37 '"@T-1@"' drain true true | can GET $b2
run drain web/web-2 --wait -o json
is "drained at its deadline" "$rc $(tail -n 1 <<<"$err")" \
  "0 web/web-2 drained at its deadline with 37 flows left"
has "-o json: the last state" "$out" '"by_deadline": true'

fresh
draining 40 40 '"@T+60@"' delete | can POST $b2/drain 202
draining 40 1 '"@T+60@"' delete | can GET $b2
draining 40 0 '"@T+60@"' delete true | can GET $b2
can GET $b2 404 </dev/null
run drain web/web-2 --then delete --wait
is "drained and deleted" "$rc $(tail -n 1 <<<"$err")" "0 web/web-2 drained and deleted"
fresh
draining 40 5 '"@T+0.2@"' delete | can POST $b2/drain 202
draining 40 5 '"@T+0.2@"' delete | can GET $b2
(sleep 0.3; rm -f "$dir/can/GET"*) &
run drain web/web-2 --then delete --wait
is "deleted at its deadline" "$rc $(tail -n 1 <<<"$err")" \
  "0 web/web-2 drained at its deadline with 5 flows left, and deleted"
wait $!
fresh
draining 40 5 '"@T+60@"' maint | can POST $b2/drain 202
draining 40 5 '"@T+60@"' maint | can GET $b2
backend web-2 10.0.0.12 maint maint | can GET $b2
run drain web/web-2 --then maint --wait
is "drained, then maintenance" "$rc $(tail -n 1 <<<"$err")" "0 web/web-2 drained and in maintenance"
for case in "ready up:4:is no longer draining: somebody made it ready again" \
  "maint maint:4:was put in maintenance before it was drained"; do
  IFS=: read -r st want text <<<"$case"
  fresh
  draining 40 5 '"@T+60@"' drain | can POST $b2/drain 202
  draining 40 5 '"@T+60@"' drain | can GET $b2
  # shellcheck disable=SC2086
  backend web-2 10.0.0.12 $st | can GET $b2
  run drain web/web-2 --wait -q
  is "drain that ends otherwise: $st" "$rc $err" "$want sluicectl: web/web-2 $text"
done
fresh
draining 40 5 '"@T+60@"' drain | can POST $b2/drain 202
run drain web/web-2 --wait -q
is "deleted by somebody else" "$rc $err" \
  "3 sluicectl: web/web-2 is gone: somebody deleted it while it drained"

fresh
draining 1893 1893 null drain | can POST $b2/drain 202
draining 1893 37 null drain | can GET $b2
run drain web/web-2 --wait-timeout 800ms
is "drain: the wait times out" "$rc $err" "8 draining web-2: 1893 -> 37 flows, no deadline
sluicectl: web/web-2: timed out with 37 flows left; still draining
  Continue: sluicectl wait web/web-2 --for drained
  Force: sluicectl backend maint web/web-2"
run wait web/web-2 --for drained --timeout 0.5s
code "no fractions" 2
run wait web/web-2 --for drained --timeout 600ms -q
has "wait --for drained: times out" "$rc $err" "8 sluicectl: web/web-2: timed out with 37 flows left"
rm "$dir/can/GET"*
can GET $b2 200 hang </dev/null
start=$(now_ms)
run wait web/web-2 --for drained --timeout 1s
took=$(($(now_ms) - start))
if [ "$rc" = 8 ] && [ $took -lt 3000 ]; then ok "a hanging agent does not outlast --timeout"; else
  not_ok "a hanging agent does not outlast --timeout: $rc after $took ms: $err"
fi

# ^C
fresh
draining 1893 37 null drain | can POST $b2/drain 202
draining 1893 37 null drain | can GET $b2
cat >"$dir/interrupt.py" <<'E'
import signal, subprocess, sys, time
p = subprocess.Popen(sys.argv[1:], stderr=subprocess.PIPE, text=True,
                     preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
p.stderr.readline()
t = time.time()
p.send_signal(signal.SIGINT)
rest = p.communicate(timeout=20)[1]
print(p.returncode, 'soon' if time.time() - t < 1.5 else 'late', rest, end='')
E
out=$(python3 "$dir/interrupt.py" "$ctl" -s "unix:$sock" drain web/web-2 --wait)
is "^C ends the waiting, not the drain" "$out" \
  "130 soon sluicectl: no longer waiting; the drain of web/web-2 goes on
  Continue: sluicectl wait web/web-2 --for drained
  Undo: sluicectl backend ready web/web-2"

# several
fresh
for n in a b; do
  draining 9 9 '"@T+60@"' drain | can POST $api/services/web/backends/$n/drain 202
  draining 9 3 '"@T+60@"' drain | can GET $api/services/web/backends/$n
  draining 9 0 '"@T+60@"' drain true | can GET $api/services/web/backends/$n
done
run drain web/a web/gone web/b --wait
is "several, one of them missing" "$rc $err" "3 sluicectl: no such thing: $api/services/web/backends/gone/drain
draining a: 9 -> 3 flows, 1m left
draining b: 9 -> 3 flows, 1m left
web/a drained
web/b drained"

# an agent that is restarted meanwhile
fresh
draining 9 9 '"@T+60@"' drain | can POST $b2/drain 202
draining 9 3 '"@T+60@"' drain | can GET $b2
"$ctl" -s "unix:$sock" drain web/web-2 --wait >"$dir/out" 2>"$dir/err" </dev/null &
pid=$!
wait_until 10 grep -q "3 flows" "$dir/err"
stub_stop
rm -f "$sock"
sleep 1
draining 9 0 '"@T+60@"' drain true | can GET $b2
stub_start
wait $pid
is "the agent may restart while it is waited for" "$? $(tail -n 1 "$dir/err")" "0 web/web-2 drained"

fresh
backend web-1 10.0.0.11 ready checking | can GET $api/services/web/backends/web-1
backend web-1 10.0.0.11 ready up | can GET $api/services/web/backends/web-1
run wait web/web-1 --for up
is "wait --for up" "$rc $err" "0 waiting for web/web-1 to be up: checking, check L4OK 1ms, 2m left
web/web-1 up"
run wait web/web-1 --for down --timeout 300ms -q
is "wait --for down: times out" "$rc $err" "8 sluicectl: web/web-1: timed out waiting for down; it is up
  Continue: sluicectl wait web/web-1 --for down"
run wait web/gone --for deleted
is "wait --for deleted" "$rc $err" "0 web/gone deleted"
run wait web/gone --for up
is "wait for something that is not there" "$rc $err" "3 sluicectl: web/gone does not exist"
run wait web/web-1 --for drained
is "wait for a drain that was not started" "$rc $err" "4 sluicectl: web/web-1 is not draining"
run -s unix:/nonexistent wait web/web-1 --for up
code "wait without an agent" 6

# a terminal: one line, overwritten
fresh
draining 1893 1893 '"@T+72@"' drain | can POST $b2/drain 202
draining 1893 412 '"@T+72@"' drain | can GET $b2
draining 1893 0 '"@T+72@"' drain true | can GET $b2
out=$(TERM=xterm script -qec "stty cols 100; $ctl -s unix:$sock drain web/web-2 --wait" /dev/null </dev/null)
is "drain --wait on a terminal" "$out" \
  $'\r\033[Kdraining web-2: 1893 -> 412 flows, 1m12s left\r\033[Kweb/web-2 drained\r'

ctl_done
