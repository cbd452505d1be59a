#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh [--whole]: checks slots.pml in every interleaving, then that each rule left out is found.
# Without --whole, in the size of a test tier: nobody drains. Prints "ok - " lines; all else is in build/model.
set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 1
model=$PWD/tests/model/slots.pml build=$PWD/build/model
whole=
[ "${1:-}" != --whole ] || whole=1
command -v spin >/dev/null || { echo 'not ok - spin is missing: make deps'; exit 1; }
mkdir -p "$build"

# verifier NAME CFLAGS SWITCH...: builds build/model/NAME/pan.
verifier() {
  local dir=$build/$1 cflags=$2
  shift 2
  rm -rf "$dir"
  mkdir -p "$dir"
  # shellcheck disable=SC2086 # a list of words
  (cd "$dir" && cp "$model" . && spin -a "$@" slots.pml >spin.log 2>&1 &&
    gcc -w -DSAFETY -DNOBOUNDCHECK -DVECTORSZ=256 -DMEMLIM=4000 $cflags -o pan pan.c >gcc.log 2>&1)
}

# found NAME WORD: a number of pan's report.
states() { sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$build/$1/out"; }
depth() { sed -n 's/.*depth reached \([0-9]*\),.*/\1/p' "$build/$1/out" | tail -n 1; }
memory() { sed -n 's/^ *\([0-9.]*\)\ttotal actual memory usage.*/\1/p' "$build/$1/out"; }
clean() { grep -q 'errors: 0$' "$build/$1/out" && ! grep -qE 'max search depth|memory limit|interrupted' "$build/$1/out"; }

# how_found NAME: what went wrong, and how to see the way there.
how_found() {
  grep -E 'violated|max search|memory limit|rror:' "$build/$1/out" | head -n 3 | sed 's/^/# /'
  echo "# the way there: cd build/model/$1 && ./pan -r -n | tail, or with the switches: spin -t -p -g slots.pml"
}

# all NAME SWITCH...: every state, by 64-bit hashes of states (hash compaction)
all() {
  local name=$1
  shift
  if ! verifier "$name" '-O3 -march=native -DHC4' "$@"; then
    echo "not ok - $name: the model does not compile (build/model/$name)"
    return 1
  fi
  (cd "$build/$name" && ./pan -m4000000 -w26 >out 2>&1)
  if clean "$name"; then
    echo "ok - every interleaving, ${*:-all of it}: $(states "$name") states, $(depth "$name") deep, 0 errors, $(memory "$name") MB"
  else
    how_found "$name"
    echo "not ok - every interleaving, ${*:-all of it}"
    return 1
  fi
}

# some NAME SECONDS SWITCH...: as many states as come by in that time, by bits (supertrace)
some() {
  local name=$1 seconds=$2
  shift 2
  verifier "$name" '-O3 -march=native -DBITSTATE' "$@" || return 1
  (cd "$build/$name" && timeout -s INT "$seconds" ./pan -m2000000 -w32 >out 2>&1)
  if grep -q 'errors: 0$' "$build/$name/out"; then
    echo "ok - not all, $*: $(states "$name") states in $seconds s, 0 errors"
  else
    how_found "$name"
    echo "not ok - not all, $*"
    return 1
  fi
}

# control WHAT SWITCH...: an error must be found
control() {
  local what=$1 name
  shift
  name=control${1//[^A-Z0-9_]/_}
  if verifier "$name" '-O1 -DHC4' "$@" && (cd "$build/$name" && timeout 200 ./pan -m3000000 -w24 >out 2>&1
    [ -e slots.pml.trail ]); then
    echo "ok - control: $what: an error after $(states "$name") states"
  else
    echo "not ok - control: $what: no error was found"
    return 1
  fi
}

small='-DREMOVABLE=0 -DNO_DRAIN'
controls() {
  local bad=0
  # shellcheck disable=SC2086 # lists of words
  {
    control 'seen not marked on a change' -DSEEN_UNMARKED $small || bad=1
    control 'the slot not read again after the state' -DONE_LOOK $small || bad=1
    control 'UP without T raised' -DNO_RAISE $small || bad=1
    control 'UP before T is raised' -DUP_FIRST $small || bad=1
    control 'an owner that returns leaves seen as it is where T is up' -DRAISE_SKIPS_T $small || bad=1
    control 'an expired entry honoured' -DEXPIRED_HONOURED $small || bad=1
    control 'the entry of a DOWN owner kept, as if used' -DDOWN_KEPT $small || bad=1
    control 'slots settle at the timeout' -DSETTLE_EARLY $small || bad=1
    control 'slots settle two ticks after the timeout, not three' -DSLACK=2 $small || bad=1
    control 'a new flow goes to who drains' -DNEW_TO_DRAINING -DREMOVABLE=0 || bad=1
    control 'removal without purges' -DNO_PURGE -DNO_DRAIN || bad=1
    control 'no purge after the rest' -DNO_SECOND_PURGE -DNO_DRAIN || bad=1
    control 'no rest' -DNO_REST -DNO_DRAIN || bad=1
    control 'one rest: the id is used again right after the last purge' -DONE_REST -DNO_DRAIN || bad=1
  }
  return $bad
}

bad=0
controls >"$build/controls" 2>&1 &
if [ -n "$whole" ]; then
  all whole || bad=1
  some two_flows 25 -DNF=2 || bad=1
  some three_backends 25 -DNB=3 -DREMOVABLE=2 || bad=1
  some two_slots 25 -DNS=2 || bad=1
else
  all tier -DNO_DRAIN || bad=1
fi
wait $! || bad=1
cat "$build/controls"
exit $bad
