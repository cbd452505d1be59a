# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# ctl: sluicectl against a stub of the API on a Unix socket. Sourced, with the build folder as $1.
#
# The stub (ctl_stub.py) answers from files that each test writes ("can"), one after the other where
# there are several for the same request, and notes what it was asked. Asserted are stdout, stderr,
# the exit code and the requests. No -e: a command's exit code is what most tests are about.
set -u
LC_ALL=C.UTF-8
export LC_ALL
unset SLUICE_SERVER NO_COLOR

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/lib/tap.sh
. "$repo/tests/lib/tap.sh"
ctl=$(cd "${1:?usage: $0 BUILD_DIR}" && pwd)/sluicectl
[ -x "$ctl" ] || bail "$ctl is not built"
dir=$(mktemp -d "/tmp/sluice-${SLUICE_LAB_TAG:-0}-$$-ctl.XXXXXX")
sock=$dir/api.sock
stub_pid=''
mkdir "$dir/can"

cleanup() {
  stub_stop
  rm -rf "$dir"
}
trap cleanup EXIT

# ---- the stub ------------------------------------------------------------------

stub_start() {
  rm -f "$sock"
  python3 "$repo/tests/lib/ctl_stub.py" "$dir" "$sock" &
  stub_pid=$!
  wait_until 10 test -S "$sock" || bail "the stub does not start"
}

stub_stop() {
  [ -n "$stub_pid" ] || return 0
  kill "$stub_pid" 2>/dev/null
  wait "$stub_pid" 2>/dev/null
  stub_pid=''
}

# can METHOD PATH [STATUS [TYPE]]: the next answer to that request is standard input.
can() {
  { echo "${3:-200} ${4:-application/json}"; cat; } >"$dir/can/$1 ${2//\//\~} #${EPOCHREALTIME/[.,]/}"
}

fresh() { rm -rf "$dir/can" "$dir/log"; mkdir -p "$dir/can"; : >"$dir/log"; }

# run ARGUMENT...: sluicectl; leaves $out, $err (without the last newline) and $rc.
# shellcheck disable=SC2034 # used by those who source this
run() {
  "$ctl" -s "unix:$sock" "$@" >"$dir/out" 2>"$dir/err" </dev/null
  rc=$?
  out=$(<"$dir/out")
  err=$(<"$dir/err")
}

# is TEXT GOT WANT
is() {
  if [ "$2" = "$3" ]; then ok "$1"; else
    not_ok "$1"
    printf '#  got: %s\n# want: %s\n' "${2//$'\n'/$'\n#       '}" "${3//$'\n'/$'\n#       '}"
  fi
}

# has TEXT GOT PART
has() {
  if [[ $2 == *"$3"* ]]; then ok "$1"; else
    not_ok "$1"
    printf '#  got: %s\n# want in it: %s\n' "${2//$'\n'/$'\n#       '}" "$3"
  fi
}

# code TEXT WANT: of the last run, which must have ended by itself
code() { is "$1: exit code" "$rc" "$2"; }

# ---- canned objects --------------------------------------------------------------

# backend NAME ADDRESS ADMIN STATE [EXTRA-MEMBERS [EXTRA-STATUS]]
backend() {
  cat <<E
{"name":"$1","address":"$2","port":443,"weight":100,"admin_state":"$3"${5:+,$5},
 "status":{"health":"up","state":"$4","state_reason":"","message":"","since":"@T-130@",
  "takes_new_flows":true,"table_slots":4096,
  "check":{"last_at":"@T-1@","duration_ms":1,"status":"L4OK","code":0,"checks":77,"failures":2},
  "flows":{"active":null,"estimated":true,"as_of":null,"at_start":null},
  "counters":{"packets":1200000,"bytes":9007199254740993,"flows":412},
  "forwarding":{"mode":"l2dsr"},
  "next_hop":{"resolved":true,"interface":"eth0","mac":"52:54:00:00:00:01"}${6:+,$6}}}
E
}

# draining AT_START ACTIVE SECONDS_LEFT THEN [COMPLETE BY_DEADLINE]
draining() {
  backend web-2 10.0.0.12 drain draining \
    "\"reason\":\"kernel upgrade\",\"drain\":{\"since\":\"@T-10@\",\"deadline\":$3,\"then\":\"$4\"}" \
    "\"flows\":{\"active\":$2,\"estimated\":true,\"as_of\":\"@T-1@\",\"at_start\":$1},
     \"drain\":{\"complete\":${5:-false},\"by_deadline\":${6:-false}}" |
    sed 's/"flows":{"active":null[^}]*},//' # the canned "not counted" gives way
}

down() {
  backend web-3 10.0.0.13 ready down |
    sed 's/"health":"up"/"health":"down"/; s/"L4OK"/"L4CON"/; s/"message":""/"message":"connection refused"/
         s/@T-130@/@T-12@/; s/"takes_new_flows":true/"takes_new_flows":false/'
}

# service NAME VIP AVAILABLE TOTAL STATE BACKENDS
service() {
  cat <<E
{"name":"$1","description":"","address":"$2","port":443,"protocol":"tcp",
 "forwarding":{"mode":"l2dsr","gue_port":6080,"oversize":"drop"},"table":{"size":16381},"udp_flows":"flow","fragments":"drop","on_down":"reschedule",
 "idle_timeout":"300s","drain_timeout":"300s",
 "health_check":{"type":"http","port":8080,"path":"/healthz","host":"","expected_status":"200-399",
  "interval":"2s","timeout":"1s","rise":2,"fall":3},
 "status":{"state":"$5","total":$4,"available":$3,"slots_in_transition":0,
  "counters":{"packets":1234567,"bytes":8900000000,"flows":9999,"dropped":0}},
 "backends":[$6]}
E
}

# status SERVICES [ATTACHED [SLOT_EMPTY]]
status() {
  cat <<E
{"version":"0.1.0","revision":12,"read_only":null,
 "interfaces":[{"name":"eth0","mode":"native","attached":${2:-true},"ifindex":2}],
 "services":[$1],"reasons":{"sent":5,"not_ip":7,"slot_empty":${3:-0}},
 "exceptions":{"lookups":1,"hits":1,"inserts":0}}
E
}

# shellcheck disable=SC2034 # used by those who source this
api=/api/v1 b2=/api/v1/services/web/backends/web-2

ctl_done() {
  echo "$TAP_OK passed, $TAP_BAD failed"
  [ "$TAP_BAD" = 0 ]
}

stub_start
fresh
