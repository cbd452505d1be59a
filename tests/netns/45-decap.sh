#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The backend's side of tunnels, without an agent: packets that are put into tunnels by hand arrive,
# those of strangers do not, and a change of who is told loses nothing.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 1
encap=$LAB_REPO/tests/lib/encap.py
lb4=10.71.1.1 lb6=fd71:0:0:1::1 us4=$(lab_addr4 1) us6=$(lab_addr6 1)
strange4=10.71.1.66 strange6=fd71:0:0:1::66
lab_address lb lb-b1 $strange4/24 $strange6/64 || bail "no addresses for strangers"
ctl() { in_ns b1 "$LAB_BUILD/sluicectl" decap --pin-dir "$LAB_BPF/decap-1" "$@"; }
packets() { lab_decap b1 ".counters.$1.packets"; }

# ---- the command ----------------------------------------------------------------------
said=$(ctl b0 --from $lb4 2>&1)
check "another XDP program is there: refused, and how to mend it: $said" \
  grep -q 'interface b0: another XDP program is attached; remove it first' <<<"$said"
check "and nothing was left behind" test ! -e "$LAB_BPF/decap-1"
said=$(in_ns b1 "$LAB_BUILD/sluicectl" decap b0 --from $lb4 --pin-dir "$LAB_DIR/nowhere" 2>&1)
check "no bpffs: $said" grep -q 'not on a bpf file system; mount one' <<<"$said"
said=$(in_ns b1 setpriv --reuid 65534 --clear-groups "$LAB_BUILD/sluicectl" decap b0 --from $lb4 2>&1)
status=$?
check "not root: status $status, $said" eval '[ $status = 7 ] && grep -q "run it as root" <<<"$said"'
said=$(ctl lo --from $lb4 2>&1)
check "no native XDP: $said" grep -q 'interface lo: its driver has no native XDP; add --generic' <<<"$said"

lab_backend_decap b1 || bail "decap is not attached: $(tail -1 "$LAB_DIR/decap.log")"
check "attached: $(lab_decap b1 '[.state, .mode, .from[]] | join(" ")')" \
  test "$(lab_decap b1 '[.state, .mode, .from[]] | join(" ")')" = "attached native $lb4/32 $lb6/128"
said=$(ctl b0 --from $lb4 --generic 2>&1)
check "another mode is refused, for it would make a gap: $said" grep -q 'cannot be changed without a gap' <<<"$said"
check "listed: $(ctl -o name)" test "$(ctl -o name)" = b0

# ---- real TCP through tunnels made by hand ------------------------------------------------
# through NAME KIND FROM TO: the service addresses are routed into a tunnel of that kind.
through() {
  rm -f "$LAB_DIR/encap-$1.log"
  lab_spawn "$LAB_DIR/encap-$1.log" lb python3 "$encap" tun tun0 "$2" "$3" "$4"
  wait_until 10 grep -q ready "$LAB_DIR/encap-$1.log" || bail "encap: $(cat "$LAB_DIR/encap-$1.log")"
  # the longest that fits with 52 bytes around it; clients learn of it by path MTU discovery
  ip -n "$LAB_ID-lb" link set tun0 mtu 1448 up
  ip -n "$LAB_ID-lb" route replace "$VIP4" dev tun0
  ip -n "$LAB_ID-lb" -6 route replace "$VIP6" dev tun0
}
get() { # HOST COUNT: answers of so many connections
  local urls=() i
  for i in $(seq "$2"); do urls+=("http://$1/?$i"); done
  in_ns client curl -gs -m 10 -H 'Connection: close' "${urls[@]}" | grep -c '^b1$'
}
post() { # HOST: 200 KB up in full segments, 20 MiB down; prints the bytes that came
  head -c 200000 /dev/zero | in_ns client curl -gs -m 20 -o /dev/null -w '%{size_upload} ' \
    --data-binary @- "http://$1/"
  in_ns client curl -gs -m 30 "http://$1/big" | wc -c
}
tcp() { # KIND FROM TO
  local kind=$1 before after vip n
  through "$1" "$1" "$2" "$3"
  before=$(packets "$kind")
  for vip in "$VIP4" "[$VIP6]"; do
    n=$(get "$vip" 50)
    check "$kind from $2: 50 of 50 connections to $vip: $n" test "$n" = 50
    n=$(post "$vip")
    check "$kind from $2: 200,000 bytes to $vip, 20 MiB back: $n" test "$n" = '200000 20971520'
  done
  after=$(packets "$kind")
  check "$kind from $2: all through the program: $((after - before)) packets" test $((after - before)) -gt 1000
  lab_stop "$LAB_PID"
}
tcp ipip $lb4 "$us4"
tcp ipip $lb6 "$us6"
tcp gue $lb4 "$us4"
tcp gue $lb6 "$us6"
check "nothing was dropped: $(lab_decap b1 '.counters | with_entries(select(.value.packets > 0)) | map_values(.packets) | tojson')" \
  test "$(lab_decap b1 '[.counters | to_entries[] | select(.key | IN("other", "ipip", "gue") | not) | .value.packets] | add')" = 0

# ---- strangers ------------------------------------------------------------------------
send() { in_ns lb python3 "$encap" send "$@"; } # KIND FROM TO COUNT
strangers() { # REASON: how many of 4 x 25 packets of strangers count there
  local before
  before=$(packets "$1")
  for kind in ipip gue; do
    send $kind $strange4 "$us4" 25
    send $kind $strange6 "$us6" 25
  done
  echo $(($(packets "$1") - before))
}
n=$(strangers stranger)
check "100 tunnel packets of strangers: $n dropped as such" test "$n" = 100
through s gue $strange4 "$us4"
n=$(get "$VIP4" 1)
check "a stranger reaches no service" test "$n" = 0
lab_backend_decap b1 "$lb4,$strange4,$strange6" || bail "decap is not replaced"
check "control: told of the strangers, they are let in: $(get "$VIP4" 10) of 10" test "$(get "$VIP4" 10)" = 10
n=$(strangers ipip)
check "control: 50 of their IPIP packets are decapsulated: $n" test "$n" = 50
lab_stop "$LAB_PID"

# ---- replaced in place -----------------------------------------------------------------
before=$(packets gue)
through r gue $lb4 "$us4"
(while [ ! -e "$LAB_DIR/stop" ]; do get "$VIP4" 20; done) >"$LAB_DIR/during" &
pid=$!
failed=0
for i in $(seq 40); do
  lab_backend_decap b1 "$lb4,10.0.$i.0/24" --gue-port 6080 || failed=$((failed + 1))
done
touch "$LAB_DIR/stop"
wait $pid
check "40 times told otherwise under traffic, $failed refused: all of $(awk '{n += 20; k += $1} END {print k "/" n}' "$LAB_DIR/during") connections answered" \
  test "$failed:$(awk '{n += 20; k += $1} END {print (n > 0 && k == n)}' "$LAB_DIR/during")" = 0:1
check "told now: $(lab_decap b1 '.from | join(" ")')" test "$(lab_decap b1 '.from | join(" ")')" = "10.0.40.0/24 $lb4/32"
check "the counters went on: from $before to $(packets gue)" test "$(packets gue)" -gt $((before + 100))
lab_backend_decap b1 $lb4 --to "$us4"
check "--to: $(lab_decap b1 '.to | join(" ")')" test "$(lab_decap b1 '.to | join(" ")')" = "$us4/32"
before=$(packets not_to_us)
lab_address b1 b0 10.71.1.77/24
send ipip $lb4 10.71.1.77 10
check "tunnels to another of its addresses are refused: $(($(packets not_to_us) - before)) of 10" \
  test $(($(packets not_to_us) - before)) = 10
lab_backend_decap b1 $lb4 --gue-port 6081
n=$(get "$VIP4" 1)
check "GUE on another port: none comes through on the old one" test "$n" = 0
lab_stop "$LAB_PID"

# ---- off, and an interface that goes away ------------------------------------------------
check "taken off" lab_backend_plain b1
said=$(ctl b0 2>&1)
check "not there any more: $said" grep -q 'interface b0: decap is not on it' <<<"$said"
check "no pin is left" test ! -e "$LAB_BPF/decap-1"
lab_link lb x0 b1 x.1 || bail "no further cable"
check "an interface with a dot in its name" ctl x.1 --from $lb6 -q
ip -n "$LAB_ID-b1" link del x.1
said=$(ctl x.1 -o json | jq -r .state)
check "deleted: it says so: $said" test "$said" = gone
lab_link lb x0 b1 x.1 || bail "no further cable"
check "a new one of that name takes its place" ctl x.1 --from $lb6 -q
said=$(ctl x.1 -o json | jq -r .state)
check "attached anew: $said" test "$said" = attached
ctl x.1 --off -q
check "generic mode on lo" ctl lo --from $lb4 --generic -q
check "it says so: $(ctl lo -o json | jq -r .mode)" test "$(ctl lo -o json | jq -r .mode)" = generic
check "off again" ctl lo --off -q
check "nothing is pinned any more" test ! -e "$LAB_BPF/decap-1"
tap_done
