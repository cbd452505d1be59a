# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# tap: "ok - ..." and "not ok - ..." lines, and a few things every scenario needs. Sourced.

TAP_OK=0
TAP_BAD=0

ok() { TAP_OK=$((TAP_OK + 1)); echo "ok - $*"; }

not_ok() { TAP_BAD=$((TAP_BAD + 1)); echo "not ok - $*"; }

# check TEXT COMMAND...: one line, ok when the command succeeds. Its output is not shown.
check() {
  local text=$1
  shift
  if "$@" >/dev/null 2>&1; then ok "$text"; else not_ok "$text"; fi
}

# bail TEXT: nothing after this makes sense.
bail() { not_ok "$*"; exit 1; }

# skip_all TEXT: this scenario cannot run here. The runner counts it as skipped.
skip_all() { echo "skip - $*"; exit 0; }

tap_done() {
  echo "# $TAP_OK ok, $TAP_BAD not ok"
  [ "$TAP_BAD" = 0 ]
}

# EPOCHREALTIME is bash's own: no process is started to read the clock.
now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }

# wait_until SECONDS COMMAND...: asks every 10 ms. WAITED_MS is how long it took.
wait_until() {
  local limit_ms start
  limit_ms=$(($1 * 1000))
  shift
  start=$(now_ms)
  while ! "$@" >/dev/null 2>&1; do
    WAITED_MS=$(($(now_ms) - start))
    [ "$WAITED_MS" -lt "$limit_ms" ] || return 1
    sleep 0.01
  done
  WAITED_MS=$(($(now_ms) - start))
}

# share_ok HITS TOTAL WEIGHT WEIGHTS: whether HITS of TOTAL fit WEIGHT of WEIGHTS, within 4 sigma of
# a binomial draw, plus 1 % of the total for the table's own granularity.
share_ok() {
  awk -v k="$1" -v n="$2" -v w="$3" -v s="$4" 'BEGIN {
    p = w / s; d = k - n * p; if (d < 0) d = -d
    exit !(n > 0 && d <= 4 * sqrt(n * p * (1 - p)) + 0.01 * n) }'
}
