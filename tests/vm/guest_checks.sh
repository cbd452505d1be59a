#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# guest_checks.sh REPO BUILD_DIR PART [SCENARIO...]: runs in the guest, in the host's file system. Loads
# the program, runs the prog tests or the scenarios (prog, traffic), then reads the kernel's messages.
set -u
cd "${1:?repository}" || exit 1
build=${2:?build folder}
part=${3:?prog or traffic}
shift 3
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
control='WARNING: control of the splat check, nothing is wrong'
kernel=$(uname -r)
mkdir -p /tmp/vm

# relay NAME STATUS LOG: a program's own lines under its name, at once: a guest that is ended has said
# how far it came. Its failures are ours, counted at the end.
relay() {
  local n bad
  n=$(grep -c '^ok\b' "$3")
  bad=$(grep -c '^not ok\b' "$3")
  if [ "$2" != 0 ] && [ "$bad" = 0 ]; then
    echo "not ok - exit status $2 without a failed check: $(tail -n 1 "$3")" >>"$3"
  elif [ $((n + bad)) = 0 ]; then
    echo "not ok - nothing was tested: $(tail -n 1 "$3")" >>"$3"
  fi
  flock /tmp/vm/lock sed -nE "s/^(ok|not ok|skip) - /\1 - $1: /p; /^#/p" "$3"
}

splats() {
  dmesg | grep -E '(^|\] )(BUG:|WARNING:|Oops|general protection|INFO: task .* blocked|.*rcu.*(stall|self-detected)|.*soft lockup|refcount_t:|UBSAN:|=+\[ cut here)'
}

said=$("$build/sluiced" --check 2>&1)
loads=$?
check "sluiced --check on Linux $kernel: $said" test $loads = 0

scenarios=(tests/vm/guest_forward.sh tests/vm/guest_vlan.sh tests/vm/guest_tunnels.sh)
# Not seen to pass yet: only where SLUICE_VM_ONLY names them.
[ -z "${SLUICE_VM_ONLY:-}" ] || scenarios+=(tests/vm/guest_modes.sh tests/vm/guest_tags.sh)
for s in "$@"; do scenarios+=("tests/netns/$s.sh"); done
programs=(tests/prog/test_*.c)
if [ "$part" = prog ]; then scenarios=(); else programs=(); fi
# Refused: any of them shows the verifier's log, and more of the same says nothing.
[ $loads = 0 ] || programs=(tests/prog/test_combinations.c) scenarios=()
# only NAME...: of what was found, for who looks into one of them
only() {
  local f name
  for f in "$@"; do
    name=$(basename "${f%.*}")
    [[ -z ${SLUICE_VM_ONLY:-} || " $SLUICE_VM_ONLY " == *" $name "* ]] && echo "$f"
  done
}
# shellcheck disable=SC2207 # words; there is no /dev/fd here
programs=($(only "${programs[@]}")) scenarios=($(only "${scenarios[@]}"))

# run CPU SOURCE COMMAND...: unless the other worker has it already.
run() {
  local cpu=$1 name start status
  name=$(basename "${2%.*}")
  shift 2
  mkdir "/tmp/vm/$name.claim" 2>/dev/null || return
  start=$(now_ms)
  case $name in # hundreds of rows, each comparing all memory: here, of every 16th alone
  test_forward | test_walk | test_icmp) set -- env SLUICE_RIG_EVERY=16 "$@" ;;
  esac
  timeout -k 10 240 taskset -c "$cpu" "$@" >"/tmp/vm/$name.log" 2>&1 </dev/null
  status=$?
  echo "# ${name#guest_}: $(($(now_ms) - start)) ms" >>"/tmp/vm/$name.log"
  relay "${name#guest_}" "$status" "/tmp/vm/$name.log"
}

# One worker a CPU: emulation is slow. They begin at different ends and help each other out.
run_scenarios() {
  local s
  for s in "${scenarios[@]}"; do run "$1" "$s" bash "$s" "$build"; done
}
worker() {
  local source
  [ "$1" = 0 ] || run_scenarios "$1"
  for source in "${programs[@]}"; do run "$1" "$source" "$build/${source%.c}"; done
  [ "$1" = 1 ] || run_scenarios "$1"
}
worker 1 &
worker 0
wait
for source in "${programs[@]}" "${scenarios[@]}"; do
  name=$(basename "${source%.*}")
  TAP_OK=$((TAP_OK + $(grep -c '^ok\b' "/tmp/vm/$name.log")))
  TAP_BAD=$((TAP_BAD + $(grep -c '^not ok\b' "/tmp/vm/$name.log")))
done

found=$(splats)
if [ -z "$found" ]; then
  ok "the kernel has nothing to complain of in $(dmesg | wc -l) messages"
else
  not_ok "the kernel complains: $(head -n 1 <<<"$found")"
  dmesg | grep -B 2 -A 40 -F "$(head -n 1 <<<"$found")" | sed 's/^/# /'
fi
echo "<4>$control" >/dev/kmsg
check "a complaint of our own making is seen" test "$(splats | grep -cF "$control")" = 1
tap_done
