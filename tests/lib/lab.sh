# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# lab: a client, a balancer and backends in network namespaces of their own. Sourced.
#
#   client c0 ---- lb-c  lb  lb-b1 ---- b0  b1      client 10.71.0.2   fd71::2
#                            lb-b2 ---- b0  b2      lb     10.71.N.1   fd71:0:0:N::1
#                            ...                    bN     10.71.N.2   fd71:0:0:N::2
#
# The client reaches the service addresses through lb. Backends have them on lo and answer the
# client directly: their answers pass lb as plain routed packets, which Sluice must leave alone.
# Namespaces carry the id of the run; devices have plain names, for each namespace has its own.
# Every process, mount and folder is noted in $LAB_DIR, so that lab_down removes all of it.

LC_ALL=C
LAB_REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/lib/tap.sh
. "$LAB_REPO/tests/lib/tap.sh"

LAB_ID=sluice-${SLUICE_LAB_TAG:-0}-$$
LAB_DIR=/tmp/$LAB_ID
LAB_SOCK=$LAB_DIR/api.sock
VIP4=${LAB_VIP4:-10.71.100.1}
VIP6=fd71:0:0:100::1
LAB_N=0
LAB_SOURCES4=10.71.0.11,10.71.0.12,10.71.0.13,10.71.0.14
LAB_SOURCES6=fd71::11,fd71::12,fd71::13,fd71::14

lab_addr4() { echo "10.71.$1.2"; }
lab_addr6() { echo "fd71:0:0:$1::2"; }

# in_ns NAME COMMAND...: not `ip netns exec`, which hides bpffs behind a sysfs mount of its own.
in_ns() {
  local ns=$1
  shift
  nsenter --net="/run/netns/$LAB_ID-$ns" "$@"
}

# ---- processes ----------------------------------------------------------------

# A pid alone may be another process by the time of the clean-up: its start time goes with it.
lab_note_pid() { echo "$1 $(awk '{print $22}' "/proc/$1/stat" 2>/dev/null)" >>"$LAB_DIR/pids"; }

# lab_spawn LOG NS COMMAND...: in the background; LAB_PID is its process.
lab_spawn() {
  local log=$1 ns=$2
  shift 2
  setsid nsenter --net="/run/netns/$LAB_ID-$ns" "$@" >>"$log" 2>&1 </dev/null &
  LAB_PID=$!
  lab_note_pid $LAB_PID
}

lab_alive() { [ -d "/proc/$1" ] && [ "$(awk '{print $3}' "/proc/$1/stat" 2>/dev/null)" != Z ]; }
lab_dead() { ! lab_alive "$1"; }

# lab_stop PID [SIGNAL]: until it is gone; after 5 s with SIGKILL.
lab_stop() {
  kill -s "${2:-TERM}" "$1" 2>/dev/null
  wait_until 5 lab_dead "$1" || { kill -s KILL "$1" 2>/dev/null; wait_until 2 lab_dead "$1"; }
}

# ---- network ------------------------------------------------------------------

# lab_link NS DEV PEER-NS PEER-DEV: a cable with honest checksums, both ends up.
lab_link() {
  ip link add "$2" netns "$LAB_ID-$1" type veth peer name "$4" netns "$LAB_ID-$3" || return 1
  local ns dev
  for ns in "$1 $2" "$3 $4"; do
    dev=${ns#* } ns=${ns% *}
    in_ns "$ns" ethtool -K "$dev" tx off rx off >/dev/null || return 1
    ip -n "$LAB_ID-$ns" link set "$dev" up || return 1
  done
}

lab_sysctl() { in_ns "$1" sysctl -qw "${@:2}"; }

lab_address() { # NS DEV ADDRESS...
  local ns=$1 dev=$2 a
  shift 2
  for a in "$@"; do
    case $a in
    *:*) ip -n "$LAB_ID-$ns" addr add "$a" dev "$dev" nodad || return 1 ;;
    *) ip -n "$LAB_ID-$ns" addr add "$a" dev "$dev" || return 1 ;;
    esac
  done
}

lab_ns() {
  ip netns add "$LAB_ID-$1" || return 1
  lab_sysctl "$1" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
    net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
    net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0 || return 1
  ip -n "$LAB_ID-$1" link set lo up
}

# By bpftool: ip would mount a bpffs of its own over /sys/fs/bpf and leave it there.
lab_pass() { in_ns "$1" bpftool net attach xdpdrv pinned "$LAB_BPF/pass" dev "$2"; }

# lab_backend_net N: cable, addresses, routes, service addresses, pass stub.
lab_backend_net() {
  local i=$1 b=b$1 ns=$LAB_ID-b$1
  lab_ns "$b" && lab_link lb "lb-b$i" "$b" b0 || return 1
  lab_address lb "lb-b$i" "10.71.$i.1/24" "fd71:0:0:$i::1/64" || return 1
  lab_address "$b" b0 "$(lab_addr4 "$i")/24" "$(lab_addr6 "$i")/64" || return 1
  ip -n "$ns" route add default via "10.71.$i.1" || return 1
  ip -n "$ns" -6 route add default via "fd71:0:0:$i::1" || return 1
  in_ns "$b" "$LAB_REPO/deploy/sluice-backend" add "$VIP4" >>"$LAB_DIR/backend.log" || return 1
  in_ns "$b" "$LAB_REPO/deploy/sluice-backend" add "$VIP6" >>"$LAB_DIR/backend.log" || return 1
  lab_pass "$b" b0
}

lab_client_net() {
  local s
  lab_ns lb && lab_ns client && lab_link lb lb-c client c0 || return 1
  lab_sysctl lb net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
    net.ipv4.conf.all.send_redirects=0 || return 1
  lab_address lb lb-c 10.71.0.1/24 fd71::1/64 || return 1
  lab_address client c0 10.71.0.2/24 fd71::2/64 || return 1
  for s in ${LAB_SOURCES4//,/ }; do lab_address client c0 "$s/24" || return 1; done
  for s in ${LAB_SOURCES6//,/ }; do lab_address client c0 "$s/64" || return 1; done
  ip -n "$LAB_ID-client" route add default via 10.71.0.1 || return 1
  ip -n "$LAB_ID-client" -6 route add default via fd71::1 || return 1
  lab_pass client c0
}

# Pins need a bpffs; one of our own is taken away again.
lab_bpffs() {
  if [ "$(stat -f -c %T /sys/fs/bpf 2>/dev/null)" = bpf_fs ]; then
    LAB_BPF=/sys/fs/bpf/$LAB_ID
    mkdir "$LAB_BPF" || return 1
  else
    LAB_BPF=$LAB_DIR/bpf
    mkdir -p "$LAB_BPF" && mount -t bpf bpf "$LAB_BPF" || return 1
  fi
  LAB_PINS=$LAB_BPF/sluice
  bpftool prog load "$LAB_DIR/xdp_pass.o" "$LAB_BPF/pass" type xdp
}

# lab_up BUILD_DIR [BACKENDS]: all but the agent. Exits when it cannot.
lab_up() {
  LAB_BUILD=$(cd "$1" 2>/dev/null && pwd) || bail "lab: no build folder '$1'; run make first"
  LAB_N=${2:-3}
  [ "$(id -u)" = 0 ] || bail "lab: network namespaces need root"
  trap lab_down EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mkdir -m 0700 "$LAB_DIR" || bail "lab: $LAB_DIR exists"
  : >"$LAB_DIR/pids"
  clang -O2 -g -target bpf -mcpu=v3 -Wall -Werror "-I/usr/include/$(gcc -print-multiarch)" \
    -c "$LAB_REPO/tests/lib/xdp_pass.bpf.c" -o "$LAB_DIR/xdp_pass.o" || bail "lab: pass stub"
  lab_bpffs || bail "lab: cannot mount a bpf file system (CAP_SYS_ADMIN is needed)"
  lab_client_net || bail "lab: client network"
  local i
  for i in $(seq "$LAB_N"); do
    lab_backend_net "$i" || bail "lab: network of backend $i"
    lab_nginx_start "$i" || bail "lab: nginx of backend $i: $(tail -1 "$LAB_DIR/b$i/log")"
  done
}

# lab_down: everything away again. LAB_KEEP=1 leaves it.
lab_down() {
  local status=$? pid start signal i ns
  trap - EXIT INT TERM
  [ -d "$LAB_DIR" ] || exit $status
  [ "${LAB_KEEP:-0}" = 0 ] || exit $status
  if [ "$status" != 0 ] || [ "$TAP_BAD" != 0 ]; then lab_save_logs; fi
  while read -r pid start; do
    [ "$(awk '{print $22}' "/proc/$pid/stat" 2>/dev/null)" = "$start" ] || continue
    # An agent of an asan build reports what it leaked when it ends by itself.
    signal=KILL
    [ "$pid" != "${LAB_AGENT:-}" ] || signal=TERM
    lab_stop "$pid" $signal
  done <"$LAB_DIR/pids" 2>/dev/null
  # The pins hold the links: without them the program leaves the device, even before that goes.
  [ -z "${LAB_BPF:-}" ] || rm -rf "${LAB_BPF:?}"/* 2>/dev/null
  for ns in $(ip netns list | awk '{print $1}' | grep "^$LAB_ID-"); do ip netns del "$ns"; done
  for i in 1 2 3 4 5; do
    mountpoint -q "$LAB_DIR/bpf" || break
    umount "$LAB_DIR/bpf" 2>/dev/null || sleep 0.2
  done
  # Somebody sits in it: out of the way now, away when they leave.
  ! mountpoint -q "$LAB_DIR/bpf" || umount -l "$LAB_DIR/bpf"
  rmdir "/sys/fs/bpf/$LAB_ID" 2>/dev/null
  rm -rf "$LAB_DIR"
  exit $status
}

lab_save_logs() {
  local d
  [ -d "$LAB_DIR" ] && [ -z "${LAB_SAVED:-}" ] || return
  LAB_SAVED=1
  d=$LAB_REPO/build/test-logs/$(basename "$0" .sh).files
  rm -rf "$d" && mkdir -p "$d" || return
  cp "$LAB_DIR"/*.log "$LAB_DIR"/*.json "$d" 2>/dev/null
  echo "# logs of the lab: $d"
  tail -n 12 "$LAB_DIR/sluiced.log" 2>/dev/null | sed 's/^/# sluiced: /'
}

# ---- backends -----------------------------------------------------------------

lab_nginx_conf() { # N
  cat <<CONF
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
worker_rlimit_nofile 20000;
events { worker_connections 16000; }
http {
  access_log off;
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
  uwsgi_temp_path tmp; scgi_temp_path tmp;
  default_type text/plain;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  server {
    listen 0.0.0.0:80 backlog=4096;
    listen [::]:80 ipv6only=on backlog=4096;
$(for p in ${LAB_PORTS:-}; do
    echo "    listen 0.0.0.0:$p backlog=4096; listen [::]:$p ipv6only=on backlog=4096;"
  done)
    root files;
    client_max_body_size 0;
    add_header X-Backend b$1 always;
    add_header X-Seq "\$arg_n" always;
    location / { return 200 "b$1\n"; }
    location = /big { limit_rate \$arg_rate; }
    location /put/ { dav_methods PUT; }
  }
}
CONF
}

# lab_nginx_start N: one process, as few as nginx can be. /big is 20 MiB, ?rate=2m limits it; what is
# PUT below /put/ lies in $LAB_DIR/bN/files/put. It listens on $LAB_PORTS, too.
lab_nginx_start() {
  local d=$LAB_DIR/b$1
  mkdir -p "$d/tmp" "$d/files/put" || return 1
  [ -f "$d/files/big" ] || truncate -s 20M "$d/files/big"
  lab_nginx_conf "$1" >"$d/nginx.conf"
  lab_spawn "$d/log" "b$1" nginx -p "$d/" -c "$d/nginx.conf" -e stderr
  echo "$LAB_PID" >"$d/running"
  disown "$LAB_PID"
  wait_until 5 in_ns "b$1" curl -s -o /dev/null "http://$(lab_addr4 "$1")/"
}

# lab_backend_decap bN [CIDR,...] [FLAG...]: its b0 takes tunnels of the balancer apart, or of those
# told, instead of only running the pass stub. Again: replaced in place. Counters: lab_decap.
lab_backend_decap() {
  local name=$1 i=${1#b} from=${2:-10.71.${1#b}.1,fd71:0:0:${1#b}::1}
  shift
  [ $# = 0 ] || shift
  [ -e "$LAB_BPF/decap-$i/b0" ] || in_ns "$name" bpftool net detach xdpdrv dev b0 || return 1
  in_ns "$name" "$LAB_BUILD/sluicectl" decap b0 --from "$from" "$@" --pin-dir "$LAB_BPF/decap-$i" \
    >>"$LAB_DIR/decap.log" 2>&1
}

# lab_backend_plain bN: as lab_backend_net left it.
lab_backend_plain() {
  in_ns "$1" "$LAB_BUILD/sluicectl" decap b0 --off --pin-dir "$LAB_BPF/decap-${1#b}" \
    >>"$LAB_DIR/decap.log" 2>&1 && lab_pass "$1" b0
}

# lab_decap bN [JQ]: what the program of a backend says of itself: lab_decap b1 .counters.gue.packets
lab_decap() {
  in_ns "$1" "$LAB_BUILD/sluicectl" decap b0 -o json --pin-dir "$LAB_BPF/decap-${1#b}" | jq -r "${2:-.}"
}

# lab_nginx_stop N [SIGNAL]: KILL closes all its connections at once, like a crash.
lab_nginx_stop() { lab_stop "$(cat "$LAB_DIR/b$1/running")" "${2:-KILL}"; }

# ---- the agent ----------------------------------------------------------------

# lab_service NAME VIP PORT PROTOCOL BACKENDS [JQ]: a declared service; JQ changes it further.
lab_service() {
  local i n=$5 list=''
  for i in $(seq "$n"); do
    case $2 in
    *:*) list="$list $(lab_addr6 "$i")" ;;
    *) list="$list $(lab_addr4 "$i")" ;;
    esac
  done
  # shellcheck disable=SC2086 # a list of words
  jq -n --arg name "$1" --arg vip "$2" --argjson port "$3" --arg proto "$4" '
    {name: $name, address: $vip, port: $port, protocol: $proto, forwarding: {mode: "l2dsr"},
     table: {size: 16381}, idle_timeout: "300s", drain_timeout: "300s",
     health_check: {type: "http", path: "/", port: 80, expected_status: "200", interval: "300ms",
                    timeout: "250ms", rise: 2, fall: 3},
     backends: [$ARGS.positional | to_entries[]
                | {name: "b\(.key + 1)", address: .value, weight: 100}]}
    | '"${6:-.}" --args $list
}

# lab_config SERVICE...: the configuration document for --config.
lab_config() {
  printf '%s\n' "$@" | jq -s '{revision: 1, interfaces: [{name: "lb-c", mode: "native"}],
    services: .}' >"$LAB_DIR/config.json"
}

# Starts the agent and waits until it answers.
lab_agent_start() {
  [ -x "$LAB_BUILD/sluiced" ] || bail "no $LAB_BUILD/sluiced; run make all"
  lab_spawn "$LAB_DIR/sluiced.log" lb "$LAB_BUILD/sluiced" --config "$LAB_DIR/config.json" \
    --state "$LAB_DIR/state.json" --socket "$LAB_SOCK" --pin-dir "$LAB_PINS" --log-level info
  LAB_AGENT=$LAB_PID
  disown "$LAB_AGENT"
  wait_until 10 lab_agent_settled && lab_alive "$LAB_AGENT"
}

# It answers, or it has given up.
lab_agent_settled() { lab_dead "$LAB_AGENT" || api GET /livez; }

lab_agent_stop() { lab_stop "$LAB_AGENT" "${1:-TERM}"; }

# api METHOD PATH [JSON [CONTENT-TYPE]]: the body; success on 2xx; the status is in $LAB_DIR/code.
api() {
  local body=$LAB_DIR/body.$BASHPID code=0 data=()
  [ $# -lt 3 ] || data=(-H "Content-Type: ${4:-application/json}" --data-binary "$3")
  code=$(curl -sS --max-time 10 --unix-socket "$LAB_SOCK" -X "$1" "${data[@]}" -o "$body" \
    -w '%{http_code}' "http://localhost$2" 2>>"$LAB_DIR/curl.log")
  echo "$code" >"$LAB_DIR/code"
  cat "$body" 2>/dev/null
  rm -f "$body"
  [ "${code:0:1}" = 2 ]
}

lab_code() { cat "$LAB_DIR/code"; }

# lab_backend SERVICE BACKEND JQ: one value of a backend, its status included.
lab_backend() { api GET "/api/v1/services/$1/backends/$2" | jq -r "$3"; }
lab_backend_is() { [ "$(lab_backend "$1" "$2" .status.state)" = "$3" ]; }

lab_all_up() {
  [ "$(api GET /api/v1/status | jq '[.services[] | .status.available == .status.total] | all')" \
    = true ]
}

# lab_agent_up: configuration to forwarding, or the scenario ends here.
lab_agent_up() {
  lab_agent_start || bail "sluiced does not answer: $(tail -n 3 "$LAB_DIR/sluiced.log" | tr '\n' ' ')"
  wait_until 15 lab_all_up || bail "not all backends came up: $(api GET /api/v1/status |
    jq -c '[.services[] | .name as $s | .backends[] | "\($s)/\(.name) \(.status.message)"]')"
}

# ---- load ---------------------------------------------------------------------

# rig_start NAME ARGUMENT...: in the client's namespace; returns when all connections are held.
rig_start() {
  local name=$1 f=$LAB_DIR/rig-$1
  shift
  [ -x "$LAB_BUILD/tests/netns/rig" ] || bail "no $LAB_BUILD/tests/netns/rig; run make test"
  rm -f "$f.ready"
  # Not in_ns: signals and exit status must be the rig's own, not a subshell's.
  nsenter --net="/run/netns/$LAB_ID-client" "$LAB_BUILD/tests/netns/rig" --json --ready "$f.ready" --log "$f.log" "$@" \
    >"$f.json" 2>"$f.err.log" </dev/null &
  eval "RIG_$name=$!"
  lab_note_pid $!
  wait_until 30 test -e "$f.ready" || not_ok "rig $name is not ready: $(tail -n 1 "$f.err.log")"
}

# rig_wait NAME: until it is through; its exit status. rig_stop asks it to end now.
rig_wait() {
  local p=RIG_$1
  wait "${!p}"
}

rig_stop() {
  local p=RIG_$1
  kill -s TERM "${!p}" 2>/dev/null
  rig_wait "$1"
}

rig_get() { jq -r "$2" "$LAB_DIR/rig-$1.json"; }
rig_words() { rig_get "$1" '"held \(.held), new \(.new), broken \(.broken), failed \(.failed), gone \(.gone), \(.requests) requests"'; }
