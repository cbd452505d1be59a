#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test_ctl: words, flags, addresses, and what the commands print and send.
# shellcheck source=tests/lib/ctl.sh
. "$(dirname "$0")/../lib/ctl.sh" "$@"

# ---- usage, help, version -----------------------------------------------------------

run
code "no command" 2
is "no command: nothing on stdout" "$out" ""
has "no command: the list on stderr" "$err" "Commands"
run -h
code "-h" 0
has "-h: exit codes are told" "$out" "8 timed out waiting"
for h in "service add -h" "service add --bogus --help" "-h service add" "service -qh add"; do
  # shellcheck disable=SC2086
  run $h
  has "help anywhere: $h" "$rc $out" "0 sluicectl service add:"
done
run help backend
has "help of a group" "$out" "backend drain"
run help nonsense
code "help of nothing" 2
run service -h
has "-h of a group" "$out" "service add"
run version
is "version" "$rc $out" "0 sluicectl 0.1.0"
run --version
run version -o json
has "version as JSON" "$out" '"version": "0.1.0"'
run servcie list
has "unknown command: the nearest" "$rc $err" "did you mean: sluicectl service"
run service create web
has "create is add, not delete" "$err" "did you mean: sluicectl service add"
code "unknown second word" 2
run backend
code "a group alone" 2
run frobnicate
is "nothing near: no suggestion" "$rc $err" '2 sluicectl: unknown command "frobnicate"
  all commands: sluicectl help'
run drain web/web-2 --timout 5m
has "unknown flag: the nearest" "$rc $err" "2 sluicectl: unknown flag --timout; did you mean --timeout?"
run status -x
has "unknown letter" "$rc $err" "2 sluicectl: unknown flag -x"
run status --check=yes
has "flag without value given one" "$rc $err" "2 sluicectl: --check takes no value"
run backend set web/web-1 --weight
has "flag without its value" "$rc $err" "2 sluicectl: --weight needs a value"
run status extra
has "one word too many" "$rc $err" '2 sluicectl: status: "extra" is one argument too many'
run service show
code "a word missing" 2
for n in web/.. ../web web/ /web web 'web/a/b' 'web/A' 'web/-a' 'web/%2e%2e' "web/$(printf '%064d' 1)"; do
  run backend delete "$n"
  is "not a backend's name: ${n:0:20}" "$rc" 2
done
run decap -h
has "decap: help" "$rc $out" "0 sluicectl decap: on a backend"
run decap --from 10.0.0.1
has "decap: no interface" "$rc $err" "2 sluicectl: --from needs an interface"
run decap eth0 --from 10.0.0.1/24
has "decap: bits behind the prefix" "$rc $err" "did you mean 10.0.0.0/24?"
run decap no/such --from 10.0.0.1
has "decap: no name of an interface" "$rc $err" '2 sluicectl: "no/such" is no name of an interface'
run decap nosuch0 --from 10.0.0.1
has "decap: no such interface" "$rc $err" "3 sluicectl: interface nosuch0 does not exist"
run decap nosuch0 --off --pin-dir /sys/fs/bpf/sluice-none
has "decap: not there to be taken off" "$rc $err" "3 sluicectl: interface nosuch0: decap is not on it"
run decap -o json --pin-dir /sys/fs/bpf/sluice-none
is "decap: on none, as JSON" "$rc $(jq -c . <<<"$out")" '0 {"items":[]}'
run -o yaml status
has "unknown form" "$rc $err" "2 sluicectl: --output yaml"
run wait web/web-1
code "wait without --for" 2
run wait web/web-1 --for tea
code "wait for an unknown word" 2
for t in 1x 1 5m3 -1 '' 5m5m 3s1m 99999999d 1500ms; do
  run drain web/web-2 --timeout "$t" --then nonsense
  is "time span \"$t\"" "$rc" 2
done
run detach
has "detach wants --yes" "$rc $err" "to do it: sluicectl detach --yes"
run capture --count 3
has "capture wants a file" "$rc $err" "2 sluicectl: capture needs -w FILE"
for a in '--count x' '--snap -1' '--timeout 1500ms' '--bogus' 'word'; do
  # shellcheck disable=SC2086
  run capture -w "$dir/never" $a
  is "capture $a" "$rc" 2
done
is "and no file was made" "$(ls "$dir/never" 2>/dev/null)" ""
for a in '--sample x' '--count -1' '--timeout 1x' 'word'; do
  # shellcheck disable=SC2086
  run trace $a
  is "trace $a" "$rc" 2
done
is "no request was sent by any of these" "$(<"$dir/log")" ""

long=$(for c in '' service backend status 'service list' 'service show' 'service add' \
  'service delete' 'backend list' 'backend show' 'backend add' 'backend set' 'backend drain' \
  'backend ready' 'backend maint' 'backend delete' drain wait trace capture metrics \
  detach help version 'service guard' \
  guard 'guard show' 'guard allow' 'guard deny' 'guard remove'; do
  # shellcheck disable=SC2086
  "$ctl" help $c || echo "$c: $?"
done | awk 'length > 80 { print } END { if (NR < 300) print "only", NR, "lines" }')
is "every help page fits 80 columns" "$long" ""

# ---- connecting ------------------------------------------------------------------------

run -s unix:/nonexistent/api.sock status
code "no socket" 6
has "no socket: why" "$err" "cannot connect to /nonexistent/api.sock: No such file or directory"
has "no socket: what to do" "$err" "is sluiced running?"
run -s http://127.0.0.1:1 status
has "closed TCP port" "$rc $err" "6 sluicectl: cannot connect to http://127.0.0.1:1: Connection refused"
for s in http://192.0.2.1:80 https://127.0.0.1:1 unix:relative http://127.0.0.1 http://a@127.0.0.1:1 \
  http://127.0.0.1:0 http://127.0.0.1:70000 http://127.0.0.1:80/x "http://[127.0.0.1]:80" \
  "http://[::2]:80" "unix:/$(printf '%0120d' 1)" ftp://127.0.0.1:1; do
  run -s "$s" status
  is "refused address ${s:0:30}" "$rc" 2
done
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  cp "$ctl" "$dir/sluicectl" # build/ may not be readable for others
  chmod 755 "$dir"
  chmod 600 "$sock"
  err=$(setpriv --reuid=65534 --regid=65534 --clear-groups "$dir/sluicectl" -s "unix:$sock" status 2>&1)
  rc=$?
  has "socket of others: why" "$err" "permission denied"
  has "socket of others: what to do" "$err" "sudo"
  code "socket of others" 7
fi
status "" | can GET $api/status
python3 "$repo/tests/lib/ctl_stub.py" "$dir" tcp &
tcp_pid=$!
wait_until 10 test -s "$dir/port"
http_proxy=http://127.0.0.1:1 run -s "http://127.0.0.1:$(<"$dir/port")" status
has "over TCP, past http_proxy" "$rc $out" "0 sluiced 0.1.0, revision 12, eth0 native"
run -s "http://localhost:$(<"$dir/port")/" status
code "localhost is loopback" 0
kill $tcp_pid
wait $tcp_pid 2>/dev/null
out=$(SLUICE_SERVER=unix:$sock "$ctl" status -o json | head -n 2)
is "SLUICE_SERVER" "$out" '{
  "version": "0.1.0",'
run --server=unix:/nonexistent -s "unix:$sock" -qo json status
code "the last of two flags counts; letters join" 0

# ---- status --------------------------------------------------------------------------

fresh
three="$(backend web-1 10.0.0.11 ready up),$(draining 1893 412 '"@T+170@"' delete),$(down)"
echo "{\"items\":[$three]}" | can GET $api/services/web/backends
svc=$(service web 192.0.2.10 1 3 degraded "$three")
dns=$(service dns 2001:db8::53 1 1 up "$(backend dns-1 2001:db8::1 ready up)")
status "$svc,$dns" true 12 | can GET $api/status
run status
is "status" "$out" 'sluiced 0.1.0, revision 12, eth0 native

SERVICE  VIP                 PROTO  BACKENDS  PACKETS  BYTES
web      192.0.2.10:443      tcp    1/3 up    1.23M    8.90G
  BACKEND  ADDRESS            STATE     SINCE  WEIGHT  FLOWS  NEW  CHECK
  web-1    10.0.0.11:443      up        2m10s  100     -      412  L4OK 1ms
  web-2    10.0.0.12:443      draining  2m10s  0/100   412    412  L4OK 1ms  (2m50s left, then deleted, "kernel upgrade")
  web-3    10.0.0.13:443      down      12s    100     -      412  L4CON connection refused
dns      [2001:db8::53]:443  tcp    1/1 up    1.23M    8.90G
  dns-1    [2001:db8::1]:443  up        2m10s  100     -      412  L4OK 1ms

Dropped: slot_empty 12'
is "status: stderr" "$rc $err" "0 "
run status --no-headers
is "status --no-headers" "$(head -n 1 <<<"$out")" \
  "web      192.0.2.10:443      tcp    1/3 up    1.23M    8.90G"
run status -o name
is "status -o name" "$out" "web
dns"
run status --check
code "status --check with a degraded service" 9
is "status --check says which" "$err" \
  "sluicectl: service web is degraded: 1 of 3 backends take new flows"
run --check status -q
is "--check before the word, quietly" "$rc $err" "9 "
run status -o json
has "JSON keeps 64-bit numbers" "$out" '"bytes": 9007199254740993,'
check "JSON is JSON" python3 -m json.tool "$dir/out"
run backend list
has "backend list of all" "$out" "dns/dns-1  [2001:db8::1]:443"
run backend list -o name
is "backend list -o name" "$out" "web/web-1
web/web-2
web/web-3
dns/dns-1"
out=$(TERM=dumb script -qec "stty cols 72; $ctl -s unix:$sock backend list web" /dev/null </dev/null)
is "a narrow terminal: closer, and below what does not fit" "${out//$'\r'/}" \
  'BACKEND   ADDRESS       STATE    SINCE WEIGHT FLOWS NEW CHECK
web/web-1 10.0.0.11:443 up       2m10s 100    -     412 L4OK 1ms
web/web-2 10.0.0.12:443 draining 2m10s 0/100  412   412 L4OK 1ms
          (2m50s left, then deleted, "kernel upgrade")
web/web-3 10.0.0.13:443 down     12s   100    -     412
          L4CON connection refused'
out=$(NO_COLOR='' TERM=xterm script -qec "$ctl -s unix:$sock status --no-headers" /dev/null </dev/null)
has "colours on a terminal" "$out" $'\033[31;1mdown\033[0m'
out=$(NO_COLOR=1 TERM=xterm script -qec "$ctl -s unix:$sock status" /dev/null </dev/null)
if [[ $out == *$'\033'* ]]; then not_ok "NO_COLOR"; else ok "NO_COLOR"; fi

# what the check column and the note say, beside the usual
fresh
ini() { sed 's/"L4OK"/"INI"/; s/"checks":77/"checks":0/'; }
say() { sed "s/\"message\":\"\"/\"message\":\"$1\"/"; }
{
  echo '{"items":['
  backend unchecked 10.0.0.1 ready up | ini
  echo ,
  backend fresh 10.0.0.2 ready checking | ini
  echo ,
  backend lost 10.0.0.3 ready down | ini | say "no next hop: no answer to ARP"
  echo ,
  backend unseen 10.0.0.4 ready down | say "no next hop: no route"
  echo ,
  backend out 10.0.0.5 maint maint '"reason":"disk"' | say disk | sed 's/"L4OK"/"L4CON"/'
  echo ,
  backend teapot 10.0.0.6 ready up | sed 's/"L4OK"/"L7STS"/; s/"code":0/"code":418/'
  echo ,
  backend adrift 10.0.0.7 ready up | sed 's/"resolved":true/"resolved":false/'
  echo ']}'
} | can GET $api/services/web/backends
run backend list web --no-headers
is "checks and notes" "$(sed 's/  */ /g; s/ 412 /|/; s/^web.//; s/ .*|/|/; s/ *$//' <<<"$out")" 'unchecked|-
fresh|INI
lost|- (no next hop: no answer to ARP)
unseen|L4OK 1ms (no next hop: no route)
out|L4CON ("disk")
teapot|L7STS 418
adrift|L4OK 1ms (next hop not resolved)'

fresh
status "$dns" false | can GET $api/status
run status --check
has "an interface that is not attached: in the table" "$out" "eth0 native NOT ATTACHED"
has "an interface that is not attached: as warning" "$rc $err" "9 warning: interface eth0"
fresh
status "" | sed 's/"read_only":null/"read_only":"state file is torn"/' | can GET $api/status
run status
code "read-only agent" 0
has "read-only agent: why" "$err" "warning: the agent refuses changes: state file is torn"
has "no services: what to do" "$err" "sluicectl service add"
fresh
status "$dns" | can GET $api/status
status "$(sed 's/1234567/1239567/; s/8900000000/8900500000/; s/"flows":412/"flows":1412/' <<<"$dns")" |
  can GET $api/status
run status --rates --no-headers
if [[ $out =~ (4\.[0-9]+K|5\.00K)\ +(3\.[0-9]+M|4\.00M)$'\n'.*L4OK ]]; then
  ok "rates are per second, bits where it says so"
else
  not_ok "rates are per second: $out"
fi

# ---- services --------------------------------------------------------------------------

fresh
echo "{\"items\":[$svc],\"next_cursor\":null}" | can GET $api/services
run service list
is "service list" "$out" 'SERVICE  VIP             PROTO  BACKENDS  PACKETS  BYTES
web      192.0.2.10:443  tcp    1/3 up    1.23M    8.90G'
run service list -o name
is "service list -o name" "$out" "web"
echo '{"items":[],"next_cursor":null}' | can GET $api/services
run service list >/dev/null
run service list
has "service list, empty: header on stdout, advice on stderr" "$out|$err" "BYTES|no services yet"

fresh
echo "$svc" | can GET $api/services/web
echo "{\"items\":[$(down)],\"next_cursor\":null}" | can GET $api/services/web/backends
run service show web
is "service show" "$out" 'web
  vip           192.0.2.10:443 tcp
  state         degraded, 1 of 3 backends take new flows
  forwarding    l2dsr, 16381 slots, 0 in transition
  oversize      drop
  when down     reschedule the flows
  timeouts      idle 300s, drain 300s
  health check  http GET /healthz (200-399), port 8080, every 2s, timeout 1s, rise 2, fall 3
  traffic       1.23M packets, 8.90G bytes, 10.0K flows begun, 0 packets dropped

  BACKEND  ADDRESS        STATE  SINCE  WEIGHT  FLOWS  NEW  CHECK
  web-3    10.0.0.13:443  down   12s    100     -      412  L4CON connection refused'
run backend list web
has "backend list of one service" "$out" "web/web-3  10.0.0.13:443  down"
run service show nope
is "service that does not exist" "$rc $err" "3 sluicectl: no such thing: /api/v1/services/nope"

fresh
echo '{"name":"web"}' | can POST $api/services 201
run service add web --address 192.0.2.10 --port 443
is "service add: the request" "$(<"$dir/log")" \
  'POST /api/v1/services application/json {"name":"web","address":"192.0.2.10","port":443}'
is "service add: the messages" "$rc $out $err" \
  "0  service web added; next: sluicectl backend add web/NAME --address A"
fresh
echo '{"name":"web"}' | can POST $api/services 201
run service add --address=2001:db8::1 --port 53 --protocol udp --check http --check-path /h \
  --check-port 80 --check-interval 1m30s --check-timeout 500ms --rise 1 --fall 2 \
  --expected-status 200 --table-size 65537 --idle-timeout 60 --drain-timeout 0 --udp-flows none \
  --on-down drop --description $'say "hi"\n' web -q -o json
is "service add: every flag" "$(<"$dir/log")" \
  'POST /api/v1/services application/json {"name":"web","address":"2001:db8::1","port":53,"protocol":"udp","description":"say \"hi\"\n","table":{"size":65537},"udp_flows":"none","on_down":"drop","idle_timeout":"60s","drain_timeout":"0s","health_check":{"type":"http","path":"/h","port":80,"interval":"90s","timeout":"500ms","rise":1,"fall":2,"expected_status":"200"}}'
is "service add -q -o json" "$rc $out $err" '0 {
  "name": "web"
} '
run service add web --port 443
has "service add without --address" "$rc $err" "2 sluicectl: service add needs --address and --port"
run service add web --address 1.2.3.4 --port http
code "a port that is no number" 2
run service add web --address 1.2.3.4 --port 80 --rise 2
has "check flags need --check" "$rc $err" "2 sluicectl: --rise needs --check tcp or --check http"

fresh
echo '{"name":"web"}' | can POST $api/services 201
printf '{"name": "web",\n "address":"1.2.3.4"}' >"$dir/web.json"
run service add -f "$dir/web.json"
is "service add -f: sent as it is" "$(<"$dir/log")" \
  'POST /api/v1/services application/json {"name": "web",
 "address":"1.2.3.4"}'
: >"$dir/log"
out=$("$ctl" -s "unix:$sock" -q service add shop -f - <<<'{"address":"1.2.3.4"}' 2>&1)
is "service add NAME -f -: the name goes in" "$? $out $(<"$dir/log")" \
  '0  POST /api/v1/services application/json {"address":"1.2.3.4","name":"shop"}'
run service add shop -f "$dir/web.json"
has "-f with another name" "$rc $err" "2 sluicectl: $dir/web.json declares service web, not shop"
run service add -f "$dir/web.json" --port 80
has "-f and other flags" "$rc $err" "2 sluicectl: --file and --port exclude each other"
run service add -f "$dir/none.json"
has "-f of a file that is not there" "$rc $err" "1 sluicectl: $dir/none.json: No such file"
echo '[1' >"$dir/bad.json"
run service add -f "$dir/bad.json"
has "-f of something else" "$rc $err" "5 sluicectl: $dir/bad.json: not a JSON object"
head -c 1100000 /dev/zero >"$dir/big.json"
run service add -f "$dir/big.json"
has "-f of a large file" "$rc $err" "5 sluicectl: $dir/big.json: larger than 1 MiB"
fresh
can DELETE $api/services/web 204 </dev/null
run service delete web
is "service delete" "$rc $err $(<"$dir/log")" \
  "0 service web deleted, with its backends DELETE /api/v1/services/web"

# ---- backends --------------------------------------------------------------------------

fresh
draining 1893 412 '"@T+170@"' delete | can GET $b2
run backend show web/web-2
is "backend show" "$out" 'web/web-2
  address      10.0.0.12:443
  state        draining for 2m10s
  new flows    taken
  admin state  drain, "kernel upgrade"
  drain        2m50s left, then delete
  flows left   412 of 1893, estimated 1s ago
  health       up, last check L4OK 1ms 1s ago, 77 checks, 2 failed
  weight       100, owns 4096 slots
  forwarding   l2dsr, as the service says
  next hop     52:54:00:00:00:01 on eth0
  traffic      1.20M packets, 9.01P bytes, 412 flows begun'
down | can GET $api/services/web/backends/web-3
run backend show web/web-3
has "backend show: down" "$out" "down for 12s
"
has "backend show: why" "$out" "down, last check L4CON connection refused 1s ago"
is "backend show: said once" "$(grep -c refused <<<"$out")" 1
fresh
for n in a b; do
  for act in ready maint; do
    backend $n 10.0.0.1 ready up | can POST $api/services/web/backends/$n/$act
  done
  can DELETE $api/services/web/backends/$n 204 </dev/null
  can DELETE "$api/services/web/backends/$n?force=true" 204 </dev/null
done
backend a 10.0.0.1 ready up | can POST $api/services/web/backends 201
backend a 10.0.0.1 ready up | can PATCH $api/services/web/backends/a
run backend add web/a --address 10.0.0.1 --weight 50 --port 443
run backend set --weight 7 web/a --reason "slow disk"
run backend maint web/a web/b --reason x
is "maint says what changed" "$err" "backend web/a in maintenance
backend web/b in maintenance"
run backend ready web/a web/b -q
is "quiet" "$rc $out$err" "0 "
run backend delete web/a
run backend delete --force web/b -o name
is "-o name of a change" "$out" "web/b"
is "the requests of all these" "$(<"$dir/log")" \
  'POST /api/v1/services/web/backends application/json {"name":"a","port":443,"weight":50,"address":"10.0.0.1"}
PATCH /api/v1/services/web/backends/a application/json {"weight":7,"reason":"slow disk"}
POST /api/v1/services/web/backends/a/maint application/json {"reason":"x"}
POST /api/v1/services/web/backends/b/maint application/json {"reason":"x"}
POST /api/v1/services/web/backends/a/ready application/json {}
POST /api/v1/services/web/backends/b/ready application/json {}
DELETE /api/v1/services/web/backends/a
DELETE /api/v1/services/web/backends/b?force=true'
run backend set web/a
code "set without anything to set" 2
fresh
backend b 10.0.0.1 ready up | can POST $api/services/web/backends/b/ready
run backend ready web/a web/b
is "one of two does not exist: the other is done" "$rc $(tail -n 1 <<<"$err")" \
  "3 backend web/b ready: it takes new flows while its check says up"

# ---- metrics, detach ------------------------------------------------------------------------

fresh
printf '# HELP a b\na{x="\033"} 1\n' | can GET /metrics 200 text/plain
run metrics
is "metrics" "$rc $out" $'0 # HELP a b\na{x="?"} 1'
run metrics -o json
code "metrics as JSON" 2
can DELETE $api/dataplane 204 </dev/null
run detach --yes
has "detach" "$rc $err" "0 detached: the program is off every interface"
is "detach: the request" "$(tail -n 1 "$dir/log")" "DELETE /api/v1/dataplane"

ctl_done
