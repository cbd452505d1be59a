#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test_debian61_traffic.sh BUILD_DIR: the scenarios with traffic, in a guest of their own: each part has
# the time limit to itself.
exec "$(dirname "$0")/test_debian61.sh" "${1:?build folder}" traffic
