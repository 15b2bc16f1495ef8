#!/bin/sh
# The container's first process: cgroups and net sysctls become writable (both are its own namespace's), then systemd.
for tree in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  [ ! -d "$tree" ] || mount -o remount,rw "$tree"
done
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || mount -o remount,rw /sys/fs/cgroup
mkdir -p /run/fresh
mount -t proc proc /run/fresh
mount --bind /run/fresh/sys/net /proc/sys/net
umount -l /run/fresh
exec /sbin/init
