#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test_ctl_answers: refusals, and answers that no agent would give.
# Takes 30 s, for it waits until sluicectl gives up on an agent that does not answer.
# shellcheck source=tests/lib/ctl.sh
. "$(dirname "$0")/../lib/ctl.sh" "$@"

# ---- the slow agent, in the background --------------------------------------------

mkdir -p "$dir/slow/can"
echo "200 hang" >"$dir/slow/can/GET ~api~v1~status #1"
(
  python3 "$repo/tests/lib/ctl_stub.py" "$dir/slow" "$dir/slow/sock" &
  stub=$!
  trap 'kill $stub 2>/dev/null' EXIT
  wait_until 10 test -S "$dir/slow/sock"
  start=$(now_ms)
  "$ctl" -s "unix:$dir/slow/sock" status >"$dir/slow/out" 2>"$dir/slow/err" &
  asking=$!
  trap 'kill $stub $asking 2>/dev/null; exit 1' TERM
  wait $asking
  echo "$? $(($(now_ms) - start))" >"$dir/slow/rc"
) &
slow_pid=$!
trap 'kill $slow_pid 2>/dev/null; wait $slow_pid 2>/dev/null; cleanup' EXIT

# ---- refusals ----------------------------------------------------------------------------

# refusal STATUS CODE DETAIL POINTER
refusal() {
  fresh
  echo "{\"type\":\"about:blank\",\"title\":\"T\",\"status\":$1,\"code\":\"x\",\"detail\":\"$2\",
    \"errors\":[{\"pointer\":\"${3-}\",\"detail\":\"$2\"}]}" |
    can DELETE $b2 "$1" application/problem+json
  run backend delete web/web-2
}
for pair in 400:5 401:7 403:7 404:3 405:1 409:4 412:4 413:5 415:5 421:1 422:5 500:1 503:1 507:1; do
  refusal "${pair%:*}" "the reason of it"
  is "HTTP ${pair%:*}: exit code" "$rc" "${pair#*:}"
  is "HTTP ${pair%:*}: stderr" "$(head -n 1 <<<"$err")" "sluicectl: the reason of it"
done
refusal 422 "weight 300 is above 256" /weight
is "the member at fault" "$err" "sluicectl: weight 300 is above 256
  at /weight"
refusal 409 "backend web/web-2 still has flows"
has "not drained: what to do" "$err" "sluicectl drain web/web-2 --then delete --wait"
refusal 422 'evil \u001b[31m\u0007\u202e\n\u009b text \u00fc' $'/a\\u001b[2J'
is "escapes of the agent are harmless" "$err" \
  $'sluicectl: evil ?[31m???? text \u00fc\n  at /a?[2J'
fresh
echo 'oops' | can DELETE $b2 500 text/plain
run backend delete web/web-2
has "a refusal without JSON" "$rc $err" "1 sluicectl: the agent answered DELETE $b2 with HTTP 500"
fresh
echo '{}' | can GET $api/status 302
run status
has "a redirect is not followed" "$rc $err" "1 sluicectl: the agent answered GET $api/status with HTTP 302"

# ---- hostile answers -----------------------------------------------------------------------

# hostile TEXT PART [TYPE]: standard input as answer to status; exit code 1 and PART on stderr
hostile() {
  fresh
  can GET $api/status 200 "${3:-application/json}"
  run status
  has "hostile: $1" "$rc $err" "1 sluicectl: "
  has "hostile: $1: why" "$err" "$2"
}
not="is not what an agent of this version says"
hostile "empty" "$not" </dev/null
hostile "no JSON" "$not" <<<'<html>'
hostile "cut off JSON" "$not" <<<'{"services":['
hostile "an array" "$not" <<<'[]'
hostile "two documents" "$not" <<<'{} {}'
printf '{}\0{}' | hostile "a NUL" "$not"
python3 -c 'print("[" * 100000)' | hostile "deep" "$not"
python3 -c 'print("{\"a\":[" + "0," * 1100000 + "0]}")' | hostile "millions of values" "$not"
hostile "a huge body" "is larger than 16 MiB" huge </dev/null
hostile "cut off by closing" "does not answer as an agent does" cut </dev/null
hostile "no HTTP" "does not answer as an agent does" raw <<<'SSH-2.0-OpenSSH_9.2'
printf 'HTTP/1.1 200 OK\r\nX: %0400000d\r\n\r\n' 1 | hostile "huge headers" "" raw

fresh
cat <<'E' | can GET $api/status
{"version":{"a":1},"encapsulation":{"source4":"\u001b[31m\u009b","source6":7},"revision":"x","interfaces":[1,null,{"name":[]}],"services":[1,"a",null,[],{},
{"name":7,"port":-1e308,"address":"\u001b[31mred","status":[],"backends":{"a":1}},
{"name":"w\u0000x","status":{"state":5,"available":1e999,"total":-5,"counters":{"packets":1e300}},"backends":[3,{},
{"name":"\u009b2Jname","address":"10.0.0.1","port":99999999999999999999,"weight":-1,"vlan":1e308,"forwarding":[{}],"status":{"forwarding":{"mode":[],"gue_port":-1e308},"since":"yesterday","state":"draining","flows":{"active":1e400},"check":{"status":"OK","duration_ms":-1}},"drain":"x"}]}],"reasons":[]}
E
run status
code "wrong types everywhere" 0
if [[ $out$err == *$'\033'* || $out$err == *$'\302\233'* ]]; then
  not_ok "no escape reaches the terminal"
else
  ok "no escape reaches the terminal"
fi
for c in "backend list" "status --check --rates" "status -o name"; do
  # shellcheck disable=SC2086
  run $c
  if [ "$rc" -lt 10 ]; then ok "wrong types: $c"; else not_ok "wrong types: $c: $rc"; fi
done
fresh
printf '{"a":"\033[31m\302\233\377\303","b":[],"c":{},"d":[1,{"e":-1.5e3}]}' | can GET $api/status
run status -o json
is "JSON made harmless and pretty" "$out" '{
  "a": "\u001b[31m\u009b\ufffd\ufffd",
  "b": [],
  "c": {},
  "d": [
    1,
    {
      "e": -1.5e3
    }
  ]
}'
fresh
status "$(service dns 2001:db8::53 1 1 up "$(backend dns-1 2001:db8::1 ready up)")" |
  can GET $api/status
"$ctl" -s "unix:$sock" status >/dev/full 2>"$dir/err"
is "stdout that cannot be written" "$? $(<"$dir/err")" \
  "1 sluicectl: cannot write the output: No space left on device"

# ---- and the slow agent ----------------------------------------------------------------------

wait_until 45 test -s "$dir/slow/rc"
read -r rc took <"$dir/slow/rc"
code "an agent that does not answer" 6
has "an agent that does not answer: why" "$(<"$dir/slow/err")" "no answer from $dir/slow/sock within 30s"
if [ "$took" -ge 29000 ] && [ "$took" -lt 36000 ]; then ok "given up after 30 s"; else
  not_ok "given up after $took ms"
fi

ctl_done
