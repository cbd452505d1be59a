#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# guest_tunnels.sh BUILD_DIR: what deploy/sluice-backend makes of the guest's kernel: its ipip, sit,
# ip6tnl and fou devices take packets apart that were put into tunnels by hand, and strangers' not.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/lab.sh
. tests/lib/lab.sh
# no udev here; opening it loads the module
[ -e /dev/net/tun ] || { mkdir -p /dev/net && mknod /dev/net/tun c 10 200; } || bail "no /dev/net/tun"
lab_up "${1:?build folder}" 1
lb4=10.71.1.1 lb6=fd71:0:0:1::1 us4=$(lab_addr4 1) us6=$(lab_addr6 1)
strange4=10.71.1.66 strange6=fd71:0:0:1::66
lab_address lb lb-b1 $strange4/24 $strange6/64 || bail "no addresses for strangers"
# as some distributions set it: the script must cope
lab_sysctl b1 net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1
strict() { [ "$(in_ns b1 sysctl -n net.ipv4.conf.b0.rp_filter)" = 1 ]; }
backend() { in_ns b1 deploy/sluice-backend "$@" >>"$LAB_DIR/script.log" 2>&1; }
script() { # TEXT ARGUMENT...
  local text=$1
  shift
  if backend "$@"; then ok "$text"; else not_ok "$text: $(tail -n 3 "$LAB_DIR/script.log" | tr '\n' ' ')"; fi
}

through() { # KIND FROM TO
  : >"$LAB_DIR/encap.log"
  lab_spawn "$LAB_DIR/encap.log" lb python3 tests/lib/encap.py tun tun0 "$@"
  wait_until 30 grep -q ready "$LAB_DIR/encap.log" || bail "encap: $(cat "$LAB_DIR/encap.log")"
  ip -n "$LAB_ID-lb" link set tun0 mtu 1448 up
  ip -n "$LAB_ID-lb" route replace "$VIP4" dev tun0
  ip -n "$LAB_ID-lb" -6 route replace "$VIP6" dev tun0
}
get() { # SECONDS COUNT: "IPv4 N IPv6 N", answers
  local urls=() i
  for i in $(seq "$2"); do urls+=("http://$VIP4/?$i" "http://[$VIP6]/?$i"); done
  in_ns client curl -gs --connect-timeout "$1" -H 'Connection: close' -w '%{http_code} %{remote_ip}\n' \
    "${urls[@]}" | awk '/^200 fd71/ {six++} /^200 10[.]/ {four++} END {printf "IPv4 %d IPv6 %d", four, six}'
}
arrives() { # KIND FROM TO
  local n
  through "$@"
  n=$(get 10 2)
  check "$1 from $2: of 2 connections each: $n" test "$n" = 'IPv4 2 IPv6 2'
  lab_stop "$LAB_PID"
}
refused() { # KIND FROM TO
  local n
  through "$@"
  n=$(get 1 1)
  check "$1 from $2, not taken apart: $n" test "$n" = 'IPv4 0 IPv6 0'
  lab_stop "$LAB_PID"
}

# made MODE STRANGER TO: both families; of strangers one, for each way in costs seconds of emulation.
made() {
  local mode=$1 stranger=$2 to=$3
  script "$mode: made" tunnel --mode "$mode" --from $lb4,$lb6
  script "$mode: a second time" tunnel --mode "$mode" --from $lb4,$lb6
  script "$mode: check is content" check "$VIP4" --mode "$mode" --from $lb4,$lb6
  check "$mode: what was strict is strict" strict
  arrives "$mode" $lb4 "$us4"
  arrives "$mode" $lb6 "$us6"
  refused "$mode" "$stranger" "$to"
  script "$mode: the stranger told" tunnel --mode "$mode" --from "$stranger,$lb4,$lb6"
  arrives "$mode" "$stranger" "$to"
  script "$mode: undone" tunnel --mode "$mode" --undo
  check "$mode: no port is left" test -z "$(in_ns b1 ip fou show)"
  check "$mode: no firewall is left" test -z "$(in_ns b1 nft list ruleset)"
  check "$mode: check tells" eval '! backend check "$VIP4" --mode '"$mode"' --from $lb4'
}
made ipip $strange6 "$us6"
made gue $strange4 "$us4"
refused gue $lb4 "$us4" # nobody takes them apart any more

# the same by the XDP program, natively attached on this kernel
check "decap: attached" lab_backend_decap b1
arrives ipip $lb6 "$us6"
arrives gue $lb4 "$us4"
refused gue $strange4 "$us4"
check "decap: replaced, the stranger told" lab_backend_decap b1 $strange4
arrives gue $strange4 "$us4"
said=$(lab_decap b1 '.counters | [.ipip, .gue, .stranger | .packets] | map(. > 0) | all')
check "decap: has counted what it took and what it refused" test "$said" = true
tap_done
