#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh BUILD_DIR [TIER...]: the tests, tier by tier.
#
# One line per file; what failed is shown whole; logs stay in build/test-logs. The last line is
# "N passed, N failed" (and ", N skipped"). Exit status 1 if anything failed, a sanitizer reported
# something, a tier (but vm) had nothing to run or only skips, or something of ours was left behind.
set -u
export LC_ALL=C
tiers='unit model sim fuzz prog oracle api netns vm'
case ${1:---help} in
-*)
  echo "usage: tests/run.sh BUILD_DIR [${tiers// /|}]...   (no tier: all; see tests/README.md)"
  [ "${1:-}" = --help ]
  exit
  ;;
esac
build=$1
shift
cd "$(dirname "$0")/.." || exit 1
[ -d "$build" ] || { echo "no build folder '$build'; run make test"; exit 1; }
logs=build/test-logs
limit_s=${SLUICE_TEST_LIMIT_S:-300}
mkdir -p "$logs"
passed=0 failed=0 skipped=0
# Labs put this into the names of their namespaces and folders.
export SLUICE_LAB_TAG=$$

# Programs of an asan build report into these files: Criterion and the labs hide their stderr.
reports=$PWD/$logs/sanitizer-$$
export ASAN_OPTIONS="log_path='$reports':${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="log_path='$reports':print_stacktrace=1:${UBSAN_OPTIONS:-}"

# What a test may not leave behind. Others' things may come and go: only new ones count.
namespaces() { ip netns list 2>/dev/null | awk '{print $1}' | sort; }
mounts() { awk '$3 == "bpf" {print $2}' /proc/self/mounts | sort; }
pins() { mounts | while read -r m; do find "$m" -mindepth 1 -type d ! -path '*/tc*'; done | sort; }
# Programs of this build folder, and backends of our labs.
processes() {
  local p exe
  for p in /proc/[0-9]*; do
    exe=$(readlink "$p/exe" 2>/dev/null) || continue
    case $exe in
    "$PWD/$build"/* | */nginx | */python3* | */qemu-system-*) ;;
    *) continue ;;
    esac
    tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -e "$PWD/$build/" -e "$PWD/build/vm/" -e '/tmp/sluice-' |
      sed "s|^|${p#/proc/} |"
  done | sort
}
folders() { find /tmp -maxdepth 1 -name 'sluice-*' | sort; }
survey() {
  local what
  for what in namespaces mounts pins processes folders; do $what >"$logs/$1.$what"; done
}

# left_behind: prints what is new since the first survey; true if that is anything of ours.
left_behind() {
  local what new ours=1
  survey after
  for what in namespaces mounts pins processes folders; do
    new=$(comm -13 "$logs/before.$what" "$logs/after.$what")
    [ -n "$new" ] || continue
    if [ -n "${SLUICE_TEST_SHARED:-}" ] && ! grep -q -e "sluice-$SLUICE_LAB_TAG-" <<<"$new"; then
      continue # a machine where others test at the same time
    fi
    echo "left behind, $what:"
    echo "$new"
    ours=0
  done
  return $ours
}

# Counts of one log go to p, f and s.
count_criterion() {
  local line
  line=$(sed 's/\x1b\[[0-9;]*m//g' "$1" | grep -o 'Tested: .*' | tail -n 1)
  p=$(sed -n 's/.*Passing: \([0-9]*\).*/\1/p' <<<"$line")
  f=$(sed -n 's/.*Failing: \([0-9]*\).*/\1/p' <<<"$line")
  # Crashed ones are among the failing.
  p=${p:-0} f=${f:-0} s=0
}

count_lines() {
  p=$(grep -c '^ok\b' "$1")
  f=$(grep -c '^not ok\b' "$1")
  s=$(grep -c '^skip\b' "$1")
}

# Moves sanitizer reports to a log; prints what they found, each kind once.
sanitizer_finds() {
  cat "$reports".* >>"$1" 2>/dev/null && rm -f "$reports".*
  sed -E 's/^.*==[0-9]+==//' "$1" | sort -u | grep -E \
    'ERROR: [A-Za-z]+Sanitizer|Sanitizer has encountered a fatal error|runtime error:'
}

# one TIER FILE COUNTER COMMAND...
one() {
  local tier=$1 name counter=$3 log start status p f s find verdict=ok
  name=$(basename "$2")
  log=$logs/$tier.$name.log
  shift 3
  start=${EPOCHREALTIME/./}
  # A test that hangs is asked to end, so that its clean-up runs, and killed only then.
  timeout -k 20 "$limit_s" "$@" >"$log" 2>&1 </dev/null
  status=$?
  $counter "$log"
  if [ $status != 0 ] && [ "$f" = 0 ]; then
    f=1
    echo "not ok - exit status $status without a failed check" >>"$log"
  elif [ $((p + f + s)) = 0 ]; then
    f=1
    echo "not ok - nothing was tested" >>"$log"
  fi
  while read -r find; do
    f=$((f + 1))
    echo "not ok - sanitizer: $find" >>"$log"
  done < <(sanitizer_finds "$log")
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  ran=$((ran + p + f))
  [ "$f" = 0 ] || verdict=FAILED
  [ "$p$f" != 00 ] || verdict=skipped
  printf '%-6s %-24s %4d passed %3d failed %7.1f s  %s\n' "$tier" "$name" "$p" "$f" \
    "$(awk -v a="$start" -v b="${EPOCHREALTIME/./}" 'BEGIN {print (b - a) / 1e6}')" "$verdict"
  [ "$s" = 0 ] || sed -n 's/^skip\b/       skipped/p' "$log"
  [ "$f" = 0 ] || sed 's/^/    | /' "$log"
}

# Only what has a source: a program of a deleted test may still lie in the build folder.
tier() {
  local t=$1 src bin
  ran=0
  case $t in
  unit)
    for src in tests/unit/test_*.c; do
      bin=$build/${src%.c}
      # In a network of its own: next hops and probes must not meet the machine's.
      [ ! -e "$src" ] || one unit "$bin" count_criterion unshare -n sh -c \
        'ip link set lo up && exec "$0"' "$bin"
    done
    ;;
  sim)
    for src in tests/kern_host/test_*.c; do
      [ ! -e "$src" ] || one sim "$src" count_lines "$build/${src%.c}"
    done
    ;;
  prog)
    for src in tests/prog/test_*.c; do
      bin=$build/${src%.c}
      [ ! -e "$src" ] || one prog "$bin" count_lines "$bin"
    done
    ;;
  model)
    src=tests/model/run.sh
    [ ! -e "$src" ] || one model "$src" count_lines bash "$src"
    ;;
  fuzz)
    src=tests/fuzz/run.sh
    [ ! -e "$src" ] || one fuzz "$src" count_lines bash "$src" 3
    ;;
  oracle)
    src=tests/oracle/fuzz_packets.c
    [ ! -e "$src" ] || one oracle "$src" count_lines "$build/${src%.c}" 1000000
    ;;
  api | netns)
    for src in tests/"$t"/*.sh; do
      [ ! -e "$src" ] || one "$t" "$src" count_lines bash "$src" "$build"
    done
    ;;
  vm)
    for src in tests/vm/test_*.sh; do
      [ -e "$src" ] || continue
      one vm "$src" count_lines bash "$src" "$build"
      ran=1 # where its kernel cannot be had, a skip with the cause will do
    done
    ;;
  *)
    echo "no tier '$t'; there are $tiers"
    failed=$((failed + 1)) ran=1
    ;;
  esac
  if [ $ran = 0 ]; then
    echo "tier $t: nothing ran"
    failed=$((failed + 1))
  fi
}

# shellcheck disable=SC2086 # a list of words
[ $# != 0 ] || set -- $tiers
survey before
for t in "$@"; do tier "$t"; done
if left_behind; then failed=$((failed + 1)); fi
words="$passed passed, $failed failed"
[ "$skipped" = 0 ] || words="$words, $skipped skipped"
echo "$words"
[ "$failed" = 0 ]
