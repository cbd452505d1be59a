#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
# guest_init.sh: /init of the guest. The host's file system, read-only over 9p, is the root of the
# checks; what they write goes into memory. Results leave by the second serial line. This process
# stays outside that root, and with it the modprobe that the kernel calls when it needs a module.
/bin/busybox --install -s /bin
export PATH=/bin
# shellcheck source=/dev/null
. /vars
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
stty -F /dev/ttyS1 raw -echo -onlcr

die() {
  echo "not ok - guest: $*" >/dev/ttyS1
  poweroff -f
}

for m in virtio_pci 9pnet_virtio 9p; do modprobe $m || die "module $m does not load"; done
mkdir /host /share
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro host /host ||
  die "the host's file system cannot be mounted over 9p"
mount -o bind "/host$VM_KERNEL/lib/modules" /lib/modules || die "the modules cannot be mounted"

mount -o bind /host /share
cd /host || die "no /host"
for d in tmp run var/lib var/log root mnt; do
  mount -t tmpfs none $d || die "no memory file system on /$d"
done
# Nobody in there finds modules, and this one the kernel never asks for by itself.
modprobe fou || die "module fou does not load"
for m in "devtmpfs dev" "proc proc" "sysfs sys" "bpf sys/fs/bpf"; do
  mount -t "${m% *}" none "${m#* }" || die "/${m#* } cannot be mounted"
done
mkdir -p dev/shm && mount -t tmpfs none dev/shm
# A repository in one of these folders is hidden by now.
if [ ! -d "/host$VM_REPO" ]; then
  mkdir -p "/host$VM_REPO"
  mount -o bind "/share$VM_REPO" "/host$VM_REPO" || die "$VM_REPO cannot be mounted"
fi
ip link set lo up

# shellcheck disable=SC2086 # a list of words
env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
  SLUICE_VM_ONLY="$VM_ONLY" \
  chroot /host /bin/bash "$VM_REPO/tests/vm/guest_checks.sh" "$VM_REPO" "$VM_BUILD" "$VM_PART" $VM_NETNS \
  >/dev/ttyS1 2>&1
echo "# guest ended, status $?" >/dev/ttyS1
poweroff -f
