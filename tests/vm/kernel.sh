#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kernel.sh: prints the folder of Debian's unpacked kernel 6.1 (boot/vmlinuz-*, lib/modules/*), made
# below build/vm when missing. The package is cached in build/vm/cache; any linux-image-6.1.0-*.deb
# put there by hand is taken as well. Status 1, and why on stderr, when it cannot be had.
set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 1
vm=$PWD/build/vm
cache=$vm/cache
mkdir -p "$cache"
why() { echo "$*" >&2; exit 1; }

newest_cached() {
  find -H "$cache" -maxdepth 1 -name 'linux-image-6.1.0-*_amd64.deb' -printf '%f\n' | sort -V | tail -n 1
}

newest_offered() {
  apt-cache pkgnames linux-image-6.1.0- | grep -xE 'linux-image-6\.1\.0-[0-9]+-amd64' | sort -V |
    tail -n 1
}

# apt checks the signature of what it fetches; a file is in the cache whole, or not at all.
download() {
  local name tmp
  command -v apt-get >/dev/null || why "no apt-get; put a linux-image-6.1.0-*.deb into $cache"
  name=$(newest_offered)
  if [ -z "$name" ]; then
    apt-get update -q >/dev/null 2>&1
    name=$(newest_offered)
  fi
  [ -n "$name" ] || why "apt offers no linux-image-6.1.0-*-amd64 (Debian 12); put its .deb into $cache"
  tmp=$(mktemp -d "$cache/.download.XXXXXX") || why "$cache: not writable"
  (cd "$tmp" && apt-get download -q "$name:amd64" >log 2>&1) ||
    { tail -n 1 "$tmp/log" >&2; rm -rf "$tmp"; why "apt-get download $name failed"; }
  mv "$tmp"/*.deb "$cache/"
  rm -rf "$tmp"
}

# Most of a kernel package is drivers of hardware that the guest does not have.
unpack() { # DEB FOLDER
  local tmp version d hardware=()
  for d in ata gpu hid hwmon iio infiniband input media net/ethernet net/wireless nvme platform scsi \
    staging usb; do
    hardware+=(--exclude "*/kernel/drivers/$d")
  done
  tmp=$(mktemp -d "$vm/.unpack.XXXXXX") || why "$vm: not writable"
  dpkg-deb --fsys-tarfile "$1" | tar x -C "$tmp" --exclude './usr' --exclude '*/sound' "${hardware[@]}" ||
    { rm -rf "$tmp"; why "$1 cannot be unpacked; remove it"; }
  version=$(basename "$tmp"/boot/vmlinuz-*)
  busybox depmod -b "$tmp" "${version#vmlinuz-}" || { rm -rf "$tmp"; why "busybox depmod failed"; }
  chmod 0755 "$tmp"
  mv "$tmp" "$2"
}

exec 9>"$vm/lock"
flock 9
deb=$(newest_cached)
if [ -z "$deb" ]; then
  download
  deb=$(newest_cached)
fi
[ -n "$deb" ] || why "$cache stays empty"
folder=$vm/${deb%_amd64.deb}
[ -d "$folder" ] || unpack "$cache/$deb" "$folder"
echo "$folder"
