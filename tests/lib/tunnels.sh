# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# tunnels: the scenarios 12-tunnels-v4 and 13-tunnels-v6: every way of forwarding for the clients of one
# family, with backends that run decap. Sourced; tunnels_all BUILD_DIR 4|6 is the whole scenario.

# shellcheck source=tests/lib/lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"

T_BYTES=100000000
T_N=5 # backends
# Patient: a backend that writes 100 MB on a busy machine may be late for a while.
T_CHECK='.health_check += {path: "/put/health", interval: "1s", timeout: "900ms"}'

# t_service NAME PORT MODE FAMILY: all backends by one mode, at their addresses of FAMILY.
t_service() {
  local i list=
  for i in $(seq $T_N); do list="$list{name: \"b$i\", address: \"$("lab_addr$4" "$i")\"},"; done
  lab_service "$1" "$T_VIP" "$2" tcp 1 \
    "$T_CHECK"' | .forwarding.mode = "'"$3"'" | .backends = ['"${list%,}"']'
}

# One pool of all five ways: b1 l2dsr, b2 ipip 4, b3 ipip 6, b4 gue 4, b5 gue 6.
t_mixed() { # NAME PORT
  local own
  own=$("lab_addr$T_FAMILY" 1)
  lab_service "$1" "$T_VIP" "$2" tcp 1 "$T_CHECK"' | .backends = [
    {name: "b1", address: "'"$own"'"},
    {name: "b2", address: "'"$(lab_addr4 2)"'", forwarding: {mode: "ipip"}},
    {name: "b3", address: "'"$(lab_addr6 3)"'", forwarding: {mode: "ipip"}},
    {name: "b4", address: "'"$(lab_addr4 4)"'", forwarding: {mode: "gue"}},
    {name: "b5", address: "'"$(lab_addr6 5)"'", forwarding: {mode: "gue"}}]'
}

t_curl() { in_ns client curl -gsS -H 'Expect:' -m 60 "$@"; }

# The name behind X-Backend in a file of headers.
t_who() { sed -n 's/^[Xx]-[Bb]ackend: *\([a-z0-9]*\).*/\1/p' "$1" | tail -n 1; }

t_came() { # NAME BACKEND: what was put there is what was sent
  [ -n "$2" ] && cmp -s "$LAB_DIR/load" "$LAB_DIR/$2/files/put/$1"
}

# Packets that decap took apart at all backends, of one kind: ipip, gue.
t_decapped() {
  local i n=0
  for i in $(seq $T_N); do n=$((n + $(lab_decap "b$i" ".counters.$1.packets"))); done
  echo $n
}

t_transfers() { # NAME PORT
  local name=$1 url=http://$T_HOST:$2 start ms up=$LAB_DIR/up-$1.head down=$LAB_DIR/down-$1.head
  start=$(now_ms)
  t_curl -D "$up" -o /dev/null -T "$LAB_DIR/load" "$url/put/$name"
  ms=$(($(now_ms) - start))
  check "$name: 100 MB up to $(t_who "$up") in $ms ms, byte for byte" t_came "$name" "$(t_who "$up")"
  rm -f "$LAB_DIR"/b*/files/put/"$name"
  start=$(now_ms)
  check "$name: 100 MB down, byte for byte" \
    cmp -s "$LAB_DIR/load" <(t_curl -D "$down" "$url/big")
  echo "# $name: down from $(t_who "$down") in $(($(now_ms) - start)) ms"
}

# Every packet of the upload went through a tunnel of this kind: at least as many as full segments.
t_tunnelled() { # NAME KIND BEFORE
  local n=$(($(t_decapped "$2") - $3))
  check "$1: $n packets came out of $2 at the backends" test "$n" -gt $((T_BYTES / 1500))
}

# t_requests NAME PORT COUNT: short requests at 1,000 a second, 30 connections held, one backend drained.
t_requests() {
  rig_start "$1" --target "$T_HOST:$2" --hold 30 --interval 200 --rate 1000 --new-max "$3" \
    --duration $(($3 / 1000 + 2)) \
    --sources "$T_SOURCES"
  api POST "/api/v1/services/$1/backends/b2/drain" '{"timeout_s": 60, "then": "drain"}' >/dev/null
  check "$1: drain of b2 under load" test "$(lab_code)" = 202
  sleep 1
  api POST "/api/v1/services/$1/backends/b2/ready" '{}' >/dev/null
  rig_wait "$1"
  check "$1: $(rig_words "$1"), at $(rig_get "$1" '.backends | keys | join(" ")')" \
    test "$(rig_get "$1" '[.new, .held, .broken, .failed, .gone, (.backends | length)] | tostring')" = \
    "[$3,30,0,0,0,$T_N]"
}

t_one() { # NAME PORT KIND COUNT
  local before=0
  [ "$3" = - ] || before=$(t_decapped "$3")
  t_transfers "$1" "$2"
  [ "$3" = - ] || t_tunnelled "$1" "$3" "$before"
  t_requests "$1" "$2" "$4"
}

# The backend that has the client's port: its own view, before any answer says so.
t_at() { # PORT
  local i
  for i in $(seq $T_N); do
    [ -z "$(in_ns "b$i" ss -Htn state established "dport = :$1")" ] || echo "b$i"
  done
}
t_is_somewhere() { [ -n "$(t_at "$1")" ]; }

# While 100 MB go up and 100 MB come down: both backends drained, a third one out by its health check.
t_upheaval() { # PORT COUNT
  local url=http://$T_HOST:$1 up down ill b moved ups downs
  rig_start upheaval --target "$T_HOST:$1" --hold 100 --interval 200 --rate 500 --duration 60 \
    --sources "$T_SOURCES" --expect-gone b1,b2,b3,b4,b5
  t_curl --local-port 20001 --limit-rate 10M -D "$LAB_DIR/slow-up.head" -o /dev/null -T "$LAB_DIR/load" \
    "$url/put/slow" &
  ups=$!
  t_curl --local-port 20002 "$url/big?rate=10m" >"$LAB_DIR/slow-down" &
  downs=$!
  wait_until 5 t_is_somewhere 20001
  wait_until 5 t_is_somewhere 20002
  up=$(t_at 20001) down=$(t_at 20002) ill=
  for b in b5 b3 b2; do [ "$b" = "$up" ] || [ "$b" = "$down" ] || ill=$b; done
  for b in $(printf '%s\n' "$up" "$down" | sort -u); do
    api POST "/api/v1/services/mixed/backends/$b/drain" '{"timeout_s": 60, "then": "drain"}' >/dev/null
    check "mixed: $b drains while the transfers run" test "$(lab_code)" = 202
  done
  rm "$LAB_DIR/$ill/files/put/health"
  check "mixed: $ill is out by its health check" wait_until 8 lab_backend_is mixed "$ill" down
  echo ok >"$LAB_DIR/$ill/files/put/health"
  check "mixed: and back" wait_until 8 lab_backend_is mixed "$ill" up
  check "mixed: both transfers still run" eval 'kill -0 $ups && kill -0 $downs'
  wait $ups $downs
  check "mixed: 100 MB up through all that, at $up from beginning to end" \
    eval 't_came slow "$up" && [ "$(t_who "$LAB_DIR/slow-up.head")" = "$up" ]'
  check "mixed: 100 MB down from $down" cmp -s "$LAB_DIR/load" "$LAB_DIR/slow-down"
  for b in $up $down; do
    api POST "/api/v1/services/mixed/backends/$b/ready" '{}' >/dev/null
  done
  sleep 1
  rig_stop upheaval
  moved=$(rig_get upheaval '[.backends | to_entries[] | select(.value.lost > 0) | .key] | tostring')
  check "mixed: $(rig_words upheaval); none but $ill lost one: $moved" \
    test "$(rig_get upheaval "[.broken, .failed, (.gone == .backends.$ill.held), (.new >= $2)] | tostring"),$moved" = \
    "[0,0,true,true],[\"$ill\"]"
}

# Forwarding of a service changes while connections are held and 100 MB go up. Backends keep their
# addresses: with another one it would be another backend.
t_switch() { # PORT
  local mode before ups n=0
  rig_start switch --target "$T_HOST:$1" --hold 100 --interval 100 --rate 300 --duration 60 --sources "$T_SOURCES"
  t_curl --limit-rate 8M -D "$LAB_DIR/switch.head" -o /dev/null -T "$LAB_DIR/load" \
    "http://$T_HOST:$1/put/switch" &
  ups=$!
  for mode in gue ipip l2dsr gue; do
    [ $mode = l2dsr ] || before=$(t_decapped $mode)
    api PUT /api/v1/services/l2dsr "$(t_service l2dsr "$1" $mode "$T_FAMILY")" >/dev/null && n=$((n + 1))
    sleep 0.7
    [ $mode = l2dsr ] || check "switch: by $mode now, $(($(t_decapped $mode) - before)) packets" \
      test $(($(t_decapped $mode) - before)) -gt 1000
  done
  check "switch: forwarding changed $n times while 100 MB went up" eval '[ $n = 4 ] && kill -0 $ups'
  wait $ups
  check "switch: they came to $(t_who "$LAB_DIR/switch.head") byte for byte" \
    t_came switch "$(t_who "$LAB_DIR/switch.head")"
  rig_stop switch
  check "switch: $(rig_words switch); $(api GET /api/v1/status | jq .reasons.no_next_hop) packets met a change and were sent again" \
    test "$(rig_get switch '[.held_at_end, .broken, .failed, (.new > 500)] | tostring')" = '[100,0,0,true]'
}

# tunnels_all BUILD_DIR 4|6 [SOURCE4 SOURCE6]: with prefixes that the outer source addresses come from.
tunnels_all() {
  local i
  T_FAMILY=$2
  T_VIP=$VIP4 T_HOST=$VIP4 T_SOURCES=$LAB_SOURCES4
  [ "$2" = 4 ] || { T_VIP=$VIP6 T_HOST="[$VIP6]" T_SOURCES=$LAB_SOURCES6; }
  LAB_PORTS='81 82 83 84 85'
  lab_up "$1" $T_N
  head -c $T_BYTES /dev/urandom >"$LAB_DIR/load"
  for i in $(seq $T_N); do
    ln -f "$LAB_DIR/load" "$LAB_DIR/b$i/files/big"
    echo ok >"$LAB_DIR/b$i/files/put/health"
    # With prefixes these alone: what came from another address would be refused.
    lab_backend_decap "b$i" ${3:+"$3,$4"} || bail "decap: $(tail -n 1 "$LAB_DIR/decap.log")"
  done
  lab_config "$(t_service l2dsr 80 l2dsr "$T_FAMILY")" "$(t_service ipip4 81 ipip 4)" \
    "$(t_service ipip6 82 ipip 6)" "$(t_service gue4 83 gue 4)" "$(t_service gue6 84 gue 6)" \
    "$(t_mixed mixed 85)"
  [ -z "${3:-}" ] || { jq --arg a "$3" --arg b "$4" '.encapsulation = {source4: $a, source6: $b}' \
    "$LAB_DIR/config.json" >"$LAB_DIR/prefixes" && mv "$LAB_DIR/prefixes" "$LAB_DIR/config.json"; }
  lab_agent_up
  t_one l2dsr 80 - 5000
  t_one ipip4 81 ipip 2500
  t_one ipip6 82 ipip 2500
  t_one gue4 83 gue 2500
  t_one gue6 84 gue 2500
  t_one mixed 85 - 2500
  t_upheaval 85 2500
  t_books
  t_switch 80
  tap_done
}

# What was dropped by anybody: nothing.
t_books() {
  local r i n=0
  r=$(api GET /api/v1/status | jq -c '.reasons | with_entries(select(.value > 0))')
  check "all packets of the services were sent, but those answered with the MTU: $r" \
    test "$(jq '[to_entries[] | select(.key | IN("sent", "no_service", "not_ip", "too_big_told",
      "icmp_other", "l4_other", "fragment") | not) | .value] | add // 0' <<<"$r")" = 0
  for i in $(seq $T_N); do
    n=$((n + $(lab_decap "b$i" '[.counters | to_entries[] | select(.key | IN("other", "ipip", "gue") |
      not) | .value.packets] | add')))
  done
  check "the backends refused $n tunnel packets" test $n = 0
}
