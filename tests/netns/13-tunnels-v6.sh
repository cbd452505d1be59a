#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# IPv6 clients by every way of forwarding, l2dsr, ipip and gue over both families, and by a pool of all of
# them: 100 MB each way byte for byte, short requests, drains and a health change that move nobody.
# Tunnels come from prefixes here, from the balancer's addresses in the other one.
set -u
# shellcheck source=tests/lib/tunnels.sh
. "$(dirname "$0")/../lib/tunnels.sh"
tunnels_all "${1:?build folder}" 6 10.99.0.0/16 fd99::/96
