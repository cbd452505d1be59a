#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# deploy/sluice-backend and tunnels: what it would do, what it refuses, its firewall under packets, and
# the mode that needs no tunnel devices. The devices themselves: tests/vm/guest_tunnels.sh.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 1
script=$LAB_REPO/deploy/sluice-backend
strange4=10.71.1.66 strange6=fd71:0:0:1::66
lab_address lb lb-b1 $strange4/24 $strange6/64 || bail "no addresses for strangers"
# its pins stay in the lab
mkdir "$LAB_DIR/bin"
printf '#!/bin/sh\nexec "%s" "$@" --pin-dir "%s"\n' "$LAB_BUILD/sluicectl" "$LAB_BPF/decap-1" >"$LAB_DIR/bin/sluicectl"
chmod 0755 "$LAB_DIR/bin/sluicectl"
PATH=$LAB_DIR/bin:$PATH
run() { in_ns b1 "$script" "$@" 2>&1; }

# ---- wrong usage ------------------------------------------------------------------------
# shellcheck disable=SC2034 # words: used by eval
while IFS='|' read -r line words; do
  # shellcheck disable=SC2086 # a list of words
  said=$(run $line)
  status=$?
  check "'$line' is refused ($status): $(head -1 <<<"$said")" \
    eval '[ $status = 2 ] && grep -qF -- "$words" <<<"$said"'
done <<'ROWS'
|sluice-backend add VIP
tunnel|sluice-backend add VIP
tunnel --mode l2dsr|sluice-backend add VIP
tunnel --mode gre --from 10.0.0.1|want l2dsr, ipip, gue or decap
tunnel --mode ipip|needs --from
tunnel --mode ipip --from|needs a value
tunnel --mode ipip --from lb.example|want an address or a prefix
tunnel --mode ipip --from 10.0.0.1;reboot|want an address or a prefix
tunnel --mode gue --from 10.0.0.1 --gue-port 0|want a port
tunnel --mode gue --from 10.0.0.1 --gue-port 65536|want a port
tunnel --mode gue --from 10.0.0.1 --gue-port 6080x|want a port
tunnel --mode ipip --from 10.0.0.1 --bogus|unknown flag
add 192.0.2.10 --undo|--undo is for
add 192.0.2.10 --from 10.0.0.1|--from is for tunnels
add 192.0.2.10/24|without a prefix length
ROWS

# ---- dry run: nothing changes ---------------------------------------------------------------
state() { in_ns b1 sh -c 'ip addr; ip route; ip -6 route; nft list ruleset; sysctl -a 2>/dev/null | grep -E "rp_filter|arp_"'; }
before=$(state)
said=$(run add 192.0.2.77 --mode gue --from 10.71.1.1,fd71:0:0:1::/64 --gue-port 6090 --dry-run)
check "a dry run changes nothing" test "$(state)" = "$before"
for w in 'ip link set dev tunl0 up' 'ip link set dev sit0 up' 'type ip6tnl external' 'net/ipv4/conf/tunl0/rp_filter=0' \
  'ip fou add port 6090 gue' 'ip fou add port 6090 gue -6' 'ip -4 addr add 192.0.2.77/32 dev lo' \
  'ip saddr != @from4' 'udp dport 6090 ip6 saddr != @from6'; do
  check "it says: $w" grep -qF "$w" <<<"$said"
done
check "the firewall comes before the devices" \
  test "$(grep -n 'nft -f' <<<"$said" | cut -d: -f1)" -lt "$(grep -n 'tunl0 up' <<<"$said" | cut -d: -f1)"
check "room for 52 bytes: segments of 1408 and 1388: $(grep -o 'advmss.*' <<<"$said" | tr '\n' ' ')" \
  test "$(grep -o 'advmss.*' <<<"$said" | tr '\n' ' ')" = 'advmss 1408 advmss 1388 '
said=$(run tunnel --mode ipip --from 10.71.1.1 --dry-run)
check "ipip over IPv4 alone: no IPv6 device, no port" eval '! grep -qE "ip6tnl|fou|udp dport" <<<"$said"'

# ---- its firewall, under packets ---------------------------------------------------------------
rules() { run tunnel --mode gue --from "$1" --dry-run | sed -n '/<<RULES/,/^RULES/p' | sed '1d;$d'; }
dropped() { in_ns b1 nft list ruleset | sed -n 's/.*counter packets \([0-9]*\).*/\1/p' | tr '\n' ' '; }
send() { in_ns lb python3 "$LAB_REPO/tests/lib/encap.py" send "$@"; }
all() { # FROM4 FROM6: ten of each kind
  send ipip "$1" 10.71.1.2 10 && send ipip "$2" fd71:0:0:1::2 10 &&
    send gue "$1" 10.71.1.2 10 && send gue "$2" fd71:0:0:1::2 10
}
check "nft takes the rules" eval 'rules 10.71.1.1,fd71:0:0:1::/124 | in_ns b1 nft -f -'
all 10.71.1.1 fd71:0:0:1::1
check "the balancer's are let through: $(dropped)" test "$(dropped)" = '0 0 0 0 '
all $strange4 $strange6
check "ten of each kind from strangers are dropped: $(dropped)" test "$(dropped)" = '10 10 10 10 '
check "a second time, with the strangers told" eval 'rules 10.71.1.0/24,fd71:0:0:1::/64 | in_ns b1 nft -f -'
all $strange4 $strange6
check "control: now they are let through: $(dropped)" test "$(dropped)" = '0 0 0 0 '
check "IPv4 told alone: all of IPv6 is refused" eval 'rules 10.71.1.0/24 | in_ns b1 nft -f -'
all $strange4 $strange6
check "so it is: $(dropped)" test "$(dropped)" = '0 10 0 10 '
check "what is no tunnel goes on" in_ns client curl -s -m 3 -o /dev/null "http://$(lab_addr4 1)/"
run tunnel --mode gue --undo >/dev/null
check "--undo takes the table away" test -z "$(in_ns b1 nft list ruleset)"

# ---- mode decap, for real -------------------------------------------------------------------------
said=$(run add 192.0.2.77 --mode decap --from 10.71.1.1)
check "another program is there: it says so and adds no address: $(grep wrong <<<"$said")" \
  eval 'grep -q "another XDP program" <<<"$said" && ! in_ns b1 ip addr | grep -q 192.0.2.77'
in_ns b1 bpftool net detach xdpdrv dev b0
said=$(run check 192.0.2.77 --mode decap --from 10.71.1.1)
check "check misses it: $(grep 'decap is not' <<<"$said")" grep -q 'decap is not on b0' <<<"$said"
check "add, by the interface of the default route" run add 192.0.2.77 --mode decap --from 10.71.1.1
check "again" run add 192.0.2.77 --mode decap --from 10.71.1.1
check "attached: $(lab_decap b1 '.from[]')" test "$(lab_decap b1 '.from[]')" = 10.71.1.1/32
check "check is content" run check 192.0.2.77 --mode decap --from 10.71.1.1
all 10.71.1.1 fd71:0:0:1::1
check "tunnels of the balancer are taken apart, IPv6 was not told: $(lab_decap b1 '.counters | [.ipip, .gue, .stranger | .packets] | join(" ")')" \
  test "$(lab_decap b1 '.counters | [.ipip, .gue, .stranger | .packets] | join(" ")')" = '10 10 20'
check "undone" run tunnel --mode decap --undo
check "the address goes as before" run del 192.0.2.77
check "nothing is pinned" test ! -e "$LAB_BPF/decap-1"
tap_done
