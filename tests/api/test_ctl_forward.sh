#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test_ctl_forward: the way to backends: modes, tunnels, tags; declared and shown.
# shellcheck source=tests/lib/ctl.sh
. "$(dirname "$0")/../lib/ctl.sh" "$@"

svc=$(service web 192.0.2.10 1 3 degraded "")

# ---- declared --------------------------------------------------------------------

fresh
echo '{"name":"h3"}' | can POST $api/services 201
run service add h3 --address 192.0.2.10 --port 443 --protocol udp --forwarding gue --gue-port 7000 \
  --oversize send --udp-flows quic
is "service add: the way to the backends" "$rc $(<"$dir/log")" \
  '0 POST /api/v1/services application/json {"name":"h3","address":"192.0.2.10","port":443,"protocol":"udp","forwarding":{"mode":"gue","gue_port":7000,"oversize":"send"},"udp_flows":"quic"}'
run service add web --address 1.2.3.4 --port 80 --gue-port gue
has "a gue port that is no number" "$rc $err" "2 sluicectl: --gue-port gue: want a whole number"

fresh
backend a 10.0.0.1 ready up | can POST $api/services/web/backends 201
run backend add web/a --address 2001:db8::1 --forwarding gue --gue-port=7000 --vlan 0
run backend add web/a --address 10.0.0.1 --vlan 12 --forwarding ipip
run backend add web/a --address 10.0.0.1 --gue-port 9
is "backend add: the way there" "$(cut -d ' ' -f 4 "$dir/log")" \
  '{"name":"a","vlan":0,"address":"2001:db8::1","forwarding":{"mode":"gue","gue_port":7000}}
{"name":"a","vlan":12,"address":"10.0.0.1","forwarding":{"mode":"ipip"}}
{"name":"a","address":"10.0.0.1","forwarding":{"gue_port":9}}'
: >"$dir/log"
run backend add web/a --address 10.0.0.1 --vlan none
has "a vlan that is no number" "$rc $err" "2 sluicectl: --vlan none: want a whole number"
run backend add web/a --address 10.0.0.1 --gue-port=-1
code "a gue port that is no number" 2
run backend set web/a --vlan 7
has "backend set does not take what PUT is for" "$rc $err" "2 sluicectl: "
is "and nothing was sent" "$(<"$dir/log")" ""

# ---- shown -----------------------------------------------------------------------

fresh
{
  echo '{"items":['
  sed 's/"mode":"l2dsr","gue_port":6080,"oversize":"drop"/"mode":"gue","gue_port":7000,"oversize":"send"/
    s/"protocol":"tcp"/"protocol":"udp"/; s/"udp_flows":"flow"/"udp_flows":"quic"/' <<<"$svc" |
    tee "$dir/gue.json"
  echo '],"next_cursor":null}'
} | can GET $api/services
can GET $api/services/web <"$dir/gue.json"
{
  echo '{"items":['
  backend plain 10.0.0.1 ready up | sed 's/"forwarding":{"mode":"l2dsr"}/"forwarding":{"mode":"gue","gue_port":7000}/'
  echo ,
  backend near 10.0.0.2 ready up '"forwarding":{"mode":"l2dsr"},"vlan":12'
  echo ,
  backend far 2001:db8::3 ready up '"forwarding":{"gue_port":9},"vlan":0,"reason":"test"' |
    sed 's/"forwarding":{"mode":"l2dsr"}/"forwarding":{"mode":"gue","gue_port":9}/'
  echo '],"next_cursor":null}'
} | can GET $api/services/web/backends
run service list --no-headers
has "service list: a mode that is not l2dsr" "$out" "8.90G  (gue)"
run service show web
has "service show: the tunnel" "$out" "
  forwarding    gue to port 7000, 16381 slots, 0 in transition
  udp flows     quic
  fragments     drop
  oversize      send
"
run backend list web --no-headers
is "backend list: what is not as the service says" "$(sed 's/  */ /g; s/^\([^ ]*\).*1ms/\1/' <<<"$out")" \
  'web/plain
web/near (l2dsr, vlan 12)
web/far (gue to port 9, vlan 0, "test")'

fresh
backend web-4 10.0.0.14 ready up | sed 's/"forwarding":{"mode":"l2dsr"}/"forwarding":{"mode":"ipip"}/' |
  can GET $api/services/web/backends/web-4
run backend show web/web-4
has "backend show: the service's tunnel" "$out" "
  forwarding   ipip, as the service says
  next hop "
backend web-5 10.0.0.15 ready up '"forwarding":{"mode":"gue"},"vlan":0' |
  sed 's/"forwarding":{"mode":"l2dsr"}/"forwarding":{"mode":"gue","gue_port":6080}/' |
  can GET $api/services/web/backends/web-5
run backend show web/web-5
has "backend show: its own tunnel, no tag" "$out" "
  forwarding   gue to port 6080
  vlan         0, tags are removed
  next hop "
fresh
status "" | sed 's|"services":|"encapsulation":{"source4":"10.9.0.0/16","source6":null},&|' |
  can GET $api/status
run status
is "status: where tunnels come from" "$(head -n 1 <<<"$out")" \
  "sluiced 0.1.0, revision 12, eth0 native, tunnels from 10.9.0.0/16"

ctl_done
