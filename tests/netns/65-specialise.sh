#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A thousand exchanges of the programs under load: no packet lost, counters and flows kept, the
# link the same one; the control shows what taking off and putting on again would cost. The work is
# a program of tests/prog, in namespaces and with a bpffs of its own.
set -u
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
program=${1:?build folder}/tests/prog/test_specialise
[ -x "$program" ] || bail "no $program; run make test"
"$program" "${2:-1000}"
