#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh SECONDS [TARGET...]: each fuzz target on its corpus, then for SECONDS on what it makes of it.
# Prints "ok - " lines. A find is shown as a line for the corpus.
set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 1
here=tests/fuzz build=build/fuzz
targets='packet json state request netlink'
seconds=${1:?usage: run.sh SECONDS [TARGET...]}
shift
# shellcheck disable=SC2086 # a list of words
[ $# != 0 ] || set -- $targets
# The runner's own paths for reports would hide them from this one.
unset ASAN_OPTIONS UBSAN_OPTIONS
status=0

# told LOG WHAT: what went wrong, with the input.
told() {
  local found
  status=1
  grep -E 'not so:|ERROR:|runtime error:|SUMMARY' "$1" | head -n 4 | sed 's/^/# /'
  for found in "$dir"/found/*; do
    [ -e "$found" ] && echo "# $target: $(python3 -B $here/corpus.py --line "$target" "$found")"
  done
  echo "not ok - $target: $2"
}

for target in "$@"; do
  dir=$build/run/$target bin=$build/fuzz_$target
  rm -rf "$dir"
  mkdir -p "$dir/found" "$dir/new"
  n=$(python3 -B $here/corpus.py "$target" "$dir/corpus") || { echo "not ok - $target: no corpus"; status=1; continue; }
  if ! timeout 120 "$bin" -runs=0 -artifact_prefix="$dir/found/" "$dir/corpus" >"$dir/corpus.log" 2>&1; then
    told "$dir/corpus.log" "the corpus"
    continue
  fi
  echo "ok - $target: $n inputs of the corpus"
  if FUZZ_CONTROL=1 timeout 120 "$bin" -runs=0 -artifact_prefix="$dir/control-" "$dir/corpus" >"$dir/control.log" 2>&1; then
    echo "not ok - control: $target does something wrong, and nothing was found"
    status=1
  else
    echo "ok - control: $target does something wrong: $(grep -oE 'not so: .*|AddressSanitizer: [a-z-]+' "$dir/control.log" | head -n 1)"
  fi
  if timeout $((seconds + 60)) "$bin" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=3000 -max_len=4096 \
    -print_final_stats=1 -artifact_prefix="$dir/found/" "$dir/new" "$dir/corpus" >"$dir/run.log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/run.log")
    cov=$(grep -o 'cov: [0-9]*' "$dir/run.log" | tail -n 1)
    echo "ok - $target: $runs inputs in $seconds s, ${cov:-cov: ?} edges, nothing found"
  else
    told "$dir/run.log" "found something"
  fi
done
exit $status
