#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs the packages of deploy/packages.txt that are missing. Needs root only then.
# With --no-vm, not those of its VM tier (an emulator and a kernel: 300 MB that only tests want).
set -eu
cd "$(dirname "$0")"
missing=
until='$^'
[ "${1:-}" != --no-vm ] || until='^# -- VM tier'
for p in $(sed "/$until/q; s/#.*//" packages.txt | grep -v '^#'); do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
echo "installing:$missing"
[ "$(id -u)" = 0 ] || { echo "deps: not root; run: sudo make deps" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words
apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1 || {
	apt-get update -q
	apt-get install -y -q --no-install-recommends $missing
}
