#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every packet is accounted for: what the program received = what the backends received + passed +
# dropped by reason + transmit errors, exactly, as the API tells it; while egress interfaces fail
# under load, and while no agent runs. tests/prog/test_transmit has each error one by one; here the
# whole product adds up. The control takes the programs at the tracepoints away: the sum has a gap.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_up "${1:?build folder}" 3
lab_config "$(lab_service dns "$VIP4" 9000 udp 3 '.udp_flows = "none"')"
lab_agent_up
check "the kernel lets all transmit errors be counted" \
  test "$(api GET /api/v1/status | jq .transmit_uncounted)" = null

# Backends count what reaches them for the service before their stack, by an XDP program: nothing
# that lb's kernel routes there has this port.
compile() {
  clang -O2 -g -target bpf -mcpu=v3 -Wall -Werror "-I/usr/include/$(gcc -print-multiarch)" \
    -c "$LAB_REPO/tests/lib/xdp_count.bpf.c" -o "$LAB_DIR/xdp_count.o"
}
compile || bail "the counting program does not compile"
for i in 1 2 3; do
  mkdir "$LAB_BPF/b$i"
  bpftool prog loadall "$LAB_DIR/xdp_count.o" "$LAB_BPF/b$i" type xdp pinmaps "$LAB_BPF/b$i" ||
    bail "the counting program does not load"
done
sink() { # N on|off
  in_ns "b$1" bpftool net detach xdpdrv dev b0
  [ "$2" = off ] || in_ns "b$1" bpftool net attach xdpdrv pinned "$LAB_BPF/b$1/xdp_count" dev b0
}
for i in 1 2 3; do sink "$i" on || bail "the counting program is not attached"; done
received() {
  local i n=0
  for i in 1 2 3; do
    n=$((n + $(bpftool -j map dump pinned "$LAB_BPF/b$i/xdp_counted" |
      jq '[.[].formatted.value] | add')))
  done
  echo $n
}

# The labels of reasons whose packets are ACTION, as a JSON list.
labels() { sed -n "s/.*, $1, \"\\(.*\\)\").*/\"\\1\"/p" "$LAB_REPO/include/sluice/reasons.h" | jq -sc .; }
pass=$(labels PASS) send=$(labels SEND)

# books: what the program has taken, and what became of it, as of now.
books() {
  api GET /api/v1/status >"$LAB_DIR/books.json"
  jq -c --argjson got "$(received)" --argjson pass "$pass" --argjson send "$send" '
    (.reasons | to_entries) as $r |
    {all: ([$r[].value] | add), received: $got,
     passed: ([$r[] | select(.key as $k | any($pass[]; . == $k)) | .value] | add),
     sent: ([$r[] | select(.key as $k | any($send[]; . == $k)) | .value] | add),
     errors: ([.transmit_errors[].packets] | add // 0)} |
    .dropped = .all - .passed - .sent' "$LAB_DIR/books.json"
}
diff_books() { jq -nc --argjson a "$1" --argjson b "$2" '$b | with_entries(.value -= $a[.key])'; }

# burst COUNT [BYTES]: datagrams to the service from many ports, nobody answers.
burst() { in_ns client python3 "$LAB_REPO/tests/lib/burst.py" "$VIP4" 9000 "$@"; }

add_up() { # TEXT BEFORE COUNT ERRORS: whether the sum is right, and errors are as expected (a jq test)
  local d
  sleep 0.3
  d=$(diff_books "$2" "$(books)")
  check "$1: $(jq -r '"\(.all) = \(.received) received + \(.passed) passed + \(.dropped) dropped + \(.errors) errors"' <<<"$d")" \
    test "$(jq --argjson n "$3" ".all == .received + .passed + .dropped + .errors and
      .sent + .dropped == \$n and ($4)" <<<"$d")" = true
}

before=$(books)
burst 3000
add_up 'nothing is wrong' "$before" 3000 '.errors == 0'

# The agent would see an interface go down and send there no more: it is away meanwhile.
lab_agent_stop KILL
before_all=$before
sink 2 off
burst 3000
sink 2 on
ip -n "$LAB_ID-lb" link set lb-b1 mtu 1000
burst 3000 1200
ip -n "$LAB_ID-lb" link set lb-b1 mtu 1500
ip -n "$LAB_ID-lb" link set lb-b3 down
burst 3000
ip -n "$LAB_ID-lb" link set lb-b3 up
lab_agent_up
add_up 'without an agent, with one interface after the other failing' "$before_all" 12000 \
  '.errors > 1500'
said=$(jq -c '[.transmit_errors[] | "\(.interface) \(.kind) \(.errno) \(.packets)"]' "$LAB_DIR/books.json")
check "each failure by its interface and errno: $said" test "$(jq '
  [.transmit_errors[] | "\(.interface) \(.errno)"] |
  contains(["lb-b1 EMSGSIZE"]) and contains(["lb-b3 ENETDOWN"]) and
  (contains(["lb-b2 EOPNOTSUPP"]) or contains(["lb-b2 ENXIO"]))' "$LAB_DIR/books.json")" = true
metrics=$(api GET /metrics)
check "the metrics tell the same" test "$(jq -r '.transmit_errors[] |
  "sluice_transmit_errors_total{interface=\"\(.interface)\",kind=\"\(.kind)\",errno=\"\(.errno)\"} \(.packets)"' \
  "$LAB_DIR/books.json" | sort)" = "$(grep '^sluice_transmit_errors_total' <<<"$metrics" | sort)"
said=$("$LAB_BUILD/sluicectl" -s "unix:$LAB_SOCK" status | grep '^Not taken')
check "sluicectl status tells them: $said" grep -q 'lb-b3 redirect ENETDOWN [1-9]' <<<"$said"

# Interfaces failing while the agent follows: it moves flows away, and the sum holds all the same.
before=$(books)
burst 20000 &
job=$!
for _ in 1 2 3; do
  ip -n "$LAB_ID-lb" link set lb-b3 down
  sleep 0.1
  ip -n "$LAB_ID-lb" link set lb-b3 up
  sleep 0.1
done
wait $job
sleep 0.5
add_up 'an interface that flaps, the agent following' "$before" 20000 'true'

# Control.
before=$(books)
lab_agent_stop KILL
rm -f "$LAB_PINS"/watch-*
sleep 0.3
ip -n "$LAB_ID-lb" link set lb-b3 down
burst 3000
ip -n "$LAB_ID-lb" link set lb-b3 up
lab_agent_up
sleep 0.3
d=$(diff_books "$before" "$(books)")
gap=$(jq '.all - .received - .passed - .dropped - .errors' <<<"$d")
check "control: without the programs at the tracepoints $gap packets are missing" test "$gap" -gt 500

api DELETE /api/v1/dataplane >/dev/null
check "detach leaves no pin: $(find "$LAB_PINS" -type f 2>/dev/null | wc -l)" \
  test "$(find "$LAB_PINS" -type f 2>/dev/null | wc -l)" = 0
tap_done
