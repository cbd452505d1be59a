#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# run.sh [ROOT]: shows first that the lint can fail, then runs it over the tree.
# Prints file:line: message; the last line is "lint: N files, N problems".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/selftest.sh"
exec python3 -B "$here/lint.py" "${1:-$here/../..}"
