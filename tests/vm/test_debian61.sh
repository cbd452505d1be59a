#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test_debian61.sh BUILD_DIR [prog|traffic]: boots Debian's kernel 6.1 under QEMU's emulator, with the
# host's file system as its own, and has guest_checks.sh run that part there (prog). Its lines are
# printed as they are.
set -u
export LC_ALL=C
repo=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/tap.sh
. "$repo/tests/lib/tap.sh"
cd "$repo" || exit 1
build=${1:?build folder}
part=${2:-prog}
limit_s=${SLUICE_VM_LIMIT_S:-270}

[ "$(uname -m)" = x86_64 ] || skip_all "the guest is x86_64, this machine and its programs are $(uname -m)"
for tool in qemu-system-x86_64 busybox dpkg-deb setpriv; do
  command -v $tool >/dev/null || skip_all "$tool is not installed; run make deps"
done
[ -x "$build/sluiced" ] || bail "no $build/sluiced; run make test-vm"
kernel=$(tests/vm/kernel.sh 2>&1) || skip_all "no kernel: $(tail -n 1 <<<"$kernel")"
version=$(basename "$kernel"/boot/vmlinuz-*)
version=${version#vmlinuz-}

for old in build/vm/run.*; do # of a run that was killed
  [ ! -e "$old" ] || kill -0 "${old##*.}" 2>/dev/null || rm -rf "$old"
done
run=$repo/build/vm/run.$$
qemu=
clean() {
  [ -z "$qemu" ] || kill -s TERM "$qemu" 2>/dev/null
  wait
  rm -rf "$run"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# module NAME: its file and those it needs, below lib/modules/VERSION.
module() {
  awk -v end="/$1.ko" -F: 'substr($1, length($1) - length(end) + 1) == end {print $1 $2}' \
    "$kernel/lib/modules/$version/modules.dep"
}

# The initramfs only has to find its way to the host's file system.
initramfs() {
  local from=$kernel/lib/modules/$version root=$run/root
  local to=$root/lib/modules/$version m f
  mkdir -p "$root/bin" "$root/sbin" "$root/proc" "$root/sys" "$root/dev" "$to" || return 1
  cp "$(command -v busybox)" "$root/bin/busybox" && ln -s ../bin/busybox "$root/sbin/modprobe" &&
    cp tests/vm/guest_init.sh "$root/init" && chmod 0755 "$root/init" &&
    cp "$from/modules.dep" "$from/modules.alias" "$to" || return 1
  for m in virtio_pci 9pnet_virtio 9p; do
    for f in $(module $m); do
      mkdir -p "$to/$(dirname "$f")" && cp "$from/$f" "$to/$f" || return 1
    done
  done
  printf '%s=%q\n' VM_KERNEL "$kernel" VM_REPO "$repo" VM_BUILD "$build" VM_PART "$part" \
    VM_NETNS "${SLUICE_VM_NETNS:-}" VM_ONLY "${SLUICE_VM_ONLY:-}" >"$root/vars"
  (cd "$root" && find . | busybox cpio -o -H newc >"$run/initrd" 2>/dev/null)
}

# erms off: string instructions are emulated byte by byte. avx off: so are wide registers.
boot() {
  # Whatever becomes of this script, the guest ends with it.
  setpriv --pdeathsig TERM timeout --foreground -k 5 "$limit_s" \
    setpriv --pdeathsig KILL qemu-system-x86_64 \
    -accel tcg -cpu max,-erms,-fsrm,-avx,-avx2 -smp 2 -m 1024 \
    -nodefaults -no-user-config -display none -no-reboot -nic none \
    -kernel "$kernel/boot/vmlinuz-$version" -initrd "$run/initrd" \
    -append 'console=ttyS0 loglevel=5 log_buf_len=1M panic=-1' \
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
    -serial "file:$run/console" -serial "file:$run/results" >"$run/qemu" 2>&1 </dev/null &
  qemu=$!
  wait "$qemu"
  status=$?
  qemu=
}

prepare() { mkdir -p "$run" && touch "$run/results" "$run/console" && initramfs; }
prepare || bail "no initramfs: $run is not writable, or $kernel is not whole; remove build/vm"
start=$(now_ms)
boot
cat "$run/results"
if ! grep -q '^# guest ended' "$run/results"; then
  # A panic ends the guest before it can report; the console has seen it.
  [ $status = 124 ] && end="not finished after $limit_s s" || end="ended before its checks (qemu: $status)"
  not_ok "guest $version: $end: $(tail -n 1 "$run/qemu")"
  tail -n 60 "$run/console" | tr -d '\r' | sed 's/^/# console: /'
elif ! grep -q '^# guest ended, status 0' "$run/results" && ! grep -q '^not ok' "$run/results"; then
  not_ok "guest $version: $(grep '^# guest ended' "$run/results") without a failed check"
fi
echo "# Linux $version under QEMU: $((($(now_ms) - start) / 1000)) s"
[ "$TAP_BAD" = 0 ] && ! grep -q '^not ok' "$run/results"
