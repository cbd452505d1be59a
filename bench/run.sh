#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh BUILD: the benches, one after the other. QUICK=1: a look, not a figure.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
build=${1:?usage: bench/run.sh BUILD (make bench)}
driver=${DRIVER:-$here/build/kern/bench_driver.bpf.o}
chain=${CHAIN:-$here/build/kern/bench_chain.bpf.o}
out=${OUT:-$here/build/bench}

[ "$(id -u)" = 0 ] || { echo "bench: needs root, to load programs" >&2; exit 1; }
mkdir -p "$out"
SL_COMMIT=$(git -C "$here" describe --always --dirty 2>/dev/null || echo unknown)
export SL_COMMIT
status=0 # of all: one that fails does not keep the next from running
"$build/bench/prog" "$driver" "$out/prog.json" || status=$?
echo
"$build/bench/chain" "$chain" "$out/chain.json" || status=$?
echo
[ "$status" != 0 ] || echo "written: $out/prog.json $out/chain.json"
exit "$status"
